//! What is kept of SNS: rows of topics, subscriptions and ids that were accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_protocol::Place;
use stepwell_store::{Index, RowChange};

use super::Sns;
use super::subscriptions::{Protocol, Subscription};
use super::topics::{Accepted, Topic};
use crate::answers::texts;
use crate::rows::{RowError, RowReader, each_row, new_row, removal};
use crate::seal::Seal;
use crate::services::{ServicesOuts, ServicesSettings};

/// By ARN.
const TOPICS: &str = "sns_topics";
/// By ARN.
const SUBSCRIPTIONS: &str = "sns_subscriptions";
/// By the topic's ARN, a zero, and the id in its scope.
const ACCEPTED: &str = "sns_accepted";

impl Sns {
    /// SNS with everything that was kept.
    pub(crate) fn open(settings: &ServicesSettings, seal: Seal, index: &dyn Index) -> Result<Sns, RowError> {
        let mut sns = Sns {
            endpoint: settings.endpoint.clone(),
            seal,
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            touched_topics: BTreeSet::new(),
            touched_subscriptions: BTreeSet::new(),
            rows: Vec::new(),
            deliveries: Vec::new(),
        };
        each_row(index, TOPICS, |row| {
            let topic = read_topic(row)?;
            sns.topics.insert(topic.arn.clone(), topic);
            Ok(())
        })?;
        each_row(index, SUBSCRIPTIONS, |row| {
            let subscription = read_subscription(row)?;
            sns.subscriptions.insert(subscription.arn.clone(), subscription);
            Ok(())
        })?;
        each_row(index, ACCEPTED, |row| {
            let topic = sns.topics.get_mut(&row.text("topic")?).ok_or_else(|| row.broken("its topic is not there"))?;
            let accepted = Accepted {
                message_id: row.text("message_id")?,
                sequence: row.number("sequence")?,
                until: row.time("until")?,
            };
            topic.accepted.insert(row.text("id")?, accepted);
            Ok(())
        })?;
        Ok(sns)
    }

    /// Writes down what changed since the last time.
    pub(super) fn write_rows(&mut self, outs: &mut ServicesOuts) {
        outs.rows.append(&mut self.rows);
        for arn in std::mem::take(&mut self.touched_topics) {
            if let Some(topic) = self.topics.get_mut(&arn) {
                outs.rows.push(topic_row(topic));
                outs.rows.extend(accepted_rows(topic));
                topic.touched_accepted.clear();
            }
        }
        for arn in std::mem::take(&mut self.touched_subscriptions) {
            outs.rows.push(match self.subscriptions.get(&arn) {
                Some(subscription) => subscription_row(subscription),
                None => removal(SUBSCRIPTIONS, arn.as_bytes().to_vec()),
            });
        }
    }
}

/// The rows of a topic that is gone.
pub(super) fn rows_of_gone(topic: &Topic) -> Vec<RowChange> {
    let mut rows = accepted_rows(topic);
    rows.push(removal(TOPICS, topic.arn.as_bytes().to_vec()));
    rows
}

fn accepted_rows(topic: &Topic) -> Vec<RowChange> {
    let row = |id: &Arc<str>| {
        let key = format!("{}\0{id}", topic.arn).into_bytes();
        match topic.accepted.get(id) {
            Some(accepted) => new_row()
                .text("topic", &topic.arn)
                .text("id", id)
                .text("message_id", &accepted.message_id)
                .number("sequence", accepted.sequence)
                .time("until", accepted.until)
                .change(ACCEPTED, key),
            None => removal(ACCEPTED, key),
        }
    };
    topic.touched_accepted.iter().map(row).collect()
}

fn topic_row(topic: &Topic) -> RowChange {
    let map = |map: &BTreeMap<Arc<str>, Arc<str>>| texts(map.iter().map(|(key, value)| (key.clone(), value.clone())));
    new_row()
        .text("arn", &topic.arn)
        .text("account", &topic.place.account)
        .text("region", &topic.place.region)
        .json("attributes", map(&topic.attributes))
        .json("tags", map(&topic.tags))
        .number("published", topic.published)
        .number("deleted", topic.deleted)
        .change(TOPICS, topic.arn.as_bytes().to_vec())
}

fn read_topic(row: &RowReader<'_>) -> Result<Topic, RowError> {
    let place = Place { account: row.text("account")?, region: row.text("region")? };
    Ok(Topic {
        attributes: row.text_map("attributes")?,
        tags: row.text_map("tags")?,
        published: row.number("published")?,
        deleted: row.number("deleted")?,
        ..Topic::new(row.text("arn")?, place)
    })
}

fn subscription_row(subscription: &Subscription) -> RowChange {
    let attributes = subscription.attributes.iter().map(|(key, value)| (key.clone(), value.clone()));
    new_row()
        .text("arn", &subscription.arn)
        .text("topic", &subscription.topic)
        .text("owner", &subscription.owner)
        .text("protocol", &subscription.protocol.name().into())
        .text("endpoint", &subscription.endpoint)
        .json("attributes", texts(attributes))
        .flag("pending", subscription.is_pending)
        .flag("authenticated", subscription.is_authenticated)
        .text("token", &subscription.token)
        .change(SUBSCRIPTIONS, subscription.arn.as_bytes().to_vec())
}

fn read_subscription(row: &RowReader<'_>) -> Result<Subscription, RowError> {
    let protocol = row.text("protocol")?;
    Ok(Subscription {
        arn: row.text("arn")?,
        topic: row.text("topic")?,
        owner: row.text("owner")?,
        protocol: Protocol::parse(&protocol).ok_or_else(|| row.broken(format!("there is no protocol {protocol}")))?,
        endpoint: row.text("endpoint")?,
        attributes: row.text_map("attributes")?,
        is_pending: row.flag("pending")?,
        is_authenticated: row.flag("authenticated")?,
        token: row.text("token")?,
    })
}
