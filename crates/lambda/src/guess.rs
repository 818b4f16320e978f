//! A directory as a function: which runtime and which entry its files ask for, and whether it has changed since.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Files that tell what a function is, in the order in which they are looked for: name, runtime, entry.
const FILES: &[(&str, &str, &str)] = &[
    ("bootstrap", "provided.al2023", "bootstrap"),
    ("lambda_function.py", "python3.13", "lambda_function.lambda_handler"),
    ("app.py", "python3.13", "app.handler"),
    ("handler.py", "python3.13", "handler.handler"),
    ("main.py", "python3.13", "main.handler"),
    ("index.py", "python3.13", "index.handler"),
    ("index.mjs", "nodejs22.x", "index.handler"),
    ("index.js", "nodejs22.x", "index.handler"),
    ("index.cjs", "nodejs22.x", "index.handler"),
    ("app.mjs", "nodejs22.x", "app.handler"),
    ("app.js", "nodejs22.x", "app.handler"),
];

/// What a directory holds that is somebody else's, or made from the rest.
const NOT_LOOKED_AT: &[&str] = &[".git", "node_modules", "__pycache__", ".venv", "target"];

/// A directory is not looked at again before this is over: many calls at once look once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Files of a directory that are looked at; in larger ones only the first count.
const FILES_MAX: usize = 5_000;

const LEVELS_MAX: usize = 16;

/// What the files of a directory say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) runtime: String,
    pub(crate) entry: String,
}

/// Runtime and entry of a directory. An entry that is given must be of a file that is there.
pub(crate) fn guess(directory: &Path, entry: Option<&str>) -> Option<Guess> {
    let guess = |runtime: &str, entry: &str| Guess { runtime: runtime.to_owned(), entry: entry.to_owned() };
    let Some(entry) = entry else {
        let (file, runtime, entry) = FILES.iter().find(|(file, _, _)| directory.join(file).is_file())?;
        let is_python = Path::new(file).extension().is_some_and(|end| end == "py");
        // `def handler` and `def lambda_handler` are both as common in a file of any name.
        let other = entry.split_once('.').map(|(module, _)| format!("{module}.lambda_handler"));
        let text =
            if is_python { std::fs::read_to_string(directory.join(file)).unwrap_or_default() } else { String::new() };
        let entry = match other {
            Some(other) if is_python && text.contains("def lambda_handler") => other,
            Some(_) | None => (*entry).to_owned(),
        };
        return Some(guess(runtime, &entry));
    };
    if directory.join("bootstrap").is_file() {
        return Some(guess("provided.al2023", entry));
    }
    let (module, _) = entry.rsplit_once('.')?;
    let ends = [("py", "python3.13"), ("mjs", "nodejs22.x"), ("js", "nodejs22.x"), ("cjs", "nodejs22.x")];
    let python = module.replace('.', "/");
    let node = Path::new(entry).file_name()?.to_str()?.split('.').next()?;
    let node = Path::new(entry).with_file_name(node);
    ends.iter().find_map(|(end, runtime)| {
        let stem = if *end == "py" { PathBuf::from(&python) } else { node.clone() };
        let file = directory.join(format!("{}.{end}", stem.display()));
        let package = directory.join(stem).join("__init__.py");
        (file.is_file() || (*end == "py" && package.is_file())).then(|| guess(runtime, entry))
    })
}

/// When directories were looked at, and how often they had changed.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(Arc<Mutex<BTreeMap<PathBuf, Seen>>>);

#[derive(Debug)]
struct Seen {
    at: Instant,
    fingerprint: Fingerprint,
    generation: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    files: usize,
    bytes: u64,
    newest: Option<SystemTime>,
}

impl Fingerprints {
    /// A number that is another one after the directory has changed.
    pub(crate) async fn generation(&self, directory: &Path) -> u64 {
        {
            let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(seen) = seen.get(directory).filter(|seen| seen.at.elapsed() < LOOK_AGAIN) {
                return seen.generation;
            }
        }
        let path = directory.to_path_buf();
        let looked = tokio::task::spawn_blocking(move || {
            let mut fingerprint = Fingerprint::default();
            look(&path, 0, &mut fingerprint);
            fingerprint
        });
        let fingerprint = looked.await.unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(directory).map(|seen| (seen.fingerprint, seen.generation));
        let generation = match before {
            Some((same, generation)) if same == fingerprint => generation,
            Some((_, generation)) => generation + 1,
            None => 0,
        };
        all.insert(directory.to_path_buf(), Seen { at: Instant::now(), fingerprint, generation });
        generation
    }
}

fn look(directory: &Path, level: usize, fingerprint: &mut Fingerprint) {
    // What cannot be read is not there for the function either.
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if fingerprint.files >= FILES_MAX {
            return;
        }
        let name = entry.file_name();
        if NOT_LOOKED_AT.iter().any(|other| name == *other) {
            continue;
        }
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            if level < LEVELS_MAX {
                look(&entry.path(), level + 1, fingerprint);
            }
            continue;
        }
        fingerprint.files += 1;
        fingerprint.bytes += about.len();
        fingerprint.newest = fingerprint.newest.max(about.modified().ok());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::guess;

    fn check(files: &[(&str, &str)], entry: Option<&str>, expected: Option<(&str, &str)>) {
        let directory = std::env::temp_dir().join(format!("stepwell-guess-{}", crate::clock::uuid()));
        for (name, text) in files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        let found = guess(&directory, entry);
        fs::remove_dir_all(&directory).expect("a directory");
        let found = found.as_ref().map(|guess| {
            (guess.runtime.trim_end_matches(|c: char| c.is_ascii_digit() || ".x".contains(c)), &*guess.entry)
        });
        assert_eq!(found, expected, "{files:?} {entry:?}");
    }

    #[test]
    fn files_tell_what_a_function_is() {
        check(
            &[("lambda_function.py", "def lambda_handler(e, c): pass")],
            None,
            Some(("python", "lambda_function.lambda_handler")),
        );
        check(&[("app.py", "def handler(e, c): pass")], None, Some(("python", "app.handler")));
        check(&[("app.py", "def lambda_handler(e, c): pass")], None, Some(("python", "app.lambda_handler")));
        check(&[("index.mjs", "")], None, Some(("nodejs", "index.handler")));
        check(&[("bootstrap", ""), ("app.py", "")], None, Some(("provided.al", "bootstrap")));
        check(&[("readme.txt", "")], None, None);
    }

    #[test]
    fn an_entry_names_its_file() {
        check(&[("src/orders.py", "")], Some("src.orders.place"), Some(("python", "src.orders.place")));
        check(&[("src/orders.py", "")], Some("src/orders.place"), Some(("python", "src/orders.place")));
        check(&[("src/orders.js", "")], Some("src/orders.api.place"), Some(("nodejs", "src/orders.api.place")));
        check(&[("orders.py", "")], Some("others.place"), None);
        check(&[("orders.py", "")], Some("orders"), None);
    }
}
