//! What runs before a commit, and its parts that are worth a name of their own.

use crate::options::Options;
use crate::run::{program, show_and_run};
use crate::{Outcome, tidy};

pub(crate) fn check(options: &mut Options) -> Outcome {
    options.done()?;
    show_and_run(program("cargo", &["fmt", "--all", "--check"]))?;
    show_and_run(program("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    tidy::command(options)?;
    show_and_run(program("cargo", &["test", "--quiet"]))
}

pub(crate) fn test(options: &mut Options) -> Outcome {
    let cargo_words = options.behind_dashes();
    options.done()?;
    let mut words = vec!["test"];
    if cargo_words.is_empty() {
        words.push("--workspace");
    }
    words.extend(cargo_words.iter().map(String::as_str));
    show_and_run(program("cargo", &words))
}

pub(crate) fn doc(options: &mut Options) -> Outcome {
    let mut words = vec!["doc", "--workspace", "--no-deps", "--exclude", "xtask"];
    if options.flag("--open") {
        words.push("--open");
    }
    options.done()?;
    let mut cargo = program("cargo", &words);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    show_and_run(cargo)
}
