//! JSONata: expressions, and values with expressions in them.

use std::sync::Arc;

use stepwell_json::{Json, Spanned, SpannedValue};
use stepwell_jsonata::Expression;
use stepwell_spec::FieldType;

use super::Compiler;
use super::object::Object;
use crate::definition::{Query, QueryTemplate};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

/// Whether AWS takes this text for an expression: no spaces around the delimiters.
pub(crate) fn is_expression(text: &str) -> bool {
    text.starts_with("{%")
}

impl<'a> Compiler<'a> {
    /// `{% … %}`
    pub(crate) fn query(&mut self, value: &'a Spanned, at: At) -> Option<Query> {
        let text = value.as_str()?;
        let Some(inside) = text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}")) else {
            let fault = Fault::new(Code::InvalidJsonata, at, value.span, "a JSONata expression ends with \"%}\"")
                .schema("JSONata string must start with {% and end with %}");
            self.fault(fault);
            return None;
        };
        let trimmed = inside.trim();
        match Expression::parse(trimmed) {
            Ok(expression) => {
                let variables = expression.variables().iter().filter(|name| &***name != "states").cloned();
                self.reads(variables, at, value.span);
                Some(Query { expression: Box::new(expression) })
            }
            Err(error) => {
                let start = 2 + (inside.len() - inside.trim_start().len());
                let span = self.source.span_in_string(value.span, text, start + fault_offset(trimmed, &error));
                let message = format!("{} ({})", error.message.trim_end_matches('.'), error.code);
                let fault = Fault::new(Code::InvalidJsonata, at, span, message)
                    .aws("INVALID_JSONATA_EXPRESSION", reference_words(&error));
                self.fault(fault);
                None
            }
        }
    }

    /// A field whose value may have expressions in it.
    pub(crate) fn query_template(&mut self, object: &Object<'a>, name: &str) -> Option<QueryTemplate> {
        let (row, member) = object.row(name)?;
        let at = self.trail.key(object.at, &member.key);
        let is_expression = member.value.as_str().is_some_and(is_expression);
        let fits = match (row.takes, &member.value.value) {
            (FieldType::JsonataObject, SpannedValue::Object(_)) => true,
            (FieldType::JsonataObject, _) => is_expression,
            (FieldType::JsonataItems, SpannedValue::Object(_) | SpannedValue::Array(_)) => true,
            (FieldType::JsonataItems, _) => is_expression,
            _ => true,
        };
        if !fits {
            let (expected, aws) = match row.takes {
                FieldType::JsonataItems => ("an array or a JSONata expression", "Array"),
                _ => ("an object or a JSONata expression", "Object"),
            };
            self.wrong_type(&member.value, at, expected, aws);
            return None;
        }
        self.template_value(&member.value, at)
    }

    /// A value with expressions in it. None when one of them is faulty.
    pub(crate) fn template_value(&mut self, value: &'a Spanned, at: At) -> Option<QueryTemplate> {
        match &value.value {
            SpannedValue::Scalar(Json::String(text)) if is_expression(text) => {
                self.query(value, at).map(QueryTemplate::Query)
            }
            SpannedValue::Scalar(scalar) => {
                if let Json::String(text) = scalar
                    && is_expression(text.trim_start())
                {
                    let message = "a JSONata expression must start with \"{%\", without spaces before it";
                    self.fault(Fault::new(Code::UnevaluatedJsonata, at, value.span, message));
                }
                Some(QueryTemplate::Literal(scalar.clone()))
            }
            SpannedValue::Array(items) => {
                let mut templates = Vec::with_capacity(items.len());
                let mut is_whole = true;
                for (index, item) in items.iter().enumerate() {
                    let at = self.trail.index(at, index);
                    match self.template_value(item, at) {
                        Some(template) => templates.push(template),
                        None => is_whole = false,
                    }
                }
                is_whole.then(|| match templates.iter().all(is_literal) {
                    true => QueryTemplate::Literal(value.to_json()),
                    false => QueryTemplate::Array(templates),
                })
            }
            SpannedValue::Object(members) => {
                let members = self.last_of_each(members, at);
                let mut templates: Vec<(Arc<str>, QueryTemplate)> = Vec::with_capacity(members.len());
                let mut is_whole = true;
                for member in members {
                    let at = self.trail.key(at, &member.key);
                    match self.template_value(&member.value, at) {
                        Some(template) => templates.push((member.key.clone(), template)),
                        None => is_whole = false,
                    }
                }
                is_whole.then(|| match templates.iter().all(|(_, template)| is_literal(template)) {
                    true => QueryTemplate::Literal(value.to_json()),
                    false => QueryTemplate::Object(templates),
                })
            }
        }
    }
}

fn is_literal(template: &QueryTemplate) -> bool {
    matches!(template, QueryTemplate::Literal(_))
}

/// The byte at which the token starts that an error is about.
fn fault_offset(text: &str, error: &stepwell_jsonata::Error) -> usize {
    let end = byte_of_utf16(text, error.position);
    match &error.token {
        Some(token) if text[..end].ends_with(token.as_str()) => end - token.len(),
        _ => text[..end].char_indices().next_back().map_or(0, |(start, _)| start),
    }
}

/// The sentence of the reference implementation, which AWS passes on; those that the service was seen to say.
fn reference_words(error: &stepwell_jsonata::Error) -> String {
    let quoted = |text: &Option<String>| stepwell_json::quoted(text.as_deref().unwrap_or_default());
    match (error.code, &error.value) {
        ("S0101", _) => "String literal must be terminated by a matching quote".to_owned(),
        ("S0202", Some(expected)) => format!("Expected {expected}, got {}", quoted(&error.token)),
        ("S0207", _) => "Unexpected end of expression".to_owned(),
        ("S0211", _) => format!("The symbol {} cannot be used as a unary operator", quoted(&error.token)),
        ("S0302", _) => "No terminating / in regular expression".to_owned(),
        _ => error.message.clone(),
    }
}

/// The byte at which so many UTF-16 units of a text end.
fn byte_of_utf16(text: &str, units: usize) -> usize {
    let mut left = units;
    for (byte, character) in text.char_indices() {
        if left < character.len_utf16() {
            return byte;
        }
        left -= character.len_utf16();
    }
    text.len()
}
