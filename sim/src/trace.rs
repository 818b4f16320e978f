//! What happened, step by step: the last lines for people, a hash over all of them for comparing two runs.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES: usize = 120;

/// Characters of a line that are kept: a definition fits, the largest payload does not.
const CHARACTERS: usize = 20_000;

/// A trace.
#[derive(Debug)]
pub(crate) struct Trace {
    lines: VecDeque<String>,
    hash: u64,
}

impl Trace {
    pub(crate) fn new() -> Trace {
        Trace { lines: VecDeque::new(), hash: 0xCBF2_9CE4_8422_2325 }
    }

    /// Adds a line.
    pub(crate) fn say(&mut self, line: String) {
        self.hash = hash_of(self.hash, line.as_bytes());
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        let kept = match line.char_indices().nth(CHARACTERS) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        };
        self.lines.push_back(kept);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}

/// FNV-1a, going on from a hash.
pub(crate) fn hash_of(from: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(from, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}
