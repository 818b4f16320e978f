//! Values as text: what `$string` gives and `&` joins.

use std::sync::Arc;

use stepwell_json::Json;

use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, finite, unwrap_outer};
use crate::number;
use crate::value::{ArrayRef, Value};

/// The text of a value; `None` for undefined. Numbers are rounded to 15 digits, functions are empty.
pub(crate) fn to_text(evaluator: &mut Evaluator<'_>, value: &Value) -> Result<Option<Arc<str>>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Json(Json::String(text)) => Ok(Some(text.clone())),
        Value::Function(_) => Ok(Some("".into())),
        value => to_json_text(evaluator, value, false).map(Some),
    }
}

/// As [`to_text`], with JSON indented by two spaces if `pretty`.
pub(crate) fn to_pretty_text(evaluator: &mut Evaluator<'_>, value: &Value, pretty: bool) -> Result<Option<Arc<str>>> {
    match value {
        Value::Json(Json::Array(_) | Json::Object(_)) | Value::List(_) | Value::Record(_) => {
            to_json_text(evaluator, value, pretty).map(Some)
        }
        value => to_text(evaluator, value),
    }
}

/// As JavaScript's `String(value)`: what a regular expression called as a function sees of a value that is no text.
pub(crate) fn to_plain_text(evaluator: &mut Evaluator<'_>, value: &Value) -> Result<Arc<str>> {
    Ok(match value {
        Value::Json(Json::String(text)) => text.clone(),
        Value::Undefined => "undefined".into(),
        Value::Json(Json::Null) => "null".into(),
        Value::Json(Json::Bool(value)) => value.to_string().into(),
        value => match (value.as_number(), value.as_array()) {
            (Some(number), _) => number::to_text(number).into(),
            (None, Some(array)) => {
                let mut text = String::new();
                for (place, item) in array.iter().enumerate() {
                    evaluator.step()?;
                    if place > 0 {
                        text.push(',');
                    }
                    if !matches!(item, Value::Undefined | Value::Json(Json::Null)) {
                        let part = to_plain_text(evaluator, &item)?;
                        evaluator.allocate_text(part.len())?;
                        text.push_str(&part);
                    }
                }
                text.into()
            }
            (None, None) => "[object Object]".into(),
        },
    })
}

fn to_json_text(evaluator: &mut Evaluator<'_>, value: &Value, pretty: bool) -> Result<Arc<str>> {
    let value = unwrap_outer(value);
    if let Some(number) = value.as_number()
        && !number.is_finite()
    {
        return Err(Fault::new("D3001").value(value.to_shown_json()));
    }
    let mut writer = Writer { evaluator, text: String::new(), pretty, counted: 0 };
    writer.value(&value, 0)?;
    writer.count()?;
    Ok(writer.text.into())
}

struct Writer<'w, 'e> {
    evaluator: &'w mut Evaluator<'e>,
    text: String,
    pretty: bool,
    /// Bytes of `text` already charged.
    counted: usize,
}

impl Writer<'_, '_> {
    fn count(&mut self) -> Result<()> {
        let bytes = self.text.len() - self.counted;
        self.counted = self.text.len();
        if self.text.len() > self.evaluator.environment.limits.string_bytes {
            return Err(Fault::new("D1013"));
        }
        self.evaluator.allocate_text(bytes)
    }

    fn value(&mut self, value: &Value, level: usize) -> Result<()> {
        match value {
            Value::Json(json) => self.json(json, level),
            Value::Number(number) => self.number(*number),
            Value::List(list) => match list.array() {
                ArrayRef::Json(array) => self.json(&Json::Array(array.clone()), level),
                array => self
                    .sequence('[', ']', array.len(), level, |writer, place| writer.value(&array.get(place), level + 1)),
            },
            Value::Record(record) => {
                let members: Vec<_> = record.members.iter().filter(|(_, value)| !value.is_undefined()).collect();
                self.sequence('{', '}', members.len(), level, |writer, place| {
                    let (key, value) = members[place];
                    writer.key(key);
                    writer.value(value, level + 1)
                })
            }
            Value::Tuples(tuples) => self
                .sequence('[', ']', tuples.len(), level, |writer, place| writer.value(&tuples[place].item, level + 1)),
            Value::Function(_) => {
                self.text.push_str("\"\"");
                Ok(())
            }
            Value::Undefined => {
                self.text.push_str("null");
                Ok(())
            }
        }
    }

    fn json(&mut self, json: &Json, level: usize) -> Result<()> {
        match json {
            Json::Null => self.text.push_str("null"),
            Json::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Json::Number(number) => return self.number(number.as_f64()),
            Json::String(text) => self.quoted(text),
            Json::Array(items) => {
                return self
                    .sequence('[', ']', items.len(), level, |writer, place| writer.json(&items[place], level + 1));
            }
            Json::Object(object) => {
                let mut members = object.iter();
                return self.sequence('{', '}', object.len(), level, |writer, _| match members.next() {
                    Some((key, value)) => {
                        writer.key(key);
                        writer.json(value, level + 1)
                    }
                    None => Ok(()),
                });
            }
        }
        Ok(())
    }

    fn number(&mut self, number: f64) -> Result<()> {
        if number.is_nan() {
            self.text.push_str("null");
            return Ok(());
        }
        let number = number::to_precision_15(finite(number)?);
        self.text.push_str(&number::to_text(number));
        Ok(())
    }

    fn key(&mut self, key: &str) {
        self.quoted(key);
        self.text.push_str(if self.pretty { ": " } else { ":" });
    }

    fn sequence(
        &mut self,
        open: char,
        close: char,
        length: usize,
        level: usize,
        mut item: impl FnMut(&mut Self, usize) -> Result<()>,
    ) -> Result<()> {
        self.text.push(open);
        for place in 0..length {
            self.evaluator.step()?;
            if place > 0 {
                self.text.push(',');
            }
            self.line(level + 1);
            item(self, place)?;
            self.count()?;
        }
        if length > 0 {
            self.line(level);
        }
        self.text.push(close);
        Ok(())
    }

    fn line(&mut self, level: usize) {
        if self.pretty {
            self.text.push('\n');
            (0..level).for_each(|_| self.text.push_str("  "));
        }
    }

    /// Escapes as JavaScript's `JSON.stringify` writes them.
    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..'\u{20}' => self.text.push_str(&format!("\\u{:04x}", character as u32)),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}
