//! JSONata: expressions by what they give, and values of them.

use stepwell_json::Json;

use super::workflow::{Kind, Scope};
use super::{Writer, field};

impl Writer {
    /// An expression that gives a value of this kind, without its `{% %}`.
    pub(super) fn query(&mut self, kind: Kind, scope: &Scope) -> String {
        if self.chance.percent(20) {
            let known = scope.readable_of(kind);
            if !known.is_empty() {
                return format!("${}", known[self.chance.below(known.len())]);
            }
        }
        self.nested_expressions += 1;
        // The last of each list is a plain one.
        let plain = self.nested_expressions > 4;
        let query = self.query_of(kind, plain, scope);
        self.nested_expressions -= 1;
        query
    }

    fn query_of(&mut self, kind: Kind, plain: bool, scope: &Scope) -> String {
        let mut below = |count| if plain { count - 1 } else { self.chance.below(count) };
        match kind {
            Kind::Number => match below(10) {
                0 => format!("({} + {})", self.query(kind, scope), self.chance.below(4)),
                1 => format!("$sum({})", self.query(Kind::List, scope)),
                2 => format!("$count({})", self.query(Kind::List, scope)),
                3 => format!("$length({})", self.query(Kind::Text, scope)),
                4 => format!("({} ? 1 : 2)", self.query(Kind::Boolean, scope)),
                5 if scope.has_item => "$states.context.Map.Item.Index".to_owned(),
                _ => self
                    .chance
                    .pick(&["$states.input.n", "$states.input.m", "$states.input.o.n", "$states.input.l[0]"])
                    .to_owned(),
            },
            Kind::Text => match below(9) {
                0 => format!("({} & \"+\")", self.query(kind, scope)),
                1 => format!("$uppercase({})", self.query(kind, scope)),
                2 => format!("$string({})", self.query(Kind::Any, scope)),
                3 => format!("$join([{}, \"x\"], \"-\")", self.query(kind, scope)),
                4 => "$states.context.State.Name".to_owned(),
                5 => format!("$hash({}, \"SHA-256\")", self.query(kind, scope)),
                _ => self
                    .chance
                    .pick(&["$states.input.s", "$states.input.o.s", "$states.input.items[0].s", "$states.input.t"])
                    .to_owned(),
            },
            Kind::Boolean => match below(7) {
                0 => format!("({} > {})", self.query(Kind::Number, scope), self.chance.below(5)),
                1 => format!("$not({})", self.query(kind, scope)),
                2 => format!("({} and {})", self.query(kind, scope), self.query(kind, scope)),
                3 => format!("({} in {})", self.query(Kind::Number, scope), self.query(Kind::List, scope)),
                4 => "$exists($states.input.missing)".to_owned(),
                5 => format!("({} = \"text\")", self.query(Kind::Text, scope)),
                _ => "$states.input.b".to_owned(),
            },
            Kind::List => match below(9) {
                0 => format!("[{}, {}]", self.query(Kind::Number, scope), self.query(Kind::Number, scope)),
                1 => "[$map($states.input.l, function($v) { $v * 2 })]".to_owned(),
                2 => "[$filter($states.input.l, function($v) { $v > 1 })]".to_owned(),
                3 => "$range(1, 5, 2)".to_owned(),
                4 => "[$states.input.items.n]".to_owned(),
                5 => "$append($states.input.l, [7])".to_owned(),
                _ => self.chance.pick(&["$states.input.l", "$states.input.o.l"]).to_owned(),
            },
            Kind::Any => match below(8) {
                0 => format!(
                    "{{ \"a\": {}, \"b\": {} }}",
                    self.query(Kind::Number, scope),
                    self.query(Kind::Text, scope)
                ),
                1 => "$merge([$states.input.o, $states.input.items[0]])".to_owned(),
                2 => "$states.context.Execution.Input.o".to_owned(),
                3 => "$parse($string($states.input.o))".to_owned(),
                4 => "$partition($states.input.l, 2)".to_owned(),
                5 if scope.has_item => "$states.context.Map.Item.Value".to_owned(),
                6 => self.query(Kind::Number, scope),
                _ => self
                    .chance
                    .pick(&["$states.input.o", "$states.input.items", "$states.input.l", "$states.input.s"])
                    .to_owned(),
            },
        }
    }

    /// An expression that fails, or gives nothing.
    pub(super) fn wrong_query(&mut self) -> &'static str {
        self.chance.pick(&[
            "$states.input.missing",
            "$states.input.s + 1",
            "$states.input.l[99]",
            "$uppercase($states.input.n)",
            "function($x) { $x }",
            "$parse(\"{\")",
            "$sum([\"a\"])",
        ])
    }

    /// Any expression in its `{% %}`, now and then a wrong one.
    pub(super) fn risky_query(&mut self, kind: Kind, scope: &Scope) -> String {
        let query =
            if self.chance.percent(scope.risk) { self.wrong_query().to_owned() } else { self.query(kind, scope) };
        expression(&query)
    }

    /// An object with a few members.
    pub(super) fn query_object(&mut self, scope: &Scope) -> Json {
        let count = self.chance.between(1, 3);
        let mut members = vec![field("fixed", self.word())];
        for place in 0..count {
            let kind = [Kind::Number, Kind::Text, Kind::Boolean, Kind::List, Kind::Any][self.chance.below(5)];
            members.push(field(&format!("v{place}"), self.risky_query(kind, scope)));
        }
        if self.chance.percent(20) {
            let inner = Json::object([field("deep", expression(&self.query(Kind::Any, scope)))]);
            members.push(field("in", Json::array(vec![inner, Json::from(1), Json::Null])));
        }
        Json::object(members)
    }

    /// An expression that makes a document of the input, with another value under a name: of this kind, or this expression's.
    pub(super) fn document_query(&mut self, name: &str, value: &str) -> String {
        expression(&format!("$merge([$states.input, {{ \"{name}\": {value} }}])"))
    }

    /// One member of `Assign`.
    pub(super) fn assignment(&mut self, name: &str, kind: Kind, is_jsonata: bool, scope: &Scope) -> (String, Json) {
        if is_jsonata {
            field(name, self.risky_query(kind, scope))
        } else {
            field(&format!("{name}.$"), self.risky_path(kind, scope))
        }
    }

    /// `Assign` for some of the workflow's own variables, sometimes. What JSONPath sees there may be no document.
    pub(super) fn assign(&mut self, is_jsonata: bool, sees_document: bool, scope: &Scope) -> Option<(String, Json)> {
        if scope.own.is_empty() || !self.chance.percent(35) {
            return None;
        }
        let mut members = Vec::new();
        for variable in &scope.own {
            if !self.chance.percent(60) {
                continue;
            }
            let member = if is_jsonata || sees_document {
                self.assignment(&variable.name, variable.kind, is_jsonata, scope)
            } else {
                let call = match variable.kind {
                    Kind::Number => format!("States.MathAdd(${}, 1)", variable.name),
                    Kind::Text => "States.Format('{}', $)".to_owned(),
                    Kind::List => "States.Array(1, 2)".to_owned(),
                    Kind::Boolean | Kind::Any => "$".to_owned(),
                };
                field(&format!("{}.$", variable.name), call)
            };
            members.push(member);
        }
        (!members.is_empty()).then(|| field("Assign", Json::object(members)))
    }
}

/// An expression as a field has it.
pub(super) fn expression(query: &str) -> String {
    format!("{{% {query} %}}")
}
