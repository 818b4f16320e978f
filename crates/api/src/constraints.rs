//! Constraints of the model, and AWS's sentence about every value that breaks one.
//!
//! `2 validation errors detected: Value '…' at 'maxResults' failed to satisfy constraint: Member must have value less than
//! or equal to 1000; Value null at 'name' failed to satisfy constraint: Member must not be null`

use std::fmt::Write as _;

use stepwell_json::Json;
use stepwell_spec::shapes::{Kind, Measure, Member, Shape};

use crate::refusal::Refusal;

/// Violations that are told. A request can hold more faults than an answer should.
const TOLD_MAX: usize = 100;

/// Refuses a request that breaks constraints, telling all of them.
///
/// The JSON types must have been checked.
pub(crate) fn check(shape: &Shape, json: &Json) -> Result<(), Refusal> {
    let mut violations = Violations { told: Vec::new(), path: String::new() };
    violations.structure(shape, json);
    let Violations { told, .. } = violations;
    match told.len() {
        0 => Ok(()),
        1 => Err(Refusal::constraints(format!("1 validation error detected: {}", told[0]))),
        count => Err(Refusal::constraints(format!("{count} validation errors detected: {}", told.join("; ")))),
    }
}

struct Violations {
    told: Vec<String>,
    /// Where we are: `routingConfiguration.1.member.weight`.
    path: String,
}

impl Violations {
    fn structure(&mut self, shape: &Shape, json: &Json) {
        let members = shape.members();
        for member in in_java_order(members) {
            let depth = self.path.len();
            if depth > 0 {
                self.path.push('.');
            }
            self.path.push_str(member.name);
            match json.get(member.name) {
                None | Some(Json::Null) if member.required => self.missing(member.shape),
                None | Some(Json::Null) => {}
                Some(json) => self.value(member.shape, json),
            }
            self.path.truncate(depth);
        }
    }

    fn value(&mut self, shape: &Shape, json: &Json) {
        match &shape.kind {
            Kind::Structure(_) => self.structure(shape, json),
            Kind::List { items, .. } => {
                for broken in broken_constraints(shape, json) {
                    self.tell(shape, json, &broken);
                }
                self.items(shape, items, json);
            }
            Kind::Map { .. } | Kind::Event | Kind::Boolean | Kind::Timestamp => {}
            Kind::Text { .. } | Kind::Choice(_) | Kind::Integer { .. } | Kind::Long { .. } | Kind::Float { .. } => {
                for broken in broken_constraints(shape, json) {
                    self.tell(shape, json, &broken);
                }
            }
        }
    }

    fn items(&mut self, list: &Shape, shape: &Shape, json: &Json) {
        let items = json.as_array().map(|array| &**array).unwrap_or_default();
        if !matches!(shape.kind, Kind::Structure(_)) {
            // A list of scalars is judged as a whole: the sentence names every rule, and not the item.
            if items.iter().any(|item| item.is_null() || !broken_constraints(shape, item).is_empty()) {
                let rules = [rules(shape), vec!["Member must not be null".to_owned()]].concat().join(", ");
                self.tell(list, json, &format!("Member must satisfy constraint: [{rules}]"));
            }
            return;
        }
        for (place, item) in items.iter().enumerate() {
            if self.told.len() >= TOLD_MAX {
                return;
            }
            let depth = self.path.len();
            let _ = write!(self.path, ".{}.member", place + 1);
            match item {
                Json::Null => self.missing(shape),
                item => self.structure(shape, item),
            }
            self.path.truncate(depth);
        }
    }

    fn missing(&mut self, shape: &Shape) {
        let what = if shape.sensitive { "Value" } else { "Value null" };
        self.push(format!("{what} at '{}' failed to satisfy constraint: Member must not be null", self.path));
    }

    fn tell(&mut self, shape: &Shape, json: &Json, broken: &str) {
        // Values that are secret are not repeated.
        let what = if shape.sensitive { "Value".to_owned() } else { format!("Value '{}'", java_text(shape, json)) };
        self.push(format!("{what} at '{}' failed to satisfy constraint: {broken}", self.path));
    }

    fn push(&mut self, sentence: String) {
        if self.told.len() < TOLD_MAX {
            self.told.push(sentence);
        }
    }
}

/// The rules of a shape that a value breaks, in AWS's words.
fn broken_constraints(shape: &Shape, json: &Json) -> Vec<String> {
    let mut broken = Vec::new();
    match (&shape.kind, json) {
        (Kind::Text { min, max, measure, pattern }, Json::String(text)) => {
            if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
                broken.push(matching(pattern.text()));
            }
            let length = match measure {
                Measure::Characters => text.chars().count(),
                Measure::Bytes => text.len(),
            };
            if max.is_some_and(|max| length as u64 > max) {
                broken.extend(max.map(|max| at_most(*measure, max)));
            }
            if min.is_some_and(|min| (length as u64) < min) {
                broken.extend(min.map(|min| at_least(*measure, min)));
            }
        }
        (Kind::Choice(texts), Json::String(text)) if !texts.contains(&&**text) => broken.push(one_of(texts)),
        (Kind::List { min, max, .. }, Json::Array(items)) => {
            let length = items.len() as u64;
            broken.extend(max.filter(|max| length > *max).map(|max| at_most(Measure::Characters, max)));
            broken.extend(min.filter(|min| length < *min).map(|min| at_least(Measure::Characters, min)));
        }
        (Kind::Integer { min, max }, Json::Number(_)) => {
            let value = integer(json);
            broken.extend(max.filter(|max| value > *max).map(|max| value_at_most(&max.to_string())));
            broken.extend(min.filter(|min| value < *min).map(|min| value_at_least(&min.to_string())));
        }
        (Kind::Long { min }, Json::Number(_)) => {
            let value = integer(json);
            broken.extend(min.filter(|min| value < *min).map(|min| value_at_least(&min.to_string())));
        }
        (Kind::Float { min, max }, Json::Number(number)) => {
            let value = number.as_f64();
            if value > *max {
                broken.push(value_at_most(&max.to_string()));
            }
            if value < *min {
                broken.push(value_at_least(&min.to_string()));
            }
        }
        _ => {}
    }
    broken
}

/// Every rule of a scalar, in AWS's words.
fn rules(shape: &Shape) -> Vec<String> {
    match &shape.kind {
        Kind::Text { min, max, measure, pattern } => {
            let max = max.map(|max| at_most(*measure, max));
            let min = min.map(|min| at_least(*measure, min));
            let pattern = pattern.map(|pattern| matching(pattern.text()));
            max.into_iter().chain(min).chain(pattern).collect()
        }
        Kind::Choice(texts) => vec![one_of(texts)],
        _ => Vec::new(),
    }
}

fn at_most(measure: Measure, max: u64) -> String {
    match measure {
        Measure::Characters => format!("Member must have length less than or equal to {max}"),
        Measure::Bytes => format!("Member must have size less than or equal to {max} bytes in UTF-8 encoding"),
    }
}

fn at_least(measure: Measure, min: u64) -> String {
    match measure {
        Measure::Characters => format!("Member must have length greater than or equal to {min}"),
        Measure::Bytes => format!("Member must have size greater than or equal to {min} bytes in UTF-8 encoding"),
    }
}

fn value_at_most(max: &str) -> String {
    format!("Member must have value less than or equal to {max}")
}

fn value_at_least(min: &str) -> String {
    format!("Member must have value greater than or equal to {min}")
}

fn matching(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn one_of(texts: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", texts.join(", "))
}

/// A number's whole part.
fn integer(json: &Json) -> i64 {
    json.as_number().and_then(|number| number.as_integral()).unwrap_or_else(|| json.as_f64().unwrap_or(0.0) as i64)
}

/// A value as Java's `toString` shows it: `[RoutingConfigurationListItem(stateMachineVersionArn=…, weight=50)]`
fn java_text(shape: &Shape, json: &Json) -> String {
    match (&shape.kind, json) {
        (_, Json::String(text)) => text.as_ref().to_owned(),
        (Kind::Integer { .. } | Kind::Long { .. }, Json::Number(_)) => integer(json).to_string(),
        (Kind::Structure(members), Json::Object(object)) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| {
                    let value = object.get(member.name).unwrap_or(&Json::Null);
                    format!("{}={}", member.name, java_text(member.shape, value))
                })
                .collect();
            format!("{}({})", shape.name, members.join(", "))
        }
        (Kind::List { items, .. }, Json::Array(array)) => {
            let items: Vec<String> = array.iter().map(|item| java_text(items, item)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => json.to_string(),
    }
}

fn in_java_order(members: &'static [Member]) -> Vec<&'static Member> {
    let mut members: Vec<&Member> = members.iter().collect();
    members.sort_by_key(|member| java_order(member.name));
    members
}

/// Where a name stands in a Java `HashMap` of 16 buckets.
///
/// AWS tells several violations in the order its validator's map of members has. Inferred from answers of Simple
/// Workflow, DynamoDB and SNS; requests of Step Functions have twelve members at most, so the map never grows.
fn java_order(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & 15
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_spec::Action;

    fn check_message(action: Action, text: &str, expected: &str) {
        let json = Json::parse(text).expect(text);
        let message =
            check(action.facts().request, &json).err().and_then(|refusal| refusal.message().map(str::to_owned));
        assert_eq!(message.as_deref().unwrap_or("fine"), expected, "{text}");
    }

    #[test]
    fn each_constraint_has_its_sentence() {
        let one = |sentence: &str| format!("1 validation error detected: {sentence}");
        let failed = "failed to satisfy constraint: Member must";
        check_message(
            Action::ListStateMachines,
            r#"{"maxResults":1001}"#,
            &one(&format!("Value '1001' at 'maxResults' {failed} have value less than or equal to 1000")),
        );
        check_message(
            Action::ListStateMachines,
            r#"{"maxResults":-1}"#,
            &one(&format!("Value '-1' at 'maxResults' {failed} have value greater than or equal to 0")),
        );
        check_message(
            Action::ListStateMachines,
            r#"{"nextToken":""}"#,
            &one(&format!("Value '' at 'nextToken' {failed} have length greater than or equal to 1")),
        );
        check_message(
            Action::DescribeActivity,
            "{}",
            &one(&format!("Value null at 'activityArn' {failed} not be null")),
        );
        check_message(
            Action::DescribeStateMachine,
            r#"{"stateMachineArn":"a","includedData":"SOME"}"#,
            &one(&format!("Value 'SOME' at 'includedData' {failed} satisfy enum value set: [ALL_DATA, METADATA_ONLY]")),
        );
        check_message(
            Action::RedriveExecution,
            r#"{"executionArn":"a","clientToken":"a b"}"#,
            &one(&format!("Value 'a b' at 'clientToken' {failed} satisfy regular expression pattern: [!-~]+")),
        );
        check_message(
            Action::UpdateMapRun,
            r#"{"mapRunArn":"a","toleratedFailurePercentage":100.5}"#,
            &one(&format!(
                "Value '100.5' at 'toleratedFailurePercentage' {failed} have value less than or equal to 100"
            )),
        );
        check_message(
            Action::UntagResource,
            r#"{"resourceArn":"a","tagKeys":["ok",""]}"#,
            &one(&format!(
                "Value '[ok, ]' at 'tagKeys' {failed} satisfy constraint: [Member must have length less than or equal to \
                 128, Member must have length greater than or equal to 1, Member must not be null]"
            )),
        );
        check_message(
            Action::TagResource,
            r#"{"resourceArn":"a","tags":[{"key":"k"},null]}"#,
            &one(&format!("Value null at 'tags.2.member' {failed} not be null")),
        );
        check_message(Action::TagResource, r#"{"resourceArn":"a","tags":[{"key":"k","value":""}]}"#, "fine");
    }

    #[test]
    fn routing_configurations_are_shown_as_java_shows_them() {
        check_message(
            Action::CreateStateMachineAlias,
            r#"{"name":"n","routingConfiguration":[{"stateMachineVersionArn":"a:1","weight":101}]}"#,
            "1 validation error detected: Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy \
             constraint: Member must have value less than or equal to 100",
        );
        check_message(
            Action::CreateStateMachineAlias,
            r#"{"name":"n","routingConfiguration":[{"stateMachineVersionArn":"a:1","weight":50},{"stateMachineVersionArn":"a:2","weight":30},{"stateMachineVersionArn":"a:3","weight":20}]}"#,
            "1 validation error detected: Value '[RoutingConfigurationListItem(stateMachineVersionArn=a:1, weight=50), \
             RoutingConfigurationListItem(stateMachineVersionArn=a:2, weight=30), \
             RoutingConfigurationListItem(stateMachineVersionArn=a:3, weight=20)]' at 'routingConfiguration' failed to \
             satisfy constraint: Member must have length less than or equal to 2",
        );
    }

    #[test]
    fn sensitive_values_are_not_repeated_and_payloads_are_counted_in_bytes() {
        let input = "é".repeat(131_073);
        check_message(
            Action::StartExecution,
            &format!(r#"{{"stateMachineArn":"a","input":"{input}"}}"#),
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have size less than or \
             equal to 262144 bytes in UTF-8 encoding",
        );
        check_message(
            Action::SendTaskHeartbeat,
            "{}",
            "1 validation error detected: Value at 'taskToken' failed to satisfy constraint: Member must not be null",
        );
    }

    #[test]
    fn several_violations_are_told_together() {
        check_message(
            Action::CreateStateMachine,
            r#"{"type":"FAST","definition":"{}"}"#,
            "3 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
             Value null at 'name' failed to satisfy constraint: Member must not be null; Value 'FAST' at 'type' failed to \
             satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]",
        );
        let tags = vec![r#"{"key":""}"#; 5_000].join(",");
        let json = Json::parse(&format!(r#"{{"resourceArn":"a","tags":[{tags}]}}"#)).expect("JSON");
        let refusal = check(Action::TagResource.facts().request, &json).expect_err("empty keys");
        assert!(refusal.message().is_some_and(|message| message.len() < 20_000));
    }

    #[test]
    fn the_order_is_that_of_a_java_map() {
        let sorted = |names: &[&'static str]| {
            let mut names = names.to_vec();
            names.sort_by_key(|name| java_order(name));
            names
        };
        assert_eq!(sorted(&["domain", "execution"]), ["execution", "domain"]);
        assert_eq!(sorted(&["attributeName", "attributeType"]), ["attributeType", "attributeName"]);
        assert_eq!(sorted(&["readCapacityUnits", "writeCapacityUnits"]), ["writeCapacityUnits", "readCapacityUnits"]);
        assert_eq!(sorted(&["label", "aWSAccountId", "actionName"]), ["aWSAccountId", "label", "actionName"]);
        assert!(Action::ALL.iter().all(|action| action.facts().request.members().len() <= 12));
    }
}
