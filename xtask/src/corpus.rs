//! How much of the corpus passes, held against its floor.
//!
//! The corpus itself stays outside of the repository. Its readers are tests in the crates that read it; each prints a line
//! `corpus: NAME PASSED/TOTAL` per set. This file only starts them, adds nothing to what they say, and compares.

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::options::Options;
use crate::run::{capture, program, root};

/// The crates whose tests read a part of the corpus, and the profile they do it in. The suites of expressions take minutes
/// when they are not optimised; the others take seconds, and would have half of the tree compiled once more.
const READERS: [(&str, &str); 5] = [
    ("stepwell-jsonata", "strict"),
    ("stepwell-jsonpath", "strict"),
    ("stepwell-asl", "dev"),
    ("stepwell-integrations", "dev"),
    ("stepwell-cli", "dev"),
];

/// The numbers, in the order they are printed: name in a reader's line, words for people.
const SETS: [(&str, &str); 8] = [
    ("jsonata", "jsonata suite"),
    ("jsonpath", "jsonpath jayway"),
    ("definitions", "definitions accepted"),
    ("invalid", "invalid refused"),
    ("local", "run with local services"),
    ("endpoint", "and with endpoints"),
    ("mocks", "and with mocks"),
    ("tour", "tour"),
];

/// Told beside `definitions`: test data of other tools, where a refusal is a question and not a defect.
const OPEN: &str = "open";

/// One line of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Score {
    name: String,
    passed: u32,
    total: u32,
}

pub(crate) fn command(options: &mut Options) -> Outcome {
    let given = options.value("--corpus")?;
    options.done()?;
    let corpus = find_corpus(given)?;
    let floors = parse_floors(include_str!("../corpus-floor.txt"))?;
    let mut scores = Vec::new();
    let mut failures = Vec::new();
    for (reader, profile) in READERS {
        // A reader that fails has still counted: all numbers are told in any case.
        let (told, succeeded) = run_reader(reader, profile, &corpus)?;
        if !succeeded {
            eprintln!("{told}");
            failures.push(format!("the reader of {reader} failed"));
        }
        scores.extend(told.lines().filter_map(parse_score));
    }
    for (name, words) in SETS {
        let score = scores.iter().find(|score| score.name == name);
        let open = scores.iter().find(|score| name == "definitions" && score.name == OPEN);
        println!("{}", tell(words, score, open));
        let floor = floors.iter().find(|(of, _)| of == name).map_or(0, |(_, floor)| *floor);
        let passed = score.map_or(0, |score| score.passed);
        if passed < floor {
            failures.push(format!("{words}: {passed} pass, {floor} did before"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

fn find_corpus(given: Option<String>) -> Result<PathBuf, String> {
    let place = match given.or_else(|| std::env::var("STEPWELL_CORPUS").ok()) {
        Some(place) => PathBuf::from(place),
        None => root().join("../shared/corpus"),
    };
    // The readers run in their own folders, so the path must not depend on ours.
    place
        .canonicalize()
        .map_err(|_| format!("no corpus at {}; name its folder with --corpus DIR or STEPWELL_CORPUS", place.display()))
}

/// Runs one crate's reader: what it printed, and whether it succeeded. A crate without readers has nothing to tell.
fn run_reader(package: &str, profile: &str, corpus: &Path) -> Result<(String, bool), String> {
    let folder = package.trim_start_matches("stepwell-");
    if !root().join("crates").join(folder).join("tests/it/main.rs").exists() {
        return Ok((String::new(), true));
    }
    let words = ["test", "--quiet", "--profile", profile, "--package", package, "--test", "it", "corpus"];
    let mut cargo = program("cargo", &words);
    cargo.args(["--", "--nocapture"]).env("STEPWELL_CORPUS", corpus);
    let told = capture(cargo)?;
    Ok((told.stdout, told.succeeded))
}

/// Reads `corpus: NAME PASSED/TOTAL`, wherever it stands in the line: the test runner prints dots before it.
fn parse_score(line: &str) -> Option<Score> {
    let (_, told) = line.split_once("corpus: ")?;
    let mut words = told.split_whitespace();
    let name = words.next()?.to_owned();
    let (passed, total) = words.next()?.trim_end_matches(',').split_once('/')?;
    Some(Score { name, passed: passed.parse().ok()?, total: total.parse().ok()? })
}

fn parse_floors(text: &str) -> Result<Vec<(String, u32)>, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name, floor] if SETS.iter().any(|(known, _)| *known == name) => {
                let floor = floor.parse().map_err(|_| format!("corpus-floor.txt: `{floor}` is no number"))?;
                Ok((name.to_owned(), floor))
            }
            _ => Err(format!("corpus-floor.txt: `{line}` is not NAME NUMBER with a name we know")),
        })
        .collect()
}

fn tell(words: &str, score: Option<&Score>, open: Option<&Score>) -> String {
    let mut line = match score {
        Some(score) => format!("{words} {}/{}", score.passed, score.total),
        None => format!("{words} 0/0"),
    };
    if let Some(open) = open {
        line.push_str(&format!(" (open: {}/{})", open.passed, open.total));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Score, parse_floors, parse_score, tell};

    fn score(name: &str, passed: u32, total: u32) -> Score {
        Score { name: name.to_owned(), passed, total }
    }

    #[test]
    fn a_readers_line_is_found_among_others() {
        for (line, expected) in [
            ("corpus: jsonata 1350/1359", Some(score("jsonata", 1350, 1359))),
            ("..corpus: jsonpath 650/658", Some(score("jsonpath", 650, 658))),
            ("corpus: jsonata", None),
            ("corpus: jsonata many/few", None),
            ("test result: ok. 1 passed", None),
        ] {
            assert_eq!(parse_score(line), expected, "{line}");
        }
    }

    #[test]
    fn floors_are_a_name_and_a_number() {
        assert_eq!(parse_floors("# note\n\njsonata  12\n"), Ok(vec![("jsonata".to_owned(), 12)]));
        assert!(parse_floors("jsonnata 12").is_err());
        assert!(parse_floors("jsonata twelve").is_err());
    }

    #[test]
    fn the_open_definitions_are_told_beside_the_expected_ones() {
        let line = tell("definitions accepted", Some(&score("definitions", 334, 334)), Some(&score("open", 500, 532)));
        assert_eq!(line, "definitions accepted 334/334 (open: 500/532)");
        assert_eq!(tell("jsonata suite", None, None), "jsonata suite 0/0");
    }
}
