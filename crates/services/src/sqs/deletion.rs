//! DeleteMessage and its batch.

use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::Timestamp;

use super::{Done, Sqs, batches, invalid_value};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

impl Sqs {
    pub(super) fn delete_message(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        self.delete(number, input, request.now).map(Done::Output)
    }

    pub(super) fn delete_message_batch(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let entries = batches::entries(input, "DeleteMessage")?;
        let delete = |(id, entry)| (id, self.delete(number, entry, request.now));
        Ok(Done::Output(batches::output(entries.into_iter().map(delete).collect())))
    }

    /// Deletes a message. One that is gone is deleted. In a queue in order the receipt must be of a receive that has not
    /// ended; elsewhere any receipt of the message will do.
    fn delete(&mut self, number: u64, input: Input<'_>, now: Timestamp) -> Result<Json, Refusal> {
        let handle = input.required("ReceiptHandle")?;
        let receipt = self.receipt(number, handle)?;
        let queue = self.queue(receipt.queue)?;
        if let Some(message) = queue.messages.get(&receipt.message) {
            let is_last = message.seen.receives == receipt.receive || planted::is(Bug::ReceiptUnchecked);
            let is_held = message.seen.visible_at > now && is_last;
            if queue.is_fifo() && !is_held {
                return Err(invalid_value(handle, "ReceiptHandle", "The receipt handle has expired."));
            }
            if let Some(queue) = self.queue_mut(receipt.queue) {
                queue.remove(receipt.message);
            }
        }
        Ok(Json::empty_object())
    }
}
