//! How data comes into a state and goes out of it: paths and templates, arguments and output, variables.

use std::sync::Arc;

use stepwell_json::{Spanned, SpannedMember, SpannedValue};
use stepwell_jsonpath::Template;
use stepwell_spec::{Place, field, quota};

use super::Compiler;
use super::object::Object;
use super::query::is_expression;
use crate::definition::{Assign, DataFlow, InputPath, JsonPathFlow, JsonataFlow, Payload, QueryLanguage, ResultPath};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::source::find;
use crate::trail::At;

impl<'a> Compiler<'a> {
    /// The input and output fields of a state.
    pub(crate) fn data_flow(&mut self, object: &Object<'a>) -> DataFlow {
        let has = |name: &str| field(object.place, name).is_some();
        match object.language {
            QueryLanguage::Jsonata => DataFlow::Jsonata(JsonataFlow {
                arguments: if has("Arguments") { self.query_template(object, "Arguments") } else { None },
                output: if has("Output") { self.query_template(object, "Output") } else { None },
            }),
            QueryLanguage::JsonPath => {
                let is_map = object.place == Place::Map;
                let (input_path, output_path) = match has("InputPath") {
                    true => (self.nullable_path(object, "InputPath"), self.nullable_path(object, "OutputPath")),
                    false => (InputPath::Whole, InputPath::Whole),
                };
                DataFlow::JsonPath(JsonPathFlow {
                    input_path,
                    parameters: if has("Parameters") && !is_map { self.template(object, "Parameters") } else { None },
                    result_selector: if has("ResultSelector") { self.template(object, "ResultSelector") } else { None },
                    result_path: if has("ResultPath") { self.result_path(object) } else { ResultPath::Replace },
                    output_path,
                })
            }
        }
    }

    /// A payload template.
    pub(crate) fn template(&mut self, object: &Object<'a>, name: &str) -> Option<Template> {
        let member = object.get(name)?;
        let at = self.trail.key(object.at, &member.key);
        self.template_of(&member.value, at)
    }

    fn template_of(&mut self, value: &'a Spanned, at: At) -> Option<Template> {
        let is_clean = self.inspect_template(value, at);
        match Template::compile(&value.to_json()) {
            Ok(template) => {
                self.reads(template.variables(), at, value.span);
                is_clean.then_some(template)
            }
            Err(faults) => {
                for fault in faults {
                    self.template_fault(value, at, &fault);
                }
                None
            }
        }
    }

    fn template_fault(&mut self, template: &'a Spanned, at: At, fault: &stepwell_jsonpath::TemplateFault) {
        let tokens: Vec<String> = fault
            .pointer
            .as_str()
            .split('/')
            .skip(1)
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .collect();
        let mut above = at;
        let mut place = at;
        let mut value = template;
        for token in &tokens {
            above = place;
            match &value.value {
                SpannedValue::Object(_) => {
                    let Some(member) = value.get(token) else { break };
                    place = self.trail.key(place, &member.key);
                    value = &member.value;
                }
                SpannedValue::Array(items) => {
                    let Some((index, item)) = token.parse().ok().and_then(|index| Some((index, items.get(index)?)))
                    else {
                        break;
                    };
                    place = self.trail.index(place, index);
                    value = item;
                }
                SpannedValue::Scalar(_) => break,
            }
        }
        debug_assert!(find(template, &fault.pointer).is_some(), "a template's fault names a member of it");
        let span = match value.as_str() {
            Some(text) => self.source.span_in_string(value.span, text, fault.offset),
            None => value.span,
        };
        let message = format!(
            "\"{}\" is neither a path nor an intrinsic function call: {}",
            fault.field,
            fault.message.trim_end()
        );
        let fault = Fault::new(Code::InvalidExpression, place, span, message)
            .schema(format!(
                "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call",
                fault.field
            ))
            .aws_at(above);
        self.fault(fault);
    }

    /// What a template's compiler does not look at: members that come out under the same name, and texts that look as
    /// if they were meant to be evaluated. Answers whether the template is free of errors of this kind.
    fn inspect_template(&mut self, value: &'a Spanned, at: At) -> bool {
        match &value.value {
            SpannedValue::Scalar(_) => true,
            SpannedValue::Array(items) => {
                let mut is_clean = true;
                for (index, item) in items.iter().enumerate() {
                    let at = self.trail.index(at, index);
                    is_clean &= self.inspect_template(item, at);
                }
                is_clean
            }
            SpannedValue::Object(members) => {
                let members = self.last_of_each(members, at);
                let mut is_clean = true;
                for member in &members {
                    let place = self.trail.key(at, &member.key);
                    match member.key.strip_suffix(".$") {
                        Some(name) => {
                            if members.iter().any(|other| &*other.key == name) {
                                is_clean = false;
                                let message = format!("\"{name}\" stands here with and without \".$\"");
                                let aws = format!(
                                    "A duplicate field will exist after renaming to strip the \".$\" suffix from: {}",
                                    member.key
                                );
                                let fault = Fault::new(Code::DuplicateTemplateField, place, member.key_span, message)
                                    .schema(aws)
                                    .aws_at(at);
                                self.fault(fault);
                            }
                        }
                        None => {
                            self.suspect_text(member, place);
                            is_clean &= self.inspect_template(&member.value, place);
                        }
                    }
                }
                is_clean
            }
        }
    }

    /// Warns of a text that a template passes on as it is although it looks like an expression.
    fn suspect_text(&mut self, member: &'a SpannedMember, at: At) {
        let Some(text) = member.value.as_str() else { return };
        if is_expression(text) && text.ends_with("%}") {
            let message = "this state's query language is JSONPath, so the expression is not evaluated";
            let fault = Fault::new(Code::UnevaluatedJsonata, at, member.value.span, message)
                .suggest(Some("set \"QueryLanguage\": \"JSONata\"".to_owned()));
            self.fault(fault);
        } else if looks_evaluated(text) {
            let message = format!("\"{}\" is passed on as it is, not evaluated", member.key);
            let fault = Fault::new(Code::MissingDollar, at, member.key_span, message)
                .suggest(Some(format!("did you mean \"{}.$\"?", member.key)))
                .aws("NO_DOLLAR", "No .$ on a field that appears to be a JSONPath or Intrinsic Function");
            self.fault(fault);
        }
    }

    /// A template in the object's query language.
    pub(crate) fn payload(&mut self, object: &Object<'a>, template: &str, query: &str) -> Option<Payload> {
        match object.language {
            QueryLanguage::JsonPath => self.template(object, template).map(Payload::Template),
            QueryLanguage::Jsonata => self.query_template(object, query).map(Payload::Query),
        }
    }

    /// `Assign` of a state, a rule or a catcher.
    pub(crate) fn assign(&mut self, object: &Object<'a>) -> Option<Assign> {
        let member = object.get("Assign")?;
        let at = self.trail.key(object.at, &member.key);
        let members = self.members(member, at)?;
        let members = self.last_of_each(members, at);
        let mut is_clean = true;
        for variable in &members {
            let is_jsonpath = object.language == QueryLanguage::JsonPath;
            let name = match variable.key.strip_suffix(".$").filter(|_| is_jsonpath) {
                Some(name) => name,
                None => &variable.key,
            };
            let place = self.trail.key(at, &variable.key);
            is_clean &= self.variable_name(name, variable, place);
            let (workflow, state) = (self.here.workflow, self.here.state);
            self.variables.assign(workflow, state, Arc::from(name), place, variable.key_span);
        }
        match object.language {
            QueryLanguage::JsonPath => {
                let template = self.template_of(&member.value, at)?;
                is_clean.then_some(Assign::JsonPath(template))
            }
            QueryLanguage::Jsonata => {
                let mut values = Vec::with_capacity(members.len());
                for variable in members {
                    let place = self.trail.key(at, &variable.key);
                    match self.template_value(&variable.value, place) {
                        Some(value) => values.push((variable.key.clone(), value)),
                        None => is_clean = false,
                    }
                }
                is_clean.then_some(Assign::Jsonata(values))
            }
        }
    }

    fn variable_name(&mut self, name: &str, variable: &'a SpannedMember, at: At) -> bool {
        let max = quota::VARIABLE_NAME_CHARACTERS_MAX;
        let characters = name.chars().count();
        let mut letters = name.chars();
        let starts_well = letters.next().is_some_and(char::is_alphabetic);
        let goes_on_well = letters.all(|letter| letter.is_alphanumeric() || letter == '_');
        let fault = if name == "states" {
            Fault::new(Code::ReservedVariableName, at, variable.key_span, "the variable \"states\" cannot be assigned")
                .aws("RESERVED_VARIABLE_NAME", "Cannot assign to reserved variable '$states'.")
        } else if characters > max {
            let message = format!("a variable's name has {max} characters at most, this one has {characters}");
            let aws = format!("Invalid variable name '{name}': the variable name is longer than {max} characters.");
            Fault::new(Code::InvalidVariableName, at, variable.key_span, message).aws("INVALID_VARIABLE_NAME", aws)
        } else if !starts_well || !goes_on_well {
            let message = format!("\"{name}\" cannot be a variable's name");
            let suggestion = match name.contains(['.', '[']) {
                true => "only whole variables can be assigned",
                false => "it starts with a letter and has letters, digits and \"_\"",
            };
            let aws = format!("Invalid variable name '{name}': the variable name contains invalid characters.");
            Fault::new(Code::InvalidVariableName, at, variable.key_span, message)
                .suggest(Some(suggestion.to_owned()))
                .aws("INVALID_VARIABLE_NAME", aws)
        } else {
            return true;
        };
        self.fault(fault);
        false
    }
}

/// Whether a text looks like a path or an intrinsic function call.
pub(crate) fn looks_evaluated(text: &str) -> bool {
    let is_path = text.starts_with("$.") || text.starts_with("$[") || text.starts_with("$$.");
    let is_call = text.starts_with("States.") && text.contains('(') && text.ends_with(')');
    is_path || is_call
}
