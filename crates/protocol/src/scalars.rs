//! Values that are one text on the wire: in paths, query strings, headers, forms and XML.

use stepwell_json::{Json, Number};

use crate::blob::blob_bytes;
use crate::model::{Kind, Shape, TimeFormat, Use};
use crate::times;
use crate::unfit::Unfit;

/// Texts that stand for numbers JSON has not.
const NO_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Checks that a value is what its shape says, for shapes that do not nest, and gives it as trees have it.
pub(crate) fn fitted(shape: &Shape, value: &Json) -> Result<Json, Unfit> {
    let expected = match (&shape.kind, value) {
        (Kind::String, Json::String(_)) | (Kind::Boolean, Json::Bool(_)) => return Ok(value.clone()),
        (Kind::Integer | Kind::Long, Json::Number(number)) => match number.as_integral() {
            Some(whole) => return Ok(Json::from(whole)),
            None => "expected an integer",
        },
        (Kind::Float | Kind::Double, Json::Number(_)) => return Ok(value.clone()),
        (Kind::Float | Kind::Double, Json::String(text)) if NO_NUMBERS.contains(&&**text) => return Ok(value.clone()),
        (Kind::Timestamp, Json::Number(_)) => return Ok(value.clone()),
        (Kind::Timestamp, Json::String(text)) => match times::parse(text) {
            Some(seconds) => return Ok(Json::Number(seconds)),
            None => "expected a time",
        },
        (Kind::Blob, Json::String(text)) => match blob_bytes(text) {
            Some(_) => return Ok(value.clone()),
            None => "expected base 64",
        },
        (Kind::String, _) => "expected a string",
        (Kind::Boolean, _) => "expected a boolean",
        (Kind::Integer | Kind::Long, _) => "expected an integer",
        (Kind::Float | Kind::Double, _) => "expected a number",
        (Kind::Timestamp, _) => "expected a time",
        (Kind::Blob, _) => "expected base 64",
        (Kind::Structure(_), _) => "expected an object",
        (Kind::List(_), _) => "expected an array",
        (Kind::Map(..), _) => "expected an object",
    };
    Err(Unfit::new(expected))
}

/// A moment as this format spells it.
pub(crate) fn time_text(seconds: &Number, format: TimeFormat) -> Result<String, Unfit> {
    let text = match format {
        TimeFormat::Iso8601 => times::iso8601(seconds),
        TimeFormat::Rfc822 => times::rfc822(seconds),
        TimeFormat::Unix => Some(seconds.to_string()),
    };
    text.ok_or_else(|| Unfit::new("a time outside of the years 0 to 9999"))
}

/// The text of a value that does not nest; `times` is how the place spells moments.
pub(crate) fn to_text(shape: &Shape, part: &Use, value: &Json, times: TimeFormat) -> Result<String, Unfit> {
    Ok(match fitted(shape, value)? {
        Json::String(text) => text.to_string(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) if matches!(shape.kind, Kind::Timestamp) => {
            time_text(&number, part.time_format.unwrap_or(times))?
        }
        // No number outside of JSON is written as 1E400 is.
        Json::Number(number) => number.to_string(),
        Json::Null | Json::Array(_) | Json::Object(_) => return Err(Unfit::new("expected a single value")),
    })
}

/// The value of a text, for shapes that do not nest.
pub(crate) fn from_text(shape: &Shape, text: &str) -> Result<Json, Unfit> {
    let number = |text: &str| Number::parse(text.trim()).ok();
    let value = match &shape.kind {
        Kind::String => Some(Json::from(text)),
        Kind::Boolean => match text.trim() {
            "true" | "True" | "1" => Some(Json::from(true)),
            "false" | "False" | "0" => Some(Json::from(false)),
            _ => None,
        },
        Kind::Integer | Kind::Long => number(text).and_then(|number| number.as_integral()).map(Json::from),
        Kind::Float | Kind::Double if NO_NUMBERS.contains(&text.trim()) => Some(Json::from(text.trim())),
        Kind::Float | Kind::Double => number(text).map(Json::Number),
        Kind::Timestamp => times::parse(text).map(Json::Number),
        Kind::Blob => {
            let packed: String = text.split_ascii_whitespace().collect();
            blob_bytes(&packed).map(|_| Json::from(packed))
        }
        Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => None,
    };
    value.ok_or_else(|| match fitted(shape, &Json::Null) {
        Err(unfit) => unfit,
        Ok(_) => Unfit::new("expected a value"),
    })
}
