//! Where a workflow's states lead: targets, ends, and states that are never reached.
//!
//! AWS looks for states that no other state names. A group of states that name only each other passes; we warn of it.

use stepwell_json::SpannedMember;
use stepwell_spec::Place;

use crate::definition::{StateId, WorkflowId};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::read::{Compiler, Object};
use crate::trail::At;

/// The edges of one workflow, noted while its states are read.
#[derive(Default)]
pub(crate) struct Edges {
    first: u32,
    start: Option<StateId>,
    next: Vec<Vec<StateId>>,
    ends: Vec<bool>,
    /// Whether some state leads nowhere because of a fault: it may have been meant as the end.
    has_lost: bool,
}

impl Edges {
    /// No edges yet, for so many states from this one on.
    pub(crate) fn new(first: u32, count: usize) -> Edges {
        Edges { first, start: None, next: vec![Vec::new(); count], ends: vec![false; count], has_lost: false }
    }

    /// `StartAt` names this state.
    pub(crate) fn start(&mut self, state: StateId) {
        self.start = Some(state);
    }

    /// One state leads to another.
    pub(crate) fn add(&mut self, from: StateId, to: StateId) {
        let from = self.index(from);
        self.next[from].push(to);
    }

    /// The workflow ends after this state.
    pub(crate) fn end(&mut self, state: StateId) {
        let state = self.index(state);
        self.ends[state] = true;
    }

    /// Where a state leads could not be read.
    pub(crate) fn lose(&mut self) {
        self.has_lost = true;
    }

    fn index(&self, state: StateId) -> usize {
        (state.0 - self.first) as usize
    }

    /// States that `StartAt` or another state names.
    fn named(&self) -> Vec<bool> {
        let mut named = vec![false; self.next.len()];
        if let Some(start) = self.start {
            named[self.index(start)] = true;
        }
        for (from, targets) in self.next.iter().enumerate() {
            for target in targets.iter().map(|target| self.index(*target)).filter(|target| *target != from) {
                named[target] = true;
            }
        }
        named
    }

    /// States that can be reached from where the workflow starts.
    fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.next.len()];
        let mut waiting: Vec<usize> = self.start.iter().map(|start| self.index(*start)).collect();
        while let Some(state) = waiting.pop() {
            if !std::mem::replace(&mut reached[state], true) {
                waiting.extend(self.next[state].iter().map(|target| self.index(*target)));
            }
        }
        reached
    }
}

/// Reports what is wrong with the graph of the workflow just read, whose states are `members`.
pub(crate) fn judge<'a>(
    compiler: &mut Compiler<'a>,
    id: WorkflowId,
    states_at: At,
    members: &[&'a SpannedMember],
    workflow: &Object<'a>,
) {
    let edges = compiler.edges();
    let (named, reached) = (edges.named(), edges.reached());
    // Where nothing says where to start, that is the fault; AWS does not go on from there.
    let says_start = workflow.get("StartAt").is_some_and(|member| member.value.as_str().is_some());
    let (has_end, has_start) = (edges.has_lost || edges.ends.contains(&true), edges.start.is_some());
    for (index, member) in members.iter().enumerate() {
        let name: &'a str = &member.key;
        let at = compiler.trail.key(states_at, name);
        if !named[index] && says_start {
            let message = format!("no state leads to \"{name}\"");
            let fault = Fault::new(Code::UnreachableState, at, member.key_span, message)
                .aws("MISSING_TRANSITION_TARGET", format!("State \"{name}\" is not reachable."));
            compiler.fault(fault);
        } else if !reached[index] && has_start {
            let message = format!("\"{name}\" is only reached from states that are never reached themselves");
            compiler.fault(Fault::new(Code::UnreachableCycle, at, member.key_span, message));
        }
    }
    if has_end {
        return;
    }
    let fault = if id == WorkflowId::ROOT {
        let message = "no state ends the workflow: it needs \"End\": true, a Succeed or a Fail state";
        Fault::new(Code::NoTerminalState, states_at, workflow.named, message)
            .aws("MISSING_END_STATE", "Workflow has no terminal state")
            .aws_nowhere()
    } else {
        let what = if workflow.place == Place::Branch { "branch" } else { "item processor" };
        let message = format!("no state ends this {what}: it runs until it fails or is stopped");
        Fault::new(Code::EndlessBranch, states_at, workflow.named, message)
    };
    compiler.fault(fault);
}
