//! CreateQueue, DeleteQueue and PurgeQueue.

use std::sync::Arc;

use stepwell_json::Json;

use super::attributes::{self, FIFO};
use super::queue::Queue;
use super::{Done, Sqs};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

/// How long a deleted queue's name rests, and how far apart two purges are.
const MINUTE_MS: i64 = 60_000;

impl Sqs {
    pub(super) fn create_queue(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let name = input.required("QueueName")?;
        let given = input.text_map("Attributes")?;
        let tags = input.text_map("tags")?;
        let is_fifo = given.iter().any(|(key, value)| &***key == FIFO && &***value == "true");
        check_name(name, is_fifo)?;
        // A queue that is not in order has no such attribute; AWS refuses to be told so.
        let checked = self.checked_attributes(&given, request.place, name, is_fifo)?;
        attributes::check_together(&checked)?;
        let at = (request.place.clone(), name.clone());
        if let Some(number) = self.names.get(&at) {
            let queue = self.queue(*number)?;
            for (key, value) in &checked {
                if attributes::value(&queue.attributes, key).unwrap_or_default() != &**value {
                    let message =
                        format!("A queue already exists with the same name and a different value for attribute {key}");
                    return Err(Refusal::new("QueueNameExists", message));
                }
            }
            return Ok(Done::Output(Json::object([("QueueUrl", Json::from(self.url_of(queue)))])));
        }
        self.check_rested(&request.place.arn("sqs", name), request)?;
        super::tags::check(tags.len())?;
        let number = self.number();
        let mut queue = Queue::new(number, request.place.clone(), name.clone(), request.now);
        attributes::merge(&mut queue.attributes, checked);
        queue.tags = tags.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        queue.about_changed();
        let url = self.url_of(&queue);
        self.arns.insert(queue.arn.clone(), number);
        self.names.insert(at, number);
        self.queues.insert(number, queue);
        self.touched.insert(number);
        Ok(Done::Output(Json::object([("QueueUrl", Json::from(url))])))
    }

    fn check_rested(&mut self, arn: &str, request: &Request<'_>) -> Result<(), Refusal> {
        let rested: Vec<Arc<str>> = self
            .deleted
            .iter()
            .filter(|(_, at)| at.0 + MINUTE_MS <= request.now.0)
            .map(|(arn, _)| arn.clone())
            .collect();
        for arn in rested {
            self.deleted.remove(&arn);
            self.rows.push(super::kept::not_deleted(&arn));
        }
        if self.minute_rules && self.deleted.contains_key(arn) {
            let message =
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
            return Err(Refusal::new("QueueDeletedRecently", message));
        }
        Ok(())
    }

    pub(super) fn delete_queue(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        if let Some(mut queue) = self.queues.remove(&number) {
            queue.clear();
            queue.forget_accepted(stepwell_spec::Timestamp(i64::MAX));
            self.rows.extend(super::kept::rows_of_gone(&mut queue));
            self.names.remove(&(queue.place.clone(), queue.name.clone()));
            self.arns.remove(&queue.arn);
            self.touched.remove(&number);
            self.rows.push(super::kept::deleted(&queue.arn, request.now));
            self.deleted.insert(queue.arn, request.now);
        }
        Ok(Done::Output(Json::empty_object()))
    }

    pub(super) fn purge_queue(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let minute_rules = self.minute_rules;
        if let Some(queue) = self.queue_mut(number) {
            if minute_rules && queue.purged_at.is_some_and(|at| at.0 + MINUTE_MS > request.now.0) {
                let message = format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", queue.name);
                return Err(Refusal::new("PurgeQueueInProgress", message).with_status(403));
            }
            queue.clear();
            queue.purged_at = Some(request.now);
            queue.about_changed();
        }
        Ok(Done::Output(Json::empty_object()))
    }
}

/// Source: SQS's API reference, CreateQueue, `QueueName`.
fn check_name(name: &str, is_fifo: bool) -> Result<(), Refusal> {
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let is_spelled = |stem: &str| stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match stem {
        Some(stem) if !stem.is_empty() && name.len() <= 80 && is_spelled(stem) => Ok(()),
        _ if is_fifo => Err(Refusal::new(
            "InvalidParameterValueException",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo \
             suffix and be 1 to 80 in length.",
        )),
        _ => Err(Refusal::new(
            "InvalidParameterValueException",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
        )),
    }
}
