//! How much of the machine's stack is in use: the last resort against running out of it.
//!
//! What recurses is bounded by counts that are the same on every machine, and an optimized build meets those first. A
//! build without optimization has frames several times as large, and a caller may set a limit higher.

/// Most of the stack that parsing or an evaluation uses. Threads have 2 MiB; the rest is for those who call and for the
/// last few functions called.
const BYTES_MAX: usize = 1280 * 1024;

/// Where the stack stood when the work began.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    start: usize,
}

impl Stack {
    pub(crate) fn here() -> Stack {
        Stack { start: place() }
    }

    /// Whether so much has been used since that a further level might not fit.
    #[inline(always)]
    pub(crate) fn is_exhausted(self) -> bool {
        self.start.abs_diff(place()) > BYTES_MAX
    }
}

/// Roughly where the stack stands.
#[inline(always)]
fn place() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}
