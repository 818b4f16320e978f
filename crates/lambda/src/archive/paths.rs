//! Names of entries as paths below one directory, and links that stay below it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::archive::ZipFault;

/// Levels of directories; no function needs more, and paths stay shorter than systems allow.
const LEVELS_MAX: usize = 64;

/// The parts of an entry's name: at least one, none of them a way up or to the root.
pub(crate) fn parts(name: &str) -> Result<Vec<&str>, ZipFault> {
    let outside = || ZipFault::Outside(name.to_owned());
    // A backslash is a separator to some of those who make zips and a letter to others; both readings must be safe.
    if name.starts_with('/') || name.contains(['\0', '\\']) {
        return Err(outside());
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_bad = |part: &&str| *part == ".." || part.len() > 255 || part.ends_with(':');
    match parts.is_empty() || parts.len() > LEVELS_MAX || parts.iter().any(is_bad) {
        true => Err(outside()),
        false => Ok(parts),
    }
}

pub(crate) fn joined(parts: &[&str]) -> PathBuf {
    parts.iter().collect()
}

/// Whether a link of this name may lead there: up as far as the root, then down and not up again. What it leads to may be a
/// link itself, which by the same rule stays inside.
pub(crate) fn is_inside(link: &[&str], target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\0', '\\']) || target.len() > 4_096 {
        return false;
    }
    let steps: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let ups = steps.iter().take_while(|step| **step == "..").count();
    ups < link.len() && !steps.iter().skip(ups).any(|step| *step == "..")
}

/// Whether a path leads through one of these links.
pub(crate) fn goes_through(parts: &[&str], links: &BTreeSet<PathBuf>) -> bool {
    (1..=parts.len()).any(|depth| links.contains(&joined(&parts[..depth])))
}

#[cfg(test)]
mod tests {
    use super::{is_inside, parts};

    #[test]
    fn names_stay_below() {
        for name in ["a", "a/b.py", "./a", "a//b", "..a", "a..", "a/...", "ä/ö"] {
            assert!(parts(name).is_ok(), "{name}");
        }
        for name in ["", "/", ".", "/a", "../a", "a/../../b", "a/..", "a\0b", "..\\a", "C:/a", "\\\\host\\a"] {
            assert!(parts(name).is_err(), "{name:?}");
        }
        assert!(parts(&"d/".repeat(65)).is_err());
        assert!(parts(&"x".repeat(256)).is_err());
    }

    #[test]
    fn links_stay_below() {
        let check = |link: &[&str], target: &str, inside: bool| {
            assert_eq!(is_inside(link, target), inside, "{link:?} -> {target:?}");
        };
        check(&["l"], "a/b", true);
        check(&["d", "l"], "../a", true);
        check(&["d", "l"], "..", true);
        check(&["l"], "..", false);
        check(&["l"], "../a", false);
        check(&["d", "l"], "../../a", false);
        check(&["l"], "/etc/passwd", false);
        // `a` may be a link to a place higher up, from which `..` leads out.
        check(&["d", "l"], "a/../b", false);
        check(&["l"], "", false);
        check(&["l"], "a\0", false);
    }
}
