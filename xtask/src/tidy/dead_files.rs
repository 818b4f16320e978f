//! Rust sources that no `mod` reaches: they look alive and are never compiled.

use std::collections::BTreeSet;

use super::Fault;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    let mut alive = BTreeSet::new();
    for (path, _) in tree.ending(".rs") {
        if is_root(path) {
            reach(tree, path, &mut alive);
        }
    }
    for (path, _) in tree.ending(".rs") {
        if !alive.contains(path) {
            faults.push(Fault::of(path, "no `mod` reaches this file: it is never compiled"));
        }
    }
}

/// Whether cargo compiles this file by itself: `src/lib.rs`, `src/main.rs`, and one file or one `main.rs` per folder in
/// `src/bin`, `tests`, `examples`, `benches` and `fuzz_targets`.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [.., "src", "lib.rs" | "main.rs"] | [.., "build.rs"] => true,
        [.., "src", "bin", _] | [.., "src", "bin", _, "main.rs"] => true,
        [.., "tests" | "examples" | "benches" | "fuzz_targets", _] => !parts.contains(&"src"),
        [.., "tests" | "examples" | "benches", _, "main.rs"] => !parts.contains(&"src"),
        _ => false,
    }
}

/// Marks `path` and everything its `mod` lines lead to.
fn reach(tree: &Tree, path: &str, alive: &mut BTreeSet<String>) {
    let Some(text) = tree.text(path) else { return };
    if !alive.insert(path.to_owned()) {
        return;
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    // The modules of `lib.rs`, `main.rs`, `mod.rs` and of a root in its own right stand beside it, all others below it.
    let below = match is_root(path) || stem == "mod" {
        true => folder.to_owned(),
        false => format!("{folder}/{stem}"),
    };
    let mut explicit = None;
    for line in text.lines().map(str::trim) {
        if let Some(named) = line.strip_prefix("#[path = \"") {
            explicit = named.split('"').next().map(|name| format!("{folder}/{name}"));
        } else if let Some(module) = declared_module(line) {
            match explicit.take() {
                Some(named) => reach(tree, &named, alive),
                None => {
                    reach(tree, &format!("{below}/{module}.rs"), alive);
                    reach(tree, &format!("{below}/{module}/mod.rs"), alive);
                }
            }
        }
    }
}

/// `name` of `mod name;`, `pub mod name;` or `pub(…) mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
        None => line,
    };
    line.strip_prefix("mod ")?.split_once(';').map(|(name, _)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;

    #[test]
    fn a_file_lives_when_a_mod_leads_to_it() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "mod one;\npub(crate) mod two;\n#[cfg(test)]\nmod three;\n"),
            ("crates/a/src/one.rs", "pub mod deep;\n"),
            ("crates/a/src/one/deep.rs", ""),
            ("crates/a/src/two/mod.rs", "mod beside;\n"),
            ("crates/a/src/two/beside.rs", ""),
            ("crates/a/src/three.rs", "#[path = \"odd_name.rs\"]\nmod odd;\n// mod lost;\n"),
            ("crates/a/src/odd_name.rs", ""),
            ("crates/a/src/lost.rs", ""),
            ("crates/a/tests/it/main.rs", "mod cases;\n"),
            ("crates/a/tests/it/cases.rs", ""),
            ("crates/a/tests/it/forgotten.rs", ""),
        ]);
        let mut faults = Vec::new();
        super::check(&tree, &mut faults);
        let told: Vec<&str> = faults.iter().map(|fault| fault.file.as_str()).collect();
        assert_eq!(told, ["crates/a/src/lost.rs", "crates/a/tests/it/forgotten.rs"]);
    }
}
