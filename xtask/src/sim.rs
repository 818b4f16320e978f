//! The simulator: the service over its store, with everything around it made up and much of it going wrong.

use crate::Outcome;
use crate::options::Options;
use crate::run::{program, show_and_run};

/// Optimised, with assertions and overflow checks left in.
const RUN: [&str; 6] = ["run", "--quiet", "--profile", "strict", "--package", "stepwell-sim"];

pub(crate) fn command(options: &mut Options) -> Outcome {
    let mut words = Vec::new();
    for name in ["--seed", "--seeds", "--minutes", "--threads", "--bug"] {
        if let Some(value) = options.value(name)? {
            words.extend([name.to_owned(), value]);
        }
    }
    for name in ["--planted", "--trace"] {
        if options.flag(name) {
            words.push(name.to_owned());
        }
    }
    options.done()?;
    let plants = words.iter().any(|word| word == "--planted" || word == "--bug");
    let features: &[&str] = if plants { &["--features", "planted"] } else { &[] };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    show_and_run(program("cargo", &[&RUN[..], features, &["--"], &words].concat()))
}
