//! What a bucket tells of its objects: to queues, topics, functions, and to EventBridge.
//!
//! What is to be told is written down together with what it tells of, and struck off when it is delivered: after a crash
//! the next opening tells it again. AWS promises no more than "at least once" either.

use s3s::dto::{
    FilterRule, LambdaFunctionConfiguration, NotificationConfiguration, QueueConfiguration, TopicConfiguration,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stepwell_json::{Array, Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall, Fault, Place, blob_text};
use stepwell_spec::{Arn, partition_of};

use crate::actions::{NOTIFICATION, read_setting};
use crate::asker::Asker;
use crate::convert::canonical_id;
use crate::core::Core;
use crate::refusal::Refusal;
use crate::store::{Bucket, Changes, NULL_VERSION, Object};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Put,
    Copied,
    Completed,
    Deleted,
    Marked,
}

impl Happened {
    /// The event's name, and the reason EventBridge hears.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Happened::Put => ("ObjectCreated:Put", "PutObject"),
            Happened::Copied => ("ObjectCreated:Copy", "CopyObject"),
            Happened::Completed => ("ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload"),
            Happened::Deleted => ("ObjectRemoved:Delete", "DeleteObject"),
            Happened::Marked => ("ObjectRemoved:DeleteMarkerCreated", "DeleteObject"),
        }
    }

    fn removes(self) -> bool {
        matches!(self, Happened::Deleted | Happened::Marked)
    }
}

/// Events a configuration may name.
const EVENTS: &[&str] = &[
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
];

/// An event on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// A queue's, topic's or function's ARN; None: EventBridge.
    target: Option<String>,
    account: String,
    region: String,
    /// What is sent: for EventBridge an entry.
    message: Value,
}

/// One rule of a configuration.
struct Rule<'a> {
    id: &'a str,
    target: &'a str,
    events: &'a [String],
    filters: &'a [FilterRule],
}

impl Rule<'_> {
    fn wants(&self, event: &str, key: &str) -> bool {
        let full = format!("s3:{event}");
        let named = self.events.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(begin) => full.starts_with(begin),
            None => *wanted == full,
        });
        named
            && self.filters.iter().all(|filter| {
                let value = filter.value.as_deref().unwrap_or_default();
                match filter.name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).as_deref() {
                    Some("prefix") => key.starts_with(value),
                    Some("suffix") => key.ends_with(value),
                    _ => true,
                }
            })
    }
}

/// All rules of a configuration, whatever they tell.
struct Rules(Vec<(String, String, Vec<String>, Vec<FilterRule>)>);

impl Rules {
    fn of(configuration: &NotificationConfiguration) -> Rules {
        let mut rules = Vec::new();
        let texts = |events: &[s3s::dto::Event]| events.iter().cloned().map(String::from).collect::<Vec<_>>();
        macro_rules! take {
            ($list:ident, $arn:ident) => {
                for rule in configuration.$list.iter().flatten() {
                    let filters = rule.filter.as_ref().and_then(|filter| filter.key.as_ref()?.filter_rules.clone());
                    let id = rule.id.clone().unwrap_or_default();
                    rules.push((id, rule.$arn.clone(), texts(&rule.events), filters.unwrap_or_default()));
                }
            };
        }
        take!(queue_configurations, queue_arn);
        take!(topic_configurations, topic_arn);
        take!(lambda_function_configurations, lambda_function_arn);
        Rules(rules)
    }

    fn iter(&self) -> impl Iterator<Item = Rule<'_>> {
        self.0.iter().map(|(id, target, events, filters)| Rule { id, target, events, filters })
    }
}

/// Writes down whom to tell of what happened in a bucket, and gives it back to be told once it is durable.
pub(crate) fn record(
    tables: &mut Changes<'_>,
    asker: &Asker,
    (name, bucket): (&str, &Bucket),
    happened: &[(Happened, &str, &Object)],
) -> Result<Vec<(u64, Waiting)>, Refusal> {
    let Some(setting) = tables.setting(bucket.number, NOTIFICATION.0)? else { return Ok(Vec::new()) };
    let configuration: NotificationConfiguration = read_setting(NOTIFICATION, &setting)?;
    let rules = Rules::of(&configuration);
    let mut told = Vec::new();
    for (what, key, object) in happened {
        let about = About { asker, name, bucket, what: *what, key, object };
        for rule in rules.iter().filter(|rule| rule.wants(what.names().0, key)) {
            told.push(about.waiting(Some(rule.target.to_owned()), about.record(rule.id)));
        }
        if configuration.event_bridge_configuration.is_some() {
            told.push(about.waiting(None, about.entry()));
        }
    }
    let first = tables.next_event()?;
    let mut numbered = Vec::with_capacity(told.len());
    for (number, waiting) in (first..).zip(told) {
        tables.put_event(number, &serde_json::to_vec(&waiting).map_err(Refusal::broken)?)?;
        numbered.push((number, waiting));
    }
    Ok(numbered)
}

struct About<'a> {
    asker: &'a Asker,
    name: &'a str,
    bucket: &'a Bucket,
    what: Happened,
    key: &'a str,
    object: &'a Object,
}

impl About<'_> {
    fn waiting(&self, target: Option<String>, message: Value) -> Waiting {
        Waiting { target, account: self.bucket.account.clone(), region: self.bucket.region.clone(), message }
    }

    fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", partition_of(&self.bucket.region), self.name)
    }

    /// "Event message structure" of the S3 User Guide.
    fn record(&self, configuration: &str) -> Value {
        let Object { version, size, etag, sequence, .. } = self.object;
        let mut object = json!({"key": encoded_key(self.key)});
        if !self.what.removes() {
            object["size"] = json!(size);
            object["eTag"] = json!(etag);
        } else if self.what == Happened::Marked {
            object["eTag"] = json!("d41d8cd98f00b204e9800998ecf8427e");
        }
        if version != NULL_VERSION {
            object["versionId"] = json!(version);
        }
        object["sequencer"] = json!(format!("{sequence:018X}"));
        json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.bucket.region,
            "eventTime": self.asker.now.to_string(),
            "eventName": self.what.names().0,
            "userIdentity": {"principalId": format!("AWS:{}", self.asker.place.account)},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": *self.asker.request_id, "x-amz-id-2": *self.asker.host_id},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": self.name,
                    "ownerIdentity": {"principalId": canonical_id(&self.bucket.account)},
                    "arn": self.arn(),
                },
                "object": object,
            },
        }]})
    }

    /// "EventBridge event message structure" of the S3 User Guide, as an entry of PutEvents.
    fn entry(&self) -> Value {
        let Object { version, size, etag, sequence, .. } = self.object;
        let mut object = json!({"key": self.key});
        if !self.what.removes() {
            object["size"] = json!(size);
            object["etag"] = json!(etag);
        }
        if version != NULL_VERSION {
            object["version-id"] = json!(version);
        }
        object["sequencer"] = json!(format!("{sequence:018X}"));
        let mut detail = json!({
            "version": "0",
            "bucket": {"name": self.name},
            "object": object,
            "request-id": *self.asker.request_id,
            "requester": *self.asker.place.account,
            "source-ip-address": "127.0.0.1",
            "reason": self.what.names().1,
        });
        match self.what {
            Happened::Deleted => detail["deletion-type"] = json!("Permanently Deleted"),
            Happened::Marked => detail["deletion-type"] = json!("Delete Marker Created"),
            Happened::Put | Happened::Copied | Happened::Completed => {}
        }
        json!({
            "Source": "aws.s3",
            "DetailType": if self.what.removes() { "Object Deleted" } else { "Object Created" },
            "Resources": [self.arn()],
            "Time": self.asker.now.seconds(),
            "Detail": detail.to_string(),
        })
    }
}

/// A key as in a query string, as notifications have it.
fn encoded_key(key: &str) -> String {
    crate::percent::encoded(key).replace("%20", "+")
}

fn call(service: &str, action: &str, members: &[(&str, Json)]) -> AwsCall {
    let mut input = ObjectBuilder::new();
    for (name, value) in members {
        input.insert(*name, value.clone());
    }
    AwsCall { service: service.into(), action: action.into(), input: Json::from(input.build()) }
}

fn text(value: &str) -> Json {
    Json::from(value.to_owned())
}

/// Who is told: the service of an ARN, its place, and the ARN's resource.
fn parsed(arn: &str) -> Option<(Place, Arn<'_>)> {
    let arn = Arn::parse(arn)?;
    let place = Place { account: arn.account.into(), region: arn.region.into() };
    Some((place, arn))
}

async fn queue_url(core: &Core, place: &Place, arn: &Arn<'_>) -> Result<Json, stepwell_protocol::AwsError> {
    let asked = [("QueueName", text(arn.resource)), ("QueueOwnerAWSAccountId", text(arn.account))];
    let answer = core.peers.ask(place, call("sqs", "GetQueueUrl", &asked)).await?;
    Ok(answer.output.get("QueueUrl").cloned().unwrap_or_else(|| text("")))
}

/// Refuses a configuration AWS would: unknown events, and targets that are not there. Those get AWS's test message.
pub(crate) async fn check(
    core: &Core,
    asker: &Asker,
    bucket: &str,
    configuration: &NotificationConfiguration,
) -> Result<(), Refusal> {
    let rules = Rules::of(configuration);
    for rule in rules.iter() {
        if let Some(unknown) = rule.events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return Err(Refusal::argument("Event", unknown, "The event is not supported for notifications"));
        }
        if rule.events.is_empty() {
            return Err(Refusal::of(crate::refusal::MALFORMED_XML));
        }
    }
    let said = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": asker.now.to_string(),
        "Bucket": bucket,
        "RequestId": *asker.request_id,
        "HostId": *asker.host_id,
    })
    .to_string();
    for rule in rules.iter() {
        let refused = |value: &str| {
            Refusal::argument(rule.target, value, "Unable to validate the following destination configurations")
        };
        let Some((place, arn)) = parsed(rule.target) else {
            return Err(Refusal::argument("ARN", rule.target, "The ARN could not be parsed"));
        };
        let known = match arn.service {
            "sqs" => match queue_url(core, &place, &arn).await {
                Ok(url) => {
                    let sent = [("QueueUrl", url), ("MessageBody", text(&said))];
                    core.peers.ask(&place, call("sqs", "SendMessage", &sent)).await.map(drop)
                }
                Err(error) => Err(error),
            },
            "sns" => {
                let sent = [
                    ("TopicArn", text(rule.target)),
                    ("Message", text(&said)),
                    ("Subject", text("Amazon S3 Notification")),
                ];
                core.peers.ask(&place, call("sns", "Publish", &sent)).await.map(drop)
            }
            "lambda" => {
                let asked = [("FunctionName", text(rule.target))];
                core.peers.ask(&place, call("lambda", "GetFunctionConfiguration", &asked)).await.map(drop)
            }
            _ => return Err(refused("Not authorized to invoke the resource")),
        };
        if let Err(error) = known {
            let kind = match arn.service {
                "sqs" => "queue",
                "sns" => "topic",
                _ => "function",
            };
            tracing::info!(code = %error.code, target = rule.target, "a notification's target is refused");
            return Err(refused(&format!("The destination {kind} does not exist")));
        }
    }
    Ok(())
}

/// Gives every rule without an id one.
pub(crate) fn name_rules(core: &Core, configuration: &mut NotificationConfiguration) {
    let name = |id: &mut Option<String>| {
        if id.as_ref().is_none_or(String::is_empty) {
            *id = Some(core.version_id(core.store.number()));
        }
    };
    let NotificationConfiguration {
        queue_configurations,
        topic_configurations,
        lambda_function_configurations,
        event_bridge_configuration: _,
    } = configuration;
    queue_configurations.iter_mut().flatten().for_each(|rule: &mut QueueConfiguration| name(&mut rule.id));
    topic_configurations.iter_mut().flatten().for_each(|rule: &mut TopicConfiguration| name(&mut rule.id));
    let functions = lambda_function_configurations.iter_mut().flatten();
    functions.for_each(|rule: &mut LambdaFunctionConfiguration| name(&mut rule.id));
}

/// Tells one event, and strikes it off when it is told, or can never be.
pub(crate) async fn deliver(core: &Core, number: u64, waiting: &Waiting) {
    let mut pauses = core.pauses.iter();
    loop {
        let error = match send(core, waiting).await {
            Ok(_) => break,
            Err(error) => error,
        };
        let is_throttled = error.status == 429 || error.code.contains("Throttl");
        if error.fault == Fault::Client && !is_throttled {
            tracing::warn!(code = %error.code, target = ?waiting.target, "an event of S3 was refused");
            break;
        }
        let Some(pause) = pauses.next() else {
            tracing::warn!(code = %error.code, target = ?waiting.target, "an event of S3 was not delivered and is given up");
            break;
        };
        // Whoever ends meanwhile tells it again in the next life.
        tokio::time::sleep(*pause).await;
    }
    if let Err(refusal) = core.store.change(move |tables| tables.remove_event(number)).await {
        tracing::error!(%refusal, "a delivered event of S3 will be delivered again");
    }
}

async fn send(core: &Core, waiting: &Waiting) -> AwsAnswer {
    let own = Place { account: waiting.account.as_str().into(), region: waiting.region.as_str().into() };
    let Some(target) = waiting.target.as_deref() else {
        let entry: Json = Json::parse(&waiting.message.to_string()).unwrap_or_else(|_| Json::empty_object());
        let entries = Json::from([entry].into_iter().collect::<Array>());
        return core.peers.ask(&own, call("events", "PutEvents", &[("Entries", entries)])).await;
    };
    let message = waiting.message.to_string();
    let Some((place, arn)) = parsed(target) else {
        return core.peers.ask(&own, call("sqs", "SendMessage", &[])).await;
    };
    let asked = match arn.service {
        "sqs" => {
            let url = queue_url(core, &place, &arn).await?;
            call("sqs", "SendMessage", &[("QueueUrl", url), ("MessageBody", text(&message))])
        }
        "sns" => call(
            "sns",
            "Publish",
            &[("TopicArn", text(target)), ("Message", text(&message)), ("Subject", text("Amazon S3 Notification"))],
        ),
        _ => call(
            "lambda",
            "Invoke",
            &[
                ("FunctionName", text(target)),
                ("InvocationType", text("Event")),
                ("Payload", Json::from(blob_text(message.as_bytes()))),
            ],
        ),
    };
    core.peers.ask(&place, asked).await
}

#[cfg(test)]
mod tests {
    use s3s::dto::{FilterRule, FilterRuleName};

    use super::{Rule, encoded_key};

    #[test]
    fn rules_by_name_and_key() {
        let check = |events: &[&str], filters: &[(&'static str, &str)], event: &str, key: &str, expected: bool| {
            let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
            let filters: Vec<FilterRule> = filters
                .iter()
                .map(|(name, value)| FilterRule {
                    name: Some(FilterRuleName::from_static(name)),
                    value: Some((*value).to_owned()),
                })
                .collect();
            let rule = Rule { id: "", target: "", events: &events, filters: &filters };
            assert_eq!(rule.wants(event, key), expected, "{events:?} {event} {key}");
        };
        check(&["s3:ObjectCreated:*"], &[], "ObjectCreated:Copy", "k", true);
        check(&["s3:ObjectCreated:Put"], &[], "ObjectCreated:Copy", "k", false);
        check(&["s3:ObjectRemoved:*"], &[], "ObjectCreated:Put", "k", false);
        check(&["s3:ObjectCreated:*"], &[("prefix", "in/"), ("suffix", ".csv")], "ObjectCreated:Put", "in/a.csv", true);
        check(
            &["s3:ObjectCreated:*"],
            &[("Prefix", "in/"), ("Suffix", ".csv")],
            "ObjectCreated:Put",
            "in/a.txt",
            false,
        );
    }

    #[test]
    fn keys_in_events() {
        assert_eq!(encoded_key("a b/c+ü"), "a+b/c%2B%C3%BC");
    }
}
