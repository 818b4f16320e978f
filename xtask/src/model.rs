//! The facts of AWS's service model, taken from PyPI's `botocore` and held against those that are checked in.
//!
//! Owns the way to the model: a virtual environment below the target directory and a small program in it. What the facts
//! are held against — the tables of crates/spec — is a test there, which needs neither network nor Python.

use crate::Outcome;
use crate::options::Options;
use crate::python::python_with;
use crate::run::{capture, program, root, show_and_run};

/// The facts as they are checked in.
const FACTS: &str = "crates/spec/tests/it/model.txt";

/// Prints them as the model has them.
const READER: &str = include_str!("model.py");

pub(crate) fn command(options: &mut Options) -> Outcome {
    let update = options.flag("--update");
    options.done()?;
    let python = python_with("botocore")?;
    let said = capture(program(&python.to_string_lossy(), &["-c", READER]))?;
    if !said.succeeded {
        return Err("the model could not be read".to_owned());
    }
    let file = root().join(FACTS);
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    let changes = changes(&checked_in, &said.stdout);
    changes.iter().for_each(|line| println!("{line}"));
    if update {
        std::fs::write(&file, &said.stdout).map_err(|error| format!("{}: {error}", file.display()))?;
    } else if !changes.is_empty() {
        return Err(format!("the model has changed in {} lines: `cargo xtask model --update`", changes.len()));
    }
    show_and_run(program("cargo", &["test", "--quiet", "--package", "stepwell-spec", "--test", "it", "model"]))
}

/// What stands on one side only: `-` checked in, `+` in the model. The line that names the version does not count.
fn changes(checked_in: &str, model: &str) -> Vec<String> {
    let facts =
        |text: &str| -> Vec<String> { text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect() };
    let (old, new) = (facts(checked_in), facts(model));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::{FACTS, changes};
    use crate::run::root;

    #[test]
    fn changes_are_told_by_side_and_versions_do_not_count() {
        let told = changes("# botocore 1\nArn text 1 256 -\nTag x\n", "# botocore 2\nArn text 1 2000 -\nTag x\n");
        assert_eq!(told, ["- Arn text 1 256 -", "+ Arn text 1 2000 -"]);
        assert!(changes("# a\nx\n", "# b\nx\n").is_empty());
    }

    #[test]
    fn the_facts_are_where_they_are_looked_for() {
        assert!(root().join(FACTS).exists());
    }
}
