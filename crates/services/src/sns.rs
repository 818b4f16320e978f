//! SNS: topics, subscriptions, and what is published to them.
//!
//! A queue that is subscribed gets its message in the same input, so that both are kept together or not at all. What goes
//! to an HTTP endpoint or a function leaves as a delivery.

mod actions;
mod attributes;
mod filter;
mod kept;
mod notifications;
mod publish;
mod subscriptions;
mod tags;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_store::RowChange;

use crate::answers::{Refusal, answer};
use crate::deliveries::Delivery;
use crate::input::Input;
use crate::seal::Seal;
use crate::services::{Request, ServicesOuts};
use crate::sqs::Sqs;
use subscriptions::Subscription;
use topics::Topic;

/// The local SNS.
pub(crate) struct Sns {
    endpoint: Arc<str>,
    seal: Seal,
    /// By ARN.
    topics: BTreeMap<Arc<str>, Topic>,
    /// By ARN, which begins with the topic's.
    subscriptions: BTreeMap<Arc<str>, Subscription>,
    touched_topics: BTreeSet<Arc<str>>,
    touched_subscriptions: BTreeSet<Arc<str>>,
    rows: Vec<RowChange>,
    deliveries: Vec<Delivery>,
}

impl Sns {
    pub(crate) fn call(&mut self, request: &Request<'_>, sqs: &mut Sqs, outs: &mut ServicesOuts) {
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, sqs, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("sns", &request.call.action)),
        };
        // The query protocol has no word of its own for what is not there.
        let outcome = outcome.map_err(|refusal| match refusal.code {
            "MissingRequiredParameterException" => Refusal { code: "InvalidParameterException", ..refusal },
            _ => refusal,
        });
        outs.replies.push((request.id, answer(outcome, request.chance)));
    }

    /// Writes down what changed, and lets deliveries go.
    pub(crate) fn finish(&mut self, outs: &mut ServicesOuts) {
        self.write_rows(outs);
        outs.deliveries.append(&mut self.deliveries);
    }

    fn topic(&self, input: Input<'_>, parameter: &str) -> Result<&Topic, Refusal> {
        let arn = input.required(parameter)?;
        let parts = arn.split(':').count();
        if parts < 6 {
            return Err(invalid(format_args!("{parameter} Reason: An ARN must have at least 6 elements, not {parts}")));
        }
        self.topics.get(arn).ok_or_else(|| not_found("Topic does not exist"))
    }

    fn topic_mut(&mut self, arn: &Arc<str>) -> Option<&mut Topic> {
        self.touched_topics.insert(arn.clone());
        self.topics.get_mut(arn)
    }

    fn subscription_mut(&mut self, arn: &Arc<str>) -> Option<&mut Subscription> {
        self.touched_subscriptions.insert(arn.clone());
        self.subscriptions.get_mut(arn)
    }
}

type Outcome = Result<Json, Refusal>;

fn not_found(message: &str) -> Refusal {
    Refusal::new("NotFoundException", message).with_status(404)
}

fn invalid(what: impl std::fmt::Display) -> Refusal {
    Refusal::new("InvalidParameterException", format!("Invalid parameter: {what}"))
}
