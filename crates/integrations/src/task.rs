//! What every integration has in common.

use std::sync::Arc;

use stepwell_asl::{Integration, Pattern, ResourceKind};
use stepwell_interpreter::{Command, Failure, Identity, TaskRequest};
use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, AwsOutput, Place};
use stepwell_spec::{Arn, error};

use crate::all::integration_of;
use crate::jobs::waits_for_job;
use crate::lambda;

/// A task, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The work.
    pub request: &'a TaskRequest,
    /// The execution it belongs to.
    pub execution: &'a Identity,
}

/// One service, as tasks call it: the three things that differ between them.
pub(crate) trait ServiceIntegration: Sync {
    /// The call that the task's arguments ask for.
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure>;

    /// What the task sees of an answer. A service may say in an answer that it did not do what it was asked.
    fn output(&self, integration: &Integration, answer: AwsOutput) -> Result<Json, Failure>;

    /// How the task fails when the call was refused, or reached nobody.
    fn failure(&self, integration: &Integration, fault: &AwsError) -> Failure;
}

/// The call a task asks for.
pub fn call_of(task: Task<'_>) -> Result<AwsCall, Failure> {
    match &task.request.resource.kind {
        ResourceKind::LambdaFunction => Ok(lambda::function_call(task.request)),
        ResourceKind::Integration(integration) => match integration_of(integration) {
            Some(service) if !is_job(integration) || waits_for_job(task) => service.call(task, integration),
            _ => Err(unknown(task.request)),
        },
        ResourceKind::Activity => Err(unknown(task.request)),
    }
}

/// What the execution is told of the answer to a task's call.
pub fn outcome_of(task: Task<'_>, answer: AwsAnswer) -> Command {
    let key = task.request.key;
    let output = match &task.request.resource.kind {
        ResourceKind::LambdaFunction => lambda::function_output(answer),
        ResourceKind::Integration(integration) => match (integration_of(integration), answer) {
            (Some(service), Ok(answer)) => service.output(integration, answer),
            (Some(service), Err(fault)) => Err(service.failure(integration, &fault)),
            (None, _) => Err(unknown(task.request)),
        },
        ResourceKind::Activity => Err(unknown(task.request)),
    };
    match output {
        Ok(output) if waits_for_token(&task.request.resource.kind) || waits_for_job(task) => {
            Command::TaskSubmitted { task: key, output }
        }
        Ok(output) => Command::TaskSucceeded { task: key, output },
        Err(Failure { error, cause, .. }) => Command::TaskFailed { task: key, error, cause },
    }
}

/// Whose resources a task means: those of the account of its role, and of its execution's when it has none.
pub fn place_of(task: Task<'_>) -> Place {
    let account_of =
        |arn: &str| Arn::parse(arn).map(|arn| arn.account.to_owned()).filter(|account| !account.is_empty());
    let account = task.request.role_arn.as_deref().and_then(account_of).or_else(|| account_of(&task.execution.arn));
    Place { account: account.unwrap_or_default().into(), region: task.execution.region.clone() }
}

pub(crate) fn waits_for_token(kind: &ResourceKind) -> bool {
    match kind {
        ResourceKind::Integration(integration) => integration.pattern == Pattern::WaitForTaskToken,
        ResourceKind::LambdaFunction | ResourceKind::Activity => false,
    }
}

/// Whether the task is a job's end, which somebody would have to wait for.
fn is_job(integration: &Integration) -> bool {
    matches!(integration.pattern, Pattern::Sync | Pattern::Sync2)
}

pub(crate) fn unknown(request: &TaskRequest) -> Failure {
    let cause = format!(
        "The state '{}' calls {}, which can only be mocked: start the execution with a test case of --mocks",
        request.state_name, request.resource.arn
    );
    Failure::new(error::TASK_FAILED, cause)
}

/// A call of this service with these arguments, whatever they are.
pub(crate) fn aws_call(service: &str, integration: &Integration, input: Json) -> AwsCall {
    AwsCall { service: service.into(), action: pascal(&integration.action), input }
}

/// `sendMessage` is `SendMessage` in the service's model.
pub(crate) fn pascal(name: &str) -> Arc<str> {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>().into()
}

/// The arguments, with this member as text: any other value than text is sent as its JSON.
pub(crate) fn with_text(arguments: &Json, member: &str) -> Json {
    match (arguments, arguments.get(member)) {
        (_, None | Some(Json::Null | Json::String(_))) => arguments.clone(),
        (Json::Object(members), Some(value)) => Json::Object(members.with(member, Json::from(value.to_string()))),
        _ => arguments.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use stepwell_asl::Resource;
    use stepwell_interpreter::{TaskKey, ThreadId};
    use stepwell_protocol::Fault;

    use super::*;

    pub(crate) fn json(text: &str) -> Json {
        Json::parse(text).expect("JSON")
    }

    /// A task with this Resource, as the compiler reads it.
    pub(crate) fn request(resource: &str, input: &str) -> TaskRequest {
        let kind = match resource.strip_prefix("arn:aws:states:::") {
            None => ResourceKind::LambdaFunction,
            Some(named) => {
                let patterns = [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken];
                let patterns = patterns.into_iter();
                let (bare, pattern) = patterns
                    .filter_map(|pattern| Some((named.strip_suffix(pattern.suffix())?, pattern)))
                    .next()
                    .unwrap_or((named, Pattern::RequestResponse));
                let (resource_type, action) = bare.rsplit_once(':').expect("a service and an action");
                ResourceKind::Integration(Integration {
                    resource_type: resource_type.into(),
                    resource: named[resource_type.len() + 1..].into(),
                    action: action.into(),
                    pattern,
                })
            }
        };
        TaskRequest {
            key: TaskKey { thread: ThreadId::ROOT, scheduled_event_id: 3 },
            state_name: "T".into(),
            resource: Resource { arn: resource.into(), kind },
            input: json(input),
            token: None,
            role_arn: None,
            retry_count: 0,
            taken: false,
            submitted: None,
        }
    }

    pub(crate) fn identity() -> Identity {
        Identity {
            arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
            name: "e".into(),
            role_arn: "arn:aws:iam::000000000000:role/r".into(),
            state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
            state_machine_name: "m".into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: "us-east-1".into(),
        }
    }

    /// `SERVICE.ACTION INPUT` of the call a task asks for, or how it fails.
    pub(crate) fn asked(resource: &str, input: &str) -> String {
        match call_of(Task { request: &request(resource, input), execution: &identity() }) {
            Ok(AwsCall { service, action, input }) => format!("{service}.{action} {input}"),
            Err(failure) => shown(&failure.error, &failure.cause),
        }
    }

    /// What the execution is told of an answer.
    pub(crate) fn told(resource: &str, answer: AwsAnswer) -> String {
        match outcome_of(Task { request: &request(resource, "{}"), execution: &identity() }, answer) {
            Command::TaskSubmitted { output, .. } => format!("submitted {output}"),
            Command::TaskSucceeded { output, .. } => output.to_string(),
            Command::TaskFailed { error, cause, .. } => shown(&error, &cause),
            other => format!("{other:?}"),
        }
    }

    fn shown(error: &Option<stepwell_spec::Text>, cause: &Option<stepwell_spec::Text>) -> String {
        format!("{}: {}", error.as_deref().unwrap_or("-"), cause.as_deref().unwrap_or("-"))
    }

    pub(crate) fn answer(output: &str, headers: &[(&str, &str)]) -> AwsAnswer {
        Ok(AwsOutput {
            output: json(output),
            status: 200,
            request_id: "id-1".into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        })
    }

    pub(crate) fn refusal(code: &str, message: &str, status: u16) -> AwsAnswer {
        Err(AwsError {
            code: code.into(),
            message: Some(message.into()),
            status,
            fault: Fault::Client,
            request_id: "id-1".into(),
            members: Json::empty_object(),
        })
    }

    pub(crate) fn unreached(message: &str) -> AwsAnswer {
        let unreached = |fault: AwsError| AwsError { fault: Fault::Unreached, ..fault };
        refusal("", message, 0).map_err(unreached)
    }

    #[test]
    fn what_nothing_here_calls_can_be_mocked() {
        let said = asked("arn:aws:states:::bedrockagentcore:invokeHarness", "{}");
        let expected = "States.TaskFailed: The state 'T' calls arn:aws:states:::bedrockagentcore:invokeHarness, which";
        assert!(said.starts_with(expected), "{said}");
        let said = told("arn:aws:states:::bedrockagentcore:invokeHarness", answer("{}", &[]));
        assert!(said.starts_with("States.TaskFailed: "), "{said}");
    }

    #[test]
    fn a_role_brings_its_account() {
        let check = |role_arn: Option<&str>, account: &str| {
            let role_arn = role_arn.map(Into::into);
            let request = TaskRequest { role_arn, ..request("arn:aws:states:::lambda:invoke", "{}") };
            let place = place_of(Task { request: &request, execution: &identity() });
            assert_eq!((&*place.account, &*place.region), (account, "us-east-1"));
        };
        check(None, "000000000000");
        check(Some("arn:aws:iam::222222222222:role/r"), "222222222222");
        check(Some("no ARN"), "000000000000");
    }

    #[test]
    fn text_members_take_any_json() {
        for (arguments, expected) in [
            (r#"{"A":{"b":1},"B":2}"#, r#"{"A":"{\"b\":1}","B":2}"#),
            (r#"{"A":"t"}"#, r#"{"A":"t"}"#),
            (r#"{"A":null}"#, r#"{"A":null}"#),
            (r#"{"A":1.50}"#, r#"{"A":"1.50"}"#),
            (r#"{"B":1}"#, r#"{"B":1}"#),
            ("[1]", "[1]"),
        ] {
            assert_eq!(with_text(&json(arguments), "A").to_string(), expected, "{arguments}");
        }
    }
}
