//! Choice: goes where the first rule that applies says.
//!
//! ```text
//! enter --(a rule applies)--> ChoiceStateEntered, ChoiceStateExited -> the rule's Next
//! enter --(none does)-------> … -> Default, or States.NoChoiceMatched
//! ```

use std::cmp::Ordering;

use stepwell_asl::{Choice, ChoiceRule, Comparison, Condition, DataFlow, Operand, State, Test};
use stepwell_json::{Json, Kind};
use stepwell_jsonpath::{Path, PathErrorKind};
use stepwell_spec::{Onward, OperandType, Relation, Timestamp, Trait, error};

use crate::data_flow::{self, Leaving};
use crate::decide::Burst;
use crate::execution::ThreadId;
use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, choice: &Choice) {
    let leaving = leaving(&burst.around(thread), state, choice);
    burst.leave(thread, leaving);
}

fn leaving(around: &Surroundings<'_>, state: &State, choice: &Choice) -> Result<Leaving, Failure> {
    let effective = data_flow::effective_input(around, state)?;
    for (place, rule) in choice.rules.iter().enumerate() {
        if applies(around, rule, place, &effective)? {
            return leave_by(around, state, rule, place, &effective);
        }
    }
    match choice.default {
        Some(next) => data_flow::leave_with_input(around, state, &effective, Onward::State(next.0)),
        None => Err(around.failure(error::NO_CHOICE_MATCHED, "No choice rule matched and there is no Default.")),
    }
}

/// A rule's own `Assign` and `Output` stand in for the state's.
fn leave_by(
    around: &Surroundings<'_>,
    state: &State,
    rule: &ChoiceRule,
    place: usize,
    effective: &Json,
) -> Result<Leaving, Failure> {
    let onward = Onward::State(rule.next.0);
    match &state.data_flow {
        DataFlow::JsonPath(flow) => {
            let output = data_flow::apply_path(around, &flow.output_path, effective)?;
            let assigned = data_flow::assign_from_path(around, rule.assign.as_ref(), effective)?;
            data_flow::finish(around, state, output, assigned, onward)
        }
        DataFlow::Jsonata(_) => {
            let states = States::new(around, effective);
            let choices = Location::Field("Choices");
            let entry = Location::Item(&choices, place);
            let output_location = Location::Member(&entry, "Output");
            let output = data_flow::evaluate_output(rule.output.as_ref(), &output_location, &states, effective)?;
            let assign_location = Location::Member(&entry, "Assign");
            let assigned = data_flow::assign_from_query(rule.assign.as_ref(), &assign_location, &states)?;
            data_flow::finish(around, state, output, assigned, onward)
        }
    }
}

fn applies(around: &Surroundings<'_>, rule: &ChoiceRule, place: usize, effective: &Json) -> Result<bool, Failure> {
    match &rule.condition {
        Condition::Test(test) => holds(around, test, effective),
        Condition::Literal(condition) => Ok(*condition),
        Condition::Query(query) => {
            let states = States::new(around, effective);
            let choices = Location::Field("Choices");
            let entry = Location::Item(&choices, place);
            let location = Location::Member(&entry, "Condition");
            match query::evaluate(query, &location, &states)? {
                Json::Bool(condition) => Ok(condition),
                other => Err(query::wrong_type(query, &location, "boolean", &other, &states)),
            }
        }
    }
}

fn holds(around: &Surroundings<'_>, test: &Test, effective: &Json) -> Result<bool, Failure> {
    match test {
        Test::And(tests) => {
            for test in tests {
                if !holds(around, test, effective)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Test::Or(tests) => {
            for test in tests {
                if holds(around, test, effective)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Test::Not(test) => Ok(!holds(around, test, effective)?),
        Test::Compare(comparison) => compare(around, comparison, effective),
    }
}

fn compare(around: &Surroundings<'_>, comparison: &Comparison, effective: &Json) -> Result<bool, Failure> {
    let relation = comparison.operator.relation();
    if let Relation::Is(looked_for) = relation {
        let expected = match &comparison.operand {
            Operand::Literal(value) => value.as_bool().unwrap_or(true),
            Operand::Path(path) => read(around, path, effective)?.as_bool().unwrap_or(true),
        };
        return Ok(is(around, looked_for, &comparison.variable, effective)? == expected);
    }
    let variable = read(around, &comparison.variable, effective)?;
    let operand = match &comparison.operand {
        Operand::Literal(value) => value.clone(),
        Operand::Path(path) => read(around, path, effective)?,
    };
    Ok(related(comparison.operator.operand_type(), relation, &variable, &operand))
}

/// A value of the wrong type is not an error: the test just does not hold.
fn related(operand_type: OperandType, relation: Relation, variable: &Json, operand: &Json) -> bool {
    let ordering = match operand_type {
        OperandType::String => match (variable.as_str(), operand.as_str()) {
            (Some(variable), Some(pattern)) if relation == Relation::Matches => return matches(pattern, variable),
            // AWS compares by UTF-16 units, as Java does.
            (Some(variable), Some(operand)) => Some(variable.encode_utf16().cmp(operand.encode_utf16())),
            _ => None,
        },
        OperandType::Number => match (variable.as_number(), operand.as_number()) {
            (Some(variable), Some(operand)) => variable.partial_cmp(operand),
            _ => None,
        },
        OperandType::Boolean => match (variable.as_bool(), operand.as_bool()) {
            (Some(variable), Some(operand)) => Some(variable.cmp(&operand)),
            _ => None,
        },
        OperandType::Timestamp => match (timestamp(variable), timestamp(operand)) {
            (Some(variable), Some(operand)) => Some(variable.cmp(&operand)),
            _ => None,
        },
    };
    let Some(ordering) = ordering else { return false };
    match relation {
        Relation::Equals => ordering == Ordering::Equal,
        Relation::LessThan => ordering == Ordering::Less,
        Relation::GreaterThan => ordering == Ordering::Greater,
        Relation::LessThanEquals => ordering != Ordering::Greater,
        Relation::GreaterThanEquals => ordering != Ordering::Less,
        Relation::Matches | Relation::Is(_) => false,
    }
}

fn timestamp(value: &Json) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?).ok()
}

fn is(around: &Surroundings<'_>, looked_for: Trait, variable: &Path, effective: &Json) -> Result<bool, Failure> {
    if looked_for == Trait::Present {
        return match variable.read_in(&around.over(effective)) {
            Ok(_) => Ok(true),
            Err(fault)
                if matches!(
                    fault.kind,
                    PathErrorKind::NotFound | PathErrorKind::NullDocument | PathErrorKind::UndefinedVariable
                ) =>
            {
                Ok(false)
            }
            Err(fault) => Err(invalid_variable(around, variable, &fault.message)),
        };
    }
    let value = read(around, variable, effective)?;
    Ok(match looked_for {
        Trait::Null => value.is_null(),
        Trait::Numeric => value.kind() == Kind::Number,
        Trait::String => value.kind() == Kind::String,
        Trait::Boolean => value.kind() == Kind::Bool,
        Trait::Timestamp => timestamp(&value).is_some(),
        Trait::Present => true,
    })
}

fn read(around: &Surroundings<'_>, path: &Path, effective: &Json) -> Result<Json, Failure> {
    path.read_in(&around.over(effective)).map_err(|fault| match fault.kind {
        PathErrorKind::NotFound | PathErrorKind::NullDocument => {
            invalid_variable(around, path, "The choice state's condition path references an invalid value.")
        }
        PathErrorKind::UndefinedVariable | PathErrorKind::Invalid | PathErrorKind::TooExpensive => {
            invalid_variable(around, path, &fault.message)
        }
    })
}

fn invalid_variable(around: &Surroundings<'_>, path: &Path, fault: &str) -> Failure {
    around.runtime_failure(&format!("Invalid path '{}': {fault}", path.text()))
}

/// `StringMatches`: `*` stands for any text, `\*` for an asterisk and `\\` for a backslash.
///
/// Linear in the product of both lengths at worst: on a mismatch only the last `*` takes one more character.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern_parts(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(PatternPart::Any) => {
                last_star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(PatternPart::Exactly(wanted)) if *wanted == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            Some(PatternPart::Exactly(_)) | None => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                at_pattern = star + 1;
                at_text = taken + 1;
            }
        }
    }
    pattern[at_pattern..].iter().all(|part| matches!(part, PatternPart::Any))
}

enum PatternPart {
    Any,
    Exactly(char),
}

fn pattern_parts(pattern: &str) -> Vec<PatternPart> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '*' => PatternPart::Any,
            '\\' => PatternPart::Exactly(characters.next().unwrap_or('\\')),
            other => PatternPart::Exactly(other),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("log-*.txt", "log-2020.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log-2020.txt2", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            (r"foo\*bar", "foo*bar", true),
            (r"foo\*bar", "fooXbar", false),
            (r"a\\*", r"a\b", true),
            ("**é", "xé", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_long_hostile_pattern_ends() {
        assert!(!matches(&"a*".repeat(2_000), &"a".repeat(1_999)));
        assert!(!matches(&format!("{}b", "*a".repeat(500)), &"a".repeat(5_000)));
    }

    #[test]
    fn values_of_other_types_are_not_related() {
        let json = |text: &str| Json::parse(text).expect("JSON");
        let check = |operand_type, relation, variable: &str, operand: &str, expected: bool| {
            assert_eq!(
                related(operand_type, relation, &json(variable), &json(operand)),
                expected,
                "{variable} {operand}"
            );
        };
        check(OperandType::Number, Relation::Equals, "1.0", "1", true);
        check(OperandType::Number, Relation::LessThan, "1", "2.5", true);
        check(OperandType::Number, Relation::Equals, "\"1\"", "1", false);
        check(OperandType::String, Relation::GreaterThanEquals, "\"b\"", "\"a\"", true);
        check(OperandType::String, Relation::LessThan, "null", "\"a\"", false);
        check(OperandType::Boolean, Relation::Equals, "true", "true", true);
        check(
            OperandType::Timestamp,
            Relation::Equals,
            "\"2020-01-01T01:00:00+01:00\"",
            "\"2020-01-01T00:00:00Z\"",
            true,
        );
        check(OperandType::Timestamp, Relation::LessThan, "\"2020\"", "\"2020-01-01T00:00:00Z\"", false);
    }
}
