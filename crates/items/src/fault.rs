//! Why a file gives no items, in words for whoever made the file.

use std::fmt;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsFault(String);

impl ItemsFault {
    pub(crate) fn new(what: impl Into<String>) -> ItemsFault {
        ItemsFault(what.into())
    }

    pub(crate) fn too_large(what: &str, max: usize) -> ItemsFault {
        ItemsFault(format!("{what} has more than {max} bytes."))
    }
}

impl fmt::Display for ItemsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ItemsFault {}
