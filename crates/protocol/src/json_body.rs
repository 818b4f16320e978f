//! Trees with the names of the wire, as the JSON protocols have them.

use stepwell_json::{Json, Number, ObjectBuilder};

use crate::model::{Kind, Location, Service, TimeFormat, Use};
use crate::scalars::{fitted, time_text};
use crate::times;
use crate::unfit::{Unfit, deeper};

/// Whether names on the wire are the model's `locationName`s. AWS JSON and REST JSON both say so.
fn is_body(part: &Use) -> bool {
    part.location == Location::Body
}

/// The tree as it goes over the wire. Members that stand elsewhere are left out; null counts as absent.
pub(crate) fn encode(service: &Service, part: &Use, value: &Json) -> Result<Json, Unfit> {
    encode_at(service, part, value, 0)
}

fn encode_at(service: &Service, part: &Use, value: &Json, depth: u32) -> Result<Json, Unfit> {
    let depth = deeper(depth)?;
    let shape = service.shape(part.shape);
    if shape.document {
        return Ok(value.clone());
    }
    match (&shape.kind, value) {
        (Kind::Structure(_), Json::Object(object)) => {
            let mut encoded = ObjectBuilder::with_capacity(object.len());
            for (name, value) in object {
                let member = shape.member(name).ok_or_else(|| Unfit::new("no such member").below(name))?;
                if value.is_null() || !is_body(&member.part) {
                    continue;
                }
                let value = encode_at(service, &member.part, value, depth).map_err(|unfit| unfit.below(name))?;
                encoded.insert(member.wire_name().clone(), value);
            }
            Ok(Json::from(encoded.build()))
        }
        (Kind::List(item), Json::Array(items)) => {
            let encoded = items.iter().enumerate().map(|(place, value)| match value {
                Json::Null => Ok(Json::Null),
                value => encode_at(service, item, value, depth).map_err(|unfit| unfit.at(place)),
            });
            Ok(Json::array(encoded.collect::<Result<Vec<_>, _>>()?))
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            let mut encoded = ObjectBuilder::with_capacity(object.len());
            for (key, value) in object {
                let value = match value {
                    Json::Null => Json::Null,
                    value => encode_at(service, of, value, depth).map_err(|unfit| unfit.below(key))?,
                };
                encoded.insert(key.clone(), value);
            }
            Ok(Json::from(encoded.build()))
        }
        (Kind::Timestamp, value) => match (fitted(shape, value)?, part.time_format) {
            (Json::Number(seconds), Some(format @ (TimeFormat::Iso8601 | TimeFormat::Rfc822))) => {
                time_text(&seconds, format).map(Json::from)
            }
            (seconds, _) => Ok(seconds),
        },
        (_, value) => fitted(shape, value),
    }
}

/// The tree as the model has it. Unknown members and nulls are left out.
pub(crate) fn decode(service: &Service, part: &Use, value: &Json) -> Result<Json, Unfit> {
    decode_at(service, part, value, 0)
}

fn decode_at(service: &Service, part: &Use, value: &Json, depth: u32) -> Result<Json, Unfit> {
    let depth = deeper(depth)?;
    let shape = service.shape(part.shape);
    if shape.document {
        return Ok(value.clone());
    }
    match (&shape.kind, value) {
        (Kind::Structure(members), Json::Object(object)) => {
            let mut decoded = ObjectBuilder::with_capacity(object.len());
            for (name, value) in object {
                let known = members.iter().find(|member| member.wire_name() == name && is_body(&member.part));
                if let Some(member) = known.filter(|_| !value.is_null()) {
                    let value = decode_at(service, &member.part, value, depth).map_err(|unfit| unfit.below(name))?;
                    decoded.insert(member.name.clone(), value);
                }
            }
            Ok(Json::from(decoded.build()))
        }
        (Kind::List(item), Json::Array(items)) => {
            let mut decoded = Vec::with_capacity(items.len());
            for (place, value) in items.iter().enumerate() {
                match value {
                    Json::Null if shape.sparse => decoded.push(Json::Null),
                    Json::Null => {}
                    value => decoded.push(decode_at(service, item, value, depth).map_err(|unfit| unfit.at(place))?),
                }
            }
            Ok(Json::array(decoded))
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            let mut decoded = ObjectBuilder::with_capacity(object.len());
            for (key, value) in object {
                match value {
                    Json::Null if shape.sparse => decoded.insert(key.clone(), Json::Null),
                    Json::Null => {}
                    value => {
                        let value = decode_at(service, of, value, depth).map_err(|unfit| unfit.below(key))?;
                        decoded.insert(key.clone(), value);
                    }
                }
            }
            Ok(Json::from(decoded.build()))
        }
        (Kind::Timestamp, Json::String(text)) => match times::parse(text) {
            Some(seconds) => Ok(Json::Number(seconds)),
            None => fitted(shape, value),
        },
        (Kind::Timestamp, Json::Number(seconds)) => Ok(Json::Number(plain(seconds))),
        (_, value) => fitted(shape, value),
    }
}

/// `1.4409E9` and `1440900000.0` are `1440900000`.
fn plain(seconds: &Number) -> Number {
    seconds.as_integral().map_or_else(|| seconds.clone(), Number::from)
}
