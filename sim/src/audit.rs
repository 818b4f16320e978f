//! What is held against what: at recoveries a part of it, in the end all.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use stepwell_api::{Call, NewFrame, Outs, Refusal, Retention, SHARD};
use stepwell_json::Json;
use stepwell_spec::shapes::{DescribeExecutionOutput, DescribeMapRunInput, ExecutionStatus, MapRunStatus};
use stepwell_spec::{Request, Response, Text};
use stepwell_store::{ALL_KEYS, HISTORIES, Index, Order, Store, StoreError, decode};

use crate::calls::{self, Ask};
use crate::history::{self, Event};
use crate::ledger::Known;
use crate::machines::{AT_ONCE, End, Kind};
use crate::shell::Written;
use crate::world::{World, place};
use crate::{poison, quotas};

/// Rounds in which everything has to come to its end, once nothing goes wrong any more.
const ROUNDS_MAX: usize = 3_000;

/// What was given to the store, frame by frame: what it must have, up to its last frame.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    frames: Vec<NewFrame>,
}

impl Mirror {
    pub(crate) fn push(&mut self, frame: &NewFrame) {
        self.frames.push(frame.clone());
    }

    /// The number of the last frame.
    pub(crate) fn last(&self) -> u64 {
        self.frames.len() as u64
    }

    /// Frames behind this one never were.
    pub(crate) fn recover(&mut self, tail: u64) -> Result<(), String> {
        if tail > self.last() {
            return Err(format!("I5: the store has frame {tail}, and {} were given to it", self.last()));
        }
        self.frames.truncate(tail as usize);
        Ok(())
    }

    /// The history of an execution by the engine's name, out of its frames.
    pub(crate) fn events_of(&self, id: u64) -> Result<Vec<Event>, String> {
        let mut events = Vec::new();
        for frame in self.frames.iter().filter(|frame| frame.executions.contains(&id)) {
            let records = decode(&frame.payload).map_err(|fault| format!("I15: {fault}"))?;
            let own = records.iter().filter(|(of, record)| *of == id && record.event.row().public);
            events.extend(own.filter_map(|(_, record)| Event::read(&record.to_history(true))));
        }
        Ok(events)
    }

    /// The rows of every table.
    fn rows(&self) -> BTreeMap<(&'static str, &[u8]), &[u8]> {
        let mut rows = BTreeMap::new();
        for row in self.frames.iter().flat_map(|frame| &frame.rows) {
            match &row.value {
                Some(value) => drop(rows.insert((row.table, &*row.key), &**value)),
                None => drop(rows.remove(&(row.table, &*row.key))),
            }
        }
        rows
    }

    /// I5: the store has these rows and no others in the tables they are of.
    fn check_rows(&self, index: &dyn Index) -> Result<(), String> {
        let expected = self.rows();
        let tables = self.frames.iter().flat_map(|frame| &frame.rows).map(|row| row.table);
        // One that is not a table: what is taken out of it is forgotten.
        let tables: BTreeSet<&str> = tables.filter(|table| *table != HISTORIES).collect();
        for table in tables {
            let found = index.scan(table, ALL_KEYS, Order::Ascending, usize::MAX).map_err(unread)?;
            let found: BTreeMap<&[u8], &[u8]> = found.iter().map(|(key, value)| (&**key, &**value)).collect();
            let of_table = expected.iter().filter(|((of, _), _)| *of == table);
            let wanted: BTreeMap<&[u8], &[u8]> = of_table.map(|((_, key), value)| (*key, *value)).collect();
            if found != wanted {
                let key = wanted.iter().find(|(key, value)| found.get(*key) != Some(value)).map(|(key, _)| *key);
                let key = key.or_else(|| found.keys().find(|key| !wanted.contains_key(*key)).copied());
                let key = key.unwrap_or_default().escape_ascii();
                return Err(format!(
                    "I5: table {table} has {} rows of {}; row {key} differs",
                    found.len(),
                    wanted.len()
                ));
            }
        }
        Ok(())
    }
}

fn unread(fault: StoreError) -> String {
    format!("I15: what is kept cannot be read: {fault}")
}

impl World {
    /// I5, I6: the store has the rows and the frames it was given, no more and no fewer.
    pub(crate) fn check_store(&mut self) -> Result<(), String> {
        let index = self.shell().store.index();
        self.mirror.check_rows(&*index)?;
        self.local.mirror.check_rows(&*index)?;
        let mut of_executions: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (frame, number) in self.mirror.frames.iter().zip(1..) {
            for execution in &frame.executions {
                of_executions.entry(*execution).or_default().push(number);
            }
        }
        let forgotten = self.mirror.frames.iter().flat_map(|frame| &frame.rows).filter(|row| row.table == HISTORIES);
        for key in forgotten.filter_map(|row| row.key.first_chunk()) {
            of_executions.remove(&u64::from_be_bytes(*key));
        }
        let ids: Vec<u64> = of_executions.keys().copied().collect();
        for _ in 0..4.min(ids.len()) {
            let id = ids[self.random.below(ids.len())];
            let found = index.history(SHARD, id, Order::Ascending, None, usize::MAX).map_err(unread)?;
            let numbers: Vec<u64> = found.iter().map(|kept| kept.frame().sequence).collect();
            if numbers != of_executions[&id] {
                return Err(format!("I6: execution {id} has frames {numbers:?} of {:?}", of_executions[&id]));
            }
            for kept in &found {
                let frame = kept.frame();
                if frame.payload != &*self.mirror.frames[frame.sequence as usize - 1].payload {
                    return Err(format!("I15: frame {} is not as it was written", frame.sequence));
                }
            }
        }
        Ok(())
    }

    /// Makes everything durable that has happened.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        self.wait_for_the_disk();
        while self.shell().waiting() > 0 {
            match self.write_some(usize::MAX) {
                Written::Leaves(all) => {
                    for leaving in all {
                        self.let_go(leaving)?;
                    }
                }
                Written::NoRoom => self.disk.set_room(None),
                Written::Broken(why) if self.calm => return Err(format!("the store broke without a fault: {why}")),
                Written::Broken(why) => return self.crash(&why),
            }
        }
        Ok(())
    }

    /// Asks on the spot. The answer may rest on what is not durable.
    pub(crate) fn call_now(&mut self, request: Request) -> Result<Response, Refusal> {
        let at = self.moment();
        let call = Call { id: 1 << 40, place: place(), request };
        let mut outs = self.shell().service.call(call, at);
        let reply = outs.replies.iter().position(|(id, _)| *id == 1 << 40).map(|place| outs.replies.swap_remove(place));
        if let Some(frame) = &outs.frame {
            self.mirror.push(frame);
            if let Err(what) = self.note_forgotten(frame) {
                self.trace.say(what);
            }
        }
        drop(self.shell().deliver(outs));
        reply.map_or_else(|| Err(Refusal::throttled()), |(_, reply)| reply)
    }

    pub(crate) fn describe(&mut self, arn: &Text) -> Result<DescribeExecutionOutput, String> {
        match self.call_now(calls::describe(arn)) {
            Ok(Response::DescribeExecution(output)) => Ok(output),
            Ok(_) => Err("an answer to something else".to_owned()),
            Err(refusal) => Err(format!("I1: {arn} is not there: {refusal}")),
        }
    }

    /// A whole history, in pages of some size.
    fn read_history(&mut self, arn: &Text) -> Result<Vec<Event>, String> {
        let page = if quotas::is_long(arn) { 1_000 } else { [3, 50, 1_000][self.random.below(3)] };
        let (mut events, mut next) = (Vec::new(), None);
        loop {
            match self.call_now(calls::history(arn, page, next.take())) {
                Ok(Response::GetExecutionHistory(output)) => {
                    events.extend(output.events.iter().filter_map(Event::read));
                    next = output.next_token;
                }
                Ok(_) => return Err("an answer to something else".to_owned()),
                Err(refusal) => return Err(format!("I1: the history of {arn} cannot be read: {refusal}")),
            }
            if next.is_none() {
                return Ok(events);
            }
        }
    }

    /// Looks at some executions after a recovery.
    pub(crate) fn sample_executions(&mut self) -> Result<(), String> {
        self.flush()?;
        let arns: Vec<Text> = self.ledger.executions.keys().cloned().collect();
        for _ in 0..3.min(arns.len()) {
            let arn = arns[self.random.below(arns.len())].clone();
            let Some(known) = self.ledger.executions.get(&arn).cloned() else { continue };
            if !self.shell().is_even() {
                return Ok(());
            }
            self.check_if_there(&arn, &known)?;
        }
        Ok(())
    }

    /// Everything about one execution, unless it is forgotten meanwhile.
    fn check_if_there(&mut self, arn: &Text, known: &Known) -> Result<Option<Text>, String> {
        if poison::is_unreadable(arn) {
            return Ok(None);
        }
        match self.check_execution(arn, known.kind, Some(known)) {
            Ok(status) => Ok(Some(status)),
            Err(_) if !self.ledger.executions.contains_key(arn) => Ok(None),
            Err(what) => Err(what),
        }
    }

    /// Everything about one execution.
    pub(crate) fn check_execution(&mut self, arn: &Text, kind: Kind, known: Option<&Known>) -> Result<Text, String> {
        let described = self.describe(arn)?;
        let is_left_alone = self.check_left_alone(arn, &described)?;
        let status = described.status.text();
        if let Some(known) = known {
            if described.start_date != known.at || described.input.as_deref() != Some(&*known.text) {
                let (began, input) = (described.start_date, described.input.unwrap_or_default());
                return Err(format!(
                    "I1: {arn} began at {} with {}, and shows {began} and {input}",
                    known.at, known.text
                ));
            }
            if known.is_stopped && described.status == ExecutionStatus::Running {
                return Err(format!("I1: {arn} was stopped and runs"));
            }
        }
        let events = self.read_history(arn)?;
        self.read_prefix(arn, &events)?;
        let of = |what: String| format!("{what} ({arn})");
        let checked = history::check(&events, kind, status).map_err(of)?;
        let redrives = events.iter().filter(|event| event.kind == "ExecutionRedriven").count() as i64;
        if described.redrive_count.unwrap_or(0) != redrives {
            return Err(format!("I4: {arn} was redriven {redrives} times and shows {:?}", described.redrive_count));
        }
        self.check_outcomes(arn, &events)?;
        for (output, path) in &checked.successes {
            self.check_token(arn, output, path, &events)?;
        }
        if described.status == ExecutionStatus::Running {
            // Of one that is left alone nothing is asked of anybody.
            if !is_left_alone {
                self.check_offers(arn, &checked)?;
            }
        } else if let (Some(known), 0) = (known, redrives)
            && described.status != ExecutionStatus::Aborted
        {
            check_end(arn, known, &described)?;
            self.check_given(arn, &described)?;
            if known.kind == Kind::Post {
                self.check_sent(arn, described.output.as_deref())?;
            }
        }
        Ok(status.into())
    }

    /// I7: a task outside has the outcome it was given, for this very attempt.
    pub(crate) fn check_outcomes(&self, arn: &Text, events: &[Event]) -> Result<(), String> {
        for event in events {
            let is_good = match &*event.kind {
                "TaskSucceeded" => true,
                // What was too large was given all the same.
                "TaskFailed" if event.is_task_failed_by("States.DataLimitExceeded") => true,
                "TaskFailed" => false,
                _ => continue,
            };
            let mut at = event.previous;
            while let Some(before) = (at as usize).checked_sub(1).and_then(|place| events.get(place)) {
                if before.kind == "TaskScheduled" {
                    break;
                }
                at = before.previous;
            }
            let details =
                at.checked_sub(1).and_then(|place| events[place as usize].json.get("taskScheduledEventDetails"));
            let resource = details.and_then(|details| details.get("resource")?.as_str()).unwrap_or_default();
            if resource != "sendMessage" {
                continue;
            }
            let given = self.answers.get(&(arn.clone(), at)).copied().unwrap_or_default();
            if is_good && !given.0 || !is_good && !given.1 {
                return Err(format!(
                    "I7: event {} of {arn} is an outcome that the task of event {at} was not given",
                    event.id
                ));
            }
        }
        Ok(())
    }

    /// I8: what a token was answered with completes the task it was given for.
    fn check_token(&self, arn: &Text, output: &str, path: &[u64], events: &[Event]) -> Result<(), String> {
        let Some(mark) = Json::parse(output).ok().and_then(|json| json.get("mark")?.as_str().map(Text::from)) else {
            return Ok(());
        };
        let token = self.ledger.completions.iter().find(|(_, known)| **known == mark).map(|(token, _)| *token);
        let Some(token) = token.and_then(|token| self.tokens.get(token)) else {
            return Err(format!("I8: {arn} has {mark}, which no token was answered with"));
        };
        let belongs = path.iter().map(|id| &events[*id as usize - 1]).any(|event| {
            let worker = event.json.get("activityStartedEventDetails").and_then(|it| it.get("workerName")?.as_str());
            let sent = event.json.get("taskScheduledEventDetails").and_then(|it| it.get("parameters")?.as_str());
            worker.is_some_and(|worker| worker == token.worker)
                || token.worker.is_empty() && sent.is_some_and(|sent| sent.contains(&*token.text))
        });
        match belongs {
            true => Ok(()),
            false => Err(format!("I8: {mark} of {arn} completes a task whose token was another")),
        }
    }

    /// I9: a task that nobody has taken has been asked of the world, by this very process.
    fn check_offers(&self, arn: &Text, checked: &history::Checked) -> Result<(), String> {
        for key in self.ledger.dispatched(arn) {
            let is_open = checked.open.get(&key.scheduled_event_id) == Some(&false);
            let of_this = |one: &&crate::workers::Outside| one.task.identity.arn == *arn && one.task.request.key == key;
            if is_open && !self.outside.iter().any(|one| of_this(&one)) {
                return Err(format!(
                    "I9: the task of event {} of {arn} is open and offered to nobody",
                    key.scheduled_event_id
                ));
            }
        }
        Ok(())
    }

    /// Nothing goes wrong any more. I14: so everything comes to its end.
    pub(crate) fn calm_down(&mut self) -> Result<(), String> {
        self.calm = true;
        self.disk.forget_plan();
        self.disk.set_room(None);
        self.trace.say("calm".to_owned());
        self.flush()?;
        for round in 0.. {
            if round > ROUNDS_MAX {
                return Err(format!("I14: {} has not ended", self.running()?.join(", ")));
            }
            self.step += 1;
            while let Some(mail) = (!self.mail.is_empty()).then(|| self.mail.remove(0)) {
                self.tick()?;
                self.take_mail(mail)?;
                if round % 3 == 0 {
                    self.flush()?;
                }
            }
            self.flush()?;
            let mut moved = false;
            for place in 0..self.outside.len() {
                if self.outside[place].answered == 0 {
                    self.answer(place);
                    moved = true;
                }
            }
            for token in 0..self.tokens.len() {
                if !self.tokens[token].is_spent && !self.tokens[token].is_over {
                    let asked =
                        self.asked.values().any(|ask| matches!(ask, Ask::Complete { token: of, .. } if *of == token));
                    if !asked {
                        self.complete(token, true);
                        moved = true;
                    }
                }
            }
            moved |= self.collect_tokens();
            moved |= self.move_all();
            let has_activities = [Kind::Activity, Kind::Twins].iter().any(|kind| self.knobs.kinds.contains(kind));
            if has_activities && !self.asked.values().any(|ask| matches!(ask, Ask::Poll { .. })) {
                self.marks += 1;
                let worker = format!("w{}", self.marks);
                self.ask(Ask::Poll { worker });
                moved = true;
            }
            // Executions are found by their machines.
            let gone: Vec<Kind> =
                self.ledger.machines.iter().filter(|(_, (exists, _))| !exists).map(|(kind, _)| *kind).collect();
            for kind in gone {
                self.ask(Ask::Create(kind));
                moved = true;
            }
            if moved || !self.mail.is_empty() {
                continue;
            }
            let mut running = self.running()?;
            running.retain(|arn| !self.is_beyond_help(arn));
            // Express executions are in no list, and each has a time it must be over by.
            if self.shell().service.timers().is_empty() {
                if running.is_empty() {
                    return self.check_answered();
                }
                if self.stop_what_is_left_alone(&running)? {
                    continue;
                }
            }
            let due = self.shell().service.next_due().map_or(i64::MAX, |due| due.0);
            if due > self.shell().now().0 + 60 * 86_400_000 {
                return Err(format!("I14: {} waits for nothing", running.join(", ")));
            }
            self.wall = self.wall.max(due);
            self.tick()?;
            self.flush()?;
        }
        Ok(())
    }

    /// I14: nobody waits for an answer any more, but for tasks that may never come.
    fn check_answered(&self) -> Result<(), String> {
        match self.asked.values().find(|ask| !matches!(ask, Ask::Poll { .. })) {
            Some(ask) => Err(format!("I14: nobody answers: {}", ask.line())),
            None => Ok(()),
        }
    }

    /// The executions that run, by the lists.
    fn running(&mut self) -> Result<Vec<Text>, String> {
        let mut found = Vec::new();
        for kind in self.kinds() {
            found.extend(self.listed(kind, Some(ExecutionStatus::Running))?.into_iter().map(|(arn, _)| arn));
        }
        Ok(found)
    }

    /// The machines whose executions are listed.
    fn kinds(&self) -> Vec<Kind> {
        let there = self.ledger.machines.iter().filter(|(kind, (exists, _))| *exists && !kind.is_express());
        there.map(|(kind, _)| *kind).collect()
    }

    fn listed(&mut self, kind: Kind, status: Option<ExecutionStatus>) -> Result<Vec<(Text, ExecutionStatus)>, String> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            match self.call_now(calls::list(Some(kind.arn().into()), None, status, next.take())) {
                Ok(Response::ListExecutions(output)) => {
                    found.extend(output.executions.into_iter().map(|item| (item.execution_arn, item.status)));
                    next = output.next_token;
                }
                Ok(_) => return Err("an answer to something else".to_owned()),
                Err(refusal) => return Err(format!("I1: executions of {} cannot be listed: {refusal}", kind.name())),
            }
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Everything, as it stands; then again in another process that has read every byte; then with bytes that are damaged.
    pub(crate) fn final_audit(&mut self) -> Result<(), String> {
        let before = self.audit_all()?;
        self.flush()?;
        self.check_timers()?;
        self.check_store()?;
        self.crash("in the end")?;
        self.flush()?;
        self.shell().store.check().map_err(|fault| format!("I15: {fault}"))?;
        let after = self.audit_all()?;
        if !self.shows_the_same(&before, &after) {
            let differs = before.iter().zip(&after).find(|(before, after)| before != after);
            return Err(format!("I6: what is shown differs after an opening: {differs:?}"));
        }
        self.check_damage(&after)
    }

    /// Whether what is shown later is what was shown: all of it, but for what was forgotten since.
    pub(crate) fn shows_the_same(&self, before: &[String], after: &[String]) -> bool {
        match self.knobs.retention == Retention::default() {
            true => before == after,
            false => after.iter().all(|line| before.contains(line)),
        }
    }

    /// Every execution there is, and how it stands.
    pub(crate) fn audit_all(&mut self) -> Result<Vec<String>, String> {
        self.flush()?;
        let mut shown = Vec::new();
        let known: Vec<(Text, Known)> =
            self.ledger.executions.iter().map(|(arn, known)| (arn.clone(), known.clone())).collect();
        let mut statuses = BTreeMap::new();
        for (arn, known) in &known {
            let Some(status) = self.check_if_there(arn, known)? else { continue };
            shown.push(format!("{arn} {status} {}", self.seen.get(arn).map_or(0, Vec::len)));
            statuses.insert(arn.clone(), status);
        }
        for kind in self.kinds() {
            let listed = self.listed(kind, None)?;
            let arns: BTreeSet<&Text> = listed.iter().map(|(arn, _)| arn).collect();
            if arns.len() != listed.len() {
                return Err(format!("I4: the list of {} has an execution twice", kind.name()));
            }
            for (arn, known) in &known {
                if known.kind == kind && !arns.contains(arn) && self.ledger.executions.contains_key(arn) {
                    return Err(format!("I4: {arn} is not in the list"));
                }
            }
            for (arn, status) in listed {
                let described = match statuses.get(&arn) {
                    Some(status) => status.clone(),
                    None if poison::is_unreadable(&arn) => continue,
                    // Nested in another one.
                    None => match self.check_execution(&arn, kind, None) {
                        Ok(status) => status,
                        Err(_) if self.knobs.retention != Retention::default() => continue,
                        Err(what) => return Err(what),
                    },
                };
                if *described != *status.text() {
                    return Err(format!("I4: {arn} is {described} and listed as {}", status.text()));
                }
            }
        }
        self.check_express()?;
        let marks: Vec<Text> =
            self.ledger.completions.values().filter(|mark| !mark.starts_with('!')).cloned().collect();
        let outputs: Vec<&str> = self.seen.values().flatten().filter_map(Event::output).collect();
        let is_kept = self.knobs.retention == Retention::default();
        for mark in marks.into_iter().filter(|_| is_kept) {
            let text = calls::marked(&mark);
            let count = outputs.iter().filter(|output| ***output == *text).count();
            // Some histories cannot be read.
            let may_be_unseen = count == 0 && self.ledger.executions.keys().any(|arn| poison::is_unreadable(arn));
            if count != 1 && !may_be_unseen {
                return Err(format!("I8: a task was completed with {mark}, and {count} histories say so"));
            }
        }
        for (arn, known) in known {
            let is_there = self.ledger.executions.contains_key(&arn) && !poison::is_unreadable(&arn);
            if is_there && known.kind.has_map_runs() {
                self.check_map_runs(&arn, &known)?;
            }
        }
        Ok(shown)
    }

    /// I12: what a Map Run counts is what its children are.
    fn check_map_runs(&mut self, arn: &Text, known: &Known) -> Result<(), String> {
        let items = known.input.get("items").and_then(Json::as_array).map_or(0, |items| items.len());
        let Ok(Response::ListMapRuns(runs)) = self.call_now(Ask::MapRuns(arn.clone()).request()) else {
            return Err(format!("I1: the Map Runs of {arn} cannot be listed"));
        };
        for run in runs.map_runs {
            let request = DescribeMapRunInput { map_run_arn: run.map_run_arn.clone() };
            let Ok(Response::DescribeMapRun(output)) = self.call_now(Request::DescribeMapRun(request)) else {
                return Err(format!("I1: {} cannot be described", run.map_run_arn));
            };
            let counts = output.execution_counts;
            let ended = counts.succeeded + counts.failed + counts.timed_out + counts.aborted;
            // What cannot be read is no child.
            let is_short = known.kind.reads_items() && output.status != MapRunStatus::Succeeded;
            let is_all = counts.total == items as i64 || is_short && counts.total < items as i64;
            if counts.running != 0 || counts.pending != 0 || ended != counts.total || !is_all {
                let json = Response::DescribeMapRun(stepwell_spec::shapes::DescribeMapRunOutput {
                    execution_counts: counts,
                    ..output
                });
                return Err(format!("I12: a Map Run of {items} items is over: {}", json.to_json()));
            }
            if known.kind.writes_results() {
                self.check_results(arn, &run.map_run_arn, output.status, &counts)?;
            }
            if !known.kind.has_standard_children() {
                continue;
            }
            let Ok(Response::ListExecutions(children)) =
                self.call_now(calls::list(None, Some(run.map_run_arn.clone()), None, None))
            else {
                return Err(format!("I1: the children of {} cannot be listed", run.map_run_arn));
            };
            let of = |status| children.executions.iter().filter(|child| child.status == status).count() as i64;
            if of(ExecutionStatus::Succeeded) != counts.succeeded {
                return Err(format!(
                    "I12: {} children of {} succeeded, and it counts {}",
                    of(ExecutionStatus::Succeeded),
                    run.map_run_arn,
                    counts.succeeded
                ));
            }
            let mut inputs = BTreeSet::new();
            let mut spans = Vec::new();
            for child in &children.executions {
                let described = self.describe(&child.execution_arn)?;
                if !inputs.insert(described.input.clone()) {
                    return Err(format!("I12: an item of {} has two children", run.map_run_arn));
                }
                let events = self.read_history(&child.execution_arn)?;
                self.read_prefix(&child.execution_arn, &events)?;
                history::check(&events, known.kind, described.status.text())
                    .map_err(|what| format!("{what} ({})", child.execution_arn))?;
                self.check_outcomes(&child.execution_arn, &events)?;
                spans.push((described.start_date, described.stop_date));
            }
            // One that ends in the very moment another begins has made room for it.
            for (began, _) in &spans {
                let open = spans.iter().filter(|(from, to)| from <= began && to.is_none_or(|to| to > *began)).count();
                if open as i64 > AT_ONCE && output.redrive_count == Some(0) {
                    return Err(format!("I12: {open} children of {} ran at once", run.map_run_arn));
                }
            }
        }
        Ok(())
    }

    /// I6, I10: another service over the same frames waits for the same.
    pub(crate) fn check_timers(&mut self) -> Result<(), String> {
        self.disk.forget_plan();
        self.check_local()?;
        let entropy = self.random.draw();
        let shell = self.shell();
        // Some panic when they are read, whoever reads them.
        let Ok(opened) = catch_unwind(AssertUnwindSafe(|| shell.open_beside(entropy))) else { return Ok(()) };
        let (other, Outs { frame, .. }) = opened.map_err(|fault| format!("I6: {fault}"))?;
        if frame.is_some_and(|frame| !frame.executions.is_empty()) {
            return Ok(());
        }
        let (mut live, reopened) = (self.shell().service.timers(), other.timers());
        // Nobody takes up what only a caller waits for.
        live.retain(|(id, ..)| !self.express.is_unkept(*id));
        if live != reopened {
            let extra = live.iter().find(|timer| !reopened.contains(timer));
            let lost = reopened.iter().find(|timer| !live.contains(timer));
            return Err(format!("I10: timers differ from what is open: {extra:?} too many, {lost:?} missing"));
        }
        Ok(())
    }
}

/// Whether an execution ended as its input says.
fn check_end(arn: &Text, known: &Known, described: &DescribeExecutionOutput) -> Result<(), String> {
    let output = described.output.as_deref().and_then(|text| Json::parse(text).ok());
    let fits = known.kind.ends(&known.input).iter().any(|end| match (end, described.status) {
        (End::Output(wanted), ExecutionStatus::Succeeded) => output.as_ref() == Some(wanted),
        (End::AnyOutput, ExecutionStatus::Succeeded) => true,
        (End::Items, ExecutionStatus::Succeeded) => {
            output.as_ref().is_some_and(|output| known.kind.fits_items(&known.input, output))
        }
        (End::Error(wanted), ExecutionStatus::Failed) => described.error.as_deref() == Some(wanted),
        (End::TimedOut, ExecutionStatus::TimedOut) => true,
        (End::Written, ExecutionStatus::Succeeded) => {
            output.as_ref().is_some_and(|output| output.get("ResultWriterDetails").is_some())
        }
        _ => false,
    });
    match fits {
        true => Ok(()),
        false => Err(format!(
            "I7: {arn} with {} ended as {} with {:?} {:?}",
            known.text,
            described.status.text(),
            described.output,
            described.error
        )),
    }
}
