//! Moments: `$now $millis $fromMillis $toMillis`. The present comes from the environment.

use stepwell_json::Json;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, finite};
use crate::picture::datetime::{self, Picture};
use crate::value::Value;

/// The furthest moment from 1970, in milliseconds, as in JavaScript: a hundred million days.
const MILLIS_MAX: f64 = 8.64e15;

pub(super) fn millis(evaluator: &mut Evaluator<'_>, _: Args) -> Result<Value> {
    Ok(Value::Json(Json::from(evaluator.environment.now_ms)))
}

pub(super) fn now(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let now = evaluator.environment.now_ms;
    format(evaluator, now as f64, &args, 0)
}

pub(super) fn from_millis(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    match args.number(0) {
        Some(millis) => format(evaluator, finite(millis)?, &args, 1),
        None => Ok(Value::Undefined),
    }
}

/// A moment by the picture and the timezone at two places of the arguments.
fn format(evaluator: &mut Evaluator<'_>, millis: f64, args: &Args, place: usize) -> Result<Value> {
    if millis.is_nan() || millis.abs() > MILLIS_MAX {
        return Err(Fault::new("D1001").value(Some(crate::number::to_json(millis))));
    }
    let offset = args.text(place + 1).map_or(0, |timezone| offset_minutes(&timezone));
    let text = match args.text(place) {
        Some(picture) => {
            evaluator.charge(picture.len())?;
            Picture::parse(&picture)?.format(millis as i64, offset)?
        }
        None => datetime::format_iso(millis as i64, offset),
    };
    evaluator.text(text)
}

/// `+hhmm` or `-hhmm` in minutes; what is no number is none.
fn offset_minutes(timezone: &str) -> i64 {
    let (sign, digits) = match timezone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, timezone.strip_prefix('+').unwrap_or(timezone)),
    };
    let end = digits.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let number: i64 = digits[..end].parse().unwrap_or(0);
    sign * (number / 100 * 60 + number % 100)
}

pub(super) fn to_millis(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let millis = match args.text(1) {
        None => match datetime::read_iso(&text) {
            Some(millis) => return Ok(Value::Number(millis)),
            None => return Err(Fault::new("D3110").argument(1).text(&text)),
        },
        Some(picture) => {
            evaluator.charge(64 + 16 * picture.len() + text.len())?;
            Picture::parse(&picture)?.read(&text, evaluator.environment.now_ms)?
        }
    };
    Ok(millis.map_or(Value::Undefined, |millis| Value::Number(millis as f64)))
}
