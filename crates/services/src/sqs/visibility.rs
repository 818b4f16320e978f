//! ChangeMessageVisibility and its batch.

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::receive::within;
use super::{Done, Sqs, batches, invalid_value};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

/// How long a message may be in flight altogether.
const SECONDS_MAX: u64 = 43_200;

impl Sqs {
    pub(super) fn change_message_visibility(
        &mut self,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        if input.integer("VisibilityTimeout")?.is_none() {
            return Err(Refusal::missing("VisibilityTimeout"));
        }
        self.change_visibility(number, input, request.now).map(Done::Output)
    }

    pub(super) fn change_message_visibility_batch(
        &mut self,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let entries = batches::entries(input, "ChangeMessageVisibility")?;
        let change = |(id, entry)| (id, self.change_visibility(number, entry, request.now));
        Ok(Done::Output(batches::output(entries.into_iter().map(change).collect())))
    }

    fn change_visibility(&mut self, number: u64, input: Input<'_>, now: Timestamp) -> Result<Json, Refusal> {
        let handle = input.required("ReceiptHandle")?;
        let seconds = within(input, "VisibilityTimeout", 0, SECONDS_MAX)?.unwrap_or_default();
        let receipt = self.receipt(number, handle)?;
        let unavailable = || {
            invalid_value(
                handle,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        };
        let queue = self.queue(receipt.queue)?;
        let message = queue.messages.get(&receipt.message).ok_or_else(unavailable)?;
        if queue.is_fifo() && message.seen.receives != receipt.receive {
            return Err(invalid_value(handle, "ReceiptHandle", "The receipt handle has expired."));
        }
        let received_at = message.seen.received_at.filter(|_| message.seen.visible_at > now).ok_or_else(unavailable)?;
        if now.0.saturating_sub(received_at.0) > (SECONDS_MAX - seconds) as i64 * 1_000 {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(invalid_value(&seconds.to_string(), "VisibilityTimeout", reason));
        }
        if let Some(queue) = self.queue_mut(receipt.queue) {
            queue.see(receipt.message, now, |seen| seen.visible_at = now.plus_ms(seconds * 1_000));
        }
        Ok(Json::empty_object())
    }
}
