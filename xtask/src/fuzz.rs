//! Every fuzz target for a while, by our own mutation loop (crate `stepwell-fuzz`).

use crate::Outcome;
use crate::options::Options;
use crate::run::{capture, program, show_and_run};

/// Long enough to see what a few million mutations find, short enough to wait for.
const SECONDS: u64 = 60;

/// Optimised, with assertions and overflow checks left in: what fuzzing is for.
const RUN: [&str; 6] = ["run", "--quiet", "--profile", "strict", "--package", "stepwell-fuzz"];

pub(crate) fn command(options: &mut Options) -> Outcome {
    let seconds = options.number("--seconds")?.unwrap_or(SECONDS).to_string();
    let seed = options.number("--seed")?.unwrap_or(1).to_string();
    let mut targets: Vec<String> = std::iter::from_fn(|| options.word()).collect();
    options.done()?;
    if targets.is_empty() {
        let listed = capture(program("cargo", &[&RUN[..], &["--", "--list"]].concat()))?;
        if !listed.succeeded {
            return Err("the fuzz targets do not build".to_owned());
        }
        targets.extend(listed.stdout.lines().map(str::to_owned));
    }
    for target in &targets {
        let words = ["--", target, "--seconds", &seconds, "--seed", &seed];
        show_and_run(program("cargo", &[&RUN[..], &words].concat()))?;
    }
    Ok(())
}
