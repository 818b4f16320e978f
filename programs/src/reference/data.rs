//! One attempt of one state, what it works on, and what comes of it, whatever its query language.

use stepwell_json::Json;

use super::faults::{Failure, Failures};
use super::thread::Thread;
use super::{path_flow, query_flow};

/// A state that was entered.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) name: &'a str,
    /// Its fields.
    pub(super) state: &'a Json,
    /// Its input, as it came.
    pub(super) input: &'a Json,
    /// Retries so far.
    pub(super) retry_count: u64,
    pub(super) is_jsonata: bool,
}

/// What a state is left with.
pub(super) struct Exit {
    pub(super) output: Json,
    pub(super) assigned: Vec<(String, Json)>,
}

impl<'a> Visit<'a> {
    pub(super) fn field(&self, name: &str) -> Option<&'a Json> {
        self.state.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.field(name).and_then(Json::as_str)
    }

    pub(super) fn context(&self, thread: &Thread) -> Json {
        let can_retry = matches!(self.text("Type"), Some("Task" | "Parallel" | "Map"));
        thread.context(self.name, can_retry.then_some(self.retry_count))
    }

    /// What a Task, a Pass or a Parallel state works on.
    pub(super) fn argument(&self, thread: &Thread) -> Result<Json, Failure> {
        if self.is_jsonata {
            return match self.field("Arguments") {
                Some(arguments) => query_flow::value(arguments, self, thread, query_flow::Also::Nothing),
                None => Ok(self.input.clone()),
            };
        }
        let effective = path_flow::effective_input(self, thread)?;
        match self.field("Parameters") {
            Some(template) => path_flow::template(template, self, thread, &effective),
            None => Ok(effective),
        }
    }

    /// Leaves with the result of some work.
    pub(super) fn leave_with(&self, result: Json, thread: &Thread) -> Result<Exit, Failures> {
        if self.is_jsonata {
            query_flow::leave(self.state, self, thread, query_flow::Also::Result(&result), &result)
        } else {
            path_flow::leave_with(self, thread, result)
        }
    }

    /// Leaves a state that has no result: with its input.
    pub(super) fn leave(&self, thread: &Thread) -> Result<Exit, Failures> {
        self.leave_by(self.state, thread)
    }

    /// [`Visit::leave`] by the fields of a Choice rule.
    pub(super) fn leave_by(&self, fields: &Json, thread: &Thread) -> Result<Exit, Failures> {
        if self.is_jsonata {
            query_flow::leave(fields, self, thread, query_flow::Also::Nothing, self.input)
        } else {
            path_flow::leave(self, fields, thread)
        }
    }

    /// Leaves by a Catcher.
    pub(super) fn leave_caught(&self, catcher: &Json, failure: &Failure, thread: &Thread) -> Result<Exit, Failures> {
        let told = failure.output();
        if self.is_jsonata {
            query_flow::leave(catcher, self, thread, query_flow::Also::Error(&told), &told)
        } else {
            path_flow::leave_caught(self, catcher, thread, told)
        }
    }
}
