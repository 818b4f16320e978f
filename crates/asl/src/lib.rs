//! Amazon States Language text to a typed, compiled definition with spans, and all diagnostics at once.

mod definition;

pub use definition::*;
