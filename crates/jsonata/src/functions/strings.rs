//! Text: `$string $length $substring $substringBefore $substringAfter $lowercase $uppercase $trim $pad $join`.
//!
//! Lengths and places count Unicode characters.

use std::sync::Arc;

use super::Args;
use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::stringify;
use crate::value::Value;

pub(super) fn string(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let pretty = matches!(args.get(1), Value::Json(stepwell_json::Json::Bool(true)));
    let text = stringify::to_pretty_text(evaluator, args.get(0), pretty)?;
    Ok(text.map_or(Value::Undefined, Value::string))
}

/// Charges for walking over a text.
fn walk(evaluator: &mut Evaluator<'_>, text: &str) -> Result<()> {
    evaluator.charge(text.len() / 64)
}

pub(super) fn length(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    walk(evaluator, &text)?;
    Ok(Value::Number(text.chars().count() as f64))
}

/// `number` as JavaScript's `slice` takes it: towards zero, from the end if negative, within `0..=length`.
fn slice_place(number: f64, length: usize) -> usize {
    let number = number.trunc();
    let place = if number < 0.0 { number + length as f64 } else { number };
    if place.is_nan() { 0 } else { place.clamp(0.0, length as f64) as usize }
}

pub(super) fn substring(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    walk(evaluator, &text)?;
    let length = text.chars().count();
    let Some(mut start) = args.number(1) else {
        // As in the reference: from no place on it is the whole text, and a count from no place ends nowhere.
        return if args.get(2).is_undefined() { evaluator.text(&*text) } else { Ok(Value::string("")) };
    };
    if length as f64 + start < 0.0 {
        start = 0.0;
    }
    let end = match args.number(2) {
        None => length,
        Some(count) if count <= 0.0 => return Ok(Value::string("")),
        Some(count) if start >= 0.0 => slice_place(start + count, length),
        Some(count) => slice_place((length as f64 + start + count).max(0.0), length),
    };
    let start = slice_place(start, length);
    let part: String = text.chars().skip(start).take(end.saturating_sub(start)).collect();
    evaluator.text(part)
}

pub(super) fn substring_before(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    part_around(evaluator, &args, |text, place, _| &text[..place])
}

pub(super) fn substring_after(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    part_around(evaluator, &args, |text, place, mark| &text[place + mark.len()..])
}

/// The part of a text beside the first place of a mark; the whole text if the mark is not in it.
fn part_around(
    evaluator: &mut Evaluator<'_>,
    args: &Args,
    part: for<'t> fn(&'t str, usize, &str) -> &'t str,
) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let mark = args.text(1).unwrap_or_else(|| "undefined".into());
    walk(evaluator, &text)?;
    match text.find(&*mark) {
        Some(place) => evaluator.text(part(&text, place, &mark)),
        None => Ok(Value::string(text)),
    }
}

pub(super) fn lowercase(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    mapped(evaluator, &args, |text| text.to_lowercase())
}

pub(super) fn uppercase(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    mapped(evaluator, &args, |text| text.to_uppercase())
}

/// Runs of blanks become one space; those at the ends go.
pub(super) fn trim(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    mapped(evaluator, &args, |text| {
        let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    })
}

fn mapped(evaluator: &mut Evaluator<'_>, args: &Args, map: fn(&str) -> String) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    evaluator.allocate_text(text.len())?;
    Ok(Value::string(map(&text)))
}

pub(super) fn pad(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let width = args.number(1).unwrap_or(0.0);
    let filler: Arc<str> = args.text(2).filter(|filler| !filler.is_empty()).unwrap_or_else(|| " ".into());
    walk(evaluator, &text)?;
    let missing = width.abs().trunc() - text.chars().count() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(Value::string(text));
    }
    // Counted before it is made; a character is at most four bytes.
    let widest = filler.chars().map(char::len_utf8).max().unwrap_or(1);
    let bytes = (missing.min(1e12) as usize).saturating_mul(widest).saturating_add(text.len());
    evaluator.allocate_text(bytes)?;
    let padding: String = filler.chars().cycle().take(missing as usize).collect();
    Ok(Value::string(if width > 0.0 { format!("{text}{padding}") } else { format!("{padding}{text}") }))
}

pub(super) fn join(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(texts) = args.get(0).as_array() else { return Ok(Value::Undefined) };
    let separator = args.text(1).unwrap_or_else(|| "".into());
    let mut joined = String::new();
    for (place, text) in texts.iter().enumerate() {
        evaluator.step()?;
        let part = text.as_text().map_or("", |text| text);
        evaluator.allocate_text(separator.len() + part.len())?;
        if joined.len() + separator.len() + part.len() > evaluator.environment.limits.string_bytes {
            return Err(crate::error::Fault::new("D1013"));
        }
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(part);
    }
    Ok(Value::string(joined))
}
