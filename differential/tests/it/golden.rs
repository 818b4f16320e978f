//! The expressions of the golden cases of crates/jsonata, asked of another engine too.

use stepwell_json::Json;

use crate::engines::{ours, the_other};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/jsonata/tests/it/golden");

/// What no other engine has, or what is never the same twice.
const OF_STEP_FUNCTIONS: [&str; 12] = [
    "$states",
    "$partition(",
    "$range(",
    "$hash(",
    "$random(",
    "$uuid(",
    "$parse(",
    "$now(",
    "$millis(",
    "$shuffle(",
    "$eval",
    "$toMillis('1",
];

#[test]
fn golden_cases() {
    let mut other = the_other();
    let mut files: Vec<_> = std::fs::read_dir(FOLDER)
        .expect("the folder of the golden cases")
        .map(|entry| entry.expect("a file of it").path())
        .collect();
    files.sort();
    let mut asked = 0;
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a golden file is readable");
        let cases = Json::parse(&text).expect("a golden file is JSON");
        for case in cases.as_array().expect("an array of cases").iter() {
            let parts = case.as_array().expect("a case is an array");
            let expression = parts[0].as_str().expect("an expression");
            if OF_STEP_FUNCTIONS.iter().any(|name| expression.contains(name)) {
                continue;
            }
            asked += 1;
            let (mine, theirs) = (ours(expression, parts.get(2)), other.evaluate(expression, parts.get(2)));
            let known = || other.known().iter().any(|row| row.holds(expression));
            if !mine.agrees(&theirs) && !known() {
                faults.push(format!("{expression}\n  ours {mine}\n  {} {theirs}", other.name()));
            }
        }
    }
    println!("{asked} golden expressions, held against {}", other.name());
    assert!(asked > 300, "the golden cases were not found");
    assert!(faults.is_empty(), "{} differ\n{}", faults.len(), faults.join("\n"));
}
