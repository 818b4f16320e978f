//! Objects against the table of fields: unknown, misplaced, missing, double and excluding fields.

use std::collections::BTreeMap;

use stepwell_json::{Kind, Span, Spanned, SpannedMember};
use stepwell_spec::{Dialect, FIELDS, Field, FieldGroup, GroupRule, Operator, Place, field, fields_of, groups_of};

use super::{Compiler, with_article};
use crate::definition::QueryLanguage;
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

/// An object whose fields are known.
pub(crate) struct Object<'a> {
    pub(crate) place: Place,
    pub(crate) at: At,
    /// What to point at when the object as a whole is meant: its name where it has one.
    pub(crate) named: Span,
    pub(crate) language: QueryLanguage,
    /// Fields of the right query language, each once.
    fields: Vec<(&'static Field, &'a SpannedMember)>,
    /// Operators of a Choice rule, in the order they were written; whether as the `…Path` twin.
    pub(crate) operators: Vec<(Operator, bool, &'a SpannedMember)>,
}

impl<'a> Object<'a> {
    /// The member of this field, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&'a SpannedMember> {
        self.row(name).map(|(_, member)| member)
    }

    /// The same with the field's row.
    pub(crate) fn row(&self, name: &str) -> Option<(&'static Field, &'a SpannedMember)> {
        debug_assert!(field(self.place, name).is_some(), "{name} is no field of {}", self.place.phrase());
        self.fields.iter().find(|(row, _)| row.name == name).copied()
    }
}

impl<'a> Compiler<'a> {
    /// The members, or a fault when this is no object.
    pub(crate) fn members(&mut self, member: &'a SpannedMember, at: At) -> Option<&'a [SpannedMember]> {
        self.members_of(&member.value, at)
    }

    fn members_of(&mut self, value: &'a Spanned, at: At) -> Option<&'a [SpannedMember]> {
        if let Some(members) = value.members() {
            return Some(members);
        }
        self.wrong_type(value, at, "an object", "Object");
        None
    }

    /// What stands here is not of the type it should be.
    pub(crate) fn wrong_type(&mut self, value: &Spanned, at: At, expected: &str, aws: &str) {
        let message = format!("expected {expected}, found {}", with_article(value.kind()));
        let fault =
            Fault::new(Code::WrongType, at, value.span, message).schema(format!("Expected value of type {aws}"));
        self.fault(fault);
    }

    /// The last member of each name, in the place of the first. JSON parsers keep that one; the others are faults.
    pub(crate) fn last_of_each(&mut self, members: &'a [SpannedMember], at: At) -> Vec<&'a SpannedMember> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut last: Vec<&'a SpannedMember> = Vec::with_capacity(members.len());
        for member in members {
            match places.get(&*member.key) {
                None => {
                    places.insert(&member.key, last.len());
                    last.push(member);
                }
                Some(&place) => {
                    let at = self.trail.key(at, &member.key);
                    let message = format!("\"{}\" stands here twice, and this one counts", member.key);
                    self.fault(Fault::new(Code::DuplicateField, at, member.key_span, message));
                    last[place] = member;
                }
            }
        }
        last
    }

    /// Reads an object of this place. `named` is what to point at when something is missing from it.
    pub(crate) fn object(
        &mut self,
        place: Place,
        value: &'a Spanned,
        at: At,
        named: Span,
        language: QueryLanguage,
    ) -> Option<Object<'a>> {
        let members = self.members_of(value, at)?;
        let members = self.last_of_each(members, at);
        let mut object = Object { place, at, named, language, fields: Vec::new(), operators: Vec::new() };
        let is_rule = matches!(place, Place::Rule | Place::NestedRule);
        for &member in &members {
            if let Some(row) = field(place, &member.key) {
                if self.fits_language(row.name, row.dialect, &object, member) {
                    object.fields.push((row, member));
                }
            } else if let Some((operator, is_path)) = Operator::parse(&member.key).filter(|_| is_rule) {
                if self.fits_language(&member.key, Dialect::JsonPath, &object, member) {
                    object.operators.push((operator, is_path, member));
                }
            } else {
                self.unknown_field(&object, member);
            }
        }
        self.require_fields(&object, &members);
        for group in groups_of(place) {
            self.check_group(group, &object, &members);
        }
        Some(object)
    }

    fn fits_language(&mut self, name: &str, dialect: Dialect, object: &Object<'a>, member: &'a SpannedMember) -> bool {
        let (is, of) = match (dialect, object.language) {
            (Dialect::JsonPath, QueryLanguage::Jsonata) => ("JSONata", "JSONPath"),
            (Dialect::Jsonata, QueryLanguage::JsonPath) => ("JSONPath", "JSONata"),
            (Dialect::Both, _)
            | (Dialect::JsonPath, QueryLanguage::JsonPath)
            | (Dialect::Jsonata, QueryLanguage::Jsonata) => return true,
        };
        let at = self.trail.key(object.at, &member.key);
        let message = format!("\"{name}\" is for {of}, and the query language here is {is}");
        let suggestion = counterpart(object.place, name, object.language);
        let fault = Fault::new(Code::WrongQueryLanguage, at, member.key_span, message)
            .suggest(suggestion.map(|other| format!("use \"{other}\" instead")))
            .schema(format!(
                "The QueryLanguage is set to '{is}', but field '{name}' is only supported for the '{of}' QueryLanguage"
            ))
            .aws_at(object.at);
        self.fault(fault);
        false
    }

    fn unknown_field(&mut self, object: &Object<'a>, member: &'a SpannedMember) {
        let name: &str = &member.key;
        let at = self.trail.key(object.at, &member.key);
        let is_rule = matches!(object.place, Place::Rule | Place::NestedRule);
        let known = fields_of(object.place).map(|row| row.name);
        let operators = Operator::ALL
            .into_iter()
            .filter(|_| is_rule)
            .flat_map(|operator| [Some(operator.name()), operator.path_name()])
            .flatten();
        let near = self.suggester.nearest(name, known.chain(operators));
        let mut homes: Vec<&str> = Vec::new();
        for place in FIELDS.iter().filter(|row| row.name == name).flat_map(|row| row.places) {
            if !homes.contains(&place.phrase()) {
                homes.push(place.phrase());
            }
        }
        let phrase = object.place.phrase();
        let (code, suggestion) = match homes.as_slice() {
            [] => (Code::UnknownField, near.map(|near| format!("did you mean \"{near}\"?"))),
            homes => (Code::MisplacedField, Some(format!("it belongs to {}", homes.join(", ")))),
        };
        let fault =
            Fault::new(code, at, member.key_span, format!("{phrase} has no field \"{name}\"")).suggest(suggestion);
        self.fault(fault.schema(format!("Field '{name}' is not supported")).aws_at(object.at));
    }

    fn require_fields(&mut self, object: &Object<'a>, members: &[&'a SpannedMember]) {
        let applies = |row: &&Field| {
            row.required
                && match row.dialect {
                    Dialect::Both => true,
                    Dialect::JsonPath => object.language == QueryLanguage::JsonPath,
                    Dialect::Jsonata => object.language == QueryLanguage::Jsonata,
                }
        };
        let missing: Vec<&str> = fields_of(object.place)
            .filter(applies)
            .map(|row| row.name)
            .filter(|name| members.iter().all(|member| &*member.key != *name))
            .collect();
        if !missing.is_empty() {
            self.missing_fields(object, &missing);
        }
    }

    /// Fields that must be there and are not.
    pub(crate) fn missing_fields(&mut self, object: &Object<'a>, missing: &[&str]) {
        let message = format!("{} needs {}", object.place.phrase(), quoted_list(missing, "and"));
        let fault = Fault::new(Code::MissingField, object.at, object.named, message)
            .schema(format!("These fields are required: [{}]", missing.join(", ")));
        self.fault(fault);
    }

    fn check_group(&mut self, group: &FieldGroup, object: &Object<'a>, members: &[&'a SpannedMember]) {
        // A JSONata rule has its Condition, which is required; the tests of the other language are faults already.
        let is_rule = group.fields.contains(&"Condition");
        if is_rule && object.language == QueryLanguage::Jsonata {
            return;
        }
        let given: Vec<&SpannedMember> = members
            .iter()
            .copied()
            .filter(|member| group.fields.contains(&&*member.key))
            // "End": false says no more than its absence.
            .filter(|member| &*member.key != "End" || !is_false(&member.value))
            .collect();
        let fields = group.fields.join(", ");
        match (group.rule, given.as_slice()) {
            (GroupRule::AtMostOne | GroupRule::ExactlyOne, [_, .., last]) => {
                let names: Vec<&str> = given.iter().map(|member| &*member.key).collect();
                let message = format!("{} can have only one of {}", object.place.phrase(), quoted_list(&names, "and"));
                let at = self.trail.key(object.at, members.iter().find(|m| m.key == last.key).map_or("", |m| &m.key));
                let aws = if is_rule {
                    format!("The object must have only one of the following fields, [{fields}]")
                } else {
                    format!("There should only be one of the following fields: [{fields}]")
                };
                let fault = Fault::new(Code::ExclusiveFields, at, last.key_span, message).schema(aws).aws_at(object.at);
                self.fault(fault);
            }
            (GroupRule::ExactlyOne | GroupRule::AtLeastOne, []) => {
                let candidates: Vec<&str> = group
                    .fields
                    .iter()
                    .copied()
                    .filter(|name| field(object.place, name).is_some_and(|row| is_of(row.dialect, object.language)))
                    .collect();
                let message = format!("{} needs {}", object.place.phrase(), quoted_list(&candidates, "or"));
                let aws = match (is_rule, group.rule) {
                    (true, _) => format!("The object must have only one of the following fields, [{fields}]"),
                    (false, GroupRule::AtLeastOne) => {
                        format!("This object should have at least one of the following fields: [{fields}]")
                    }
                    (false, GroupRule::AtMostOne | GroupRule::ExactlyOne) => {
                        format!("This object should have only one of the following fields: [{fields}]")
                    }
                };
                let aws = if object.place == Place::Credentials {
                    "The field 'RoleArn' is required but was missing".to_owned()
                } else {
                    aws
                };
                let fault = Fault::new(Code::MissingOneOf, object.at, object.named, message).schema(aws);
                self.fault(fault);
            }
            (GroupRule::AtMostOne, [] | [_]) | (GroupRule::ExactlyOne, [_]) | (GroupRule::AtLeastOne, [_, ..]) => {}
        }
    }
}

fn is_of(dialect: Dialect, language: QueryLanguage) -> bool {
    match dialect {
        Dialect::Both => true,
        Dialect::JsonPath => language == QueryLanguage::JsonPath,
        Dialect::Jsonata => language == QueryLanguage::Jsonata,
    }
}

fn is_false(value: &Spanned) -> bool {
    value.kind() == Kind::Bool && value.as_scalar().and_then(stepwell_json::Json::as_bool) == Some(false)
}

/// `"A", "B" and "C"`
pub(crate) fn quoted_list(names: &[&str], last_word: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {last_word} {last}", first.join(", ")),
    }
}

/// The field of the other query language that does the same.
fn counterpart(place: Place, name: &str, language: QueryLanguage) -> Option<&'static str> {
    let other = match (language, name) {
        (QueryLanguage::Jsonata, "Parameters") if place == Place::Map => "ItemSelector",
        (QueryLanguage::Jsonata, "Parameters") if place != Place::Pass => "Arguments",
        (QueryLanguage::Jsonata, "Parameters" | "Result" | "ResultSelector" | "ResultPath" | "OutputPath") => "Output",
        (QueryLanguage::Jsonata, "ItemsPath") => "Items",
        (QueryLanguage::Jsonata, "RoleArn.$") => "RoleArn",
        (QueryLanguage::Jsonata, "InputPath") => return None,
        (QueryLanguage::Jsonata, path) if path.ends_with("Path") && field(place, path).is_some() => {
            path.trim_end_matches("Path")
        }
        (QueryLanguage::Jsonata, _) => "Condition",
        (QueryLanguage::JsonPath, "Arguments") => "Parameters",
        (QueryLanguage::JsonPath, "Items") => "ItemsPath",
        (QueryLanguage::JsonPath, "Condition") => "Variable",
        (QueryLanguage::JsonPath, "Output") if matches!(place, Place::Task | Place::Parallel | Place::Map) => {
            "ResultSelector"
        }
        (QueryLanguage::JsonPath, "Output") if place == Place::Pass => "Parameters",
        (QueryLanguage::JsonPath, _) => return None,
    };
    field(place, other).map(|row| row.name)
}
