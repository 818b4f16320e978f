//! JSONPath: paths and calls of intrinsic functions by what they give, and templates of them.

use stepwell_json::Json;

use super::workflow::{Kind, Scope};
use super::{Writer, document, field};

impl Writer {
    /// A path or a call that gives a value of this kind where `$` is a document.
    pub(super) fn path(&mut self, kind: Kind, scope: &Scope) -> String {
        if self.chance.percent(15) {
            let known = scope.readable_of(kind);
            if !known.is_empty() {
                return format!("${}", known[self.chance.below(known.len())]);
            }
        }
        self.nested_expressions += 1;
        let path = if self.nested_expressions > 3 { self.plain_path(kind) } else { self.path_of(kind, scope) };
        self.nested_expressions -= 1;
        path
    }

    fn path_of(&mut self, kind: Kind, scope: &Scope) -> String {
        let inner = |writer: &mut Writer, kind| match writer.chance.below(3) {
            0 => writer.path(kind, scope),
            _ => writer.plain_path(kind),
        };
        match kind {
            Kind::Number => match self.chance.below(8) {
                0 => format!("States.MathAdd({}, {})", inner(self, kind), self.chance.below(3)),
                1 => format!("States.ArrayLength({})", inner(self, Kind::List)),
                2 => format!("States.ArrayGetItem({}, 0)", self.plain_path(Kind::List)),
                3 if scope.has_item => "$$.Map.Item.Index".to_owned(),
                _ => self.plain_path(kind),
            },
            Kind::Text => match self.chance.below(9) {
                0 => format!("States.Format('{{}}/{{}} is', {}, {})", inner(self, Kind::Any), inner(self, kind)),
                1 => format!("States.JsonToString({})", inner(self, Kind::Any)),
                2 => format!("States.Hash({}, 'SHA-256')", self.plain_path(kind)),
                3 => format!("States.Base64Decode(States.Base64Encode({}))", self.plain_path(kind)),
                4 => "$$.State.Name".to_owned(),
                _ => self.plain_path(kind),
            },
            Kind::Boolean => match self.chance.below(3) {
                0 => format!("States.ArrayContains({}, {})", inner(self, Kind::List), self.chance.below(5)),
                _ => self.plain_path(kind),
            },
            Kind::List => match self.chance.below(7) {
                0 => format!("States.ArrayRange({}, 6, 2)", self.chance.below(5)),
                1 => format!("States.ArrayUnique({})", self.plain_path(kind)),
                2 => format!("States.Array({}, {})", inner(self, Kind::Number), inner(self, Kind::Number)),
                _ => self.plain_path(kind),
            },
            Kind::Any => match self.chance.below(10) {
                0 => "$$.Execution.Input.o".to_owned(),
                1 => "States.JsonMerge($.o, $.items[0], false)".to_owned(),
                2 => "States.StringToJson(States.JsonToString($.o))".to_owned(),
                3 => "States.StringSplit($.s, '-')".to_owned(),
                4 => format!("States.ArrayPartition({}, 2)", self.plain_path(Kind::List)),
                5 if scope.has_item => "$$.Map.Item.Value".to_owned(),
                6 => "$.items[?(@.n > 1)]".to_owned(),
                7 => self.path(Kind::Text, scope),
                8 => self.path(Kind::Number, scope),
                _ => self.plain_path(kind),
            },
        }
    }

    /// A path into a document.
    pub(super) fn plain_path(&mut self, kind: Kind) -> String {
        let paths: &[&str] = match kind {
            Kind::Number => &["$.n", "$.m", "$.o.n", "$.l[0]", "$.items[0].n", "$['n']", "$.l.length()"],
            Kind::Text => &["$.s", "$.o.s", "$.items[0].s", "$.t", "$['o']['s']"],
            Kind::Boolean => &["$.b", "$.items[0].b"],
            Kind::List => &["$.l", "$.o.l", "$.items[*].n", "$.l[0:2]", "$.l[*]", "$.o..n"],
            Kind::Any => &["$.o", "$.items", "$.items[0]", "$.l", "$.n", "$.s", "$.b", "$..s", "$['n','s']"],
        };
        self.chance.pick(paths).to_owned()
    }

    /// A path to one place of a document.
    pub(super) fn reference_path(&mut self, kind: Kind) -> &'static str {
        let paths: &[&'static str] = match kind {
            Kind::Number => &["$.n", "$.m", "$.o.n", "$.l[0]", "$.items[0].n"],
            Kind::Text => &["$.s", "$.o.s", "$.items[0].s"],
            Kind::Boolean => &["$.b", "$.items[0].b"],
            Kind::List => &["$.l", "$.o.l"],
            Kind::Any => &["$.o", "$.items", "$.items[0]", "$.l", "$.n", "$.s"],
        };
        paths[self.chance.below(paths.len())]
    }

    /// A path or a call that leads nowhere, or has the wrong arguments.
    pub(super) fn wrong_path(&mut self) -> &'static str {
        self.chance.pick(&[
            "$.missing",
            "$.o.n.deeper",
            "$.l[99]",
            "States.MathAdd($.s, 1)",
            "States.ArrayGetItem($.l, 99)",
            "States.StringToJson('{')",
            "States.ArrayLength($.o)",
            "States.Format('{}', $.missing)",
            "States.Base64Decode('*')",
        ])
    }

    /// Any path or call, now and then a wrong one.
    pub(super) fn risky_path(&mut self, kind: Kind, scope: &Scope) -> String {
        if self.chance.percent(scope.risk) { self.wrong_path().to_owned() } else { self.path(kind, scope) }
    }

    /// A template with a few members.
    pub(super) fn template(&mut self, scope: &Scope) -> Json {
        let count = self.chance.between(1, 3);
        let mut members = vec![field("fixed", self.word())];
        for place in 0..count {
            let kind = [Kind::Number, Kind::Text, Kind::Boolean, Kind::List, Kind::Any][self.chance.below(5)];
            members.push(field(&format!("v{place}.$"), self.risky_path(kind, scope)));
        }
        if self.chance.percent(20) {
            let inner = Json::object([field("deep.$", self.path(Kind::Any, scope)), field("not.$a.path", "$.n")]);
            members.push(field("in", Json::array(vec![inner, Json::from(1), Json::Null])));
        }
        Json::object(members)
    }

    /// A template that makes a document: its numbers may change, its shape does not.
    pub(super) fn document_template(&mut self, scope: &Scope) -> Json {
        let members = document::MEMBERS.iter().map(|name| {
            let path = match *name {
                "n" if self.chance.percent(40) => self.path(Kind::Number, scope),
                "s" if self.chance.percent(30) => self.path(Kind::Text, scope),
                "b" if self.chance.percent(30) => self.path(Kind::Boolean, scope),
                name => format!("$.{name}"),
            };
            field(&format!("{name}.$"), path)
        });
        Json::object(members.collect::<Vec<_>>())
    }
}
