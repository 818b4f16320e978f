//! Task: hands its work to the world and waits for the answer.
//!
//! ```text
//! enter | retried ----> TaskStateEntered, …Scheduled, …Started, RunTask, SetTimer (timeout, heartbeat)
//! submitted ----------> TaskSubmitted                    (.sync, .waitForTaskToken)
//! succeeded ----------> …Succeeded, TaskStateExited -> Next | End
//! failed | timed out -> …Failed | …TimedOut; retried, caught, or what the state is part of fails
//! stopped ------------> TaskStateAborted, CancelTask, CancelTimer
//! ```
//!
//! A Lambda function's own ARN, an activity and an integration differ only in the names of their events.

use stepwell_asl::{Integration, Pattern, ResourceKind, Setting, State, StateKind, Task};
use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{
    ActivityFailed, ActivityScheduled, ActivityStarted, ActivitySucceeded, ActivityTimedOut, Event, HeartbeatReceived,
    JsonText, LambdaFunctionFailed, LambdaFunctionScheduled, LambdaFunctionSucceeded, LambdaFunctionTimedOut,
    ParameterFormat, Payload, TASK_PARAMETERS, TaskCredentials, TaskFailed, TaskScheduled, TaskStarted, TaskSubmitted,
    TaskSucceeded, TaskTimedOut, Text, error,
};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::effect::{Effect, TaskKey, TimerKey, TimerPurpose};
use crate::execution::ThreadId;
use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, task: &Task) {
    let token = has_token(task).then(|| burst.execution.tokens.draw(&burst.chance));
    match prepare(&burst.around_with_token(thread, token.as_ref()), state, task) {
        Ok(prepared) => schedule(burst, thread, task, prepared, token),
        Err(failure) => burst.fail(thread, failure),
    }
}

/// A worker took the task of an activity.
pub(crate) fn started_by_worker(burst: &mut Burst<'_>, key: TaskKey, worker_name: Option<Text>) {
    let heartbeat_seconds = burst.execution.open_task(key).and_then(|task| task.heartbeat_seconds);
    let heartbeat_at = heartbeat_seconds.map(|seconds| burst.at.now.plus_ms(seconds.saturating_mul(1000)));
    burst.record_next(key.thread, Event::ActivityStarted(ActivityStarted { worker_name, heartbeat_at }));
    if let Some(at) = heartbeat_at {
        burst.effect(Effect::SetTimer(TimerKey::task(key, TimerPurpose::Heartbeat), at));
    }
}

/// The service took the request; the task goes on until its job ends or its token comes back.
pub(crate) fn submitted(burst: &mut Burst<'_>, key: TaskKey, output: Json) {
    let definition = burst.definition();
    if let (_, ResourceKind::Integration(Integration { resource_type, resource, .. })) =
        task_of(burst, &definition, key.thread)
    {
        let submitted =
            TaskSubmitted { resource_type: resource_type.clone(), resource: resource.clone(), output: output.into() };
        burst.record_next(key.thread, Event::TaskSubmitted(submitted));
    }
}

/// A sign of life: the time until the next one starts again.
pub(crate) fn heartbeat(burst: &mut Burst<'_>, key: TaskKey) {
    let Some(seconds) = burst.execution.open_task(key).and_then(|task| task.heartbeat_seconds) else { return };
    let next_at = burst.at.now.plus_ms(seconds.saturating_mul(1000));
    burst.record(key.thread, 0, Event::HeartbeatReceived(HeartbeatReceived { next_at }));
    burst.effect(Effect::SetTimer(TimerKey::task(key, TimerPurpose::Heartbeat), next_at));
    if planted::is(Bug::HeartbeatMovesTimeout) {
        let at = next_at.plus_ms(60_000);
        burst.effect(Effect::SetTimer(TimerKey::task(key, TimerPurpose::TaskTimeout), at));
    }
}

/// The task has a result.
pub(crate) fn succeeded(burst: &mut Burst<'_>, key: TaskKey, output: Json) {
    let definition = burst.definition();
    let (task, kind) = task_of(burst, &definition, key.thread);
    if let Err(failure) = data_flow::check_size(&burst.around(key.thread), task_name(task), &output) {
        failed(burst, key, Failure { own_runtime: false, ..failure });
        return;
    }
    cancel_timers(burst, key);
    let payload = Payload::from(output.clone());
    let event = match kind {
        ResourceKind::LambdaFunction => Event::LambdaFunctionSucceeded(LambdaFunctionSucceeded { output: payload }),
        ResourceKind::Activity => Event::ActivitySucceeded(ActivitySucceeded { output: payload }),
        ResourceKind::Integration(Integration { resource_type, resource, .. }) => Event::TaskSucceeded(TaskSucceeded {
            resource_type: resource_type.clone(),
            resource: resource.clone(),
            output: payload,
        }),
    };
    burst.record_next(key.thread, event);
    let state = definition.state(burst.execution.active(key.thread).state);
    let leaving = data_flow::leave_with_result(&burst.around(key.thread), state, &output, onward(task.transition));
    burst.leave(key.thread, leaving);
}

/// The task failed.
pub(crate) fn failed(burst: &mut Burst<'_>, key: TaskKey, failure: Failure) {
    let definition = burst.definition();
    let (_, kind) = task_of(burst, &definition, key.thread);
    cancel_timers(burst, key);
    let (error, cause) = (failure.error.clone(), failure.cause.clone());
    let event = match kind {
        ResourceKind::LambdaFunction => Event::LambdaFunctionFailed(LambdaFunctionFailed { error, cause }),
        ResourceKind::Activity => Event::ActivityFailed(ActivityFailed { error, cause }),
        ResourceKind::Integration(Integration { resource_type, resource, .. }) => Event::TaskFailed(TaskFailed {
            resource_type: resource_type.clone(),
            resource: resource.clone(),
            error,
            cause,
        }),
    };
    burst.record_next(key.thread, event);
    burst.fail(key.thread, failure);
}

/// The task took too long, or gave no sign of life: on AWS both are `States.Timeout`, and a missed heartbeat answers to
/// `States.HeartbeatTimeout` as well.
pub(crate) fn timed_out(burst: &mut Burst<'_>, key: TaskKey, purpose: TimerPurpose) {
    let definition = burst.definition();
    let (_, kind) = task_of(burst, &definition, key.thread);
    cancel_timers(burst, key);
    burst.effect(Effect::CancelTask(key));
    let (error, cause) = (Some(Text::from(error::TIMEOUT)), None);
    let event = match kind {
        ResourceKind::LambdaFunction => Event::LambdaFunctionTimedOut(LambdaFunctionTimedOut { error, cause }),
        ResourceKind::Activity => Event::ActivityTimedOut(ActivityTimedOut { error, cause }),
        ResourceKind::Integration(Integration { resource_type, resource, .. }) => Event::TaskTimedOut(TaskTimedOut {
            resource_type: resource_type.clone(),
            resource: resource.clone(),
            error,
            cause,
        }),
    };
    burst.record_next(key.thread, event);
    let missed_heartbeat = purpose == TimerPurpose::Heartbeat;
    burst.fail(key.thread, Failure { error: Some(error::TIMEOUT.into()), missed_heartbeat, ..Failure::default() });
}

/// What a task is scheduled with, all of it evaluated.
struct Prepared {
    input: Json,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
    role_arn: Option<Text>,
}

fn prepare(around: &Surroundings<'_>, state: &State, task: &Task) -> Result<Prepared, Failure> {
    let effective = data_flow::effective_input(around, state)?;
    let seconds = |setting: &Option<Setting<u64>>, field: &str| {
        setting.as_ref().map(|setting| positive_seconds(around, setting, field, &effective)).transpose()
    };
    let timeout_seconds = seconds(&task.timeout_seconds, "TimeoutSeconds")?;
    let heartbeat_seconds = seconds(&task.heartbeat_seconds, "HeartbeatSeconds")?;
    let input = data_flow::arguments(around, state, &effective)?;
    check_parameters(around, task, &input)?;
    let role_arn = role_arn(around, task, &effective)?;
    Ok(Prepared { input, timeout_seconds, heartbeat_seconds, role_arn })
}

/// Refuses what the integration would not understand, in AWS's words.
fn check_parameters(around: &Surroundings<'_>, task: &Task, input: &Json) -> Result<(), Failure> {
    let ResourceKind::Integration(integration) = &task.resource.kind else { return Ok(()) };
    let rows = TASK_PARAMETERS.iter().filter(|row| *row.service == *integration.resource_type);
    let misshapen = rows.filter(|row| input.get(row.name).is_some_and(|value| !fits(value, row.format)));
    let faults: Vec<String> =
        misshapen.map(|row| format!("The value of the field '{}' has an invalid format", row.name)).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults.join(", ");
    Err(around.runtime_failure(&format!("The Parameters '{input}' could not be used to start the Task: [{faults}]")))
}

fn fits(value: &Json, format: ParameterFormat) -> bool {
    match format {
        ParameterFormat::ListsByName => {
            value.as_object().is_some_and(|members| members.iter().all(|(_, values)| values.as_array().is_some()))
        }
    }
}

fn positive_seconds(
    around: &Surroundings<'_>,
    setting: &Setting<u64>,
    field: &str,
    effective: &Json,
) -> Result<u64, Failure> {
    match data_flow::count_setting(around, setting, field, effective)? {
        0 => Err(around.runtime_failure(&format!("{field} must be greater than 0."))),
        seconds => Ok(seconds),
    }
}

fn role_arn(around: &Surroundings<'_>, task: &Task, effective: &Json) -> Result<Option<Text>, Failure> {
    match &task.credentials_role_arn {
        None => Ok(None),
        Some(Setting::Literal(arn)) => Ok(Some(arn.clone())),
        Some(Setting::Query(query)) => {
            let roles = Location::Field("Credentials");
            let location = Location::Member(&roles, "RoleArn");
            query::text_setting(query, &location, &States::new(around, effective)).map(Some)
        }
        Some(Setting::Path(path)) => match data_flow::evaluate_expression(around, path, "RoleArn.$", effective)? {
            Json::String(arn) => Ok(Some(arn)),
            other => Err(around.runtime_failure(&format!(
                "The Credentials field 'RoleArn.$' must reference a string: {} == {other}",
                path.text()
            ))),
        },
    }
}

fn schedule(burst: &mut Burst<'_>, thread: ThreadId, task: &Task, prepared: Prepared, token: Option<Text>) {
    let now = burst.at.now;
    let timeout_at = prepared.timeout_seconds.map(|seconds| now.plus_ms(seconds.saturating_mul(1000)));
    let heartbeat_at = prepared.heartbeat_seconds.map(|seconds| now.plus_ms(seconds.saturating_mul(1000)));
    let task_credentials = prepared.role_arn.map(|role_arn| TaskCredentials { role_arn });
    let (timeout_in_seconds, heartbeat_in_seconds) = (prepared.timeout_seconds, prepared.heartbeat_seconds);
    let (scheduled, started) = match &task.resource.kind {
        ResourceKind::LambdaFunction => {
            let scheduled = LambdaFunctionScheduled {
                resource: task.resource.arn.clone(),
                input: prepared.input.into(),
                timeout_in_seconds,
                task_credentials,
                timeout_at,
            };
            (Event::LambdaFunctionScheduled(scheduled), Some(Event::LambdaFunctionStarted))
        }
        ResourceKind::Activity => {
            let scheduled = ActivityScheduled {
                resource: task.resource.arn.clone(),
                input: prepared.input.into(),
                timeout_in_seconds,
                heartbeat_in_seconds,
                timeout_at,
                token: token.unwrap_or_else(|| "".into()),
            };
            (Event::ActivityScheduled(scheduled), None)
        }
        ResourceKind::Integration(integration) => {
            let scheduled = TaskScheduled {
                resource_type: integration.resource_type.clone(),
                resource: integration.resource.clone(),
                region: burst.execution.identity.region.clone(),
                parameters: JsonText(prepared.input),
                timeout_in_seconds,
                heartbeat_in_seconds,
                task_credentials,
                timeout_at,
                heartbeat_at,
                token,
            };
            let started = TaskStarted {
                resource_type: integration.resource_type.clone(),
                resource: integration.resource.clone(),
            };
            (Event::TaskScheduled(scheduled), Some(Event::TaskStarted(started)))
        }
    };
    burst.record_next(thread, scheduled);
    if let Some(started) = started {
        burst.record_next(thread, started);
    }
    let mut effects = Vec::new();
    burst.execution.active(thread).obligations(thread, &mut effects);
    for effect in effects {
        burst.effect(effect);
    }
}

/// Timers of a task that is over.
fn cancel_timers(burst: &mut Burst<'_>, key: TaskKey) {
    let mut timers = Vec::new();
    if let Some(task) = burst.execution.open_task(key) {
        task.timers(|timer, _| timers.push(timer));
    }
    for timer in timers {
        burst.effect(Effect::CancelTimer(timer));
    }
}

/// Whether a token may complete the task. AWS issues one for a job as well, and takes it before the job ends.
///
/// Source: recorded conversation callback/sync_with_task_token.
fn has_token(task: &Task) -> bool {
    match &task.resource.kind {
        ResourceKind::Activity => true,
        ResourceKind::LambdaFunction => false,
        ResourceKind::Integration(integration) => match integration.pattern {
            Pattern::WaitForTaskToken | Pattern::Sync | Pattern::Sync2 => true,
            Pattern::RequestResponse => false,
        },
    }
}

/// How AWS names a task whose result is too large: an integration by its service, anything else by its ARN.
fn task_name(task: &Task) -> &str {
    match &task.resource.kind {
        ResourceKind::LambdaFunction | ResourceKind::Activity => &task.resource.arn,
        ResourceKind::Integration(integration) => &integration.resource_type,
    }
}

fn task_of<'d>(
    burst: &Burst<'_>,
    definition: &'d stepwell_asl::Definition,
    thread: ThreadId,
) -> (&'d Task, &'d ResourceKind) {
    let StateKind::Task(task) = &definition.state(burst.execution.active(thread).state).kind else {
        panic!("I7: an open task belongs to a Task state")
    };
    (task, &task.resource.kind)
}
