//! Every field of the Amazon States Language: where it may stand, in which query language, what it takes.
//!
//! The parser, the validator, suggestions and the reference page read this table. A name has one row per kind of place
//! where it means the same. The operators of a Choice rule are rows of [`crate::Operator`] instead. Sources: the States
//! Language specification and the Developer Guide; ranges as ValidateStateMachineDefinition enforces them.

use crate::quota;

/// A kind of object that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the state types are AWS's names")]
pub enum Place {
    /// The state machine.
    Machine,
    Pass,
    Task,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
    /// An item of `Choices`.
    Rule,
    /// A rule inside `And`, `Or` or `Not`.
    NestedRule,
    /// An item of `Retry`.
    Retrier,
    /// An item of `Catch`.
    Catcher,
    /// An item of `Branches`.
    Branch,
    /// `ItemProcessor`, and its old name `Iterator`.
    ItemProcessor,
    ProcessorConfig,
    ItemReader,
    ReaderConfig,
    ItemBatcher,
    ResultWriter,
    WriterConfig,
    Credentials,
}

impl Place {
    /// All of them, in the order of the reference.
    pub const ALL: [Place; 22] = [
        Place::Machine,
        Place::Pass,
        Place::Task,
        Place::Choice,
        Place::Wait,
        Place::Succeed,
        Place::Fail,
        Place::Parallel,
        Place::Map,
        Place::Rule,
        Place::NestedRule,
        Place::Retrier,
        Place::Catcher,
        Place::Branch,
        Place::ItemProcessor,
        Place::ProcessorConfig,
        Place::ItemReader,
        Place::ReaderConfig,
        Place::ItemBatcher,
        Place::ResultWriter,
        Place::WriterConfig,
        Place::Credentials,
    ];

    /// What to call such an object in a sentence, with its article.
    pub fn phrase(self) -> &'static str {
        match self {
            Place::Machine => "a state machine",
            Place::Pass => "a Pass state",
            Place::Task => "a Task state",
            Place::Choice => "a Choice state",
            Place::Wait => "a Wait state",
            Place::Succeed => "a Succeed state",
            Place::Fail => "a Fail state",
            Place::Parallel => "a Parallel state",
            Place::Map => "a Map state",
            Place::Rule => "a Choice rule",
            Place::NestedRule => "a nested Choice rule",
            Place::Retrier => "a Retrier",
            Place::Catcher => "a Catcher",
            Place::Branch => "a branch",
            Place::ItemProcessor => "an ItemProcessor",
            Place::ProcessorConfig => "a ProcessorConfig",
            Place::ItemReader => "an ItemReader",
            Place::ReaderConfig => "a ReaderConfig",
            Place::ItemBatcher => "an ItemBatcher",
            Place::ResultWriter => "a ResultWriter",
            Place::WriterConfig => "a WriterConfig",
            Place::Credentials => "Credentials",
        }
    }

    /// The place of a state whose `Type` is this.
    pub fn of_state_type(name: &str) -> Option<Place> {
        let place = match name {
            "Pass" => Place::Pass,
            "Task" => Place::Task,
            "Choice" => Place::Choice,
            "Wait" => Place::Wait,
            "Succeed" => Place::Succeed,
            "Fail" => Place::Fail,
            "Parallel" => Place::Parallel,
            "Map" => Place::Map,
            _ => return None,
        };
        Some(place)
    }
}

/// The values of `Type`, in the order AWS lists them.
pub const STATE_TYPES: &[&str] = &["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];

/// The query languages a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Both.
    Both,
    /// JSONPath only.
    JsonPath,
    /// JSONata only.
    Jsonata,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A whole number in this range, ends included.
    Integer(u64, u64),
    /// A number in this range, ends included.
    Number(f64, f64),
    /// An RFC 3339 time with `T` and `Z` or an offset.
    Timestamp,
    /// The name of a state of the same workflow.
    StateName,
    /// The ARN of what is called.
    Resource,
    /// A path, or null for nothing at all.
    NullablePath,
    /// A reference path that names one place. The context object is not such a place.
    ReferencePath,
    /// A reference path, or a path into the context object or a variable.
    ItemsPath,
    /// A reference path into the input, or null for dropping the result.
    ResultPath,
    /// A path that finds one value to compare.
    ComparedPath,
    /// A path, or a call of an intrinsic function that returns text.
    TextExpression,
    /// A payload template: JSON in which members ending in `.$` are paths or intrinsic function calls.
    Template,
    /// Any JSON value in which strings may be `{% … %}`.
    JsonataValue,
    /// An object in which strings may be `{% … %}`, or one such string.
    JsonataObject,
    /// An array or object in which strings may be `{% … %}`, or one such string.
    JsonataItems,
    /// A payload template under JSONPath; any JSON value in which strings may be `{% … %}` under JSONata.
    Payload,
    /// Names of variables with their values, in the state's query language.
    Assignments,
    /// A boolean, or `{% … %}` that gives one.
    Condition,
    /// Any JSON value, taken as it is.
    Json,
    /// A list of error names.
    ErrorNames,
    /// A list of text.
    TextList,
    /// A JSON Pointer (RFC 6901).
    JsonPointer,
    /// An object of states by name.
    States,
    /// An object with the fields of this place.
    Object(Place),
    /// A list of objects with the fields of this place.
    List(Place),
}

/// One field in the places where it means the same.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    /// The query languages it is for.
    pub dialect: Dialect,
    /// What it takes.
    pub takes: FieldType,
    /// Whether it must be there (in its dialect).
    pub required: bool,
    /// Whether a JSONata state may give `{% … %}` instead.
    pub expression: bool,
    /// What it is for, in one line.
    pub doc: &'static str,
}

impl Field {
    const fn required(mut self) -> Field {
        self.required = true;
        self
    }

    const fn expression(mut self) -> Field {
        self.expression = true;
        self
    }
}

/// Fields of which an object may have only so many.
#[derive(Clone, Copy, Debug)]
pub struct FieldGroup {
    /// Where this holds.
    pub places: &'static [Place],
    /// The fields, in the order AWS lists them.
    pub fields: &'static [&'static str],
    /// How many of them there must be.
    pub rule: GroupRule,
}

/// How many fields of a group an object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRule {
    /// One or none.
    AtMostOne,
    /// One.
    ExactlyOne,
    /// One or more.
    AtLeastOne,
}

/// The row of this field in this place.
pub fn field(place: Place, name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name && field.places.contains(&place))
}

/// All rows of a place, in the table's order.
pub fn fields_of(place: Place) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.places.contains(&place))
}

/// All groups of a place.
pub fn groups_of(place: Place) -> impl Iterator<Item = &'static FieldGroup> {
    GROUPS.iter().filter(move |group| group.places.contains(&place))
}

const fn row(
    name: &'static str,
    places: &'static [Place],
    dialect: Dialect,
    takes: FieldType,
    doc: &'static str,
) -> Field {
    Field { name, places, dialect, takes, required: false, expression: false, doc }
}

const SECONDS: FieldType = FieldType::Integer(1, quota::SECONDS_MAX);
const ANY_COUNT: u64 = i32::MAX as u64;
const STATES: &[Place] =
    &[Place::Pass, Place::Task, Place::Choice, Place::Wait, Place::Succeed, Place::Fail, Place::Parallel, Place::Map];
const INPUT_STATES: &[Place] =
    &[Place::Pass, Place::Task, Place::Choice, Place::Wait, Place::Succeed, Place::Parallel, Place::Map];
const WORKING_STATES: &[Place] = &[Place::Task, Place::Parallel, Place::Map];
const MOVING_STATES: &[Place] = &[Place::Pass, Place::Task, Place::Wait, Place::Parallel, Place::Map];
const WORKFLOWS: &[Place] = &[Place::Machine, Place::Branch, Place::ItemProcessor];

use Dialect::{Both, JsonPath, Jsonata};
use FieldType as Takes;

/// Every field.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    // Workflows.
    row("Comment", WORKFLOWS, Both, Takes::Text, "A note for people."),
    row("StartAt", WORKFLOWS, Both, Takes::StateName, "The state to start with.").required(),
    row("States", WORKFLOWS, Both, Takes::States, "The states by name; names are unique in the whole machine.").required(),
    row("QueryLanguage", &[Place::Machine], Both, Takes::OneOf(&["JSONPath", "JSONata"]), "The language of all states that do not say otherwise; JSONPath when absent."),
    row("Version", &[Place::Machine], Both, Takes::OneOf(&["1.0"]), "The version of the States Language."),
    row("TimeoutSeconds", &[Place::Machine], Both, Takes::Integer(0, quota::SECONDS_MAX), "How long an execution may run before it fails with States.Timeout."),
    row("ProcessorConfig", &[Place::ItemProcessor], Both, Takes::Object(Place::ProcessorConfig), "How the iterations run; inline when absent."),

    // All states.
    row("Type", STATES, Both, Takes::OneOf(STATE_TYPES), "What kind of state this is.").required(),
    row("Comment", STATES, Both, Takes::Text, "A note for people."),
    row("QueryLanguage", STATES, Both, Takes::OneOf(&["JSONPath", "JSONata"]), "The language of this state; that of the machine when absent. A JSONata machine has no JSONPath states."),
    row("Next", MOVING_STATES, Both, Takes::StateName, "The state that follows."),
    row("End", MOVING_STATES, Both, Takes::Boolean, "True: the workflow ends after this state."),

    // Data flow.
    row("InputPath", INPUT_STATES, JsonPath, Takes::NullablePath, "The part of the state's input to work with; null for an empty object."),
    row("OutputPath", INPUT_STATES, JsonPath, Takes::NullablePath, "The part of the result to pass on; null for an empty object."),
    row("Parameters", &[Place::Pass, Place::Task, Place::Parallel], JsonPath, Takes::Template, "A template that makes what the state works on."),
    row("Parameters", &[Place::Map], JsonPath, Takes::Template, "The old name of ItemSelector."),
    row("ResultSelector", WORKING_STATES, JsonPath, Takes::Template, "A template that makes the result from what came back."),
    row("ResultPath", &[Place::Pass, Place::Task, Place::Parallel, Place::Map, Place::Catcher], JsonPath, Takes::ResultPath, "Where in the input the result goes; null drops it."),
    row("Result", &[Place::Pass], JsonPath, Takes::Json, "The result, as it is."),
    row("Arguments", &[Place::Task], Jsonata, Takes::JsonataObject, "What the task gets."),
    row("Arguments", &[Place::Parallel], Jsonata, Takes::JsonataValue, "What each branch gets as its input."),
    row("Output", &[Place::Pass, Place::Task, Place::Choice, Place::Wait, Place::Succeed, Place::Parallel, Place::Map, Place::Rule, Place::Catcher], Jsonata, Takes::JsonataValue, "What is passed on."),
    row("Assign", &[Place::Pass, Place::Task, Place::Choice, Place::Wait, Place::Parallel, Place::Map, Place::Rule, Place::Catcher], Both, Takes::Assignments, "Variables to set when the state is left this way."),

    // Task.
    row("Resource", &[Place::Task], Both, Takes::Resource, "What to call: a service integration, a Lambda function or an activity.").required(),
    row("Credentials", &[Place::Task], Both, Takes::Object(Place::Credentials), "The role to call it with."),
    row("TimeoutSeconds", &[Place::Task], Both, SECONDS, "How long the task may take before it fails with States.Timeout.").expression(),
    row("TimeoutSecondsPath", &[Place::Task], JsonPath, Takes::ReferencePath, "Where to find TimeoutSeconds."),
    row("HeartbeatSeconds", &[Place::Task], Both, SECONDS, "How long the task may be silent before it fails with States.HeartbeatTimeout.").expression(),
    row("HeartbeatSecondsPath", &[Place::Task], JsonPath, Takes::ReferencePath, "Where to find HeartbeatSeconds."),
    row("Retry", WORKING_STATES, Both, Takes::List(Place::Retrier), "When and how often to try again."),
    row("Catch", WORKING_STATES, Both, Takes::List(Place::Catcher), "Where to go when it failed for good."),
    row("RoleArn", &[Place::Credentials], Both, Takes::Text, "The role's ARN.").expression(),
    row("RoleArn.$", &[Place::Credentials], JsonPath, Takes::TextExpression, "Where to find the role's ARN."),

    // Choice.
    row("Choices", &[Place::Choice], Both, Takes::List(Place::Rule), "The rules, tried in order.").required(),
    row("Default", &[Place::Choice], Both, Takes::StateName, "The state to go to when no rule applies."),
    row("Comment", &[Place::Rule, Place::NestedRule], Both, Takes::Text, "A note for people."),
    row("Next", &[Place::Rule], Both, Takes::StateName, "The state to go to when the rule applies.").required(),
    row("Condition", &[Place::Rule], Jsonata, Takes::Condition, "Whether the rule applies.").required(),
    row("Variable", &[Place::Rule, Place::NestedRule], JsonPath, Takes::ComparedPath, "The value to test."),
    row("And", &[Place::Rule, Place::NestedRule], JsonPath, Takes::List(Place::NestedRule), "All of these must hold."),
    row("Or", &[Place::Rule, Place::NestedRule], JsonPath, Takes::List(Place::NestedRule), "One of these must hold."),
    row("Not", &[Place::Rule, Place::NestedRule], JsonPath, Takes::Object(Place::NestedRule), "This must not hold."),

    // Wait.
    row("Seconds", &[Place::Wait], Both, Takes::Integer(0, quota::SECONDS_MAX), "How long to wait.").expression(),
    row("SecondsPath", &[Place::Wait], JsonPath, Takes::ReferencePath, "Where to find Seconds."),
    row("Timestamp", &[Place::Wait], Both, Takes::Timestamp, "Until when to wait.").expression(),
    row("TimestampPath", &[Place::Wait], JsonPath, Takes::ReferencePath, "Where to find Timestamp."),

    // Fail.
    row("Error", &[Place::Fail], Both, Takes::Text, "The error's name.").expression(),
    row("ErrorPath", &[Place::Fail], JsonPath, Takes::TextExpression, "Where to find the error's name."),
    row("Cause", &[Place::Fail], Both, Takes::Text, "What happened, for people.").expression(),
    row("CausePath", &[Place::Fail], JsonPath, Takes::TextExpression, "Where to find the cause."),

    // Parallel and Map.
    row("Branches", &[Place::Parallel], Both, Takes::List(Place::Branch), "The workflows to run at once.").required(),
    row("ItemProcessor", &[Place::Map], Both, Takes::Object(Place::ItemProcessor), "The workflow to run for each item."),
    row("Iterator", &[Place::Map], Both, Takes::Object(Place::ItemProcessor), "The old name of ItemProcessor."),
    row("ItemsPath", &[Place::Map], JsonPath, Takes::ItemsPath, "Where to find the items; the whole input when absent."),
    row("Items", &[Place::Map], Jsonata, Takes::JsonataItems, "The items; the whole input when absent."),
    row("ItemSelector", &[Place::Map], Both, Takes::Payload, "What each iteration gets instead of its item."),
    row("MaxConcurrency", &[Place::Map], Both, Takes::Integer(0, ANY_COUNT), "How many iterations may run at once; 0 for as many as possible.").expression(),
    row("MaxConcurrencyPath", &[Place::Map], JsonPath, Takes::ReferencePath, "Where to find MaxConcurrency."),
    row("Label", &[Place::Map], Both, Takes::Text, "A name for the Map Run's ARN; 40 characters at most. Distributed only."),
    row("ToleratedFailureCount", &[Place::Map], Both, Takes::Integer(0, ANY_COUNT), "How many items may fail. Distributed only.").expression(),
    row("ToleratedFailureCountPath", &[Place::Map], JsonPath, Takes::ReferencePath, "Where to find ToleratedFailureCount."),
    row("ToleratedFailurePercentage", &[Place::Map], Both, Takes::Number(0.0, 100.0), "How many items in a hundred may fail. Distributed only.").expression(),
    row("ToleratedFailurePercentagePath", &[Place::Map], JsonPath, Takes::ReferencePath, "Where to find ToleratedFailurePercentage."),
    row("ItemReader", &[Place::Map], Both, Takes::Object(Place::ItemReader), "Reads the items from Amazon S3. Distributed only."),
    row("ItemBatcher", &[Place::Map], Both, Takes::Object(Place::ItemBatcher), "Gives each child execution several items. Distributed only."),
    row("ResultWriter", &[Place::Map], Both, Takes::Object(Place::ResultWriter), "Writes the results to Amazon S3. Distributed only."),
    row("Mode", &[Place::ProcessorConfig], Both, Takes::OneOf(&["INLINE", "DISTRIBUTED"]), "INLINE: iterations are part of this execution. DISTRIBUTED: each is a child execution."),
    row("ExecutionType", &[Place::ProcessorConfig], Both, Takes::OneOf(&["STANDARD", "EXPRESS"]), "The type of the child executions. Required for, and only for, DISTRIBUTED."),

    // ItemReader, ItemBatcher, ResultWriter.
    row("Resource", &[Place::ItemReader], Both, Takes::Resource, "s3:getObject for a file, s3:listObjectsV2 for a listing.").required(),
    row("Resource", &[Place::ResultWriter], Both, Takes::Resource, "s3:putObject."),
    row("Parameters", &[Place::ItemReader, Place::ResultWriter], JsonPath, Takes::Template, "Bucket and key, or bucket and prefix."),
    row("Arguments", &[Place::ItemReader, Place::ResultWriter], Jsonata, Takes::JsonataObject, "Bucket and key, or bucket and prefix."),
    row("ReaderConfig", &[Place::ItemReader], Both, Takes::Object(Place::ReaderConfig), "What is in the file."),
    row("InputType", &[Place::ReaderConfig], Both, Takes::OneOf(&["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"]), "The file's format."),
    row("Transformation", &[Place::ReaderConfig], Both, Takes::OneOf(&["NONE", "LOAD_AND_FLATTEN"]), "Whether the listed objects are read, or only listed."),
    row("ManifestType", &[Place::ReaderConfig], Both, Takes::OneOf(&["ATHENA_DATA", "S3_INVENTORY"]), "Whose manifest the file is."),
    row("CSVDelimiter", &[Place::ReaderConfig], Both, Takes::OneOf(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"]), "What stands between the values of a CSV line."),
    row("CSVHeaderLocation", &[Place::ReaderConfig], Both, Takes::OneOf(&["FIRST_ROW", "GIVEN"]), "Where the names of the CSV columns are."),
    row("CSVHeaders", &[Place::ReaderConfig], Both, Takes::TextList, "The names of the CSV columns, for GIVEN."),
    row("ItemsPointer", &[Place::ReaderConfig], Both, Takes::JsonPointer, "Where in a JSON file the items are."),
    row("MaxItems", &[Place::ReaderConfig], Both, Takes::Integer(0, 100_000_000), "How many items to read at most.").expression(),
    row("MaxItemsPath", &[Place::ReaderConfig], JsonPath, Takes::ReferencePath, "Where to find MaxItems."),
    row("MaxItemsPerBatch", &[Place::ItemBatcher], Both, Takes::Integer(0, ANY_COUNT), "How many items a batch has at most.").expression(),
    row("MaxItemsPerBatchPath", &[Place::ItemBatcher], JsonPath, Takes::ReferencePath, "Where to find MaxItemsPerBatch."),
    row("MaxInputBytesPerBatch", &[Place::ItemBatcher], Both, Takes::Integer(0, quota::PAYLOAD_BYTES_MAX as u64), "How large a batch is at most.").expression(),
    row("MaxInputBytesPerBatchPath", &[Place::ItemBatcher], JsonPath, Takes::ReferencePath, "Where to find MaxInputBytesPerBatch."),
    row("BatchInput", &[Place::ItemBatcher], Both, Takes::Payload, "What every batch gets besides its items."),
    row("WriterConfig", &[Place::ResultWriter], Both, Takes::Object(Place::WriterConfig), "How the results are written."),
    row("OutputType", &[Place::WriterConfig], Both, Takes::OneOf(&["JSON", "JSONL"]), "The format of the result files."),
    row("Transformation", &[Place::WriterConfig], Both, Takes::OneOf(&["NONE", "COMPACT", "FLATTEN"]), "How much of each child execution is written."),

    // Retriers and Catchers.
    row("ErrorEquals", &[Place::Retrier, Place::Catcher], Both, Takes::ErrorNames, "The errors it is for; States.ALL stands alone and last.").required(),
    row("Comment", &[Place::Retrier, Place::Catcher], Both, Takes::Text, "A note for people."),
    row("IntervalSeconds", &[Place::Retrier], Both, Takes::Integer(0, quota::SECONDS_MAX), "How long to wait before the first retry; 1 when absent."),
    row("MaxAttempts", &[Place::Retrier], Both, Takes::Integer(0, quota::SECONDS_MAX), "How many retries there may be; 3 when absent, 0 for none."),
    row("BackoffRate", &[Place::Retrier], Both, Takes::Number(1.0, f64::MAX), "By how much the wait grows from retry to retry; 2.0 when absent."),
    row("MaxDelaySeconds", &[Place::Retrier], Both, Takes::Integer(1, quota::RETRY_DELAY_SECONDS_MAX), "How long the wait may grow."),
    row("JitterStrategy", &[Place::Retrier], Both, Takes::OneOf(&["NONE", "FULL"]), "FULL: each wait is drawn at random up to what it would be."),
    row("Next", &[Place::Catcher], Both, Takes::StateName, "The state to go to.").required(),
];

const fn at_most_one(places: &'static [Place], fields: &'static [&'static str]) -> FieldGroup {
    FieldGroup { places, fields, rule: GroupRule::AtMostOne }
}

const fn exactly_one(places: &'static [Place], fields: &'static [&'static str]) -> FieldGroup {
    FieldGroup { places, fields, rule: GroupRule::ExactlyOne }
}

const fn at_least_one(places: &'static [Place], fields: &'static [&'static str]) -> FieldGroup {
    FieldGroup { places, fields, rule: GroupRule::AtLeastOne }
}

/// Every group.
#[rustfmt::skip]
pub const GROUPS: &[FieldGroup] = &[
    exactly_one(MOVING_STATES, &["Next", "End"]),
    exactly_one(&[Place::Wait], &["SecondsPath", "Seconds", "TimestampPath", "Timestamp"]),
    at_most_one(&[Place::Task], &["TimeoutSeconds", "TimeoutSecondsPath"]),
    at_most_one(&[Place::Task], &["HeartbeatSeconds", "HeartbeatSecondsPath"]),
    exactly_one(&[Place::Credentials], &["RoleArn", "RoleArn.$"]),
    at_most_one(&[Place::Fail], &["Error", "ErrorPath"]),
    at_most_one(&[Place::Fail], &["Cause", "CausePath"]),
    exactly_one(&[Place::Map], &["ItemProcessor", "Iterator"]),
    at_most_one(&[Place::Map], &["Items", "ItemsPath"]),
    at_most_one(&[Place::Map], &["ItemSelector", "Parameters"]),
    at_most_one(&[Place::Map], &["MaxConcurrency", "MaxConcurrencyPath"]),
    at_most_one(&[Place::Map], &["ToleratedFailureCount", "ToleratedFailureCountPath"]),
    at_most_one(&[Place::Map], &["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"]),
    at_most_one(&[Place::ReaderConfig], &["MaxItems", "MaxItemsPath"]),
    at_most_one(&[Place::ItemBatcher], &["MaxItemsPerBatch", "MaxItemsPerBatchPath"]),
    at_most_one(&[Place::ItemBatcher], &["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"]),
    at_least_one(&[Place::ItemBatcher], &["MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"]),
    at_least_one(&[Place::ResultWriter], &["WriterConfig", "Resource"]),
    exactly_one(&[Place::Rule, Place::NestedRule], &["And", "Or", "Not", "Variable", "Condition"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_row_per_place() {
        for place in Place::ALL {
            let rows: Vec<&str> = fields_of(place).map(|field| field.name).collect();
            for (index, name) in rows.iter().enumerate() {
                assert!(!rows[..index].contains(name), "{name} stands twice in {}", place.phrase());
            }
            assert!(!rows.is_empty(), "{} has no fields", place.phrase());
        }
    }

    #[test]
    fn groups_name_fields_of_their_places() {
        for group in GROUPS {
            for place in group.places {
                for name in group.fields {
                    let condition_is_outermost = *name == "Condition" && *place == Place::NestedRule;
                    assert!(condition_is_outermost || field(*place, name).is_some(), "{name} in {}", place.phrase());
                }
            }
        }
    }

    #[test]
    fn path_twins_belong_to_jsonpath_and_have_a_sibling() {
        for field_row in FIELDS.iter().filter(|field| field.takes == FieldType::ReferencePath) {
            assert_eq!(field_row.dialect, Dialect::JsonPath, "{}", field_row.name);
            let sibling = field_row.name.trim_end_matches("Path");
            assert!(field_row.places.iter().all(|place| field(*place, sibling).is_some()), "{sibling}");
        }
    }

    #[test]
    fn state_types_are_places() {
        for name in STATE_TYPES {
            assert!(Place::of_state_type(name).is_some_and(|place| field(place, "Type").is_some()), "{name}");
        }
    }
}
