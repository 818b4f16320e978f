//! Real definitions, and definitions that must be refused, read from the folder `STEPWELL_CORPUS` names.
//!
//! The corpus is not part of the repository; without it these tests have nothing to do. What is known not to pass stands
//! in the lists beside this file, each with its reason; the lists may only shrink.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use stepwell_asl::{Compilation, MachineType, Options, Severity, Source, compile, invalid_definition_message};
use stepwell_json::Json;

/// Definitions that ought to be accepted and are not.
const REFUSED: &str = include_str!("corpus-refused.txt");

/// Definitions that ought to be refused and are not.
const ACCEPTED: &str = include_str!("corpus-accepted.txt");

/// Definitions that are refused for what the source says about them, where their class says something else.
const RECLASSIFIED: &str = include_str!("corpus-reclassified.txt");

fn folder() -> Option<PathBuf> {
    env::var_os("STEPWELL_CORPUS").map(PathBuf::from)
}

/// Lines `ID reason`; `#` starts a comment.
fn exceptions(list: &str) -> BTreeMap<&str, &str> {
    let lines = list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').expect("an id and a reason")).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn compile_as(text: String, machine_type: Option<&str>) -> Compilation {
    let machine_type = if machine_type == Some("EXPRESS") { MachineType::Express } else { MachineType::Standard };
    compile(&Source::json(text), &Options { machine_type })
}

fn faults(compilation: &Compilation) -> Vec<String> {
    let errors = compilation.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|diagnostic| format!("{diagnostic} at {}", diagnostic.pointer)).collect()
}

#[test]
fn corpus_definitions_are_accepted() {
    let Some(folder) = folder().map(|folder| folder.join("definitions")) else { return };
    let index = Json::parse(&read(&folder.join("index.json"))).expect("JSON");
    let known = exceptions(REFUSED);
    let (mut accepted, mut total) = ([0, 0], [0, 0]);
    let mut surprises = Vec::new();
    for (id, entry) in index.as_object().expect("an object").iter() {
        let is_expected = entry.get("accept").and_then(Json::as_str) == Some("expected");
        let text = read(&folder.join(format!("{id}.json")));
        let compilation = compile_as(text, entry.get("type").and_then(Json::as_str));
        assert_eq!(compilation.definition.is_some(), faults(&compilation).is_empty(), "{id}");
        let set = usize::from(!is_expected);
        total[set] += 1;
        accepted[set] += usize::from(compilation.definition.is_some());
        if is_expected && compilation.definition.is_some() == known.contains_key(&**id) {
            surprises.push(format!("{id}: {:#?}", faults(&compilation)));
        }
        if !is_expected && compilation.definition.is_none() && env::var_os("STEPWELL_CORPUS_OPEN").is_some() {
            println!("open {id}: {}", faults(&compilation).join("\n    "));
        }
    }
    println!("corpus: definitions {}/{}", accepted[0], total[0]);
    println!("corpus: open {}/{}", accepted[1], total[1]);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// Our codes that say what a class of the corpus means.
fn codes_of_class(class: &str) -> &'static [&'static str] {
    match class {
        "bad-intrinsic" => &["invalid-expression"],
        "bad-jsonata" => &["invalid-jsonata", "query-language-downgrade"],
        "bad-jsonpath" => &["invalid-path", "invalid-reference-path", "invalid-expression"],
        "bad-timestamp" => &["invalid-timestamp"],
        "credentials" => &["wrong-type", "missing-one-of", "unknown-field"],
        "duplicate-key" => &["duplicate-template-field"],
        "express-integration" => &["unsupported-in-express"],
        "map-label" => &["invalid-label"],
        "missing-field" => &["missing-field", "missing-one-of"],
        "missing-target" => &["missing-target"],
        "mutually-exclusive" => &["exclusive-fields"],
        "no-terminal" => &["no-terminal-state", "endless-branch"],
        "query-language" => &["query-language-downgrade"],
        "unknown-field" => &["unknown-field", "misplaced-field"],
        "unknown-resource" => &["unknown-resource"],
        "unreachable" => &["unreachable-state"],
        "value-range" => &["out-of-range", "empty-value"],
        other => panic!("the class {other} is new"),
    }
}

#[test]
fn corpus_of_invalid_definitions_is_refused() {
    let Some(folder) = folder().map(|folder| folder.join("invalid")) else { return };
    let (known, reclassified) = (exceptions(ACCEPTED), exceptions(RECLASSIFIED));
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let (mut refused, mut surprises) = (0, Vec::new());
    for file in &files {
        let case = Json::parse(&read(file)).expect("JSON");
        let id = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let text = match case.get("text").and_then(Json::as_str) {
            Some(text) => text.to_owned(),
            None => case.get("definition").expect("a definition").to_string(),
        };
        let compilation = compile_as(text, case.get("machine_type").and_then(Json::as_str));
        let class = case.get("class").and_then(Json::as_str).expect("a class");
        let own_code = reclassified.get(id.as_str()).and_then(|line| line.split(' ').next());
        let codes = own_code.as_ref().map_or(codes_of_class(class), std::slice::from_ref);
        let has_class = compilation.diagnostics.iter().any(|diagnostic| codes.contains(&diagnostic.code.name()));
        let is_refused = compilation.definition.is_none() && has_class;
        refused += usize::from(is_refused);
        if is_refused == known.contains_key(id.as_str()) {
            surprises.push(format!("{id}: {:#?}", faults(&compilation)));
        }
        if case.get("verdict_by").and_then(Json::as_str) == Some("aws") {
            check_words(&id, &case, &compilation);
        }
    }
    println!("corpus: invalid {refused}/{}", files.len());
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// What the service itself said must be what we say in its voice.
fn check_words(id: &str, case: &Json, compilation: &Compilation) {
    let unmasked = |text: &str| text.replace("arn:<partition>:", "arn:aws:");
    match case.get("diagnostics").and_then(Json::as_array) {
        Some(expected) => {
            let voices: Vec<_> =
                compilation.diagnostics.iter().filter_map(|diagnostic| diagnostic.aws.as_ref()).collect();
            assert_eq!(voices.len(), expected.iter().count(), "{id}: {voices:?}");
            for (voice, expected) in voices.iter().zip(expected.iter()) {
                let field = |name: &str| expected.get(name).and_then(Json::as_str).map(unmasked);
                assert_eq!(Some(voice.code.to_owned()), field("code"), "{id}");
                assert_eq!(Some(voice.message.clone()), field("message"), "{id}");
                assert_eq!(voice.location.clone(), field("location"), "{id}");
            }
        }
        None => {
            let messages = case.get("messages").and_then(Json::as_array).expect("messages");
            let expected = messages.iter().next().and_then(Json::as_str).map(unmasked);
            assert_eq!(Some(invalid_definition_message(&compilation.diagnostics)), expected, "{id}");
        }
    }
}
