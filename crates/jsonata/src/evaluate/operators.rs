//! Operators of two operands: arithmetic, comparison, logic, text, membership, ranges.

use std::cmp::Ordering;
use std::rc::Rc;

use stepwell_json::Json;

use super::{Evaluator, Frame, finite};
use crate::error::{Fault, Result};
use crate::number;
use crate::program::Node;
use crate::signature::type_letter;
use crate::stringify;
use crate::syntax::Operator;
use crate::value::{ArrayRef, List, Value, compare_texts};

/// Most items the range operator makes, in the reference too.
const RANGE_ITEMS_MAX: f64 = 1e7;

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn operator(
        &mut self,
        operator: Operator,
        left: &Node,
        right: &Node,
        position: usize,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let left = self.eval(left, input, frame)?;
        match operator {
            Operator::And if !self.truth(&left)? => return Ok(Value::bool(false)),
            Operator::Or if self.truth(&left)? => return Ok(Value::bool(true)),
            Operator::And | Operator::Or => {
                let right = self.eval(right, input, frame)?;
                return Ok(Value::bool(self.truth(&right)?));
            }
            _ => {}
        }
        let right = self.eval(right, input, frame)?;
        let result = match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                arithmetic(operator, &left, &right)
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                compare(operator, &left, &right)
            }
            Operator::Equal | Operator::NotEqual => self.equality(operator, &left, &right),
            Operator::Concatenate => self.concatenate(&left, &right),
            Operator::In => self.includes(&left, &right),
            Operator::Range => range(&left, &right),
            Operator::And | Operator::Or => Ok(Value::Undefined),
        };
        result.map_err(|fault| fault.at(position).token(operator.token()))
    }

    /// The truth of a value: empty, zero, `null`, undefined and functions are false; an array is true if an item is.
    pub(crate) fn truth(&mut self, value: &Value) -> Result<bool> {
        Ok(match value {
            Value::Undefined | Value::Function(_) => false,
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Json(json) => return self.json_truth(json),
            Value::Record(record) => !record.members.is_empty(),
            Value::List(_) | Value::Tuples(_) => {
                let Some(array) = value.as_array() else { return Ok(false) };
                if let ArrayRef::Json(array) = array {
                    return self.json_truth(&Json::Array(array.clone()));
                }
                for item in array.iter() {
                    self.step()?;
                    if self.truth(&item)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    fn json_truth(&mut self, json: &Json) -> Result<bool> {
        Ok(match json {
            Json::Null => false,
            Json::Bool(value) => *value,
            Json::Number(number) => number.as_f64() != 0.0,
            Json::String(text) => !text.is_empty(),
            Json::Object(object) => !object.is_empty(),
            Json::Array(array) => {
                for item in array.iter() {
                    self.step()?;
                    if self.json_truth(item)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    fn equality(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value> {
        if left.is_undefined() || right.is_undefined() {
            return Ok(Value::bool(false));
        }
        let equal = deep_equal(self, left, right)?;
        Ok(Value::bool(equal == (operator == Operator::Equal)))
    }

    fn concatenate(&mut self, left: &Value, right: &Value) -> Result<Value> {
        let mut text = stringify::to_text(self, left)?.map_or_else(String::new, |text| text.to_string());
        if let Some(right) = stringify::to_text(self, right)? {
            self.allocate_text(text.len() + right.len())?;
            text.push_str(&right);
        }
        Ok(Value::string(text))
    }

    fn includes(&mut self, left: &Value, right: &Value) -> Result<Value> {
        if left.is_undefined() || right.is_undefined() {
            return Ok(Value::bool(false));
        }
        let Some(array) = right.as_array() else {
            return Ok(Value::bool(is_same(left, right)));
        };
        self.charge(array.len())?;
        for item in array.iter() {
            if is_same(left, &item) {
                return Ok(Value::bool(true));
            }
        }
        Ok(Value::bool(false))
    }
}

/// The number of an operand, `None` if it is undefined.
fn operand(value: &Value, code: &'static str) -> Result<Option<f64>> {
    match value.as_number() {
        Some(number) if !number.is_nan() => finite(number).map(Some),
        None if value.is_undefined() => Ok(None),
        _ => Err(Fault::new(code).value(value.to_shown_json())),
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value> {
    let (left, right) = (operand(left, "T2001")?, operand(right, "T2002")?);
    let (Some(left), Some(right)) = (left, right) else { return Ok(Value::Undefined) };
    Ok(Value::Number(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => left % right,
    }))
}

fn compare(operator: Operator, left: &Value, right: &Value) -> Result<Value> {
    let comparable = |value: &Value| matches!(type_letter(value), b'n' | b's' | b'm');
    if !comparable(left) || !comparable(right) {
        let value = if comparable(left) && !left.is_undefined() { right } else { left };
        return Err(Fault::new("T2010").value(value.to_shown_json()));
    }
    let ordering = match (left.as_text(), right.as_text()) {
        _ if left.is_undefined() || right.is_undefined() => return Ok(Value::Undefined),
        (Some(left), Some(right)) => Some(compare_texts(left, right)),
        (None, None) => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => None,
        },
        _ => {
            return Err(Fault::new("T2009").value(left.to_shown_json()).other(right.to_shown_json()));
        }
    };
    Ok(Value::bool(match operator {
        Operator::Less => ordering == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => ordering == Some(Ordering::Greater),
        _ => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }))
}

fn range(left: &Value, right: &Value) -> Result<Value> {
    let integer = |value: &Value, code: &'static str| match value.as_number() {
        Some(number) if number.is_finite() && number.fract() == 0.0 => Ok(Some(number)),
        None if value.is_undefined() => Ok(None),
        _ => Err(Fault::new(code).value(value.to_shown_json())),
    };
    let (first, last) = (integer(left, "T2003")?, integer(right, "T2004")?);
    let (Some(first), Some(last)) = (first, last) else { return Ok(Value::Undefined) };
    if first > last {
        return Ok(Value::Undefined);
    }
    let count = last - first + 1.0;
    if count > RANGE_ITEMS_MAX {
        return Err(Fault::new("D2014").value(Some(number::to_json(count))));
    }
    Ok(Value::List(List::range(first as i64, count as usize)))
}

/// What `in` compares with: scalars by value, and anything else only with itself.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Json(Json::Array(left)), Value::Json(Json::Array(right))) => left.is_same(right),
        (Value::Json(Json::Object(left)), Value::Json(Json::Object(right))) => left.is_same(right),
        (Value::Json(left @ (Json::Null | Json::Bool(_) | Json::String(_))), Value::Json(right)) => left == right,
        (Value::List(left), Value::List(right)) => Rc::ptr_eq(&left.node, &right.node),
        (Value::Record(left), Value::Record(right)) => Rc::ptr_eq(left, right),
        (Value::Function(left), Value::Function(right)) => Rc::ptr_eq(left, right),
        _ => matches!((left.as_number(), right.as_number()), (Some(left), Some(right)) if left == right),
    }
}

/// Whether two values are the same through and through. Counts a step for every pair compared.
pub(crate) fn deep_equal(evaluator: &mut Evaluator<'_>, left: &Value, right: &Value) -> Result<bool> {
    evaluator.step()?;
    if let (Value::Json(left), Value::Json(right)) = (left, right) {
        return json_equal(evaluator, left, right);
    }
    if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
        return Ok(left == right);
    }
    if let (Some(left), Some(right)) = (left.as_array(), right.as_array()) {
        if left.len() != right.len() {
            return Ok(false);
        }
        for place in 0..left.len() {
            if !deep_equal(evaluator, &left.get(place), &right.get(place))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Value::Function(left), Value::Function(right)) = (left, right) {
        return Ok(Rc::ptr_eq(left, right));
    }
    if let (Value::Record(left), Value::Record(right)) = (left, right) {
        if left.members.len() != right.members.len() {
            return Ok(false);
        }
        for (key, value) in &left.members {
            match right.get(key) {
                Some(other) if deep_equal(evaluator, value, other)? => {}
                _ => return Ok(false),
            }
        }
        return Ok(true);
    }
    Ok(left.is_undefined() && right.is_undefined())
}

fn json_equal(evaluator: &mut Evaluator<'_>, left: &Json, right: &Json) -> Result<bool> {
    match (left, right) {
        (Json::Null, Json::Null) => Ok(true),
        (Json::Bool(left), Json::Bool(right)) => Ok(left == right),
        (Json::Number(left), Json::Number(right)) => Ok(left.as_f64() == right.as_f64()),
        (Json::String(left), Json::String(right)) => {
            if left.len() == right.len() {
                evaluator.charge(left.len() / 256)?;
            }
            Ok(left == right)
        }
        (Json::Array(left), Json::Array(right)) => {
            if left.is_same(right) {
                return Ok(true);
            }
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                evaluator.step()?;
                if !json_equal(evaluator, left, right)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Json::Object(left), Json::Object(right)) => {
            if left.is_same(right) {
                return Ok(true);
            }
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in left {
                evaluator.step()?;
                match right.get(key) {
                    Some(other) if json_equal(evaluator, value, other)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Some total order in which equal values, and only those, are equal: to find duplicates without comparing all pairs.
pub(crate) fn compare_for_distinct(left: &Json, right: &Json) -> Ordering {
    let rank = |json: &Json| json.kind();
    match (left, right) {
        (Json::Bool(left), Json::Bool(right)) => left.cmp(right),
        (Json::Number(left), Json::Number(right)) => {
            // Minus zero equals zero.
            (left.as_f64() + 0.0).total_cmp(&(right.as_f64() + 0.0))
        }
        (Json::String(left), Json::String(right)) => left.cmp(right),
        (Json::Array(left), Json::Array(right)) => left.len().cmp(&right.len()).then_with(|| {
            let pairs = left.iter().zip(right.iter());
            pairs.map(|(left, right)| compare_for_distinct(left, right)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        }),
        (Json::Object(left), Json::Object(right)) => left.len().cmp(&right.len()).then_with(|| {
            let sorted = |object: &stepwell_json::Object| {
                let mut keys: Vec<_> = object.keys().cloned().collect();
                keys.sort();
                keys
            };
            let (left_keys, right_keys) = (sorted(left), sorted(right));
            left_keys.cmp(&right_keys).then_with(|| {
                let pairs = left_keys.iter().filter_map(|key| left.get(key).zip(right.get(key)));
                pairs
                    .map(|(left, right)| compare_for_distinct(left, right))
                    .find(|o| o.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
        }),
        _ => rank(left).cmp(&rank(right)),
    }
}

/// Whether every item is a number; an infinite one is an error, as wherever it is used.
pub(super) fn all_numbers(array: ArrayRef<'_>) -> Result<bool> {
    if let ArrayRef::Values(values) = array {
        for value in values {
            if let Value::Number(number) = value {
                finite(*number)?;
            }
        }
    }
    Ok(array.all_of_type(b'n'))
}
