//! The actions of EventBridge, by name.

use super::{Events, Neighbours, Outcome};
use crate::input::Input;
use crate::services::Request;

pub(super) type Action = fn(&mut Events, &mut Neighbours<'_>, &Request<'_>, Input<'_>) -> Outcome;

const ACTIONS: &[(&str, Action)] = &[
    ("CreateConnection", |events, around, request, input| events.create_connection(around.secrets, request, input)),
    ("CreateEventBus", |events, _, request, input| events.create_event_bus(request, input)),
    ("DeauthorizeConnection", |events, around, request, input| {
        events.deauthorize_connection(around.secrets, request, input)
    }),
    ("DeleteConnection", |events, around, request, input| events.delete_connection(around.secrets, request, input)),
    ("DeleteEventBus", |events, _, request, input| events.delete_event_bus(request, input)),
    ("DeleteRule", |events, _, request, input| events.delete_rule(request, input)),
    ("DescribeConnection", |events, _, request, input| events.describe_connection(request, input)),
    ("DescribeEventBus", |events, _, request, input| events.describe_event_bus(request, input)),
    ("DescribeRule", |events, _, request, input| events.describe_rule(request, input)),
    ("DisableRule", |events, _, request, input| events.enable_rule(request, input, false)),
    ("EnableRule", |events, _, request, input| events.enable_rule(request, input, true)),
    ("ListConnections", |events, _, request, input| events.list_connections(request, input)),
    ("ListEventBuses", |events, _, request, input| events.list_event_buses(request, input)),
    ("ListRuleNamesByTarget", |events, _, request, input| events.list_rule_names_by_target(request, input)),
    ("ListRules", |events, _, request, input| events.list_rules(request, input)),
    ("ListTagsForResource", |events, _, request, input| events.list_tags_for_resource(request, input)),
    ("ListTargetsByRule", |events, _, request, input| events.list_targets_by_rule(request, input)),
    ("PutEvents", |events, around, request, input| events.put_events(around, request, input)),
    ("PutRule", |events, _, request, input| events.put_rule(request, input)),
    ("PutTargets", |events, _, request, input| events.put_targets(request, input)),
    ("RemoveTargets", |events, _, request, input| events.remove_targets(request, input)),
    ("TagResource", |events, _, request, input| events.tag_resource(request, input)),
    ("TestEventPattern", |_, _, _, input| super::rules::test_event_pattern(input)),
    ("UntagResource", |events, _, request, input| events.untag_resource(request, input)),
    ("UpdateConnection", |events, around, request, input| events.update_connection(around.secrets, request, input)),
];

pub(super) fn of(name: &str) -> Option<Action> {
    ACTIONS.iter().find(|(action, _)| *action == name).map(|(_, function)| *function)
}
