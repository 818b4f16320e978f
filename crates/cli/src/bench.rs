//! `stepwell bench`: the published benchmark.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use stepwell_bench::{Fault, Keys, Outcome, Settings};

use crate::Unusable;
use crate::args::BenchArgs;

/// What a shell says of a command that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// What is written where a file is meant, and means stdout.
const STDOUT: &str = "-";

pub(crate) fn bench(args: BenchArgs) -> Result<ExitCode, Unusable> {
    let binary = std::env::current_exe().map_err(|fault| Unusable(format!("cannot find this command: {fault}")))?;
    let time = Duration::try_from_secs_f64(args.seconds)
        .map_err(|_| Unusable(format!("--seconds cannot be '{}': give a number such as 10", args.seconds)))?;
    let settings = Settings {
        workloads: args.workloads,
        endpoint: args.endpoint,
        clients: args.clients,
        time,
        folder: args.data,
        binary,
        region: args.region,
        role_arn: args.role_arn,
        keys: keys(),
        signs: args.sign,
        accepts_charges: args.accept_charges,
        is_long: args.long,
        process: args.pid,
    };
    let mut lines = args.json.as_deref().map(lines_to).transpose()?;
    let mut unwritten: Option<io::Error> = None;
    let mut tell = |line: &str| {
        if let Some(lines) = &mut lines
            && let Err(fault) = writeln!(lines, "{line}").and_then(|()| lines.flush())
        {
            unwritten.get_or_insert(fault);
        }
    };
    let outcome = match stepwell_bench::run(&settings, &mut tell) {
        Ok(outcome) => outcome,
        Err(Fault::Unusable(reason)) => return Err(Unusable(reason)),
        Err(Fault::Refused(reason)) => {
            eprintln!("stepwell: {reason}");
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Some(fault) = unwritten {
        eprintln!("stepwell: cannot write the lines of --json: {fault}");
        return Ok(ExitCode::FAILURE);
    }
    show(&outcome, args.json.as_deref() == Some(Path::new(STDOUT)));
    Ok(match &outcome {
        Outcome { was_interrupted: true, .. } => ExitCode::from(INTERRUPTED),
        Outcome { errors: 0, .. } => ExitCode::SUCCESS,
        Outcome { .. } => ExitCode::FAILURE,
    })
}

pub(crate) fn baseline() -> Result<ExitCode, Unusable> {
    match stepwell_bench::serve_baseline() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(reason) => {
            eprintln!("stepwell: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The table stands alone on stdout, unless the lines do.
fn show(outcome: &Outcome, lines_are_on_stdout: bool) {
    if lines_are_on_stdout {
        eprint!("{}", outcome.table);
    } else {
        print!("{}", outcome.table);
    }
    if outcome.errors > 0 {
        eprintln!("stepwell: {} errors, which are not counted as work", outcome.errors);
    }
    if outcome.was_interrupted {
        eprintln!("stepwell: ended before it was over");
    }
}

/// Where the lines of JSON go.
fn lines_to(path: &Path) -> Result<Box<dyn Write>, Unusable> {
    if path == Path::new(STDOUT) {
        return Ok(Box::new(io::stdout()));
    }
    match File::create(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(fault) => Err(Unusable(format!("cannot write {}: {fault}", path.display()))),
    }
}

/// The keys of the environment.
fn keys() -> Option<Keys> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Keys {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN"),
    })
}
