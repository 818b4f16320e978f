//! The intrinsic functions, as a table.

/// One intrinsic function.
#[derive(Debug, PartialEq, Eq)]
pub struct IntrinsicRow {
    /// `States.Format`
    pub name: &'static str,
    /// Fewest arguments it takes.
    pub arguments_min: usize,
    /// Most arguments it takes; `None` where there is no such number.
    pub arguments_max: Option<usize>,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

/// All intrinsic functions, sorted by name.
pub fn all() -> &'static [IntrinsicRow] {
    &[]
}
