//! What clients and workers ask for, and what an answer means to them.

use stepwell_json::Json;
use stepwell_spec::shapes::{
    CreateActivityInput, CreateStateMachineInput, DeleteStateMachineInput, DescribeExecutionInput, DescribeMapRunInput,
    DescribeStateMachineInput, ExecutionStatus, GetActivityTaskInput, GetExecutionHistoryInput, ListExecutionsInput,
    ListMapRunsInput, RedriveExecutionInput, SendTaskFailureInput, SendTaskHeartbeatInput, SendTaskSuccessInput,
    StartExecutionInput, StartSyncExecutionInput, StateMachineType, StopExecutionInput, UpdateStateMachineInput,
};
use stepwell_spec::{Request, Text};

use crate::history::Event;
use crate::machines::{ACTIVITY, Kind, ROLE};

/// One call, as its caller remembers it.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Activity,
    Create(Kind),
    Update(Kind, u64),
    Delete(Kind),
    DescribeMachine(Kind),
    Start {
        kind: Kind,
        name: String,
        input: Json,
        text: Text,
    },
    /// As [`Ask::Start`], and its end is waited for.
    StartSync {
        kind: Kind,
        name: String,
        input: Json,
        text: Text,
    },
    Stop(Text),
    Redrive {
        arn: Text,
        client_token: Text,
    },
    Describe(Text),
    /// A history page by page: the events so far, and the token of the next page.
    History {
        arn: Text,
        page: i64,
        events: Vec<Event>,
        next: Option<Text>,
    },
    List {
        kind: Kind,
        status: Option<ExecutionStatus>,
    },
    MapRuns(Text),
    DescribeMapRun(Text),
    Poll {
        worker: String,
    },
    /// A task is completed by its token: well, or with an error.
    Complete {
        token: usize,
        text: Text,
        mark: Text,
        is_good: bool,
    },
    Beat {
        text: Text,
    },
    /// A token that nobody gave out.
    Forged(Text),
}

/// What stands between quotes in the outputs workers give.
pub(crate) fn marked(mark: &str) -> Text {
    format!(r#"{{"mark":"{mark}"}}"#).into()
}

impl Ask {
    /// As a request of the API.
    pub(crate) fn request(&self) -> Request {
        match self {
            Ask::Activity => Request::CreateActivity(CreateActivityInput {
                name: "work".into(),
                tags: None,
                encryption_configuration: None,
            }),
            Ask::Create(kind) => Request::CreateStateMachine(CreateStateMachineInput {
                name: kind.name().into(),
                definition: kind.definition().into(),
                role_arn: ROLE.into(),
                kind: kind.is_express().then_some(StateMachineType::Express),
                logging_configuration: None,
                tags: None,
                tracing_configuration: None,
                publish: None,
                version_description: None,
                encryption_configuration: None,
            }),
            Ask::Update(kind, number) => Request::UpdateStateMachine(UpdateStateMachineInput {
                state_machine_arn: kind.arn().into(),
                definition: None,
                role_arn: Some(format!("{ROLE}{number}").into()),
                logging_configuration: None,
                tracing_configuration: None,
                publish: None,
                version_description: None,
                encryption_configuration: None,
            }),
            Ask::Delete(kind) => {
                Request::DeleteStateMachine(DeleteStateMachineInput { state_machine_arn: kind.arn().into() })
            }
            Ask::DescribeMachine(kind) => Request::DescribeStateMachine(DescribeStateMachineInput {
                state_machine_arn: kind.arn().into(),
                included_data: None,
            }),
            Ask::Start { kind, name, text, .. } => Request::StartExecution(StartExecutionInput {
                state_machine_arn: kind.arn().into(),
                name: Some(name.as_str().into()),
                input: Some(text.clone()),
                trace_header: None,
            }),
            Ask::StartSync { kind, name, text, .. } => Request::StartSyncExecution(StartSyncExecutionInput {
                state_machine_arn: kind.arn().into(),
                name: Some(name.as_str().into()),
                input: Some(text.clone()),
                trace_header: None,
                included_data: None,
            }),
            Ask::Stop(arn) => Request::StopExecution(StopExecutionInput {
                execution_arn: arn.clone(),
                error: Some("Stopped".into()),
                cause: None,
            }),
            Ask::Redrive { arn, client_token } => Request::RedriveExecution(RedriveExecutionInput {
                execution_arn: arn.clone(),
                client_token: Some(client_token.clone()),
            }),
            Ask::Describe(arn) => describe(arn),
            Ask::History { arn, page, next, .. } => history(arn, *page, next.clone()),
            Ask::List { kind, status } => list(Some(kind.arn().into()), None, *status, None),
            Ask::MapRuns(arn) => Request::ListMapRuns(ListMapRunsInput {
                execution_arn: arn.clone(),
                max_results: None,
                next_token: None,
            }),
            Ask::DescribeMapRun(arn) => Request::DescribeMapRun(DescribeMapRunInput { map_run_arn: arn.clone() }),
            Ask::Poll { worker } => Request::GetActivityTask(GetActivityTaskInput {
                activity_arn: ACTIVITY.into(),
                worker_name: Some(worker.as_str().into()),
            }),
            Ask::Complete { text, mark, is_good: true, .. } => {
                Request::SendTaskSuccess(SendTaskSuccessInput { task_token: text.clone(), output: marked(mark) })
            }
            Ask::Complete { text, mark, is_good: false, .. } => Request::SendTaskFailure(SendTaskFailureInput {
                task_token: text.clone(),
                error: Some("Again".into()),
                cause: Some(mark.clone()),
            }),
            Ask::Beat { text } | Ask::Forged(text) => {
                Request::SendTaskHeartbeat(SendTaskHeartbeatInput { task_token: text.clone() })
            }
        }
    }

    /// In a line of a trace.
    pub(crate) fn line(&self) -> String {
        match self {
            Ask::Start { kind, name, text, .. } => format!("start {} {name} {text}", kind.name()),
            Ask::StartSync { kind, name, text, .. } => format!("start {} {name} {text} and wait", kind.name()),
            Ask::History { arn, events, .. } => format!("history of {arn} behind {}", events.len()),
            Ask::Complete { token, mark, is_good, .. } => {
                format!("complete token {token} {} as {mark}", if *is_good { "well" } else { "badly" })
            }
            Ask::Beat { .. } => "heartbeat".to_owned(),
            Ask::Forged(_) => "a forged token".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

/// `DescribeExecution`.
pub(crate) fn describe(arn: &Text) -> Request {
    Request::DescribeExecution(DescribeExecutionInput { execution_arn: arn.clone(), included_data: None })
}

/// A page of `GetExecutionHistory`.
pub(crate) fn history(arn: &Text, page: i64, next: Option<Text>) -> Request {
    Request::GetExecutionHistory(GetExecutionHistoryInput {
        execution_arn: arn.clone(),
        max_results: Some(page),
        reverse_order: None,
        next_token: next,
        include_execution_data: None,
    })
}

/// A page of `ListExecutions`.
pub(crate) fn list(
    machine: Option<Text>,
    map_run: Option<Text>,
    status: Option<ExecutionStatus>,
    next: Option<Text>,
) -> Request {
    Request::ListExecutions(ListExecutionsInput {
        state_machine_arn: machine,
        status_filter: status,
        max_results: None,
        next_token: next,
        map_run_arn: map_run,
        redrive_filter: None,
    })
}
