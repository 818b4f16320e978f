//! From the tree of a text to a definition.
//!
//! One pass: each object is read against the table of fields, its values are compiled, and what is wrong is noted.
//! Workflows inside states wait in a queue until the one around them is done, so that nesting costs no stack. Owns the
//! order of the work; graph and variables are judged when everything has been read.

mod choice;
mod data_flow;
mod failure;
mod map;
mod object;
mod query;
mod resource;
mod state;
mod value;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwell_json::{Kind, Span, Spanned, SpannedMember};
use stepwell_spec::{Place, quota};

use crate::definition::{
    DataFlow, Definition, JsonataFlow, QueryLanguage, State, StateId, StateKind, Workflow, WorkflowId,
};
use crate::diagnostics::Code;
use crate::faults::{Fault, Faults};
use crate::graph::{self, Edges};
use crate::source::{Source, Unreadable};
use crate::suggest::Suggester;
use crate::trail::{At, Trail};
use crate::variables::Variables;
use crate::{Compilation, MachineType, Options};

pub(crate) use object::Object;

/// Everything known while a definition is read.
pub(crate) struct Compiler<'a> {
    source: &'a Source,
    pub(crate) trail: Trail<'a>,
    faults: Faults<'a>,
    suggester: Suggester,
    machine_language: QueryLanguage,
    states: Vec<Option<State>>,
    workflows_of_states: Vec<WorkflowId>,
    workflows: Vec<Workflow>,
    /// Workflows that are known but not read yet.
    waiting: VecDeque<WaitingWorkflow<'a>>,
    state_names: BTreeMap<&'a str, ()>,
    labels: BTreeMap<&'a str, ()>,
    variables: Variables,
    /// Whether this is one state without its machine: what it leads to is not there to be found.
    stands_alone: bool,
    here: Here<'a>,
}

/// The workflow and state being read.
struct Here<'a> {
    workflow: WorkflowId,
    /// Whether the workflow runs as an Express execution.
    is_express: bool,
    names: BTreeMap<&'a str, StateId>,
    edges: Edges,
    state: StateId,
}

struct WaitingWorkflow<'a> {
    id: WorkflowId,
    object: Object<'a>,
    is_express: bool,
}

/// Compiles what `source` holds.
pub(crate) fn compile(source: &Source, options: &Options) -> Compilation {
    let mut compiler = Compiler::new(source);
    let definition = match &source.tree {
        Ok(tree) => compiler.machine(tree, options),
        Err(unreadable) => {
            compiler.unreadable(unreadable);
            None
        }
    };
    compiler.finish(definition)
}

/// Compiles the one state that `source` holds, under this name.
pub(crate) fn compile_state(source: &Source, name: &str, options: &Options) -> Compilation {
    let tree = source.tree.as_ref().map(|tree| {
        let key_span = source.first_character(tree.span);
        SpannedMember { key: name.into(), key_span, value: tree.clone() }
    });
    let mut compiler = Compiler::new(source);
    let definition = match &tree {
        Ok(member) => compiler.lone_state(member, options),
        Err(unreadable) => {
            compiler.unreadable(unreadable);
            None
        }
    };
    compiler.finish(definition)
}

impl<'a> Compiler<'a> {
    fn new(source: &'a Source) -> Compiler<'a> {
        Compiler {
            source,
            trail: Trail::new(),
            faults: Faults::new(source),
            suggester: Suggester::new(),
            machine_language: QueryLanguage::JsonPath,
            states: Vec::new(),
            workflows_of_states: Vec::new(),
            workflows: Vec::new(),
            waiting: VecDeque::new(),
            state_names: BTreeMap::new(),
            labels: BTreeMap::new(),
            variables: Variables::default(),
            stands_alone: false,
            here: Here {
                workflow: WorkflowId::ROOT,
                is_express: false,
                names: BTreeMap::new(),
                edges: Edges::default(),
                state: StateId(0),
            },
        }
    }

    fn finish(self, definition: Option<Definition>) -> Compilation {
        let definition = definition.filter(|_| !self.faults.has_errors());
        Compilation { definition, diagnostics: self.faults.into_diagnostics() }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults.add(fault, &self.trail);
    }

    /// Whether it is of no use to work out where further faults are.
    pub(crate) fn has_enough_faults(&self) -> bool {
        self.faults.is_full()
    }

    fn unreadable(&mut self, unreadable: &Unreadable) {
        let fault = match unreadable {
            Unreadable::TooLong(characters) => {
                let max = quota::DEFINITION_CHARACTERS_MAX;
                let message = format!("the definition has {characters} characters, {max} are allowed");
                Fault::new(Code::DefinitionTooLong, At::ROOT, Span::default(), message.clone())
                    .schema(message)
                    .aws_nowhere()
            }
            Unreadable::Json(error) if error.kind == stepwell_json::SyntaxErrorKind::Empty => {
                self.not_an_object(Span::new(error.offset, error.offset), "the definition is empty".to_owned())
            }
            Unreadable::Json(error) => {
                let words = error.in_jackson_words(self.source.text());
                let span = self.source.first_character(Span::new(error.offset, self.source.text().len()));
                Fault::new(Code::InvalidJson, At::ROOT, span, error.kind.to_string())
                    .aws("INVALID_JSON_DESCRIPTION", words.message())
                    .aws_location(words.location)
            }
            Unreadable::Yaml(fault) => yaml_fault(fault),
        };
        self.fault(fault);
    }

    fn not_an_object(&self, span: Span, message: String) -> Fault {
        Fault::new(Code::NotAnObject, At::ROOT, span, message)
            .schema("Definition must be a valid JSON object")
            .aws_nowhere()
    }

    fn machine(&mut self, tree: &'a Spanned, options: &Options) -> Option<Definition> {
        let source = self.source;
        for tag in &source.tagged {
            self.fault(yaml_fault(tag));
        }
        if tree.kind() != Kind::Object {
            let message = format!("a definition is an object, this is {}", with_article(tree.kind()));
            let fault = self.not_an_object(tree.span, message);
            self.fault(fault);
            return None;
        }
        // The language decides how everything else is read, so it is looked up before. Any value but the word
        // "JSONPath" counts as JSONata, as AWS has it; that the value is wrong is reported on its own.
        if let Some(member) = tree.get("QueryLanguage")
            && member.value.as_str() != Some("JSONPath")
        {
            self.machine_language = QueryLanguage::Jsonata;
        }
        let first = self.source.first_character(tree.span);
        let object = self.object(Place::Machine, tree, At::ROOT, first, self.machine_language)?;
        self.text(&object, "Version");
        self.text(&object, "QueryLanguage");
        let comment = self.text(&object, "Comment");
        let timeout_seconds = self.integer(&object, "TimeoutSeconds");
        let is_express = options.machine_type == MachineType::Express;
        self.enqueue(object, None, is_express);
        let (states, workflows) = self.workflows()?;
        Some(Definition { comment, query_language: self.machine_language, timeout_seconds, states, workflows })
    }

    /// A machine of one state, which leads to states that are made up as it names them.
    fn lone_state(&mut self, member: &'a SpannedMember, options: &Options) -> Option<Definition> {
        if member.value.kind() != Kind::Object {
            let message = format!("a state is an object, this is {}", with_article(member.value.kind()));
            let fault = self.not_an_object(member.value.span, message);
            self.fault(fault);
            return None;
        }
        self.stands_alone = true;
        self.here.is_express = options.machine_type == MachineType::Express;
        self.here.edges = Edges::new(0, 1);
        self.workflows.push(Workflow { start_at: StateId(0), states: vec![StateId(0)], parent: None });
        self.variables.add_workflow();
        self.states.push(None);
        self.workflows_of_states.push(WorkflowId::ROOT);
        let state = self.state(member, At::ROOT);
        self.states[0] = state;
        let query_language = self.machine_language;
        let (states, workflows) = self.workflows()?;
        Some(Definition { comment: None, query_language, timeout_seconds: None, states, workflows })
    }

    /// Reads the workflows that wait, and gives all states and workflows there are.
    fn workflows(&mut self) -> Option<(Vec<State>, Vec<Workflow>)> {
        while let Some(waiting) = self.waiting.pop_front() {
            self.workflow(waiting);
        }
        Variables::judge(self);
        let states: Option<Vec<State>> = std::mem::take(&mut self.states).into_iter().collect();
        Some((states?, std::mem::take(&mut self.workflows)))
    }

    /// What stands for a state that a lone state leads to: its name, and nothing behind it.
    pub(crate) fn stand_in(&mut self, name: &'a str, span: Span) -> Option<StateId> {
        if !self.stands_alone || self.here.workflow != WorkflowId::ROOT {
            return None;
        }
        let id = StateId(self.states.len() as u32);
        self.states.push(Some(State {
            name: name.into(),
            comment: None,
            workflow: WorkflowId::ROOT,
            span,
            data_flow: DataFlow::Jsonata(JsonataFlow { arguments: None, output: None }),
            assign: None,
            variables_read: Vec::new(),
            kind: StateKind::Succeed,
        }));
        self.workflows_of_states.push(WorkflowId::ROOT);
        self.workflows[0].states.push(id);
        self.here.names.insert(name, id);
        Some(id)
    }

    /// Gives a workflow its number and puts it in the queue.
    fn enqueue(&mut self, object: Object<'a>, parent: Option<StateId>, is_express: bool) -> WorkflowId {
        let id = WorkflowId(self.workflows.len() as u32);
        self.workflows.push(Workflow { start_at: StateId(0), states: Vec::new(), parent });
        self.variables.add_workflow();
        self.waiting.push_back(WaitingWorkflow { id, object, is_express });
        id
    }

    fn workflow(&mut self, waiting: WaitingWorkflow<'a>) {
        let WaitingWorkflow { id, object, is_express } = waiting;
        self.here =
            Here { workflow: id, is_express, names: BTreeMap::new(), edges: Edges::default(), state: StateId(0) };
        if object.place != Place::Machine {
            self.text(&object, "Comment");
        }
        let Some(states) = object.get("States") else {
            // Without states nothing can be said about where it starts.
            return;
        };
        let at = self.trail.key(object.at, "States");
        let Some(members) = self.members(states, at) else { return };
        let members = self.last_of_each(members, at);
        if members.is_empty() {
            let fault = Fault::new(Code::EmptyValue, at, states.value.span, "a workflow needs at least one state")
                .schema("Value cannot be empty");
            self.fault(fault);
            return;
        }
        let first = self.states.len() as u32;
        for (index, member) in members.iter().enumerate() {
            self.here.names.insert(&member.key, StateId(first + index as u32));
        }
        self.states.extend((0..members.len()).map(|_| None));
        self.workflows_of_states.extend((0..members.len()).map(|_| id));
        self.here.edges = Edges::new(first, members.len());
        self.workflows[id.0 as usize].states = (first..self.states.len() as u32).map(StateId).collect();
        if let Some(start) = self.target(&object, "StartAt") {
            self.here.edges.start(start);
            self.workflows[id.0 as usize].start_at = start;
        }
        for (index, member) in members.iter().enumerate() {
            self.here.state = StateId(first + index as u32);
            let state_at = self.trail.key(at, &member.key);
            self.state_name(member, state_at);
            let state = self.state(member, state_at);
            self.states[first as usize + index] = state;
        }
        graph::judge(self, id, at, &members, &object);
    }

    pub(crate) fn take_variables(&mut self) -> Variables {
        std::mem::take(&mut self.variables)
    }

    /// The Parallel or Map state a workflow belongs to, and the workflow that state stands in.
    pub(crate) fn workflow_around(&self, id: WorkflowId) -> Option<(StateId, WorkflowId)> {
        let parent = self.workflows[id.0 as usize].parent?;
        self.workflows_of_states.get(parent.0 as usize).map(|workflow| (parent, *workflow))
    }

    /// Where the edges of the workflow just read lead.
    pub(crate) fn edges(&self) -> &Edges {
        &self.here.edges
    }

    /// A state's name: as long as AWS allows, and used once in the whole machine.
    fn state_name(&mut self, member: &'a SpannedMember, at: At) {
        let name: &'a str = &member.key;
        let max = quota::STATE_NAME_CHARACTERS_MAX;
        let characters = name.chars().count();
        if characters == 0 || characters > max {
            let message = format!("a state's name has 1 to {max} characters, this one has {characters}");
            let aws = format!("State name must have between 1 and {max} characters");
            let fault = Fault::new(Code::InvalidStateName, at, member.key_span, message).aws("INVALID_STATE_NAME", aws);
            self.fault(fault);
        }
        if self.state_names.insert(name, ()).is_some() {
            let message = format!("there is another state \"{name}\" in this state machine");
            let fault = Fault::new(Code::DuplicateStateName, at, member.key_span, message)
                .suggest(Some("names must be unique, those in branches and item processors included".to_owned()))
                .aws("DUPLICATE_STATE_NAME", format!("Duplicate State name: {name}"));
            self.fault(fault);
        }
    }
}

fn yaml_fault(fault: &crate::yaml::YamlFault) -> Fault {
    let code = if fault.is_unsupported { Code::UnsupportedYaml } else { Code::InvalidYaml };
    Fault::new(code, At::ROOT, fault.span, fault.message.clone())
        .suggest(fault.suggestion.clone())
        .aws("INVALID_JSON_DESCRIPTION", fault.message.clone())
        .aws_nowhere()
}

/// `a string`, `an array`.
pub(crate) fn with_article(kind: Kind) -> String {
    let name = kind.name();
    match name.chars().next() {
        Some('a' | 'o') => format!("an {name}"),
        _ if kind == Kind::Null => name.to_owned(),
        _ => format!("a {name}"),
    }
}

/// Text shared with the tree.
pub(crate) fn shared(value: &Spanned) -> Option<Arc<str>> {
    match value.as_scalar() {
        Some(stepwell_json::Json::String(text)) => Some(text.clone()),
        _ => None,
    }
}
