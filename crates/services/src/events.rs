//! EventBridge: buses, rules and their targets, and connections for requests to elsewhere.
//!
//! A queue or a log group that is a target gets its event in the same input, so that both are kept together or not at all.
//! What goes to another service leaves as a delivery.

mod actions;
mod buses;
mod connections;
mod kept;
mod putting;
mod routing;
mod rules;
mod tags;
mod targets;
mod transform;

use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;
use stepwell_store::Index;

use crate::answers::{Refusal, answer};
use crate::deliveries::Delivery;
use crate::input::Input;
use crate::logs::Logs;
use crate::rows::KeptError;
use crate::secrets::Secrets;
use crate::services::{Request, ServicesOuts};
use crate::shelf::Shelf;
use crate::sqs::Sqs;
use buses::Bus;
use connections::Connection;
use rules::Rule;

/// The local EventBridge.
pub(crate) struct Events {
    /// By ARN. A default bus is there from the first rule on it, or the first tag.
    buses: Shelf<Bus>,
    /// By account, region, bus and name.
    rules: Shelf<Rule>,
    /// By account, region and name.
    connections: Shelf<Connection>,
    deliveries: Vec<Delivery>,
}

/// The services of this process that an event may reach.
pub(crate) struct Neighbours<'a> {
    pub(crate) sqs: &'a mut Sqs,
    pub(crate) logs: &'a mut Logs,
    pub(crate) secrets: &'a mut Secrets,
}

/// The moment of an input, for what happens in it.
#[derive(Clone, Copy)]
struct When<'a> {
    now: Timestamp,
    chance: &'a Chance,
}

type Outcome = Result<Json, Refusal>;

impl Events {
    pub(crate) fn open(index: &dyn Index) -> Result<Events, KeptError> {
        Ok(Events {
            buses: Shelf::open(index)?,
            rules: Shelf::open(index)?,
            connections: Shelf::open(index)?,
            deliveries: Vec::new(),
        })
    }

    pub(crate) fn call(&mut self, request: &Request<'_>, around: &mut Neighbours<'_>, outs: &mut ServicesOuts) {
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, around, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("events", &request.call.action)),
        };
        let outcome = outcome.map_err(|refusal| refusal.named(&["MissingRequiredParameterException"], INVALID));
        outs.replies.push((request.id, answer(outcome, request.chance)));
    }

    /// An event of AWS's own, as one of an execution whose status changed: it goes to the default bus.
    pub(crate) fn hear(
        &mut self,
        place: &Place,
        event: &Json,
        around: &mut Neighbours<'_>,
        now: Timestamp,
        chance: &Chance,
    ) {
        self.route(place, buses::DEFAULT, event, around, When { now, chance }, 0);
    }

    /// Whether somebody waits for events of AWS's own.
    pub(crate) fn hears(&self) -> bool {
        self.rules.iter().any(|(_, rule)| &*rule.bus == buses::DEFAULT && rule.is_enabled)
    }

    /// Writes down what changed, and lets deliveries go.
    pub(crate) fn finish(&mut self, outs: &mut ServicesOuts) {
        self.buses.write_rows(&mut outs.rows);
        self.rules.write_rows(&mut outs.rows);
        self.connections.write_rows(&mut outs.rows);
        outs.deliveries.append(&mut self.deliveries);
    }
}

const INVALID: &str = "ValidationException";

/// Items of one page. Source: EventBridge's API reference, ListRules.
const PAGE: usize = 100;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(INVALID, message)
}

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn time(time: Timestamp) -> Json {
    Json::from_f64(time.seconds()).unwrap_or(Json::Null)
}

/// A page of a list under this member.
fn page_of<'a>(
    list: &'static str,
    input: Input<'_>,
    keys: impl Iterator<Item = &'a str>,
    shown: impl Fn(&str) -> Option<Json>,
) -> Outcome {
    let limit = match input.integer("Limit")? {
        None => PAGE,
        Some(limit @ 1..=100) => limit as usize,
        Some(limit) => return Err(invalid(format!("Limit is from 1 to {PAGE}, not {limit}."))),
    };
    let token = input.text("NextToken")?.map(|token| &**token);
    let page = crate::paging::page(keys, token, limit);
    let (keys, next) = page.ok_or_else(|| invalid("Provided NextToken is invalid."))?;
    let items = keys.into_iter().filter_map(shown).collect();
    Ok(crate::answers::members([(list, Some(Json::array(items))), ("NextToken", next.map(Json::from))]))
}

/// Whether a name is one of a rule, a target or a connection.
fn is_name(name: &str, max: usize) -> bool {
    let is_spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    is_spelled && (1..=max).contains(&name.len())
}

/// A name that cannot be one.
fn misnamed(member: &str, name: &Arc<str>, max: usize) -> Refusal {
    let constraint = match name.len() {
        0 => "have length greater than or equal to 1".to_owned(),
        bytes if bytes > max => format!("have length less than or equal to {max}"),
        _ => r"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+".to_owned(),
    };
    invalid(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must {constraint}"
    ))
}
