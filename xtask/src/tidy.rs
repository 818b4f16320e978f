//! The rules of the house that no compiler knows. A command, and a test of this crate.
//!
//! Each rule lives in the file of its subject and adds to one list of faults; this file owns only the list.

pub(crate) mod arrows;
mod dead_files;
mod links;
mod manifest;
mod places;
mod sources;
mod tree;

use std::fmt;
use std::path::Path;

use crate::Outcome;
use crate::options::Options;
use crate::run::root;
use tree::Tree;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// Relative to the root of the repository, with `/` between the parts.
    file: String,
    /// Counted from 1; 0 when the whole file is meant.
    line: usize,
    /// What is wrong, and what to do.
    says: String,
}

impl Fault {
    fn at(file: &str, line: usize, says: impl Into<String>) -> Fault {
        Fault { file: file.to_owned(), line, says: says.into() }
    }

    fn of(file: &str, says: impl Into<String>) -> Fault {
        Fault::at(file, 0, says)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.file, self.says),
            line => write!(out, "{}:{line}: {}", self.file, self.says),
        }
    }
}

pub(crate) fn command(options: &mut Options) -> Outcome {
    options.done()?;
    let faults = faults(&root())?;
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        1 => Err("tidy: one fault".to_owned()),
        many => Err(format!("tidy: {many} faults")),
    }
}

/// Every fault of the tree below `root`, in the order of its files.
fn faults(root: &Path) -> Result<Vec<Fault>, String> {
    let tree = Tree::read(root)?;
    let mut faults = Vec::new();
    arrows::check(&tree, &mut faults);
    sources::check(&tree, &mut faults);
    dead_files::check(&tree, &mut faults);
    links::check(&tree, &mut faults);
    places::check(&tree, &mut faults);
    faults.sort();
    Ok(faults)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let faults = super::faults(&crate::run::root()).expect("the repository is readable");
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "\n{}\n", told.join("\n"));
    }
}
