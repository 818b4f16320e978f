//! The actions of CloudWatch Logs, by name.

use super::{Logs, Outcome};
use crate::input::Input;
use crate::services::Request;

pub(super) type Action = fn(&mut Logs, &Request<'_>, Input<'_>) -> Outcome;

const ACTIONS: &[(&str, Action)] = &[
    ("CreateLogGroup", Logs::create_log_group),
    ("CreateLogStream", Logs::create_log_stream),
    ("DeleteLogGroup", Logs::delete_log_group),
    ("DeleteLogStream", Logs::delete_log_stream),
    ("DeleteRetentionPolicy", Logs::delete_retention_policy),
    ("DescribeLogGroups", Logs::describe_log_groups),
    ("DescribeLogStreams", Logs::describe_log_streams),
    ("FilterLogEvents", Logs::filter_log_events),
    ("GetLogEvents", Logs::get_log_events),
    ("ListTagsForResource", Logs::list_tags_for_resource),
    ("ListTagsLogGroup", Logs::list_tags_log_group),
    ("PutLogEvents", Logs::put_log_events),
    ("PutRetentionPolicy", Logs::put_retention_policy),
    ("TagLogGroup", Logs::tag_log_group),
    ("TagResource", Logs::tag_resource),
    ("UntagLogGroup", Logs::untag_log_group),
    ("UntagResource", Logs::untag_resource),
];

pub(super) fn of(name: &str) -> Option<Action> {
    ACTIONS.iter().find(|(action, _)| *action == name).map(|(_, function)| *function)
}
