//! Paths of one machine, which mean nothing on another.

use super::Fault;
use super::tree::Tree;

/// Folders at the top of somebody's file system. Written without their slashes, or this file would break its own rule.
const FOLDERS: [&str; 5] = ["work", "root", "home", "tmp", "Users"];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for (path, text) in tree.files() {
        // Tests may carry paths as data: a source of a fault, a file name in a message.
        if path.contains("/tests/") || path.starts_with("fuzz/seeds/") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            if path.ends_with(".rs") && line.trim_start().starts_with("#[cfg(test)]") {
                break;
            }
            if let Some(folder) = FOLDERS.into_iter().find(|folder| names_folder(line, folder)) {
                let says = format!("`/{folder}/…` is a path of one machine; name it from the root of the repository");
                faults.push(Fault::at(path, index + 1, says));
            }
        }
    }
}

/// Whether the line holds `/folder/` at the beginning of a path.
fn names_folder(line: &str, folder: &str) -> bool {
    let needle = format!("/{folder}/");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '}' | '*' | '$'))
    })
}

#[cfg(test)]
mod tests {
    use super::names_folder;

    #[test]
    fn only_the_beginning_of_a_path_counts() {
        for (line, expected) in [
            ("see /work/x", true),
            ("\"/home/me/file\"", true),
            ("https://example.com/home/me", false),
            ("crates/work/x", false),
            ("../work/x", false),
            ("workflow /workflows/x", false),
        ] {
            let found = ["work", "home"].into_iter().any(|folder| names_folder(line, folder));
            assert_eq!(found, expected, "{line}");
        }
    }
}
