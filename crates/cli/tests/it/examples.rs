//! Every example runs to the end its `expected.json` names, in every case of its mocks.

use std::fs;

use stepwell_json::Json;

use crate::{root, stepwell};

fn read(path: &str) -> Json {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    Json::parse(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(root().join("examples")).expect("the examples").flatten();
    let folders = entries.filter(|entry| entry.path().join("expected.json").exists());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn definition(name: &str) -> String {
    let endings = ["workflow.asl.json", "workflow.asl.yaml"];
    let found =
        endings.iter().map(|ending| format!("examples/{name}/{ending}")).find(|path| root().join(path).exists());
    found.unwrap_or_else(|| panic!("examples/{name} has a workflow"))
}

#[test]
fn every_case_of_every_example_ends_as_expected() {
    let names = names();
    assert!(names.len() >= 6, "there are at least six examples: {names:?}");
    for name in names {
        let expected = read(&format!("examples/{name}/expected.json"));
        let input = format!("@examples/{name}/input.json");
        let cases = expected.as_object().expect("expected.json is an object of cases");
        assert!(cases.len() >= 2, "{name} shows more than one way through");
        for (case, end) in cases {
            let mocks = format!("examples/{name}/mocks.json#{case}");
            let case_input = end.get("input").and_then(Json::as_str).map(|file| format!("@examples/{name}/{file}"));
            let input = case_input.unwrap_or_else(|| input.clone());
            let ran = stepwell(&["run", &definition(&name), "--input", &input, "--mocks", &mocks, "--seed", "1"]);
            match end.get("status").and_then(Json::as_str).expect("a status") {
                "SUCCEEDED" => {
                    assert_eq!(ran.code, 0, "{name}#{case}: {}", ran.stderr);
                    let output = Json::parse(&ran.stdout).expect("stdout is the output alone");
                    assert_eq!(Some(&output), end.get("output"), "{name}#{case}");
                }
                status => {
                    assert_eq!(ran.code, 1, "{name}#{case}: {}{}", ran.stdout, ran.stderr);
                    assert_eq!(ran.stdout, "", "{name}#{case}");
                    assert!(ran.stderr.starts_with(status), "{name}#{case}: {}", ran.stderr);
                    let error = end.get("error").and_then(Json::as_str).unwrap_or_default();
                    assert!(ran.stderr.contains(error), "{name}#{case}: {}", ran.stderr);
                }
            }
        }
    }
}

#[test]
fn examples_are_valid_without_a_warning() {
    for name in names() {
        let ran = stepwell(&["validate", &definition(&name)]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("0 errors, 0 warnings"), "{name}: {}", ran.stderr);
    }
}
