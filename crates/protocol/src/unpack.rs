//! The bytes of the table -> names and models. xtask/src/table.py writes them; both change together.

use std::sync::Arc;

use crate::model::{
    ErrorTraits, Kind, Location, Member, Operation, Protocol, Service, ServiceName, Shape, ShapeId, TimeFormat, Use,
};

const MAGIC: &[u8] = b"SWAM";
const FORMAT: u64 = 1;

/// The file ends too early, or holds what this reader does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// A service's names, and where its model is.
pub(crate) struct Head {
    pub(crate) names: ServiceName,
    /// The packed bytes.
    pub(crate) packed: &'static [u8],
    /// How many bytes they unpack to.
    pub(crate) unpacked_bytes: usize,
}

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Damaged)?;
            self.0 = rest;
            number |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    fn count(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.number()?).map_err(|_| Damaged)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn part(&mut self) -> Result<Reader<'a>, Damaged> {
        let count = self.count()?;
        Ok(Reader(self.bytes(count)?))
    }

    fn text(&mut self) -> Result<Arc<str>, Damaged> {
        let part = self.part()?;
        std::str::from_utf8(part.0).map(Arc::from).map_err(|_| Damaged)
    }
}

/// Numbers of things in the order of their first use: 0 is the next new one, n the one numbered n - 1.
struct Uses<'a> {
    reader: Reader<'a>,
    next: usize,
    count: usize,
}

impl Uses<'_> {
    fn next(&mut self) -> Result<usize, Damaged> {
        let place = match self.reader.count()? {
            0 => {
                self.next += 1;
                self.next - 1
            }
            known => known - 1,
        };
        if place < self.count { Ok(place) } else { Err(Damaged) }
    }
}

/// The heads of all services, in the order of their names.
pub(crate) fn heads(file: &'static [u8]) -> Result<Vec<Head>, Damaged> {
    let mut reader = Reader(file);
    if reader.bytes(MAGIC.len())? != MAGIC || reader.number()? != FORMAT {
        return Err(Damaged);
    }
    let count = reader.count()?;
    let mut heads = reader.part()?;
    let bodies = reader.0;
    (0..count).map(|_| head(&mut heads, bodies)).collect()
}

fn head(reader: &mut Reader<'static>, bodies: &'static [u8]) -> Result<Head, Damaged> {
    let (name, id, client) = (reader.text()?, reader.text()?, reader.text()?);
    let sdk_name = client.to_ascii_lowercase().into();
    let (api_version, endpoint_prefix, signing_name) = (reader.text()?, reader.text()?, reader.text()?);
    let (json_version, target_prefix) = (reader.text()?, reader.text()?);
    let (xml_namespace, global_endpoint) = (reader.text()?, reader.text()?);
    let protocols = (0..reader.number()?).map(|_| protocol(reader.number()?)).collect::<Result<Vec<_>, _>>()?;
    let (query_compatible, signed) = (reader.number()? == 1, reader.number()? == 1);
    let (from, packed_bytes, unpacked_bytes) = (reader.count()?, reader.count()?, reader.count()?);
    let packed = bodies.get(from..).and_then(|rest| rest.get(..packed_bytes)).ok_or(Damaged)?;
    let names = ServiceName {
        name,
        id,
        client,
        sdk_name,
        api_version,
        endpoint_prefix,
        signing_name,
        json_version,
        target_prefix,
        xml_namespace,
        global_endpoint,
        protocols,
        query_compatible,
        signed,
    };
    Ok(Head { names, packed, unpacked_bytes })
}

fn protocol(number: u64) -> Result<Protocol, Damaged> {
    Ok(match number {
        0 => Protocol::Json,
        1 => Protocol::RestJson,
        2 => Protocol::RestXml,
        3 => Protocol::Cbor,
        4 => Protocol::Query,
        5 => Protocol::Ec2,
        _ => return Err(Damaged),
    })
}

/// One service's model, unpacked.
pub(crate) fn service(names: &'static ServiceName, body: &[u8]) -> Result<Service, Damaged> {
    let mut reader = Reader(body);
    let (shape_count, name_count) = (reader.count()?, reader.count()?);
    let mut texts = reader.part()?;
    let texts = (0..name_count).map(|_| texts.text()).collect::<Result<Vec<_>, _>>()?;
    let mut body = Body {
        facts: reader.part()?,
        shapes: Uses { reader: reader.part()?, next: 0, count: shape_count },
        names: Uses { reader: reader.part()?, next: 0, count: name_count },
        texts,
    };
    let operations = (0..body.facts.count()?).map(|_| body.operation()).collect::<Result<Vec<_>, _>>()?;
    let errors = body.errors()?;
    let shapes = (0..shape_count).map(|_| body.shape()).collect::<Result<Vec<_>, _>>()?;
    Ok(Service { names, operations, shapes, errors })
}

struct Body<'a> {
    facts: Reader<'a>,
    shapes: Uses<'a>,
    names: Uses<'a>,
    texts: Vec<Arc<str>>,
}

/// Flags, taken one after another.
struct Flags(u64);

impl Flags {
    fn next(&mut self) -> bool {
        self.number(1) == 1
    }

    fn number(&mut self, bits: u32) -> u64 {
        let number = self.0 & ((1 << bits) - 1);
        self.0 >>= bits;
        number
    }
}

impl Body<'_> {
    fn name(&mut self) -> Result<Arc<str>, Damaged> {
        let place = self.names.next()?;
        self.texts.get(place).cloned().ok_or(Damaged)
    }

    fn name_if(&mut self, there: bool) -> Result<Option<Arc<str>>, Damaged> {
        if there { self.name().map(Some) } else { Ok(None) }
    }

    fn shape_id(&mut self) -> Result<ShapeId, Damaged> {
        u32::try_from(self.shapes.next()?).map(ShapeId).map_err(|_| Damaged)
    }

    fn errors(&mut self) -> Result<Vec<ShapeId>, Damaged> {
        (0..self.facts.count()?).map(|_| self.shape_id()).collect()
    }

    fn status(&mut self) -> Result<u16, Damaged> {
        u16::try_from(self.facts.number()?).map_err(|_| Damaged)
    }

    fn operation(&mut self) -> Result<Operation, Damaged> {
        let (name, method, uri) = (self.name()?, self.name()?, self.name()?);
        let status = self.status()?;
        let has_host_prefix = self.facts.number()? == 1;
        let host_prefix = self.name_if(has_host_prefix)?;
        let mut flags = Flags(self.facts.number()?);
        let (has_input, has_output) = (flags.next(), flags.next());
        let (unsigned_payload, anonymous, checksum_required) = (flags.next(), flags.next(), flags.next());
        let (idempotent, deprecated) = (flags.next(), flags.next());
        let input = if has_input { Some(self.part(false)?.1) } else { None };
        let output = if has_output { Some(self.part(false)?.1) } else { None };
        let errors = self.errors()?;
        Ok(Operation {
            name,
            method,
            uri,
            status,
            host_prefix,
            input,
            output,
            errors,
            unsigned_payload,
            anonymous,
            checksum_required,
            idempotent,
            deprecated,
        })
    }

    fn part(&mut self, named: bool) -> Result<(Option<Arc<str>>, Use), Damaged> {
        let mut flags = Flags(self.facts.number()?);
        let shape = self.shape_id()?;
        let name = self.name_if(named)?;
        let (required, flattened, xml_attribute) = (flags.next(), flags.next(), flags.next());
        let (streaming, idempotency_token, host_label) = (flags.next(), flags.next(), flags.next());
        let json_value = flags.next();
        // Parts of events, which nothing here reads yet.
        flags.number(2);
        let location = match flags.number(3) {
            0 => Location::Body,
            1 => Location::Uri,
            2 => Location::Query,
            3 => Location::Header,
            4 => Location::Headers,
            5 => Location::Status,
            _ => return Err(Damaged),
        };
        let time_format = match flags.number(2) {
            0 => None,
            1 => Some(TimeFormat::Iso8601),
            2 => Some(TimeFormat::Unix),
            _ => Some(TimeFormat::Rfc822),
        };
        let part = Use {
            shape,
            required,
            location,
            time_format,
            flattened,
            xml_attribute,
            streaming,
            idempotency_token,
            host_label,
            json_value,
            location_name: self.name_if(flags.next())?,
            query_name: self.name_if(flags.next())?,
            xml_namespace: self.name_if(flags.next())?,
            xml_prefix: self.name_if(flags.next())?,
            result_wrapper: self.name_if(flags.next())?,
        };
        Ok((name, part))
    }

    fn shape(&mut self) -> Result<Shape, Damaged> {
        let name = self.name()?;
        let kind = self.facts.number()?;
        let mut flags = Flags(self.facts.number()?);
        let (exception, fault, union, sparse) = (flags.next(), flags.next(), flags.next(), flags.next());
        let (document, sensitive, event_stream) = (flags.next(), flags.next(), flags.next());
        let (has_payload, has_code, has_status) = (flags.next(), flags.next(), flags.next());
        let (has_choices, has_pattern, has_min, has_max) = (flags.next(), flags.next(), flags.next(), flags.next());
        let payload = self.name_if(has_payload)?;
        let code = self.name_if(has_code)?;
        let status = if has_status { Some(self.status()?) } else { None };
        let choices = match has_choices {
            true => (0..self.facts.count()?).map(|_| self.name()).collect::<Result<Vec<_>, _>>()?,
            false => Vec::new(),
        };
        let pattern = self.name_if(has_pattern)?;
        let (min, max) = (self.name_if(has_min)?, self.name_if(has_max)?);
        let kind = match kind {
            0 => Kind::Structure((0..self.facts.count()?).map(|_| self.member()).collect::<Result<Vec<_>, _>>()?),
            1 => Kind::List(self.part(false)?.1),
            2 => Kind::Map(self.part(false)?.1, self.part(false)?.1),
            3 => Kind::String,
            4 => Kind::Boolean,
            5 => Kind::Integer,
            6 => Kind::Long,
            7 => Kind::Float,
            8 => Kind::Double,
            9 => Kind::Timestamp,
            10 => Kind::Blob,
            _ => return Err(Damaged),
        };
        let error = exception.then_some(ErrorTraits { code, status, fault });
        Ok(Shape {
            name,
            kind,
            error,
            union,
            sparse,
            document,
            sensitive,
            event_stream,
            payload,
            choices,
            pattern,
            min,
            max,
        })
    }

    fn member(&mut self) -> Result<Member, Damaged> {
        match self.part(true)? {
            (Some(name), part) => Ok(Member { name, part }),
            (None, _) => Err(Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Damaged, heads};

    #[test]
    fn what_is_no_table_is_refused() {
        for bytes in
            [&b""[..], b"SWAM", b"SWAM\x02\x00\x00", b"PK\x03\x04", b"SWAM\x01\x01\x00", b"SWAM\x01\xff\xff\xff"]
        {
            assert_eq!(heads(bytes).err(), Some(Damaged));
        }
        assert_eq!(heads(b"SWAM\x01\x00\x00").map(|heads| heads.len()), Ok(0));
    }
}
