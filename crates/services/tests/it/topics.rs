//! SNS, by scenario. Facts are those of SNS's API reference and developer guide.

use stepwell_json::Json;
use stepwell_services::{DeliveryTarget, query_code};

use crate::world::{World, both, text};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:";
const URL: &str = "http://localhost:8083/000000000000/";

impl World {
    fn sns(&mut self, action: &str, input: &str) -> Json {
        self.ask("sns", action, input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn sns_refused(&mut self, action: &str, input: &str) -> String {
        match self.ask("sns", action, input) {
            Err((code, _)) => code,
            Ok(output) => panic!("{action} {input} is not refused: {output:?}"),
        }
    }

    fn queue(&mut self, name: &str) {
        let fifo = if name.ends_with(".fifo") { r#"{"FifoQueue":"true"}"# } else { "{}" };
        let input = format!(r#"{{"QueueName":"{name}","Attributes":{fifo}}}"#);
        self.ask("sqs", "CreateQueue", &input).expect("a queue");
    }

    fn topic(&mut self, name: &str) {
        let fifo = if name.ends_with(".fifo") { r#"{"FifoTopic":"true"}"# } else { "{}" };
        self.sns("CreateTopic", &format!(r#"{{"Name":"{name}","Attributes":{fifo}}}"#));
    }

    fn subscribe(&mut self, topic: &str, queue: &str, attributes: &str) -> String {
        let endpoint = format!("{QUEUE}{queue}");
        let output = self.sns("Subscribe", &subscription(topic, "sqs", &endpoint, attributes));
        text(&output, &["SubscriptionArn"]).to_string()
    }

    fn publish(&mut self, topic: &str, more: &str) -> Json {
        self.sns("Publish", &format!(r#"{{"TopicArn":"{TOPIC}{topic}"{more}}}"#))
    }

    /// The bodies of everything in a queue, which is empty then.
    fn drain(&mut self, queue: &str) -> Vec<String> {
        self.drain_whole(queue).iter().map(|message| text(message, &["Body"]).to_string()).collect()
    }

    fn drain_whole(&mut self, queue: &str) -> Vec<Json> {
        let mut drained = Vec::new();
        loop {
            let more = r#""MaxNumberOfMessages":10,"MessageAttributeNames":["All"],"AttributeNames":["All"]"#;
            let input = format!(r#"{{"QueueUrl":"{URL}{queue}",{more}}}"#);
            let output = self.ask("sqs", "ReceiveMessage", &input).expect("a receive");
            let Some(messages) = output.get("Messages").and_then(Json::as_array) else { return drained };
            for message in messages.iter() {
                let receipt = text(message, &["ReceiptHandle"]);
                let input = format!(r#"{{"QueueUrl":"{URL}{queue}","ReceiptHandle":"{receipt}"}}"#);
                self.ask("sqs", "DeleteMessage", &input).expect("deleted");
                drained.push(message.clone());
            }
        }
    }
}

fn subscription(topic: &str, protocol: &str, endpoint: &str, attributes: &str) -> String {
    format!(
        r#"{{"TopicArn":"{TOPIC}{topic}","Protocol":"{protocol}","Endpoint":"{endpoint}","Attributes":{attributes}}}"#
    )
}

const RAW: &str = r#"{"RawMessageDelivery":"true"}"#;
const NONE: [&str; 0] = [];

#[test]
fn a_subscribed_queue_gets_the_document_or_the_message() {
    both(|world| {
        world.topic("t");
        for queue in ["wrapped", "raw"] {
            world.queue(queue);
        }
        let wrapped = world.subscribe("t", "wrapped", "{}");
        world.subscribe("t", "raw", RAW);
        let attributes = r#""MessageAttributes":{"store":{"DataType":"String","StringValue":"example_corp"}}"#;
        let published = world.publish("t", &format!(r#","Message":"a \"b\"","Subject":"s",{attributes}"#));
        let body = world.drain("wrapped").remove(0);
        let document = Json::parse(&body).expect("JSON");
        assert_eq!(text(&document, &["MessageId"]), text(&published, &["MessageId"]));
        assert_eq!(
            body,
            format!(
                r#"{{
  "Type" : "Notification",
  "MessageId" : "{}",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000000:t",
  "Subject" : "s",
  "Message" : "a \"b\"",
  "Timestamp" : "2023-11-14T22:13:20.006Z",
  "SignatureVersion" : "1",
  "Signature" : "{}",
  "SigningCertURL" : "http://localhost:8083/SimpleNotificationService-00000000000000000000000000000000.pem",
  "UnsubscribeURL" : "http://localhost:8083/?Action=Unsubscribe&SubscriptionArn={wrapped}",
  "MessageAttributes" : {{
    "store" : {{"Type":"String","Value":"example_corp"}}
  }}
}}"#,
                text(&published, &["MessageId"]),
                text(&document, &["Signature"]),
            )
        );
        let raw = world.drain_whole("raw").remove(0);
        assert_eq!(&*text(&raw, &["Body"]), r#"a "b""#);
        assert_eq!(&*text(&raw, &["MessageAttributes", "store", "StringValue"]), "example_corp");
    });
}

#[test]
fn filters_choose_by_attributes_or_by_the_body() {
    both(|world| {
        world.topic("t");
        for queue in ["attributes", "body"] {
            world.queue(queue);
        }
        let filter = r#"{"RawMessageDelivery":"true","FilterPolicy":"{\"kind\":[\"order\"],\"price\":[{\"numeric\":[\">=\",100]}]}"}"#;
        let arn = world.subscribe("t", "attributes", filter);
        let of_body = r#"{"RawMessageDelivery":"true","FilterPolicyScope":"MessageBody","FilterPolicy":"{\"order\":{\"price\":[{\"numeric\":[\"<\",100]}]}}"}"#;
        world.subscribe("t", "body", of_body);
        for price in [99, 100] {
            world.publish(
                "t",
                &format!(
                    r#","Message":"{{\"order\":{{\"price\":{price}}}}}","MessageAttributes":{{"kind":{{"DataType":"String","StringValue":"order"}},"price":{{"DataType":"Number","StringValue":"{price}"}}}}"#
                ),
            );
        }
        world.publish("t", r#","Message":"no document""#);
        assert_eq!(world.drain("attributes"), [r#"{"order":{"price":100}}"#]);
        assert_eq!(world.drain("body"), [r#"{"order":{"price":99}}"#]);
        let clear = format!(r#"{{"SubscriptionArn":"{arn}","AttributeName":"FilterPolicy","AttributeValue":""}}"#);
        world.sns("SetSubscriptionAttributes", &clear);
        world.publish("t", r#","Message":"any""#);
        assert_eq!(world.drain("attributes"), ["any"]);
        for (attribute, value) in
            [("FilterPolicy", r#"{\"a\":\"b\"}"#), ("RawMessageDelivery", "yes"), ("Nonsense", "1")]
        {
            let set =
                format!(r#"{{"SubscriptionArn":"{arn}","AttributeName":"{attribute}","AttributeValue":"{value}"}}"#);
            assert_eq!(
                world.sns_refused("SetSubscriptionAttributes", &set),
                "InvalidParameterException",
                "{attribute}"
            );
        }
    });
}

#[test]
fn an_http_endpoint_is_asked_first_and_a_function_is_not() {
    both(|world| {
        world.topic("t");
        let output = world.sns("Subscribe", &subscription("t", "http", "http://localhost:9/hook", "{}"));
        assert_eq!(&*text(&output, &["SubscriptionArn"]), "pending confirmation");
        let asked = world.deliveries.remove(0);
        assert_eq!(asked.target, DeliveryTarget::Http("http://localhost:9/hook".into()));
        let token = text(&Json::parse(&asked.body).expect("JSON"), &["Token"]);
        world.publish("t", r#","Message":"early""#);
        assert_eq!(world.deliveries, []);
        let confirm = |token: &str| format!(r#"{{"TopicArn":"{TOPIC}t","Token":"{token}"}}"#);
        assert_eq!(world.sns_refused("ConfirmSubscription", &confirm("nonsense")), "InvalidParameterException");
        let confirmed = world.sns("ConfirmSubscription", &confirm(&token));
        let arn = text(&confirmed, &["SubscriptionArn"]);
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
        world.sns("Subscribe", &subscription("t", "lambda", function, "{}"));
        world.publish("t", r#","Message":"m""#);
        world.deliveries.sort_by_key(|delivery| matches!(delivery.target, DeliveryTarget::Lambda(_)));
        let (http, lambda) = (world.deliveries.remove(0), world.deliveries.remove(0));
        let header = |name: &str| http.headers.iter().find(|(of, _)| &**of == name).map(|(_, value)| value.clone());
        assert_eq!(header("x-amz-sns-message-type").as_deref(), Some("Notification"));
        assert_eq!(header("x-amz-sns-subscription-arn"), Some(arn));
        assert_eq!(lambda.target, DeliveryTarget::Lambda(function.into()));
        let event = Json::parse(&lambda.body).expect("JSON");
        assert_eq!(&*text(&event, &["Records", "0", "Sns", "Message"]), "m");
        assert_eq!(event.get("Records").and_then(Json::as_array).map(|records| records.len()), Some(1));
    });
}

#[test]
fn a_topic_in_order_numbers_its_messages_and_drops_what_repeats() {
    both(|world| {
        world.topic("t.fifo");
        world.queue("q.fifo");
        world.queue("q");
        world.subscribe("t.fifo", "q.fifo", RAW);
        world.subscribe("t.fifo", "q", RAW);
        let once = r#","Message":"a","MessageGroupId":"g","MessageDeduplicationId":"d""#;
        let first = world.publish("t.fifo", once);
        assert_eq!(world.publish("t.fifo", once), first);
        let second = world.publish("t.fifo", r#","Message":"b","MessageGroupId":"g","MessageDeduplicationId":"e""#);
        assert!(text(&first, &["SequenceNumber"]) < text(&second, &["SequenceNumber"]));
        assert_eq!(world.drain("q.fifo"), ["a", "b"]);
        assert_eq!(world.drain("q"), ["a", "b"]);
        world.pass_ms(300_000);
        assert_ne!(world.publish("t.fifo", once), first);
        assert_eq!(world.drain("q.fifo"), ["a"]);
        for more in [r#","Message":"a","MessageDeduplicationId":"d""#, r#","Message":"a","MessageGroupId":"g""#] {
            let input = format!(r#"{{"TopicArn":"{TOPIC}t.fifo"{more}}}"#);
            assert_eq!(world.sns_refused("Publish", &input), "InvalidParameterException");
        }
    });
}

#[test]
fn what_a_queue_cannot_take_goes_to_the_dead_letters() {
    both(|world| {
        world.topic("t");
        world.queue("dead");
        world.queue("q");
        let redrive =
            format!(r#"{{"RawMessageDelivery":"true","RedrivePolicy":"{{\"deadLetterTargetArn\":\"{QUEUE}dead\"}}"}}"#);
        world.subscribe("t", "q", &redrive);
        world.publish("t", r#","Message":"first""#);
        world.ask("sqs", "DeleteQueue", &format!(r#"{{"QueueUrl":"{URL}q"}}"#)).expect("deleted");
        world.publish("t", r#","Message":"second""#);
        assert_eq!(world.drain("dead"), ["second"]);
    });
}

#[test]
fn a_published_message_wakes_who_waits() {
    both(|world| {
        world.topic("t");
        world.queue("q");
        world.subscribe("t", "q", RAW);
        let waits = world.send("sqs", "ReceiveMessage", &format!(r#"{{"QueueUrl":"{URL}q","WaitTimeSeconds":20}}"#));
        assert!(world.reply(waits).is_none());
        world.publish("t", r#","Message":"m""#);
        let output = world.reply(waits).expect("an answer").expect("done");
        assert_eq!(&*text(&output, &["Messages", "0", "Body"]), "m");
    });
}

#[test]
fn batches_and_texts_of_their_own_for_each_protocol() {
    both(|world| {
        world.topic("t");
        world.queue("q");
        world.subscribe("t", "q", RAW);
        world.publish("t", r#","MessageStructure":"json","Message":"{\"default\":\"d\",\"sqs\":\"for queues\"}""#);
        assert_eq!(world.drain("q"), ["for queues"]);
        let entries = r#"[{"Id":"a","Message":"1"},{"Id":"b","Message":""},{"Id":"c","Message":"3"}]"#;
        let batch = |entries: &str| format!(r#"{{"TopicArn":"{TOPIC}t","PublishBatchRequestEntries":{entries}}}"#);
        let output = world.sns("PublishBatch", &batch(entries));
        assert_eq!(&*text(&output, &["Successful", "1", "Id"]), "c");
        assert_eq!(&*text(&output, &["Failed", "0", "Code"]), "InvalidParameter");
        assert_eq!(world.drain("q"), ["1", "3"]);
        let twice = r#"[{"Id":"a","Message":"1"},{"Id":"a","Message":"2"}]"#;
        assert_eq!(world.sns_refused("PublishBatch", &batch(twice)), "BatchEntryIdsNotDistinctException");
        assert_eq!(world.sns_refused("PublishBatch", &batch("[]")), "EmptyBatchRequestException");
        assert_eq!(world.drain("q"), NONE);
    });
}

#[test]
fn topics_subscriptions_and_tags_are_listed_and_deleted() {
    both(|world| {
        for name in ["t", "u"] {
            world.topic(name);
        }
        world.topic("t");
        let other = r#"{"Name":"t","Attributes":{"DisplayName":"other"}}"#;
        assert_eq!(world.sns_refused("CreateTopic", other), "InvalidParameterException");
        world.queue("q");
        let arn = world.subscribe("t", "q", "{}");
        assert_eq!(world.subscribe("t", "q", "{}"), arn, "the same again is the same");
        let topics = world.sns("ListTopics", "{}");
        assert_eq!(&*text(&topics, &["Topics", "1", "TopicArn"]), format!("{TOPIC}u"));
        let listed = world.sns("ListSubscriptions", "{}");
        assert_eq!(&*text(&listed, &["Subscriptions", "0", "Endpoint"]), format!("{QUEUE}q"));
        let attributes = world.sns("GetTopicAttributes", &format!(r#"{{"TopicArn":"{TOPIC}t"}}"#));
        assert_eq!(&*text(&attributes, &["Attributes", "SubscriptionsConfirmed"]), "1");
        let tag =
            format!(r#"{{"ResourceArn":"{TOPIC}t","Tags":[{{"Key":"a","Value":"1"}},{{"Key":"b","Value":"2"}}]}}"#);
        world.sns("TagResource", &tag);
        world.sns("UntagResource", &format!(r#"{{"ResourceArn":"{TOPIC}t","TagKeys":["a"]}}"#));
        let tags = world.sns("ListTagsForResource", &format!(r#"{{"ResourceArn":"{TOPIC}t"}}"#));
        assert_eq!(tags.to_string(), r#"{"Tags":[{"Key":"b","Value":"2"}]}"#);
        world.sns("Unsubscribe", &format!(r#"{{"SubscriptionArn":"{arn}"}}"#));
        world.publish("t", r#","Message":"m""#);
        assert_eq!(world.drain("q"), NONE);
        world.subscribe("t", "q", "{}");
        world.sns("DeleteTopic", &format!(r#"{{"TopicArn":"{TOPIC}t"}}"#));
        assert_eq!(world.sns("ListSubscriptions", "{}").to_string(), r#"{"Subscriptions":[]}"#);
    });
}

#[test]
fn refusals_have_the_codes_of_the_model() {
    both(|world| {
        world.topic("t");
        world.topic("f.fifo");
        world.queue("q.fifo");
        let on = |more: &str| format!(r#"{{"TopicArn":"{TOPIC}t"{more}}}"#);
        let invalid = "InvalidParameterException";
        let cases = [
            ("CreateTopic", r#"{"Name":"a b"}"#.to_owned(), invalid),
            ("CreateTopic", r#"{"Name":"a","Attributes":{"FifoTopic":"true"}}"#.to_owned(), invalid),
            ("CreateTopic", "{}".to_owned(), invalid),
            ("Publish", format!(r#"{{"TopicArn":"{TOPIC}missing","Message":"m"}}"#), "NotFoundException"),
            ("Publish", on(r#","Message":"""#), invalid),
            ("Publish", on(&format!(r#","Message":"{}""#, "m".repeat(262_145))), invalid),
            ("Publish", on(r#","Message":"m","Subject":"""#), invalid),
            ("Publish", on(r#","Message":"m","MessageStructure":"json""#), invalid),
            ("Publish", on(r#","Message":"{}","MessageStructure":"json""#), invalid),
            (
                "Publish",
                on(r#","Message":"m","MessageAttributes":{"a":{"DataType":"Text","StringValue":"v"}}"#),
                "InvalidParameterValueException",
            ),
            ("Publish", r#"{"PhoneNumber":"+1","Message":"m"}"#.to_owned(), invalid),
            ("Subscribe", subscription("t", "email", "a@example.com", "{}"), invalid),
            ("Subscribe", subscription("t", "sqs", &format!("{QUEUE}q.fifo"), "{}"), invalid),
            ("Subscribe", subscription("t", "http", "https://example.com", "{}"), invalid),
            ("Subscribe", subscription("f.fifo", "http", "http://example.com", "{}"), invalid),
            ("GetSubscriptionAttributes", r#"{"SubscriptionArn":"nonsense"}"#.to_owned(), "NotFoundException"),
            ("ListTagsForResource", r#"{"ResourceArn":"nonsense"}"#.to_owned(), "ResourceNotFoundException"),
            ("CreatePlatformApplication", "{}".to_owned(), "InvalidAction"),
        ];
        for (action, input, code) in cases {
            let shown: String = input.chars().take(200).collect();
            assert_eq!(world.sns_refused(action, &input), code, "{action} {shown}");
        }
        assert_eq!(query_code("sns", "NotFoundException"), "NotFound");
        assert_eq!(query_code("sqs", "QueueDoesNotExist"), "AWS.SimpleQueueService.NonExistentQueue");
    });
}
