//! Pass, Wait, the states that end a workflow, and loops of all of them.

use stepwell_json::Json;

use super::query::expression;
use super::workflow::{Kind, Scope, States, Way};
use super::{Fields, Writer, document, field};

/// A hundred days.
const LONG_SECONDS: u64 = 8_640_000;

impl Writer {
    /// The first fields of a state.
    pub(super) fn fields(&mut self, of_type: &str, is_jsonata: bool, scope: &Scope) -> Fields {
        let mut fields = vec![field("Type", of_type)];
        if self.chance.percent(5) {
            fields.push(field("Comment", "A note."));
        }
        if is_jsonata {
            self.say_jsonata(scope, &mut fields);
        }
        fields
    }

    pub(super) fn pass(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Pass", is_jsonata, scope);
        if is_jsonata {
            self.output(&mut fields, scope);
            fields.extend(self.assign(true, true, scope));
        } else {
            let sees_document = self.pass_by_paths(&mut fields, scope);
            fields.extend(self.assign(false, sees_document, scope));
        }
        fields.push(way.field());
        states.add(name, fields);
    }

    /// `OutputPath` of the last state of a workflow, sometimes: nobody after it needs a document.
    pub(super) fn output_path(&mut self, is_jsonata: bool, way: &Way, fields: &mut Fields) {
        if !is_jsonata && way.next.is_none() && self.chance.percent(20) {
            fields.push(match self.chance.below(5) {
                0 => field("OutputPath", Json::Null),
                _ => field("OutputPath", self.chance.pick(&["$.o", "$.items[*].s", "$.r", "$$.Execution.Input.items"])),
            });
        }
    }

    /// `Output` of a state, sometimes.
    pub(super) fn output(&mut self, fields: &mut Fields, scope: &Scope) {
        let output = match self.chance.below(10) {
            0..=1 => return,
            2 => {
                let value = self.query(Kind::Number, scope);
                self.document_query("n", &value)
            }
            3 => {
                let value = self.query(Kind::Text, scope);
                self.document_query("s", &value)
            }
            4 => {
                let value = self.query(Kind::List, scope);
                self.document_query("l", &format!("$append([1], {value})"))
            }
            5 if self.chance.percent(scope.risk) => expression(self.wrong_query()),
            _ => {
                let value = self.query(Kind::Any, scope);
                self.document_query("r", &value)
            }
        };
        fields.push(field("Output", output));
    }

    /// The JSONPath fields of a Pass state. Says whether its result is a document.
    fn pass_by_paths(&mut self, fields: &mut Fields, scope: &Scope) -> bool {
        if self.chance.percent(scope.risk) {
            let wrong: &[(&str, &str)] = &[
                ("InputPath", "$.missing"),
                ("OutputPath", "$.l[99]"),
                ("ResultPath", "$.n.below"),
                ("ResultPath", "$.l[9]"),
            ];
            let (name, path) = wrong[self.chance.below(wrong.len())];
            fields.push(field(name, path));
            return true;
        }
        let way = self.chance.below(9);
        match way {
            3 | 4 | 6 if scope.keeps_document => return true,
            0 => {
                fields.push(field("Result", self.word()));
                fields.push(field("ResultPath", self.chance.pick(&["$.r", "$.s", "$.o.r", "$.o.s"])));
            }
            1 => {
                fields.push(field("InputPath", self.path_of_place(Kind::Number)));
                fields.push(field("ResultPath", self.chance.pick(&["$.n", "$.m", "$.r", "$.l[0]", "$.o.n"])));
            }
            2 => {
                fields.push(field("Parameters", self.template(scope)));
                fields.push(field("ResultPath", self.chance.pick(&["$.r", "$.o.r", "$.items[0].r", "$.r.deep.er"])));
            }
            3 | 4 => {
                fields.push(field("Parameters", self.document_template(scope)));
                return true;
            }
            5 if self.chance.percent(30) => {
                // An object inside has members of the same names.
                fields.push(field("InputPath", "$.o"));
                fields.push(field(
                    "Parameters",
                    Json::object([field("n.$", "$.n"), field("of.$", "$.l"), field("s", "fixed")]),
                ));
                fields.push(field("ResultPath", "$.r"));
            }
            5 => {
                fields.push(field("InputPath", self.path_of_place(Kind::Any)));
                fields.push(field("ResultPath", "$.r"));
            }
            6 => {
                fields.push(field("Result", document::literal(&mut self.chance)));
                if self.chance.percent(50) {
                    fields.push(field("ResultPath", Json::Null));
                    fields.push(field("InputPath", Json::Null));
                }
            }
            7 => {
                fields.push(field("ResultPath", "$.r"));
                fields.push(field("InputPath", "$$.Execution.Input.l"));
            }
            _ => return true,
        }
        false
    }

    /// A path to one place, sometimes to a list of them.
    fn path_of_place(&mut self, kind: Kind) -> String {
        if self.chance.percent(70) { self.reference_path(kind).to_owned() } else { self.plain_path(kind) }
    }

    pub(super) fn wait(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Wait", is_jsonata, scope);
        let seconds = match self.chance.below(40) {
            0 => 99_999_999,
            1..=5 => LONG_SECONDS * self.chance.between(1, 2) as u64,
            _ => self.chance.below(300) as u64,
        };
        fields.push(match self.chance.below(if is_jsonata { 3 } else { 5 }) {
            0 => {
                let times = ["2199-01-01T00:00:00Z", document::TIMES[self.chance.below(document::TIMES.len())]];
                field("Timestamp", times[usize::from(!self.chance.percent(4))])
            }
            1 if is_jsonata => {
                let kind = if self.chance.percent(scope.risk) { Kind::Text } else { Kind::Number };
                field("Seconds", expression(&self.query(kind, scope)))
            }
            3 => field("SecondsPath", if self.chance.percent(scope.risk) { "$.s" } else { "$.o.n" }),
            4 => field("TimestampPath", if self.chance.percent(scope.risk) { "$.s" } else { "$.t" }),
            _ => field("Seconds", seconds),
        });
        if is_jsonata {
            self.output(&mut fields, scope);
        } else if !scope.keeps_document && self.chance.percent(5) {
            fields.push(field("OutputPath", self.chance.pick(&["$", "$$.Execution.Input"])));
        }
        fields.extend(self.assign(is_jsonata, true, scope));
        fields.push(way.field());
        states.add(name, fields);
    }

    /// A Succeed state, or sometimes a Fail state.
    pub(super) fn end(&mut self, name: &str, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        if self.chance.percent(if scope.depth == 0 { 25 } else { 8 }) {
            let fields = self.fail(is_jsonata, scope);
            states.add(name, fields);
            return;
        }
        let mut fields = self.fields("Succeed", is_jsonata, scope);
        match (is_jsonata, self.chance.below(3)) {
            (true, 0) => fields.push(field("Output", self.query_object(scope))),
            (true, 1) => self.output(&mut fields, scope),
            (false, 0) => fields.push(field("InputPath", self.path_of_place(Kind::Any))),
            (false, 1) => fields.push(field("OutputPath", self.path_of_place(Kind::Any))),
            _ => {}
        }
        states.add(name, fields);
    }

    /// The fields of a Fail state. Inside of others it always has a name and a cause.
    pub(super) fn fail(&mut self, is_jsonata: bool, scope: &Scope) -> Fields {
        let mut fields = self.fields("Fail", is_jsonata, scope);
        if scope.depth == 0 && self.chance.percent(10) {
            return fields;
        }
        let error = self.error();
        fields.push(match self.chance.below(4) {
            0 if is_jsonata => field("Error", expression(&format!("\"Custom.\" & {}", self.query(Kind::Text, scope)))),
            0 => field("ErrorPath", self.path(Kind::Text, scope)),
            _ => field("Error", error),
        });
        fields.push(match self.chance.below(3) {
            0 if is_jsonata => field("Cause", self.risky_query(Kind::Text, scope)),
            0 => field("CausePath", format!("States.Format('because {{}}', {})", self.plain_path(Kind::Any))),
            _ => field("Cause", self.word()),
        });
        fields
    }

    /// Some states that run a few times: a counter in the data or in a variable says how often.
    pub(super) fn counted_loop(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let rounds = self.chance.between(2, 3);
        let scope = Scope { weight: scope.weight * rounds, keeps_document: true, ..scope.clone() };
        let counter = format!("k{}", self.names);
        let (body, step, check) = (self.name("Round"), self.name("Step"), self.name("Check"));
        if scope.only_jsonata {
            let mut fields = self.fields("Pass", true, &scope);
            fields.push(field("Output", self.document_query(&counter, "0")));
            fields.push(field("Next", &*body));
            states.add(name, fields);
            let mut fields = self.fields("Pass", true, &scope);
            let next = self.document_query(&counter, &format!("$states.input.{counter} + 1"));
            fields.push(field("Output", next));
            fields.push(field("Next", &*check));
            states.add(step.as_str(), fields);
            let mut fields = self.fields("Choice", true, &scope);
            let rule =
                [field("Condition", expression(&format!("$states.input.{counter} < {rounds}"))), field("Next", &*body)];
            fields.push(field("Choices", Json::array(vec![Json::object(rule)])));
            fields.push(field("Default", self.onward(way, states)));
            states.add(check, fields);
        } else {
            let zero = Json::object([("v", Json::from(0))]);
            let path = format!("$.{counter}");
            states.add(
                name,
                vec![field("Type", "Pass"), field("Result", zero), field("ResultPath", &*path), field("Next", &*body)],
            );
            let sum = Json::object([field("v.$", format!("States.MathAdd({path}.v, 1)"))]);
            states.add(
                step.as_str(),
                vec![
                    field("Type", "Pass"),
                    field("Parameters", sum),
                    field("ResultPath", &*path),
                    field("Next", &*check),
                ],
            );
            let rule = [
                field("Variable", format!("{path}.v")),
                field("NumericLessThan", rounds as u64),
                field("Next", &*body),
            ];
            let default = self.onward(way, states);
            states.add(
                check,
                vec![
                    field("Type", "Choice"),
                    field("Choices", Json::array(vec![Json::object(rule)])),
                    field("Default", default),
                ],
            );
        }
        self.states_left = self.states_left.saturating_sub(3);
        let way = Way::to(&step);
        match self.chance.below(3) {
            _ if scope.is_express => self.pass(&body, &way, &scope, states),
            0 => self.pass(&body, &way, &scope, states),
            1 => self.wait(&body, &way, &scope, states),
            _ => self.task(&body, &way, &scope, states),
        }
    }
}
