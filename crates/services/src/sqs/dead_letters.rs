//! Where messages go that were received too often, and which queues may send them there.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::Timestamp;

use super::attributes::{REDRIVE_ALLOW_POLICY, REDRIVE_POLICY};
use super::queue::Queue;
use super::{Done, Sqs, invalid_value};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::paging;
use crate::services::Request;

/// Sources a dead-letter queue may name.
const ALLOWED_SOURCES_MAX: usize = 10;

/// Queues of a page when no number is asked for.
const SOURCES_PER_PAGE: i64 = 1_000;

/// Where a queue's messages go, and after how many receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RedrivePolicy {
    pub(super) target: Arc<str>,
    pub(super) max_receives: u64,
}

impl RedrivePolicy {
    /// The count may be a number or its text.
    pub(super) fn parse(text: &str) -> Option<RedrivePolicy> {
        let json = Json::parse(text).ok()?;
        let target = json.get("deadLetterTargetArn")?.as_str()?.into();
        let max = match json.get("maxReceiveCount")? {
            Json::String(text) => text.parse().ok()?,
            number => u64::try_from(number.as_i64()?).ok()?,
        };
        (1..=1_000).contains(&max).then_some(RedrivePolicy { target, max_receives: max })
    }

    pub(super) fn text(&self) -> String {
        let target = Json::String(self.target.clone());
        Json::object([("deadLetterTargetArn", target), ("maxReceiveCount", Json::from(self.max_receives))]).to_string()
    }
}

/// A `RedriveAllowPolicy` that can be one.
pub(super) fn check_allow_policy(text: &str) -> Result<(), Refusal> {
    let invalid = |reason: &str| invalid_value(text, REDRIVE_ALLOW_POLICY, reason);
    let json = Json::parse(text).map_err(|_| invalid("It is not a JSON object."))?;
    let sources = json.get("sourceQueueArns");
    match json.get("redrivePermission").and_then(Json::as_str) {
        Some("allowAll" | "denyAll") if sources.is_none() => Ok(()),
        Some("allowAll" | "denyAll") => Err(invalid("sourceQueueArns goes with the permission byQueue only.")),
        Some("byQueue") => match sources.and_then(Json::as_array) {
            Some(arns) if (1..=ALLOWED_SOURCES_MAX).contains(&arns.len()) => Ok(()),
            _ => Err(invalid("byQueue needs 1 to 10 sourceQueueArns.")),
        },
        _ => Err(invalid("redrivePermission is one of allowAll, denyAll and byQueue.")),
    }
}

/// Whether a queue takes the dead letters of another.
pub(super) fn allows(target: &Queue, source_arn: &str) -> bool {
    let Some(policy) = target.attributes.get(REDRIVE_ALLOW_POLICY) else { return true };
    let Ok(json) = Json::parse(policy) else { return true };
    match json.get("redrivePermission").and_then(Json::as_str) {
        Some("denyAll") => false,
        Some("byQueue") => {
            let arns = json.get("sourceQueueArns").and_then(Json::as_array);
            arns.is_some_and(|arns| arns.iter().any(|arn| arn.as_str() == Some(source_arn)))
        }
        _ => true,
    }
}

impl Queue {
    /// Where its dead letters go.
    pub(super) fn redrive(&self) -> Option<RedrivePolicy> {
        self.attributes.get(REDRIVE_POLICY).and_then(|text| RedrivePolicy::parse(text))
    }
}

impl Sqs {
    /// Moves a message to the queue for dead letters. One of a queue in order counts as sent there anew, as AWS has it.
    pub(super) fn bury(&mut self, source: u64, message: u64, target: u64, now: Timestamp) {
        let Some(queue) = self.queue_mut(source) else { return };
        let arn = queue.arn.clone();
        let Some(mut message) = queue.remove(message) else { return };
        message.dead_letter_source = Some(arn);
        message.seen.visible_at = now;
        message.seen.received_at = None;
        let number = self.number();
        if let Some(target) = self.queue_mut(target).filter(|_| !planted::is(Bug::DeadLettersLost)) {
            if target.is_fifo() {
                message.sent_at = now;
            }
            target.add(number, message, now);
        }
    }

    pub(super) fn list_dead_letter_source_queues(
        &mut self,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let arn = &self.queue(number)?.arn;
        let limit = super::lists::page_limit(input, SOURCES_PER_PAGE)?;
        let sources = self.queues.values().filter(|queue| queue.redrive().is_some_and(|to| to.target == *arn));
        let mut names: Vec<&str> = sources.map(|queue| &*queue.name).collect();
        names.sort_unstable();
        let token = input.text("NextToken")?.map(|token| &**token);
        let (shown, next) = paging::page(names.into_iter(), token, limit).ok_or_else(super::lists::bad_token)?;
        let place = &self.queue(number)?.place;
        let urls = shown.iter().map(|name| Json::string(format!("{}/{}/{name}", self.endpoint, place.account)));
        let urls = Json::array(urls.collect());
        Ok(Done::Output(members([("queueUrls", Some(urls)), ("NextToken", next.map(Json::from))])))
    }
}

/// The most receives a message has before it is moved.
pub(super) fn is_dead(receives: u64, policy: Option<&RedrivePolicy>) -> bool {
    policy.is_some_and(|policy| receives >= policy.max_receives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_needs_a_target_and_a_count_in_range() {
        let cases = [
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":3}"#, Some(3)),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":"1000"}"#, Some(1000)),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#, None),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#, None),
            (r#"{"maxReceiveCount":3}"#, None),
            ("3", None),
        ];
        for (text, expected) in cases {
            assert_eq!(RedrivePolicy::parse(text).map(|policy| policy.max_receives), expected, "{text}");
        }
    }
}
