//! From a bus to the targets of the rules that take an event.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsCall, Place};
use stepwell_spec::Arn;

use super::targets::Target;
use super::transform::{About, body};
use super::{Events, Neighbours, When, buses};
use crate::deliveries::{Delivery, DeliveryTarget};
use crate::logs::LogLine;
use crate::sqs::Draft;

/// Buses an event may go through: a bus may be a target, and so may the bus it came from.
const HOPS_MAX: u32 = 5;

impl Events {
    /// Gives an event to the targets of every rule that takes it. On a bus that is not there nobody does.
    pub(super) fn route(
        &mut self,
        place: &Place,
        bus: &str,
        event: &Json,
        around: &mut Neighbours<'_>,
        when: When<'_>,
        hops: u32,
    ) {
        let now = when.now.to_string();
        let ingested = format!("{}Z", now.get(..19).unwrap_or_default());
        let mut onward: Vec<(Place, Arc<str>)> = Vec::new();
        let mut deliveries = Vec::new();
        for (_, rule) in self.rules_of(place, bus).filter(|(_, rule)| rule.takes(event)) {
            let arn = rule.arn();
            let about = About { rule_name: &rule.name, rule_arn: &arn, ingested: &ingested };
            for target in rule.targets.values() {
                let Some(to) = target.arn().and_then(Arn::parse) else { continue };
                let text = body(target, event, &about);
                match to.service {
                    "sqs" => send(around, target, &text, when),
                    "logs" => log(around, target, &text, when),
                    "events" => onward.push(buses::placed(place, target.arn().unwrap_or_default())),
                    _ => deliveries.push(delivery(&arn, &to, target, text)),
                }
            }
        }
        self.deliveries.append(&mut deliveries);
        for (place, bus) in onward {
            if hops < HOPS_MAX {
                self.route(&place, &bus, event, around, when, hops + 1);
            }
        }
    }
}

/// Puts an event into a queue, or into the one for what does not reach it.
fn send(around: &mut Neighbours<'_>, target: &Target, text: &Arc<str>, when: When<'_>) {
    for arn in target.arn().into_iter().chain(target.dead_letters()) {
        let draft = Draft {
            body: text.clone(),
            attributes: ObjectBuilder::new().build(),
            trace_header: None,
            group: target.group().filter(|_| around.sqs.is_fifo_queue(arn) == Some(true)),
            deduplication: None,
            delay_seconds: None,
        };
        if around.sqs.deliver(arn, &draft, when.now, when.chance).is_some() {
            return;
        }
    }
}

/// Writes an event into a log group, in a stream of its own.
fn log(around: &mut Neighbours<'_>, target: &Target, text: &Arc<str>, when: When<'_>) {
    let line = LogLine {
        log_group_arn: target.arn().unwrap_or_default().into(),
        log_stream_name: when.chance.uuid().into(),
        timestamp: when.now,
        message: text.clone(),
    };
    around.logs.log(&[line], when.now);
}

/// What goes to another service.
fn delivery(rule: &str, to: &Arn<'_>, target: &Target, text: Arc<str>) -> Delivery {
    let arn: Arc<str> = target.arn().unwrap_or_default().into();
    let place = Place { account: to.account.into(), region: to.region.into() };
    let call = |service: &str, action: &str, input: [(&'static str, Json); 2]| DeliveryTarget::Call {
        place: place.clone(),
        call: AwsCall { service: service.into(), action: action.into(), input: Json::object(input) },
    };
    let text_json = Json::String(text.clone());
    let target = match to.service {
        "states" => {
            call("stepfunctions", "StartExecution", [("stateMachineArn", Json::String(arn)), ("input", text_json)])
        }
        "sns" => call("sns", "Publish", [("TopicArn", Json::String(arn)), ("Message", text_json)]),
        _ => DeliveryTarget::Lambda(arn),
    };
    Delivery { subscription_arn: rule.into(), target, body: text, headers: Vec::new() }
}
