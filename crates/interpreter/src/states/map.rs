//! Map: runs one workflow for each item and leaves with all their outputs, in the items' order.
//!
//! ```text
//! enter ----------------------> MapStateEntered, MapStateStarted, MapIterationStarted per free slot
//! an iteration ended ---------> MapIterationSucceeded; the next one starts, or MapStateSucceeded, MapStateExited
//! an iteration failed --------> MapIterationFailed; the others are aborted; retried, caught, or MapStateFailed
//! ```
//!
//! Free slots are what `MaxConcurrency` leaves over the iterations that run: derived, never counted apart.

use stepwell_asl::{InputPath, Items, Map, Payload, State, StateKind};
use stepwell_json::Json;
use stepwell_spec::{Event, MapIterationStarted, MapIterationSucceeded, MapStateStarted, Text};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::execution::{Item, MapItems, ThreadId, Work};
use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, map: &Map) {
    match started(&burst.around(thread), state, map) {
        Ok(started) => {
            burst.record_next(thread, Event::MapStateStarted(started));
            go_on(burst, thread);
        }
        Err(failure) => burst.fail(thread, failure),
    }
}

/// One iteration has ended: its slot is free, or the state is done.
pub(crate) fn iteration_ended(burst: &mut Burst<'_>, thread: ThreadId, iteration: ThreadId) {
    let definition = burst.definition();
    let name = definition.state(burst.execution.active(thread).state).name.clone();
    let index = burst.execution.thread(iteration).index as u64;
    burst.record_next(iteration, Event::MapIterationSucceeded(MapIterationSucceeded { name, index }));
    go_on(burst, thread);
}

pub(crate) fn started(around: &Surroundings<'_>, state: &State, map: &Map) -> Result<MapStateStarted, Failure> {
    let effective_input = data_flow::effective_input(around, state)?;
    let items = items(around, map, &effective_input)?;
    let asked = match &map.max_concurrency {
        Some(setting) => data_flow::count_setting(around, setting, "MaxConcurrency", &effective_input)?,
        None => 0,
    };
    around.observe(|seen| seen.max_concurrency = Some(asked));
    let most = around.execution.settings.inline_map_concurrency_max;
    let max_concurrency = if asked == 0 { most } else { asked.min(most) };
    Ok(MapStateStarted { length: MapItems::count(&items) as u64, items, effective_input, max_concurrency })
}

/// The items of either kind of Map: an array, or in JSONata an object whose members are the items.
pub(super) fn items(around: &Surroundings<'_>, map: &Map, effective: &Json) -> Result<Json, Failure> {
    match &map.items {
        Items::Path(path) => {
            let items = data_flow::apply_path(around, path, effective)?;
            if items.as_array().is_some() {
                around.observe(|seen| seen.after_items_path = Some(items.clone()));
                return Ok(items);
            }
            let text = match path {
                // Seen on AWS: a path into the context object is told as it reads from there.
                InputPath::Path(path) => {
                    path.text().strip_prefix('$').filter(|text| text.starts_with('$')).unwrap_or(path.text())
                }
                InputPath::Whole | InputPath::Nothing => "$",
            };
            Err(around.runtime_failure(&format!("Reference path \"{text}\" must point to array.")))
        }
        Items::Query(Some(template)) => {
            let states = States::new(around, effective);
            let location = Location::Field("Items");
            let items = query::evaluate_template(template, &location, &states)?;
            data_flow::check_depth(around, &items)?;
            match (&items, template) {
                (Json::Array(_), _) => Ok(items),
                (_, stepwell_asl::QueryTemplate::Query(query)) => {
                    Err(query::wrong_type(query, &location, "array", &items, &states))
                }
                _ => Err(not_an_array(around, &items)),
            }
        }
        Items::Query(None) if effective.as_array().is_some() => Ok(effective.clone()),
        Items::Query(None) => Err(not_an_array(around, effective)),
    }
}

fn not_an_array(around: &Surroundings<'_>, items: &Json) -> Failure {
    around.query_failure(None, &format!("Map state input must be an array but was: {items}"))
}

/// Starts iterations while there are items and free slots; leaves when every item is done.
pub(super) fn go_on(burst: &mut Burst<'_>, thread: ThreadId) {
    let definition = burst.definition();
    let state = definition.state(burst.execution.active(thread).state);
    let StateKind::Map(map) = &state.kind else { return };
    loop {
        let Work::Children(children) = &burst.execution.active(thread).work else { return };
        let Some(items) = &children.map else { return };
        if children.done == children.results.len() {
            let outputs = Json::Array(children.results.iter().flatten().cloned().collect());
            return finish(burst, thread, state, map, &outputs);
        }
        if items.next == children.results.len() || children.running as u64 >= items.max_concurrency {
            return;
        }
        let index = items.next;
        let item = items.item(index);
        let around = burst.around_with_item(thread, item.as_ref());
        match item_input(&around, map, &items.effective_input, item.as_ref()) {
            Ok(input) => {
                let started = MapIterationStarted { name: state.name.clone(), index: index as u64, input };
                burst.record_next(thread, Event::MapIterationStarted(started));
                let iteration = burst.execution.newest_thread();
                burst.make_ready(iteration);
            }
            Err(failure) => {
                burst.fail(thread, failure);
                return;
            }
        }
    }
}

/// Every item is done, with these outputs in the items' order.
pub(crate) fn finish(burst: &mut Burst<'_>, thread: ThreadId, state: &State, map: &Map, outputs: &Json) {
    burst.record_next(thread, Event::MapStateSucceeded);
    let leaving = data_flow::leave_with_result(&burst.around(thread), state, outputs, onward(map.transition));
    burst.leave(thread, leaving);
}

/// Which of a Map state's items these are.
pub(crate) struct Part<'a> {
    /// How many came before.
    pub(crate) first: u64,
    /// How many of them count.
    pub(crate) count: usize,
    /// Where they were read from; none for those of the state's own data.
    pub(crate) source: Option<&'a Text>,
}

/// What each item's iteration gets, all of them at once.
pub(crate) fn item_inputs(
    around: &Surroundings<'_>,
    map: &Map,
    items: &MapItems,
    part: &Part<'_>,
) -> Result<Vec<Json>, Failure> {
    let mut inputs = Vec::with_capacity(part.count);
    for index in 0..part.count {
        let item =
            items.item(index).map(|item| Item { index: part.first + item.index, source: part.source.cloned(), ..item });
        let around = Surroundings { item: item.as_ref(), ..*around };
        inputs.push(item_input(&around, map, &items.effective_input, item.as_ref())?);
    }
    if map.item_selector.is_some() {
        around.observe(|seen| seen.after_item_selector = Some(Json::array(inputs.clone())));
    }
    Ok(inputs)
}

/// `ItemSelector` for the item the surroundings show, or the item itself.
fn item_input(
    around: &Surroundings<'_>,
    map: &Map,
    effective_input: &Json,
    item: Option<&Item>,
) -> Result<Json, Failure> {
    let input = match &map.item_selector {
        Some(Payload::Template(template)) => data_flow::evaluate_payload_template(around, template, effective_input)?,
        Some(Payload::Query(template)) => {
            let states = States::new(around, effective_input);
            query::evaluate_template(template, &Location::Field("ItemSelector"), &states)?
        }
        None => return Ok(item.map_or(Json::Null, |item| item.value.clone())),
    };
    data_flow::check_depth(around, &input)?;
    Ok(input)
}
