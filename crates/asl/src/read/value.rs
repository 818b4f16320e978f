//! Single values: text, words, numbers, names of states, paths, and the settings that come in several forms.

use std::sync::Arc;

use stepwell_json::{Json, Number, Span, Spanned, SpannedMember};
use stepwell_jsonpath::{Path, Root, ValueExpression};
use stepwell_spec::{Dialect, Field, FieldType, Timestamp, field};

use super::object::{Object, quoted_list};
use super::query::is_expression;
use super::{Compiler, shared};
use crate::definition::{InputPath, QueryLanguage, ResultPath, Setting, StateId};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

/// Intrinsic functions whose value is text, as AWS lists them for Fail states.
const TEXT_FUNCTIONS: &[&str] = &[
    "States.Format",
    "States.JsonToString",
    "States.ArrayGetItem",
    "States.Base64Encode",
    "States.Base64Decode",
    "States.Hash",
    "States.UUID",
];

impl<'a> Compiler<'a> {
    /// Text, or one of the words the table lists.
    pub(crate) fn text(&mut self, object: &Object<'a>, name: &str) -> Option<Arc<str>> {
        let (row, member) = object.row(name)?;
        let at = self.trail.key(object.at, &member.key);
        self.text_of(row, &member.value, at)
    }

    fn text_of(&mut self, row: &Field, value: &'a Spanned, at: At) -> Option<Arc<str>> {
        let Some(text) = shared(value) else {
            self.wrong_type(value, at, "a string", "String");
            return None;
        };
        if let FieldType::OneOf(words) = row.takes
            && !words.contains(&&*text)
        {
            self.wrong_word(row.name, words, &text, value.span, at);
            return None;
        }
        Some(text)
    }

    /// A word that is none of those allowed.
    pub(crate) fn wrong_word(&mut self, name: &str, words: &[&str], found: &str, span: Span, at: At) {
        let near = self.suggester.nearest(found, words.iter().copied());
        let allowed = words.join(", ");
        let aws = match name {
            "Type" => format!("The field 'Type' should have one of these values: [{allowed}]"),
            _ => format!("Value should be one of the following: [{allowed}]"),
        };
        let one_of = if words.len() > 1 { "one of " } else { "" };
        let message = format!("\"{name}\" is {one_of}{}, not \"{found}\"", quoted_list(words, "or"));
        let fault = Fault::new(Code::WrongValue, at, span, message).did_you_mean(near).schema(aws);
        self.fault(fault);
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, object: &Object<'a>, name: &str) -> Option<bool> {
        let member = object.get(name)?;
        let value = member.value.as_scalar().and_then(Json::as_bool);
        if value.is_none() {
            let at = self.trail.key(object.at, &member.key);
            self.wrong_type(&member.value, at, "true or false", "Boolean");
        }
        value
    }

    /// A whole number in the range the table gives.
    pub(crate) fn integer(&mut self, object: &Object<'a>, name: &str) -> Option<u64> {
        let (row, member) = object.row(name)?;
        let at = self.trail.key(object.at, &member.key);
        self.integer_of(row, &member.value, at)
    }

    fn integer_of(&mut self, row: &Field, value: &'a Spanned, at: At) -> Option<u64> {
        let FieldType::Integer(min, max) = row.takes else { return None };
        let Some(number) = value.as_scalar().and_then(Json::as_number) else {
            self.wrong_type(value, at, "a whole number", "Integer");
            return None;
        };
        if !number.is_integer_text() {
            let message = format!("expected a whole number, found {number}");
            let fault = Fault::new(Code::WrongType, at, value.span, message).schema("Expected value of type Integer");
            self.fault(fault);
            return None;
        }
        let is_negative = number.as_f64() < 0.0;
        match number.as_i64().and_then(|value| u64::try_from(value).ok()) {
            Some(value) if (min..=max).contains(&value) => Some(value),
            found => {
                let is_small = is_negative || found.is_some_and(|value| value < min);
                self.out_of_range(row.name, is_small, &min.to_string(), &max.to_string(), value.span, at);
                None
            }
        }
    }

    /// A number in the range the table gives.
    pub(crate) fn number(&mut self, object: &Object<'a>, name: &str) -> Option<f64> {
        let (row, member) = object.row(name)?;
        let at = self.trail.key(object.at, &member.key);
        self.number_of(row, &member.value, at)
    }

    fn number_of(&mut self, row: &Field, value: &'a Spanned, at: At) -> Option<f64> {
        let FieldType::Number(min, max) = row.takes else { return None };
        let Some(number) = value.as_scalar().and_then(Json::as_number).map(Number::as_f64) else {
            self.wrong_type(value, at, "a number", "Number");
            return None;
        };
        if (min..=max).contains(&number) {
            return Some(number);
        }
        self.out_of_range(row.name, number < min, &format!("{min:?}"), &format!("{max:?}"), value.span, at);
        None
    }

    fn out_of_range(&mut self, name: &str, is_small: bool, min: &str, max: &str, span: Span, at: At) {
        let (message, aws) = if is_small {
            (format!("\"{name}\" is at least {min}"), format!("Minimum value is {min}"))
        } else {
            (format!("\"{name}\" is at most {max}"), format!("Maximum value is {max}"))
        };
        let fault = Fault::new(Code::OutOfRange, at, span, message).schema(aws);
        self.fault(fault);
    }

    /// A whole number, an expression, or the `…Path` twin's path.
    pub(crate) fn integer_setting(&mut self, object: &Object<'a>, name: &'static str) -> Option<Setting<u64>> {
        self.setting(object, name, Compiler::integer_of)
    }

    /// A number, an expression, or the `…Path` twin's path.
    pub(crate) fn number_setting(&mut self, object: &Object<'a>, name: &'static str) -> Option<Setting<f64>> {
        self.setting(object, name, Compiler::number_of)
    }

    /// Text, an expression, or the twin's path or intrinsic function.
    pub(crate) fn text_setting(&mut self, object: &Object<'a>, name: &'static str) -> Option<Setting<Arc<str>>> {
        self.setting(object, name, Compiler::text_of)
    }

    /// An RFC 3339 time, an expression, or the twin's path.
    pub(crate) fn timestamp_setting(&mut self, object: &Object<'a>, name: &'static str) -> Option<Setting<Arc<str>>> {
        self.setting(object, name, |compiler, _, value, at| compiler.timestamp(value, at))
    }

    fn setting<T>(
        &mut self,
        object: &Object<'a>,
        name: &'static str,
        literal: impl FnOnce(&mut Self, &Field, &'a Spanned, At) -> Option<T>,
    ) -> Option<Setting<T>> {
        if let Some((row, member)) = object.row(name) {
            let at = self.trail.key(object.at, &member.key);
            let is_jsonata = row.expression && object.language == QueryLanguage::Jsonata;
            if is_jsonata && member.value.as_str().is_some_and(is_expression) {
                return self.query(&member.value, at).map(Setting::Query);
            }
            return literal(self, row, &member.value, at).map(Setting::Literal);
        }
        let twin = ["Path", ".$"].map(|suffix| field_with_suffix(object, name, suffix));
        let (row, member) = twin.into_iter().flatten().next()?;
        let at = self.trail.key(object.at, &member.key);
        let expression = match row.takes {
            FieldType::TextExpression => self.text_expression(member, at, object.at),
            _ => {
                self.reference_path(&member.value, at, false).and_then(|path| ValueExpression::parse(path.text()).ok())
            }
        };
        expression.map(Setting::Path)
    }

    /// RFC 3339 text.
    pub(crate) fn timestamp(&mut self, value: &'a Spanned, at: At) -> Option<Arc<str>> {
        let Some(text) = shared(value) else {
            self.wrong_type(value, at, "a time as a string", "String");
            return None;
        };
        if Timestamp::parse(&text).is_ok() {
            return Some(text);
        }
        let message = format!("\"{text}\" is no RFC 3339 time");
        let fault = Fault::new(Code::InvalidTimestamp, at, value.span, message)
            .suggest(Some("write it like \"2016-08-18T17:33:00Z\", with an upper-case T and Z or an offset".to_owned()))
            .schema("String does not match RFC3339 timestamp");
        self.fault(fault);
        None
    }

    /// The name of a state of the workflow being read. The edge is noted.
    pub(crate) fn target(&mut self, object: &Object<'a>, name: &str) -> Option<StateId> {
        let member = object.get(name)?;
        let at = self.trail.key(object.at, &member.key);
        let Some(target) = member.value.as_str() else {
            self.wrong_type(&member.value, at, "a state's name", "String");
            return None;
        };
        if let Some(id) = self.here.names.get(target).copied() {
            if name != "StartAt" {
                let from = self.here.state;
                self.here.edges.add(from, id);
            }
            return Some(id);
        }
        if let Some(id) = self.stand_in(target, member.value.span) {
            return Some(id);
        }
        self.here.edges.lose();
        let near = self.suggester.nearest(target, self.here.names.keys().copied());
        let elsewhere = self.state_names.contains_key(target);
        let suggestion = match (near, elsewhere) {
            (Some(near), _) => Some(format!("did you mean \"{near}\"?")),
            (None, true) => Some("a state can only lead to states of its own workflow".to_owned()),
            (None, false) => None,
        };
        // AWS says 'Next' whatever the field is called.
        let fault =
            Fault::new(Code::MissingTarget, at, member.value.span, format!("there is no state \"{target}\" here"))
                .suggest(suggestion)
                .aws("MISSING_TRANSITION_TARGET", format!("Missing 'Next' target: {target}"));
        self.fault(fault);
        None
    }

    /// `InputPath` or `OutputPath`.
    pub(crate) fn nullable_path(&mut self, object: &Object<'a>, name: &str) -> InputPath {
        let Some(member) = object.get(name) else { return InputPath::Whole };
        if member.value.as_scalar().is_some_and(Json::is_null) {
            return InputPath::Nothing;
        }
        let at = self.trail.key(object.at, &member.key);
        match self.path(&member.value, at) {
            None => InputPath::Whole,
            Some(path) if path.is_root() && *path.root() == Root::Input => InputPath::Whole,
            Some(path) => InputPath::Path(path),
        }
    }

    /// `ResultPath`.
    pub(crate) fn result_path(&mut self, object: &Object<'a>) -> ResultPath {
        let Some(member) = object.get("ResultPath") else { return ResultPath::Replace };
        if member.value.as_scalar().is_some_and(Json::is_null) {
            return ResultPath::Discard;
        }
        let at = self.trail.key(object.at, &member.key);
        let Some(path) = self.reference_path(&member.value, at, false) else { return ResultPath::Replace };
        if *path.root() != Root::Input {
            self.not_a_reference(&member.value, at, "it must start with \"$\" and lead into the input", None);
            return ResultPath::Replace;
        }
        if path.is_root() {
            return ResultPath::Replace;
        }
        match stepwell_jsonpath::ReferencePath::parse(path.text()) {
            Ok(path) => ResultPath::At(path),
            Err(error) => {
                self.not_a_reference(&member.value, at, &error.message, None);
                ResultPath::Replace
            }
        }
    }

    /// `ItemsPath`.
    pub(crate) fn items_path(&mut self, object: &Object<'a>) -> InputPath {
        let Some(member) = object.get("ItemsPath") else { return InputPath::Whole };
        let at = self.trail.key(object.at, &member.key);
        match self.reference_path(&member.value, at, true) {
            None => InputPath::Whole,
            Some(path) if path.is_root() && *path.root() == Root::Input => InputPath::Whole,
            Some(path) => InputPath::Path(path),
        }
    }

    /// Any path.
    fn path(&mut self, value: &'a Spanned, at: At) -> Option<Path> {
        let Some(text) = value.as_str() else {
            self.wrong_type(value, at, "a path", "String");
            return None;
        };
        match Path::parse(text) {
            Ok(path) => {
                self.reads(path_variable(&path), at, value.span);
                Some(path)
            }
            Err(error) => {
                let span = self.source.span_in_string(value.span, text, error.offset);
                let fault =
                    Fault::new(Code::InvalidPath, at, span, format!("not a path: {}", error.message.trim_end()))
                        .schema("Value must be a valid JSONPath.");
                self.fault(fault);
                None
            }
        }
    }

    /// A path that names one place, in the input, a variable or, where allowed, the context object.
    pub(crate) fn reference_path(&mut self, value: &'a Spanned, at: At, allows_context: bool) -> Option<Path> {
        let Some(text) = value.as_str() else {
            self.wrong_type(value, at, "a reference path", "String");
            return None;
        };
        let path = self.path(value, at)?;
        if !path.is_reference() {
            self.not_a_reference(value, at, "wildcards, slices, filters and functions are not allowed here", None);
            return None;
        }
        if !allows_context && *path.root() == Root::Context {
            self.not_a_reference(value, at, "the context object is not allowed here", None);
            return None;
        }
        debug_assert_eq!(path.text(), text);
        Some(path)
    }

    /// A path to something to compare: `Variable` and the operands of `…Path` operators.
    pub(crate) fn compared_path(&mut self, member: &'a SpannedMember, at: At) -> Option<Path> {
        let value = &member.value;
        let Some(text) = value.as_str() else {
            self.wrong_type(value, at, "a path", "String");
            return None;
        };
        match Path::parse(text) {
            Ok(path) if path.is_definite() => {
                self.reads(path_variable(&path), at, value.span);
                Some(path)
            }
            Ok(_) => {
                self.not_a_reference(value, at, "it can lead to several values", None);
                None
            }
            Err(_) if !text.starts_with('$') => {
                self.not_a_reference(
                    value,
                    at,
                    "it must start with \"$\"",
                    Some("Reference path didn't start with '$'"),
                );
                None
            }
            Err(error) => {
                self.not_a_reference(value, at, &error.message, Some(&error.message));
                None
            }
        }
    }

    fn not_a_reference(&mut self, value: &Spanned, at: At, why: &str, aws: Option<&str>) {
        let aws = match aws {
            Some(aws) => format!("Value is not a Reference Path: {aws}"),
            None => "Value is not a Reference Path".to_owned(),
        };
        let message = format!("not a reference path: {why}");
        let fault = Fault::new(Code::InvalidReferencePath, at, value.span, message).schema(aws);
        self.fault(fault);
    }

    /// A path, or a call of an intrinsic function that gives text. AWS points at the object around a `.$` field.
    fn text_expression(&mut self, member: &'a SpannedMember, at: At, above: At) -> Option<ValueExpression> {
        let value = &member.value;
        let Some(text) = value.as_str() else {
            self.wrong_type(value, at, "a path or an intrinsic function", "String");
            return None;
        };
        let is_dollar = member.key.ends_with(".$");
        let fault = match ValueExpression::parse(text) {
            Ok(expression) => {
                let function = expression.intrinsic().map(|row| row.name);
                match function.filter(|name| !TEXT_FUNCTIONS.contains(name)) {
                    None => {
                        self.reads(expression.variables(), at, value.span);
                        return Some(expression);
                    }
                    Some(name) => {
                        let message = format!("{name} does not give text, which \"{}\" needs", member.key);
                        Fault::new(Code::InvalidExpression, at, value.span, message)
                    }
                }
            }
            Err(error) => {
                let span = self.source.span_in_string(value.span, text, error.offset);
                let message = format!("neither a path nor an intrinsic function call: {}", error.message.trim_end());
                Fault::new(Code::InvalidExpression, at, span, message)
            }
        };
        let fault = if is_dollar {
            fault
                .schema(format!(
                    "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call",
                    member.key
                ))
                .aws_at(above)
        } else {
            fault.schema("Value must be a valid JSONPath.")
        };
        self.fault(fault);
        None
    }

    /// A list of text.
    pub(crate) fn text_list(&mut self, object: &Object<'a>, name: &str) -> Option<Vec<(Arc<str>, At, Span)>> {
        let member = object.get(name)?;
        let at = self.trail.key(object.at, &member.key);
        let Some(items) = member.value.items() else {
            self.wrong_type(&member.value, at, "an array", "Array");
            return None;
        };
        if items.is_empty() {
            self.empty(&member.value, at, name);
            return None;
        }
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = self.trail.index(at, index);
            match shared(item) {
                Some(text) => list.push((text, at, item.span)),
                None => self.wrong_type(item, at, "a string", "String"),
            }
        }
        Some(list)
    }

    /// A value that must have something in it.
    pub(crate) fn empty(&mut self, value: &Spanned, at: At, name: &str) {
        let fault = Fault::new(Code::EmptyValue, at, value.span, format!("\"{name}\" must not be empty"))
            .schema("Value cannot be empty");
        self.fault(fault);
    }

    /// Variables read by an expression of the state being read.
    pub(crate) fn reads(&mut self, names: impl IntoIterator<Item = Arc<str>>, at: At, span: Span) {
        for name in names {
            let (workflow, state) = (self.here.workflow, self.here.state);
            self.variables.read(workflow, state, name, at, span);
        }
    }
}

fn path_variable(path: &Path) -> Option<Arc<str>> {
    match path.root() {
        Root::Variable(name) => Some(name.clone()),
        Root::Input | Root::Context => None,
    }
}

/// The twin of a field, if its place has one and it was given.
fn field_with_suffix<'a>(object: &Object<'a>, name: &str, suffix: &str) -> Option<(&'static Field, &'a SpannedMember)> {
    let twin = format!("{name}{suffix}");
    let row = field(object.place, &twin).filter(|row| row.dialect == Dialect::JsonPath)?;
    object.row(row.name)
}
