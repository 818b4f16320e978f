//! Faults on the real server: `stepwell-crash` with what it needs built, and its words passed on.

use std::path::PathBuf;

use crate::Outcome;
use crate::options::Options;
use crate::python::target;
use crate::run::{program, show_and_run};

pub(crate) fn command(options: &mut Options) -> Outcome {
    let mut words: Vec<String> = Vec::new();
    let lists = options.flag("--list");
    if options.flag("--smoke") {
        words.push("--smoke".to_owned());
    }
    // So many kills, or so many that wait, are one fault of the list.
    for (name, fault, number) in [("--kills", "kills", "--times"), ("--waiting", "waiting", "--count")] {
        if let Some(value) = options.value(name)? {
            words.extend(["--only", fault, number, &value].map(str::to_owned));
        }
    }
    for name in ["--only", "--times", "--count", "--clients", "--seed"] {
        if let Some(value) = options.value(name)? {
            words.extend([name.to_owned(), value]);
        }
    }
    let given = options.value("--binary")?;
    options.done()?;
    show_and_run(program("cargo", &["build", "--quiet", "--release", "--package", "stepwell-crash"]))?;
    let harness = target("release/stepwell-crash");
    let harness = harness.to_string_lossy();
    if lists {
        return show_and_run(program(&harness, &["--list"]));
    }
    let binary = match given {
        Some(binary) => PathBuf::from(binary),
        None => {
            show_and_run(program("cargo", &["build", "--quiet", "--release", "--package", "stepwell-cli"]))?;
            target("release/stepwell")
        }
    };
    let is_asked_for = |fault: &str| {
        let only = words.iter().position(|word| word == "--only").and_then(|at| words.get(at + 1));
        only.is_none_or(|only| only.split(',').any(|name| name == fault))
    };
    if is_asked_for("poison") {
        let poisoned = poisoned()?;
        words.extend(["--poisoned".to_owned(), poisoned.to_string_lossy().into_owned()]);
    }
    let (binary, data) = (binary.to_string_lossy().into_owned(), target("crash").to_string_lossy().into_owned());
    words.extend(["--binary".to_owned(), binary, "--data".to_owned(), data]);
    show_and_run(program(&harness, &words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// A server with planted panics, which is nobody's but the harness's: out of the way of the one that is built for people.
fn poisoned() -> Result<PathBuf, String> {
    let words = ["build", "--quiet", "--package", "stepwell-cli", "--features", "poison"];
    show_and_run(program("cargo", &words))?;
    let directory = target("poisoned");
    let binary = directory.join("stepwell");
    let copied = std::fs::create_dir_all(&directory).and_then(|()| std::fs::copy(target("debug/stepwell"), &binary));
    copied.map_err(|fault| format!("cannot copy it to {}: {fault}", binary.display()))?;
    Ok(binary)
}
