//! What an expression of a state can see: its input, the context object, variables, and the moment's chance.

use std::cell::OnceCell;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{Text, Timestamp, error};

use crate::context_object::{context_object, given_context_object};
use crate::execution::{Active, Execution, Item, ThreadId};
use crate::failure::{EvaluationSite, Failure};
use crate::inspection::Inspection;
use crate::moment::Chance;
use crate::query::Location;
use crate::rehearsal::Rehearsal;

/// A state as its expressions see it.
pub(crate) struct Surroundings<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) thread: ThreadId,
    pub(crate) now: Timestamp,
    pub(crate) chance: &'a Chance,
    /// The token of the task being scheduled, when it waits for one.
    pub(crate) token: Option<&'a Text>,
    /// The item of the iteration being prepared.
    pub(crate) item: Option<&'a Item>,
    /// Set while a state is only tested.
    pub(crate) rehearsal: Option<&'a Rehearsal>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn active(&self) -> &'a Active {
        self.execution.active(self.thread)
    }

    pub(crate) fn context(&self) -> Json {
        match self.rehearsal.and_then(|rehearsal| rehearsal.context.as_ref()) {
            Some(given) => given_context_object(given, self.item, self.token),
            None => context_object(self.execution, self.thread, self.item, self.token),
        }
    }

    /// Lets whoever watches see what the data is now. Nobody does in an ordinary run.
    #[inline]
    pub(crate) fn observe(&self, see: impl FnOnce(&mut Inspection)) {
        if let Some(rehearsal) = self.rehearsal {
            rehearsal.observe(see);
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Json> {
        self.execution.variable(self.thread, name).cloned()
    }

    /// The scope of JSONPath expressions for which `$` is this document.
    pub(crate) fn over(&'a self, input: &'a Json) -> PathScope<'a> {
        PathScope { surroundings: self, input }
    }

    /// A failure of this state itself, worded as AWS words it.
    pub(crate) fn failure(&self, error: &str, fault: &str) -> Failure {
        if self.rehearsal.is_some() {
            // Seen on AWS: a tested state is not told where it stood in a history it does not have.
            return Failure { own_runtime: error == error::RUNTIME, ..Failure::new(error, fault) };
        }
        let active = self.active();
        let name = &self.execution.definition.state(active.state).name;
        let id = active.entered_event_id;
        let cause =
            format!("An error occurred while executing the state '{name}' (entered at the event id #{id}). {fault}");
        Failure { own_runtime: error == error::RUNTIME, ..Failure::new(error, cause) }
    }

    /// `States.Runtime`: the state cannot be processed.
    pub(crate) fn runtime_failure(&self, fault: &str) -> Failure {
        self.failure(error::RUNTIME, fault)
    }

    /// `States.QueryEvaluationError`, with the field it happened in.
    pub(crate) fn query_failure(&self, location: Option<&Location<'_>>, fault: &str) -> Failure {
        let evaluation = Some(EvaluationSite { location: location.map(|location| location.to_string().into()) });
        Failure { evaluation, ..self.failure(error::QUERY_EVALUATION_ERROR, fault) }
    }
}

/// The scope of JSONPath expressions.
pub(crate) struct PathScope<'a> {
    surroundings: &'a Surroundings<'a>,
    input: &'a Json,
}

impl stepwell_jsonpath::Scope for PathScope<'_> {
    fn input(&self) -> &Json {
        self.input
    }

    fn context(&self) -> Json {
        self.surroundings.context()
    }

    fn variable(&self, name: &str) -> Option<Json> {
        self.surroundings.variable(name)
    }

    fn draw(&self) -> u64 {
        self.surroundings.chance.draw()
    }
}

/// `$states`: what JSONata expressions of a state see, built once per way of reading it.
pub(crate) struct States<'a> {
    pub(crate) surroundings: &'a Surroundings<'a>,
    pub(crate) input: &'a Json,
    /// `$states.result`, once there is one.
    pub(crate) result: Option<&'a Json>,
    /// `$states.errorOutput`, in a Catcher.
    pub(crate) error_output: Option<&'a Json>,
    with_context: OnceCell<Json>,
    without_context: OnceCell<Json>,
}

impl<'a> States<'a> {
    pub(crate) fn new(surroundings: &'a Surroundings<'a>, input: &'a Json) -> States<'a> {
        States {
            surroundings,
            input,
            result: None,
            error_output: None,
            with_context: OnceCell::new(),
            without_context: OnceCell::new(),
        }
    }

    pub(crate) fn with_result(self, result: Option<&'a Json>) -> States<'a> {
        States { result, ..self }
    }

    pub(crate) fn with_error_output(self, error_output: &'a Json) -> States<'a> {
        States { error_output: Some(error_output), ..self }
    }

    /// The object, with the context object in it only when it will be read.
    pub(crate) fn object(&self, reads_context: bool) -> Json {
        let cell = if reads_context { &self.with_context } else { &self.without_context };
        cell.get_or_init(|| {
            let mut states = ObjectBuilder::with_capacity(4);
            states.insert("input", self.input.clone());
            if reads_context {
                states.insert("context", self.surroundings.context());
            }
            if let Some(result) = self.result {
                states.insert("result", result.clone());
            }
            if let Some(error_output) = self.error_output {
                states.insert("errorOutput", error_output.clone());
            }
            Json::Object(states.build())
        })
        .clone()
    }
}
