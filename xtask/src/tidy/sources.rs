//! Rules of every Rust source: its header, its name, its length, nothing unfinished, and purity where purity is promised.

use super::Fault;
use super::arrows::Room;
use super::tree::Tree;

/// A file longer than this holds more than one idea.
const LINES_MAX: usize = 900;

/// Files that may be longer, each with the reason. An entry that is no longer needed is a fault.
const LONG_FILES: &[(&str, &str)] = &[];

/// Words that say nothing about what a thing does. The better name is what it does.
const EMPTY_WORDS: [&str; 5] = ["manager", "helper", "util", "common", "handler"];

/// What a pure crate has none of, and the door it comes through instead. The lints of clippy.toml see what is called by
/// another name; this sees whole modules, and leaves tests free to read files.
const DOORS: [(&str, &str); 8] = [
    ("std::fs", "files belong to the command and the stores: take text or bytes"),
    ("std::net", "sockets belong to the transports: emit an effect"),
    ("std::env", "settings are parameters"),
    ("std::process", "only the command starts or ends processes"),
    ("std::thread", "one input is decided on one thread"),
    ("std::time::SystemTime", "time arrives with the input"),
    ("std::time::Instant", "time arrives with the input"),
    ("async fn", "nothing waits inside: emit an effect"),
];

/// Macros that stand for code that is not there.
const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];

/// Notes that promise code instead of writing it.
const PROMISES: [&str; 3] = ["TO DO", "FIX ME", "XX X"];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for (path, text) in tree.ending(".rs") {
        check_header(path, text, faults);
        check_name(path, faults);
        check_length(path, text, faults);
        check_finished(path, text, faults);
        check_declared_names(path, text, faults);
        if Room::pure().any(|room| path.starts_with(&format!("crates/{room}/src/"))) {
            check_purity(path, text, faults);
        }
    }
    for (path, _) in LONG_FILES {
        match tree.text(path) {
            Some(text) if text.lines().count() > LINES_MAX => {}
            Some(_) => faults.push(Fault::of(path, "is short again: take it off LONG_FILES in xtask")),
            None => faults.push(Fault::of(path, "is gone: take it off LONG_FILES in xtask")),
        }
    }
}

fn check_header(path: &str, text: &str, faults: &mut Vec<Fault>) {
    if !text.starts_with("//! ") {
        faults.push(Fault::at(path, 1, "opens without a `//!` line: say what the file owns and what it does not know"));
    }
}

fn check_name(path: &str, faults: &mut Vec<Fault>) {
    for part in path.split('/') {
        let stem = part.split('.').next().unwrap_or_default();
        if let Some(word) = empty_word(stem) {
            let says = format!("`{part}`: `{word}` says nothing; the better name is what it does");
            faults.push(Fault::of(path, says));
        }
    }
}

fn check_length(path: &str, text: &str, faults: &mut Vec<Fault>) {
    let lines = text.lines().count();
    if lines > LINES_MAX && !LONG_FILES.iter().any(|(long, _)| *long == path) {
        let says =
            format!("{lines} lines; beyond {LINES_MAX} split by idea, or give the reason in LONG_FILES in xtask");
        faults.push(Fault::of(path, says));
    }
}

fn check_finished(path: &str, text: &str, faults: &mut Vec<Fault>) {
    for (index, line) in text.lines().enumerate() {
        let code = code_of(line);
        for name in UNFINISHED {
            if code.contains(&format!("{name}!(")) {
                faults.push(Fault::at(path, index + 1, format!("`{name}!` is no code")));
            }
        }
        if code.trim_start().starts_with("#[ignore]") {
            faults.push(Fault::at(path, index + 1, "an ignored test gives its reason: `#[ignore = \"why\"]`"));
        }
        for promise in PROMISES {
            let word = promise.replace(' ', "");
            if comment_of(line).split(|c: char| !c.is_alphanumeric()).any(|found| found == word) {
                faults.push(Fault::at(path, index + 1, format!("`{word}`: do it, or open an issue")));
            }
        }
    }
}

fn check_declared_names(path: &str, text: &str, faults: &mut Vec<Fault>) {
    for (index, line) in text.lines().enumerate() {
        let declared = code_of(line);
        let declared = declared.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let keywords = ["struct ", "enum ", "trait ", "mod ", "type "];
        let Some(rest) = keywords.iter().find_map(|keyword| declared.strip_prefix(keyword)) else { continue };
        let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if let Some(word) = empty_word(&name.to_lowercase()) {
            let says = format!("`{name}`: `{word}` says nothing; the better name is what it does");
            faults.push(Fault::at(path, index + 1, says));
        }
    }
}

fn check_purity(path: &str, text: &str, faults: &mut Vec<Fault>) {
    for (index, line) in text.lines().enumerate() {
        // Tests stand at the end of a file and may read cases, measure and try threads.
        if line.trim_start().starts_with("#[cfg(test)]") {
            return;
        }
        for (door, instead) in DOORS {
            if code_of(line).contains(door) {
                faults.push(Fault::at(path, index + 1, format!("`{door}` in a pure crate: {instead}")));
            }
        }
    }
}

fn empty_word(name: &str) -> Option<&'static str> {
    EMPTY_WORDS.into_iter().find(|word| name.contains(word))
}

/// The line without its comment. A `//` inside a string ends it early, which hides code from a rule but never invents any.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn comment_of(line: &str) -> &str {
    line.split_once("//").map_or("", |(_, comment)| comment)
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let mut faults = Vec::new();
        super::check(&Tree::of(&[(path, text)]), &mut faults);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), expected.len(), "{path}: {told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told} does not say {expected}");
        }
    }

    #[test]
    fn headers_names_and_length() {
        check("crates/asl/src/parse.rs", "//! Text to tree.\n", &[]);
        check("crates/asl/src/parse.rs", "use std::fmt;\n", &["parse.rs:1: opens without"]);
        check("crates/asl/src/parse_util.rs", "//! Bits.\n", &["`util` says nothing"]);
        check("crates/asl/src/helpers/parse.rs", "//! Bits.\n", &["`helper` says nothing"]);
        check("crates/asl/src/parse.rs", &format!("//! Long.\n{}", "\n".repeat(1000)), &["1001 lines"]);
        check("crates/asl/src/parse.rs", "//! A.\npub struct TaskManager;\n", &["parse.rs:2: `TaskManager`"]);
        check("crates/asl/src/parse.rs", "//! A.\nlet handler = 1; // struct Manager\n", &[]);
    }

    #[test]
    fn nothing_unfinished() {
        let macros = format!("//! A.\nfn f() {{ {}!() }}\n", super::UNFINISHED[0]);
        check("crates/asl/src/parse.rs", &macros, &["parse.rs:2"]);
        let promise = format!("//! A.\n// {}: later\n", super::PROMISES[0].replace(' ', ""));
        check("crates/asl/src/parse.rs", &promise, &["do it, or open an issue"]);
        check("crates/asl/src/parse.rs", "//! A.\n#[test]\n#[ignore]\nfn f() {}\n", &["gives its reason"]);
        check("crates/asl/src/parse.rs", "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n", &[]);
    }

    #[test]
    fn doors_are_closed_in_pure_crates_and_open_in_their_tests() {
        check("crates/engine/src/step.rs", "//! A.\nuse std::fs;\n", &["step.rs:2: `std::fs` in a pure crate"]);
        check("crates/engine/src/step.rs", "//! A.\n#[cfg(test)]\nmod tests { use std::fs; }\n", &[]);
        check("crates/engine/tests/it/main.rs", "//! A.\nuse std::fs;\n", &[]);
        check("crates/cli/src/main.rs", "//! A.\nuse std::fs;\n", &[]);
    }
}
