//! Folding a record into the execution: dull on purpose.
//!
//! No expression is evaluated here, no id allocated that the record does not imply, and nothing can fail: what a record
//! says has happened. Recovery is this function over the log and nothing else.

use stepwell_asl::{Resource, StateId, StateKind};
use stepwell_json::{Array, Json};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{
    Event, ExecutionRedriven, ItemsRead, MapIterationStarted, MapRunStarted, MapStateStarted, Onward, OutsideNamed,
    Record, StateEntered, StateExited, Timestamp,
};

use crate::effect::{Inputs, ItemsRequest, MapRunRequest, ResultsRequest, TaskKey, TaskRequest};
use crate::execution::{
    Active, Children, Execution, MapItems, MapRunWork, Phase, Reading, Stage, Status, TaskWork, Thread, ThreadId, Work,
};
use crate::failure::Failure;

impl Execution {
    /// Folds one record of this execution's log into its state.
    ///
    /// # Panics
    ///
    /// When the record cannot follow the ones before it: the log is not this execution's.
    pub fn evolve(&mut self, record: &Record) {
        if record.id > 0 {
            assert_eq!(record.id, self.last_event_id + 1, "I2: event ids follow one another");
            self.last_event_id = record.id;
        }
        let thread = ThreadId(record.thread);
        match &record.event {
            Event::ExecutionStarted(started) => {
                self.timeout_at = started.timeout_at;
                let start_at = self.definition.workflow(self.workflow).start_at;
                self.add_thread(None, 0, start_at, started.input.value.clone(), 0);
            }
            Event::ExecutionSucceeded(ended) => {
                self.close(Status::Succeeded(ended.output.value.clone()), record.timestamp)
            }
            Event::ExecutionFailed(ended) => {
                let failure = Failure { error: ended.error.clone(), cause: ended.cause.clone(), ..Failure::default() };
                self.close(Status::Failed(failure), record.timestamp);
            }
            Event::ExecutionTimedOut(ended) => {
                let failure = Failure { error: ended.error.clone(), cause: ended.cause.clone(), ..Failure::default() };
                self.close(Status::TimedOut(failure), record.timestamp);
            }
            Event::ExecutionAborted(ended) => {
                let failure = Failure { error: ended.error.clone(), cause: ended.cause.clone(), ..Failure::default() };
                self.close(Status::Aborted(failure), record.timestamp);
            }
            Event::ExecutionRedriven(redriven) => self.reopen(redriven, record),

            Event::PassStateEntered(entered)
            | Event::TaskStateEntered(entered)
            | Event::ChoiceStateEntered(entered)
            | Event::WaitStateEntered(entered)
            | Event::SucceedStateEntered(entered)
            | Event::FailStateEntered(entered)
            | Event::ParallelStateEntered(entered)
            | Event::MapStateEntered(entered) => self.enter(thread, record, entered),

            Event::PassStateExited(exited)
            | Event::TaskStateExited(exited)
            | Event::ChoiceStateExited(exited)
            | Event::WaitStateExited(exited)
            | Event::SucceedStateExited(exited)
            | Event::ParallelStateExited(exited)
            | Event::MapStateExited(exited) => self.exit(thread, record.id, exited),

            Event::WaitScheduled(scheduled) => self.set_work(thread, Work::Until { at: scheduled.until }),
            Event::RetryScheduled(scheduled) => {
                let event_id = self.last_event_id;
                self.drop_children(thread);
                let active = self.active_mut(thread);
                let retrier = scheduled.retrier as usize;
                if active.retries.len() <= retrier {
                    active.retries.resize(retrier + 1, 0);
                }
                active.retries[retrier] += 1;
                active.work = Work::Retry { at: scheduled.at, event_id };
                self.follow(thread, record.previous_event_id);
            }

            Event::TaskScheduled(scheduled) => {
                let task = OpenedTask {
                    input: &scheduled.parameters.0,
                    token: scheduled.token.clone(),
                    role_arn: scheduled.task_credentials.as_ref().map(|credentials| credentials.role_arn.clone()),
                    timeout_at: scheduled.timeout_at,
                    heartbeat_at: scheduled.heartbeat_at,
                    heartbeat_seconds: scheduled.heartbeat_in_seconds,
                };
                self.open_scheduled_task(thread, record.id, task);
            }
            Event::LambdaFunctionScheduled(scheduled) => {
                let task = OpenedTask {
                    input: &scheduled.input.value,
                    token: None,
                    role_arn: scheduled.task_credentials.as_ref().map(|credentials| credentials.role_arn.clone()),
                    timeout_at: scheduled.timeout_at,
                    heartbeat_at: None,
                    heartbeat_seconds: None,
                };
                self.open_scheduled_task(thread, record.id, task);
            }
            Event::ActivityScheduled(scheduled) => {
                let task = OpenedTask {
                    input: &scheduled.input.value,
                    token: Some(scheduled.token.clone()),
                    role_arn: None,
                    timeout_at: scheduled.timeout_at,
                    heartbeat_at: None,
                    heartbeat_seconds: scheduled.heartbeat_in_seconds,
                };
                self.open_scheduled_task(thread, record.id, task);
            }
            Event::ActivityStarted(started) => {
                self.set_heartbeat(thread, started.heartbeat_at);
                self.take_task(thread);
                self.follow(thread, record.id);
            }
            Event::HeartbeatReceived(received) => self.set_heartbeat(thread, Some(received.next_at)),
            Event::TaskSubmitted(submitted) => {
                self.take_task(thread);
                self.keep_submitted(thread, &submitted.output.value);
                self.follow(thread, record.id);
            }
            Event::TaskStarted(_) | Event::LambdaFunctionStarted => self.follow(thread, record.id),
            Event::TaskSucceeded(_)
            | Event::TaskFailed(_)
            | Event::TaskTimedOut(_)
            | Event::TaskStartFailed(_)
            | Event::TaskSubmitFailed(_)
            | Event::LambdaFunctionSucceeded(_)
            | Event::LambdaFunctionFailed(_)
            | Event::LambdaFunctionTimedOut(_)
            | Event::LambdaFunctionScheduleFailed(_)
            | Event::LambdaFunctionStartFailed(_)
            | Event::ActivitySucceeded(_)
            | Event::ActivityFailed(_)
            | Event::ActivityTimedOut(_)
            | Event::ActivityScheduleFailed(_) => {
                self.set_work(thread, Work::None);
                self.follow(thread, record.id);
            }
            Event::TaskStateAborted | Event::WaitStateAborted => {
                self.set_work(thread, Work::None);
                self.stop_thread(thread);
                self.follow(thread, record.id);
            }
            Event::ParallelStateAborted
            | Event::MapStateAborted
            | Event::ParallelStateFailed
            | Event::MapStateFailed => {
                self.stop_children(thread);
                self.stop_thread(thread);
                self.follow(thread, record.id);
            }
            Event::EvaluationFailed(_) => self.follow(thread, record.id),

            Event::ParallelStateStarted => self.follow(thread, record.id),
            Event::BranchesStarted(started) => self.start_branches(thread, &started.input),
            Event::MapStateStarted(started) => self.start_map(thread, record.id, started),
            Event::MapIterationStarted(started) => self.start_iteration(thread, record.id, started),
            Event::MapIterationSucceeded(_) => self.join(thread, Some(record.id)),
            Event::MapIterationFailed(_) => {
                let scope = self.thread(thread);
                let (parent, previous) = (scope.parent, scope.previous_event_id);
                self.stop_iteration(thread);
                if let Some(parent) = parent {
                    self.follow(parent, previous);
                }
            }
            Event::MapIterationAborted(_) => self.stop_iteration(thread),
            // AWS hangs what follows a success on what led to it, not on the success itself.
            Event::ParallelStateSucceeded | Event::MapStateSucceeded => {}
            Event::MapRunStarted(started) => self.start_map_run(thread, record.id, started),
            Event::MapRunSucceeded => {
                self.set_work(thread, Work::None);
                self.follow(thread, record.id);
            }
            Event::MapRunFailed(_) | Event::MapRunAborted => {
                self.end_map_run(thread);
                self.follow(thread, record.id);
            }
            Event::MapRunRedriven(redriven) => {
                if let Work::MapRunOver(run) = &mut self.active_mut(thread).work {
                    let mut run = run.clone();
                    run.request.redrive_count = redriven.redrive_count;
                    if matches!(run.stage, Stage::Writing { .. }) {
                        run.stage = Stage::Running;
                    }
                    self.set_work(thread, Work::MapRun(run));
                }
                self.follow(thread, record.id);
            }
            Event::OutsideNamed(named) => self.name_outside(thread, named),
            Event::DestinationTried => self.map_run_mut(thread).stage = Stage::Running,
            Event::ItemsRead(read) => self.take_items(thread, read),
            Event::ResultsDue(due) => {
                let failure = due.error.clone().map(|error| Failure {
                    error: Some(error),
                    cause: due.cause.clone(),
                    ..Failure::default()
                });
                self.map_run_mut(thread).stage = Stage::Writing { failure };
            }
        }
    }

    fn enter(&mut self, thread: ThreadId, record: &Record, entered: &StateEntered) {
        let scope = self.thread_mut(thread);
        scope.phase = Phase::In(Active {
            state: StateId(entered.state),
            input: entered.input.value.clone(),
            entered_at: record.timestamp,
            entered_event_id: record.id,
            before_event_id: scope.previous_event_id,
            retries: Vec::new(),
            work: Work::None,
        });
        scope.previous_event_id = record.id;
    }

    fn exit(&mut self, thread: ThreadId, event_id: u64, exited: &StateExited) {
        self.drop_children(thread);
        let scope = self.thread_mut(thread);
        scope.stopped = false;
        for (name, value) in &exited.assigned_variables.0 {
            match scope.variables.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = value.clone(),
                None => scope.variables.push((name.clone(), value.clone())),
            }
        }
        scope.previous_event_id = event_id;
        let output = exited.output.value.clone();
        scope.phase = match exited.onward {
            Onward::State(state) => Phase::Ready { state: StateId(state), input: output },
            Onward::End => Phase::Ended(output),
        };
        // A branch has no event of its own for its end: its last state's exit is it.
        if exited.onward == Onward::End && self.is_branch(thread) {
            self.join(thread, None);
        }
    }

    fn is_branch(&self, thread: ThreadId) -> bool {
        let parent = self.thread(thread).parent.map(|parent| self.active(parent));
        parent.is_some_and(|active| matches!(self.definition.state(active.state).kind, StateKind::Parallel(_)))
    }

    /// Gives a child's output to its parent and lets the child go.
    ///
    /// `succeeded` is the id of the event that says so, where there is one. As seen on AWS, the next iteration hangs on
    /// the last event inside the one before, and the Map state's own success on the last iteration's.
    fn join(&mut self, child: ThreadId, succeeded: Option<u64>) {
        let Some(Thread { parent: Some(parent), index, phase: Phase::Ended(output), previous_event_id, .. }) =
            self.threads.remove(&child)
        else {
            panic!("I11: thread {} joins once, after its end", child.0)
        };
        let children = self.children_mut(parent);
        let index = if planted::is(Bug::JoinInOrderOfEnd) { children.done } else { index };
        children.results[index] = Some(output);
        children.done += 1;
        children.running -= 1;
        let is_last = children.done == children.results.len();
        self.follow(parent, succeeded.filter(|_| is_last).unwrap_or(previous_event_id));
    }

    fn start_branches(&mut self, thread: ThreadId, input: &Json) {
        let previous = self.thread(thread).previous_event_id;
        let state = self.active(thread).state;
        let definition = self.definition.clone();
        let StateKind::Parallel(parallel) = &definition.state(state).kind else {
            panic!("I6: branches belong to a Parallel state")
        };
        let count = parallel.branches.len();
        self.set_work(
            thread,
            Work::Children(Box::new(Children { results: vec![None; count], done: 0, running: count, map: None })),
        );
        for (index, &branch) in parallel.branches.iter().enumerate() {
            self.add_thread(Some(thread), index, definition.workflow(branch).start_at, input.clone(), previous);
        }
    }

    fn start_map(&mut self, thread: ThreadId, event_id: u64, started: &MapStateStarted) {
        let map = MapItems {
            items: started.items.clone(),
            effective_input: started.effective_input.clone(),
            max_concurrency: started.max_concurrency,
            next: 0,
        };
        let results = vec![None; MapItems::count(&started.items)];
        self.set_work(thread, Work::Children(Box::new(Children { results, done: 0, running: 0, map: Some(map) })));
        self.follow(thread, event_id);
    }

    fn start_iteration(&mut self, thread: ThreadId, event_id: u64, started: &MapIterationStarted) {
        let state = self.active(thread).state;
        let definition = self.definition.clone();
        let StateKind::Map(map) = &definition.state(state).kind else { panic!("I6: iterations belong to a Map state") };
        let index = started.index as usize;
        let children = self.children_mut(thread);
        children.running += 1;
        let item = children.map.as_mut().and_then(|map| {
            map.next = index + 1;
            map.item(index)
        });
        let start_at = definition.workflow(map.processor).start_at;
        let child = self.add_thread(Some(thread), index, start_at, started.input.clone(), event_id);
        self.thread_mut(child).item = item;
    }

    fn start_map_run(&mut self, thread: ThreadId, event_id: u64, started: &MapRunStarted) {
        let state = self.active(thread).state;
        let definition = self.definition.clone();
        let row = definition.state(state);
        let Some((map, distributed)) = row.kind.distributed_map() else {
            panic!("I6: a Map Run belongs to a distributed Map")
        };
        let key = TaskKey { thread, scheduled_event_id: event_id };
        let active = self.active(thread);
        let effective_input = match &active.work {
            Work::Children(children) => children.map.as_ref().map(|map| map.effective_input.clone()),
            Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Task(_)
            | Work::MapRun(_)
            | Work::MapRunOver(_) => None,
        };
        let mut inputs = Inputs::default();
        inputs.push(started.inputs.as_array().cloned().unwrap_or_else(|| Array::new(Vec::new())));
        let request = MapRunRequest {
            key,
            arn: started.map_run_arn.clone(),
            state,
            redrive_count: 0,
            processor: map.processor,
            express: distributed.express_children,
            inputs,
            is_complete: true,
            max_concurrency: started.max_concurrency,
            tolerated_failure_count: started.tolerated_failure_count,
            tolerated_failure_percentage: started.tolerated_failure_percentage,
        };
        let effective_input = effective_input.unwrap_or(Json::Null);
        let run = MapRunWork { request, stage: Stage::Running, effective_input, reading: None, results: None };
        self.set_work(thread, Work::MapRun(Box::new(run)));
        self.follow(thread, event_id);
    }

    fn name_outside(&mut self, thread: ThreadId, named: &OutsideNamed) {
        let definition = self.definition.clone();
        let active = self.active(thread);
        let row = definition.state(active.state);
        let Some((_, distributed)) = row.kind.distributed_map() else {
            panic!("I6: a Map Run belongs to a distributed Map")
        };
        let retry_count = active.retry_count();
        let MapRunRequest { key, arn: map_run_arn, .. } = self.map_run_mut(thread).request.clone();
        let task = |resource: &Resource, input: &Json| TaskRequest {
            key,
            state_name: row.name.clone(),
            resource: resource.clone(),
            input: input.clone(),
            token: None,
            role_arn: None,
            retry_count,
            taken: false,
            submitted: None,
        };
        let reading = match (&distributed.item_reader, &named.reader_arguments) {
            (Some(reader), Some(arguments)) => Some(Reading {
                request: ItemsRequest {
                    task: task(&reader.resource, arguments),
                    config: reader.config.clone(),
                    max_items: named.max_items.filter(|max| *max > 0),
                    from: None,
                },
                read: 0,
                open: Vec::new(),
            }),
            (None, _) | (_, None) => None,
        };
        let writer = distributed.result_writer.as_ref();
        let results = match (writer.and_then(|writer| writer.resource.as_ref()), &named.writer_arguments) {
            (Some(resource), Some(arguments)) => Some(ResultsRequest {
                task: task(resource, arguments),
                map_run_arn,
                as_lines: writer.and_then(|writer| writer.output_type.as_deref()) == Some("JSONL"),
                is_trial: false,
                redrive_count: 0,
            }),
            (None, _) | (_, None) => None,
        };
        let run = self.map_run_mut(thread);
        run.request.is_complete = reading.is_none();
        run.stage = if results.is_some() { Stage::Trying } else { Stage::Running };
        run.reading = reading;
        run.results = results;
    }

    fn take_items(&mut self, thread: ThreadId, read: &ItemsRead) {
        let run = self.map_run_mut(thread);
        if let Some(inputs) = read.inputs.as_array() {
            run.request.inputs.push(inputs.clone());
        }
        run.request.is_complete = read.next.is_none();
        if let Some(reading) = &mut run.reading {
            let request = &mut reading.request;
            let taken = if planted::is(Bug::MaxItemsEachTime) { 0 } else { read.read - reading.read };
            request.max_items = request.max_items.map(|max| max.saturating_sub(taken));
            request.from = read.next.clone();
            reading.read = read.read;
            reading.open = read.open.as_array().map(|open| open.to_vec()).unwrap_or_default();
        }
    }

    /// A Map Run has ended without success, and is kept for a redrive.
    fn end_map_run(&mut self, thread: ThreadId) {
        if let Work::MapRun(run) = &self.active(thread).work {
            let run = run.clone();
            self.set_work(thread, Work::MapRunOver(run));
        }
    }

    fn open_scheduled_task(&mut self, thread: ThreadId, event_id: u64, opened: OpenedTask<'_>) {
        let active = self.active(thread);
        let state = self.definition.state(active.state);
        let StateKind::Task(task) = &state.kind else { panic!("I6: a task belongs to a Task state") };
        let request = TaskRequest {
            key: TaskKey { thread, scheduled_event_id: event_id },
            state_name: state.name.clone(),
            resource: task.resource.clone(),
            input: opened.input.clone(),
            token: opened.token,
            role_arn: opened.role_arn,
            retry_count: active.retry_count(),
            taken: false,
            submitted: None,
        };
        let work = TaskWork {
            request,
            timeout_at: opened.timeout_at,
            heartbeat_at: opened.heartbeat_at,
            heartbeat_seconds: opened.heartbeat_seconds,
        };
        self.set_work(thread, Work::Task(Box::new(work)));
        self.follow(thread, event_id);
    }

    fn take_task(&mut self, thread: ThreadId) {
        if let Work::Task(task) = &mut self.active_mut(thread).work {
            task.request.taken = true;
        }
    }

    /// Of a job only: a callback is found by its token.
    fn keep_submitted(&mut self, thread: ThreadId, output: &Json) {
        if let Work::Task(task) = &mut self.active_mut(thread).work
            && task.request.is_job()
        {
            task.request.submitted = Some(output.clone());
        }
    }

    fn set_heartbeat(&mut self, thread: ThreadId, at: Option<Timestamp>) {
        if let Work::Task(task) = &mut self.active_mut(thread).work {
            task.heartbeat_at = at;
        }
    }

    fn close(&mut self, status: Status, at: Timestamp) {
        assert_eq!(self.status, Status::Running, "I4: an execution ends once");
        // What failed is kept as it stood, because a redrive goes on from there; where none can, nothing is.
        let is_full = self.settings.history_events_max.is_some_and(|max| self.last_event_id >= max);
        if is_full || matches!(status, Status::Succeeded(_)) {
            self.threads.clear();
            self.next_thread = 0;
        }
        self.status = status;
        self.stopped_at = Some(at);
    }

    /// Opens an ended execution again: what was stopped may move, with all its retries before it.
    fn reopen(&mut self, redriven: &ExecutionRedriven, record: &Record) {
        self.status = Status::Running;
        self.stopped_at = None;
        self.redrive_count = redriven.redrive_count;
        self.redriven_at = Some(record.timestamp);
        self.timeout_at = redriven.timeout_at;
        let threads: Vec<ThreadId> = self.threads.keys().copied().collect();
        for id in threads {
            let running = self.children(id).len();
            let scope = self.thread_mut(id);
            scope.stopped = false;
            if let Phase::In(active) = &mut scope.phase {
                active.retries.clear();
                match &mut active.work {
                    Work::Children(children) => children.running = running,
                    Work::MapRunOver(_) => {}
                    // The execution ended before its Map Run could.
                    Work::MapRun(run) => active.work = Work::MapRunOver(run.clone()),
                    Work::None | Work::Until { .. } | Work::Retry { .. } | Work::Task(_) => active.work = Work::None,
                }
            }
        }
        self.follow(ThreadId::ROOT, record.id);
    }

    fn add_thread(
        &mut self,
        parent: Option<ThreadId>,
        index: usize,
        state: StateId,
        input: Json,
        previous_event_id: u64,
    ) -> ThreadId {
        let id = ThreadId(self.next_thread);
        self.next_thread += 1;
        let phase = Phase::Ready { state, input };
        let variables = Vec::new();
        self.threads
            .insert(id, Thread { parent, index, item: None, variables, previous_event_id, stopped: false, phase });
        id
    }

    fn stop_thread(&mut self, thread: ThreadId) {
        self.thread_mut(thread).stopped = true;
    }

    fn stop_iteration(&mut self, iteration: ThreadId) {
        self.stop_thread(iteration);
        if let Some(parent) = self.thread(iteration).parent {
            self.children_mut(parent).running -= 1;
        }
    }

    /// Stops all branches or iterations of a state that failed or was aborted. They stay as they stood.
    fn stop_children(&mut self, thread: ThreadId) {
        for child in self.children(thread) {
            self.stop_children(child);
            self.stop_thread(child);
        }
        if let Phase::In(Active { work: Work::Children(children), .. }) = &mut self.thread_mut(thread).phase {
            children.running = 0;
        }
    }

    fn drop_children(&mut self, thread: ThreadId) {
        let has_children = matches!(
            self.threads.get(&thread).map(|scope| &scope.phase),
            Some(Phase::In(Active { work: Work::Children(_), .. }))
        );
        if has_children {
            for child in self.children(thread) {
                self.drop_children(child);
                self.threads.remove(&child);
            }
        }
    }

    /// The thread's next event will follow this one.
    fn follow(&mut self, thread: ThreadId, event_id: u64) {
        self.thread_mut(thread).previous_event_id = event_id;
    }

    fn set_work(&mut self, thread: ThreadId, work: Work) {
        self.active_mut(thread).work = work;
    }

    fn thread_mut(&mut self, id: ThreadId) -> &mut Thread {
        self.threads.get_mut(&id).unwrap_or_else(|| panic!("I6: thread {} is open when its record comes", id.0))
    }

    fn active_mut(&mut self, id: ThreadId) -> &mut Active {
        match &mut self.thread_mut(id).phase {
            Phase::In(active) => active,
            Phase::Ready { .. } | Phase::Ended(_) => panic!("I6: thread {} is in a state when its record comes", id.0),
        }
    }

    fn map_run_mut(&mut self, id: ThreadId) -> &mut MapRunWork {
        match &mut self.active_mut(id).work {
            Work::MapRun(run) => run,
            Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Task(_)
            | Work::Children(_)
            | Work::MapRunOver(_) => panic!("I6: thread {} has a Map Run when its record comes", id.0),
        }
    }

    fn children_mut(&mut self, id: ThreadId) -> &mut Children {
        match &mut self.active_mut(id).work {
            Work::Children(children) => children,
            Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Task(_)
            | Work::MapRun(_)
            | Work::MapRunOver(_) => {
                panic!("I11: thread {} has children when theirs end", id.0)
            }
        }
    }
}

/// What every kind of `…Scheduled` event says about the task it opens.
struct OpenedTask<'a> {
    input: &'a Json,
    token: Option<stepwell_spec::Text>,
    role_arn: Option<stepwell_spec::Text>,
    timeout_at: Option<Timestamp>,
    heartbeat_at: Option<Timestamp>,
    heartbeat_seconds: Option<u64>,
}
