//! Task tokens: who may complete a task from outside, once.

use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Command, Moment, TaskKey};
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
        let (execution, task) = self.take_token(&input.task_token)?;
        self.command(execution, Command::TaskSucceeded { task, output }, at, outs);
        Ok(SendTaskSuccessOutput {})
    }

    pub(super) fn send_task_failure(
        &mut self,
        input: SendTaskFailureInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<SendTaskFailureOutput, Refusal> {
        let (execution, task) = self.take_token(&input.task_token)?;
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

    /// The open task of a token.
    fn open_token(&self, token: &str) -> Result<(ExecutionId, TaskKey), Refusal> {
        match self.tokens.get(token) {
            Some(&task) => Ok(task),
            None if self.spent_tokens.contains(token) => Err(Refusal::task_timed_out()),
            None => Err(Refusal::invalid_token()),
        }
    }

    /// The open task of a token, which is spent by this.
    fn take_token(&mut self, token: &str) -> Result<(ExecutionId, TaskKey), Refusal> {
        let task = self.open_token(token)?;
        self.close_task(task.0, task.1);
        Ok(task)
    }

    /// A task is over: its token is spent, and nobody needs to do it any more.
    pub(super) fn close_task(&mut self, execution: ExecutionId, task: TaskKey) {
        self.dispatched.remove(&(execution, task));
        self.activities.cancel(execution, task);
        self.spend_tokens(|owner| owner == (execution, task));
    }

    /// An execution is over, and with it all its tasks.
    pub(super) fn spend_tokens_of(&mut self, execution: ExecutionId) {
        self.spend_tokens(|(owner, _)| owner == execution);
    }

    fn spend_tokens(&mut self, is_over: impl Fn((ExecutionId, TaskKey)) -> bool) {
        let spent: Vec<_> = self.tokens.extract_if(.., |_, owner| is_over(*owner)).map(|(token, _)| token).collect();
        self.spent_tokens.extend(spent);
    }
}
