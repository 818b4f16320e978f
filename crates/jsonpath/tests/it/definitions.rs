//! Expressions people really write: every one in the collected state machine definitions has to compile.
//!
//! The definitions are not part of this repository: `STEPWELL_CORPUS` names the folder that has `definitions/`.

use std::path::PathBuf;

use stepwell_json::Json;
use stepwell_jsonpath::{Path, ReferencePath, Template};

/// Fields that hold payload templates.
const TEMPLATES: &[&str] = &["Parameters", "ItemSelector", "ResultSelector", "Assign", "BatchInput"];
/// Fields that hold a path.
const PATHS: &[&str] = &["InputPath", "OutputPath", "ItemsPath", "Variable", "SecondsPath", "TimestampPath"];

/// How many expressions the definitions have that do not compile, on purpose or by mistake. It may only shrink.
const REFUSED_MAX: usize = 40;

#[derive(Default)]
struct Count {
    compiled: usize,
    refused: Vec<String>,
}

#[test]
fn real_definitions_compile() {
    let Some(folder) = std::env::var_os("STEPWELL_CORPUS") else {
        println!("STEPWELL_CORPUS is not set: nothing compiled");
        return;
    };
    let folder = PathBuf::from(folder).join("definitions");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("no folder {}: nothing compiled", folder.display());
        return;
    };
    let mut count = Count::default();
    for file in files {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Ok(definition) = Json::parse(&text) {
            visit(&definition, &mut count);
        }
    }
    println!("{} compiled, {} refused", count.compiled, count.refused.len());
    for refused in &count.refused {
        println!("  {refused}");
    }
    assert!(count.refused.len() <= REFUSED_MAX);
}

fn visit(value: &Json, count: &mut Count) {
    match value {
        Json::Object(members) => {
            let is_jsonata = members.get("QueryLanguage").and_then(Json::as_str) == Some("JSONata");
            for (key, member) in members {
                let text = member.as_str();
                if TEMPLATES.contains(&&**key) && !is_jsonata {
                    match Template::compile(member) {
                        Ok(_) => count.compiled += 1,
                        Err(faults) => count.refused.extend(faults.iter().map(|fault| format!("{key}: {fault}"))),
                    }
                    continue;
                }
                let fault = match text {
                    Some(text) if PATHS.contains(&&**key) => Path::parse(text).err().map(|error| (text, error)),
                    Some(text) if &**key == "ResultPath" => ReferencePath::parse(text).err().map(|error| (text, error)),
                    _ => {
                        visit(member, count);
                        continue;
                    }
                };
                match fault {
                    None => count.compiled += 1,
                    Some((text, error)) => count.refused.push(format!("{key}: {text}: {error}")),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| visit(item, count)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
