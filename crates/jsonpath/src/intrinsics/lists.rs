//! The functions on arrays and objects.

use std::collections::BTreeSet;

use stepwell_json::{Json, escape_into};

use super::Arguments;
use crate::expression::Failure;
use crate::java_text::number_text;

/// Items one range may have. Source: AWS's documentation of `States.ArrayRange`.
const RANGE_ITEMS_MAX: i128 = 1_000;

pub(super) fn contains(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let wanted = canonical_text(arguments.value(1)?);
    Ok(Json::Bool(arguments.array(0)?.iter().any(|item| canonical_text(item) == wanted)))
}

pub(super) fn get_item(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let items = arguments.array(0)?;
    let index = arguments.integer(1)?;
    match usize::try_from(index).ok().and_then(|place| items.get(place)) {
        Some(item) => Ok(item.clone()),
        None => Err(Failure::intrinsic(format!("Index {index} is outside an array of {} items", items.len()))),
    }
}

pub(super) fn length(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    Ok(Json::from(arguments.array(0)?.len() as u64))
}

pub(super) fn partition(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let items = arguments.array(0)?;
    let size = arguments.integer(1)?;
    match usize::try_from(size) {
        Ok(size) if size > 0 => Ok(Json::array(items.chunks(size).map(|chunk| Json::array(chunk.to_vec())).collect())),
        _ => Err(Failure::intrinsic(format!("The size of a part must be a positive integer, not {size}"))),
    }
}

pub(super) fn range(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let (first, last, step) = (arguments.integer(0)?, arguments.integer(1)?, arguments.integer(2)?);
    if step == 0 {
        return Err(Failure::intrinsic("The step of a range must not be 0"));
    }
    let count = (i128::from(last) - i128::from(first)) / i128::from(step) + 1;
    let is_empty = if step > 0 { first > last } else { first < last };
    if is_empty {
        return Ok(Json::array(Vec::new()));
    }
    if count > RANGE_ITEMS_MAX {
        return Err(Failure::intrinsic(format!("A range has at most {RANGE_ITEMS_MAX} items, not {count}")));
    }
    // No item is beyond the last one, so that nothing overflows.
    Ok(Json::array((0..count as i64).map(|place| Json::from(first + place * step)).collect()))
}

pub(super) fn unique(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let mut seen = BTreeSet::new();
    let items = arguments.array(0)?.iter().filter(|item| seen.insert(canonical_text(item)));
    Ok(Json::array(items.cloned().collect()))
}

pub(super) fn merge(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let object = |index: usize| {
        let value = arguments.value(index)?;
        value.as_object().ok_or_else(|| super::mismatch(index, "an object", value))
    };
    let (first, second) = (object(0)?, object(1)?);
    match arguments.value(2)? {
        Json::Bool(false) => {}
        Json::Bool(true) => return Err(Failure::intrinsic("Deep merging is not supported: argument 3 must be false")),
        other => return Err(super::mismatch(2, "a boolean", other)),
    }
    let mut merged = first.to_builder();
    for (name, member) in second {
        merged.insert(name.clone(), member.clone());
    }
    Ok(Json::Object(merged.build()))
}

/// The same text for equal values only: keys in order, and `1` and `1.0` apart, as they are in Java.
fn canonical_text(value: &Json) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Json, out: &mut String) {
    match value {
        Json::Number(number) => out.push_str(&number_text(number)),
        Json::String(text) => {
            out.push('"');
            escape_into(text, out);
            out.push('"');
        }
        Json::Array(items) => {
            out.push('[');
            for item in items.iter() {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, member) in members {
                escape_into(name, out);
                out.push('"');
                write_canonical(member, out);
                out.push(',');
            }
            out.push('}');
        }
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
    }
}
