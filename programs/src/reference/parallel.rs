//! Parallel, and how branches and iterations join.

use stepwell_json::Json;

use super::data::Visit;
use super::faults::Failure;
use super::machine::{MARGIN_MS, Machine};
use super::outcome::Tally;
use super::thread::Thread;

/// A branch or an iteration that was run alone, to its end.
pub(super) struct Part {
    pub(super) result: Result<Json, Failure>,
    pub(super) ended_ms: i64,
    pub(super) tally: Tally,
}

impl Machine<'_> {
    /// One attempt of a Parallel state: the results of its branches.
    pub(super) fn parallel(&mut self, visit: &Visit<'_>, thread: &mut Thread) -> Result<Json, Failure> {
        let argument = visit.argument(thread)?;
        let branches = visit.field("Branches").and_then(Json::as_array).expect("a Parallel state has branches");
        let parts = branches.iter().map(|branch| self.part(branch, argument.clone(), thread.branch())).collect();
        self.join(parts, thread)
    }

    /// Runs a workflow as if it was alone.
    pub(super) fn part(&mut self, workflow: &Json, input: Json, mut thread: Thread) -> Part {
        let outside = std::mem::take(&mut self.tally);
        let result = self.workflow(workflow, input, &mut thread);
        let tally = std::mem::replace(&mut self.tally, outside);
        Part { result, ended_ms: thread.now_ms, tally }
    }

    /// All results in order, or the failure of the part that failed first. What the others had done by then is not known.
    ///
    /// Where parts fail at about the same time, any of them may be the first.
    pub(super) fn join(&mut self, parts: Vec<Part>, thread: &mut Thread) -> Result<Json, Failure> {
        let first_ms = parts.iter().filter(|part| part.result.is_err()).map(|part| part.ended_ms).min();
        let Some(first_ms) = first_ms else {
            thread.now_ms = parts.iter().map(|part| part.ended_ms).fold(thread.now_ms, i64::max);
            for part in &parts {
                self.tally.add(&part.tally, true);
            }
            return Ok(Json::array(parts.into_iter().flat_map(|part| part.result).collect()));
        };
        let may_be_first = |part: &&Part| part.result.is_err() && part.ended_ms <= first_ms + MARGIN_MS;
        let failing = parts.iter().filter(may_be_first).count();
        for part in &parts {
            self.tally.add(&part.tally, failing == 1 && may_be_first(&part));
        }
        let mut failures: Vec<&Failure> = Vec::new();
        for part in parts.iter().filter(may_be_first) {
            let failure = part.result.as_ref().expect_err("it failed");
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
        thread.now_ms = thread.now_ms.max(first_ms);
        let way = if failures.len() > 1 { self.decisions.choose(failures.len()) } else { 0 };
        Err(Failure { is_of_branch: true, ..failures[way].clone() })
    }
}
