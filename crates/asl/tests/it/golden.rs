//! Cases of our own, as data: a definition, and everything the compiler has to say about it.
//!
//! A file of `cases/` holds cases like this one; `(express)` or `(yaml)` may stand behind the title:
//!
//! ```text
//! === what the case shows
//! the definition's text
//! ---
//! the diagnostics, or `ok`
//! ```
//!
//! `STEPWELL_UPDATE_CASES=1 cargo test -p stepwell-asl` writes what is found into the files; the difference is then read
//! like code.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use stepwell_asl::{Code, Compilation, MachineType, Options, Severity, Source, compile};
use stepwell_json::{Spanned, SpannedMember};
use stepwell_spec::{FIELDS, FieldType, Operator, Place, field};

struct Case {
    title: String,
    text: String,
    expected: String,
}

impl Case {
    fn is_marked(&self, mark: &str) -> bool {
        self.title.ends_with(mark)
    }

    fn source(&self) -> Source {
        if self.is_marked("(yaml)") { Source::yaml(self.text.clone()) } else { Source::json(self.text.clone()) }
    }

    fn compile(&self) -> Compilation {
        let is_express = self.is_marked("(express)");
        let machine_type = if is_express { MachineType::Express } else { MachineType::Standard };
        compile(&self.source(), &Options { machine_type })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases")
}

fn read_cases(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let cases = text.split("=== ").skip(1).map(|case| {
        let (title, rest) = case.split_once('\n').expect("a title");
        let (text, expected) = rest.split_once("\n---\n").unwrap_or((rest.trim_end_matches('\n'), ""));
        Case { title: title.to_owned(), text: text.to_owned(), expected: expected.trim_end().to_owned() }
    });
    cases.collect()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// What a compilation says, line by line: ours, then AWS's words.
fn told(compilation: &Compilation) -> String {
    let mut told = String::new();
    if compilation.definition.is_some() {
        told.push_str("ok\n");
    }
    for diagnostic in &compilation.diagnostics {
        let _ = writeln!(told, "{diagnostic}");
        let _ = write!(told, "    at {:?}", diagnostic.pointer.as_str());
        match &diagnostic.aws {
            None => told.push('\n'),
            Some(voice) => {
                let location = voice.location.as_deref().unwrap_or("no place");
                let text = format!("{}: {} at {location}", voice.code, voice.message);
                let _ = writeln!(told, ", AWS: {}", text.replace('\n', "\\n"));
            }
        }
    }
    told.trim_end().to_owned()
}

#[test]
fn cases_say_what_they_should() {
    let is_update = env::var_os("STEPWELL_UPDATE_CASES").is_some();
    let mut differences = Vec::new();
    for file in files() {
        let mut updated = String::new();
        for case in read_cases(&file) {
            let compilation = case.compile();
            let has_error = compilation.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
            assert_eq!(compilation.definition.is_none(), has_error, "{}", case.title);
            let found = told(&compilation);
            if found != case.expected {
                differences.push(format!("{}:\n{found}\ninstead of\n{}\n", case.title, case.expected));
            }
            let _ = write!(updated, "=== {}\n{}\n---\n{found}\n\n", case.title, case.text);
        }
        if is_update {
            fs::write(&file, updated.trim_end().to_owned() + "\n").expect("a file to write");
        }
    }
    assert!(is_update || differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let mut seen: BTreeSet<Code> = BTreeSet::new();
    for case in files().iter().flat_map(|file| read_cases(file)) {
        seen.extend(case.compile().diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    // Too long to be written down: see `bounds.rs`.
    seen.extend([Code::DefinitionTooLong, Code::MoreFaults]);
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn every_field_is_accepted_somewhere() {
    let mut seen: BTreeSet<(Place, &'static str)> = BTreeSet::new();
    for case in files().iter().flat_map(|file| read_cases(file)) {
        if case.expected.starts_with("ok")
            && let Some(tree) = case.source().tree()
        {
            visit(Place::Machine, tree, &mut seen);
        }
    }
    let mut missing: Vec<String> = Vec::new();
    for row in FIELDS {
        let places = row.places.iter().filter(|place| !seen.contains(&(**place, row.name)));
        missing.extend(places.map(|place| format!("{} in {}", row.name, place.phrase())));
    }
    let operators = Operator::ALL.into_iter().flat_map(|operator| [Some(operator.name()), operator.path_name()]);
    let unused = operators.flatten().filter(|name| !seen.contains(&(Place::Rule, *name)));
    missing.extend(unused.map(|name| format!("{name} in a Choice rule")));
    assert!(missing.is_empty(), "no accepted case has {missing:#?}");
}

/// Notes the fields of an object and of all objects below it.
fn visit(place: Place, object: &Spanned, seen: &mut BTreeSet<(Place, &'static str)>) {
    for member in object.members().unwrap_or_default() {
        if let Some((operator, is_path)) = Operator::parse(&member.key) {
            seen.extend(
                if is_path { operator.path_name() } else { Some(operator.name()) }.map(|name| (Place::Rule, name)),
            );
        }
        let Some(row) = field(place, &member.key) else { continue };
        seen.insert((place, row.name));
        let value = &member.value;
        match row.takes {
            FieldType::Object(place) => visit(place, value, seen),
            FieldType::List(place) => {
                value.items().unwrap_or_default().iter().for_each(|item| visit(place, item, seen))
            }
            FieldType::States => {
                for SpannedMember { value, .. } in value.members().unwrap_or_default() {
                    let name = value.get("Type").and_then(|member| member.value.as_str()).unwrap_or_default();
                    if let Some(place) = Place::of_state_type(name) {
                        visit(place, value, seen);
                    }
                }
            }
            _ => {}
        }
    }
}
