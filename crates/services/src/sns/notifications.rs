//! What a subscriber gets: the document AWS writes, to the space, or the message as it is.
//!
//! The signature stands where AWS's does and is none that AWS's certificate could verify.

use std::fmt::Write as _;
use std::sync::Arc;

use stepwell_json::{Json, Object, quoted};

use super::subscriptions::{Protocol, Subscription};
use crate::answers::members;
use crate::deliveries::{Delivery, DeliveryTarget};
use crate::seal::Seal;
use crate::services::Request;

/// A message on its way to the subscribers of a topic.
pub(super) struct Notification<'a> {
    pub(super) message_id: &'a str,
    pub(super) topic: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) sequence: Option<&'a str>,
    pub(super) attributes: &'a Object,
    /// `2012-04-25T21:49:25.719Z`
    pub(super) timestamp: String,
}

/// Where things are found that a document points to.
pub(super) struct Addresses<'a> {
    pub(super) endpoint: &'a str,
    pub(super) seal: &'a Seal,
}

impl Addresses<'_> {
    fn signature(&self) -> String {
        self.seal.close("signature", [0; 20])
    }

    fn certificate(&self) -> String {
        format!("{}/SimpleNotificationService-00000000000000000000000000000000.pem", self.endpoint)
    }

    fn unsubscribe(&self, subscription: &str) -> String {
        format!("{}/?Action=Unsubscribe&SubscriptionArn={subscription}", self.endpoint)
    }
}

/// A document as AWS writes it: a member a line, spaces around the colon.
fn document(members: &[(&str, Option<String>)]) -> String {
    let lines: Vec<String> = members
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("  \"{name}\" : {value}")))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

impl Notification<'_> {
    /// The document for a queue or an HTTP endpoint.
    pub(super) fn document(&self, subscription: &str, addresses: &Addresses<'_>) -> String {
        document(&[
            ("Type", Some(quoted("Notification"))),
            ("MessageId", Some(quoted(self.message_id))),
            ("SequenceNumber", self.sequence.map(quoted)),
            ("TopicArn", Some(quoted(self.topic))),
            ("Subject", self.subject.map(quoted)),
            ("Message", Some(quoted(self.message))),
            ("Timestamp", Some(quoted(&self.timestamp))),
            ("SignatureVersion", Some(quoted("1"))),
            ("Signature", Some(quoted(&addresses.signature()))),
            ("SigningCertURL", Some(quoted(&addresses.certificate()))),
            ("UnsubscribeURL", Some(quoted(&addresses.unsubscribe(subscription)))),
            ("MessageAttributes", (!self.attributes.is_empty()).then(|| self.attribute_lines())),
        ])
    }

    fn attribute_lines(&self) -> String {
        let mut lines = String::from("{");
        for (place, (name, value)) in self.attributes.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(lines, "{separator}\n    {} : {}", quoted(name), shown_attribute(value));
        }
        lines.push_str("\n  }");
        lines
    }

    /// The event of a function.
    fn event(&self, subscription: &str, addresses: &Addresses<'_>) -> Json {
        let attributes = self.attributes.iter().map(|(name, value)| (name.clone(), shown_attribute(value)));
        let text = |text: &str| Some(Json::from(text));
        let sns = members([
            ("Type", text("Notification")),
            ("MessageId", text(self.message_id)),
            ("TopicArn", text(self.topic)),
            ("Subject", Some(self.subject.map_or(Json::Null, Json::from))),
            ("Message", text(self.message)),
            ("Timestamp", text(&self.timestamp)),
            ("SignatureVersion", text("1")),
            ("Signature", Some(addresses.signature().into())),
            ("SigningCertUrl", Some(addresses.certificate().into())),
            ("UnsubscribeUrl", Some(addresses.unsubscribe(subscription).into())),
            ("MessageAttributes", Some(Json::object(attributes))),
        ]);
        let record = members([
            ("EventSource", text("aws:sns")),
            ("EventVersion", text("1.0")),
            ("EventSubscriptionArn", text(subscription)),
            ("Sns", Some(sns)),
        ]);
        Json::object([("Records", Json::array(vec![record]))])
    }

    /// The delivery to an endpoint outside.
    pub(super) fn delivery(&self, to: &Subscription, is_raw: bool, addresses: &Addresses<'_>) -> Delivery {
        let subscription_arn = to.arn.clone();
        if to.protocol == Protocol::Lambda {
            let body = self.event(&to.arn, addresses).to_string().into();
            return Delivery {
                subscription_arn,
                target: DeliveryTarget::Lambda(to.endpoint.clone()),
                body,
                headers: Vec::new(),
            };
        }
        let body = if is_raw { self.message.to_owned() } else { self.document(&to.arn, addresses) };
        let mut headers = headers("Notification", self.message_id, self.topic, Some(&to.arn));
        if is_raw {
            headers.push(("x-amz-sns-rawdelivery".into(), "true".into()));
        }
        Delivery { subscription_arn, target: DeliveryTarget::Http(to.endpoint.clone()), body: body.into(), headers }
    }
}

/// An attribute as subscribers see it.
fn shown_attribute(value: &Json) -> Json {
    let content = value.get("StringValue").or_else(|| value.get("BinaryValue")).cloned();
    members([("Type", value.get("DataType").cloned()), ("Value", content)])
}

fn headers(kind: &str, id: &str, topic: &str, subscription: Option<&str>) -> Vec<(Arc<str>, Arc<str>)> {
    let pairs = [
        ("x-amz-sns-message-type", Some(kind)),
        ("x-amz-sns-message-id", Some(id)),
        ("x-amz-sns-topic-arn", Some(topic)),
        ("x-amz-sns-subscription-arn", subscription),
        ("Content-Type", Some("text/plain; charset=UTF-8")),
        ("User-Agent", Some("Amazon Simple Notification Service Agent")),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into()))).collect()
}

/// What asks an HTTP endpoint whether it wants to be subscribed.
pub(super) fn confirmation(to: &Subscription, endpoint: &str, seal: &Seal, request: &Request<'_>) -> Delivery {
    let addresses = Addresses { endpoint, seal };
    let (id, topic, token) = (request.chance.uuid(), &*to.topic, &*to.token);
    let url = format!("{endpoint}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}");
    let message = format!(
        "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in \
         this message."
    );
    let body = document(&[
        ("Type", Some(quoted("SubscriptionConfirmation"))),
        ("MessageId", Some(quoted(&id))),
        ("Token", Some(quoted(token))),
        ("TopicArn", Some(quoted(topic))),
        ("Message", Some(quoted(&message))),
        ("SubscribeURL", Some(quoted(&url))),
        ("Timestamp", Some(quoted(&request.now.to_string()))),
        ("SignatureVersion", Some(quoted("1"))),
        ("Signature", Some(quoted(&addresses.signature()))),
        ("SigningCertURL", Some(quoted(&addresses.certificate()))),
    ]);
    Delivery {
        subscription_arn: to.arn.clone(),
        target: DeliveryTarget::Http(to.endpoint.clone()),
        body: body.into(),
        headers: headers("SubscriptionConfirmation", &id, topic, None),
    }
}
