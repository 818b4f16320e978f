//! The actions of SQS, by name.

use super::{Done, Sqs};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

pub(super) type Action = fn(&mut Sqs, &Request<'_>, Input<'_>) -> Result<Done, Refusal>;

const ACTIONS: &[(&str, Action)] = &[
    ("AddPermission", Sqs::add_permission),
    ("CancelMessageMoveTask", Sqs::cancel_message_move_task),
    ("ChangeMessageVisibility", Sqs::change_message_visibility),
    ("ChangeMessageVisibilityBatch", Sqs::change_message_visibility_batch),
    ("CreateQueue", Sqs::create_queue),
    ("DeleteMessage", Sqs::delete_message),
    ("DeleteMessageBatch", Sqs::delete_message_batch),
    ("DeleteQueue", Sqs::delete_queue),
    ("GetQueueAttributes", Sqs::get_queue_attributes),
    ("GetQueueUrl", Sqs::get_queue_url),
    ("ListDeadLetterSourceQueues", Sqs::list_dead_letter_source_queues),
    ("ListMessageMoveTasks", Sqs::list_message_move_tasks),
    ("ListQueueTags", Sqs::list_queue_tags),
    ("ListQueues", Sqs::list_queues),
    ("PurgeQueue", Sqs::purge_queue),
    ("ReceiveMessage", Sqs::receive_message),
    ("RemovePermission", Sqs::remove_permission),
    ("SendMessage", Sqs::send_message),
    ("SendMessageBatch", Sqs::send_message_batch),
    ("SetQueueAttributes", Sqs::set_queue_attributes),
    ("StartMessageMoveTask", Sqs::start_message_move_task),
    ("TagQueue", Sqs::tag_queue),
    ("UntagQueue", Sqs::untag_queue),
];

pub(super) fn of(name: &str) -> Option<Action> {
    ACTIONS.iter().find(|(action, _)| *action == name).map(|(_, function)| *function)
}
