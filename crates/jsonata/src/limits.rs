//! Bounds of one evaluation.

/// How much one evaluation may do. All counts are the same on every machine.
///
/// A step is a node of the expression visited, an item walked by a function, or some tens of bytes of text made or
/// looked through; a million of them take some tens of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps in all. Past it: `D1012`.
    pub steps: u64,
    /// Evaluations inside each other, counted as the reference does: one per node. A recursive function of the usual
    /// shape takes three for each call. Calls in tail position take none. Past it: `D1011`.
    pub depth: u32,
    /// Bytes of all values made, and of any one value when it is written out. Past it: `D1013`.
    pub value_bytes: usize,
    /// Bytes of any one text made. Past it: `D1013`.
    pub string_bytes: usize,
    /// Items of any one array made. Past it: `D1013`.
    pub array_items: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 1_000_000, depth: 600, value_bytes: 64 << 20, string_bytes: 16 << 20, array_items: 1_000_000 }
    }
}
