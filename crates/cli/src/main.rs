//! The `stepwell` command: reads its arguments, calls one command, and says how it ended by its exit code.
//!
//! 0: it worked. 1: the execution failed, a definition has errors, an expression failed, a server could not take its
//! port, a benchmark erred. 2: bad usage, a file that cannot be read, a definition that cannot be run.

mod args;
mod bench;
mod eval;
mod files;
mod live;
mod log;
mod report;
mod run;
mod serve;
mod settings_file;
mod validate;

use std::process::ExitCode;

use crate::args::Command;

/// The system's own costs a server a fifth more time.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad usage, or something that cannot be read: one clear line, exit 2.
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) String);

fn main() -> ExitCode {
    let outcome = settings_file::parse().and_then(|asked| match asked.command {
        Command::Run(args) => run::run(&args),
        Command::Eval(args) => eval::eval(&args),
        Command::Validate(args) => validate::validate(&args),
        Command::Serve(args) => serve::serve(*args),
        Command::Bench(args) => bench::bench(*args),
        Command::Baseline => bench::baseline(),
    });
    outcome.unwrap_or_else(|Unusable(reason)| {
        eprintln!("stepwell: {reason}");
        ExitCode::from(2)
    })
}
