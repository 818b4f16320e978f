//! Topics: CreateTopic, DeleteTopic, ListTopics and their attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use super::attributes::{self, Attributes, FIFO};
use super::{Outcome, Sns, invalid, tags};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::paging;
use crate::services::Request;

/// Topics or subscriptions of one page.
pub(super) const PAGE: usize = 100;

/// A topic.
pub(super) struct Topic {
    pub(super) arn: Arc<str>,
    pub(super) place: Place,
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<Arc<str>, Arc<str>>,
    /// Messages published in order so far.
    pub(super) published: u64,
    /// Subscriptions that were deleted.
    pub(super) deleted: u64,
    /// Ids that were accepted in the last five minutes.
    pub(super) accepted: BTreeMap<Arc<str>, Accepted>,
    /// Those of them that changed since rows were written.
    pub(super) touched_accepted: BTreeSet<Arc<str>>,
}

/// A message that was accepted under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) message_id: Arc<str>,
    pub(super) sequence: u64,
    pub(super) until: Timestamp,
}

impl Topic {
    pub(super) fn new(arn: Arc<str>, place: Place) -> Topic {
        Topic {
            arn,
            place,
            attributes: Attributes::new(),
            tags: BTreeMap::new(),
            published: 0,
            deleted: 0,
            accepted: BTreeMap::new(),
            touched_accepted: BTreeSet::new(),
        }
    }

    pub(super) fn is_fifo(&self) -> bool {
        attributes::is_set(&self.attributes, FIFO)
    }
}

impl Sns {
    pub(super) fn create_topic(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("Name")?;
        let mut given = Attributes::new();
        for (key, value) in input.text_map("Attributes")? {
            if &**key == FIFO {
                if !matches!(&**value, "true" | "false") {
                    return Err(invalid("Attributes Reason: FifoTopic is true or false"));
                }
            } else {
                attributes::check_of_topic(key, value)?;
            }
            attributes::set(&mut given, key, value);
        }
        let tags = tags::read(input)?;
        let is_fifo = attributes::is_set(&given, FIFO);
        check_name(name, is_fifo)?;
        if !is_fifo && [attributes::CONTENT_BASED, attributes::SCOPE].iter().any(|name| given.contains_key(*name)) {
            return Err(invalid("Attributes Reason: only a FIFO topic has deduplication"));
        }
        let arn: Arc<str> = request.place.arn("sns", name).into();
        if let Some(topic) = self.topics.get(&arn) {
            if given.iter().any(|(key, value)| topic.attributes.get(key) != Some(value)) {
                return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
            }
            if !tags.is_empty() && tags != topic.tags {
                return Err(invalid("Tags Reason: Topic already exists with different tags"));
            }
        } else {
            let topic = Topic { attributes: given, tags, ..Topic::new(arn.clone(), request.place.clone()) };
            self.touched_topics.insert(arn.clone());
            self.topics.insert(arn.clone(), topic);
        }
        Ok(Json::object([("TopicArn", Json::String(arn))]))
    }

    /// Deletes a topic with its subscriptions. One that is gone is deleted.
    pub(super) fn delete_topic(&mut self, input: Input<'_>) -> Outcome {
        let arn = input.required("TopicArn")?;
        if let Some(mut topic) = self.topics.remove(arn) {
            topic.touched_accepted = std::mem::take(&mut topic.accepted).into_keys().collect();
            self.rows.extend(super::kept::rows_of_gone(&topic));
            self.touched_topics.remove(arn);
            let gone: Vec<_> = self.subscriptions_of(arn).map(|subscription| subscription.arn.clone()).collect();
            for subscription in gone {
                self.subscriptions.remove(&subscription);
                self.touched_subscriptions.insert(subscription);
            }
        }
        Ok(Json::empty_object())
    }

    pub(super) fn list_topics(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let topics = self.topics.values().filter(|topic| topic.place == *request.place);
        let token = input.text("NextToken")?.map(|token| &**token);
        let (shown, next) = paging::page(topics.map(|topic| &*topic.arn), token, PAGE).ok_or_else(bad_token)?;
        let shown = shown.into_iter().map(|arn| Json::object([("TopicArn", Json::from(arn))]));
        Ok(members([("Topics", Some(Json::array(shown.collect()))), ("NextToken", next.map(Json::from))]))
    }

    pub(super) fn get_topic_attributes(&mut self, input: Input<'_>) -> Outcome {
        let topic = self.topic(input, "TopicArn")?;
        let of_topic = || self.subscriptions_of(&topic.arn);
        let pending = of_topic().filter(|subscription| subscription.is_pending).count();
        let told = [
            ("TopicArn", topic.arn.to_string()),
            ("Owner", topic.place.account.to_string()),
            ("DisplayName", String::new()),
            ("Policy", default_policy(topic)),
            ("SubscriptionsConfirmed", (of_topic().count() - pending).to_string()),
            ("SubscriptionsPending", pending.to_string()),
            ("SubscriptionsDeleted", topic.deleted.to_string()),
        ];
        let told = told.into_iter().map(|(name, value)| (Arc::from(name), Arc::from(value)));
        let set = topic.attributes.iter().map(|(name, value)| (name.clone(), value.clone()));
        let all: Attributes = told.chain(set).collect();
        Ok(Json::object([("Attributes", texts(all))]))
    }

    pub(super) fn set_topic_attributes(&mut self, input: Input<'_>) -> Outcome {
        let arn = self.topic(input, "TopicArn")?.arn.clone();
        let name = input.required("AttributeName")?;
        let value = input.text("AttributeValue")?.cloned().unwrap_or_else(|| "".into());
        attributes::check_of_topic(name, &value)?;
        if let Some(topic) = self.topic_mut(&arn) {
            attributes::set(&mut topic.attributes, name, &value);
        }
        Ok(Json::empty_object())
    }
}

/// The policy of a topic that was given none. Nothing is enforced by it.
///
/// Source: SNS's developer guide, "Example cases for Amazon SNS access control".
fn default_policy(topic: &Topic) -> String {
    const ACTIONS: [&str; 8] = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ];
    let actions = ACTIONS.iter().map(|action| Json::string(format!("SNS:{action}"))).collect();
    let owner = Json::object([("AWS:SourceOwner", Json::String(topic.place.account.clone()))]);
    let statement = Json::object([
        ("Sid", Json::from("__default_statement_ID")),
        ("Effect", Json::from("Allow")),
        ("Principal", Json::object([("AWS", Json::from("*"))])),
        ("Action", Json::array(actions)),
        ("Resource", Json::String(topic.arn.clone())),
        ("Condition", Json::object([("StringEquals", owner)])),
    ]);
    let policy = Json::object([
        ("Version", Json::from("2008-10-17")),
        ("Id", Json::from("__default_policy_ID")),
        ("Statement", Json::array(vec![statement])),
    ]);
    policy.to_string()
}

pub(super) fn bad_token() -> Refusal {
    invalid("NextToken Reason: not one that was given")
}

/// Source: SNS's API reference, CreateTopic, `Name`.
fn check_name(name: &str, is_fifo: bool) -> Result<(), Refusal> {
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let is_spelled = |stem: &str| stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match stem {
        Some(stem) if !stem.is_empty() && name.len() <= 256 && is_spelled(stem) => Ok(()),
        _ if is_fifo => Err(invalid(
            "Topic Name: Fifo Topic names must end with .fifo and must be made up of only \
                                     uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be \
                                     between 1 and 256 characters long.",
        )),
        _ => Err(invalid("Topic Name")),
    }
}
