//! Writing a random machine: what is decided once for all of it.
//!
//! Data keeps one shape on its way ([`document`]), so that most paths lead somewhere; what breaks it is written on purpose,
//! and seldom. Every state is reached, every loop is counted, and the work that Maps, loops and retries multiply has a bound.

mod choice;
mod document;
mod fallbacks;
mod nested;
mod paths;
mod query;
mod simple;
mod task;
mod workflow;

use stepwell_json::Json;

use crate::chance::Chance;
use workflow::Scope;

/// States of a machine, at most and about.
const STATES_MAX: usize = 45;

/// The definition and the input of this seed.
pub(crate) fn machine(seed: u64) -> (Json, Json) {
    let mut writer = Writer { chance: Chance::new(seed), names: 0, states_left: STATES_MAX, nested_expressions: 0 };
    let is_jsonata = writer.chance.percent(45);
    let scope = Scope::of_machine(is_jsonata);
    let input = document::literal(&mut writer.chance);
    let mut members = Vec::new();
    if writer.chance.percent(10) {
        members.push(("Version", Json::from("1.0")));
    }
    if writer.chance.percent(20) {
        members.push(("Comment", Json::from("Written by chance.")));
    }
    if is_jsonata || writer.chance.percent(20) {
        members.push(("QueryLanguage", Json::from(if is_jsonata { "JSONata" } else { "JSONPath" })));
    }
    if writer.chance.percent(20) {
        // Half way between the lengths of executions, which are multiples of a hundred days and a little.
        let days = 50 + 100 * writer.chance.below(3) as u64;
        members.push(("TimeoutSeconds", Json::from(days * 86_400)));
    }
    members.extend(writer.workflow(&scope));
    (Json::object(members), input)
}

/// What writes a machine.
struct Writer {
    chance: Chance,
    /// Names given.
    names: usize,
    /// States that may still be written.
    states_left: usize,
    /// Expressions inside each other that are being written.
    nested_expressions: usize,
}

/// A state under its name.
type Named = (String, Json);

/// Fields of a state, in order.
type Fields = Vec<(String, Json)>;

impl Writer {
    /// A name no other state has.
    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        match self.chance.below(12) {
            0 => format!("{what} no. {}", self.names),
            1 => format!("{what} – Größe {}", self.names),
            _ => format!("{what}{}", self.names),
        }
    }

    /// A name of an error that tasks and Fail states report.
    fn error(&mut self) -> &'static str {
        self.chance.pick(&["Custom.A", "Custom.B", "Custom.C", "BadInput"])
    }

    /// A word.
    fn word(&mut self) -> &'static str {
        self.chance.pick(&["alpha", "beta-one", "gamma delta", "", "Ünïcode", "42", "true", "a*b"])
    }
}

/// A field.
fn field(name: &str, value: impl Into<Json>) -> (String, Json) {
    (name.to_owned(), value.into())
}
