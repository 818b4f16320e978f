//! Who is told of an asynchronous invocation's end: queues, topics, buses and other functions.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, Place, blob_text};

use crate::core::Core;
use crate::input::members;
use crate::refusal::Refusal;

/// Services that can be told.
const SERVICES: [&str; 4] = ["sqs", "sns", "lambda", "events"];

/// Refuses what is no destination.
pub(crate) fn check(arn: &str) -> Result<(), Refusal> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, service, _, _, ..] if SERVICES.contains(&service) => Ok(()),
        _ => Err(Refusal::invalid(format!("The provided destination {arn} is invalid."))),
    }
}

/// Tells somebody. `attributes` are for those that have such a thing: name, type, text.
pub(crate) async fn tell(
    core: &Arc<Core>,
    place: &Place,
    arn: &str,
    body: &str,
    attributes: &[(&str, &str, String)],
) -> Result<(), AwsError> {
    let parts: Vec<&str> = arn.split(':').collect();
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    let (service, name) = (part(2), part(5));
    let there = Place { region: part(3).into(), account: part(4).into() };
    let ask = |service: &str, action: &str, input: Json| {
        core.peers.ask(&there, AwsCall { service: service.into(), action: action.into(), input })
    };
    let text = |text: &str| Some(Json::from(text));
    let attributes = (!attributes.is_empty()).then(|| {
        Json::object(
            attributes
                .iter()
                .map(|(name, kind, value)| (*name, members([("DataType", text(kind)), ("StringValue", text(value))]))),
        )
    });
    match service {
        "sqs" => {
            let url = queue_url(core, arn).await?;
            let input =
                members([("QueueUrl", Some(url)), ("MessageBody", text(body)), ("MessageAttributes", attributes)]);
            ask("sqs", "SendMessage", input).await?;
        }
        "sns" => {
            let input = members([("TopicArn", text(arn)), ("Message", text(body)), ("MessageAttributes", attributes)]);
            ask("sns", "Publish", input).await?;
        }
        "lambda" => {
            let input = members([
                ("FunctionName", text(arn)),
                ("InvocationType", text("Event")),
                ("Payload", Some(Json::from(blob_text(body.as_bytes())))),
            ]);
            ask("lambda", "Invoke", input).await?;
        }
        _ => {
            let entry = members([
                ("Source", text("lambda")),
                ("DetailType", text("Lambda Function Invocation Result")),
                ("Detail", text(body)),
                ("EventBusName", text(name)),
                ("Resources", Some(Json::array(vec![Json::from(arn)]))),
            ]);
            core.peers
                .ask(
                    place,
                    AwsCall {
                        service: "events".into(),
                        action: "PutEvents".into(),
                        input: members([("Entries", Some(Json::array(vec![entry])))]),
                    },
                )
                .await?;
        }
    }
    Ok(())
}

/// The URL of the queue an ARN names.
pub(crate) async fn queue_url(core: &Arc<Core>, arn: &str) -> Result<Json, AwsError> {
    let parts: Vec<&str> = arn.split(':').collect();
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    let there = Place { region: part(3).into(), account: part(4).into() };
    let input = members([("QueueName", Some(Json::from(part(5))))]);
    let call = AwsCall { service: "sqs".into(), action: "GetQueueUrl".into(), input };
    let answer = core.peers.ask(&there, call).await?;
    Ok(answer.output.get("QueueUrl").cloned().unwrap_or(Json::Null))
}
