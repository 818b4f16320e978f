//! Bounds of one evaluation.

/// How much one evaluation may do. All counts are the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Evaluator steps: one per node visited, and one per unit of work a builtin function does. Past it: `D1012`.
    pub steps: u64,
    /// Nested evaluations, counted per node of the expression. Past it: `D1011`.
    pub depth: u32,
    /// Bytes of all values made during the evaluation. Past it: `D1013`.
    pub value_bytes: usize,
    /// Bytes of any one string made. Past it: `D1013`.
    pub string_bytes: usize,
    /// Items of any one array made. Past it: `D1013`.
    pub array_items: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 1_000_000, depth: 600, value_bytes: 64 << 20, string_bytes: 16 << 20, array_items: 1_000_000 }
    }
}
