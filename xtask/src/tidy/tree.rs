//! The text files of the repository, read once.

use std::collections::BTreeMap;
use std::path::Path;

/// Folders that hold nothing of ours: built, fetched or found by machines.
const NOT_OURS: [&str; 4] = [".git", "target", "node_modules", "artifacts"];

/// Files worth reading, by how their names end.
const TEXT: [&str; 10] = [".rs", ".md", ".toml", ".json", ".yaml", ".yml", ".txt", ".mjs", ".sh", ".ci/run"];

/// Every text file, by its path from the root with `/` between the parts.
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
    /// Paths of all files and folders, text or not: what a link may point to.
    places: Vec<String>,
}

impl Tree {
    /// Reads everything below `root`.
    pub(crate) fn read(root: &Path) -> Result<Tree, String> {
        let mut tree = Tree { files: BTreeMap::new(), places: Vec::new() };
        tree.walk(root, "").map_err(|error| format!("cannot read {}: {error}", root.display()))?;
        Ok(tree)
    }

    /// A tree made of these files, for tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree { files: BTreeMap::new(), places: Vec::new() };
        for (path, text) in files {
            tree.files.insert((*path).to_owned(), (*text).to_owned());
            tree.places.push((*path).to_owned());
        }
        tree
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if NOT_OURS.contains(&name.as_str()) || path == "fuzz/corpus" {
                continue;
            }
            self.places.push(path.clone());
            if entry.file_type()?.is_dir() {
                self.walk(&entry.path(), &path)?;
            } else if TEXT.iter().any(|end| path.ends_with(end)) {
                // A seed of the fuzzer may be no UTF-8 on purpose; such a file holds nothing for our rules.
                if let Ok(text) = String::from_utf8(std::fs::read(entry.path())?) {
                    self.files.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether a file or folder stands at this path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        path.is_empty() || self.places.iter().any(|place| place == path)
    }

    /// Every text file, in order of its path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file whose name ends so.
    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.ends_with(end))
    }
}
