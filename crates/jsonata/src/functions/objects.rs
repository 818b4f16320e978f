//! Objects and values of any type: `$keys $lookup $spread $merge $exists $boolean $not $type $clone $error $assert`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::Evaluator;
use crate::value::Value;

pub(super) fn boolean(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    truth_of(evaluator, &args, true)
}

pub(super) fn not(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    truth_of(evaluator, &args, false)
}

fn truth_of(evaluator: &mut Evaluator<'_>, args: &Args, wanted: bool) -> Result<Value> {
    let value = args.get(0);
    Ok(if value.is_undefined() { Value::Undefined } else { Value::bool(evaluator.truth(value)? == wanted) })
}

pub(super) fn exists(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    Ok(Value::bool(!args.get(0).is_undefined()))
}

pub(super) fn type_name(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    Ok(match crate::signature::type_letter(args.get(0)) {
        b'm' => Value::Undefined,
        b'l' => Value::string("null"),
        b'n' => Value::string("number"),
        b's' => Value::string("string"),
        b'b' => Value::string("boolean"),
        b'a' => Value::string("array"),
        b'f' => Value::string("function"),
        _ => Value::string("object"),
    })
}

pub(super) fn clone(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let value = args.take(0);
    if value.is_undefined() {
        return Ok(value);
    }
    // Nothing changes a shared tree, so a copy of it is the tree.
    evaluator.allocate_items(value.as_array().map_or(0, |array| array.len()))?;
    Ok(Value::Json(value.to_json()))
}

pub(super) fn error(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    Err(with_message(Fault::new("D3137"), &args, 0))
}

pub(super) fn assert(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    if evaluator.truth(args.get(0))? { Ok(Value::Undefined) } else { Err(with_message(Fault::new("D3141"), &args, 1)) }
}

fn with_message(fault: Box<Fault>, args: &Args, place: usize) -> Box<Fault> {
    match args.text(place).filter(|text| !text.is_empty()) {
        Some(text) => fault.message(&*text),
        None => fault,
    }
}

pub(super) fn keys(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let mut found = Keys::default();
    found.collect(evaluator, args.get(0))?;
    evaluator.sequence(found.order.into_iter().map(Value::string).collect())
}

#[derive(Default)]
struct Keys {
    seen: BTreeSet<Arc<str>>,
    order: Vec<Arc<str>>,
}

impl Keys {
    fn collect(&mut self, evaluator: &mut Evaluator<'_>, value: &Value) -> Result<()> {
        evaluator.step()?;
        if let Some(array) = value.as_array() {
            for item in array.iter() {
                self.collect(evaluator, &item)?;
            }
            return Ok(());
        }
        match value {
            Value::Json(stepwell_json::Json::Object(object)) => {
                evaluator.charge(object.len())?;
                object.keys().for_each(|key| self.add(key));
            }
            Value::Record(record) => record.members.iter().for_each(|(key, _)| self.add(key)),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, key: &Arc<str>) {
        if self.seen.insert(key.clone()) {
            self.order.push(key.clone());
        }
    }
}

pub(super) fn lookup(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    match args.text(1) {
        Some(key) => evaluator.field(args.get(0), &key),
        None => Ok(Value::Undefined),
    }
}

pub(super) fn spread(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let value = args.take(0);
    let mut found = Vec::new();
    if !spread_into(evaluator, &value, &mut found)? {
        return Ok(value);
    }
    // What was an array with something in it stays one.
    match value.as_array() {
        Some(array) if array.iter().any(|item| !item.is_undefined()) => evaluator.list(found),
        _ => evaluator.sequence(found),
    }
}

/// Adds an object for every member; `false` if the value is neither an object nor an array.
fn spread_into(evaluator: &mut Evaluator<'_>, value: &Value, found: &mut Vec<Value>) -> Result<bool> {
    evaluator.step()?;
    if let Some(array) = value.as_array() {
        for item in array.iter() {
            if !spread_into(evaluator, &item, found)? && !item.is_undefined() {
                found.push(item);
            }
        }
        return Ok(true);
    }
    let Some(members) = value.members() else { return Ok(false) };
    for member in members {
        found.push(evaluator.object(vec![member])?);
    }
    Ok(true)
}

pub(super) fn merge(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(array) = args.get(0).as_array() else { return Ok(Value::Undefined) };
    let mut members = Vec::new();
    for item in array.iter() {
        let item = item.members().unwrap_or_default();
        evaluator.charge(1 + item.len())?;
        members.extend(item);
    }
    evaluator.object(members)
}
