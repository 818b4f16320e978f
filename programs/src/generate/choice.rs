//! Choice states and their rules.

use stepwell_json::Json;

use super::query::expression;
use super::workflow::{Kind, Scope, States, Way};
use super::{Fields, Writer, document, field};

impl Writer {
    pub(super) fn choice(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Choice", is_jsonata, scope);
        let next = self.onward(way, states);
        let mut targets = vec![next.clone()];
        targets.extend(way.further.iter().cloned());
        if self.chance.percent(40) {
            targets.push(self.aside(&next, scope, states));
        }
        let count = self.chance.between(1, 3);
        let mut rules = Vec::new();
        for place in 0..count {
            // What was written aside must be led to.
            let target =
                if place == 0 { &targets[targets.len() - 1] } else { &targets[self.chance.below(targets.len())] };
            let mut rule = if is_jsonata {
                vec![field("Condition", self.risky_query(Kind::Boolean, scope))]
            } else {
                self.rule(2, scope)
            };
            if self.chance.percent(25) {
                if is_jsonata {
                    self.output(&mut rule, scope);
                }
                rule.extend(self.assign(is_jsonata, true, scope));
            }
            rule.push(field("Next", &**target));
            rules.push(Json::object(rule));
        }
        fields.push(field("Choices", Json::array(rules)));
        if self.chance.percent(97) {
            fields.push(field("Default", &*next));
        } else {
            // Reached all the same.
            let rule = if is_jsonata {
                vec![field("Condition", expression("$states.input.n > 3")), field("Next", next)]
            } else {
                vec![field("Variable", "$.n"), field("NumericGreaterThan", 3), field("Next", next)]
            };
            let Some((_, Json::Array(rules))) = fields.pop() else { unreachable!("the rules were just added") };
            let rules = rules.iter().cloned().chain([Json::object(rule)]).collect();
            fields.push(field("Choices", Json::array(rules)));
        }
        if self.chance.percent(20) {
            if is_jsonata {
                self.output(&mut fields, scope);
            }
            fields.extend(self.assign(is_jsonata, true, scope));
        }
        states.add(name, fields);
    }

    /// A state beside the others: it leads on, or fails.
    fn aside(&mut self, next: &str, scope: &Scope, states: &mut States) -> String {
        let name = self.name("Aside");
        self.states_left = self.states_left.saturating_sub(1);
        if self.chance.percent(15) {
            let is_jsonata = self.language(scope);
            let fields = self.fail(is_jsonata, scope);
            states.add(&*name, fields);
        } else {
            self.pass(&name, &Way::to(next), scope, states);
        }
        name
    }

    /// A JSONPath rule, without its `Next`; the rules inside it are so many levels deep at most.
    fn rule(&mut self, depth: usize, scope: &Scope) -> Fields {
        if depth > 0 && self.chance.percent(35) {
            let inside = |writer: &mut Writer| {
                let count = writer.chance.between(1, 3);
                Json::array((0..count).map(|_| Json::object(writer.rule(depth - 1, scope))).collect())
            };
            return vec![match self.chance.below(3) {
                0 => field("And", inside(self)),
                1 => field("Or", inside(self)),
                _ => field("Not", Json::object(self.rule(depth - 1, scope))),
            }];
        }
        if self.chance.percent(scope.risk / 2) {
            return vec![field("Variable", "$.missing"), field("NumericEquals", 1)];
        }
        // Now and then the types do not fit: then no rule holds.
        let kind = [Kind::Number, Kind::Text, Kind::Boolean][self.chance.below(3)];
        let variable_kind = if self.chance.percent(8) { Kind::Any } else { kind };
        let known = scope.readable_of(kind);
        let variable = if !known.is_empty() && self.chance.percent(25) {
            format!("${}", known[self.chance.below(known.len())])
        } else {
            self.reference_path(variable_kind).to_owned()
        };
        let relation = self.chance.pick(&["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]);
        let (operator, literal) = match kind {
            _ if self.chance.percent(20) => {
                let trait_of = self.chance.pick(&["Null", "Present", "Numeric", "String", "Boolean", "Timestamp"]);
                let path = self.chance.pick(&["$.z", "$.n", "$.s", "$.missing", "$.t", "$.b"]);
                let path = if trait_of != "Present" && path == "$.missing" { "$.z" } else { path };
                return vec![field("Variable", path), field(&format!("Is{trait_of}"), self.chance.percent(50))];
            }
            Kind::Number => (format!("Numeric{relation}"), Json::from(self.chance.below(5) as u64)),
            Kind::Text if self.chance.percent(25) => {
                let time = document::TIMES[self.chance.below(document::TIMES.len())];
                let operator = format!("Timestamp{relation}");
                return self.comparison("$.t".to_owned(), operator, Json::from(time), "$.t");
            }
            Kind::Text if self.chance.percent(30) => {
                let pattern = self.chance.pick(&["*", "a*", "*-*", "*x", "a\\*b", "text", "*e*t*"]);
                return vec![field("Variable", variable), field("StringMatches", pattern)];
            }
            Kind::Text => (format!("String{relation}"), Json::from(self.word())),
            Kind::Boolean | Kind::List | Kind::Any => ("BooleanEquals".to_owned(), Json::from(self.chance.percent(50))),
        };
        let other = self.reference_path(kind);
        self.comparison(variable, operator, literal, other)
    }

    /// With a literal, or with what stands at a path.
    fn comparison(&mut self, variable: String, operator: String, literal: Json, path: &str) -> Fields {
        let operand =
            if self.chance.percent(30) { field(&format!("{operator}Path"), path) } else { field(&operator, literal) };
        vec![field("Variable", variable), operand]
    }
}
