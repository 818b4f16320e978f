//! The facts of AWS's service models, taken from PyPI's `botocore` and held against those that are checked in: all of Step
//! Functions' own, of other services what they answer and what they are called, and the table of all services that
//! crates/protocol reads.
//!
//! Owns the way to the model: a virtual environment below the target directory and a small program in it. What the facts
//! are held against — the tables of crates/spec — is a test there, which needs neither network nor Python.

use std::path::Path;

use crate::Outcome;
use crate::options::Options;
use crate::python::{python_with, target};
use crate::run::{capture, program, root, show_and_run};

/// The facts as they are checked in.
const FACTS: &str = "crates/spec/tests/it/model.txt";

/// Prints them as the model has them.
const READER: &str = include_str!("model.py");

/// What services answer, a file each.
const RESULTS: &str = "crates/spec/src/results";

/// Prints them, each behind a line `service NAME`.
const RESULTS_READER: &str = include_str!("results.py");

/// The table of all services, one line for each, and the packed table itself beside it.
const TABLE_LINES: &str = "crates/protocol/models/services.txt";
const TABLE: &str = "crates/protocol/models/aws.models";

/// Packs the table into the file it is told, and prints the lines.
const TABLE_WRITER: &str = include_str!("table.py");

/// What tasks may name as AWS SDK integrations, and what prints it.
const NAMES: &str = "crates/spec/src/sdk_names.txt";
const NAMES_READER: &str = include_str!("names.py");

/// Actions that the model has no more.
const RETIRED: &str = "xtask/src/retired.txt";

/// Requests and answers as botocore writes and reads them.
const VECTORS: &str = "crates/protocol/tests/it/vectors.jsonl";

/// Prints them.
const VECTORS_WRITER: &str = include_str!("vectors.py");

pub(crate) fn command(options: &mut Options) -> Outcome {
    let update = options.flag("--update");
    options.done()?;
    let python = python_with(&["botocore"])?;
    let packed = target("aws.models");
    let mut files = vec![(FACTS.to_owned(), read(&python, READER, &[])?)];
    files.extend(by_service(&read(&python, RESULTS_READER, &[])?));
    files.push((TABLE_LINES.to_owned(), read(&python, TABLE_WRITER, &[&packed.to_string_lossy()])?));
    // What the table calls a service is what a task calls it.
    let names_reader = format!("{}\n{NAMES_READER}", TABLE_WRITER.replace("if __name__", "if False and __name__"));
    let retired = root().join(RETIRED);
    files.push((NAMES.to_owned(), read(&python, &names_reader, &[&retired.to_string_lossy()])?));
    files.push((VECTORS.to_owned(), read(&python, VECTORS_WRITER, &[])?));
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
    if update {
        std::fs::copy(&packed, root().join(TABLE)).map_err(|error| format!("{TABLE}: {error}"))?;
    }
    if changed > 0 && !update {
        return Err(format!("the model has changed in {changed} lines: `cargo xtask model --update`"));
    }
    let tests = ["test", "--quiet", "--package", "stepwell-spec", "--package", "stepwell-protocol"];
    show_and_run(program("cargo", &tests))
}

fn read(python: &Path, reader: &str, arguments: &[&str]) -> Result<String, String> {
    let said = capture(program(&python.to_string_lossy(), &[&["-c", reader], arguments].concat()))?;
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
    use super::{FACTS, NAMES, RETIRED, TABLE, TABLE_LINES, VECTORS, by_service, changes};
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
        for file in [FACTS, TABLE_LINES, TABLE, NAMES, RETIRED, VECTORS] {
            assert!(root().join(file).exists(), "{file}");
        }
    }
}
