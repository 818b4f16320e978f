//! The loop: mutate, run, watch. Ends with the first finding, or with the time.
//!
//! A panic is caught and its input made smaller. A hang or a flood of memory cannot be stopped from inside; a watchdog
//! thread sees it, tells the input and ends the process. A stack overflow ends the process at once; the input then lies in
//! `fuzz/artifacts/`, where every input is written before it runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::Behaviour;
use crate::mutate::{Chance, mutate};
use crate::targets::Target;

/// Longest time one input may take. Far above what is slow, so that a busy machine raises no alarm.
const INPUT_SECONDS_MAX: u64 = 3;

/// Most memory the process may hold. The pool is bounded, so only an input can take this much.
const RESIDENT_MIB_MAX: u64 = 1024;

/// Most inputs kept for their behaviour.
const POOL_MAX: usize = 4096;

/// The stack a server's worker thread has: what must be enough for us.
const STACK_BYTES: usize = 2 << 20;

/// How long and from where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seconds of the wall clock.
    pub seconds: u64,
    /// Where chance begins.
    pub seed: u64,
    /// Where inputs are written before they run.
    pub artifacts: PathBuf,
}

/// What a finished loop tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Inputs run.
    pub inputs: u64,
    /// Different behaviours seen.
    pub behaviours: usize,
    /// The slowest input's time.
    pub slowest_ms: u128,
}

/// An input that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The input, as small as we could make it.
    pub input: Vec<u8>,
    /// What the panic said.
    pub says: String,
}

/// Runs a target for a while. Fails with the first input that makes it panic.
pub fn run(target: &Target, plan: &Plan) -> Result<Report, Finding> {
    let watch = Watch::start(target.name);
    let finished = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
        let worker = worker.spawn_scoped(scope, || rounds(target, plan, &watch)).expect("a thread can be started");
        worker.join()
    });
    watch.stop();
    finished.unwrap_or_else(|_| panic!("the loop itself failed"))
}

/// Runs one input, as the loop would.
pub fn run_once(target: &Target, input: &[u8]) -> Result<Behaviour, Finding> {
    let worker = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
        worker.spawn_scoped(scope, || attempt(target, input)).expect("a thread can be started").join()
    });
    let outcome = worker.unwrap_or_else(|_| panic!("the attempt itself failed"));
    outcome.map_err(|says| Finding { input: input.to_vec(), says })
}

fn rounds(target: &Target, plan: &Plan, watch: &Watch) -> Result<Report, Finding> {
    let mut chance = Chance::new(plan.seed);
    let mut pool: Vec<Vec<u8>> = seeds(target.seeds);
    let mut seen = BTreeSet::new();
    let mut trace = Trace::open(&plan.artifacts, target.name);
    let mut report = Report { inputs: 0, behaviours: 0, slowest_ms: 0 };
    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let mut fresh = pool.clone();
    while Instant::now() < until || !fresh.is_empty() {
        let input = fresh.pop().unwrap_or_else(|| mutate(&pool, target.dictionary, &mut chance));
        trace.record(&input);
        watch.begin(&input);
        let outcome = attempt(target, &input);
        report.slowest_ms = report.slowest_ms.max(watch.end().as_millis());
        report.inputs += 1;
        match outcome {
            Ok(behaviour) if seen.insert(behaviour) && pool.len() < POOL_MAX => pool.push(input),
            Ok(_) => {}
            Err(says) => return Err(shrink(target, input, says)),
        }
    }
    trace.discard();
    report.behaviours = seen.len();
    Ok(report)
}

/// Seeds stand one to a paragraph, separated by lines of `---`.
pub(crate) fn seeds(text: &str) -> Vec<Vec<u8>> {
    text.split("\n---\n").map(|seed| seed.trim_end_matches('\n').as_bytes().to_vec()).collect()
}

/// Runs the target; a panic becomes its message.
fn attempt(target: &Target, input: &[u8]) -> Result<Behaviour, String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Leaves away whatever is not needed for a panic, in smaller and smaller pieces.
fn shrink(target: &Target, mut input: Vec<u8>, mut says: String) -> Finding {
    let silenced = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut piece = input.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut smaller = input.clone();
            smaller.drain(at..(at + piece).min(input.len()));
            match attempt(target, &smaller) {
                Err(same) => (input, says) = (smaller, same),
                Ok(_) => at += piece,
            }
        }
        piece /= 2;
    }
    std::panic::set_hook(silenced);
    Finding { input, says }
}

/// The input that runs now, on disk: what is left when the process dies.
struct Trace(Option<(PathBuf, File)>);

impl Trace {
    fn open(folder: &Path, target: &str) -> Trace {
        let path = folder.join(format!("{target}-running"));
        let opened = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
        Trace(opened.ok().map(|file| (path, file)))
    }

    fn record(&mut self, input: &[u8]) {
        if let Some((_, file)) = &mut self.0 {
            // A disk that fails costs us the trace, not the run.
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(input));
            let _ = file.set_len(input.len() as u64);
        }
    }

    fn discard(self) {
        if let Some((path, _)) = self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The watchdog and what it looks at.
struct Watch {
    now: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    running: Option<(Instant, Vec<u8>)>,
    stopped: bool,
}

impl Watch {
    fn start(target: &'static str) -> Watch {
        let now = Arc::new(Mutex::new(Now::default()));
        let watched = Arc::clone(&now);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let now = watched.lock().expect("nobody panics while holding it");
                if now.stopped {
                    return;
                }
                if let Some((began, input)) = &now.running
                    && let Some(complaint) = complaint(*began)
                {
                    println!("{target}: {complaint}\ninput: {}", String::from_utf8_lossy(input));
                    println!("kept in fuzz/artifacts/{target}-running");
                    std::process::exit(1);
                }
            }
        });
        Watch { now }
    }

    fn begin(&self, input: &[u8]) {
        self.now.lock().expect("nobody panics while holding it").running = Some((Instant::now(), input.to_vec()));
    }

    fn end(&self) -> Duration {
        let running = self.now.lock().expect("nobody panics while holding it").running.take();
        running.map(|(began, _)| began.elapsed()).unwrap_or_default()
    }

    fn stop(&self) {
        self.now.lock().expect("nobody panics while holding it").stopped = true;
    }
}

fn complaint(began: Instant) -> Option<String> {
    let seconds = began.elapsed().as_secs();
    if seconds >= INPUT_SECONDS_MAX {
        return Some(format!("an input takes more than {seconds} s"));
    }
    let resident = resident_mib()?;
    (resident > RESIDENT_MIB_MAX).then(|| format!("an input takes {resident} MiB"))
}

/// Memory the process holds, where the system tells it as Linux does.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::{Plan, run, run_once, seeds};
    use crate::Behaviour;
    use crate::targets::Target;

    fn panics_on_two_quotes(input: &[u8]) -> Behaviour {
        let quotes = input.iter().filter(|byte| **byte == b'"').count();
        assert!(quotes < 2, "two quotes");
        Behaviour::of(quotes)
    }

    const TARGET: Target =
        Target { name: "quotes", run: panics_on_two_quotes, dictionary: &["\""], seeds: "abc\n---\nd\"ef\n" };

    #[test]
    fn a_panic_is_found_and_made_small() {
        let artifacts = std::env::temp_dir().join(format!("stepwell-fuzz-{}", std::process::id()));
        let plan = Plan { seconds: 60, seed: 1, artifacts: artifacts.clone() };
        let finding = run(&TARGET, &plan).expect_err("two quotes come up soon");
        assert_eq!((finding.input.as_slice(), finding.says.as_str()), (b"\"\"".as_slice(), "two quotes"));
        assert!(run_once(&TARGET, &finding.input).is_err());
        assert!(run_once(&TARGET, b"\"").is_ok());
        std::fs::remove_dir_all(artifacts).expect("the trace was written there");
    }

    #[test]
    fn seeds_are_separated_by_dashes() {
        assert_eq!(seeds("a\nb\n---\nc\n"), [b"a\nb".to_vec(), b"c".to_vec()]);
    }
}
