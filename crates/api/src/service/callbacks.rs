//! Task tokens: who may complete a task from outside, once.

use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Command, Moment, TaskKey};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::shapes::{
    SendTaskFailureInput, SendTaskFailureOutput, SendTaskHeartbeatInput, SendTaskHeartbeatOutput, SendTaskSuccessInput,
    SendTaskSuccessOutput,
};

use super::{Outs, Service};
use crate::checks::task_output;
use crate::refusal::Refusal;

impl Service {
    pub(super) fn send_task_success(
        &mut self,
        input: &SendTaskSuccessInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<SendTaskSuccessOutput, Refusal> {
        let output = task_output(&input.output)?;
        let (execution, task) = self.open_token(&input.task_token)?;
        self.command(execution, Command::TaskSucceeded { task, output }, at, outs);
        Ok(SendTaskSuccessOutput {})
    }

    pub(super) fn send_task_failure(
        &mut self,
        input: SendTaskFailureInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<SendTaskFailureOutput, Refusal> {
        let (execution, task) = self.open_token(&input.task_token)?;
        let SendTaskFailureInput { error, cause, .. } = input;
        self.command(execution, Command::TaskFailed { task, error, cause }, at, outs);
        Ok(SendTaskFailureOutput {})
    }

    pub(super) fn send_task_heartbeat(
        &mut self,
        input: &SendTaskHeartbeatInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<SendTaskHeartbeatOutput, Refusal> {
        let (execution, task) = self.open_token(&input.task_token)?;
        self.command(execution, Command::TaskHeartbeat { task }, at, outs);
        Ok(SendTaskHeartbeatOutput {})
    }

    /// The open task of a token. A token that was issued here and has none is spent: its task is over.
    fn open_token(&mut self, token: &str) -> Result<(ExecutionId, TaskKey), Refusal> {
        let id = ExecutionId(self.tokens.open(token).ok_or_else(Refusal::invalid_token)?);
        self.quarantine.admit(id)?;
        self.wake(id)?;
        let execution = self.engine.execution(id).ok_or_else(Refusal::task_timed_out)?;
        let task = execution
            .open_tasks()
            .find(|task| task.token.as_deref() == Some(token) || planted::is(Bug::TokenUnchecked));
        task.map(|task| (id, task.key)).ok_or_else(Refusal::task_timed_out)
    }

    /// A task is over: nobody needs to do it any more.
    pub(super) fn close_task(&mut self, execution: ExecutionId, task: TaskKey) {
        self.dispatched.remove(&(execution, task));
        self.awaited.remove(&(execution, task));
        self.activities.cancel(execution, task);
        if let Some(call) = self.own_calls.cancel(execution, task) {
            self.forget_call(call);
        }
    }

    /// An execution is over, and with it all its tasks.
    pub(super) fn close_tasks_of(&mut self, execution: ExecutionId) {
        let tasks = (execution, TaskKey::FIRST)..=(execution, TaskKey::LAST);
        let outside =
            self.dispatched.range(tasks.clone()).chain(self.awaited.range(tasks.clone())).map(|(_, task)| *task);
        let open: Vec<TaskKey> = outside.chain(self.own_calls.waiting_of(tasks)).collect();
        for task in open {
            self.close_task(execution, task);
        }
    }
}
