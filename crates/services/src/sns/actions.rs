//! The actions of SNS, by name.

use super::{Outcome, Sns};
use crate::input::Input;
use crate::services::Request;
use crate::sqs::Sqs;

pub(super) type Action = fn(&mut Sns, &mut Sqs, &Request<'_>, Input<'_>) -> Outcome;

const ACTIONS: &[(&str, Action)] = &[
    ("ConfirmSubscription", |sns, _, request, input| sns.confirm_subscription(request, input)),
    ("CreateTopic", |sns, _, request, input| sns.create_topic(request, input)),
    ("DeleteTopic", |sns, _, _, input| sns.delete_topic(input)),
    ("GetSubscriptionAttributes", |sns, _, _, input| sns.get_subscription_attributes(input)),
    ("GetTopicAttributes", |sns, _, _, input| sns.get_topic_attributes(input)),
    ("ListSubscriptions", |sns, _, request, input| sns.list_subscriptions(request, input)),
    ("ListSubscriptionsByTopic", |sns, _, _, input| sns.list_subscriptions_by_topic(input)),
    ("ListTagsForResource", |sns, _, _, input| sns.list_tags_for_resource(input)),
    ("ListTopics", |sns, _, request, input| sns.list_topics(request, input)),
    ("Publish", |sns, sqs, request, input| sns.publish(sqs, request, input)),
    ("PublishBatch", |sns, sqs, request, input| sns.publish_batch(sqs, request, input)),
    ("SetSubscriptionAttributes", |sns, sqs, _, input| sns.set_subscription_attributes(sqs, input)),
    ("SetTopicAttributes", |sns, _, _, input| sns.set_topic_attributes(input)),
    ("Subscribe", |sns, sqs, request, input| sns.subscribe(sqs, request, input)),
    ("TagResource", |sns, _, _, input| sns.tag_resource(input)),
    ("Unsubscribe", |sns, _, _, input| sns.unsubscribe(input)),
    ("UntagResource", |sns, _, _, input| sns.untag_resource(input)),
];

pub(super) fn of(name: &str) -> Option<Action> {
    ACTIONS.iter().find(|(action, _)| *action == name).map(|(_, function)| *function)
}
