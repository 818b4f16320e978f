//! History events: the 62 that AWS shows, and the few of ours that it does not.
//!
//! One row gives the enum variant, its storage tag, its name, its details and the logging level that writes it; one row per
//! details struct gives the fields with AWS's JSON keys. A storage tag, once released, never changes meaning. Fields after the semicolon are
//! ours: durable, folded into the execution's state, never shown.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::shapes::LogLevel;
use crate::stored::{FieldSink, FieldSource, Stored};
use crate::timestamp::Timestamp;

/// Text that events share by pointer.
pub type Text = Arc<str>;

/// A payload: shown as its JSON text, with `…Details.truncated` beside it, and left out when the reader asks for
/// events without execution data.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// The value.
    pub value: Json,
    /// The text it came in as, where a history shows that and not our own: an execution's input.
    pub text: Option<Text>,
}

impl From<Json> for Payload {
    fn from(value: Json) -> Payload {
        Payload { value, text: None }
    }
}

/// The values a state assigned, in the order it assigned them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssignedVariables(pub Vec<(Text, Json)>);

/// A JSON value shown as its text, without details beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonText(pub Json);

/// The role a task assumes: `Credentials.RoleArn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCredentials {
    /// `roleArn`
    pub role_arn: Text,
}

/// Where an execution's thread of control goes after it left a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// To the state of this index in the definition.
    State(u32),
    /// Nowhere: its workflow has ended.
    End,
}

/// Writes one field of an event's details under AWS's key.
trait Field {
    fn write(&self, key: &'static str, with_data: bool, out: &mut ObjectBuilder);
}

impl Field for Text {
    fn write(&self, key: &'static str, _: bool, out: &mut ObjectBuilder) {
        out.insert(key, Json::String(self.clone()));
    }
}

impl Field for u64 {
    fn write(&self, key: &'static str, _: bool, out: &mut ObjectBuilder) {
        out.insert(key, Json::from(*self));
    }
}

impl<F: Field> Field for Option<F> {
    fn write(&self, key: &'static str, with_data: bool, out: &mut ObjectBuilder) {
        if let Some(field) = self {
            field.write(key, with_data, out);
        }
    }
}

impl Field for TaskCredentials {
    fn write(&self, key: &'static str, _: bool, out: &mut ObjectBuilder) {
        out.insert(key, Json::object([("roleArn", Json::String(self.role_arn.clone()))]));
    }
}

impl Field for JsonText {
    fn write(&self, key: &'static str, with_data: bool, out: &mut ObjectBuilder) {
        if with_data {
            out.insert(key, Json::from(self.0.to_string()));
        }
    }
}

impl Field for Payload {
    fn write(&self, key: &'static str, with_data: bool, out: &mut ObjectBuilder) {
        if with_data {
            let text = self.text.clone().unwrap_or_else(|| self.value.to_string().into());
            out.insert(key, Json::String(text));
            out.insert(format!("{key}Details"), not_truncated());
        }
    }
}

impl Field for AssignedVariables {
    fn write(&self, key: &'static str, with_data: bool, out: &mut ObjectBuilder) {
        if with_data && !self.0.is_empty() {
            let texts = self.0.iter().map(|(name, value)| (name.clone(), Json::from(value.to_string())));
            out.insert(key, Json::object(texts));
            out.insert(format!("{key}Details"), not_truncated());
        }
    }
}

fn not_truncated() -> Json {
    Json::object([("truncated", Json::Bool(false))])
}

/// Details of an event: the object AWS shows and the key it stands under.
trait Details {
    const KEY: &'static str;
    fn write(&self, with_data: bool) -> Json;
}

macro_rules! details {
    ($( $(#[$doc:meta])* $name:ident $key:literal {
        $( $(#[$field_doc:meta])* $field:ident: $type:ty = $json:literal, )*
        $(; $( $(#[$own_doc:meta])* $own:ident: $own_type:ty, )* )?
    } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {
                $( $(#[$field_doc])* #[doc = concat!("`", $json, "`")] pub $field: $type, )*
                $( $( $(#[$own_doc])* pub $own: $own_type, )* )?
            }

            impl Details for $name {
                const KEY: &'static str = $key;

                fn write(&self, #[allow(unused_variables, reason = "details without fields take no data")] with_data: bool) -> Json {
                    #[allow(unused_mut, reason = "details without fields stay empty")]
                    let mut out = ObjectBuilder::new();
                    $( self.$field.write($json, with_data, &mut out); )*
                    Json::Object(out.build())
                }
            }

            impl Stored for $name {
                fn store(&self, sink: &mut impl FieldSink) {
                    $( self.$field.store(sink); )*
                    $( $( self.$own.store(sink); )* )?
                }

                fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
                    // The values are asked for in the order the fields are written here.
                    Ok($name {
                        $( $field: Stored::restore(source)?, )*
                        $( $( $own: Stored::restore(source)?, )* )?
                    })
                }
            }
        )*
    };
}

details! {
    /// The execution began.
    ExecutionStarted "executionStartedEventDetails" {
        input: Payload = "input",
        role_arn: Text = "roleArn",
        state_machine_alias_arn: Option<Text> = "stateMachineAliasArn",
        state_machine_version_arn: Option<Text> = "stateMachineVersionArn",
        ;
        /// When the machine's `TimeoutSeconds` runs out.
        timeout_at: Option<Timestamp>,
    }
    /// The execution ended well.
    ExecutionSucceeded "executionSucceededEventDetails" {
        output: Payload = "output",
    }
    /// The execution failed.
    ExecutionFailed "executionFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The machine's `TimeoutSeconds` ran out.
    ExecutionTimedOut "executionTimedOutEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The execution was stopped.
    ExecutionAborted "executionAbortedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The execution was redriven.
    ExecutionRedriven "executionRedrivenEventDetails" {
        redrive_count: u64 = "redriveCount",
        ;
        /// When the machine's `TimeoutSeconds`, counted anew, runs out.
        timeout_at: Option<Timestamp>,
    }
    /// A state was entered.
    StateEntered "stateEnteredEventDetails" {
        name: Text = "name",
        input: Payload = "input",
        ;
        /// Index of the state in the definition.
        state: u32,
    }
    /// A state was left.
    StateExited "stateExitedEventDetails" {
        name: Text = "name",
        output: Payload = "output",
        assigned_variables: AssignedVariables = "assignedVariables",
        ;
        /// Where the thread goes next.
        onward: Onward,
    }
    /// An expression failed or gave a value of the wrong type.
    EvaluationFailed "evaluationFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
        location: Option<Text> = "location",
        state: Text = "state",
    }
    /// A Map state has its items.
    MapStateStarted "mapStateStartedEventDetails" {
        length: u64 = "length",
        ;
        /// The items: an array, or an object whose members are the items.
        items: Json,
        /// The state's input as its items and selector see it.
        effective_input: Json,
        /// Iterations at once at most.
        max_concurrency: u64,
    }
    /// An iteration of a Map state began.
    MapIterationStarted "mapIterationStartedEventDetails" {
        name: Text = "name",
        index: u64 = "index",
        ;
        /// What the iteration's first state gets.
        input: Json,
    }
    /// An iteration of a Map state ended well.
    MapIterationSucceeded "mapIterationSucceededEventDetails" {
        name: Text = "name",
        index: u64 = "index",
    }
    /// An iteration of a Map state failed.
    MapIterationFailed "mapIterationFailedEventDetails" {
        name: Text = "name",
        index: u64 = "index",
    }
    /// An iteration of a Map state was aborted because another one failed.
    MapIterationAborted "mapIterationAbortedEventDetails" {
        name: Text = "name",
        index: u64 = "index",
    }
    /// A Map Run began.
    MapRunStarted "mapRunStartedEventDetails" {
        map_run_arn: Text = "mapRunArn",
        ;
        /// The inputs of its child executions, in order.
        inputs: Json,
        /// Child executions at once at most; 0 for no limit of its own.
        max_concurrency: u64,
        /// How many of them may fail.
        tolerated_failure_count: Option<u64>,
        /// What share of them may fail, 0 to 100.
        tolerated_failure_percentage: Option<f64>,
    }
    /// A Map Run failed.
    MapRunFailed "mapRunFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A Map Run was redriven.
    MapRunRedriven "mapRunRedrivenEventDetails" {
        map_run_arn: Text = "mapRunArn",
        redrive_count: u64 = "redriveCount",
    }
    /// A Lambda function was asked by its own ARN.
    LambdaFunctionScheduled "lambdaFunctionScheduledEventDetails" {
        resource: Text = "resource",
        input: Payload = "input",
        timeout_in_seconds: Option<u64> = "timeoutInSeconds",
        task_credentials: Option<TaskCredentials> = "taskCredentials",
        ;
        /// When the task's time runs out.
        timeout_at: Option<Timestamp>,
    }
    /// A Lambda function failed, or could not be asked.
    LambdaFunctionFailed "lambdaFunctionFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A Lambda function could not be scheduled.
    LambdaFunctionScheduleFailed "lambdaFunctionScheduleFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A Lambda function could not be started.
    LambdaFunctionStartFailed "lambdaFunctionStartFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A Lambda function answered.
    LambdaFunctionSucceeded "lambdaFunctionSucceededEventDetails" {
        output: Payload = "output",
    }
    /// A Lambda function did not answer in time.
    LambdaFunctionTimedOut "lambdaFunctionTimedOutEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// An activity's task waits for a worker.
    ActivityScheduled "activityScheduledEventDetails" {
        resource: Text = "resource",
        input: Payload = "input",
        timeout_in_seconds: Option<u64> = "timeoutInSeconds",
        heartbeat_in_seconds: Option<u64> = "heartbeatInSeconds",
        ;
        /// When the task's time runs out.
        timeout_at: Option<Timestamp>,
        /// The token its worker will answer with.
        token: Text,
    }
    /// An activity's task could not be scheduled.
    ActivityScheduleFailed "activityScheduleFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A worker took an activity's task.
    ActivityStarted "activityStartedEventDetails" {
        worker_name: Option<Text> = "workerName",
        ;
        /// When the worker must have sent its first heartbeat.
        heartbeat_at: Option<Timestamp>,
    }
    /// A worker succeeded.
    ActivitySucceeded "activitySucceededEventDetails" {
        output: Payload = "output",
    }
    /// A worker failed.
    ActivityFailed "activityFailedEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A worker did not answer, or gave no sign of life, in time.
    ActivityTimedOut "activityTimedOutEventDetails" {
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// A Task state handed its work to an integration.
    TaskScheduled "taskScheduledEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        region: Text = "region",
        parameters: JsonText = "parameters",
        timeout_in_seconds: Option<u64> = "timeoutInSeconds",
        heartbeat_in_seconds: Option<u64> = "heartbeatInSeconds",
        task_credentials: Option<TaskCredentials> = "taskCredentials",
        ;
        /// When the task's time runs out.
        timeout_at: Option<Timestamp>,
        /// When somebody must have given the first sign of life.
        heartbeat_at: Option<Timestamp>,
        /// The token that completes the task, where it waits for one.
        token: Option<Text>,
    }
    /// The integration began.
    TaskStarted "taskStartedEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
    }
    /// The integration could not begin.
    TaskStartFailed "taskStartFailedEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The service took the request; the task goes on.
    TaskSubmitted "taskSubmittedEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        output: Payload = "output",
    }
    /// The service refused the request.
    TaskSubmitFailed "taskSubmitFailedEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The task succeeded.
    TaskSucceeded "taskSucceededEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        output: Payload = "output",
    }
    /// The task failed.
    TaskFailed "taskFailedEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// The task did not end, or gave no sign of life, in time.
    TaskTimedOut "taskTimedOutEventDetails" {
        resource_type: Text = "resourceType",
        resource: Text = "resource",
        error: Option<Text> = "error",
        cause: Option<Text> = "cause",
    }
    /// Ours: until when a Wait state waits.
    WaitScheduled "" {
        ;
        /// When the wait is over.
        until: Timestamp,
    }
    /// Ours: a failed state will be tried again.
    RetryScheduled "" {
        ;
        /// Which entry of `Retry`.
        retrier: u32,
        /// When to try again.
        at: Timestamp,
    }
    /// Ours: a task gave a sign of life.
    HeartbeatReceived "" {
        ;
        /// When the next one is due.
        next_at: Timestamp,
    }
    /// Ours: the items of a Map Run come from outside, or its results go there.
    OutsideNamed "" {
        ;
        /// What the reader is asked for, where there is one.
        reader_arguments: Option<Json>,
        /// How many items are read at most; 0 for all. None when what the definition says is no such number.
        max_items: Option<u64>,
        /// Where the results go, where they are written.
        writer_arguments: Option<Json>,
    }
    /// Ours: a Map Run has more items.
    ItemsRead "" {
        ;
        /// The inputs of the child executions that they became, in order.
        inputs: Json,
        /// How many items were read so far.
        read: u64,
        /// What was read and waits for its batch to be full.
        open: Json,
        /// Where the next items are; none when these were the last.
        next: Option<Json>,
    }
    /// Ours: the children of a Map Run have ended, and their results are to be written.
    ResultsDue "" {
        ;
        /// The error name, when the run failed.
        error: Option<Text>,
        /// The cause, when the run failed.
        cause: Option<Text>,
    }
    /// Ours: a Parallel state's branches have their input.
    BranchesStarted "" {
        ;
        /// What every branch's first state gets.
        input: Json,
    }
}

/// One row of the table of events.
#[derive(Clone, Copy, Debug)]
pub struct EventRow {
    /// Storage tag.
    pub tag: u16,
    /// `type`, as AWS spells it.
    pub name: &'static str,
    /// Whether histories show it and number it.
    pub public: bool,
    /// The quietest logging level that writes it to CloudWatch Logs; none for events that histories do not show.
    ///
    /// Source: Developer Guide, "Log levels for Step Functions execution events"; of activities and failed evaluations,
    /// which that table does not have, as of tasks.
    pub logged_at: Option<LogLevel>,
    /// What people see in lists.
    pub label: &'static str,
}

macro_rules! history_events {
    ($( $(#[$doc:meta])* $tag:literal $name:ident $(($details:ident))? $visibility:ident $($level:ident)? $label:literal; )*) => {
        /// What happened to an execution.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $( $(#[$doc])* #[doc = $label] $name $(($details))?, )*
        }

        /// The table of events, in the order of their tags.
        pub const EVENTS: &[EventRow] = &[
            $( history_events!(@row $tag $name $visibility $label $($level)?), )*
        ];

        impl Event {
            /// The event's row in the table.
            pub fn row(&self) -> EventRow {
                match self {
                    $( history_events!(@pattern $name $($details)?) => history_events!(@row $tag $name $visibility $label $($level)?), )*
                }
            }

            /// The details as AWS shows them: the key and the object. `None` for events that have none.
            pub fn details(&self, with_data: bool) -> Option<(&'static str, Json)> {
                match self {
                    $( history_events!(@binding $name details $($details)?) => history_events!(@write details with_data $($details)?), )*
                }
            }

            /// The storage tag.
            pub fn tag(&self) -> u16 {
                match self {
                    $( history_events!(@pattern $name $($details)?) => $tag, )*
                }
            }

            /// Gives every field of the details to the sink, ours too. The tag is not among them.
            pub fn store(&self, sink: &mut impl FieldSink) {
                match self {
                    $( history_events!(@binding $name details $($details)?) => history_events!(@store details sink $($details)?), )*
                }
            }

            /// The event of this tag with the fields that [`Event::store`] gave away.
            ///
            /// Fails on a tag that is not in the table, and as the source does.
            pub fn restore<S: FieldSource>(tag: u16, source: &mut S) -> Result<Event, S::Error> {
                match tag {
                    $( $tag => Ok(history_events!(@restore $name source $($details)?)), )*
                    unknown => Err(source.unknown_event(unknown)),
                }
            }
        }
    };
    (@row $tag:literal $name:ident $visibility:ident $label:literal $($level:ident)?) => {
        EventRow {
            tag: $tag,
            name: stringify!($name),
            public: history_events!(@public $visibility),
            logged_at: history_events!(@level $($level)?),
            label: $label,
        }
    };
    (@level all) => { Some(LogLevel::All) };
    (@level error) => { Some(LogLevel::Error) };
    (@level fatal) => { Some(LogLevel::Fatal) };
    (@level) => { None };
    (@public public) => { true };
    (@public private) => { false };
    (@pattern $name:ident $details:ident) => { Event::$name(_) };
    (@pattern $name:ident) => { Event::$name };
    (@binding $name:ident $bound:ident $details:ident) => { Event::$name($bound) };
    (@binding $name:ident $bound:ident) => { Event::$name };
    (@write $bound:ident $with_data:ident $details:ident) => { Some((<$details as Details>::KEY, $bound.write($with_data))) };
    (@write $bound:ident $with_data:ident) => { None };
    (@store $bound:ident $sink:ident $details:ident) => { Stored::store($bound, $sink) };
    (@store $bound:ident $sink:ident) => { () };
    (@restore $name:ident $source:ident $details:ident) => { Event::$name(Stored::restore($source)?) };
    (@restore $name:ident $source:ident) => { Event::$name };
}

history_events! {
    1 ExecutionStarted(ExecutionStarted) public all "Execution started";
    2 ExecutionSucceeded(ExecutionSucceeded) public all "Execution succeeded";
    3 ExecutionFailed(ExecutionFailed) public fatal "Execution failed";
    4 ExecutionTimedOut(ExecutionTimedOut) public fatal "Execution timed out";
    5 ExecutionAborted(ExecutionAborted) public fatal "Execution aborted";
    6 ExecutionRedriven(ExecutionRedriven) public all "Execution redriven";
    10 PassStateEntered(StateEntered) public all "Pass state entered";
    11 PassStateExited(StateExited) public all "Pass state exited";
    12 TaskStateEntered(StateEntered) public all "Task state entered";
    13 TaskStateExited(StateExited) public all "Task state exited";
    14 TaskStateAborted public error "Task state aborted";
    15 ChoiceStateEntered(StateEntered) public all "Choice state entered";
    16 ChoiceStateExited(StateExited) public all "Choice state exited";
    17 WaitStateEntered(StateEntered) public all "Wait state entered";
    18 WaitStateExited(StateExited) public all "Wait state exited";
    19 WaitStateAborted public error "Wait state aborted";
    20 SucceedStateEntered(StateEntered) public all "Succeed state entered";
    21 SucceedStateExited(StateExited) public all "Succeed state exited";
    22 FailStateEntered(StateEntered) public error "Fail state entered";
    23 ParallelStateEntered(StateEntered) public all "Parallel state entered";
    24 ParallelStateExited(StateExited) public all "Parallel state exited";
    25 ParallelStateStarted public all "Parallel state started";
    26 ParallelStateSucceeded public all "Parallel state succeeded";
    27 ParallelStateFailed public error "Parallel state failed";
    28 ParallelStateAborted public error "Parallel state aborted";
    29 MapStateEntered(StateEntered) public all "Map state entered";
    30 MapStateExited(StateExited) public all "Map state exited";
    31 MapStateStarted(MapStateStarted) public all "Map state started";
    32 MapStateSucceeded public all "Map state succeeded";
    33 MapStateFailed public error "Map state failed";
    34 MapStateAborted public error "Map state aborted";
    40 MapIterationStarted(MapIterationStarted) public all "Map iteration started";
    41 MapIterationSucceeded(MapIterationSucceeded) public all "Map iteration succeeded";
    42 MapIterationFailed(MapIterationFailed) public error "Map iteration failed";
    43 MapIterationAborted(MapIterationAborted) public error "Map iteration aborted";
    44 MapRunStarted(MapRunStarted) public all "Map Run started";
    45 MapRunSucceeded public all "Map Run succeeded";
    46 MapRunFailed(MapRunFailed) public error "Map Run failed";
    47 MapRunAborted public error "Map Run aborted";
    48 MapRunRedriven(MapRunRedriven) public all "Map Run redriven";
    50 LambdaFunctionScheduled(LambdaFunctionScheduled) public all "Lambda function scheduled";
    51 LambdaFunctionScheduleFailed(LambdaFunctionScheduleFailed) public error "Lambda function schedule failed";
    52 LambdaFunctionStarted public all "Lambda function started";
    53 LambdaFunctionStartFailed(LambdaFunctionStartFailed) public error "Lambda function start failed";
    54 LambdaFunctionSucceeded(LambdaFunctionSucceeded) public all "Lambda function succeeded";
    55 LambdaFunctionFailed(LambdaFunctionFailed) public error "Lambda function failed";
    56 LambdaFunctionTimedOut(LambdaFunctionTimedOut) public error "Lambda function timed out";
    60 ActivityScheduled(ActivityScheduled) public all "Activity scheduled";
    61 ActivityScheduleFailed(ActivityScheduleFailed) public error "Activity schedule failed";
    62 ActivityStarted(ActivityStarted) public all "Activity started";
    63 ActivitySucceeded(ActivitySucceeded) public all "Activity succeeded";
    64 ActivityFailed(ActivityFailed) public error "Activity failed";
    65 ActivityTimedOut(ActivityTimedOut) public error "Activity timed out";
    70 TaskScheduled(TaskScheduled) public all "Task scheduled";
    71 TaskStarted(TaskStarted) public all "Task started";
    72 TaskStartFailed(TaskStartFailed) public error "Task start failed";
    73 TaskSubmitted(TaskSubmitted) public all "Task submitted";
    74 TaskSubmitFailed(TaskSubmitFailed) public error "Task submit failed";
    75 TaskSucceeded(TaskSucceeded) public all "Task succeeded";
    76 TaskFailed(TaskFailed) public error "Task failed";
    77 TaskTimedOut(TaskTimedOut) public error "Task timed out";
    80 EvaluationFailed(EvaluationFailed) public error "Evaluation failed";
    200 WaitScheduled(WaitScheduled) private "Wait scheduled";
    201 RetryScheduled(RetryScheduled) private "Retry scheduled";
    202 HeartbeatReceived(HeartbeatReceived) private "Heartbeat received";
    203 BranchesStarted(BranchesStarted) private "Branches started";
    204 DestinationTried private "Destination tried";
    205 ItemsRead(ItemsRead) private "Items read";
    206 ResultsDue(ResultsDue) private "Results due";
    207 OutsideNamed(OutsideNamed) private "Outside named";
}

/// One line of an execution's log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Number in the history, from 1; 0 for events that histories do not show.
    pub id: u64,
    /// Number of the event that led to this one; 0 for the first ones.
    pub previous_event_id: u64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The thread of control it happened in: 0 is the execution's own, branches and iterations have theirs.
    pub thread: u32,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// The event as `GetExecutionHistory` shows it. Meaningful for public events only.
    ///
    /// `with_data` is the request's `includeExecutionData`.
    pub fn to_history(&self, with_data: bool) -> Json {
        let mut out = ObjectBuilder::with_capacity(5);
        out.insert("timestamp", Json::from_f64(self.timestamp.seconds()).unwrap_or(Json::Null));
        out.insert("type", Json::from(self.event.row().name));
        out.insert("id", Json::from(self.id));
        out.insert("previousEventId", Json::from(self.previous_event_id));
        if let Some((key, details)) = self.event.details(with_data) {
            out.insert(key, details);
        }
        Json::Object(out.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_names_are_unique_and_all_of_awss_events_are_there() {
        let mut tags: Vec<u16> = EVENTS.iter().map(|row| row.tag).collect();
        tags.dedup();
        assert_eq!(tags.len(), EVENTS.len());
        assert!(tags.is_sorted());
        assert_eq!(EVENTS.iter().filter(|row| row.public).count(), 62);
    }

    #[test]
    fn every_event_that_is_shown_has_a_logging_level() {
        let at = |level: LogLevel| EVENTS.iter().filter(|row| row.logged_at == Some(level)).count();
        assert_eq!((at(LogLevel::Fatal), at(LogLevel::Error), at(LogLevel::All), at(LogLevel::Off)), (3, 23, 36, 0));
        assert!(EVENTS.iter().all(|row| row.public == row.logged_at.is_some()));
    }

    #[test]
    fn payloads_are_shown_as_text_and_left_out_on_request() {
        let record = Record {
            id: 3,
            previous_event_id: 2,
            timestamp: Timestamp(1_700_000_000_123),
            thread: 0,
            event: Event::PassStateExited(StateExited {
                name: "Greet".into(),
                output: Json::object([("a", Json::from(1))]).into(),
                assigned_variables: AssignedVariables(vec![("x".into(), Json::from("y"))]),
                onward: Onward::End,
            }),
        };
        assert_eq!(
            record.to_history(true).to_string(),
            concat!(
                r#"{"timestamp":1700000000.123,"type":"PassStateExited","id":3,"previousEventId":2,"#,
                r#""stateExitedEventDetails":{"name":"Greet","output":"{\"a\":1}","outputDetails":{"truncated":false},"#,
                r#""assignedVariables":{"x":"\"y\""},"assignedVariablesDetails":{"truncated":false}}}"#
            )
        );
        assert_eq!(
            record.to_history(false).get("stateExitedEventDetails").map(Json::to_string).as_deref(),
            Some(r#"{"name":"Greet"}"#)
        );
    }
}
