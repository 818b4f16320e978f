//! Subscriptions: who gets what is published to a topic, and how.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Arn;

use super::attributes::{self, Attributes};
use super::topics::{PAGE, Topic, bad_token};
use super::{Outcome, Sns, invalid, not_found, notifications};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::paging;
use crate::services::Request;
use crate::sqs::Sqs;

/// What stands for the ARN of a subscription that is not confirmed.
const PENDING: &str = "pending confirmation";

/// Characters of a token, as AWS's have.
const TOKEN_CHARACTERS: usize = 64;

/// How messages reach an endpoint. E-mail, text messages, apps and Firehose are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Sqs,
    Lambda,
    Http,
    Https,
}

const PROTOCOLS: [(&str, Protocol); 4] =
    [("sqs", Protocol::Sqs), ("lambda", Protocol::Lambda), ("http", Protocol::Http), ("https", Protocol::Https)];

impl Protocol {
    pub(super) fn parse(name: &str) -> Option<Protocol> {
        PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, protocol)| *protocol)
    }

    pub(super) fn name(self) -> &'static str {
        PROTOCOLS.iter().find(|(_, protocol)| *protocol == self).map_or("", |(name, _)| name)
    }
}

/// A subscription.
pub(super) struct Subscription {
    pub(super) arn: Arc<str>,
    pub(super) topic: Arc<str>,
    pub(super) owner: Arc<str>,
    pub(super) protocol: Protocol,
    pub(super) endpoint: Arc<str>,
    pub(super) attributes: Attributes,
    pub(super) is_pending: bool,
    /// Whether only who owns it may unsubscribe.
    pub(super) is_authenticated: bool,
    /// What confirms it.
    pub(super) token: Arc<str>,
}

impl Sns {
    pub(super) fn subscriptions_of(&self, topic: &str) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values().filter(move |subscription| *subscription.topic == *topic)
    }

    pub(super) fn subscribe(&mut self, sqs: &mut Sqs, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let topic = self.topic(input, "TopicArn")?;
        let protocol = input.required("Protocol")?;
        let endpoint = input.text("Endpoint")?.ok_or_else(|| invalid("Endpoint"))?;
        let protocol = Protocol::parse(protocol).ok_or_else(|| {
            invalid(format_args!(
                "Protocol Reason: Subscribe with protocol {protocol} is not available in the local service"
            ))
        })?;
        check_endpoint(topic, protocol, endpoint, sqs)?;
        let mut given = Attributes::new();
        for (name, value) in input.text_map("Attributes")? {
            attributes::check_of_subscription(name, value, sqs)?;
            attributes::set(&mut given, name, value);
        }
        attributes::check_filter(&given)?;
        let topic = topic.arn.clone();
        let same = self
            .subscriptions_of(&topic)
            .find(|subscription| subscription.protocol == protocol && subscription.endpoint == *endpoint);
        let (arn, is_pending) = match same {
            Some(same) if !given.is_empty() && same.attributes != given => {
                return Err(invalid("Attributes Reason: Subscription already exists with different attributes"));
            }
            Some(same) => (same.arn.clone(), same.is_pending),
            None => {
                let is_pending = matches!(protocol, Protocol::Http | Protocol::Https);
                let arn: Arc<str> = format!("{topic}:{}", request.chance.uuid()).into();
                let subscription = Subscription {
                    arn: arn.clone(),
                    topic,
                    owner: request.place.account.clone(),
                    protocol,
                    endpoint: endpoint.clone(),
                    attributes: given,
                    is_pending,
                    is_authenticated: !is_pending,
                    token: request.chance.token(TOKEN_CHARACTERS).into(),
                };
                self.touched_subscriptions.insert(arn.clone());
                self.subscriptions.insert(arn.clone(), subscription);
                (arn, is_pending)
            }
        };
        if is_pending && let Some(subscription) = self.subscriptions.get(&arn) {
            let delivery = notifications::confirmation(subscription, &self.endpoint, &self.seal, request);
            self.deliveries.push(delivery);
        }
        let shown =
            if is_pending && !input.is_set("ReturnSubscriptionArn")? { Json::from(PENDING) } else { arn.into() };
        Ok(Json::object([("SubscriptionArn", shown)]))
    }

    pub(super) fn confirm_subscription(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let topic = self.topic(input, "TopicArn")?.arn.clone();
        let token = input.required("Token")?;
        let is_authenticated = input.text("AuthenticateOnUnsubscribe")?.is_some_and(|text| &**text == "true");
        let found = self.subscriptions_of(&topic).find(|subscription| subscription.token == *token);
        let arn = found.map(|subscription| subscription.arn.clone()).ok_or_else(|| invalid("Token"))?;
        if let Some(subscription) = self.subscription_mut(&arn)
            && subscription.is_pending
        {
            subscription.is_pending = false;
            subscription.is_authenticated = is_authenticated;
            subscription.owner = request.place.account.clone();
        }
        Ok(Json::object([("SubscriptionArn", Json::String(arn))]))
    }

    /// Ends a subscription. One that is gone has ended.
    pub(super) fn unsubscribe(&mut self, input: Input<'_>) -> Outcome {
        let arn = input.required("SubscriptionArn")?;
        if Arn::parse(arn).is_none_or(|arn| arn.service != "sns" || arn.resource.split(':').count() != 2) {
            return Err(invalid("SubscriptionArn"));
        }
        if let Some(subscription) = self.subscriptions.remove(arn) {
            self.touched_subscriptions.insert(arn.clone());
            if let Some(topic) = self.topic_mut(&subscription.topic) {
                topic.deleted += 1;
            }
        }
        Ok(Json::empty_object())
    }

    pub(super) fn list_subscriptions(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let all = self.subscriptions.values();
        self.page_of(
            all.filter(|subscription| {
                self.topics.get(&subscription.topic).is_some_and(|topic| topic.place == *request.place)
            }),
            input,
        )
    }

    pub(super) fn list_subscriptions_by_topic(&mut self, input: Input<'_>) -> Outcome {
        let topic = &self.topic(input, "TopicArn")?.arn;
        self.page_of(self.subscriptions_of(topic), input)
    }

    fn page_of<'a>(&self, subscriptions: impl Iterator<Item = &'a Subscription>, input: Input<'_>) -> Outcome {
        let token = input.text("NextToken")?.map(|token| &**token);
        let keys = subscriptions.map(|subscription| &*subscription.arn);
        let (shown, next) = paging::page(keys, token, PAGE).ok_or_else(bad_token)?;
        let shown = shown.into_iter().filter_map(|arn| self.subscriptions.get(arn)).map(|subscription| {
            let arn = if subscription.is_pending { "PendingConfirmation".into() } else { subscription.arn.clone() };
            texts([
                ("SubscriptionArn", arn),
                ("Owner", subscription.owner.clone()),
                ("Protocol", subscription.protocol.name().into()),
                ("Endpoint", subscription.endpoint.clone()),
                ("TopicArn", subscription.topic.clone()),
            ])
        });
        Ok(members([("Subscriptions", Some(Json::array(shown.collect()))), ("NextToken", next.map(Json::from))]))
    }

    fn subscription(&self, input: Input<'_>) -> Result<&Subscription, Refusal> {
        let arn = input.required("SubscriptionArn")?;
        self.subscriptions.get(arn).ok_or_else(|| not_found("Subscription does not exist"))
    }

    pub(super) fn get_subscription_attributes(&mut self, input: Input<'_>) -> Outcome {
        let subscription = self.subscription(input)?;
        let told = [
            ("SubscriptionArn", subscription.arn.clone()),
            ("TopicArn", subscription.topic.clone()),
            ("Owner", subscription.owner.clone()),
            ("Protocol", subscription.protocol.name().into()),
            ("Endpoint", subscription.endpoint.clone()),
            ("PendingConfirmation", subscription.is_pending.to_string().into()),
            ("ConfirmationWasAuthenticated", subscription.is_authenticated.to_string().into()),
            (attributes::RAW, "false".into()),
        ];
        let mut all: Attributes = told.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
        if subscription.attributes.contains_key(attributes::FILTER) {
            all.insert(attributes::FILTER_SCOPE.into(), "MessageAttributes".into());
        }
        all.extend(subscription.attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(Json::object([("Attributes", texts(all))]))
    }

    pub(super) fn set_subscription_attributes(&mut self, sqs: &mut Sqs, input: Input<'_>) -> Outcome {
        let subscription = self.subscription(input)?;
        let name = input.required("AttributeName")?;
        let value = input.text("AttributeValue")?.cloned().unwrap_or_else(|| "".into());
        attributes::check_of_subscription(name, &value, sqs)?;
        let mut changed = subscription.attributes.clone();
        attributes::set(&mut changed, name, &value);
        attributes::check_filter(&changed)?;
        let arn = subscription.arn.clone();
        if let Some(subscription) = self.subscription_mut(&arn) {
            subscription.attributes = changed;
        }
        Ok(Json::empty_object())
    }
}

fn check_endpoint(topic: &Topic, protocol: Protocol, endpoint: &str, sqs: &Sqs) -> Result<(), Refusal> {
    match protocol {
        Protocol::Sqs => {
            let is_queue = Arn::parse(endpoint).is_some_and(|arn| arn.service == "sqs");
            if !is_queue {
                return Err(invalid("SQS endpoint ARN"));
            }
            if !topic.is_fifo() && (endpoint.ends_with(".fifo") || sqs.is_fifo_queue(endpoint) == Some(true)) {
                let reason = "FIFO SQS Queues can not be subscribed to standard SNS topics";
                return Err(invalid(format_args!("Endpoint Reason: {reason}")));
            }
            Ok(())
        }
        _ if topic.is_fifo() => Err(invalid("Protocol Reason: only a queue can be subscribed to a FIFO topic")),
        Protocol::Lambda => match Arn::parse(endpoint) {
            Some(arn) if arn.service == "lambda" => Ok(()),
            _ => Err(invalid("Lambda endpoint ARN")),
        },
        Protocol::Http | Protocol::Https => {
            let start = format!("{}://", protocol.name());
            if endpoint.strip_prefix(&start).is_some_and(|rest| !rest.is_empty()) {
                return Ok(());
            }
            Err(invalid("Endpoint must match the specified protocol"))
        }
    }
}
