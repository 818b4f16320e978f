//! Which state is tested, and whether it may be tested as asked.

use std::sync::Arc;

use stepwell_asl::{
    Compilation, Definition, Options, Pattern, ResourceKind, Source, State, StateId, StateKind, compile, compile_state,
};
use stepwell_spec::Exception;
use stepwell_spec::shapes::TestStateInput;

use crate::refusal::Refusal;

/// What a state is called that comes without its machine. Seen in the context object.
const LONE_STATE_NAME: &str = "StateName";

/// The state under test.
pub(super) struct Subject {
    pub(super) definition: Arc<Definition>,
    pub(super) id: StateId,
}

impl Subject {
    /// The state that is the definition, or the one of this name anywhere in it.
    pub(super) fn find(input: &TestStateInput) -> Result<Subject, Refusal> {
        let (source, options) = (Source::json(&*input.definition), Options::default());
        let name = input.state_name.as_deref();
        let Compilation { definition, diagnostics } = match name {
            Some(_) => compile(&source, &options),
            None => compile_state(&source, LONE_STATE_NAME, &options),
        };
        let definition = definition.ok_or_else(|| Refusal::invalid_definition(&diagnostics))?;
        let name = name.unwrap_or(LONE_STATE_NAME);
        // Not recorded.
        let id = definition.find(name).ok_or_else(|| Refusal::invalid_request("State not found."))?;
        Ok(Subject { definition: Arc::new(definition), id })
    }

    pub(super) fn state(&self) -> &State {
        self.definition.state(self.id)
    }

    /// Refuses what this type of state cannot be tested with. Messages are recorded unless said otherwise.
    pub(super) fn check(&self, input: &TestStateInput) -> Result<(), Refusal> {
        let kind = &self.state().kind;
        let is_mocked = input.mock.is_some();
        match kind {
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_)
                if is_mocked =>
            {
                let name = kind.name();
                let message = format!("State type '{name}' is not supported when a mock is specified");
                return Err(Refusal::invalid_request(message));
            }
            StateKind::Map(_) | StateKind::Parallel(_) if !is_mocked => {
                return Err(Refusal::new(
                    Exception::InvalidDefinition,
                    "TestState API does not support Map or Parallel states. Supported state types include: [Task, \
                     Wait, Pass, Succeed, Fail, Choice]",
                ));
            }
            StateKind::Task(task) if !is_mocked => {
                check_resource(&task.resource.kind)?;
                if input.role_arn.is_none() {
                    return Err(Refusal::invalid_request("RoleArn must be specified when testing a Task state"));
                }
            }
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_)
            | StateKind::Parallel(_)
            | StateKind::Map(_) => {}
        }
        let origin = input.state_configuration.as_ref().and_then(|it| it.error_caused_by_state.as_deref());
        match origin.filter(|origin| !self.holds(origin)) {
            // Not recorded.
            Some(origin) => Err(Refusal::invalid_request(format!(
                "State '{origin}', which the error is caused by, is not inside the state '{}'",
                self.state().name
            ))),
            None => Ok(()),
        }
    }

    /// Whether a state of this name is inside the state, at any depth.
    fn holds(&self, name: &str) -> bool {
        let mut around = self.definition.find(name);
        while let Some(id) = around {
            let workflow = self.definition.workflow(self.definition.state(id).workflow);
            if workflow.parent == Some(self.id) {
                return true;
            }
            around = workflow.parent;
        }
        false
    }
}

/// Refuses what cannot be called for its response alone. The words are ours.
fn check_resource(kind: &ResourceKind) -> Result<(), Refusal> {
    let what = match kind {
        ResourceKind::LambdaFunction => return Ok(()),
        ResourceKind::Activity => "Activity tasks",
        ResourceKind::Integration(integration) => match integration.pattern {
            Pattern::RequestResponse => return Ok(()),
            Pattern::Sync | Pattern::Sync2 => "the .sync service integration pattern",
            Pattern::WaitForTaskToken => "the .waitForTaskToken service integration pattern",
        },
    };
    let message = format!("TestState API does not support {what} unless a mock is specified");
    Err(Refusal::new(Exception::InvalidDefinition, message))
}
