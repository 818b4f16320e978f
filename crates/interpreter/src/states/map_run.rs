//! Map in distributed mode: each item or batch becomes a child execution.
//!
//! ```text
//! enter ----------------> MapStateEntered, MapStateStarted, MapRunStarted; OutsideNamed, and as far as that says so
//!   a ResultWriter -----> WriteResults: a trial, answered by results written
//!   an ItemReader ------> ReadItems, answered by items read: ItemsRead, StartMapRun, and ReadItems again
//!   the items are there > StartMapRun
//! the children ended ---> MapRunSucceeded, MapStateSucceeded, MapStateExited -> Next | End
//!   with a ResultWriter > ResultsDue, WriteResults; the rest when the results are written
//! the run failed -------> StopMapRun, MapRunFailed; retried, caught, or MapStateFailed
//! stopped --------------> StopMapRun, MapRunAborted, MapStateAborted
//! redriven -------------> MapRunRedriven, StartMapRun: for the children that did not succeed
//! ```
//!
//! What the children are is decided here; running them, and counting their failures, is the engine's. Items that come from
//! outside come in parts: each is recorded before its children start, and only then the next is asked for.

use stepwell_asl::{Distributed, ItemBatcher, ItemReader, Map, Payload, ResultWriter, Setting, State, StateKind};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{
    Event, ItemsRead, MapRunFailed, MapRunRedriven, MapRunStarted, MapStateStarted, OutsideNamed, ResultsDue, Text,
    Timestamp, error,
};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::effect::{Effect, ResultsRequest};
use crate::execution::{MapItems, Stage, ThreadId, Work};
use crate::failure::Failure;
use crate::moment::{Chance, Moment};
use crate::query::{self, Location};
use crate::rehearsal::Rehearsal;
use crate::scope::{States, Surroundings};
use crate::states::map;

/// Where a Map Run's items come from and where its results go.
struct Sources {
    effective_input: Json,
    /// The items that are here.
    items: Json,
    /// What is asked of the reader for those that are not.
    reader_arguments: Option<Json>,
    max_items: MaxItems,
    writer_arguments: Option<Json>,
}

/// `MaxItems`, or why what the definition says is no such number. That fails the Map Run, as seen on AWS.
enum MaxItems {
    Of(u64),
    Unfit(Failure),
}

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, map: &Map, distributed: &Distributed) {
    let sources = match sources(&burst.around(thread), state, map, distributed) {
        Ok(sources) => sources,
        Err(failure) => return burst.fail(thread, failure),
    };
    let started = MapStateStarted {
        length: MapItems::count(&sources.items) as u64,
        items: sources.items.clone(),
        effective_input: sources.effective_input.clone(),
        max_concurrency: 0,
    };
    burst.record_next(thread, Event::MapStateStarted(started));
    match prepare(&burst.around(thread), state, map, distributed, &sources) {
        Ok(started) => {
            burst.record_next(thread, Event::MapRunStarted(started));
            if sources.reader_arguments.is_some() || sources.writer_arguments.is_some() {
                let named = OutsideNamed {
                    reader_arguments: sources.reader_arguments,
                    max_items: match sources.max_items {
                        MaxItems::Of(max) => Some(max),
                        MaxItems::Unfit(_) => None,
                    },
                    writer_arguments: sources.writer_arguments,
                };
                burst.record_next(thread, Event::OutsideNamed(named));
            }
            match sources.max_items {
                MaxItems::Of(_) => ask_outside(burst, thread),
                MaxItems::Unfit(failure) => fail(burst, thread, failure),
            }
        }
        Err(failure) => burst.fail(thread, failure),
    }
}

/// The execution is redriven, and with it the Map Run that failed: its children that did not succeed run again.
pub(crate) fn redrive(burst: &mut Burst<'_>, thread: ThreadId) {
    let Work::MapRunOver(run) = &burst.execution.active(thread).work else { return };
    let request = &run.request;
    let redriven = MapRunRedriven { map_run_arn: request.arn.clone(), redrive_count: request.redrive_count + 1 };
    let effective_input = run.effective_input.clone();
    burst.record_next(thread, Event::MapRunRedriven(redriven));
    let definition = burst.definition();
    let reader = definition
        .state(burst.execution.active(thread).state)
        .kind
        .distributed_map()
        .and_then(|(_, distributed)| distributed.item_reader.as_ref());
    match reader.map(|reader| max_items(&burst.around(thread), reader, &effective_input)) {
        Some(Ok(MaxItems::Unfit(failure)) | Err(failure)) => fail(burst, thread, failure),
        Some(Ok(MaxItems::Of(_))) | None => ask_outside(burst, thread),
    }
}

/// Asks for what the Map Run waits for.
fn ask_outside(burst: &mut Burst<'_>, thread: ThreadId) {
    let mut effects = Vec::new();
    burst.execution.active(thread).obligations(thread, &mut effects);
    for effect in effects {
        burst.effect(effect);
    }
}

/// The next items are here.
pub(crate) fn items_read(burst: &mut Burst<'_>, thread: ThreadId, items: &Json, next: Option<Json>) {
    match taken(burst, thread, items, next) {
        Ok(Some(read)) => {
            burst.record_next(thread, Event::ItemsRead(read));
            ask_outside(burst, thread);
        }
        Ok(None) => {}
        Err(failure) => fail(burst, thread, failure),
    }
}

/// What becomes of these items: inputs of children, and a rest that waits for its batch to be full.
fn taken(burst: &Burst<'_>, thread: ThreadId, items: &Json, next: Option<Json>) -> Result<Option<ItemsRead>, Failure> {
    let definition = burst.definition();
    let active = burst.execution.active(thread);
    let Work::MapRun(run) = &active.work else { return Ok(None) };
    let (Some(reading), Some((map, distributed))) =
        (&run.reading, definition.state(active.state).kind.distributed_map())
    else {
        return Ok(None);
    };
    let count = MapItems::count(items);
    let wanted = reading.request.max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let is_last = next.is_none() || count >= wanted;
    let around = burst.around(thread);
    let source = source(&reading.request.task.input);
    let items =
        MapItems { items: items.clone(), effective_input: run.effective_input.clone(), max_concurrency: 0, next: 0 };
    let read = map::Part { first: reading.read, count: count.min(wanted), source: Some(&source) };
    let mut inputs = reading.open.clone();
    inputs.extend(map::item_inputs(&around, map, &items, &read)?);
    let mut open = Vec::new();
    if let Some(batcher) = &distributed.item_batcher {
        (inputs, open) = batches(&around, batcher, &run.effective_input, inputs, is_last)?;
    }
    Ok(Some(ItemsRead {
        inputs: Json::array(inputs),
        read: reading.read + count.min(wanted) as u64,
        open: Json::array(open),
        next: next.filter(|_| !is_last),
    }))
}

/// The children have ended.
pub(crate) fn children_ended(burst: &mut Burst<'_>, thread: ThreadId, outcome: Result<Json, Failure>) {
    let Work::MapRun(run) = &burst.execution.active(thread).work else { return };
    let (key, is_reading, writes) = (run.request.key, run.is_reading(), run.results.is_some());
    if is_reading {
        burst.effect(Effect::CancelTask(key));
    }
    match outcome {
        outcome if writes => {
            let failure = outcome.err().unwrap_or_default();
            let due = ResultsDue { error: failure.error, cause: failure.cause };
            burst.record_next(thread, Event::ResultsDue(due));
            ask_outside(burst, thread);
        }
        Ok(outputs) => succeed(burst, thread, &outputs),
        Err(failure) => failed(burst, thread, failure),
    }
}

/// The results are written, or it was tried whether they could be.
pub(crate) fn results_written(burst: &mut Burst<'_>, thread: ThreadId, outcome: Result<(), Failure>) {
    let Work::MapRun(run) = &burst.execution.active(thread).work else { return };
    let Stage::Writing { failure } = &run.stage else {
        return match outcome {
            Ok(()) => {
                burst.record_next(thread, Event::DestinationTried);
                ask_outside(burst, thread);
            }
            Err(failure) => {
                // Seen on AWS.
                let fault = format!(
                    "Failed to write a test manifest into the specified output bucket. {}",
                    failure.cause.as_deref().unwrap_or_default()
                );
                let failure = burst.around(thread).failure(error::RESULT_WRITER_FAILED, fault.trim_end());
                fail(burst, thread, failure);
            }
        };
    };
    let (failure, key) = (failure.clone(), run.request.key);
    let details = run.results.as_ref().map(written_details).unwrap_or(Json::Null);
    burst.effect(Effect::StopMapRun(key));
    match failure.map_or(outcome, Err) {
        Ok(()) => succeed(burst, thread, &details),
        Err(failure) => failed(burst, thread, failure),
    }
}

fn succeed(burst: &mut Burst<'_>, thread: ThreadId, outputs: &Json) {
    let definition = burst.definition();
    let state = definition.state(burst.execution.active(thread).state);
    let StateKind::Map(map) = &state.kind else { return };
    burst.record_next(thread, Event::MapRunSucceeded);
    burst.record_next(thread, Event::MapStateSucceeded);
    let leaving = data_flow::leave_with_result(&burst.around(thread), state, outputs, onward(map.transition));
    burst.leave(thread, leaving);
}

/// Fails a Map Run that is not over: what it waits for is not wanted any more.
pub(crate) fn fail(burst: &mut Burst<'_>, thread: ThreadId, failure: Failure) {
    let Work::MapRun(run) = &burst.execution.active(thread).work else { return };
    let (key, is_reading) = (run.request.key, run.is_reading());
    if is_reading {
        burst.effect(Effect::CancelTask(key));
    }
    burst.effect(Effect::StopMapRun(key));
    failed(burst, thread, failure);
}

fn failed(burst: &mut Burst<'_>, thread: ThreadId, failure: Failure) {
    let failed = MapRunFailed { error: failure.error.clone(), cause: failure.cause.clone() };
    burst.record_next(thread, Event::MapRunFailed(failed));
    burst.fail(thread, failure);
}

/// The key of a result file: below `Prefix`, in a folder named by the Map Run's own id.
pub fn result_key(request: &ResultsRequest, file: &str) -> String {
    let prefix = request.task.input.get("Prefix").and_then(Json::as_str).unwrap_or_default();
    let run = request.map_run_arn.rsplit(':').next().unwrap_or_default();
    match prefix.strip_suffix('/').unwrap_or(prefix) {
        "" => format!("{run}/{file}"),
        prefix => format!("{prefix}/{run}/{file}"),
    }
}

/// What the state's output is when its results are elsewhere.
fn written_details(request: &ResultsRequest) -> Json {
    let mut details = ObjectBuilder::with_capacity(2);
    details.insert("Bucket", request.task.input.get("Bucket").cloned().unwrap_or(Json::Null));
    details.insert("Key", Json::from(result_key(request, "manifest.json")));
    Json::object([
        ("MapRunArn", Json::String(request.map_run_arn.clone())),
        ("ResultWriterDetails", Json::Object(details.build())),
    ])
}

/// `$$.Map.Item.Source` of items that a reader has read.
fn source(reader_arguments: &Json) -> Text {
    let argument = |name: &str| reader_arguments.get(name).and_then(Json::as_str);
    let bucket = argument("Bucket").unwrap_or_default();
    match argument("Key") {
        Some(key) => format!("S3://{bucket}/{key}").into(),
        None => format!("S3://{bucket}").into(),
    }
}

fn sources(around: &Surroundings<'_>, state: &State, map: &Map, distributed: &Distributed) -> Result<Sources, Failure> {
    let effective = data_flow::effective_input(around, state)?;
    let (mut reader_arguments, mut max_items_asked) = (None, MaxItems::Of(0));
    let items = match (&distributed.item_reader, around.rehearsal) {
        (None, _) => map::items(around, map, &effective)?,
        (Some(reader), Some(rehearsal)) => rehearsed_items(around, rehearsal, reader, &effective)?,
        // Seen on AWS: what ItemsPath says does not matter then.
        (Some(reader), None) => {
            reader_arguments = Some(arguments(around, "ItemReader", reader.arguments.as_ref(), &effective)?);
            max_items_asked = max_items(around, reader, &effective)?;
            Json::array(Vec::new())
        }
    };
    let writer_arguments = match &distributed.result_writer {
        Some(ResultWriter { resource: Some(_), arguments: given, .. }) if around.rehearsal.is_none() => {
            Some(arguments(around, "ResultWriter", given.as_ref(), &effective)?)
        }
        Some(_) | None => None,
    };
    Ok(Sources { effective_input: effective, items, reader_arguments, max_items: max_items_asked, writer_arguments })
}

/// `Parameters` or `Arguments` of a reader or writer.
fn arguments(
    around: &Surroundings<'_>,
    field: &str,
    given: Option<&Payload>,
    effective: &Json,
) -> Result<Json, Failure> {
    match given {
        None => Ok(Json::empty_object()),
        Some(Payload::Template(template)) => data_flow::evaluate_payload_template(around, template, effective),
        Some(Payload::Query(template)) => {
            let field = Location::Field(field);
            let location = Location::Member(&field, "Arguments");
            query::evaluate_template(template, &location, &States::new(around, effective))
        }
    }
}

/// The texts are recorded. A number may stand in a text, where a path leads to it.
fn max_items(around: &Surroundings<'_>, reader: &ItemReader, effective: &Json) -> Result<MaxItems, Failure> {
    let unfit = |cause: &str| MaxItems::Unfit(Failure::new(error::ITEM_READER_FAILED, cause));
    const NEGATIVE: &str = "field MaxItems must be positive";
    let whole = |value: &Json| match value {
        Json::Number(number) => number.as_integral().map(i128::from),
        Json::String(text) => text.parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    let asked = match &reader.max_items {
        None => 0,
        Some(Setting::Literal(max)) => i128::from(*max),
        Some(Setting::Path(path)) => {
            let value = data_flow::read_setting_path(around, path, effective)?;
            match whole(&value) {
                Some(max) => max,
                None => {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    return Ok(unfit(&format!(
                        "The MaxItemsPath field refers to value \"{shown}\" which is not a valid integer: {}",
                        path.text()
                    )));
                }
            }
        }
        Some(setting @ Setting::Query(query)) => {
            let value = query::evaluate(query, &Location::Field("MaxItems"), &States::new(around, effective))?;
            match whole(&value).filter(|max| *max < 0 && value.as_number().is_some()) {
                Some(max) => max,
                None => i128::from(data_flow::count_setting(around, setting, "MaxItems", effective)?),
            }
        }
    };
    Ok(u64::try_from(asked).map_or_else(|_| unfit(NEGATIVE), MaxItems::Of))
}

/// The items a test gives in the place of what would be read. What would be asked for is evaluated all the same.
fn rehearsed_items(
    around: &Surroundings<'_>,
    rehearsal: &Rehearsal,
    reader: &ItemReader,
    effective: &Json,
) -> Result<Json, Failure> {
    arguments(around, "ItemReader", reader.arguments.as_ref(), effective)?;
    let max_items = match max_items(around, reader, effective)? {
        MaxItems::Of(0) => usize::MAX,
        MaxItems::Of(max) => usize::try_from(max).unwrap_or(usize::MAX),
        MaxItems::Unfit(failure) => return Err(failure),
    };
    Ok(match &rehearsal.items {
        Some(Json::Array(items)) => Json::array(items.iter().take(max_items).cloned().collect()),
        Some(Json::Object(members)) => {
            Json::object(members.iter().take(max_items).map(|(name, value)| (name.clone(), value.clone())))
        }
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) | None => Json::array(Vec::new()),
    })
}

fn prepare(
    around: &Surroundings<'_>,
    state: &State,
    map: &Map,
    distributed: &Distributed,
    sources: &Sources,
) -> Result<MapRunStarted, Failure> {
    let effective_input = &sources.effective_input;
    let max_concurrency = match &map.max_concurrency {
        Some(setting) => data_flow::count_setting(around, setting, "MaxConcurrency", effective_input)?,
        None => 0,
    };
    around.observe(|seen| seen.max_concurrency = Some(max_concurrency));
    let tolerated_failure_count = tolerated_count(around, distributed, effective_input)?;
    around.observe(|seen| seen.tolerated_failure_count = tolerated_failure_count);
    let tolerated_failure_percentage = tolerated_percentage(around, distributed, effective_input)?;
    around.observe(|seen| seen.tolerated_failure_percentage = tolerated_failure_percentage);
    let (items, effective_input) = (sources.items.clone(), effective_input.clone());
    let items = MapItems { items, effective_input, max_concurrency, next: 0 };
    let state_data = Text::from("STATE_DATA");
    let all = map::Part { first: 0, count: MapItems::count(&items.items), source: Some(&state_data) };
    let mut inputs = map::item_inputs(around, map, &items, &all)?;
    if let Some(batcher) = &distributed.item_batcher {
        (inputs, _) = batches(around, batcher, &items.effective_input, inputs, true)?;
        around.observe(|seen| seen.after_item_batcher = Some(Json::array(inputs.clone())));
    }
    let identity = &around.execution.identity;
    let (machine, run) = (&identity.state_machine_arn, around.chance.uuid());
    let label = map_label(distributed, &state.name);
    let map_run_arn = format!("{}/{label}:{run}", machine.replacen(":stateMachine:", ":mapRun:", 1)).into();
    Ok(MapRunStarted {
        map_run_arn,
        inputs: Json::array(inputs),
        max_concurrency,
        tolerated_failure_count,
        tolerated_failure_percentage,
    })
}

fn tolerated_count(
    around: &Surroundings<'_>,
    distributed: &Distributed,
    effective: &Json,
) -> Result<Option<u64>, Failure> {
    let Some(setting) = &distributed.tolerated_failure_count else { return Ok(None) };
    if let Setting::Path(path) = setting {
        let value = data_flow::read_setting_path(around, path, effective)?;
        if value.as_number().is_some_and(|number| number.as_f64() < 0.0) {
            return Err(around.runtime_failure("ToleratedFailureCount cannot be negative."));
        }
    }
    data_flow::count_setting(around, setting, "ToleratedFailureCount", effective).map(Some)
}

fn tolerated_percentage(
    around: &Surroundings<'_>,
    distributed: &Distributed,
    effective: &Json,
) -> Result<Option<f64>, Failure> {
    let percentage = match &distributed.tolerated_failure_percentage {
        None => return Ok(None),
        Some(Setting::Literal(percentage)) => *percentage,
        Some(Setting::Path(path)) => {
            let value = data_flow::read_setting_path(around, path, effective)?;
            value.as_f64().ok_or_else(|| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                around.runtime_failure(&format!(
                    "The ToleratedFailurePercentagePath field refers to value \"{shown}\" which is not a valid float: {}",
                    path.text()
                ))
            })?
        }
        Some(Setting::Query(expression)) => {
            let states = States::new(around, effective);
            let location = Location::Field("ToleratedFailurePercentage");
            let value = query::evaluate(expression, &location, &states)?;
            value.as_f64().ok_or_else(|| query::wrong_type(expression, &location, "number", &value, &states))?
        }
    };
    if (0.0..=100.0).contains(&percentage) {
        Ok(Some(percentage))
    } else {
        Err(around.runtime_failure("ToleratedFailurePercentage must be between 0 and 100."))
    }
}

/// `ItemBatcher`: each batch becomes `{"BatchInput": …, "Items": […]}`, as full as its limits allow. Unless these are the
/// last items, those at the end are left over: more may fit into their batch.
fn batches(
    around: &Surroundings<'_>,
    batcher: &ItemBatcher,
    effective: &Json,
    inputs: Vec<Json>,
    is_last: bool,
) -> Result<(Vec<Json>, Vec<Json>), Failure> {
    let limit = |setting: &Option<Setting<u64>>, field: &str| {
        let value = setting.as_ref().map(|setting| data_flow::count_setting(around, setting, field, effective));
        value.transpose()
    };
    let items_max = limit(&batcher.max_items_per_batch, "MaxItemsPerBatch")?.unwrap_or(u64::MAX).max(1);
    let bytes_max = limit(&batcher.max_input_bytes_per_batch, "MaxInputBytesPerBatch")?.unwrap_or(u64::MAX);
    let bytes_max = bytes_max.min(around.execution.settings.payload_bytes_max as u64);
    let batch_input = match &batcher.batch_input {
        None => None,
        Some(Payload::Template(template)) => Some(data_flow::evaluate_payload_template(around, template, effective)?),
        Some(Payload::Query(template)) => {
            let batcher = Location::Field("ItemBatcher");
            let location = Location::Member(&batcher, "BatchInput");
            Some(query::evaluate_template(template, &location, &States::new(around, effective))?)
        }
    };
    let batch = |items: Vec<Json>| {
        let input = batch_input.iter().map(|input| ("BatchInput", input.clone()));
        Json::object(input.chain([("Items", Json::array(items))]))
    };
    let frame_bytes = batch(Vec::new()).serialized_bytes() as u64;
    let mut batches = Vec::new();
    let (mut open, mut open_bytes) = (Vec::new(), frame_bytes);
    for item in inputs {
        let bytes = item.serialized_bytes() as u64 + 1;
        if !open.is_empty() && (open.len() as u64 == items_max || open_bytes + bytes > bytes_max) {
            batches.push(batch(std::mem::take(&mut open)));
            open_bytes = frame_bytes;
        }
        open.push(item);
        open_bytes += bytes;
    }
    let is_full = open.len() as u64 == items_max;
    if !open.is_empty() && (is_last || is_full) {
        batches.push(batch(std::mem::take(&mut open)));
    }
    Ok((batches, open))
}

/// The label of a distributed Map state: what its Map Runs, and its item processor as a state machine, are called.
pub fn map_label(distributed: &Distributed, state_name: &str) -> Text {
    distributed.label.clone().unwrap_or_else(|| generated_label(state_name))
}

/// A label for a Map state that has none, as AWS makes one: a UUID, here the same each time for the same state.
fn generated_label(state_name: &str) -> Text {
    // FNV-1a: any function of the name will do that spreads.
    let hash = state_name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    Chance::new(Moment { now: Timestamp(0), entropy: hash }).uuid().into()
}
