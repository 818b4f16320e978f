//! Which executions are in memory: those that move, those that moved last, and those that came and went with their call.
//!
//! Everything else is in the store, and comes back when something happens to it. An execution leaves memory only when its
//! last frame is durable, so that what is read back is what it was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwell_asl::{State, StateId};
use stepwell_engine::{ChildOf, ExecutionId, items_in};
use stepwell_interpreter::{Execution, Settings, TaskKey, Tokens};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::shapes::ExecutionStatus;
use stepwell_spec::{Event, Text};

use super::Service;
use super::beginnings::{BEGINNING, Beginning, LogEntry, read_log};
use super::journal::KeptError;
use super::kept_identity::KeptIdentity;
use super::listings::{self, EXECUTIONS, Ended, LISTED, LISTING, Listed};
use super::map_runs::MapRunRow;
use super::nested::ParentTask;
use super::redrives::RedriveToken;
use super::registry::MachineRow;
use stepwell_store::RowChange;
use stepwell_store::json_rows::RowError;

/// Executions that stay in memory although they wait. What one takes depends on its payloads: some kilobytes.
const RESIDENTS_MAX: usize = 1_024;

/// Bytes of inputs that stay in memory so. What an execution takes is a few times its input.
const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Executions looked at for each input, and for each batch of frames that became durable, so that many which cannot leave cost little.
const LOOKS: usize = 256;

/// An execution in memory, beside what the engine knows of it.
#[derive(Debug)]
pub(super) struct Run {
    /// The revision it was started from, which it keeps.
    pub(super) machine: Arc<MachineRow>,
    pub(super) input_text: Text,
    pub(super) trace_header: Option<Text>,
    /// The case of the mock file that answers its tasks.
    pub(super) test_case: Option<Arc<str>>,
    /// The tasks that wait for its end.
    pub(super) parents: Vec<ParentTask>,
    /// The Map Run it belongs to.
    pub(super) child_of: Option<Child>,
    /// Redrives that were asked for under a client token, the last ones.
    pub(super) redrives: VecDeque<RedriveToken>,
    /// Its Map Runs that are open.
    pub(super) map_runs: BTreeMap<TaskKey, MapRunRow>,
    /// Whether it is written down. A synchronous Express execution is not: it ends with its call.
    pub(super) is_kept: bool,
    /// The status it is listed under.
    pub(super) listed: Option<ExecutionStatus>,
    /// The last frame that has something of it.
    pub(super) last_frame: u64,
}

impl Run {
    /// One that begins now.
    pub(super) fn new(
        machine: Arc<MachineRow>,
        input_text: Text,
        trace_header: Option<Text>,
        test_case: Option<Arc<str>>,
        child_of: Option<Child>,
    ) -> Run {
        Run {
            machine,
            input_text,
            trace_header,
            test_case,
            parents: Vec::new(),
            child_of,
            redrives: VecDeque::new(),
            map_runs: BTreeMap::new(),
            is_kept: true,
            listed: None,
            last_frame: 0,
        }
    }
}

/// A child of a Map Run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Child {
    pub(super) of: ChildOf,
    pub(super) map_run_arn: Text,
}

/// Executions in memory in the order they may leave it: each with a frame, which is not its last when it moved since.
pub(super) type Resting = VecDeque<(u64, ExecutionId)>;

/// How many items a child of a Map Run was given.
fn items_of(execution: &Execution) -> u64 {
    let definition = &execution.definition;
    let is_its = |state: &State| state.kind.map().is_some_and(|map| map.processor == execution.workflow);
    match definition.states.iter().position(is_its).and_then(|place| u32::try_from(place).ok()) {
        Some(state) => items_in(definition, StateId(state), &execution.input),
        None => 1,
    }
}

impl Service {
    /// The execution with this ARN, in memory or not.
    pub(super) fn execution_id(&self, arn: &str) -> Result<Option<ExecutionId>, KeptError> {
        if let Some(id) = self.arns.get(arn).filter(|_| !planted::is(Bug::NameGivenTwice)) {
            return Ok(Some(*id));
        }
        let Some(value) = self.index.get(EXECUTIONS, &listings::execution_key(arn))? else { return Ok(None) };
        match value.first_chunk() {
            Some(number) => {
                let id = ExecutionId(u64::from_be_bytes(*number));
                Ok(Some(id).filter(|id| !self.forgetting.has_forgotten(*id)))
            }
            None => {
                let what = "it should have 8 bytes".to_owned();
                Err(RowError::Broken { table: EXECUTIONS, key: arn.to_owned(), what }.into())
            }
        }
    }

    /// Brings an execution into memory. `false` when there is none.
    pub(super) fn wake(&mut self, id: ExecutionId) -> Result<bool, KeptError> {
        if self.runs.contains_key(&id) {
            return Ok(true);
        }
        if self.forgetting.has_forgotten(id) {
            return Ok(false);
        }
        let Some((run, execution)) = self.load(id)? else { return Ok(false) };
        self.reside(id, run, execution);
        Ok(true)
    }

    /// Keeps what the engine does not know of an execution.
    pub(super) fn house(&mut self, id: ExecutionId, run: Run) {
        self.input_bytes += run.input_text.len();
        if let Some(before) = self.runs.insert(id, run) {
            self.input_bytes -= before.input_text.len();
        }
    }

    /// Keeps an execution in memory that was folded from its log.
    pub(super) fn reside(&mut self, id: ExecutionId, run: Run, execution: Execution) {
        self.arns.insert(execution.identity.arn.clone(), id);
        self.house(id, run);
        self.engine.adopt(id, execution);
        // It has not moved: it may leave as soon as there is no room, before those whose frames are not durable yet.
        self.resting.push_front((0, id));
    }

    /// Folds an execution from its log.
    pub(super) fn load(&mut self, id: ExecutionId) -> Result<Option<(Run, Execution)>, KeptError> {
        self.quarantine.admit_read(id)?;
        self.at_work.on(id);
        let index = self.index.clone();
        let tokens = Tokens::issued_by(self.tokens.clone(), id.0);
        let mut found: Option<(Run, Execution)> = None;
        read_log(&*index, id, |entry| {
            match (entry, &mut found) {
                (LogEntry::Beginning(beginning), None) => found = Some(self.begun(*beginning, tokens.clone())?),
                (LogEntry::Record(mut record), Some((_, execution))) => {
                    if planted::is(Bug::RetriesForgotten)
                        && let Event::RetryScheduled(scheduled) = &mut record.event
                    {
                        scheduled.retrier += 7;
                    }
                    self.engine.not_before(record.timestamp);
                    execution.evolve(&record);
                }
                (LogEntry::WaitedFor(parent), Some((run, _))) => run.parents.push(parent),
                (LogEntry::Redriven(token), Some((run, _))) => token.remember(&mut run.redrives),
                (LogEntry::Beginning(_), Some(_))
                | (LogEntry::Record(_) | LogEntry::WaitedFor(_) | LogEntry::Redriven(_), None) => {
                    return Err(KeptError::Missing(format!("the one beginning of execution {}", id.0)));
                }
            }
            Ok(())
        })?;
        if let Some((run, execution)) = &mut found {
            run.listed = Some(super::executions::status_of(execution));
        }
        Ok(found)
    }

    /// The revision that something was started from.
    pub(super) fn revision(&mut self, number: u64) -> Result<Arc<MachineRow>, KeptError> {
        let machine = self.registry.revision(number, &*self.index)?;
        machine.ok_or_else(|| KeptError::Missing(format!("revision {number} of a state machine")))
    }

    /// An execution as it was before its first record.
    fn begun(&mut self, beginning: Beginning, tokens: Tokens) -> Result<(Run, Execution), KeptError> {
        let machine = self.revision(beginning.revision)?;
        let definition = machine
            .definition()
            .map_err(|refusal| KeptError::Definition(refusal.message().unwrap_or_default().to_owned()))?;
        let mut execution = beginning.execution(&machine, definition.clone(), tokens);
        if planted::is(Bug::StartForgotten) {
            execution.started_at = self.engine.now();
        }
        let input_text = beginning.input_text.unwrap_or_else(|| beginning.input.to_string().into());
        let Beginning { trace_header, test_case, child_of, parent, .. } = beginning;
        let run = Run::new(machine, input_text, trace_header, test_case, child_of);
        Ok((Run { parents: parent.into_iter().collect(), ..run }, execution))
    }

    /// Everything up to this frame is durable: what waits may leave memory.
    pub fn kept(&mut self, frame: u64) {
        self.kept = frame;
        self.forgetting.kept(frame);
        self.make_room();
    }

    /// How many executions are in memory.
    pub fn in_memory(&self) -> usize {
        self.runs.len()
    }

    /// Takes out of memory what waits and is durable, as long as there is too much.
    pub(super) fn make_room(&mut self) {
        for _ in 0..LOOKS {
            if self.runs.len() <= RESIDENTS_MAX && self.input_bytes <= INPUT_BYTES_MAX {
                return;
            }
            let kept = self.kept;
            let Some((of_frame, id)) = self.resting.pop_front_if(|(of_frame, _)| *of_frame <= kept) else { return };
            // One that moved since stands further behind in the line.
            if self.runs.get(&id).is_some_and(|run| run.last_frame == of_frame) && !self.release(id) {
                self.resting.push_back((of_frame, id));
            }
        }
    }

    /// Takes an execution out of memory. One whose Map Run is open stays: answers `false`.
    pub(super) fn release(&mut self, id: ExecutionId) -> bool {
        let arn = self.engine.execution(id).map(|execution| execution.identity.arn.clone());
        if !self.engine.release(id) {
            return false;
        }
        if let Some(run) = self.runs.remove(&id) {
            self.input_bytes -= run.input_text.len();
        }
        if let Some(arn) = arn {
            self.arns.remove(&arn);
        }
        true
    }

    /// Writes down how an execution began: before its first record.
    pub(super) fn write_beginning(&mut self, id: ExecutionId) -> Result<(), KeptError> {
        let (Some(run), Some(execution)) = (self.runs.get(&id), self.engine.execution(id)) else { return Ok(()) };
        if !run.is_kept {
            return Ok(());
        }
        let beginning = Beginning {
            revision: run.machine.number,
            workflow: execution.workflow.0,
            express: execution.settings == Settings::express(),
            started_at: execution.started_at,
            identity: KeptIdentity::of(&execution.identity, &run.machine),
            input: execution.input.clone(),
            input_text: execution.input_text.clone(),
            trace_header: run.trace_header.clone(),
            test_case: run.test_case.clone(),
            parent: run.parents.first().copied(),
            child_of: run.child_of.clone(),
        };
        self.journal.note(id, BEGINNING, &beginning)?;
        let (key, value) = (listings::execution_key(&execution.identity.arn), Some(id.0.to_be_bytes().to_vec()));
        self.journal.row(RowChange { table: EXECUTIONS, key, value });
        Ok(())
    }

    /// Lists an execution under the status it has now.
    pub(super) fn write_listing(&mut self, id: ExecutionId) -> Result<(), KeptError> {
        let frame = self.journal.frame();
        let (Some(run), Some(execution)) = (self.runs.get_mut(&id), self.engine.execution(id)) else { return Ok(()) };
        if !run.is_kept {
            return Ok(());
        }
        run.last_frame = frame;
        self.resting.push_back((frame, id));
        let status = super::executions::status_of(execution);
        if run.listed == Some(status) || planted::is(Bug::ListingStale) && run.listed.is_some() {
            return Ok(());
        }
        let map_run_arn = run.child_of.as_ref().map(|child| child.map_run_arn.clone());
        let identity = &execution.identity;
        let owner: &str = map_run_arn.as_deref().unwrap_or(&identity.state_machine_arn);
        let place = listings::Place { started_at: execution.started_at, id };
        if let Some(before) = run.listed.replace(status) {
            let key = listings::key(before, owner, place);
            self.journal.row(RowChange { table: LISTING, key, value: None });
        }
        let key = listings::key(status, owner, place);
        let listed = Listed {
            revision: run.machine.number,
            identity: KeptIdentity::of(identity, &run.machine),
            stopped_at: execution.stopped_at,
            redrive_count: execution.redrive_count,
            redriven_at: execution.redriven_at,
            map_run_arn,
            item_count: run.child_of.as_ref().map(|_| items_of(execution)),
        };
        let value = Some(self.journal.value_of(LISTED, &listed)?);
        let ended = execution.stopped_at.map(|at| Ended { since: at, id, stopped_at: at, listing_key: key.clone() });
        self.journal.row(RowChange { table: LISTING, key, value });
        if let Some(ended) = ended {
            self.write_end(&ended);
        }
        Ok(())
    }
}
