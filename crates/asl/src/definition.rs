//! The typed definition: what the interpreter runs.
//!
//! Every state of a machine, nested ones included, stands in one list and is named by its index, so that moving from
//! state to state costs no lookup. Paths, templates, intrinsic calls and JSONata are compiled; nothing is parsed while
//! an execution runs. A value of these types has passed validation: what could be wrong in the text cannot be said here.

use std::sync::Arc;

use stepwell_json::{Json, Span};
use stepwell_jsonpath::{Path, ReferencePath, Template, ValueExpression};
use stepwell_spec::Operator;

/// A state machine's definition, compiled once per revision.
#[derive(Debug)]
pub struct Definition {
    /// `Comment`.
    pub comment: Option<Arc<str>>,
    /// `QueryLanguage` of the whole machine.
    pub query_language: QueryLanguage,
    /// `TimeoutSeconds` of the whole machine.
    pub timeout_seconds: Option<u64>,
    /// All states, nested ones included; a [`StateId`] is an index into it.
    pub states: Vec<State>,
    /// All sub-workflows; the first is the machine itself, the others are branches and item processors.
    pub workflows: Vec<Workflow>,
}

/// Names a state of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateId(pub u32);

/// Names a workflow (the machine, a branch, an item processor) of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkflowId(pub u32);

impl WorkflowId {
    /// The machine itself.
    pub const ROOT: WorkflowId = WorkflowId(0);
}

/// `StartAt` and `States`: the machine, one branch of a Parallel state or the item processor of a Map state.
#[derive(Debug)]
pub struct Workflow {
    /// Where it starts.
    pub start_at: StateId,
    /// Its own states, in the order they were written.
    pub states: Vec<StateId>,
    /// The Parallel or Map state it belongs to; none for the machine itself.
    pub parent: Option<StateId>,
}

/// `QueryLanguage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryLanguage {
    /// `JSONPath`, the default.
    JsonPath,
    /// `JSONata`.
    Jsonata,
}

/// One state.
#[derive(Debug)]
pub struct State {
    /// Its name, unique in the whole machine.
    pub name: Arc<str>,
    /// `Comment`.
    pub comment: Option<Arc<str>>,
    /// The workflow it stands in.
    pub workflow: WorkflowId,
    /// Where the state's object stands in the text.
    pub span: Span,
    /// How data comes in and goes out, in the state's own query language.
    pub data_flow: DataFlow,
    /// `Assign` of the state (not of its rules or catchers).
    pub assign: Option<Assign>,
    /// Names of all variables the state's own fields read, its rules and catchers included; sorted, each once.
    pub variables_read: Vec<Arc<str>>,
    /// What is particular to its type.
    pub kind: StateKind,
}

impl State {
    /// The language of this state's expressions.
    pub fn query_language(&self) -> QueryLanguage {
        match self.data_flow {
            DataFlow::JsonPath(_) => QueryLanguage::JsonPath,
            DataFlow::Jsonata(_) => QueryLanguage::Jsonata,
        }
    }

    /// `Retry`; empty for types that have none.
    pub fn retriers(&self) -> &[Retrier] {
        match &self.kind {
            StateKind::Task(task) => &task.retry,
            StateKind::Parallel(parallel) => &parallel.retry,
            StateKind::Map(map) => &map.retry,
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => &[],
        }
    }

    /// `Catch`; empty for types that have none.
    pub fn catchers(&self) -> &[Catcher] {
        match &self.kind {
            StateKind::Task(task) => &task.catch,
            StateKind::Parallel(parallel) => &parallel.catch,
            StateKind::Map(map) => &map.catch,
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => &[],
        }
    }
}

impl Definition {
    /// The state of this name's index.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    /// The workflow of this index.
    pub fn workflow(&self, id: WorkflowId) -> &Workflow {
        &self.workflows[id.0 as usize]
    }

    /// The state of this name anywhere in the machine.
    pub fn find(&self, name: &str) -> Option<StateId> {
        self.states.iter().position(|state| &*state.name == name).map(|place| StateId(place as u32))
    }
}

/// The input and output fields of a state, per query language. Fields the state's type does not have hold their defaults.
#[derive(Debug)]
pub enum DataFlow {
    /// `InputPath`, `Parameters`, `ResultSelector`, `ResultPath`, `OutputPath`.
    JsonPath(JsonPathFlow),
    /// `Arguments`, `Output`.
    Jsonata(JsonataFlow),
}

/// Fields that move data in a JSONPath state, in the order AWS applies them.
#[derive(Debug)]
pub struct JsonPathFlow {
    /// `InputPath`; the whole input when absent.
    pub input_path: InputPath,
    /// `Parameters`. A Map state keeps its old-style `Parameters` in [`Map::item_selector`].
    pub parameters: Option<Template>,
    /// `ResultSelector`.
    pub result_selector: Option<Template>,
    /// `ResultPath`; the result replaces the input when absent.
    pub result_path: ResultPath,
    /// `OutputPath`; the whole output when absent.
    pub output_path: InputPath,
}

/// Fields that move data in a JSONata state.
#[derive(Debug)]
pub struct JsonataFlow {
    /// `Arguments`.
    pub arguments: Option<QueryTemplate>,
    /// `Output`.
    pub output: Option<QueryTemplate>,
}

/// `InputPath` and `OutputPath`.
#[derive(Clone, Debug)]
pub enum InputPath {
    /// `null`: an empty object goes on.
    Nothing,
    /// `$`: everything goes on.
    Whole,
    /// What this path finds.
    Path(Path),
}

/// `ResultPath`.
#[derive(Clone, Debug)]
pub enum ResultPath {
    /// `null`: the result is dropped and the input goes on.
    Discard,
    /// `$`: the result replaces the input.
    Replace,
    /// The result is put into the input at this place.
    At(ReferencePath),
}

/// `Assign`: variables and what they get.
#[derive(Debug)]
pub enum Assign {
    /// A payload template whose members are the variables.
    JsonPath(Template),
    /// Each variable with its value.
    Jsonata(Vec<(Arc<str>, QueryTemplate)>),
}

/// A JSON value in which any string may be a JSONata expression.
#[derive(Debug)]
pub enum QueryTemplate {
    /// A value without expressions in it, shared with every evaluation.
    Literal(Json),
    /// `{% … %}`
    Query(Query),
    /// An array with expressions in it.
    Array(Vec<QueryTemplate>),
    /// An object with expressions in it.
    Object(Vec<(Arc<str>, QueryTemplate)>),
}

/// One JSONata expression, compiled. Its text is what stands between `{%` and `%}`, trimmed.
#[derive(Debug)]
pub struct Query {
    /// The compiled expression.
    pub expression: Box<stepwell_jsonata::Expression>,
}

/// A template in either query language.
#[derive(Debug)]
pub enum Payload {
    /// A payload template.
    Template(Template),
    /// A JSONata template.
    Query(QueryTemplate),
}

/// A field that is given outright, by a path or intrinsic call (`…Path`), or by a JSONata expression.
#[derive(Debug)]
pub enum Setting<T> {
    /// The value itself.
    Literal(T),
    /// The `…Path` twin of the field.
    Path(ValueExpression),
    /// `{% … %}`
    Query(Query),
}

/// Where a state goes when it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `Next`
    Next(StateId),
    /// `End: true`
    End,
}

/// What is particular to a state type.
#[derive(Debug)]
pub enum StateKind {
    /// Passes its input on, or a fixed result.
    Pass(Pass),
    /// Does work outside.
    Task(Box<Task>),
    /// Branches.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Ends its workflow well.
    Succeed,
    /// Ends its workflow with an error.
    Fail(Fail),
    /// Runs branches at once.
    Parallel(Parallel),
    /// Runs one workflow for each item.
    Map(Box<Map>),
}

impl StateKind {
    /// `Type`, as a definition spells it.
    pub fn name(&self) -> &'static str {
        match self {
            StateKind::Pass(_) => "Pass",
            StateKind::Task(_) => "Task",
            StateKind::Choice(_) => "Choice",
            StateKind::Wait(_) => "Wait",
            StateKind::Succeed => "Succeed",
            StateKind::Fail(_) => "Fail",
            StateKind::Parallel(_) => "Parallel",
            StateKind::Map(_) => "Map",
        }
    }

    /// What a Map state has beside others.
    pub fn map(&self) -> Option<&Map> {
        match self {
            StateKind::Map(map) => Some(map),
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_)
            | StateKind::Parallel(_) => None,
        }
    }

    /// What a distributed Map state has, beside others and beside an inline one.
    pub fn distributed_map(&self) -> Option<(&Map, &Distributed)> {
        let map = self.map()?;
        Some((map, map.mode.distributed()?))
    }
}

/// Pass: `Result` (JSONPath only) instead of the input.
#[derive(Debug)]
pub struct Pass {
    /// `Result`.
    pub result: Option<Json>,
    /// `Next` or `End`.
    pub transition: Transition,
}

/// Task.
#[derive(Debug)]
pub struct Task {
    /// `Resource`.
    pub resource: Resource,
    /// `Credentials.RoleArn`.
    pub credentials_role_arn: Option<Setting<Arc<str>>>,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub timeout_seconds: Option<Setting<u64>>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`.
    pub heartbeat_seconds: Option<Setting<u64>>,
    /// `Retry`.
    pub retry: Vec<Retrier>,
    /// `Catch`.
    pub catch: Vec<Catcher>,
    /// `Next` or `End`.
    pub transition: Transition,
}

/// What a Task state calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The ARN as written.
    pub arn: Arc<str>,
    /// What kind of resource it names.
    pub kind: ResourceKind,
}

/// The kinds of resources a Task state may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A Lambda function's own ARN; `LambdaFunction…` events.
    LambdaFunction,
    /// An activity's ARN; `Activity…` events.
    Activity,
    /// `arn:aws:states:::TYPE:RESOURCE`; `Task…` events.
    Integration(Integration),
}

/// A service integration, such as `arn:aws:states:::sqs:sendMessage.waitForTaskToken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// As history shows it: `sqs`, `aws-sdk:dynamodb`.
    pub resource_type: Arc<str>,
    /// As history shows it, with the pattern's suffix: `sendMessage.waitForTaskToken`.
    pub resource: Arc<str>,
    /// The action without suffix: `sendMessage`.
    pub action: Arc<str>,
    /// When the task counts as done.
    pub pattern: Pattern,
}

/// When a task that calls a service counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// When the service has answered.
    RequestResponse,
    /// `.sync`: when the job it started has ended.
    Sync,
    /// `.sync:2`: as `.sync`, with the output as JSON.
    Sync2,
    /// `.waitForTaskToken`: when somebody sends the token back.
    WaitForTaskToken,
}

/// One entry of `Retry`.
#[derive(Clone, Debug)]
pub struct Retrier {
    /// `ErrorEquals`: error names it is for.
    pub error_equals: Vec<Arc<str>>,
    /// `IntervalSeconds`: before the first retry; 1 when absent.
    pub interval_seconds: u64,
    /// `MaxAttempts`: retries at most; 3 when absent, 0 for none.
    pub max_attempts: u64,
    /// `BackoffRate`: factor from retry to retry; 2.0 when absent.
    pub backoff_rate: f64,
    /// `MaxDelaySeconds`: no delay is longer.
    pub max_delay_seconds: Option<u64>,
    /// `JitterStrategy`: `FULL` draws each delay from zero up to what it would be.
    pub full_jitter: bool,
}

/// One entry of `Catch`.
#[derive(Debug)]
pub struct Catcher {
    /// `ErrorEquals`: error names it is for.
    pub error_equals: Vec<Arc<str>>,
    /// `Next`.
    pub next: StateId,
    /// `ResultPath` (JSONPath).
    pub result_path: ResultPath,
    /// `Output` (JSONata).
    pub output: Option<QueryTemplate>,
    /// `Assign`.
    pub assign: Option<Assign>,
}

/// Choice.
#[derive(Debug)]
pub struct Choice {
    /// `Choices`, tried in order.
    pub rules: Vec<ChoiceRule>,
    /// `Default`.
    pub default: Option<StateId>,
}

/// One entry of `Choices`.
#[derive(Debug)]
pub struct ChoiceRule {
    /// When it applies.
    pub condition: Condition,
    /// `Next`.
    pub next: StateId,
    /// `Assign` of the rule.
    pub assign: Option<Assign>,
    /// `Output` of the rule (JSONata).
    pub output: Option<QueryTemplate>,
}

/// When a rule applies.
#[derive(Debug)]
pub enum Condition {
    /// A tree of tests (JSONPath).
    Test(Test),
    /// `Condition` as an expression (JSONata).
    Query(Query),
    /// `Condition` as `true` or `false` (JSONata).
    Literal(bool),
}

/// A data test or a combination of tests.
#[derive(Debug)]
pub enum Test {
    /// `And`
    And(Vec<Test>),
    /// `Or`
    Or(Vec<Test>),
    /// `Not`
    Not(Box<Test>),
    /// One data test.
    Compare(Comparison),
}

/// One data test: `Variable`, an operator, and what it compares with.
#[derive(Debug)]
pub struct Comparison {
    /// `Variable`.
    pub variable: Path,
    /// The operator, whether written plainly or as its `…Path` twin.
    pub operator: Operator,
    /// The other side.
    pub operand: Operand,
}

/// The other side of a data test.
#[derive(Debug)]
pub enum Operand {
    /// A value of the operator's type.
    Literal(Json),
    /// Where to find one (`…Path`).
    Path(Path),
}

/// Wait.
#[derive(Debug)]
pub struct Wait {
    /// Until when.
    pub until: WaitUntil,
    /// `Next` or `End`.
    pub transition: Transition,
}

/// Until when a Wait state waits.
#[derive(Debug)]
pub enum WaitUntil {
    /// `Seconds` or `SecondsPath`.
    Seconds(Setting<u64>),
    /// `Timestamp` or `TimestampPath`: RFC 3339 text.
    Timestamp(Setting<Arc<str>>),
}

/// Fail.
#[derive(Debug)]
pub struct Fail {
    /// `Error` or `ErrorPath`.
    pub error: Option<Setting<Arc<str>>>,
    /// `Cause` or `CausePath`.
    pub cause: Option<Setting<Arc<str>>>,
}

/// Parallel.
#[derive(Debug)]
pub struct Parallel {
    /// `Branches`; never empty.
    pub branches: Vec<WorkflowId>,
    /// `Retry`.
    pub retry: Vec<Retrier>,
    /// `Catch`.
    pub catch: Vec<Catcher>,
    /// `Next` or `End`.
    pub transition: Transition,
}

/// Map.
#[derive(Debug)]
pub struct Map {
    /// `ItemsPath` or `Items`.
    pub items: Items,
    /// `ItemSelector`, or the old-style `Parameters`.
    pub item_selector: Option<Payload>,
    /// `MaxConcurrency` or `MaxConcurrencyPath`; as many as possible when absent or 0.
    pub max_concurrency: Option<Setting<u64>>,
    /// `ItemProcessor`, or the old-style `Iterator`.
    pub processor: WorkflowId,
    /// `ProcessorConfig.Mode`.
    pub mode: MapMode,
    /// `Retry`.
    pub retry: Vec<Retrier>,
    /// `Catch`.
    pub catch: Vec<Catcher>,
    /// `Next` or `End`.
    pub transition: Transition,
}

/// Where a Map state's items come from when there is no `ItemReader`.
#[derive(Debug)]
pub enum Items {
    /// `ItemsPath` (JSONPath); the whole effective input when absent.
    Path(InputPath),
    /// `Items` (JSONata); the whole state input when absent.
    Query(Option<QueryTemplate>),
}

/// `ProcessorConfig.Mode`.
#[derive(Debug)]
pub enum MapMode {
    /// `INLINE`: iterations are part of this execution.
    Inline,
    /// `DISTRIBUTED`: each item or batch is a child execution.
    Distributed(Box<Distributed>),
}

impl MapMode {
    /// What only a distributed Map has.
    pub fn distributed(&self) -> Option<&Distributed> {
        match self {
            MapMode::Distributed(distributed) => Some(distributed),
            MapMode::Inline => None,
        }
    }
}

/// What only a distributed Map has.
#[derive(Debug)]
pub struct Distributed {
    /// `ProcessorConfig.ExecutionType`: whether the children are EXPRESS.
    pub express_children: bool,
    /// `Label`.
    pub label: Option<Arc<str>>,
    /// `ItemReader`.
    pub item_reader: Option<ItemReader>,
    /// `ItemBatcher`.
    pub item_batcher: Option<ItemBatcher>,
    /// `ResultWriter`.
    pub result_writer: Option<ResultWriter>,
    /// `ToleratedFailureCount` or its `…Path`.
    pub tolerated_failure_count: Option<Setting<u64>>,
    /// `ToleratedFailurePercentage` or its `…Path`: 0 to 100.
    pub tolerated_failure_percentage: Option<Setting<f64>>,
}

/// `ItemReader`: items from a file or a listing.
#[derive(Debug)]
pub struct ItemReader {
    /// `Resource`.
    pub resource: Resource,
    /// `Parameters` or `Arguments`.
    pub arguments: Option<Payload>,
    /// `ReaderConfig` as written, checked.
    pub config: ReaderConfig,
    /// `ReaderConfig.MaxItems` or `MaxItemsPath`.
    pub max_items: Option<Setting<u64>>,
}

/// What `ReaderConfig` says of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderConfig {
    /// `InputType`: `CSV`, `JSON`, `JSONL`, `PARQUET`, `MANIFEST`.
    pub input_type: Option<Arc<str>>,
    /// `Transformation`: `NONE` or `LOAD_AND_FLATTEN`.
    pub transformation: Option<Arc<str>>,
    /// `ManifestType`: `ATHENA_DATA` or `S3_INVENTORY`.
    pub manifest_type: Option<Arc<str>>,
    /// `CSVDelimiter`.
    pub csv_delimiter: Option<Arc<str>>,
    /// `CSVHeaderLocation`.
    pub csv_header_location: Option<Arc<str>>,
    /// `CSVHeaders`.
    pub csv_headers: Vec<Arc<str>>,
    /// `ItemsPointer`, a JSON Pointer.
    pub items_pointer: Option<Arc<str>>,
}

/// `ItemBatcher`.
#[derive(Debug)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch` or its `…Path`.
    pub max_items_per_batch: Option<Setting<u64>>,
    /// `MaxInputBytesPerBatch` or its `…Path`.
    pub max_input_bytes_per_batch: Option<Setting<u64>>,
    /// `BatchInput`.
    pub batch_input: Option<Payload>,
}

/// `ResultWriter`.
#[derive(Debug)]
pub struct ResultWriter {
    /// `Resource`.
    pub resource: Option<Resource>,
    /// `Parameters` or `Arguments`.
    pub arguments: Option<Payload>,
    /// `WriterConfig.OutputType`: `JSON` or `JSONL`.
    pub output_type: Option<Arc<str>>,
    /// `WriterConfig.Transformation`: `NONE`, `COMPACT` or `FLATTEN`.
    pub transformation: Option<Arc<str>>,
}
