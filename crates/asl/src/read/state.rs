//! One state: what all have in common, and the types that need no file of their own.

use std::sync::Arc;

use stepwell_json::{Json, SpannedMember, SpannedValue};
use stepwell_spec::{Place, STATE_TYPES};

use super::data_flow::looks_evaluated;
use super::object::Object;
use super::{Compiler, shared};
use crate::definition::{
    Fail, Parallel, Pass, QueryLanguage, ResourceKind, Setting, State, StateKind, Task, Transition, Wait, WaitUntil,
};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

impl<'a> Compiler<'a> {
    /// Reads one state. None when it has a fault; the faults have been noted.
    pub(crate) fn state(&mut self, member: &'a SpannedMember, at: At) -> Option<State> {
        let value = &member.value;
        self.members(member, at)?;
        let Some(place) = self.state_type(member, at) else {
            // Seen on AWS: a state of no known type may be the one that ends the workflow.
            self.here.edges.lose();
            return None;
        };
        let language = self.state_language(member, at);
        let object = self.object(place, value, at, member.key_span, language)?;
        self.text(&object, "QueryLanguage");
        let comment = self.text(&object, "Comment");
        let data_flow = self.data_flow(&object);
        let assign = match place {
            Place::Succeed | Place::Fail => None,
            _ => self.assign(&object),
        };
        let kind = self.state_kind(&object)?;
        Some(State {
            name: member.key.clone(),
            comment,
            workflow: self.here.workflow,
            span: value.span,
            data_flow,
            assign,
            variables_read: self.variables.read_by(self.here.state),
            kind,
        })
    }

    fn state_type(&mut self, member: &'a SpannedMember, at: At) -> Option<Place> {
        let Some(field) = member.value.get("Type") else {
            let fault = Fault::new(Code::MissingField, at, member.key_span, "a state needs \"Type\"")
                .schema("These fields are required: [Type]");
            self.fault(fault);
            return None;
        };
        let type_at = self.trail.key(at, "Type");
        let Some(name) = field.value.as_str() else {
            self.wrong_type(&field.value, type_at, "a string", "String");
            return None;
        };
        let place = Place::of_state_type(name);
        if place.is_none() {
            self.wrong_word("Type", STATE_TYPES, name, field.value.span, type_at);
        }
        place
    }

    /// The state's own language, or the machine's: that of a Map or Parallel state around it does not count.
    fn state_language(&mut self, member: &'a SpannedMember, at: At) -> QueryLanguage {
        let Some(field) = member.value.get("QueryLanguage") else { return self.machine_language };
        if field.value.as_str() != Some("JSONPath") {
            return QueryLanguage::Jsonata;
        }
        if self.machine_language == QueryLanguage::Jsonata {
            let field_at = self.trail.key(at, "QueryLanguage");
            let message = "a JSONata state machine cannot have JSONPath states";
            let fault = Fault::new(Code::QueryLanguageDowngrade, field_at, field.value.span, message)
                .suggest(Some("leave \"QueryLanguage\" out of the machine and set it in its JSONata states".to_owned()))
                .schema("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
                .aws_at(at);
            self.fault(fault);
        }
        QueryLanguage::JsonPath
    }

    fn state_kind(&mut self, object: &Object<'a>) -> Option<StateKind> {
        match object.place {
            Place::Pass => {
                let result = self.pass_result(object);
                let transition = self.transition(object)?;
                Some(StateKind::Pass(Pass { result, transition }))
            }
            Place::Task => self.task(object).map(|task| StateKind::Task(Box::new(task))),
            Place::Choice => self.choice(object).map(StateKind::Choice),
            Place::Wait => self.wait(object).map(StateKind::Wait),
            Place::Succeed => {
                self.here.edges.end(self.here.state);
                Some(StateKind::Succeed)
            }
            Place::Fail => {
                self.here.edges.end(self.here.state);
                Some(StateKind::Fail(self.fail(object)))
            }
            Place::Parallel => self.parallel(object).map(StateKind::Parallel),
            Place::Map => self.map(object).map(|map| StateKind::Map(Box::new(map))),
            Place::Machine
            | Place::Rule
            | Place::NestedRule
            | Place::Retrier
            | Place::Catcher
            | Place::Branch
            | Place::ItemProcessor
            | Place::ProcessorConfig
            | Place::ItemReader
            | Place::ReaderConfig
            | Place::ItemBatcher
            | Place::ResultWriter
            | Place::WriterConfig
            | Place::Credentials => None,
        }
    }

    /// `Next` or `End`. That there is exactly one of them has been checked.
    pub(crate) fn transition(&mut self, object: &Object<'a>) -> Option<Transition> {
        let next = self.target(object, "Next");
        match self.boolean(object, "End") {
            Some(true) => {
                self.here.edges.end(self.here.state);
                return Some(Transition::End);
            }
            None if object.get("End").is_some() => self.here.edges.lose(),
            Some(false) | None => {}
        }
        next.map(Transition::Next)
    }

    fn pass_result(&mut self, object: &Object<'a>) -> Option<Json> {
        if object.language == QueryLanguage::Jsonata {
            return None;
        }
        let member = object.get("Result")?;
        if let Some(path) = dollar_member(&member.value.value) {
            let at = self.trail.key(object.at, "Result");
            let message = format!("\"Result\" is passed on as it is, \"{}\" included", path.key);
            let fault = Fault::new(Code::StaticResult, at, path.key_span, message)
                .suggest(Some("use \"Parameters\" to make a result from the input".to_owned()))
                .aws("PASS_RESULT_IS_STATIC", "Attempt to use a path in the result of a pass state");
            self.fault(fault);
        }
        Some(member.value.to_json())
    }

    fn task(&mut self, object: &Object<'a>) -> Option<Task> {
        let resource = self.task_resource(object);
        let credentials_role_arn = self.credentials(object, resource.as_ref().map(|resource| &resource.kind));
        let timeout_seconds = self.integer_setting(object, "TimeoutSeconds");
        let heartbeat_seconds = self.integer_setting(object, "HeartbeatSeconds");
        if let (Some(Setting::Literal(timeout)), Some(Setting::Literal(heartbeat))) =
            (&timeout_seconds, &heartbeat_seconds)
            && heartbeat >= timeout
            && let Some(member) = object.get("HeartbeatSeconds")
        {
            let at = self.trail.key(object.at, "HeartbeatSeconds");
            let message = format!("the heartbeat of {heartbeat} s is not shorter than the timeout of {timeout} s");
            let fault = Fault::new(Code::HeartbeatNotShorter, at, member.value.span, message)
                .schema("HeartbeatSeconds must be less than TimeoutSeconds");
            self.fault(fault);
        }
        let retry = self.retriers(object);
        let catch = self.catchers(object);
        let transition = self.transition(object);
        Some(Task {
            resource: resource?,
            credentials_role_arn,
            timeout_seconds,
            heartbeat_seconds,
            retry,
            catch,
            transition: transition?,
        })
    }

    fn credentials(&mut self, state: &Object<'a>, resource: Option<&ResourceKind>) -> Option<Setting<Arc<str>>> {
        let member = state.get("Credentials")?;
        let at = self.trail.key(state.at, "Credentials");
        if resource == Some(&ResourceKind::Activity) {
            let message = "an activity is not called, so it takes no credentials";
            let fault = Fault::new(Code::CredentialsOnActivity, at, member.key_span, message)
                .schema("The field 'Credentials' is not supported for activities");
            self.fault(fault);
        }
        let object = self.object(Place::Credentials, &member.value, at, member.key_span, state.language)?;
        self.text_setting(&object, "RoleArn")
    }

    fn wait(&mut self, object: &Object<'a>) -> Option<Wait> {
        let seconds = self.integer_setting(object, "Seconds").map(WaitUntil::Seconds);
        let timestamp = self.timestamp_setting(object, "Timestamp").map(WaitUntil::Timestamp);
        let transition = self.transition(object);
        Some(Wait { until: seconds.or(timestamp)?, transition: transition? })
    }

    fn fail(&mut self, object: &Object<'a>) -> Fail {
        for name in ["Error", "Cause"] {
            if let Some(member) = object.get(name)
                && object.language == QueryLanguage::JsonPath
                && shared(&member.value).is_some_and(|text| looks_evaluated(&text))
            {
                let at = self.trail.key(object.at, &member.key);
                let message = format!("\"{name}\" is the text itself, not what it leads to");
                let fault = Fault::new(Code::MissingPath, at, member.key_span, message)
                    .suggest(Some(format!("did you mean \"{name}Path\"?")))
                    .aws("NO_PATH", "Field value looks like a path, but field name does not end with 'Path'");
                self.fault(fault);
            }
        }
        Fail { error: self.text_setting(object, "Error"), cause: self.text_setting(object, "Cause") }
    }

    fn parallel(&mut self, object: &Object<'a>) -> Option<Parallel> {
        if let Some(member) = object.get("Branches")
            && member.value.items().is_some_and(<[_]>::is_empty)
        {
            let at = self.trail.key(object.at, "Branches");
            self.empty(&member.value, at, "Branches");
        }
        let retry = self.retriers(object);
        let catch = self.catchers(object);
        let transition = self.transition(object);
        let (state, is_express) = (self.here.state, self.here.is_express);
        let branches = self.entries(object, "Branches", Place::Branch).into_iter().flatten();
        let branches = branches.map(|branch| self.enqueue(branch, Some(state), is_express)).collect();
        Some(Parallel { branches, retry, catch, transition: transition? })
    }
}

/// A member whose name ends as those of templates do, at any depth.
fn dollar_member(value: &SpannedValue) -> Option<&SpannedMember> {
    match value {
        SpannedValue::Scalar(_) => None,
        SpannedValue::Array(items) => items.iter().find_map(|item| dollar_member(&item.value)),
        SpannedValue::Object(members) => members.iter().find_map(|member| match member.key.ends_with(".$") {
            true => Some(member),
            false => dollar_member(&member.value.value),
        }),
    }
}
