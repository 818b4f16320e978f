//! Stepping the engine, and giving each thing that comes out of a step to who wants it.

use std::collections::VecDeque;

use stepwell_asl::ResourceKind;
use stepwell_engine::{ExecutionId, Input, Outbox};
use stepwell_interpreter::{Chance, Command, Moment, TaskRequest};

use super::{Outs, Service, ServiceTask};

/// Bursts of executions that yield, in one input: past it they wait for the next tick.
const BURSTS_PER_INPUT: usize = 8;

impl Service {
    /// Gives one execution a command.
    pub(super) fn command(&mut self, execution: ExecutionId, command: Command, at: Moment, outs: &mut Outs) {
        self.run(Input::Command(execution, command), at, outs);
    }

    /// Fires what is due by now.
    pub(super) fn pass_time(&mut self, at: Moment, outs: &mut Outs) {
        let chance = Chance::new(at);
        for _ in 0..self.yielded.len() {
            if let Some(id) = self.yielded.pop_front() {
                self.run(Input::Command(id, Command::Continue), drawn(at, &chance), outs);
            }
        }
        while self.engine.next_due().is_some_and(|due| due <= at.now) {
            self.run(Input::Tick, drawn(at, &chance), outs);
        }
        self.end_polls(at.now, outs);
    }

    /// Steps the engine, and again for whatever that leads to inside the shard.
    pub(super) fn run(&mut self, input: Input, at: Moment, outs: &mut Outs) {
        let chance = Chance::new(at);
        let mut inputs = VecDeque::from([input]);
        let mut bursts = 0;
        while let Some(input) = inputs.pop_front() {
            let outbox = self.engine.step(input, drawn(at, &chance));
            let Outbox { records, tasks, cancelled, yielded, ended } = outbox;
            for (id, record) in records {
                if let Some(run) = self.arns.get(&id).and_then(|arn| self.runs.get_mut(arn)) {
                    run.history.push(record);
                }
            }
            for (id, key) in cancelled {
                self.close_task(id, key);
                outs.cancelled.push((id, key));
            }
            for (id, request) in tasks {
                self.dispatch(id, request, at, &mut inputs, outs);
            }
            for id in yielded {
                bursts += 1;
                if bursts < BURSTS_PER_INPUT {
                    inputs.push_back(Input::Command(id, Command::Continue));
                } else {
                    self.yielded.push_back(id);
                }
            }
            for id in ended {
                self.execution_ended(id, &mut inputs, outs);
            }
        }
    }

    fn dispatch(
        &mut self,
        id: ExecutionId,
        request: TaskRequest,
        at: Moment,
        inputs: &mut VecDeque<Input>,
        outs: &mut Outs,
    ) {
        if let Some(token) = &request.token {
            self.tokens.insert(token.clone(), (id, request.key));
        }
        let Some(execution) = self.engine.execution(id) else { return };
        let identity = execution.identity.clone();
        match &request.resource.kind {
            ResourceKind::Activity => self.schedule_activity(id, request, inputs, outs),
            ResourceKind::Integration(integration)
                if self.test_case(id).is_none() && super::nested::starts_execution(integration) =>
            {
                let integration = integration.clone();
                self.start_nested(id, &identity, &integration, &request, at, inputs);
            }
            ResourceKind::Integration(_) | ResourceKind::LambdaFunction => {
                self.dispatched.insert((id, request.key));
                outs.tasks.push(ServiceTask { execution: id, identity, test_case: self.test_case(id), request });
            }
        }
    }

    /// The mock case of an execution; of a Map Run's child there is none.
    fn test_case(&self, id: ExecutionId) -> Option<std::sync::Arc<str>> {
        self.arns.get(&id).and_then(|arn| self.runs.get(arn)).and_then(|run| run.test_case.clone())
    }

    /// Whoever waits for an execution's end is told.
    fn execution_ended(&mut self, id: ExecutionId, inputs: &mut VecDeque<Input>, outs: &mut Outs) {
        self.spend_tokens_of(id);
        self.dispatched.retain(|(owner, _)| *owner != id);
        if let Some(call) = self.waiting_for_end.remove(&id) {
            outs.replies.push((call, self.sync_outcome(id)));
        }
        if let Some(parent) = self.parents.remove(&id) {
            inputs.extend(self.nested_ended(id, parent));
        }
    }
}

fn drawn(at: Moment, chance: &Chance) -> Moment {
    Moment { now: at.now, entropy: chance.draw() }
}
