//! What a durable append costs on this machine: `cargo run --release -p stepwell-store --example appends [DIRECTORY]`.
//!
//! Writes frames of one 400-byte record to a store below DIRECTORY (the system's temporary one otherwise), in batches of
//! several sizes, each batch with a real sync; every eighth frame changes a row. Then opens the store again and reads
//! histories, and at last forgets what it wrote. The numbers defend docs/decisions/0004-own-log.md and
//! docs/decisions/0006-forgetting.md.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_spec::{Event, Record, StateEntered, Timestamp};
use stepwell_store::{
    Append, Check, EmbeddedStore, Encoder, HISTORIES, Options, Order, Outcome, Row, Store, StoreError, decode,
};

const EXECUTIONS: u64 = 2_000;

/// Long enough for a hundred slow syncs and a few segments.
const EACH: Duration = Duration::from_secs(4);

fn main() -> Result<(), StoreError> {
    let above = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = above.join(format!("stepwell-appends-{}", std::process::id()));
    let measured = measure(&directory);
    if let Err(error) = std::fs::remove_dir_all(&directory) {
        eprintln!("{} stays behind: {error}", directory.display());
    }
    measured
}

fn measure(directory: &Path) -> Result<(), StoreError> {
    encoding();
    println!("\nbatch | appends/s | CPU µs/append | batch median ms | 99th ms | worst ms | of it in tend, ms in all");
    for batch in [1, 16, 64, 128, 1_024] {
        appends(&directory.join(format!("batch-{batch}")), batch)?;
    }
    fill(&directory.join("batch-1024"), FRAMES_OF_A_LARGE_LOG)?;
    opening(&directory.join("batch-1024"))?;
    packing(&directory.join("batch-1024"))?;
    forgetting(&directory.join("batch-1024"))
}

/// About a gigabyte.
const FRAMES_OF_A_LARGE_LOG: u64 = 2_500_000;

/// A record as a state leaves it: about 400 bytes with its frame's share.
fn record(number: u64) -> Record {
    let input = Json::object([
        ("orderId", Json::from(number)),
        ("customer", Json::from("Kim Example, 1 Example Street, 12345 Exampleton")),
        (
            "items",
            Json::array(
                (0..6)
                    .map(|item| Json::object([("sku", Json::from(item)), ("price", Json::from(item * 100))]))
                    .collect(),
            ),
        ),
        ("note", Json::from("a text that is as long as texts in payloads often are, which is to say not very long")),
    ]);
    let entered = StateEntered { name: "Check the order".into(), input: input.into(), state: 3 };
    Record {
        id: number % 25 + 1,
        previous_event_id: number % 25,
        timestamp: Timestamp(1_700_000_000_000),
        thread: 0,
        event: Event::PassStateEntered(entered),
    }
}

fn encoding() {
    let record = record(7);
    let mut encoder = Encoder::new();
    let rounds = 200_000;
    let mut bytes = 0;
    let began = Instant::now();
    for _ in 0..rounds {
        encoder.record(7, &record).expect("no deep values");
        bytes = encoder.finish().bytes.len();
    }
    println!("encode: {:.2} µs for a frame of one record, {bytes} bytes", micros(began.elapsed()) / f64::from(rounds));
    for _ in 0..10 {
        encoder.record(7, &record).expect("no deep values");
    }
    let ten = encoder.finish().bytes.to_vec();
    let began = Instant::now();
    for _ in 0..rounds / 10 {
        for _ in 0..10 {
            encoder.record(7, &record).expect("no deep values");
        }
        encoder.finish();
    }
    println!(
        "encode: {:.2} µs a record, ten of one payload in a frame, {} bytes",
        micros(began.elapsed()) / f64::from(rounds),
        ten.len()
    );
    let began = Instant::now();
    for _ in 0..rounds / 10 {
        assert_eq!(decode(&ten).map(|records| records.len()), Ok(10));
    }
    println!("decode: {:.2} µs a record of these", micros(began.elapsed()) / f64::from(rounds));
}

fn appends(directory: &Path, batch_size: u64) -> Result<(), StoreError> {
    let mut store = EmbeddedStore::open(directory, Options::new(batch_size))?;
    let mut encoder = Encoder::new();
    encoder.record(1, &record(1)).expect("no deep values");
    let payload = encoder.finish().bytes.to_vec();
    let executions: Vec<[u64; 1]> = (0..EXECUTIONS).map(|execution| [execution]).collect();
    let keys: Vec<[u8; 8]> = (0..EXECUTIONS).map(u64::to_be_bytes).collect();
    let rows: Vec<[Row<'_>; 1]> =
        keys.iter().map(|key| [Row { table: "executions", key, value: Some(&payload[..100]) }]).collect();

    let (mut sequence, mut outcomes) = (0, Vec::new());
    let (mut times, mut tending) = (Vec::new(), Duration::ZERO);
    let (began, cpu) = (Instant::now(), cpu_time());
    while began.elapsed() < EACH {
        let batch: Vec<Append<'_>> = (0..batch_size)
            .map(|place| {
                let number = sequence + 1 + place;
                let which = (number % EXECUTIONS) as usize;
                let rows = if number.is_multiple_of(8) { &rows[which][..] } else { &[] };
                Append { shard: 0, epoch: 1, sequence: number, executions: &executions[which], rows, payload: &payload }
            })
            .collect();
        let batch_began = Instant::now();
        store.append_batch(&batch, &mut outcomes)?;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended { .. })));
        times.push(batch_began.elapsed());
        let tend_began = Instant::now();
        store.tend()?;
        tending += tend_began.elapsed();
        sequence += batch_size;
    }
    let (wall, cpu) = (began.elapsed(), cpu_time().saturating_sub(cpu));
    times.sort_unstable();
    let ms = |time: Duration| micros(time) / 1_000.0;
    println!(
        "{batch_size} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0}",
        sequence as f64 / wall.as_secs_f64(),
        micros(cpu) / sequence as f64,
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100]),
        ms(times[times.len() - 1]),
        ms(tending),
    );
    Ok(())
}

/// Makes the log as long as this.
fn fill(directory: &Path, frames: u64) -> Result<(), StoreError> {
    let mut store = EmbeddedStore::open(directory, Options::new(0))?;
    let mut encoder = Encoder::new();
    encoder.record(1, &record(1)).expect("no deep values");
    let payload = encoder.finish().bytes.to_vec();
    let executions: Vec<[u64; 1]> = (0..EXECUTIONS).map(|execution| [execution]).collect();
    let (mut sequence, mut outcomes) = (store.tail(0).sequence, Vec::new());
    while sequence < frames {
        let numbers = sequence + 1..=sequence + 1_024;
        let append = |sequence| {
            let executions = &executions[(sequence % EXECUTIONS) as usize];
            Append { shard: 0, epoch: 1, sequence, executions, rows: &[], payload: &payload }
        };
        store.append_batch(&numbers.map(append).collect::<Vec<_>>(), &mut outcomes)?;
        store.tend()?;
        sequence += 1_024;
    }
    store.index().catch_up()
}

fn opening(directory: &Path) -> Result<(), StoreError> {
    let began = Instant::now();
    drop(EmbeddedStore::open(directory, Options { check: Check::Everything, ..Options::new(0) })?);
    println!("\nopened with everything checked in {:.0} ms", micros(began.elapsed()) / 1_000.0);
    let began = Instant::now();
    let store = EmbeddedStore::open(directory, Options::new(0))?;
    let frames = store.tail(0).sequence;
    println!("opened {frames} frames in {:.0} ms", micros(began.elapsed()) / 1_000.0);
    let began = Instant::now();
    let checked = store.check()?;
    println!("checked all {checked} of them in {:.0} ms", micros(began.elapsed()) / 1_000.0);
    let began = Instant::now();
    store.index().catch_up()?;
    println!("index brought up to date in {:.0} ms", micros(began.elapsed()) / 1_000.0);
    let began = Instant::now();
    let mut count = 0;
    store.read_shard(0, 0, &mut |frame| {
        count += u64::from(!frame.payload.is_empty());
        ControlFlow::Continue(())
    })?;
    println!("read {count} frames of the shard in {:.0} ms", micros(began.elapsed()) / 1_000.0);
    let (index, rounds) = (store.index(), 2_000);
    let began = Instant::now();
    for execution in 0..rounds {
        assert_eq!(index.history(0, execution % EXECUTIONS, Order::Ascending, None, 25)?.len(), 25);
    }
    println!("a page of 25 frames of a history in {:.0} µs", micros(began.elapsed()) / rounds as f64);
    println!("the index has {} KiB", bytes_of(directory, ".redb") / 1_024);
    Ok(())
}

/// Packs all that nobody writes to any more.
fn packing(directory: &Path) -> Result<(), StoreError> {
    let index = EmbeddedStore::open(directory, Options::new(0))?.index();
    let (before, cpu, mut times) = (log_bytes(directory), cpu_time(), Vec::new());
    loop {
        let began = Instant::now();
        if !index.pack_some(0)? {
            break;
        }
        times.push(began.elapsed());
    }
    let cpu = cpu_time().saturating_sub(cpu);
    drop(index);
    times.sort_unstable();
    println!(
        "\npacked {} MiB to {} MiB in {} steps, {:.2} s of processor; the middle one of them took {:.1} ms, the longest {:.1} ms",
        before >> 20,
        log_bytes(directory) >> 20,
        times.len(),
        cpu.as_secs_f64(),
        micros(times[times.len() / 2]) / 1_000.0,
        micros(times[times.len() - 1]) / 1_000.0,
    );
    opening(directory)
}

/// Forgets all executions but one in ten, and appends until what is dead is gone.
fn forgetting(directory: &Path) -> Result<(), StoreError> {
    let mut store = EmbeddedStore::open(directory, Options::new(0))?;
    let before = log_bytes(directory);
    let keys: Vec<[u8; 8]> = (0..EXECUTIONS).filter(|number| number % 10 > 0).map(u64::to_be_bytes).collect();
    let rows: Vec<Row<'_>> = keys.iter().map(|key| Row { table: HISTORIES, key, value: None }).collect();
    let (mut outcomes, payload) = (Vec::new(), vec![1; 16 * 1_024]);
    let mut append = |store: &mut EmbeddedStore, rows: &[Row<'_>]| {
        let sequence = store.tail(0).sequence + 1;
        let append = Append { shard: 0, epoch: 1, sequence, executions: &[], rows, payload: &payload };
        store.append_batch(&[append], &mut outcomes)
    };
    append(&mut store, &rows)?;
    let began = Instant::now();
    store.index().catch_up()?;
    println!("\nforgot {} executions in {:.0} ms", keys.len(), micros(began.elapsed()) / 1_000.0);
    let (mut times, cpu) = (Vec::new(), cpu_time());
    // A segment goes when another begins.
    while times.len() < 30_000 {
        append(&mut store, &[])?;
        let began = Instant::now();
        store.tend()?;
        times.push(began.elapsed());
    }
    let cpu = cpu_time().saturating_sub(cpu);
    times.sort_unstable();
    let ms = |place: usize| micros(times[place]) / 1_000.0;
    println!(
        "the log had {} MiB and has {} MiB; tending took {:.0} ms in all, its 90th of 100 slices {:.2} ms, 99th {:.2} ms, \
         worst {:.1} ms; {:.1} s of processor",
        before >> 20,
        log_bytes(directory) >> 20,
        times.iter().map(|time| micros(*time) / 1_000.0).sum::<f64>(),
        ms(times.len() * 90 / 100),
        ms(times.len() * 99 / 100),
        ms(times.len() - 1),
        cpu.as_secs_f64(),
    );
    Ok(())
}

fn log_bytes(directory: &Path) -> u64 {
    bytes_of(directory, ".log") + bytes_of(directory, ".packed")
}

fn bytes_of(directory: &Path, ending: &str) -> u64 {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending))
        .filter_map(|entry| entry.metadata().ok())
        .map(|about| about.len())
        .sum()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Time this process's main thread was on a processor, where the system tells it.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
