//! Evaluating JSONata templates, with AWS's words for what goes wrong and where.

use std::fmt;

use stepwell_asl::{Query, QueryTemplate};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_jsonata::{Environment, Limits, Outcome};
use stepwell_spec::Text;

use crate::failure::Failure;
use crate::scope::States;

/// The path of a field in its state, as causes name it: `Output/total`, `Choices[1]/Condition`. Put into text only when
/// something failed there.
#[derive(Clone, Copy)]
pub(crate) enum Location<'a> {
    Field(&'a str),
    Member(&'a Location<'a>, &'a str),
    Item(&'a Location<'a>, usize),
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Field(name) => f.write_str(name),
            Location::Member(parent, name) => write!(f, "{parent}/{name}"),
            Location::Item(parent, place) => write!(f, "{parent}[{place}]"),
        }
    }
}

/// Evaluates every expression in a template that stands at this place.
pub(crate) fn evaluate_template(
    template: &QueryTemplate,
    location: &Location<'_>,
    states: &States<'_>,
) -> Result<Json, Failure> {
    match template {
        QueryTemplate::Literal(value) => Ok(value.clone()),
        QueryTemplate::Query(query) => evaluate(query, location, states),
        QueryTemplate::Array(items) => {
            let items = items.iter().enumerate();
            let values: Result<Vec<Json>, Failure> =
                items.map(|(place, item)| evaluate_template(item, &Location::Item(location, place), states)).collect();
            Ok(Json::array(values?))
        }
        QueryTemplate::Object(members) => {
            let mut object = ObjectBuilder::with_capacity(members.len());
            for (key, member) in members {
                object.insert(key.clone(), evaluate_template(member, &Location::Member(location, key), states)?);
            }
            Ok(Json::Object(object.build()))
        }
    }
}

/// Evaluates one expression to a value.
pub(crate) fn evaluate(query: &Query, location: &Location<'_>, states: &States<'_>) -> Result<Json, Failure> {
    let expression = &query.expression;
    let surroundings = states.surroundings;
    let variables = |name: &str| match name {
        "states" => Some(states.object(expression.may_read("states", "context"))),
        name => surroundings.variable(name),
    };
    let environment = Environment {
        input: None,
        variables: &variables,
        now_ms: surroundings.now.0,
        draw: &|| surroundings.chance.draw(),
        limits: Limits::default(),
    };
    let fault = match expression.evaluate(&environment) {
        Ok(Outcome::Value(value)) => return Ok(value),
        Ok(Outcome::Undefined) => "returned nothing (undefined).".to_owned(),
        Ok(Outcome::Function) => "returned an unsupported result type.".to_owned(),
        Err(error) => format!("threw an error during evaluation. {}: {}", error.code, error.message),
    };
    let text = expression.text();
    let fault = format!("The JSONata expression '{text}' specified for the field '{location}' {fault}");
    Err(surroundings.query_failure(Some(location), &fault))
}

/// The failure of an expression whose value has the wrong type.
pub(crate) fn wrong_type(
    query: &Query,
    location: &Location<'_>,
    expected: &str,
    value: &Json,
    states: &States<'_>,
) -> Failure {
    let text = query.expression.text();
    let kind = value.kind().name();
    let fault = format!(
        "The JSONata expression '{text}' specified for the field '{location}' returned an unexpected result type. \
         Expected '{expected}', but was '{kind}' for value: {value}"
    );
    states.surroundings.query_failure(Some(location), &fault)
}

/// A setting that must be text.
pub(crate) fn text_setting(query: &Query, location: &Location<'_>, states: &States<'_>) -> Result<Text, Failure> {
    match evaluate(query, location, states)? {
        Json::String(text) => Ok(text),
        other => Err(wrong_type(query, location, "string", &other, states)),
    }
}

/// A setting that must be a whole number, not negative.
pub(crate) fn count_setting(query: &Query, location: &Location<'_>, states: &States<'_>) -> Result<u64, Failure> {
    let value = evaluate(query, location, states)?;
    let Some(number) = value.as_number() else {
        return Err(wrong_type(query, location, "number", &value, states));
    };
    match number.as_integral().map(u64::try_from) {
        Some(Ok(count)) => Ok(count),
        Some(Err(_)) | None => {
            let text = query.expression.text();
            let fault = format!(
                "The JSONata expression '{text}' specified for the field '{location}' returned a value that is not a \
                 non-negative integer: {value}"
            );
            Err(states.surroundings.query_failure(Some(location), &fault))
        }
    }
}
