//! How a program may end: a naive interpreter, which no engine can share a fault with.
//!
//! It recurses over the JSON of the definition. There are no events, no ids, nothing is kept, and time is a number that
//! waits and retries add to. Words that are the executor's own (the cause of a runtime error) are [not told](outcome::ANY).

mod choice;
mod data;
mod faults;
mod machine;
mod map;
mod outcome;
mod parallel;
mod path_flow;
mod query_flow;
mod task;
#[cfg(test)]
mod tests;
mod thread;
mod timestamp;

use stepwell_json::Json;

use crate::program::Program;
use machine::{Decisions, Machine};
pub use outcome::{ANY, Cause, Counts, Outcome, Range, Run, Tally, Verdict};

/// Ways that are gone at most: only branches that fail at about the same time multiply them.
const WAYS_MAX: usize = 48;

/// How this program may end.
///
/// # Panics
///
/// When the definition or the input is not JSON, or the definition is not valid.
pub fn run(program: &Program) -> Verdict {
    let definition = Json::parse(&program.definition).expect("a program's definition is JSON");
    let input = Json::parse(&program.input).expect("a program's input is JSON");
    run_json(&definition, &input)
}

/// [`run`], for a definition and an input that are JSON already.
///
/// # Panics
///
/// When the definition is not valid.
pub fn run_json(definition: &Json, input: &Json) -> Verdict {
    let mut decisions = Decisions::default();
    let mut verdict = Verdict { runs: Vec::new(), is_complete: true };
    for _ in 0..WAYS_MAX {
        let mut machine = Machine::new(definition, decisions);
        let (runs, in_bounds) = machine.execute(input);
        verdict.is_complete &= in_bounds;
        for run in runs {
            if !verdict.runs.contains(&run) {
                verdict.runs.push(run);
            }
        }
        decisions = machine.decisions;
        if !decisions.advance() {
            return verdict;
        }
    }
    verdict.is_complete = false;
    verdict
}
