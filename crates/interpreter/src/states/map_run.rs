//! Map in distributed mode: each item or batch becomes a child execution.
//!
//! ```text
//! enter -------------> MapStateEntered, MapStateStarted, MapRunStarted, StartMapRun
//! the run succeeded -> MapRunSucceeded, MapStateSucceeded, MapStateExited -> Next | End
//! the run failed ----> MapRunFailed; retried, caught, or MapStateFailed
//! stopped -----------> StopMapRun, MapRunAborted, MapStateAborted
//! redriven ----------> MapRunRedriven, StartMapRun: for the children that did not succeed
//! ```
//!
//! What the children are is decided here; running them, and counting their failures, is the engine's.

use stepwell_asl::{Distributed, ItemBatcher, ItemReader, Map, Payload, Setting, State, StateKind};
use stepwell_json::Json;
use stepwell_spec::{Event, MapRunFailed, MapRunRedriven, MapRunStarted, MapStateStarted, Text, Timestamp, error};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::execution::{MapItems, ThreadId, Work};
use crate::failure::Failure;
use crate::moment::{Chance, Moment};
use crate::query::{self, Location};
use crate::rehearsal::Rehearsal;
use crate::scope::{States, Surroundings};
use crate::states::map;

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, map: &Map, distributed: &Distributed) {
    let around = burst.around(thread);
    let items = data_flow::effective_input(&around, state)
        .and_then(|effective| Ok((read_items(&around, map, distributed, &effective)?, effective)));
    let (items, effective_input) = match items {
        Ok(read) => read,
        Err(failure) => return burst.fail(thread, failure),
    };
    let length = MapItems::count(&items) as u64;
    let started =
        MapStateStarted { length, items: items.clone(), effective_input: effective_input.clone(), max_concurrency: 0 };
    burst.record_next(thread, Event::MapStateStarted(started));
    match prepare(&burst.around(thread), state, map, distributed, items, &effective_input) {
        Ok(started) => {
            burst.record_next(thread, Event::MapRunStarted(started));
            ask_for_children(burst, thread);
        }
        Err(failure) => burst.fail(thread, failure),
    }
}

/// The execution is redriven, and with it the Map Run that failed: its children that did not succeed run again.
pub(crate) fn redrive(burst: &mut Burst<'_>, thread: ThreadId) {
    let Work::MapRunOver(request) = &burst.execution.active(thread).work else { return };
    let redriven = MapRunRedriven { map_run_arn: request.arn.clone(), redrive_count: request.redrive_count + 1 };
    burst.record_next(thread, Event::MapRunRedriven(redriven));
    ask_for_children(burst, thread);
}

fn ask_for_children(burst: &mut Burst<'_>, thread: ThreadId) {
    let mut effects = Vec::new();
    burst.execution.active(thread).obligations(thread, &mut effects);
    for effect in effects {
        burst.effect(effect);
    }
}

/// The children have ended.
pub(crate) fn resume(burst: &mut Burst<'_>, thread: ThreadId, outcome: Result<Json, Failure>) {
    let definition = burst.definition();
    let state = definition.state(burst.execution.active(thread).state);
    let StateKind::Map(map) = &state.kind else { return };
    match outcome {
        Ok(outputs) => {
            burst.record_next(thread, Event::MapRunSucceeded);
            burst.record_next(thread, Event::MapStateSucceeded);
            let leaving = data_flow::leave_with_result(&burst.around(thread), state, &outputs, onward(map.transition));
            burst.leave(thread, leaving);
        }
        Err(failure) => {
            let failed = MapRunFailed { error: failure.error.clone(), cause: failure.cause.clone() };
            burst.record_next(thread, Event::MapRunFailed(failed));
            burst.fail(thread, failure);
        }
    }
}

fn read_items(
    around: &Surroundings<'_>,
    map: &Map,
    distributed: &Distributed,
    effective: &Json,
) -> Result<Json, Failure> {
    if let Some(reader) = &distributed.item_reader {
        if let Some(rehearsal) = around.rehearsal {
            return rehearsed_items(around, rehearsal, reader, effective);
        }
        return Err(Failure::new(error::ITEM_READER_FAILED, "There is no service here to read the items from."));
    }
    map::items(around, map, effective)
}

/// The items a test gives in the place of what would be read. What would be asked for is evaluated all the same.
fn rehearsed_items(
    around: &Surroundings<'_>,
    rehearsal: &Rehearsal,
    reader: &ItemReader,
    effective: &Json,
) -> Result<Json, Failure> {
    match &reader.arguments {
        None => {}
        Some(Payload::Template(template)) => {
            data_flow::evaluate_payload_template(around, template, effective)?;
        }
        Some(Payload::Query(template)) => {
            let reader = Location::Field("ItemReader");
            let location = Location::Member(&reader, "Arguments");
            query::evaluate_template(template, &location, &States::new(around, effective))?;
        }
    }
    let max_items = reader.config.max_items.as_ref();
    let max_items = max_items.map(|max| data_flow::count_setting(around, max, "MaxItems", effective)).transpose()?;
    let max_items = max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
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
    items: Json,
    effective_input: &Json,
) -> Result<MapRunStarted, Failure> {
    let max_concurrency = match &map.max_concurrency {
        Some(setting) => data_flow::count_setting(around, setting, "MaxConcurrency", effective_input)?,
        None => 0,
    };
    around.observe(|seen| seen.max_concurrency = Some(max_concurrency));
    let tolerated_failure_count = tolerated_count(around, distributed, effective_input)?;
    around.observe(|seen| seen.tolerated_failure_count = tolerated_failure_count);
    let tolerated_failure_percentage = tolerated_percentage(around, distributed, effective_input)?;
    around.observe(|seen| seen.tolerated_failure_percentage = tolerated_failure_percentage);
    let items = MapItems { items, effective_input: effective_input.clone(), max_concurrency, next: 0 };
    let mut inputs = map::item_inputs(around, map, &items)?;
    if let Some(batcher) = &distributed.item_batcher {
        inputs = batches(around, batcher, effective_input, inputs)?;
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

/// `ItemBatcher`: each batch becomes `{"BatchInput": …, "Items": […]}`, as full as its limits allow.
fn batches(
    around: &Surroundings<'_>,
    batcher: &ItemBatcher,
    effective: &Json,
    inputs: Vec<Json>,
) -> Result<Vec<Json>, Failure> {
    let limit = |setting: &Option<Setting<u64>>, field: &str| {
        let value = setting.as_ref().map(|setting| data_flow::count_setting(around, setting, field, effective));
        value.transpose()
    };
    let items_max = limit(&batcher.max_items_per_batch, "MaxItemsPerBatch")?.unwrap_or(u64::MAX).max(1);
    let bytes_max = limit(&batcher.max_input_bytes_per_batch, "MaxInputBytesPerBatch")?.unwrap_or(u64::MAX);
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
    if !open.is_empty() {
        batches.push(batch(open));
    }
    Ok(batches)
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
