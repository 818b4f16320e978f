//! Files outside, which Map states read their items from and write their results to, and whoever moves them.
//!
//! The files are no part of what crashes. A file of items is made out of its name, so that nobody has to keep it; what is written
//! stays. Reading and writing is the server's own, call by call ([`Reading`], [`Writing`]), in parts as small as a seed has items.

mod results;

use std::collections::{BTreeMap, VecDeque};

use stepwell_api::{ServiceRead, ServiceTask, ServiceWrite};
use stepwell_engine::ExecutionId;
use stepwell_integrations::{ReadOn, Reading, Writing};
use stepwell_interpreter::{ChildResult, Command, Failure, ItemsRequest, ResultsRequest, TaskKey};
use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, AwsOutput, Fault, blob_bytes, blob_text};
use stepwell_spec::Text;

use crate::world::{Mail, World};
use stepwell_sim_disk::Random;

/// How often a call is made whose service is not well, as by the server.
const TIMES_ASKED: usize = 3;

/// Answers that are remembered, to come once more when nobody expects them.
const OLD_MAX: usize = 6;

/// What goes wrong with a call: the code, the status, and how many times one after the other.
const FAULTS: [(&str, u16, usize); 6] = [
    ("NoSuchKey", 404, 1),
    ("AccessDenied", 403, 1),
    ("SlowDown", 503, 1),
    ("SlowDown", 503, TIMES_ASKED),
    ("InternalError", 500, 2),
    ("", 0, TIMES_ASKED),
];

/// Files, and those who are at work on them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    work: Vec<Work>,
    /// What was written, by `BUCKET/KEY`.
    written: BTreeMap<String, Vec<u8>>,
    /// Executions that were told of a fault: in reading, in writing.
    given: BTreeMap<Text, (bool, bool)>,
    old: VecDeque<(ExecutionId, Command)>,
}

/// Something that is to be moved.
#[derive(Debug)]
struct Work {
    task: ServiceTask,
    what: What,
    is_cancelled: bool,
}

#[derive(Clone, Debug)]
enum What {
    Read(Box<ItemsRequest>),
    Write(Box<ResultsRequest>, Vec<ChildResult>),
}

/// A fault that is on its way to a call, and how often it comes yet.
type Pending = Option<(&'static str, u16, usize)>;

/// An input whose items are in a file: what is in it, and how many of them are wanted.
pub(crate) fn input(random: &mut Random, ending: &str) -> Json {
    let fails: Vec<u64> =
        (0..random.between(1, 7)).map(|_| if random.once_in(6) { 9 } else { random.between(0, 1) }).collect();
    let name: Vec<String> = fails.iter().map(u64::to_string).collect();
    let most = [0, 0, 0, random.between(1, 7)][random.below(4)];
    let read = if most == 0 { fails.len() } else { fails.len().min(most as usize) };
    Json::object([
        ("key", Json::from(format!("{}.{ending}", name.join("-")))),
        ("most", Json::from(most)),
        ("items", Json::array(items_of(&fails[..read]))),
    ])
}

fn items_of(fails: &[u64]) -> Vec<Json> {
    let item = |(n, fail): (usize, &u64)| Json::object([("item", Json::from(n as u64)), ("fail", Json::from(*fail))]);
    fails.iter().enumerate().map(item).collect()
}

/// What is in the file of this name; none when there is no such file.
fn file_of(key: &str) -> Option<Vec<u8>> {
    let (name, ending) = key.rsplit_once('.')?;
    let fails: Vec<u64> = name.split('-').map(|fail| fail.parse().ok()).collect::<Option<_>>()?;
    let items = items_of(&fails);
    let text = match ending {
        "jsonl" => items.iter().map(|item| format!("{item}\n")).collect(),
        _ => Json::array(items).to_string(),
    };
    Some(text.into_bytes())
}

fn refused(code: &str, status: u16) -> AwsAnswer {
    let fault = match status {
        0 => Fault::Unreached,
        500.. => Fault::Server,
        _ => Fault::Client,
    };
    Err(AwsError {
        code: code.into(),
        message: Some("No.".into()),
        status,
        fault,
        request_id: "id".into(),
        members: Json::empty_object(),
    })
}

fn done(output: Json) -> AwsAnswer {
    Ok(AwsOutput { output, status: 200, request_id: "id".into(), headers: Vec::new() })
}

impl Objects {
    /// Whether anybody is at work, or was.
    pub(crate) fn is_asked(&self) -> bool {
        !self.work.is_empty() || !self.old.is_empty()
    }

    /// Roughly who is at work.
    pub(crate) fn state(&self) -> String {
        let of = |is_read| self.work.iter().filter(|work| matches!(work.what, What::Read(_)) == is_read).count().min(2);
        format!("{} {} ", of(true), of(false))
    }

    /// The process ends: nobody is at work for it any more.
    pub(crate) fn lose(&mut self) {
        self.work.clear();
        self.old.clear();
    }

    /// Nobody wants what is moved under this key.
    pub(crate) fn cancel(&mut self, execution: ExecutionId, key: TaskKey) {
        for work in &mut self.work {
            work.is_cancelled |= (work.task.execution, work.task.request.key) == (execution, key);
        }
    }

    /// A call, asked again while its service is not well.
    fn call(&mut self, call: &AwsCall, fault: &mut Pending) -> AwsAnswer {
        for _ in 1..TIMES_ASKED {
            match self.call_once(call, fault) {
                Err(AwsError { fault: Fault::Server | Fault::Unreached, .. }) => {}
                answer => return answer,
            }
        }
        self.call_once(call, fault)
    }

    fn call_once(&mut self, call: &AwsCall, fault: &mut Pending) -> AwsAnswer {
        if let Some((code, status, times)) = fault.take() {
            *fault = (times > 1).then_some((code, status, times - 1));
            return refused(code, status);
        }
        let text = |name: &str| call.input.get(name).and_then(Json::as_str).unwrap_or_default();
        match &*call.action {
            "GetObject" => get(text("Key"), text("Range")),
            "PutObject" => {
                let body = blob_bytes(text("Body")).unwrap_or_default();
                self.written.insert(format!("{}/{}", text("Bucket"), text("Key")), body);
                done(Json::empty_object())
            }
            _ => refused("NotImplemented", 501),
        }
    }

    fn read(&mut self, request: &ItemsRequest, part: usize, fault: &mut Pending) -> Command {
        let map_run = request.task.key;
        match self.read_part(request, part, fault) {
            Ok((items, next)) => Command::ItemsRead { map_run, from: request.from.clone(), items, next },
            Err(Failure { error, cause, .. }) => Command::ItemsFailed { map_run, error, cause },
        }
    }

    /// The next part of a file, by somebody who knows nothing but where it begins.
    fn read_part(
        &mut self,
        request: &ItemsRequest,
        part: usize,
        fault: &mut Pending,
    ) -> Result<(Json, Option<Json>), Failure> {
        let mut reading = Reading::new(request)?.in_parts_of(part);
        loop {
            match reading.read_on() {
                ReadOn::Asks(call) => reading.take(self.call(&call, fault))?,
                ReadOn::Part { items, next } => return Ok((items, next)),
                ReadOn::Failed(failure) => return Err(failure),
            }
        }
    }

    /// Writes results, file by file. `None` when who writes them breaks off behind so many.
    fn write(
        &mut self,
        request: &ResultsRequest,
        results: &[ChildResult],
        most: usize,
        fault: &mut Pending,
    ) -> Option<Command> {
        let mut writing = Writing::new(request.clone(), results.to_vec());
        let mut outcome = Ok(());
        for _ in 0..most {
            let Some(call) = writing.next_call().filter(|_| outcome.is_ok()) else {
                return Some(request.written(outcome));
            };
            outcome = writing.take(self.call(&call, fault));
        }
        None
    }
}

fn get(key: &str, range: &str) -> AwsAnswer {
    let Some(file) = file_of(key) else { return refused("NoSuchKey", 404) };
    let range = range.trim_start_matches("bytes=").split_once('-');
    let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse::<usize>().ok()?)));
    let Some((first, last)) = range.filter(|(first, _): &(usize, usize)| *first < file.len()) else {
        return refused("InvalidRange", 416);
    };
    let last = last.min(file.len() - 1);
    done(Json::object([
        ("Body", Json::from(blob_text(&file[first..=last]))),
        ("ETag", Json::from(format!("\"{}\"", file.len()))),
        ("ContentRange", Json::from(format!("bytes {first}-{last}/{}", file.len()))),
    ]))
}

impl World {
    /// What is to be read and written reaches who does it.
    pub(crate) fn move_objects(&mut self, reads: Vec<ServiceRead>, writes: Vec<ServiceWrite>) -> Result<(), String> {
        let reads = reads.into_iter().map(|ServiceRead { task, request }| (task, What::Read(Box::new(request))));
        let writes = writes
            .into_iter()
            .map(|ServiceWrite { task, request, results }| (task, What::Write(Box::new(request), results)));
        for (task, what) in reads.chain(writes) {
            let (arn, key) = (task.identity.arn.clone(), task.request.key);
            self.trace.say(format!("{} for the Map Run of event {} of {arn}", what.line(), key.scheduled_event_id));
            self.hear_dispatch(&task);
            let of_this = |work: &Work| {
                (work.task.execution, work.task.request.key) == (task.execution, key) && !work.is_cancelled
            };
            let all = &mut self.objects.work;
            if all.iter().any(|work| of_this(work) && work.what.is_same(&what)) {
                return Err(format!("I9: {} of {arn} is asked for twice", what.line()));
            }
            // An answer from before came first, and this goes on behind it.
            all.iter_mut().filter(|work| of_this(work)).for_each(|work| work.is_cancelled = true);
            self.objects.work.push(Work { task, what, is_cancelled: false });
        }
        Ok(())
    }

    /// Somebody who reads or writes goes on.
    pub(crate) fn objects_turn(&mut self) {
        let is_faulty = self.random.percent(self.knobs.worker_fault_percent);
        if is_faulty && self.random.once_in(3) {
            let old = self.objects.old.make_contiguous();
            if let Some((execution, command)) = self.random.one_of(old).cloned() {
                self.tally.duplicates += 1;
                self.mail.push(Mail::Answer(execution, command));
            }
            return;
        }
        if self.objects.work.is_empty() {
            return;
        }
        if is_faulty && self.random.once_in(3) {
            self.tally.late_or_lost += 1;
            return;
        }
        let place = self.random.below(self.objects.work.len());
        let fault = (is_faulty && self.random.once_in(2)).then(|| FAULTS[self.random.below(FAULTS.len())]);
        self.tally.object_faults += u64::from(fault.is_some());
        let breaks_off = is_faulty && self.random.once_in(3);
        self.move_object(place, fault, breaks_off);
        if is_faulty
            && self.random.once_in(3)
            && let Some((execution, command)) = self.objects.old.back().cloned()
        {
            self.tally.duplicates += 1;
            self.mail.push(Mail::Answer(execution, command));
        }
    }

    fn move_object(&mut self, place: usize, mut fault: Pending, breaks_off: bool) {
        let part = 1 + self.random.below(3);
        let most = if breaks_off { self.random.below(3) } else { usize::MAX };
        let what = self.objects.work[place].what.clone();
        let command = match &what {
            What::Read(request) => Some(self.objects.read(request, part, &mut fault)),
            What::Write(request, results) => self.objects.write(request, results, most, &mut fault),
        };
        let Some(command) = command else { return };
        let Work { task, .. } = self.objects.work.remove(place);
        let given = self.objects.given.entry(task.identity.arn.clone()).or_default();
        given.0 |= matches!(command, Command::ItemsFailed { .. });
        given.1 |= matches!(command, Command::ResultsWritten { outcome: Err(_), .. });
        self.objects.old.push_back((task.execution, command.clone()));
        if self.objects.old.len() > OLD_MAX {
            self.objects.old.pop_front();
        }
        self.mail.push(Mail::Answer(task.execution, command));
    }

    /// The service was opened again and asks for all of it anew: some of what was on its way comes all the same.
    pub(crate) fn move_objects_late(&mut self) {
        for place in (0..self.objects.work.len()).rev() {
            if self.random.percent(50) {
                self.tally.duplicates += 1;
                self.move_object(place, None, false);
            }
        }
        self.objects.work.clear();
    }

    /// Everything that anybody waits for is read and written. `false` when nothing is left.
    pub(crate) fn move_all(&mut self) -> bool {
        self.objects.work.retain(|work| !work.is_cancelled);
        let has_any = !self.objects.work.is_empty();
        while !self.objects.work.is_empty() {
            self.move_object(0, None, false);
        }
        has_any
    }
}

impl What {
    fn is_same(&self, other: &What) -> bool {
        match (self, other) {
            (What::Read(one), What::Read(other)) => one.from == other.from,
            (What::Write(one, _), What::Write(other, _)) => one.is_trial == other.is_trial,
            _ => false,
        }
    }

    fn line(&self) -> String {
        match self {
            What::Read(request) => match &request.from {
                None => "the first items".to_owned(),
                Some(place) => format!("the items from {place}"),
            },
            What::Write(request, _) if request.is_trial => "the trial of the place for results".to_owned(),
            What::Write(_, results) => format!("{} results", results.len()),
        }
    }
}
