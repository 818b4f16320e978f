//! The generator against the baseline alone, without the server: what the machine, the HTTP stack and the generator can do.
//!
//!     cargo run --release --package stepwell-bench --example baseline -- 64 10

use std::process::ExitCode;
use std::time::Duration;

use stepwell_bench::{BASELINE_COMMAND, Fault, Settings, run, serve_baseline};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == BASELINE_COMMAND) {
        return match serve_baseline() {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => failed(&fault),
        };
    }
    let number = |place: usize, otherwise: u32| arguments.get(place).map_or(Ok(otherwise), |text| text.parse::<u32>());
    let (Ok(clients), Ok(seconds)) = (number(0, 64), number(1, 5)) else {
        return failed("give a number of clients and a number of seconds");
    };
    let binary = match std::env::current_exe() {
        Ok(binary) => binary,
        Err(fault) => return failed(&fault.to_string()),
    };
    let settings = Settings {
        workloads: vec!["baseline".to_owned()],
        clients: vec![clients as usize],
        time: Duration::from_secs(seconds.into()),
        ..Settings::new(binary)
    };
    match run(&settings, &mut |line| println!("{line}")) {
        Ok(outcome) if outcome.errors == 0 => ExitCode::SUCCESS,
        Ok(outcome) => failed(&format!("{} errors", outcome.errors)),
        Err(Fault::Unusable(reason) | Fault::Refused(reason)) => failed(&reason),
    }
}

fn failed(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}
