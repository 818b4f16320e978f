//! Retriers and Catchers, and what stands behind a Catcher.

use stepwell_json::Json;

use super::query::expression;
use super::workflow::{Kind, Scope, States, Way};
use super::{Fields, Writer, field};

impl Writer {
    /// `Retry`, sometimes. The names are those that the state may report.
    pub(super) fn retry(&mut self, names: &[&str], share: usize, scope: &Scope) -> Option<(String, Json)> {
        if scope.is_express || !self.chance.percent(share) {
            return None;
        }
        let count = self.chance.between(1, 3);
        let retriers = (0..count).map(|place| {
            let mut fields = vec![self.error_equals(names, place + 1 == count)];
            if self.chance.percent(60) {
                fields.push(field("MaxAttempts", self.chance.below(4) as u64));
            }
            let interval = self.chance.between(1, 20) as u64;
            if self.chance.percent(60) {
                fields.push(field("IntervalSeconds", interval));
            }
            if self.chance.percent(50) {
                let rates = ["1.0", "1", "1.5", "2.0", "3.25"];
                let rate = Json::parse(rates[self.chance.below(rates.len())]);
                fields.push(field("BackoffRate", rate.unwrap_or(Json::from(2))));
            }
            if self.chance.percent(30) {
                fields.push(field("MaxDelaySeconds", interval + self.chance.between(1, 30) as u64));
            }
            if self.chance.percent(20) {
                fields.push(field("JitterStrategy", self.chance.pick(&["FULL", "NONE"])));
            }
            Json::object(fields)
        });
        Some(field("Retry", Json::array(retriers.collect())))
    }

    /// `Catch`, sometimes, and the states it leads to.
    pub(super) fn catch(
        &mut self,
        names: &[&str],
        is_jsonata: bool,
        way: &Way,
        scope: &Scope,
        states: &mut States,
    ) -> Option<(String, Json)> {
        if !self.chance.percent(60) {
            return None;
        }
        let count = self.chance.between(1, 2);
        let catchers = (0..count).map(|place| {
            let mut fields = vec![self.error_equals(names, place + 1 == count)];
            if is_jsonata && way.next.is_none() && self.chance.percent(30) {
                // What was caught is the output.
                fields.push(field("Next", self.onward(way, states)));
            } else if is_jsonata {
                self.catch_by_query(&mut fields, way, states);
            } else {
                self.catch_by_path(&mut fields, way, scope, states);
            }
            let text = scope.own.iter().find(|variable| variable.kind == Kind::Text);
            if let Some(variable) = text.filter(|_| self.chance.percent(40)) {
                let assigned = if is_jsonata {
                    field(&variable.name, expression("$states.errorOutput.Error"))
                } else {
                    field(&format!("{}.$", variable.name), "$.Error")
                };
                fields.push(field("Assign", Json::object([assigned])));
            }
            Json::object(fields)
        });
        Some(field("Catch", Json::array(catchers.collect())))
    }

    fn error_equals(&mut self, names: &[&str], is_last: bool) -> (String, Json) {
        if is_last && self.chance.percent(50) {
            return field("ErrorEquals", Json::array(vec![Json::from("States.ALL")]));
        }
        let count = self.chance.between(1, 2);
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..count {
            let name = names[self.chance.below(names.len())];
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
        field("ErrorEquals", Json::array(chosen.into_iter().map(Json::from).collect()))
    }

    /// Only the name of an error goes on in the data where the cause may be the executor's own words.
    fn catch_by_query(&mut self, fields: &mut Fields, way: &Way, states: &mut States) {
        let told = match self.chance.below(3) {
            0 => "$states.errorOutput.Error",
            1 => "{ \"Error\": $states.errorOutput.Error }",
            _ => "$contains($states.errorOutput.Error, \"States.\") ? null : $states.errorOutput",
        };
        fields.push(field("Output", self.document_query("caught", told)));
        fields.push(field("Next", self.onward(way, states)));
    }

    /// What was caught is looked at first: a cause of the executor's own words must not get into the data.
    fn catch_by_path(&mut self, fields: &mut Fields, way: &Way, scope: &Scope, states: &mut States) {
        let next = self.onward(way, states);
        let place = match self.chance.below(5) {
            0 => {
                fields.push(field("ResultPath", Json::Null));
                fields.push(field("Next", next));
                return;
            }
            1 if !scope.keeps_document => "$",
            _ => "$.caught",
        };
        let below = |name: &str| if place == "$" { format!("$.{name}") } else { format!("{place}.{name}") };
        if place != "$" || self.chance.percent(50) {
            fields.push(field("ResultPath", place));
        }
        let (look, tidy) = (self.name("Caught"), self.name("Tidy"));
        fields.push(field("Next", &*look));
        self.states_left = self.states_left.saturating_sub(2);
        let mut rule =
            vec![field("Variable", below("Error")), field("StringMatches", "States.*"), field("Next", &*tidy)];
        let mut looks = vec![field("Type", "Choice")];
        let mut tidies = vec![field("Type", "Pass")];
        if place == "$" {
            // The document is gone, and another one takes its place whatever was caught.
            rule[1] = field("StringMatches", "*");
            let mut document = super::document::literal(&mut self.chance);
            if let Json::Object(members) = &document {
                document = Json::Object(members.with("caught.$", Json::from("$.Error")));
            }
            tidies.push(field("Parameters", document));
        } else {
            tidies.push(field("InputPath", below("Error")));
            tidies.push(field("ResultPath", place));
        }
        tidies.push(field("Next", &*next));
        looks.push(field("Choices", Json::array(vec![Json::object(rule)])));
        looks.push(field("Default", if place == "$" { &tidy } else { &next }.as_str()));
        states.add(look, looks);
        states.add(tidy, tidies);
    }
}
