//! Power lost, as a file system sees it: the data is on an ext4 in a file, the file is copied in mid-load, and a server
//! that is started on the copy must know everything that had been acknowledged before.
//!
//! The server stands still while the file is copied, so that the copy is of one moment; what the system has not written
//! to the file by then is not in it.

use std::time::{Duration, Instant};

use crate::Chance;
use crate::field::{Broken, Field, Load, Outcome, Times, one};
use crate::mount::{Mount, run as run_program};
use crate::server::Launch;
use crate::verdict::judge_kept;

/// Megabytes of memory for the images, and of each.
const MEMORY: u64 = 1_600;
const DISK: u64 = 700;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let images = field.times.unwrap_or(10);
    let mut chance = Chance(field.seed);
    let memory = Mount::memory(&field.directory.join("memory"), MEMORY).map_err(one)?;
    let image = memory.path().join("image");
    let disk = Mount::ext4(&image, &field.directory.join("disk"), DISK).map_err(one)?;
    let launch = Launch { data: disk.path().join("data"), ..Launch::new(&field.binary, &field.directory) };
    let server = launch.start().map_err(one)?;
    let address = server.address();
    let mut load = Load::start(address, field.clients, &mut chance)?;
    let (mut stood, mut read) = (Vec::new(), (0, 0, 0));
    for number in 1..=images {
        let fail = |what: String| one(format!("image {number}: {what}"));
        std::thread::sleep(Duration::from_millis(chance.between(300, 2_500)));
        server.signal("STOP").map_err(fail)?;
        let promised = load.ledger.copy();
        let began = Instant::now();
        let copy = memory.path().join("copy");
        let copied = run_program("cp", &["--sparse=always", &image.to_string_lossy(), &copy.to_string_lossy()]);
        stood.push(began.elapsed());
        copied.map_err(fail)?;
        let of_copy = Mount::image(&copy, &field.directory.join("copy")).map_err(fail)?;
        let beside = Launch { data: of_copy.path().join("data"), is_beside: true, ..launch.clone() };
        let on_copy = beside.start().map_err(fail)?;
        let kept = judge_kept(on_copy.address(), &promised);
        if !kept.faults.is_empty() {
            return Err(kept.faults.into_iter().map(|fault| format!("image {number}: {fault}")).collect());
        }
        read = (read.0 + kept.executions, read.1 + kept.events, read.2 + kept.things);
        on_copy.end().map_err(fail)?;
        drop(of_copy);
        std::fs::remove_file(&copy).map_err(|error| fail(error.to_string()))?;
        // It has stood still meanwhile, so that what is read back does not become more and more.
        server.signal("CONT").map_err(fail)?;
    }
    let acknowledged = load.ledger.summary();
    let verdict = load.judge(server.address())?;
    server.end().map_err(one)?;
    drop((disk, memory));
    let stood = Times::of(stood);
    Ok(Outcome::Held(format!(
        "{images} images, each copied in p50 {} ms; {acknowledged}; from the images {} executions with {} events and {} things \
         of other services; in the end {verdict}",
        stood.per_mille(500).as_millis(),
        read.0,
        read.1,
        read.2,
    )))
}
