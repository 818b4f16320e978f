//! The tour: definitions of public repositories, run to their ends with mocks of ours.
//!
//! `golden/tour/<number>-<name>/` holds everything but the definition, which belongs to others and stays in the corpus:
//! `source.json` says where it is from (and its type, where that is EXPRESS), `input.json` and `mocks.json` drive it, `expected.json` tells for each case how it
//! ends and which states it enters. The runs need the corpus, whose folder STEPWELL_CORPUS names; without it the folders
//! are only checked for being complete.

use std::fs;
use std::path::{Path, PathBuf};

use stepwell_json::Json;

use crate::{root, stepwell};

/// As many as the tour promises its readers.
const STOPS: usize = 25;

/// One folder of the tour.
struct Stop {
    name: String,
    source: Json,
    expected: Json,
}

impl Stop {
    fn read(name: String) -> Stop {
        let [source, expected] =
            ["source.json", "expected.json"].map(|file| read(&format!("golden/tour/{name}/{file}")));
        Stop { name, source, expected }
    }

    fn cases(&self) -> Vec<(&str, &Json)> {
        let cases = self.expected.as_object().unwrap_or_else(|| panic!("{}: cases in an object", self.name));
        cases.iter().map(|(case, end)| (&**case, end)).collect()
    }

    /// The case's own input, or the one all cases share.
    fn input(&self, end: &Json) -> String {
        format!("golden/tour/{}/{}", self.name, end.get("input").and_then(Json::as_str).unwrap_or("input.json"))
    }

    fn definition(&self, corpus: &Path) -> PathBuf {
        corpus.join("definitions").join(format!("{}.json", text(&self.source, "definition")))
    }

    /// What differs between the run of a case and what is expected of it.
    fn difference(&self, corpus: &Path, case: &str, end: &Json) -> Option<String> {
        let definition = self.definition(corpus);
        let input = format!("@{}", self.input(end));
        let mocks = format!("golden/tour/{}/mocks.json#{case}", self.name);
        let definition = definition.to_str().expect("UTF-8");
        let machine_type = self.source.get("type").and_then(Json::as_str).unwrap_or("STANDARD").to_lowercase();
        let driven = ["--input", &input, "--mocks", &mocks, "--type", &machine_type, "--history", "--seed", "1"];
        let ran = stepwell(&[&["run", definition], &driven[..]].concat());
        let actual = match Json::parse(&ran.stdout) {
            Ok(history) => outcome(&history),
            Err(_) => return Some(format!("{}#{case}: exit code {}\n{}", self.name, ran.code, ran.stderr)),
        };
        let keys = ["status", "output", "error", "cause", "states"];
        let different = keys.into_iter().filter(|key| actual.get(key) != end.get(key));
        let told: Vec<String> = different
            .map(|key| format!("  {key}\n    expected {}\n    actual   {}", show(end.get(key)), show(actual.get(key))))
            .collect();
        (!told.is_empty()).then(|| format!("{}#{case}\n{}", self.name, told.join("\n")))
    }
}

fn read(path: &str) -> Json {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    Json::parse(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

fn text<'a>(of: &'a Json, key: &str) -> &'a str {
    of.get(key).and_then(Json::as_str).unwrap_or_else(|| panic!("a string \"{key}\" in {of}"))
}

fn show(value: Option<&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Json::to_string)
}

fn stops() -> Vec<Stop> {
    let folders = fs::read_dir(root().join("golden/tour")).expect("the tour").flatten();
    let mut names: Vec<String> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.into_iter().map(Stop::read).collect()
}

/// How an execution ended and which states it entered, in the form of `expected.json`.
fn outcome(history: &Json) -> Json {
    let events = history.get("events").and_then(Json::as_array).expect("events");
    let entered = events.iter().filter_map(|event| event.get("stateEnteredEventDetails"));
    let states = Json::array(entered.map(|details| Json::from(text(details, "name"))).collect());
    let last = events.last().expect("an event");
    let (status, details) = match text(last, "type") {
        "ExecutionSucceeded" => ("SUCCEEDED", last.get("executionSucceededEventDetails")),
        "ExecutionFailed" => ("FAILED", last.get("executionFailedEventDetails")),
        "ExecutionTimedOut" => ("TIMED_OUT", last.get("executionTimedOutEventDetails")),
        other => panic!("{other} ends no run of the tour"),
    };
    let output = details.and_then(|details| details.get("output")).and_then(Json::as_str);
    let output = output.map(|output| Json::parse(output).expect("an output is JSON"));
    let failure = ["error", "cause"].map(|key| (key, details.and_then(|details| details.get(key)).cloned()));
    let members = [("status", Some(Json::from(status))), ("output", output)].into_iter().chain(failure);
    Json::object(members.filter_map(|(key, value)| Some((key, value?))).chain([("states", states)]))
}

#[test]
fn every_stop_is_complete() {
    let stops = stops();
    assert_eq!(stops.len(), STOPS);
    let page = fs::read_to_string(root().join("docs/guide/tour.md")).expect("the guide's tour");
    for stop in &stops {
        let name = &stop.name;
        let [id, repo, path, licence] = ["definition", "repo", "path", "licence"].map(|key| text(&stop.source, key));
        assert!(!path.is_empty() && !licence.is_empty(), "{name}: source.json gives credit");
        assert!(page.contains(repo), "{name}: docs/guide/tour.md gives credit to {repo}");
        assert!(page.contains(&format!("definitions/{id}.json")), "{name}: docs/guide/tour.md says how to run it");
        let mocks = read(&format!("golden/tour/{name}/mocks.json"));
        let machines = mocks.get("StateMachines").and_then(Json::as_object).expect("StateMachines");
        let (_, machine) = machines.at(0).expect("a state machine");
        let mocked = machine.get("TestCases").and_then(Json::as_object).expect("TestCases");
        let mocked: Vec<&str> = mocked.keys().map(|case| &**case).collect();
        let expected: Vec<&str> = stop.cases().into_iter().map(|(case, _)| case).collect();
        assert_eq!(mocked, expected, "{name}: every case has mocks and an end");
        for (case, end) in stop.cases() {
            assert!(page.contains(&format!("golden/tour/{name}/mocks.json#")), "{name}: docs/guide/tour.md runs it");
            read(&stop.input(end));
            let is_success = text(end, "status") == "SUCCEEDED";
            assert_eq!(end.get("output").is_some(), is_success, "{name}#{case}: success has an output");
            assert!(
                end.get("states").and_then(Json::as_array).is_some_and(|states| !states.is_empty()),
                "{name}#{case}"
            );
        }
    }
}

#[test]
fn the_tour_through_the_corpus_ends_as_expected() {
    let Some(corpus) = std::env::var_os("STEPWELL_CORPUS").map(PathBuf::from) else {
        println!("STEPWELL_CORPUS does not name the corpus: the tour was not run");
        return;
    };
    let stops = stops();
    let differences: Vec<Vec<String>> = stops
        .iter()
        .map(|stop| stop.cases().into_iter().filter_map(|(case, end)| stop.difference(&corpus, case, end)).collect())
        .collect();
    let passed = differences.iter().filter(|of_stop| of_stop.is_empty()).count();
    println!("corpus: tour {passed}/{}", stops.len());
    assert_eq!(passed, stops.len(), "\n{}", differences.concat().join("\n"));
}
