//! Where the REST protocols put the members of an input or output: path, query string, headers, status, body.

use stepwell_json::{Json, ObjectBuilder};

use crate::blob::{blob_bytes, blob_text};
use crate::http::header;
use crate::model::{Kind, Location, Member, Service, Shape, TimeFormat, Use};
use crate::scalars::{from_text, to_text};
use crate::unfit::Unfit;
use crate::xml::Element;
use crate::xml_body::{self, Xml};
use crate::{json_body, times};

/// What a body is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

/// A tree, distributed; or what arrived of it.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
    pub(crate) body: Vec<u8>,
    /// What the body is, when it was written by us.
    pub(crate) content_type: Option<&'static str>,
}

/// The members of a tree at their places. `root` names the element of a body in XML.
pub(crate) fn distribute(
    service: &Service,
    format: Format,
    part: &Use,
    value: &Json,
    root: &str,
) -> Result<Parts, Unfit> {
    let shape = service.shape(part.shape);
    let object = value.as_object().ok_or_else(|| Unfit::new("expected an object"))?;
    let mut parts = Parts::default();
    for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let member = shape.member(name).ok_or_else(|| Unfit::new("no such member").below(name))?;
        place(service, member, value, &mut parts).map_err(|unfit| unfit.below(name))?;
    }
    match shape.payload.as_deref().and_then(|name| shape.member(name)) {
        Some(payload) => write_payload(service, format, payload, object.get(&payload.name), &mut parts)
            .map_err(|unfit| unfit.below(&payload.name))?,
        None => write_body(service, format, part, value, root, &mut parts)?,
    }
    Ok(parts)
}

fn place(service: &Service, member: &Member, value: &Json, parts: &mut Parts) -> Result<(), Unfit> {
    let part = &member.part;
    let shape = service.shape(part.shape);
    let name = member.wire_name().to_string();
    match part.location {
        Location::Body => {}
        Location::Uri => parts.labels.push((name, to_text(shape, part, value, TimeFormat::Iso8601)?)),
        Location::Query => place_in_query(service, part, &name, value, &mut parts.query)?,
        Location::Header => {
            if let Some(text) = header_text(service, part, value)? {
                parts.headers.push((name, text));
            }
        }
        Location::Headers => {
            let object = value.as_object().ok_or_else(|| Unfit::new("expected an object"))?;
            for (key, value) in object {
                let text = value.as_str().ok_or_else(|| Unfit::new("expected a string").below(key))?;
                parts.headers.push((format!("{name}{key}"), text.to_owned()));
            }
        }
        Location::Status => {
            let status = value.as_i64().and_then(|status| u16::try_from(status).ok());
            parts.status = Some(status.ok_or_else(|| Unfit::new("expected an HTTP status"))?);
        }
    }
    Ok(())
}

type Pairs = Vec<(String, String)>;

fn place_in_query(service: &Service, part: &Use, name: &str, value: &Json, query: &mut Pairs) -> Result<(), Unfit> {
    let shape = service.shape(part.shape);
    match (&shape.kind, value) {
        (Kind::List(item), Json::Array(items)) => {
            for (place, value) in items.iter().enumerate() {
                let text = to_text(service.shape(item.shape), item, value, TimeFormat::Iso8601);
                query.push((name.to_owned(), text.map_err(|unfit| unfit.at(place))?));
            }
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            for (key, value) in object {
                place_in_query(service, of, key, value, query).map_err(|unfit| unfit.below(key))?;
            }
        }
        (_, value) => query.push((name.to_owned(), to_text(shape, part, value, TimeFormat::Iso8601)?)),
    }
    Ok(())
}

/// None for an empty list, which has no header.
fn header_text(service: &Service, part: &Use, value: &Json) -> Result<Option<String>, Unfit> {
    let shape = service.shape(part.shape);
    match (&shape.kind, value) {
        (Kind::List(item), Json::Array(items)) => {
            let item_shape = service.shape(item.shape);
            let mut texts = Vec::with_capacity(items.len());
            for (place, value) in items.iter().enumerate() {
                let text = to_text(item_shape, item, value, TimeFormat::Rfc822).map_err(|unfit| unfit.at(place))?;
                let quoted = matches!(item_shape.kind, Kind::String) && text.contains(['"', ',']);
                texts.push(if quoted { format!("\"{}\"", text.replace('"', "\\\"")) } else { text });
            }
            Ok((!texts.is_empty()).then(|| texts.join(",")))
        }
        (_, value) if part.json_value => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Ok(Some(blob_text(text.as_bytes())))
        }
        (_, value) => {
            let text = to_text(shape, part, value, TimeFormat::Rfc822)?;
            // What would end the header, and begin another.
            match text.contains(|letter: char| letter.is_ascii_control() && letter != '\t') {
                true => Err(Unfit::new("expected one line")),
                false => Ok(Some(text)),
            }
        }
    }
}

fn unstreamed(shape: &Shape) -> Result<(), Unfit> {
    if shape.event_stream { Err(Unfit::new("streams of events are not supported")) } else { Ok(()) }
}

fn write_payload(
    service: &Service,
    format: Format,
    payload: &Member,
    value: Option<&Json>,
    parts: &mut Parts,
) -> Result<(), Unfit> {
    let shape = service.shape(payload.part.shape);
    unstreamed(shape)?;
    let value = value.filter(|value| !value.is_null());
    match (&shape.kind, value) {
        (Kind::Blob, Some(value)) => {
            let bytes = value.as_str().and_then(blob_bytes);
            parts.body = bytes.ok_or_else(|| Unfit::new("expected base 64"))?;
        }
        (Kind::String, Some(value)) => {
            parts.body = value.as_str().ok_or_else(|| Unfit::new("expected a string"))?.as_bytes().to_vec();
        }
        (Kind::Blob | Kind::String, None) => {}
        (_, Some(value)) if format == Format::Json => {
            parts.body = json_body::encode(service, &payload.part, value)?.to_string().into_bytes();
            parts.content_type = Some("application/json");
        }
        (_, Some(value)) => {
            let xml = Xml { service, naming: xml_body::REST };
            let name = payload.wire_name();
            write_xml(&xml.element(name, &payload.part, value)?, parts);
        }
        (_, None) if format == Format::Json => {
            parts.body = b"{}".to_vec();
            parts.content_type = Some("application/json");
        }
        (_, None) => {}
    }
    Ok(())
}

fn write_xml(element: &Element, parts: &mut Parts) {
    let mut text = String::new();
    element.write(&mut text);
    parts.body = text.into_bytes();
    parts.content_type = Some("application/xml");
}

fn write_body(
    service: &Service,
    format: Format,
    part: &Use,
    value: &Json,
    root: &str,
    parts: &mut Parts,
) -> Result<(), Unfit> {
    let members = service.members(part);
    let in_body = |member: &&Member| member.part.location == Location::Body;
    if !members.iter().any(|member| in_body(&member)) {
        return Ok(());
    }
    if format == Format::Json {
        parts.body = json_body::encode(service, part, value)?.to_string().into_bytes();
        parts.content_type = Some("application/json");
        return Ok(());
    }
    let filled = |member: &Member| value.get(&member.name).is_some_and(|value| !value.is_null());
    if members.iter().filter(in_body).any(filled) {
        let xml = Xml { service, naming: xml_body::REST };
        write_xml(&xml.element(part.location_name.as_deref().unwrap_or(root), part, value)?, parts);
    }
    Ok(())
}

/// The tree of what arrived.
pub(crate) fn collect(service: &Service, format: Format, part: &Use, parts: &Parts) -> Result<Json, Unfit> {
    let shape = service.shape(part.shape);
    let mut object = ObjectBuilder::new();
    for member in service.members(part) {
        let value = placed(service, shape, member, parts).map_err(|unfit| unfit.below(&member.name))?;
        if let Some(value) = value {
            object.insert(member.name.clone(), value);
        }
    }
    if let Some(payload) = shape.payload.as_deref().and_then(|name| shape.member(name)) {
        let value = read_payload(service, format, payload, &parts.body).map_err(|unfit| unfit.below(&payload.name))?;
        // An answer always has its stream; a request may have been sent without.
        let there = parts.status.is_some() || !parts.body.is_empty();
        if let Some(value) = value.filter(|_| there) {
            object.insert(payload.name.clone(), value);
        }
    } else if shape.payload.is_none() && !parts.body.is_empty() {
        let in_body = service.members(part).iter().any(|member| member.part.location == Location::Body);
        let body = if in_body { read_body(service, format, part, &parts.body)? } else { Json::empty_object() };
        for (name, value) in body.as_object().into_iter().flatten() {
            object.insert(name.clone(), value.clone());
        }
    }
    Ok(Json::from(object.build()))
}

fn placed(service: &Service, above: &Shape, member: &Member, parts: &Parts) -> Result<Option<Json>, Unfit> {
    let part = &member.part;
    let shape = service.shape(part.shape);
    let name = member.wire_name();
    let text_of = |pairs: &[(String, String)]| {
        pairs.iter().find(|(known, _)| **known == **name).map(|(_, value)| from_text(shape, value)).transpose()
    };
    match part.location {
        Location::Body => Ok(None),
        Location::Uri => text_of(&parts.labels),
        Location::Query => match &shape.kind {
            Kind::List(item) => in_query(service, item, name, parts),
            Kind::Map(_, of) => other_query(service, above, of, parts),
            _ => text_of(&parts.query),
        },
        Location::Header => header(&parts.headers, name).map(|text| header_value(service, part, text)).transpose(),
        Location::Headers => {
            let mut object = ObjectBuilder::new();
            for (known, value) in &parts.headers {
                if let (Some(prefix), Some(key)) = (known.get(..name.len()), known.get(name.len()..))
                    && prefix.eq_ignore_ascii_case(name)
                    && !key.is_empty()
                {
                    object.insert(key, Json::from(value.as_str()));
                }
            }
            Ok((!object.is_empty()).then(|| Json::from(object.build())))
        }
        Location::Status => Ok(parts.status.map(|status| Json::from(i64::from(status)))),
    }
}

fn in_query(service: &Service, item: &Use, name: &str, parts: &Parts) -> Result<Option<Json>, Unfit> {
    let shape = service.shape(item.shape);
    let texts = parts.query.iter().filter(|(known, _)| known == name);
    let items = texts.map(|(_, text)| from_text(shape, text)).collect::<Result<Vec<_>, _>>()?;
    Ok((!items.is_empty()).then(|| Json::array(items)))
}

/// A map takes what no other member has a name for.
fn other_query(service: &Service, above: &Shape, of: &Use, parts: &Parts) -> Result<Option<Json>, Unfit> {
    let members = match &above.kind {
        Kind::Structure(members) => members.as_slice(),
        _ => &[],
    };
    let known = |name: &str| {
        let mut named = members.iter().filter(|member| member.part.location == Location::Query);
        named.any(|member| **member.wire_name() == *name)
    };
    let mut object = ObjectBuilder::new();
    for (name, text) in parts.query.iter().filter(|(name, _)| !known(name)) {
        let shape = service.shape(of.shape);
        let value = match &shape.kind {
            Kind::List(item) => in_query(service, item, name, parts)?,
            _ => Some(from_text(shape, text)?),
        };
        if let Some(value) = value {
            object.insert(name.as_str(), value);
        }
    }
    Ok((!object.is_empty()).then(|| Json::from(object.build())))
}

fn header_value(service: &Service, part: &Use, text: &str) -> Result<Json, Unfit> {
    let shape = service.shape(part.shape);
    match &shape.kind {
        Kind::List(item) => {
            let item = service.shape(item.shape);
            let items = header_items(text).iter().map(|text| from_text(item, text)).collect::<Result<Vec<_>, _>>()?;
            Ok(Json::array(items))
        }
        _ if part.json_value => {
            let text = blob_bytes(text).and_then(|bytes| String::from_utf8(bytes).ok());
            text.map(Json::from).ok_or_else(|| Unfit::new("expected base 64"))
        }
        // Some services write moments in headers as they like.
        Kind::Timestamp => times::parse(text).map(Json::Number).ok_or_else(|| Unfit::new("expected a time")),
        _ => from_text(shape, text),
    }
}

/// `a, "b,\"c\""` -> `a`, `b,"c"`
fn header_items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut letters = text.chars();
    let mut finish = |item: &mut String, was_quoted: &mut bool| {
        let text = if *was_quoted { item.as_str() } else { item.trim() };
        items.push(text.to_owned());
        item.clear();
        *was_quoted = false;
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => item.extend(letters.next()),
            '"' if quoted => quoted = false,
            '"' if item.trim().is_empty() => {
                item.clear();
                (quoted, was_quoted) = (true, true);
            }
            ',' if !quoted => finish(&mut item, &mut was_quoted),
            ' ' if was_quoted && !quoted => {}
            letter => item.push(letter),
        }
    }
    finish(&mut item, &mut was_quoted);
    items
}

fn read_payload(service: &Service, format: Format, payload: &Member, body: &[u8]) -> Result<Option<Json>, Unfit> {
    let shape = service.shape(payload.part.shape);
    if shape.event_stream {
        return Ok(None);
    }
    match &shape.kind {
        Kind::Blob => Ok(Some(Json::from(blob_text(body)))),
        Kind::String => {
            let text = std::str::from_utf8(body).map_err(|_| Unfit::new("expected UTF-8"))?;
            Ok((!text.is_empty()).then(|| Json::from(text)))
        }
        _ if body.is_empty() => Ok(None),
        _ => read_body(service, format, &payload.part, body).map(Some),
    }
}

fn read_body(service: &Service, format: Format, part: &Use, body: &[u8]) -> Result<Json, Unfit> {
    match format {
        Format::Json => json_body::decode(service, part, &parse_json(body)?),
        Format::Xml => {
            let root = Element::parse(body)?;
            let xml = Xml { service, naming: xml_body::REST };
            // One answer of S3 is its only member, without anything around it.
            match service.members(part) {
                [only] if root.children.is_empty() && **only.wire_name() == *root.name => {
                    let value = if root.text.is_empty() { None } else { Some(xml.value(&only.part, &root)?) };
                    Ok(Json::object(value.map(|value| (only.name.clone(), value))))
                }
                _ => xml.value(part, &root),
            }
        }
    }
}

/// JSON of a body; none at all is an empty object.
pub(crate) fn parse_json(body: &[u8]) -> Result<Json, Unfit> {
    let text = std::str::from_utf8(body).map_err(|_| Unfit::new("expected UTF-8"))?;
    match text.trim() {
        "" => Ok(Json::empty_object()),
        text => Json::parse(text).map_err(|error| Unfit::new(format!("expected JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::header_items;

    #[test]
    fn lists_in_headers_are_taken_apart() {
        for (text, items) in [
            ("a", &["a"][..]),
            ("a, b ,c", &["a", "b", "c"]),
            ("\"a,b\", c, \"d\\\"e\"", &["a,b", "c", "d\"e"]),
            ("\" a \"", &[" a "]),
        ] {
            assert_eq!(header_items(text), items);
        }
    }
}
