//! Variables: which workflow assigns them, which state reads them, and what each may see.
//!
//! A branch or an inline iteration sees the variables of the workflows around it and may not assign them. The child
//! executions of a distributed Map see none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Span;

use crate::definition::{Definition, StateId, WorkflowId};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::read::Compiler;
use crate::trail::At;

/// What has been noted while the states were read.
#[derive(Default)]
pub(crate) struct Variables {
    workflows: Vec<Scope>,
    reads: Vec<(WorkflowId, Arc<str>, At, Span)>,
    assignments: Vec<(WorkflowId, Arc<str>, At, Span)>,
    by_state: BTreeMap<StateId, BTreeSet<Arc<str>>>,
}

#[derive(Default)]
struct Scope {
    /// Each variable with the states that assign it.
    assigned: BTreeMap<Arc<str>, BTreeSet<StateId>>,
    /// Whether the workflow runs as executions of its own.
    is_isolated: bool,
}

/// A workflow around another one.
struct Around {
    workflow: WorkflowId,
    /// The Parallel or Map state of it that the other one belongs to.
    inside: Option<StateId>,
    /// Whether the other one runs as executions of its own.
    is_crossed: bool,
}

/// Where a variable comes from, seen from a workflow.
enum Origin {
    Visible,
    /// A workflow around the one that runs in child executions.
    Unreadable,
    Unassigned,
}

impl Variables {
    pub(crate) fn add_workflow(&mut self) {
        self.workflows.push(Scope::default());
    }

    pub(crate) fn isolate(&mut self, workflow: WorkflowId) {
        self.workflows[workflow.0 as usize].is_isolated = true;
    }

    pub(crate) fn assign(&mut self, workflow: WorkflowId, state: StateId, name: Arc<str>, at: At, span: Span) {
        self.workflows[workflow.0 as usize].assigned.entry(name.clone()).or_default().insert(state);
        self.assignments.push((workflow, name, at, span));
    }

    pub(crate) fn read(&mut self, workflow: WorkflowId, state: StateId, name: Arc<str>, at: At, span: Span) {
        self.by_state.entry(state).or_default().insert(name.clone());
        self.reads.push((workflow, name, at, span));
    }

    /// Names of the variables a state reads, sorted.
    pub(crate) fn read_by(&self, state: StateId) -> Vec<Arc<str>> {
        self.by_state.get(&state).map(|names| names.iter().cloned().collect()).unwrap_or_default()
    }

    /// Reports reads and assignments that the scopes do not allow. Every workflow has been read.
    pub(crate) fn judge(compiler: &mut Compiler<'_>) {
        let variables = compiler.take_variables();
        for (workflow, name, at, span) in &variables.assignments {
            // Observed: what the Parallel or Map state assigns itself, when it is left, does not count.
            let is_outer = variables.around(compiler, *workflow).skip(1).any(|around| {
                let assigning = variables.workflows[around.workflow.0 as usize].assigned.get(name);
                !around.is_crossed
                    && assigning.is_some_and(|states| states.iter().any(|state| Some(*state) != around.inside))
            });
            if is_outer {
                let message =
                    format!("\"{name}\" is a variable of the workflow around this one, which can only be read here");
                let aws = format!("Cannot assign to variable '{name}' of an outer scope.");
                let fault = Fault::new(Code::OuterVariableAssigned, *at, *span, message)
                    .suggest(Some("pass the value out as a result and assign it there".to_owned()))
                    .schema(aws);
                compiler.fault(fault);
            }
        }
        for (workflow, name, at, span) in &variables.reads {
            match variables.origin(compiler, *workflow, name) {
                Origin::Visible => {}
                Origin::Unreadable => {
                    let message = format!("\"{name}\" belongs to the workflow that starts these child executions");
                    let fault = Fault::new(Code::OuterVariableUnreadable, *at, *span, message)
                        .suggest(Some("pass it in with \"ItemSelector\" or \"BatchInput\"".to_owned()))
                        .schema(format!("Variable '{name}' is not available in a distributed Map."));
                    compiler.fault(fault);
                }
                Origin::Unassigned => {
                    let message = format!("no state assigns the variable \"{name}\"");
                    compiler.fault(Fault::new(Code::UnassignedVariable, *at, *span, message));
                }
            }
        }
    }

    /// A workflow and those around it.
    fn around(&self, compiler: &Compiler<'_>, from: WorkflowId) -> impl Iterator<Item = Around> {
        let mut chain = vec![Around { workflow: from, inside: None, is_crossed: false }];
        let mut at = from;
        let mut is_crossed = false;
        while let Some((inside, workflow)) = compiler.workflow_around(at) {
            is_crossed |= self.workflows[at.0 as usize].is_isolated;
            chain.push(Around { workflow, inside: Some(inside), is_crossed });
            at = workflow;
        }
        chain.into_iter()
    }

    fn origin(&self, compiler: &Compiler<'_>, from: WorkflowId, name: &Arc<str>) -> Origin {
        let found = self
            .around(compiler, from)
            .find(|around| self.workflows[around.workflow.0 as usize].assigned.contains_key(name));
        match found {
            Some(around) if around.is_crossed => Origin::Unreadable,
            Some(_) => Origin::Visible,
            None => Origin::Unassigned,
        }
    }
}

/// The states that read variables, in the order of the definition's list, with the names they read, sorted.
///
/// AWS shows this as `variableReferences` of a state machine. A Map or Parallel state stands for its own fields only;
/// the states inside stand for themselves.
pub fn variable_references(definition: &Definition) -> Vec<(Arc<str>, Vec<Arc<str>>)> {
    let readers = definition.states.iter().filter(|state| !state.variables_read.is_empty());
    readers.map(|state| (state.name.clone(), state.variables_read.clone())).collect()
}
