//! Functions that take functions: `$map $filter $single $reduce $each $sift $sort`.

use std::rc::Rc;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, Function, merge_sort};
use crate::value::{ArrayRef, Value, compare_texts};

/// The arguments a callback gets: as many of value, place and whole as it can take.
fn callback(
    evaluator: &mut Evaluator<'_>,
    function: &Rc<Function>,
    arguments: [&dyn Fn() -> Value; 3],
) -> Result<Value> {
    let count = function.arity().clamp(1, 3);
    let arguments = arguments[..count].iter().map(|argument| argument()).collect();
    evaluator.invoke(function, arguments)
}

/// Calls `function` with the item at a place of an array.
fn call_item(
    evaluator: &mut Evaluator<'_>,
    function: &Rc<Function>,
    item: &Value,
    place: usize,
    whole: &Value,
) -> Result<Value> {
    callback(evaluator, function, [&|| item.clone(), &|| Value::Number(place as f64), &|| whole.clone()])
}

pub(super) fn map(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let (whole, function) = (args.get(0), args.get(1).as_function());
    let (Some(array), Some(function)) = (whole.as_array(), function) else { return Ok(Value::Undefined) };
    let mut results = Vec::with_capacity(array.len().min(1024));
    for (place, item) in array.iter().enumerate() {
        let result = call_item(evaluator, function, &item, place, whole)?;
        if !result.is_undefined() {
            results.push(result);
        }
    }
    evaluator.sequence(results)
}

pub(super) fn filter(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let (whole, function) = (args.get(0), args.get(1).as_function());
    let (Some(array), Some(function)) = (whole.as_array(), function) else { return Ok(Value::Undefined) };
    let mut kept = Vec::new();
    for (place, item) in array.iter().enumerate() {
        let result = call_item(evaluator, function, &item, place, whole)?;
        if evaluator.truth(&result)? {
            kept.push(item);
        }
    }
    evaluator.sequence(kept)
}

pub(super) fn single(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let (whole, function) = (args.get(0), args.get(1).as_function());
    let Some(array) = whole.as_array() else { return Ok(Value::Undefined) };
    let mut found = None;
    for (place, item) in array.iter().enumerate() {
        evaluator.step()?;
        let fits = match function {
            Some(function) => {
                let result = call_item(evaluator, function, &item, place, whole)?;
                evaluator.truth(&result)?
            }
            None => true,
        };
        if fits && found.replace(item).is_some() {
            return Err(Fault::new("D3138").argument(place));
        }
    }
    found.ok_or_else(|| Fault::new("D3139"))
}

pub(super) fn reduce(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let initial = args.take(2);
    let (whole, function) = (args.get(0), args.get(1).as_function());
    let (Some(array), Some(function)) = (whole.as_array(), function) else { return Ok(Value::Undefined) };
    let arity = function.arity();
    if arity < 2 {
        return Err(Fault::new("D3050").argument(1));
    }
    let (mut result, first) = if initial.is_undefined() { (array.get(0), 1) } else { (initial, 0) };
    for place in first..array.len() {
        let mut arguments = vec![result, array.get(place)];
        if arity >= 3 {
            arguments.push(Value::Number(place as f64));
        }
        if arity >= 4 {
            arguments.push(whole.clone());
        }
        result = evaluator.invoke(function, arguments)?;
    }
    Ok(result)
}

/// The members of the first argument: of an array, its items under their places.
fn members(evaluator: &mut Evaluator<'_>, value: &Value) -> Result<Vec<(std::sync::Arc<str>, Value)>> {
    let members = match value.as_array() {
        Some(array) => array.iter().enumerate().map(|(place, item)| (place.to_string().into(), item)).collect(),
        None => value.members().unwrap_or_default(),
    };
    evaluator.allocate_items(members.len())?;
    Ok(members)
}

pub(super) fn each(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let whole = args.get(0);
    let Some(function) = args.get(1).as_function() else { return Ok(Value::Undefined) };
    let mut results = Vec::new();
    for (key, value) in members(evaluator, whole)? {
        let arguments: [&dyn Fn() -> Value; 3] = [&|| value.clone(), &|| Value::string(key.clone()), &|| whole.clone()];
        let result = callback(evaluator, function, arguments)?;
        if !result.is_undefined() {
            results.push(result);
        }
    }
    evaluator.sequence(results)
}

pub(super) fn sift(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let whole = args.get(0);
    let Some(function) = args.get(1).as_function() else { return Ok(Value::Undefined) };
    let mut kept = Vec::new();
    for (key, value) in members(evaluator, whole)? {
        let arguments: [&dyn Fn() -> Value; 3] = [&|| value.clone(), &|| Value::string(key.clone()), &|| whole.clone()];
        let result = callback(evaluator, function, arguments)?;
        if evaluator.truth(&result)? {
            kept.push((key, value));
        }
    }
    if kept.is_empty() { Ok(Value::Undefined) } else { evaluator.object(kept) }
}

pub(super) fn sort(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let comparator = args.take(1);
    let value = args.take(0);
    let Some(array) = value.as_array().filter(|array| array.len() > 1) else { return Ok(value) };
    evaluator.allocate_items(array.len())?;
    let items: Vec<Value> = array.iter().collect();
    let order = match comparator.as_function() {
        Some(function) => merge_sort(items.len(), &mut |left, right| {
            let result = evaluator.invoke(function, vec![items[left].clone(), items[right].clone()])?;
            evaluator.truth(&result)
        })?,
        None => sort_plain(evaluator, array, &items)?,
    };
    evaluator.list(order.into_iter().map(|place| items[place].clone()).collect())
}

fn sort_plain(evaluator: &mut Evaluator<'_>, array: ArrayRef<'_>, items: &[Value]) -> Result<Vec<usize>> {
    let texts = array.all_of_type(b's');
    if !texts && !array.all_of_type(b'n') {
        return Err(Fault::new("D3070").argument(1));
    }
    merge_sort(items.len(), &mut |left, right| {
        evaluator.step()?;
        Ok(match (items[left].as_text(), items[right].as_text()) {
            (Some(left), Some(right)) => {
                evaluator.charge(left.len().min(right.len()) / 256)?;
                compare_texts(left, right).is_gt()
            }
            _ => items[left].as_number() > items[right].as_number(),
        })
    })
}
