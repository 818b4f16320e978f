//! Map: a workflow for each item, inside the execution or as executions of their own.

use stepwell_json::Json;

use super::data::Visit;
use super::faults::{EXCEEDED, Failure, RUNTIME};
use super::machine::Machine;
use super::outcome::ANY;
use super::parallel::Part;
use super::path_flow;
use super::query_flow::{self, Also};
use super::thread::Thread;

impl Machine<'_> {
    /// One attempt of a Map state: the results of its iterations.
    pub(super) fn map(&mut self, visit: &Visit<'_>, thread: &mut Thread) -> Result<Json, Failure> {
        let processor =
            visit.field("ItemProcessor").or_else(|| visit.field("Iterator")).expect("a Map has a processor");
        let is_distributed =
            processor.get("ProcessorConfig").and_then(|config| config.get("Mode")) == Some(&Json::from("DISTRIBUTED"));
        let effective = if visit.is_jsonata { visit.input.clone() } else { path_flow::effective_input(visit, thread)? };
        let items = items(visit, thread, &effective)?;
        let places = match limit("MaxConcurrency", visit, thread, &effective)? {
            None | Some(0) => usize::MAX,
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        };
        let tolerated = Tolerance::of(visit, thread, &effective)?;
        let mut inputs = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut iteration = thread.branch();
            let mut members = vec![("Index", Json::from(index as u64)), ("Value", item.clone())];
            if is_distributed {
                members.push(("Source", Json::from("STATE_DATA")));
            }
            iteration.item = Some(Json::object(members));
            let selector = visit.field("ItemSelector").or_else(|| visit.field("Parameters"));
            let input = match selector {
                None => item.clone(),
                Some(selector) if visit.is_jsonata => query_flow::value(selector, visit, &iteration, Also::Nothing)?,
                Some(selector) => path_flow::template(selector, visit, &iteration, &effective)?,
            };
            inputs.push((input, iteration));
        }
        if is_distributed {
            let inputs = inputs.into_iter().map(|(input, _)| input).collect();
            let inputs = batches(visit, thread, &effective, inputs)?;
            let children = inputs.into_iter().map(|input| (input.clone(), Thread::of_execution(&input, 0)));
            let parts = self.run_in(places, processor, children.collect(), thread.now_ms);
            return self.join_children(parts, &tolerated, thread);
        }
        let parts = self.run_in(places, processor, inputs, thread.now_ms);
        self.join(parts, thread)
    }

    /// Runs each of these where there is a place for it, so many at once.
    fn run_in(&mut self, places: usize, processor: &Json, inputs: Vec<(Json, Thread)>, now_ms: i64) -> Vec<Part> {
        let mut free_ms = vec![now_ms; places.min(inputs.len())];
        let mut parts = Vec::new();
        for (input, mut thread) in inputs {
            let place = (0..free_ms.len()).min_by_key(|place| free_ms[*place]).expect("there is a place");
            thread.now_ms = free_ms[place];
            let part = self.part(processor, input, thread);
            free_ms[place] = part.ended_ms;
            parts.push(part);
        }
        parts
    }

    /// Results of executions of their own: some of them may fail.
    fn join_children(&mut self, parts: Vec<Part>, tolerated: &Tolerance, thread: &mut Thread) -> Result<Json, Failure> {
        let mut failed_ms: Vec<i64> =
            parts.iter().filter(|part| part.result.is_err()).map(|part| part.ended_ms).collect();
        failed_ms.sort_unstable();
        // The first failure that is one too many ends it.
        let too_many = (1..=failed_ms.len()).find(|count| !tolerated.allows(*count, parts.len()));
        for part in &parts {
            self.tally.add(&part.tally, too_many.is_none());
        }
        if let Some(count) = too_many {
            thread.now_ms = thread.now_ms.max(failed_ms[count - 1]);
            return Err(Failure::of_executor(EXCEEDED));
        }
        thread.now_ms = parts.iter().map(|part| part.ended_ms).fold(thread.now_ms, i64::max);
        // In the place of a child that failed stands the execution, with its ARN and its times.
        Ok(Json::array(parts.into_iter().map(|part| part.result.unwrap_or(Json::from(ANY))).collect()))
    }
}

/// How many children may fail.
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
}

impl Tolerance {
    fn of(visit: &Visit<'_>, thread: &Thread, effective: &Json) -> Result<Tolerance, Failure> {
        let percentage = match visit.field("ToleratedFailurePercentage") {
            Some(value) if visit.is_jsonata => {
                let value = query_flow::value(value, visit, thread, Also::Nothing)?;
                Some(value.as_f64().ok_or_else(query_flow::wrong)?)
            }
            Some(value) => value.as_f64(),
            None => match visit.text("ToleratedFailurePercentagePath") {
                Some(path) => {
                    let value = path_flow::read(path, visit, thread, effective)?;
                    let share = value.as_f64().filter(|share| (0.0..=100.0).contains(share));
                    Some(share.ok_or_else(|| Failure::of_executor(RUNTIME))?)
                }
                None => None,
            },
        };
        Ok(Tolerance { count: limit("ToleratedFailureCount", visit, thread, effective)?, percentage })
    }

    /// None may fail where nothing is said; otherwise no limit that is given may be passed.
    fn allows(&self, failed: usize, of: usize) -> bool {
        if self.count.is_none() && self.percentage.is_none() {
            return failed == 0;
        }
        let within_count = self.count.is_none_or(|count| failed as u64 <= count);
        let within_share = self.percentage.is_none_or(|most| failed as f64 * 100.0 <= most * of as f64);
        within_count && within_share
    }
}

fn items(visit: &Visit<'_>, thread: &Thread, effective: &Json) -> Result<Vec<Json>, Failure> {
    let (items, wrong) = if visit.is_jsonata {
        let items = match visit.field("Items") {
            Some(items) => query_flow::value(items, visit, thread, Also::Nothing)?,
            None => effective.clone(),
        };
        (items, query_flow::wrong())
    } else {
        let items = match visit.text("ItemsPath") {
            None | Some("$") => effective.clone(),
            Some(path) => path_flow::read(path, visit, thread, effective)?,
        };
        (items, Failure::of_executor(RUNTIME))
    };
    items.as_array().map(|items| items.to_vec()).ok_or(wrong)
}

/// A number that may stand at a path.
fn limit(field: &str, visit: &Visit<'_>, thread: &Thread, effective: &Json) -> Result<Option<u64>, Failure> {
    if let Some(path) = visit.text(&format!("{field}Path")) {
        let value = path_flow::read(path, visit, thread, effective)?;
        let whole = value.as_i64().and_then(|number| u64::try_from(number).ok());
        return whole.map(Some).ok_or_else(|| Failure::of_executor(RUNTIME));
    }
    match visit.field(field) {
        None => Ok(None),
        Some(value) if visit.is_jsonata => query_flow::whole_number(value, visit, thread).map(Some),
        Some(value) => Ok(value.as_i64().and_then(|number| u64::try_from(number).ok())),
    }
}

/// The items, several to each child where the state wants it so.
fn batches(visit: &Visit<'_>, thread: &Thread, effective: &Json, items: Vec<Json>) -> Result<Vec<Json>, Failure> {
    let Some(batcher) = visit.field("ItemBatcher") else { return Ok(items) };
    let batcher = Visit { state: batcher, ..*visit };
    let size = limit("MaxItemsPerBatch", &batcher, thread, effective)?.expect("batches have a size");
    let shared = match batcher.field("BatchInput") {
        None => None,
        Some(shared) if visit.is_jsonata => Some(query_flow::value(shared, visit, thread, Also::Nothing)?),
        Some(shared) => Some(path_flow::template(shared, visit, thread, effective)?),
    };
    let batch = |items: &[Json]| {
        let shared = shared.iter().map(|shared| ("BatchInput", shared.clone()));
        Json::object(shared.chain([("Items", Json::array(items.to_vec()))]))
    };
    Ok(items.chunks(usize::try_from(size).unwrap_or(usize::MAX)).map(batch).collect())
}
