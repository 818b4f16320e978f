//! Task states: what they ask of which worker.

use stepwell_json::Json;

use super::query::expression;
use super::workflow::{Kind, Scope, States, Way};
use super::{Fields, Writer, field};
use crate::worker;

/// Names of errors that a task may report.
const ERRORS: &[&str] = &[
    "Custom.A",
    "Custom.B",
    "Custom.C",
    "BadInput",
    "States.TaskFailed",
    "States.Timeout",
    "States.HeartbeatTimeout",
    "States.IntrinsicFailure",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
];

/// Names for the failure of a task whose heartbeat is missed. What else stands for that is not documented.
const SILENT_ERRORS: &[&str] = &["Custom.A", "BadInput", "States.Timeout", "States.HeartbeatTimeout"];

const DAY_SECONDS: u64 = 86_400;

impl Writer {
    pub(super) fn task(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Task", is_jsonata, scope);
        let function = match self.chance.below(20) {
            0..=3 => "echo",
            4..=6 => "add",
            7..=8 => "shape",
            9..=10 => "total",
            11..=13 => "fail-if",
            14..=16 => "flaky",
            17..=18 => "ladder",
            _ => "never",
        };
        let is_activity = self.chance.percent(25);
        let kind = match is_activity {
            true => "states:us-east-1:123456789012:activity",
            false => "lambda:us-east-1:123456789012:function",
        };
        fields.push(field("Resource", format!("arn:aws:{kind}:{function}")));
        let argument = self.argument(function, is_jsonata, scope);
        if is_jsonata {
            if function != "echo" || self.chance.percent(60) {
                fields.push(field("Arguments", argument));
            }
        } else if function != "echo" || self.chance.percent(60) {
            if self.chance.percent(10) {
                fields.push(field("InputPath", self.chance.pick(&["$", "$$.Execution.Input"])));
            }
            fields.push(field("Parameters", argument));
        } else {
            fields.push(field("InputPath", self.plain_path(Kind::Any)));
        }
        let has_heartbeat = self.limits(function, is_activity, is_jsonata, scope, &mut fields);
        let names = if has_heartbeat { SILENT_ERRORS } else { ERRORS };
        self.task_result(is_jsonata, scope, &mut fields);
        self.output_path(is_jsonata, way, &mut fields);
        let share = if matches!(function, "flaky" | "ladder") { 85 } else { 30 };
        fields.extend(self.retry(names, share, scope));
        fields.extend(self.catch(names, is_jsonata, way, scope, states));
        fields.extend(self.assign(is_jsonata, false, scope));
        fields.push(way.field());
        states.add(name, fields);
    }

    /// What a function gets.
    fn argument(&mut self, function: &str, is_jsonata: bool, scope: &Scope) -> Json {
        let mut members = Vec::new();
        let mut of = |writer: &mut Writer, name: &str, kind| {
            let member = if is_jsonata {
                field(name, writer.risky_query(kind, scope))
            } else {
                field(&format!("{name}.$"), writer.risky_path(kind, scope))
            };
            members.push(member);
        };
        match function {
            "add" => {
                of(self, "a", Kind::Number);
                of(self, "b", Kind::Number);
            }
            "total" => of(self, "list", Kind::List),
            "fail-if" => {
                of(self, "when", Kind::Boolean);
                of(self, "value", Kind::Any);
                members.push(field("error", self.error()));
                members.push(field("cause", self.word()));
            }
            "flaky" | "ladder" => {
                of(self, "value", Kind::Any);
                members.push(attempt(is_jsonata));
                if function == "flaky" {
                    members.push(field("failures", self.chance.below(4) as u64));
                    members.push(field("error", self.error()));
                } else {
                    let count = self.chance.between(1, 4);
                    members.push(field("errors", Json::array((0..count).map(|_| Json::from(self.error())).collect())));
                }
            }
            "echo" | "shape" if is_jsonata && self.chance.percent(20) => {
                return Json::from(expression("$states.input.o"));
            }
            _ if is_jsonata => return self.query_object(scope),
            _ => return self.template(scope),
        }
        Json::object(members)
    }

    /// `TimeoutSeconds` and `HeartbeatSeconds`: short where nobody answers, and long everywhere else.
    ///
    /// Says whether there is a heartbeat: only an activity's worker could give one.
    fn limits(
        &mut self,
        function: &str,
        is_activity: bool,
        is_jsonata: bool,
        scope: &Scope,
        fields: &mut Fields,
    ) -> bool {
        if worker::stays_silent(function) {
            let timeout = self.chance.between(40, 600) as u64;
            match self.chance.below(3) {
                0 if is_activity => {
                    fields.push(field("TimeoutSeconds", timeout));
                    if is_jsonata || self.chance.percent(50) {
                        fields.push(field("HeartbeatSeconds", timeout / 2));
                    } else {
                        fields.push(field("HeartbeatSecondsPath", "$.beat"));
                    }
                    return true;
                }
                _ if is_jsonata => {
                    let number = self.query(Kind::Number, scope);
                    fields.push(field("TimeoutSeconds", expression(&format!("{timeout} + $abs({number})"))));
                }
                _ => fields.push(field("TimeoutSeconds", timeout)),
            }
            return false;
        }
        match self.chance.below(10) {
            0 => fields.push(field("TimeoutSeconds", DAY_SECONDS * self.chance.between(1, 3) as u64)),
            1 if is_jsonata => fields.push(field("TimeoutSeconds", expression("$states.input.limit"))),
            1 if !fields.iter().any(|(name, _)| name == "InputPath") => {
                fields.push(field("TimeoutSecondsPath", "$.limit"));
            }
            _ => {}
        }
        false
    }

    /// What is made of the result.
    fn task_result(&mut self, is_jsonata: bool, scope: &Scope, fields: &mut Fields) {
        if is_jsonata {
            let value = match self.chance.below(4) {
                0 => "$states.result",
                1 => "$exists($states.result.value) ? $states.result.value : 0",
                2 => "{ \"kept\": $states.result, \"of\": $states.input.n }",
                _ if self.chance.percent(scope.risk) => "$states.result.missing",
                _ => "$type($states.result)",
            };
            fields.push(field("Output", self.document_query("r", value)));
            return;
        }
        if self.chance.percent(30) {
            let selector = match self.chance.below(3) {
                0 => Json::object([field("whole.$", "$"), field("by.$", "$$.State.Name")]),
                1 => Json::object([field("text.$", "States.JsonToString($)"), field("fixed", 1)]),
                _ if self.chance.percent(scope.risk) => Json::object([field("v.$", "$.missing")]),
                _ => Json::object([field("values.$", "$..value")]),
            };
            fields.push(field("ResultSelector", selector));
        }
        let path = match self.chance.below(12) {
            0 => Json::Null,
            1 => Json::from("$.o.r"),
            2 => Json::from("$.items[0].r"),
            3 if self.chance.percent(scope.risk * 4) => Json::from("$.n.below"),
            _ => Json::from("$.r"),
        };
        fields.push(field("ResultPath", path));
    }
}

/// The attempt, from 0, as the context object tells it.
pub(super) fn attempt(is_jsonata: bool) -> (String, Json) {
    match is_jsonata {
        true => field("attempt", expression("$states.context.State.RetryCount")),
        false => field("attempt.$", "$$.State.RetryCount"),
    }
}
