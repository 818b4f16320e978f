//! A workflow: segments one behind the other, each entered at one state and left to the next.

use stepwell_json::Json;

use super::query::expression;
use super::{Named, Writer, document, field};

/// What is known where a state stands.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// Whether the machine's language is JSONata.
    pub(super) machine_is_jsonata: bool,
    /// Whether all states here are JSONata's.
    pub(super) only_jsonata: bool,
    /// Variables that can be read: those of the workflows around this one, too.
    pub(super) readable: Vec<Variable>,
    /// Variables of this workflow.
    pub(super) own: Vec<Variable>,
    /// How deep it is.
    pub(super) depth: usize,
    /// How often a state here may come to run.
    pub(super) weight: usize,
    /// Whether it is part of an iteration.
    pub(super) has_item: bool,
    /// Whether it is part of an Express execution: that has five minutes, so nothing in it waits for anybody.
    pub(super) is_express: bool,
    /// Whether all members of the document must stay, because something counts in it.
    pub(super) keeps_document: bool,
    /// How many of a hundred things that may go wrong do.
    pub(super) risk: usize,
}

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Boolean,
    /// A list of numbers.
    List,
    /// Anything but null.
    Any,
}

impl Scope {
    pub(super) fn of_machine(is_jsonata: bool) -> Scope {
        Scope {
            machine_is_jsonata: is_jsonata,
            only_jsonata: is_jsonata,
            readable: Vec::new(),
            own: Vec::new(),
            depth: 0,
            weight: 1,
            has_item: false,
            is_express: false,
            keeps_document: false,
            risk: 3,
        }
    }

    /// The scope of a workflow inside a state here, of which there are so many at once.
    pub(super) fn inside(&self, is_jsonata: bool, count: usize) -> Scope {
        Scope {
            only_jsonata: self.only_jsonata || is_jsonata,
            own: Vec::new(),
            depth: self.depth + 1,
            weight: self.weight * count,
            keeps_document: false,
            risk: 1,
            ..self.clone()
        }
    }

    /// The scope of an execution of its own inside a state here.
    pub(super) fn of_child(&self, is_jsonata: bool, count: usize, is_express: bool) -> Scope {
        Scope { readable: Vec::new(), has_item: false, is_express, ..self.inside(is_jsonata, count) }
    }

    /// The variables of this kind that can be read.
    pub(super) fn readable_of(&self, kind: Kind) -> Vec<&str> {
        self.readable.iter().filter(|known| kind == Kind::Any || known.kind == kind).map(|known| &*known.name).collect()
    }
}

/// Where a state leads.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The state that follows; the workflow ends here when there is none.
    pub(super) next: Option<String>,
    /// States further on.
    pub(super) further: Vec<String>,
}

impl Way {
    /// To a state that follows in any case.
    pub(super) fn to(next: &str) -> Way {
        Way { next: Some(next.to_owned()), further: Vec::new() }
    }

    /// `Next` or `End`.
    pub(super) fn field(&self) -> (String, Json) {
        match &self.next {
            Some(next) => field("Next", &**next),
            None => field("End", true),
        }
    }
}

/// States of a workflow that are written.
#[derive(Debug, Default)]
pub(super) struct States(pub(super) Vec<Named>);

impl States {
    pub(super) fn add(&mut self, name: impl Into<String>, fields: Vec<(String, Json)>) {
        self.0.push((name.into(), Json::object(fields)));
    }
}

impl Writer {
    /// `StartAt` and `States` of a workflow that gets a [document](super::document).
    pub(super) fn workflow(&mut self, scope: &Scope) -> Vec<(&'static str, Json)> {
        let most = match scope.depth {
            0 => 9,
            1 => 4,
            _ => 3,
        };
        let count = self.chance.between(1, most);
        let mut scope = scope.clone();
        let mut states = States::default();
        let names: Vec<String> = (0..count).map(|_| self.name("S")).collect();
        let mut start = names[0].clone();
        if self.chance.percent(60) {
            start = self.name("Begin");
            self.beginning(&start, &names[0], &mut scope, &mut states);
        }
        let told = (!scope.own.is_empty() && self.chance.percent(60)).then(|| self.name("Told"));
        for (place, name) in names.iter().enumerate() {
            let way = Way {
                next: names.get(place + 1).or(told.as_ref()).cloned(),
                further: names.iter().skip(place + 2).cloned().collect(),
            };
            self.segment(name, &way, &scope, &mut states);
        }
        if let Some(told) = told {
            self.telling(&told, &scope, &mut states);
        }
        vec![("StartAt", Json::from(start)), ("States", Json::object(states.0))]
    }

    /// The last state of a workflow, whose output tells what the variables are.
    fn telling(&mut self, name: &str, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Pass", is_jsonata, scope);
        let names = scope.own.iter().map(|variable| &variable.name);
        if is_jsonata {
            let mut members: Vec<_> = names.map(|name| field(name, expression(&format!("${name}")))).collect();
            members.push(field("of", "{% $states.input %}"));
            fields.push(field("Output", Json::object(members)));
        } else {
            let mut members: Vec<_> = names.map(|name| field(&format!("{name}.$"), format!("${name}"))).collect();
            members.push(field("of.$", "$"));
            fields.push(field("Parameters", Json::object(members)));
        }
        fields.push(field("End", true));
        states.add(name, fields);
        self.states_left = self.states_left.saturating_sub(1);
    }

    /// `StartAt` and `States` of a workflow that gets whatever an item is: a document is made of it first.
    pub(super) fn workflow_of_item(&mut self, scope: &Scope) -> Vec<(&'static str, Json)> {
        let inner = self.workflow(scope);
        let [("StartAt", start), ("States", states)] = &inner[..] else { return inner };
        let name = self.name("Item");
        let document = document::literal(&mut self.chance);
        let members = document.as_object().into_iter().flat_map(|members| members.iter());
        let mut members: Vec<(String, Json)> = members.map(|(name, value)| (name.to_string(), value.clone())).collect();
        let mut fields = vec![field("Type", "Pass")];
        if scope.only_jsonata {
            members.push(field("item", "{% $states.input %}"));
            self.say_jsonata(scope, &mut fields);
            fields.push(field("Output", Json::object(members)));
        } else {
            members.push(field("item.$", "$"));
            fields.push(field("Parameters", Json::object(members)));
        }
        fields.push(("Next".to_owned(), start.clone()));
        let states = states.as_object().map(|states| states.with(&*name, Json::object(fields)));
        vec![("StartAt", Json::from(name)), ("States", states.map_or(Json::Null, Json::Object))]
    }

    /// A Pass state that assigns the variables of the workflow.
    fn beginning(&mut self, name: &str, next: &str, scope: &mut Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = vec![field("Type", "Pass")];
        if is_jsonata {
            self.say_jsonata(scope, &mut fields);
        }
        let mut assign = Vec::new();
        for kind in [Kind::Number, Kind::Text, Kind::List] {
            if self.chance.percent(70) {
                self.names += 1;
                let letter = match kind {
                    Kind::Number => "count",
                    Kind::Text => "text",
                    Kind::List => "list",
                    Kind::Boolean | Kind::Any => "any",
                };
                let variable = Variable { name: format!("{letter}{}", self.names), kind };
                assign.push(self.assignment(&variable.name, kind, is_jsonata, scope));
                scope.own.push(variable);
            }
        }
        scope.readable.extend(scope.own.iter().cloned());
        fields.push(field("Assign", Json::object(assign)));
        fields.push(field("Next", next));
        states.add(name, fields);
        self.states_left = self.states_left.saturating_sub(1);
    }

    /// The language of the next state: whether it is JSONata.
    pub(super) fn language(&mut self, scope: &Scope) -> bool {
        scope.only_jsonata || self.chance.percent(25)
    }

    /// `QueryLanguage`, where it has to stand and sometimes where not.
    pub(super) fn say_jsonata(&mut self, scope: &Scope, fields: &mut Vec<(String, Json)>) {
        if !scope.machine_is_jsonata || self.chance.percent(10) {
            fields.push(field("QueryLanguage", "JSONata"));
        }
    }

    /// One segment: the state of this name, and those that belong to it.
    fn segment(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        self.states_left = self.states_left.saturating_sub(1);
        let is_last = way.next.is_none();
        let room = self.states_left > 4;
        let may_nest = room && scope.depth < 4 && scope.weight <= 24;
        match self.chance.below(100) {
            0..=24 => self.pass(name, way, scope, states),
            25..=49 if !scope.is_express => self.task(name, way, scope, states),
            50..=59 if !is_last => self.choice(name, way, scope, states),
            60..=66 if !scope.is_express => self.wait(name, way, scope, states),
            67..=76 if may_nest => self.parallel(name, way, scope, states),
            77..=86 if may_nest => self.map(name, way, scope, states),
            87..=90 if may_nest && scope.depth < 2 && !scope.is_express => {
                self.distributed_map(name, way, scope, states)
            }
            91..=95 if room && scope.weight <= 24 => self.counted_loop(name, way, scope, states),
            _ if is_last => self.end(name, scope, states),
            _ => self.pass(name, way, scope, states),
        }
    }

    /// The state that follows, or one that ends the workflow.
    pub(super) fn onward(&mut self, way: &Way, states: &mut States) -> String {
        match &way.next {
            Some(next) => next.clone(),
            None => {
                let name = self.name("Done");
                states.add(&*name, vec![field("Type", "Succeed")]);
                name
            }
        }
    }
}
