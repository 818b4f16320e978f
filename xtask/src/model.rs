//! The facts of AWS's service models, taken from PyPI's `botocore` and held against those that are checked in: all of Step
//! Functions' own, and of other services what they answer.
//!
//! Owns the way to the model: a virtual environment below the target directory and a small program in it. What the facts
//! are held against — the tables of crates/spec — is a test there, which needs neither network nor Python.

use std::path::Path;

use crate::Outcome;
use crate::options::Options;
use crate::python::python_with;
use crate::run::{capture, program, root, show_and_run};

/// The facts as they are checked in.
const FACTS: &str = "crates/spec/tests/it/model.txt";

/// Prints them as the model has them.
const READER: &str = include_str!("model.py");

/// What services answer, a file each.
const RESULTS: &str = "crates/spec/src/results";

/// Prints them, each behind a line `service NAME`.
const RESULTS_READER: &str = include_str!("results.py");

pub(crate) fn command(options: &mut Options) -> Outcome {
    let update = options.flag("--update");
    options.done()?;
    let python = python_with(&["botocore"])?;
    let mut files = vec![(FACTS.to_owned(), read(&python, READER)?)];
    files.extend(by_service(&read(&python, RESULTS_READER)?));
    let mut changed = 0;
    for (path, facts) in files {
        let file = root().join(&path);
        let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
        let changes = changes(&checked_in, &facts);
        if !changes.is_empty() {
            println!("{path}");
            changes.iter().for_each(|line| println!("{line}"));
        }
        changed += changes.len();
        if update {
            std::fs::write(&file, &facts).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    if changed > 0 && !update {
        return Err(format!("the model has changed in {changed} lines: `cargo xtask model --update`"));
    }
    show_and_run(program("cargo", &["test", "--quiet", "--package", "stepwell-spec"]))
}

fn read(python: &Path, reader: &str) -> Result<String, String> {
    let said = capture(program(&python.to_string_lossy(), &["-c", reader]))?;
    if said.succeeded { Ok(said.stdout) } else { Err("the model could not be read".to_owned()) }
}

/// The file of each service, and what belongs into it.
fn by_service(said: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in said.lines() {
        match (line.strip_prefix("service "), files.last_mut()) {
            (Some(name), _) => files.push((format!("{RESULTS}/{name}.txt"), String::new())),
            (None, Some((_, facts))) => {
                facts.push_str(line);
                facts.push('\n');
            }
            (None, None) => {}
        }
    }
    files
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
    use super::{FACTS, by_service, changes};
    use crate::run::root;

    #[test]
    fn changes_are_told_by_side_and_versions_do_not_count() {
        let told = changes("# botocore 1\nArn text 1 256 -\nTag x\n", "# botocore 2\nArn text 1 2000 -\nTag x\n");
        assert_eq!(told, ["- Arn text 1 256 -", "+ Arn text 1 2000 -"]);
        assert!(changes("# a\nx\n", "# b\nx\n").is_empty());
    }

    #[test]
    fn each_service_has_a_file() {
        let files = by_service("service a\n# A service model\noperation B\nservice c\noperation D\n");
        assert_eq!(
            files[0],
            ("crates/spec/src/results/a.txt".to_owned(), "# A service model\noperation B\n".to_owned())
        );
        assert_eq!(files[1].1, "operation D\n");
    }

    #[test]
    fn the_facts_are_where_they_are_looked_for() {
        assert!(root().join(FACTS).exists());
    }
}
