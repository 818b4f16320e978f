//! Why a tree or bytes do not fit a model.

use std::fmt;

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// From the input or the output down: `Entries[0].DelaySeconds`; empty for the whole.
    pub path: String,
    /// What was expected there, as in "expected a number".
    pub reason: String,
}

impl Unfit {
    pub(crate) fn new(reason: impl Into<String>) -> Unfit {
        Unfit { path: String::new(), reason: reason.into() }
    }

    /// The same, seen from the structure or map above.
    pub(crate) fn below(mut self, name: &str) -> Unfit {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{joint}{}", self.path);
        self
    }

    /// The same, seen from the list above.
    pub(crate) fn at(self, place: usize) -> Unfit {
        self.below(&format!("[{place}]"))
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.path, self.reason),
        }
    }
}

impl std::error::Error for Unfit {}

/// A walk over input goes no deeper.
pub(crate) const DEPTH_MAX: u32 = 200;

/// Refuses what nests deeper than anything a service has.
pub(crate) fn deeper(depth: u32) -> Result<u32, Unfit> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(Unfit::new(format!("nested deeper than {DEPTH_MAX} levels"))) }
}

#[cfg(test)]
mod tests {
    use super::Unfit;

    #[test]
    fn paths_grow_from_the_inside() {
        let unfit = Unfit::new("expected a number").below("Delay").at(2).below("Entries");
        assert_eq!(unfit.to_string(), "Entries[2].Delay: expected a number");
        assert_eq!(Unfit::new("expected an object").to_string(), "expected an object");
    }
}
