//! Trees as CBOR, for Smithy RPC v2. Blobs and times have kinds of their own there.

use std::convert::Infallible;

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use stepwell_json::{Json, Number, ObjectBuilder};

use crate::blob::{blob_bytes, blob_text};
use crate::model::{Kind, Service, Shape, Use};
use crate::scalars::fitted;
use crate::unfit::{Unfit, deeper};

/// Tag 1: seconds since 1970.
const TIME_TAG: u64 = 1;

/// The bytes of a tree.
pub(crate) fn encode(service: &Service, part: &Use, value: &Json) -> Result<Vec<u8>, Unfit> {
    let mut encoder = Encoder::new(Vec::new());
    encode_at(service, part, value, &mut encoder, 0)?;
    Ok(encoder.into_writer())
}

type Out = Encoder<Vec<u8>>;

fn written<T>(done: Result<T, minicbor::encode::Error<Infallible>>) -> Result<(), Unfit> {
    done.map(|_| ()).map_err(|error| Unfit::new(error.to_string()))
}

fn encode_at(service: &Service, part: &Use, value: &Json, out: &mut Out, depth: u32) -> Result<(), Unfit> {
    let depth = deeper(depth)?;
    let shape = service.shape(part.shape);
    match (&shape.kind, value) {
        (Kind::Structure(_), Json::Object(object)) => {
            written(out.map(object.values().filter(|value| !value.is_null()).count() as u64))?;
            for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                let member = shape.member(name).ok_or_else(|| Unfit::new("no such member").below(name))?;
                written(out.str(member.wire_name()))?;
                encode_at(service, &member.part, value, out, depth).map_err(|unfit| unfit.below(name))?;
            }
            Ok(())
        }
        (Kind::List(item), Json::Array(items)) => {
            written(out.array(items.len() as u64))?;
            for (place, value) in items.iter().enumerate() {
                encode_at(service, item, value, out, depth).map_err(|unfit| unfit.at(place))?;
            }
            Ok(())
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            written(out.map(object.len() as u64))?;
            for (key, value) in object {
                written(out.str(key))?;
                encode_at(service, of, value, out, depth).map_err(|unfit| unfit.below(key))?;
            }
            Ok(())
        }
        (_, Json::Null) => written(out.null()),
        (_, value) => encode_scalar(shape, &fitted(shape, value)?, out),
    }
}

fn encode_scalar(shape: &Shape, value: &Json, out: &mut Out) -> Result<(), Unfit> {
    match (&shape.kind, value) {
        (Kind::Blob, Json::String(text)) => {
            let bytes = blob_bytes(text).ok_or_else(|| Unfit::new("expected base 64"))?;
            written(out.bytes(&bytes))
        }
        (Kind::Float | Kind::Double, Json::String(text)) => {
            written(out.f64(text.parse().map_err(|_| Unfit::new("expected a number"))?))
        }
        (_, Json::String(text)) => written(out.str(text)),
        (_, Json::Bool(value)) => written(out.bool(*value)),
        (Kind::Float, Json::Number(number)) => written(out.f32(number.as_f64() as f32)),
        (Kind::Double, Json::Number(number)) => written(out.f64(number.as_f64())),
        (kind, Json::Number(number)) => {
            if matches!(kind, Kind::Timestamp) {
                written(out.tag(Tag::new(TIME_TAG)))?;
            }
            match number.as_integral() {
                Some(whole) => written(out.i64(whole)),
                None => written(out.f64(number.as_f64())),
            }
        }
        (_, Json::Null | Json::Array(_) | Json::Object(_)) => Err(Unfit::new("expected a single value")),
    }
}

/// The bytes of a tree that no model describes: texts, numbers, arrays and objects as they are.
pub(crate) fn encode_any(value: &Json) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // A vector takes everything.
    let _: Result<(), Unfit> = encode_plain(value, &mut encoder);
    encoder.into_writer()
}

fn encode_plain(value: &Json, out: &mut Out) -> Result<(), Unfit> {
    match value {
        Json::Null => written(out.null()),
        Json::Bool(value) => written(out.bool(*value)),
        Json::String(text) => written(out.str(text)),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => written(out.i64(whole)),
            None => written(out.f64(number.as_f64())),
        },
        Json::Array(items) => {
            written(out.array(items.len() as u64))?;
            items.iter().try_for_each(|item| encode_plain(item, out))
        }
        Json::Object(object) => {
            written(out.map(object.len() as u64))?;
            object.iter().try_for_each(|(key, value)| {
                written(out.str(key))?;
                encode_plain(value, out)
            })
        }
    }
}

/// The tree of these bytes. Unknown members are left out.
pub(crate) fn decode(service: &Service, part: &Use, bytes: &[u8]) -> Result<Json, Unfit> {
    let mut decoder = Decoder::new(bytes);
    let value = value_at(Some((service, part)), &mut decoder, 0)?;
    Ok(value.unwrap_or_else(Json::empty_object))
}

/// The tree of these bytes, whatever they are about.
pub(crate) fn decode_any(bytes: &[u8]) -> Result<Json, Unfit> {
    let value = value_at(None, &mut Decoder::new(bytes), 0)?;
    Ok(value.unwrap_or(Json::Null))
}

fn unread(error: minicbor::decode::Error) -> Unfit {
    Unfit::new(format!("expected CBOR: {error}"))
}

/// None for null. Without a model every member and kind is taken as it comes.
fn value_at(model: Option<(&Service, &Use)>, input: &mut Decoder<'_>, depth: u32) -> Result<Option<Json>, Unfit> {
    let depth = deeper(depth)?;
    let shape = model.map(|(service, part)| service.shape(part.shape));
    let kind = input.datatype().map_err(unread)?;
    let value = match kind {
        Type::Null | Type::Undefined => {
            input.skip().map_err(unread)?;
            return Ok(None);
        }
        Type::Map | Type::MapIndef => {
            let mut left = input.map().map_err(unread)?;
            let mut object = ObjectBuilder::new();
            while more(&mut left, input)? {
                let key = string(input)?;
                let (name, member) = match (model, shape.map(|shape| &shape.kind)) {
                    (Some((service, _)), Some(Kind::Structure(members))) => {
                        let Some(member) = members.iter().find(|member| **member.wire_name() == *key) else {
                            input.skip().map_err(unread)?;
                            continue;
                        };
                        (member.name.clone(), Some((service, &member.part)))
                    }
                    (Some((service, _)), Some(Kind::Map(_, of))) => (key.into(), Some((service, of))),
                    _ => (key.into(), None),
                };
                if let Some(value) = value_at(member, input, depth).map_err(|unfit| unfit.below(&name))? {
                    object.insert(name, value);
                }
            }
            Json::from(object.build())
        }
        Type::Array | Type::ArrayIndef => {
            let item = match (model, shape.map(|shape| &shape.kind)) {
                (Some((service, _)), Some(Kind::List(item))) => Some((service, item)),
                _ => None,
            };
            let mut left = input.array().map_err(unread)?;
            let mut items = Vec::new();
            while more(&mut left, input)? {
                match value_at(item, input, depth).map_err(|unfit| unfit.at(items.len()))? {
                    Some(value) => items.push(value),
                    None if shape.is_some_and(|shape| shape.sparse) => items.push(Json::Null),
                    None => {}
                }
            }
            Json::array(items)
        }
        Type::Bool => Json::from(input.bool().map_err(unread)?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            let text = i128::from(input.int().map_err(unread)?).to_string();
            Number::parse(&text).map(Json::Number).map_err(|_| Unfit::new("expected a number"))?
        }
        Type::F16 => float(half(input)?),
        Type::F32 => float(f64::from(input.f32().map_err(unread)?)),
        Type::F64 => float(input.f64().map_err(unread)?),
        Type::Bytes | Type::BytesIndef => {
            let parts = input.bytes_iter().map_err(unread)?.collect::<Result<Vec<_>, _>>().map_err(unread)?;
            Json::from(blob_text(&parts.concat()))
        }
        Type::String | Type::StringIndef => Json::from(string(input)?),
        Type::Tag => {
            input.tag().map_err(unread)?;
            return value_at(model, input, depth);
        }
        Type::Simple | Type::Break | Type::Unknown(_) => return Err(Unfit::new("expected a value")),
    };
    match shape.map(|shape| (shape, &shape.kind)) {
        Some((_, Kind::Structure(_) | Kind::Map(..))) if value.as_object().is_some() => {}
        Some((_, Kind::List(_))) if value.as_array().is_some() => {}
        Some((shape, _)) => return fitted(shape, &value).map(Some),
        None => {}
    }
    Ok(Some(value))
}

/// Whether another item follows in an array or map.
fn more(left: &mut Option<u64>, input: &mut Decoder<'_>) -> Result<bool, Unfit> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if input.datatype().map_err(unread)? == Type::Break => {
            input.skip().map_err(unread)?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn string(input: &mut Decoder<'_>) -> Result<String, Unfit> {
    let parts = input.str_iter().map_err(unread)?.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    Ok(parts.concat())
}

fn float(value: f64) -> Json {
    match Json::from_f64(value) {
        Some(number) => number,
        None if value.is_nan() => Json::from("NaN"),
        None if value > 0.0 => Json::from("Infinity"),
        None => Json::from("-Infinity"),
    }
}

/// A number of 16 bits, which `minicbor` reads only with one more crate.
fn half(input: &mut Decoder<'_>) -> Result<f64, Unfit> {
    let at = input.position();
    let Some([_, high, low]) = input.input().get(at..at + 3) else { return Err(Unfit::new("expected a number")) };
    let bits = u16::from_be_bytes([*high, *low]);
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    input.set_position(at + 3);
    Ok(if bits >> 15 == 1 { -size } else { size })
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;

    use super::decode_any;

    #[test]
    fn every_kind_is_read() {
        for (bytes, expected) in [
            (&[0xf9, 0x3c, 0x00][..], "1"),
            (&[0xf9, 0x7c, 0x00], "\"Infinity\""),
            (&[0xf9, 0xc4, 0x00], "-4"),
            (&[0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5"),
            (&[0x1b, 255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615"),
            (&[0x20], "-1"),
            (&[0x9f, 1, 0xf6, 2, 0xff], "[1,2]"),
            (&[0xbf, 0x61, b'a', 0x41, 0, 0xff], "{\"a\":\"AA==\"}"),
            (&[0x7f, 0x61, b'a', 0x61, b'b', 0xff], "\"ab\""),
            (&[0xc1, 0x01], "1"),
        ] {
            assert_eq!(decode_any(bytes), Ok(Json::parse(expected).expect("JSON")), "{bytes:x?}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        let deep = [0x81; 100_000];
        for bytes in
            [&b""[..], &[0xff], &[0x9f], &[0xa1, 1, 1], &[0x62, 0xff, 0xff], &[0x9b, 255, 255], &[0xf9, 1], &deep]
        {
            assert!(decode_any(bytes).is_err());
        }
    }
}
