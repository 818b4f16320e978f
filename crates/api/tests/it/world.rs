//! A service, what it has kept, and the world around it.
//!
//! Time, chance and the outside world are scripted, so that two of them can be compared event by event. A task is answered
//! by what its request says; one that is asked for again after an opening is answered once.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_api::{
    Call, Heard, NewFrame, Notice, Outs, Place, Refusal, Retention, SHARD, Service, ServiceRead, ServiceSettings,
    ServiceTask, ServiceWrite,
};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Chance, Command, Moment, TaskKey};
use stepwell_json::Json;
use stepwell_spec::{Action, Request, Response, Text, Timestamp};
use stepwell_store::{Append, MemoryStore, Outcome, Row, Store};

/// Everything is listened to.
const HEARD: Heard = Heard { log_events: true, status_changes: true };

/// A service, what it has kept, and the world around it.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) service: Service,
    heard: Heard,
    retention: Retention,
    reopens: bool,
    pub(crate) now: Timestamp,
    chance: Chance,
    calls: u64,
    pub(crate) sequence: u64,
    pub(crate) replies: BTreeMap<u64, Result<Response, Refusal>>,
    /// By execution and task, so that it does not matter in which order they were asked for.
    pub(crate) tasks: BTreeMap<(Text, TaskKey), ServiceTask>,
    pub(crate) done: BTreeSet<(Text, TaskKey)>,
    /// Items of Map Runs that somebody waits for, and results on their way out.
    pub(crate) reads: Vec<ServiceRead>,
    pub(crate) writes: Vec<ServiceWrite>,
    /// What was read and written, in order.
    pub(crate) moved: Vec<String>,
    pub(crate) openings: u64,
    /// What listeners were told.
    pub(crate) notices: Vec<Notice>,
}

impl World {
    pub(crate) fn new(reopens: bool) -> World {
        World::heard_by(HEARD, reopens)
    }

    pub(crate) fn heard_by(heard: Heard, reopens: bool) -> World {
        World::set_up(heard, Retention::default(), reopens)
    }

    /// One that forgets executions so long after their end.
    pub(crate) fn forgetting_after(retention: Retention, reopens: bool) -> World {
        World::set_up(HEARD, retention, reopens)
    }

    fn set_up(heard: Heard, retention: Retention, reopens: bool) -> World {
        let store = MemoryStore::new();
        let now = Timestamp(1_700_000_000_000);
        let settings = ServiceSettings { key: [7; 32], heard, retention };
        let (service, outs) = Service::open(&settings, store.index(), Moment { now, entropy: 0 }).expect("opens");
        let mut world = World {
            store,
            service,
            heard,
            retention,
            reopens,
            now,
            chance: Chance::new(Moment { now, entropy: 42 }),
            calls: 0,
            sequence: 0,
            replies: BTreeMap::new(),
            tasks: BTreeMap::new(),
            done: BTreeSet::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            moved: Vec::new(),
            openings: 0,
            notices: Vec::new(),
        };
        world.take(outs);
        world
    }

    pub(crate) fn moment(&mut self) -> Moment {
        self.now = self.now.plus_ms(1);
        Moment { now: self.now, entropy: self.chance.draw() }
    }

    pub(crate) fn call(&mut self, action: &str, body: &str) -> Result<Json, String> {
        let id = self.ask(action, body);
        let reply = self.replies.remove(&id).unwrap_or_else(|| panic!("{action} is not answered at once"));
        reply.map(|response| response.to_json()).map_err(|refusal| refusal.name().to_owned())
    }

    pub(crate) fn ask(&mut self, action: &str, body: &str) -> u64 {
        let request = stepwell_api::decode(Action::of(action).expect(action), body.as_bytes()).expect(body);
        stepwell_api::check(&request).expect(body);
        self.send(request)
    }

    /// Gives the service a request that was read and judged, and the id of its reply.
    pub(crate) fn send(&mut self, request: Request) -> u64 {
        self.calls += 1;
        let place = Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() };
        let call = Call { id: self.calls, place, request };
        let at = self.moment();
        let outs = self.service.call(call, at);
        self.input_ended(outs);
        self.calls
    }

    pub(crate) fn input_ended(&mut self, outs: Outs) {
        self.take(outs);
        if self.reopens {
            self.reopen();
        } else {
            // Nothing has to stay in memory.
            self.service.kept(self.sequence);
        }
    }

    /// Opens the service anew over what it has kept.
    pub(crate) fn reopen(&mut self) {
        // What was in memory alone is gone; tasks on their way are asked for again.
        self.tasks.clear();
        self.reads.clear();
        self.writes.clear();
        self.openings += 1;
        let at = Moment { now: self.now, entropy: self.openings };
        let settings = ServiceSettings { key: [9; 32], heard: self.heard, retention: self.retention };
        let (service, outs) = Service::open(&settings, self.store.index(), at).expect("opens again");
        self.service = service;
        assert!(outs.replies.is_empty());
        self.take(outs);
    }

    pub(crate) fn take(&mut self, outs: Outs) {
        assert!(outs.fault.is_none(), "{:?}", outs.fault);
        if let Some(NewFrame { executions, rows, payload }) = &outs.frame {
            self.sequence += 1;
            let rows: Vec<Row<'_>> =
                rows.iter().map(|row| Row { table: row.table, key: &row.key, value: row.value.as_deref() }).collect();
            let (sequence, mut outcomes) = (self.sequence, Vec::new());
            let append = Append { shard: SHARD, epoch: 1, sequence, executions, rows: &rows, payload };
            self.store.append_batch(&[append], &mut outcomes).expect("appended");
            assert_eq!(outcomes, [Outcome::Appended { sequence }]);
        }
        self.notices.extend(outs.notices);
        self.replies.extend(outs.replies);
        self.tasks.retain(|_, task| !outs.cancelled.contains(&(task.execution, task.request.key)));
        self.reads.retain(|read| !outs.cancelled.contains(&(read.task.execution, read.task.request.key)));
        self.writes.retain(|write| !outs.cancelled.contains(&(write.task.execution, write.task.request.key)));
        self.reads.extend(outs.reads);
        self.writes.extend(outs.writes);
        let tasks = outs.tasks.into_iter().map(|task| ((task.identity.arn.clone(), task.request.key), task));
        self.tasks.extend(tasks);
    }

    /// Lets the world turn until nothing is left to do by itself: tasks first, then time.
    pub(crate) fn turn(&mut self) {
        while self.step() {}
    }

    /// Does the next thing that is to be done by itself. `false` when nothing is left.
    pub(crate) fn step(&mut self) -> bool {
        if let Some((name, task)) = self.tasks.pop_first() {
            if self.done.insert(name) {
                let at = self.moment();
                let outs = self.service.complete(task.execution, answer(&task), at);
                self.input_ended(outs);
            }
            return true;
        }
        if !self.reads.is_empty() || !self.writes.is_empty() {
            let (execution, command) = match self.reads.is_empty() {
                false => self.part(),
                true => self.file(),
            };
            let at = self.moment();
            let outs = self.service.complete(execution, command, at);
            self.input_ended(outs);
            return true;
        }
        let Some(due) = self.service.next_due() else { return false };
        // A machine's own timeout is a year away.
        if due > Timestamp(1_700_000_000_000).plus_ms(30 * 86_400_000) {
            return false;
        }
        self.now = self.now.max(due);
        let at = self.moment();
        let outs = self.service.tick(at);
        self.input_ended(outs);
        true
    }
}

impl World {
    /// The next part of a file of as many items as its name says: three at a time, `{"n": 0}` and so on. Of a file that
    /// breaks, the part from the place it breaks at is not to be had the first time.
    fn part(&mut self) -> (ExecutionId, Command) {
        let ServiceRead { task, request } = self.reads.remove(0);
        let argument = |name: &str| request.task.input.get(name).and_then(Json::as_i64);
        let (all, breaks_at) = (argument("Items").expect("how many"), argument("BreaksAt"));
        let first = request.from.as_ref().and_then(Json::as_i64).unwrap_or(0);
        let map_run = request.task.key;
        self.moved.push(format!("read {first}"));
        if breaks_at == Some(first) && self.moved.iter().filter(|moved| **moved == format!("read {first}")).count() == 1
        {
            return (task.execution, Command::ItemsFailed { map_run, error: Some("Broken".into()), cause: None });
        }
        let last = all.min(first + 3);
        let items = Json::array((first..last).map(|n| Json::object([("n", Json::from(n))])).collect());
        let next = (last < all).then(|| Json::from(last));
        (task.execution, Command::ItemsRead { map_run, from: request.from, items, next })
    }

    fn file(&mut self) -> (ExecutionId, Command) {
        let ServiceWrite { task, request, results } = self.writes.remove(0);
        let kinds: Vec<String> = results.iter().map(|result| format!("{:?}", result.kind)).collect();
        self.moved.push(if request.is_trial { "tried".to_owned() } else { format!("wrote {}", kinds.join(" ")) });
        (task.execution, request.written(Ok(())))
    }
}

/// What a task's own input says: `{"fail": n}` fails the first `n` attempts, a bad item all of an execution that was not
/// redriven, anything else succeeds with the input.
pub(crate) fn answer(task: &ServiceTask) -> Command {
    let request = &task.request;
    let is_bad = request.input.get("item").and_then(|item| item.get("bad")).is_some();
    if is_bad && request.input.get("redriven").and_then(Json::as_i64) == Some(0) {
        return Command::TaskFailed { task: request.key, error: Some("Bad".into()), cause: None };
    }
    let failures = request.input.get("fail").and_then(Json::as_i64).unwrap_or(0);
    if (request.retry_count as i64) < failures {
        let error = Some(format!("E{}", request.retry_count).into());
        return Command::TaskFailed { task: request.key, error, cause: None };
    }
    Command::TaskSucceeded { task: request.key, output: request.input.clone() }
}
