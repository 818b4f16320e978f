//! Files that are written by a program and committed: golden histories and the reference pages.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Outcome;
use crate::options::Options;
use crate::run::{program, root, show_and_run};
use crate::tidy::arrows;

/// Where generated pages live.
const REFERENCE: &str = "docs/reference";

pub(crate) fn golden(options: &mut Options) -> Outcome {
    let update = options.flag("--update");
    options.done()?;
    let mut cargo = program("cargo", &["test", "--package", "stepwell-engine", "--test", "it", "golden"]);
    if update {
        cargo.env("STEPWELL_GOLDEN", "update");
    }
    show_and_run(cargo)?;
    if update {
        eprintln!("read the difference like code: git diff golden/");
    }
    Ok(())
}

pub(crate) fn codegen(options: &mut Options) -> Outcome {
    let check = options.flag("--check");
    options.done()?;
    let before = generated_files(&root());
    arrows::draw_into(&root().join(arrows::MAP))?;
    if root().join("crates/spec/examples/codegen.rs").exists() {
        let words = ["run", "--quiet", "--package", "stepwell-spec", "--example", "codegen", "--", REFERENCE];
        show_and_run(program("cargo", &words))?;
    }
    let after = generated_files(&root());
    let mut changed: Vec<&str> = Vec::new();
    for file in before.keys().chain(after.keys()) {
        if before.get(file) != after.get(file) && !changed.contains(&file.as_str()) {
            changed.push(file);
        }
    }
    for file in &changed {
        println!("written {file}");
    }
    match check && !changed.is_empty() {
        true => Err("these generated files were not current; they are now: commit them".to_owned()),
        false => Ok(()),
    }
}

/// The files `codegen` writes, as they stand.
fn generated_files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let pages = std::fs::read_dir(root.join(REFERENCE)).into_iter().flatten().flatten();
    let names = pages.map(|page| format!("{REFERENCE}/{}", page.file_name().to_string_lossy()));
    let files = names.chain([arrows::MAP.to_owned()]);
    files.filter_map(|file| std::fs::read(root.join(&file)).ok().map(|bytes| (file, bytes))).collect()
}
