//! Arrays: `$count $append $reverse $shuffle $distinct $zip`.

use stepwell_json::Json;

use super::Args;
use crate::error::Result;
use crate::evaluate::{Evaluator, compare_for_distinct, deep_equal};
use crate::value::Value;

pub(super) fn count(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    Ok(Value::Number(args.get(0).as_array().map_or(0.0, |array| array.len() as f64)))
}

pub(super) fn append(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let (first, second) = (args.take(0), args.take(1));
    if first.is_undefined() {
        return Ok(second);
    }
    if second.is_undefined() {
        return Ok(first);
    }
    let length = |value: &Value| value.as_array().map_or(1, |array| array.len());
    evaluator.allocate_items(length(&first) + length(&second))?;
    let mut items = Vec::with_capacity(length(&first) + length(&second));
    for value in [first, second] {
        match value.as_array() {
            Some(array) => items.extend(array.iter()),
            None => items.push(value),
        }
    }
    evaluator.checked(Value::list(items))
}

pub(super) fn reverse(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let value = args.take(0);
    match value.as_array() {
        Some(array) if array.len() > 1 => {
            evaluator.allocate_items(array.len())?;
            let items: Vec<Value> = (0..array.len()).rev().map(|place| array.get(place)).collect();
            Ok(Value::list(items))
        }
        _ => Ok(value),
    }
}

pub(super) fn shuffle(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let value = args.take(0);
    let Some(array) = value.as_array().filter(|array| array.len() > 1) else { return Ok(value) };
    evaluator.allocate_items(array.len())?;
    let mut items: Vec<Value> = array.iter().collect();
    for last in (1..items.len()).rev() {
        evaluator.step()?;
        let place = (evaluator.environment.draw)() % (last as u64 + 1);
        items.swap(last, place as usize);
    }
    Ok(Value::list(items))
}

pub(super) fn distinct(evaluator: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    let value = args.take(0);
    let Some(array) = value.as_array().filter(|array| array.len() > 1) else { return Ok(value) };
    evaluator.allocate_items(4 * array.len())?;
    let items: Vec<Value> = array.iter().collect();
    let mut repeated = vec![false; items.len()];
    mark_repeated_json(evaluator, &items, &mut repeated)?;
    mark_repeated_others(evaluator, &items, &mut repeated)?;
    let kept = items.into_iter().zip(repeated).filter(|(_, repeated)| !repeated).map(|(item, _)| item).collect();
    if value.is_sequence() { evaluator.sequence(kept) } else { evaluator.list(kept) }
}

/// Equal values stand side by side once they are sorted, the first of them first.
fn mark_repeated_json(evaluator: &mut Evaluator<'_>, items: &[Value], repeated: &mut [bool]) -> Result<()> {
    let mut sorted: Vec<(usize, Json)> = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        if item.is_json() {
            let json = item.to_json();
            // Each is compared with a few others, over at most its own size.
            evaluator.charge(2 + json.serialized_bytes() / 16)?;
            sorted.push((place, json));
        }
    }
    sorted.sort_by(|(_, left), (_, right)| compare_for_distinct(left, right));
    for pair in sorted.windows(2) {
        repeated[pair[1].0] = compare_for_distinct(&pair[0].1, &pair[1].1).is_eq();
    }
    Ok(())
}

/// Functions and what holds them have no order: each is compared with those before it.
fn mark_repeated_others(evaluator: &mut Evaluator<'_>, items: &[Value], repeated: &mut [bool]) -> Result<()> {
    let others: Vec<usize> = (0..items.len()).filter(|place| !items[*place].is_json()).collect();
    for (number, place) in others.iter().enumerate() {
        for before in &others[..number] {
            if deep_equal(evaluator, &items[*before], &items[*place])? {
                repeated[*place] = true;
                break;
            }
        }
    }
    Ok(())
}

pub(super) fn zip(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let length = args.0.iter().map(|value| value.as_array().map_or(0, |array| array.len())).min().unwrap_or(0);
    evaluator.allocate_items(length.saturating_mul(args.0.len()))?;
    let mut rows = Vec::with_capacity(length);
    for place in 0..length {
        let row = args.0.iter().filter_map(|value| value.as_array()).map(|array| array.get(place)).collect();
        rows.push(evaluator.list(row)?);
    }
    evaluator.list(rows)
}
