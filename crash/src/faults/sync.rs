//! A sync that fails once and then succeeds, as Linux has it: nothing more may be acknowledged, the process ends at once
//! and not well, and whoever starts it again finds everything that was acknowledged.
//!
//! By turns it is the call that fails, whichever comes next, by a library loaded before libc; and the disk, an ext4 on a
//! file whose own file system is full, where it is the writing back of new blocks that fails.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::Chance;
use crate::client::{Client, object};
use crate::field::{Broken, Field, Load, Outcome, Times, empty, one};
use crate::load::machine_arn;
use crate::mount::{self, Mount, run as run_program};
use crate::server::{Launch, Server};

const SHIM: &str = include_str!("failing_sync.c");

/// How soon after the failure the process must have ended. The design asks for 100 ms; the rest is for a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// How long a disk without room behind it may go on by what it has.
const FAILS_WITHIN: Duration = Duration::from_secs(60);

/// Megabytes of memory behind the disk, and of the disk.
const BEHIND: u64 = 200;
const DISK: u64 = 600;

/// Megabytes of memory for the copy of the disk that is read after the failure.
const COPY: u64 = 400;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let times = field.times.unwrap_or(10);
    let mut chance = Chance(field.seed);
    let shim = build(&field.directory);
    let no_disk = mount::why_not(&field.directory);
    if let (Err(no_shim), Some(no_disk)) = (&shim, &no_disk) {
        return Ok(Outcome::Skipped(format!("no sync can be made to fail here ({no_shim}; {no_disk})")));
    }
    let mut done = [0_u32; 2];
    let (mut ends, mut verdicts) = (Vec::new(), Vec::new());
    for turn in 0..times {
        let by_call = (turn.is_multiple_of(2) || no_disk.is_some()) && shim.is_ok();
        let directory = field.directory.join(if by_call { "call" } else { "disk" });
        empty(&directory).map_err(one)?;
        let failed = match &shim {
            Ok(shim) if by_call => call_fails(field, &directory, shim, &mut chance),
            Ok(_) | Err(_) => disk_fails(field, &directory, &mut chance),
        };
        let (ended, verdict) = failed
            .map_err(|faults| faults.into_iter().map(|fault| format!("turn {turn}: {fault}")).collect::<Broken>())?;
        done[usize::from(!by_call)] += 1;
        ends.extend(ended);
        verdicts.push(verdict);
    }
    let ends = Times::of(ends);
    Ok(Outcome::Held(format!(
        "{} failing calls and {} failing disks; ended after p50 {} ms, max {} ms of the failing call; last: {}",
        done[0],
        done[1],
        ends.per_mille(500).as_millis(),
        ends.per_mille(1_000).as_millis(),
        verdicts.pop().unwrap_or_default(),
    )))
}

fn build(directory: &Path) -> Result<PathBuf, String> {
    let (source, library) = (directory.join("failing_sync.c"), directory.join("failing_sync.so"));
    std::fs::write(&source, SHIM).map_err(|error| error.to_string())?;
    run_program("cc", &["-shared", "-fPIC", "-o", &library.to_string_lossy(), &source.to_string_lossy(), "-ldl"])?;
    Ok(library)
}

/// The time from the failing call to the end of the process, and what was read back.
fn call_fails(
    field: &Field,
    directory: &Path,
    shim: &Path,
    chance: &mut Chance,
) -> Result<(Option<Duration>, String), Broken> {
    let mut launch = Launch::new(&field.binary, directory);
    let trigger = directory.join("fail");
    let noted = directory.join("fail.failed");
    launch.environment = vec![
        ("LD_PRELOAD".to_owned(), shim.display().to_string()),
        ("STEPWELL_CRASH_SYNC".to_owned(), trigger.display().to_string()),
    ];
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    let mut load = Load::start(address, field.clients, chance)?;
    std::thread::sleep(Duration::from_millis(chance.between(300, 2_000)));
    std::fs::write(&trigger, "").map_err(|error| one(error.to_string()))?;
    let status = server.wait_for_end(FAILS_WITHIN).map_err(one)?;
    let now = SystemTime::now();
    let status = status.ok_or_else(|| one("the server goes on after a failed sync".to_owned()))?;
    let at = std::fs::metadata(&noted).and_then(|noted| noted.modified());
    let at = at.map_err(|error| one(format!("it ended, {status}, before a sync failed: {error}")))?;
    let took = now.duration_since(at).unwrap_or_default();
    if status.success() {
        return Err(one("it ended after a failed sync as if all were well".to_owned()));
    }
    if took > ENDS_WITHIN {
        return Err(one(format!("it ended {} ms after the failed sync", took.as_millis())));
    }
    launch.environment.clear();
    Ok((Some(took), judge_again(&launch, &mut load)?))
}

/// The same by a disk with no room behind it.
fn disk_fails(field: &Field, directory: &Path, chance: &mut Chance) -> Result<(Option<Duration>, String), Broken> {
    let behind = Mount::memory(&directory.join("behind"), BEHIND).map_err(one)?;
    let image = behind.path().join("image");
    let disk = Mount::ext4(&image, &directory.join("disk"), DISK).map_err(one)?;
    let mut launch = Launch::new(&field.binary, directory);
    launch.data = disk.path().join("data");
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    let mut load = Load::start(address, field.clients, chance)?;
    std::thread::sleep(Duration::from_millis(chance.between(300, 2_000)));
    let ballast = behind.fill("ballast", 0).map_err(one)?;
    let status = wait_under_writes(&mut server, FAILS_WITHIN)?;
    if status.success() {
        return Err(one("it ended on a failing disk as if all were well".to_owned()));
    }
    drop(server);
    // The disk has room again, and what it lost is lost: it is read anew, without what the system still has in memory.
    drop(ballast);
    drop(disk);
    let copies = Mount::memory(&directory.join("copies"), COPY).map_err(one)?;
    let copy = copies.path().join("image");
    run_program("cp", &["--sparse=always", &image.to_string_lossy(), &copy.to_string_lossy()]).map_err(one)?;
    // Whatever the failed writing left of the file system itself is the file system's to mend.
    let _ = run_program("e2fsck", &["-p", "-f", &copy.to_string_lossy()]);
    let mended = Mount::image(&copy, &directory.join("disk")).map_err(one)?;
    let verdict = judge_again(&launch, &mut load);
    drop((mended, copies, behind));
    Ok((None, verdict?))
}

/// Writes until the server has ended.
fn wait_under_writes(server: &mut Server, at_most: Duration) -> Result<std::process::ExitStatus, Broken> {
    let began = Instant::now();
    let mut client = Client::new(server.address());
    let input = stepwell_json::Json::from("x".repeat(100_000)).to_string();
    let start = object(&[("stateMachineArn", &machine_arn("child")), ("input", &input)]);
    while began.elapsed() < at_most {
        if let Some(status) = server.ended().map_err(one)? {
            return Ok(status);
        }
        client.ask("StartExecution", &start);
    }
    Err(one(format!("the server goes on after {} s on a disk that fails", at_most.as_secs())))
}

/// Starts a server where another has ended, and holds what it knows against what the clients were promised.
fn judge_again(launch: &Launch, load: &mut Load) -> Result<String, Broken> {
    let server = launch.start().map_err(one)?;
    let verdict = load.judge(server.address())?;
    server.end().map_err(one)?;
    Ok(verdict)
}
