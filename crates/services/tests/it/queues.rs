//! SQS, by scenario. Facts are those of SQS's API reference and developer guide.

use stepwell_json::Json;

use crate::world::{World, both, text};

const URL: &str = "http://localhost:8083/000000000000/";

impl World {
    fn sqs(&mut self, action: &str, input: &str) -> Json {
        self.ask("sqs", action, input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn sqs_refused(&mut self, action: &str, input: &str) -> String {
        match self.ask("sqs", action, input) {
            Err((code, _)) => code,
            Ok(output) => panic!("{action} {input} is not refused: {output:?}"),
        }
    }

    /// An action on a queue, with more members.
    fn on(&mut self, action: &str, queue: &str, more: &str) -> Json {
        self.sqs(action, &on(queue, more))
    }

    fn on_refused(&mut self, action: &str, queue: &str, more: &str) -> String {
        self.sqs_refused(action, &on(queue, more))
    }

    fn create(&mut self, queue: &str, attributes: &str) {
        self.sqs("CreateQueue", &format!(r#"{{"QueueName":"{queue}","Attributes":{attributes}}}"#));
    }

    /// The bodies of what a receive gives, and the handles.
    fn receive(&mut self, queue: &str, more: &str) -> (Vec<String>, Vec<String>) {
        let output = self.on("ReceiveMessage", queue, more);
        messages(&output)
    }

    fn attribute(&mut self, queue: &str, name: &str) -> Option<String> {
        let output = self.on("GetQueueAttributes", queue, r#","AttributeNames":["All"]"#);
        output.get("Attributes")?.get(name)?.as_str().map(str::to_owned)
    }
}

fn on(queue: &str, more: &str) -> String {
    format!(r#"{{"QueueUrl":"{URL}{queue}"{more}}}"#)
}

fn messages(output: &Json) -> (Vec<String>, Vec<String>) {
    let received = output.get("Messages").and_then(Json::as_array);
    let each = |name: &str| {
        received.iter().flat_map(|list| list.iter()).map(|message| text(message, &[name]).to_string()).collect()
    };
    (each("Body"), each("ReceiptHandle"))
}

fn handle(handles: &[String], place: usize) -> String {
    format!(r#","ReceiptHandle":"{}""#, handles[place])
}

const NONE: [&str; 0] = [];
const ALL: &str = r#","MaxNumberOfMessages":10"#;

#[test]
fn a_message_is_sent_received_and_deleted() {
    both(|world| {
        world.create("q", "{}");
        let sent = world.on(
            "SendMessage",
            "q",
            r#","MessageBody":"hello","MessageAttributes":{"b":{"DataType":"Binary","BinaryValue":"AQI="},"a":{"DataType":"String","StringValue":"v"}}"#,
        );
        assert_eq!(&*text(&sent, &["MD5OfMessageBody"]), "5d41402abc4b2a76b9719d911017c592");
        assert!(sent.get("SequenceNumber").is_none());
        let received = world.on(
            "ReceiveMessage",
            "q",
            r#","MessageAttributeNames":["All"],"MessageSystemAttributeNames":["All"]"#,
        );
        let message = |path: &str| text(&received, &["Messages", "0", path]);
        assert_eq!(message("MessageId"), text(&sent, &["MessageId"]));
        assert_eq!(message("MD5OfMessageAttributes"), text(&sent, &["MD5OfMessageAttributes"]));
        let attribute = |name: &str| text(&received, &["Messages", "0", "Attributes", name]);
        assert_eq!(&*attribute("ApproximateReceiveCount"), "1");
        assert_eq!(&*attribute("SenderId"), "000000000000");
        // Nobody else gets it while it is in flight.
        assert_eq!(world.receive("q", "").0, NONE);
        assert_eq!(world.attribute("q", "ApproximateNumberOfMessagesNotVisible").as_deref(), Some("1"));
        let (_, handles) = messages(&received);
        world.on("DeleteMessage", "q", &handle(&handles, 0));
        // What is deleted may be deleted again.
        world.on("DeleteMessage", "q", &handle(&handles, 0));
        world.pass_ms(60_000);
        assert_eq!(world.receive("q", "").0, NONE);
        assert_eq!(world.attribute("q", "ApproximateNumberOfMessages").as_deref(), Some("0"));
    });
}

#[test]
fn a_message_comes_back_when_its_visibility_timeout_ends() {
    both(|world| {
        world.create("q", r#"{"VisibilityTimeout":"10"}"#);
        world.on("SendMessage", "q", r#","MessageBody":"m""#);
        let (_, first) = world.receive("q", "");
        world.pass_ms(9_000);
        assert_eq!(world.receive("q", "").0, NONE);
        world.pass_ms(1_000);
        let (again, second) = world.receive("q", r#","VisibilityTimeout":100"#);
        assert_eq!(again, ["m"]);
        assert_ne!(first, second);
        world.on("ChangeMessageVisibility", "q", &format!(r#"{},"VisibilityTimeout":0"#, handle(&second, 0)));
        assert_eq!(world.receive("q", "").0, ["m"]);
        let beyond = format!(r#"{},"VisibilityTimeout":43200"#, handle(&second, 0));
        assert_eq!(world.on_refused("ChangeMessageVisibility", "q", &beyond), "InvalidParameterValueException");
        world.pass_ms(10_000);
        world.on("SendMessage", "q", r#","MessageBody":"other","DelaySeconds":1"#);
        let late = format!(r#"{},"VisibilityTimeout":5"#, handle(&second, 0));
        assert_eq!(world.on_refused("ChangeMessageVisibility", "q", &late), "InvalidParameterValueException");
        // A receipt of an earlier receive is one of the message still.
        world.on("DeleteMessage", "q", &handle(&first, 0));
        world.pass_ms(1_000);
        assert_eq!(world.receive("q", ALL).0, ["other"]);
    });
}

#[test]
fn delays_and_retention_pass_with_time() {
    both(|world| {
        world.create("q", r#"{"DelaySeconds":"5","MessageRetentionPeriod":"60"}"#);
        world.on("SendMessage", "q", r#","MessageBody":"slow""#);
        world.on("SendMessage", "q", r#","MessageBody":"quick","DelaySeconds":0"#);
        assert_eq!(world.attribute("q", "ApproximateNumberOfMessagesDelayed").as_deref(), Some("1"));
        assert_eq!(world.receive("q", &format!(r#"{ALL},"VisibilityTimeout":0"#)).0, ["quick"]);
        world.pass_ms(5_000);
        assert_eq!(world.receive("q", &format!(r#"{ALL},"VisibilityTimeout":0"#)).0, ["slow", "quick"]);
        world.pass_ms(55_000);
        assert_eq!(world.receive("q", ALL).0, NONE);
        assert_eq!(world.attribute("q", "ApproximateNumberOfMessages").as_deref(), Some("0"));
    });
}

#[test]
fn a_long_poll_ends_with_a_message_or_with_its_time() {
    both(|world| {
        world.create("q", r#"{"VisibilityTimeout":"3"}"#);
        let first = world.send("sqs", "ReceiveMessage", &on("q", r#","WaitTimeSeconds":20"#));
        let second = world.send("sqs", "ReceiveMessage", &on("q", r#","WaitTimeSeconds":20"#));
        assert!(world.reply(first).is_none());
        world.on("SendMessage", "q", r#","MessageBody":"m""#);
        assert_eq!(messages(&world.reply(first).expect("served").expect("done")).0, ["m"]);
        assert!(world.reply(second).is_none(), "one message serves one");
        // The end of the visibility timeout wakes the other.
        assert_eq!(world.pass_until_due(), Some(3_000));
        assert_eq!(messages(&world.reply(second).expect("served").expect("done")).0, ["m"]);
        let third = world.send("sqs", "ReceiveMessage", &on("q", r#","WaitTimeSeconds":1,"VisibilityTimeout":9"#));
        assert_eq!(world.pass_until_due(), Some(1_000));
        assert_eq!(world.reply(third), Some(Ok(Json::empty_object())));
        let gone = world.send("sqs", "ReceiveMessage", &on("q", r#","WaitTimeSeconds":1"#));
        world.forget_call(gone);
        assert_eq!(world.next_due(), None);
    });
}

#[test]
fn a_queue_in_order_keeps_groups_apart_and_in_order() {
    both(|world| {
        world.create("q.fifo", r#"{"FifoQueue":"true","ContentBasedDeduplication":"true"}"#);
        let send = |world: &mut World, body: &str, group: &str| {
            world.on("SendMessage", "q.fifo", &format!(r#","MessageBody":"{body}","MessageGroupId":"{group}""#))
        };
        let first = send(world, "a1", "a");
        let second = send(world, "a2", "a");
        send(world, "b1", "b");
        assert!(text(&first, &["SequenceNumber"]) < text(&second, &["SequenceNumber"]));
        let (bodies, handles) = world.receive("q.fifo", "");
        assert_eq!(bodies, ["a1"]);
        assert_eq!(world.receive("q.fifo", ALL).0, ["b1"], "group a is somebody's");
        world.on("DeleteMessage", "q.fifo", &handle(&handles, 0));
        let (bodies, handles) = world.receive("q.fifo", ALL);
        assert_eq!(bodies, ["a2"]);
        world.pass_ms(30_000);
        assert_eq!(world.on_refused("DeleteMessage", "q.fifo", &handle(&handles, 0)), "InvalidParameterValueException");
        assert_eq!(world.receive("q.fifo", ALL).0, ["a2", "b1"]);
        let standard = r#","MessageBody":"m""#;
        assert_eq!(world.on_refused("SendMessage", "q.fifo", standard), "MissingRequiredParameterException");
    });
}

#[test]
fn a_receipt_of_an_earlier_receive_moves_nothing_in_a_queue_in_order() {
    both(|world| {
        world.create("q.fifo", r#"{"FifoQueue":"true","ContentBasedDeduplication":"true","VisibilityTimeout":"5"}"#);
        world.on("SendMessage", "q.fifo", r#","MessageBody":"m","MessageGroupId":"g""#);
        let (_, first) = world.receive("q.fifo", "");
        world.pass_ms(5_000);
        let (_, second) = world.receive("q.fifo", "");
        let shown = |handles: &[String]| format!(r#"{},"VisibilityTimeout":0"#, handle(handles, 0));
        let refused = world.on_refused("ChangeMessageVisibility", "q.fifo", &shown(&first));
        assert_eq!(refused, "InvalidParameterValueException");
        assert_eq!(world.on_refused("DeleteMessage", "q.fifo", &handle(&first, 0)), "InvalidParameterValueException");
        assert_eq!(world.receive("q.fifo", "").0, NONE);
        world.on("ChangeMessageVisibility", "q.fifo", &shown(&second));
        assert_eq!(world.receive("q.fifo", "").0, ["m"]);
    });
}

#[test]
fn a_dead_letter_wakes_whoever_waited_for_it_before() {
    both(|world| {
        world.create("dead", "{}");
        let policy = r#"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":1}"#;
        world.create("q", &format!(r#"{{"VisibilityTimeout":"3","RedrivePolicy":"{policy}"}}"#));
        world.on("SendMessage", "q", r#","MessageBody":"m""#);
        assert_eq!(world.receive("q", "").0, ["m"]);
        let waits = world.send("sqs", "ReceiveMessage", &on("dead", r#","WaitTimeSeconds":20"#));
        let empty = world.send("sqs", "ReceiveMessage", &on("q", r#","WaitTimeSeconds":20"#));
        world.pass_until_due();
        assert_eq!(messages(&world.reply(waits).expect("served").expect("done")).0, ["m"]);
        assert!(world.reply(empty).is_none());
        world.forget_call(empty);
    });
}

#[test]
fn a_message_in_order_waits_behind_one_that_is_delayed() {
    both(|world| {
        let attributes = r#"{"FifoQueue":"true","ContentBasedDeduplication":"true","DelaySeconds":"5"}"#;
        world.create("q.fifo", attributes);
        world.on("SendMessage", "q.fifo", r#","MessageBody":"1","MessageGroupId":"a""#);
        world.on("SetQueueAttributes", "q.fifo", r#","Attributes":{"DelaySeconds":"0"}"#);
        world.on("SendMessage", "q.fifo", r#","MessageBody":"2","MessageGroupId":"a""#);
        world.on("SendMessage", "q.fifo", r#","MessageBody":"3","MessageGroupId":"b""#);
        assert_eq!(world.receive("q.fifo", ALL).0, ["3"]);
        world.pass_ms(5_000);
        assert_eq!(world.receive("q.fifo", ALL).0, ["1", "2"]);
    });
}

#[test]
fn nothing_is_kept_of_what_is_gone() {
    both(|world| {
        world.create("q.fifo", r#"{"FifoQueue":"true","ContentBasedDeduplication":"true"}"#);
        for body in ["1", "2"] {
            let send = format!(r#","MessageBody":"{body}","MessageGroupId":"{body}""#);
            world.on("SendMessage", "q.fifo", &send);
        }
        let (_, handles) = world.receive("q.fifo", ALL);
        world.on("DeleteMessage", "q.fifo", &handle(&handles, 0));
        let rows = |world: &World| ["sqs_messages", "sqs_receives", "sqs_accepted"].map(|table| world.rows(table));
        assert_eq!(rows(world), [1, 1, 2]);
        world.on("DeleteQueue", "q.fifo", "");
        assert_eq!(rows(world), [0, 0, 0]);
        assert_eq!(world.rows("sqs_queues"), 0);
    });
}

#[test]
fn a_message_sent_twice_within_five_minutes_is_there_once() {
    both(|world| {
        world.create("q.fifo", r#"{"FifoQueue":"true"}"#);
        let send = r#","MessageBody":"m","MessageGroupId":"g","MessageDeduplicationId":"d""#;
        let first = world.on("SendMessage", "q.fifo", send);
        let (_, handles) = world.receive("q.fifo", "");
        world.on("DeleteMessage", "q.fifo", &handle(&handles, 0));
        let again = world.on("SendMessage", "q.fifo", send);
        assert_eq!(first, again);
        assert_eq!(world.receive("q.fifo", "").0, NONE);
        world.pass_ms(300_000);
        assert_ne!(world.on("SendMessage", "q.fifo", send), first);
        assert_eq!(world.receive("q.fifo", "").0, ["m"]);
        let without = r#","MessageBody":"m","MessageGroupId":"g""#;
        assert_eq!(world.on_refused("SendMessage", "q.fifo", without), "InvalidParameterValueException");
        // A scope of groups tells the same id of two groups apart.
        world.on("SetQueueAttributes", "q.fifo", r#","Attributes":{"DeduplicationScope":"messageGroup"}"#);
        for group in ["x", "y"] {
            let send = format!(r#","MessageBody":"{group}","MessageGroupId":"{group}","MessageDeduplicationId":"e""#);
            world.on("SendMessage", "q.fifo", &send);
        }
        assert_eq!(world.receive("q.fifo", ALL).0, ["x", "y"]);
    });
}

#[test]
fn what_is_received_too_often_goes_to_the_dead_letters_and_back() {
    both(|world| {
        world.create("dead", "{}");
        let arn = world.attribute("dead", "QueueArn").expect("an ARN");
        assert_eq!(arn, "arn:aws:sqs:us-east-1:000000000000:dead");
        let policy =
            format!(r#"{{"RedrivePolicy":"{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":\"2\"}}"}}"#);
        world.create("q", &policy);
        world.on("SendMessage", "q", r#","MessageBody":"m""#);
        for _ in 0..2 {
            assert_eq!(world.receive("q", r#","VisibilityTimeout":0"#).0, ["m"]);
        }
        assert_eq!(world.receive("q", "").0, NONE);
        let sources = world.on("ListDeadLetterSourceQueues", "dead", "");
        assert_eq!(&*text(&sources, &["queueUrls", "0"]), format!("{URL}q"));
        let buried = world.on("ReceiveMessage", "dead", r#","AttributeNames":["All"],"VisibilityTimeout":0"#);
        let source = text(&buried, &["Messages", "0", "Attributes", "DeadLetterQueueSourceArn"]);
        assert_eq!(&*source, "arn:aws:sqs:us-east-1:000000000000:q");
        for body in ["n", "o"] {
            world.on("SendMessage", "q", &format!(r#","MessageBody":"{body}""#));
            for _ in 0..3 {
                world.receive("q", r#","VisibilityTimeout":0"#);
            }
        }
        let start = format!(r#"{{"SourceArn":"{arn}","MaxNumberOfMessagesPerSecond":1}}"#);
        world.sqs("StartMessageMoveTask", &start);
        assert_eq!(world.sqs_refused("StartMessageMoveTask", &start), "UnsupportedOperation");
        assert_eq!(world.receive("q", ALL).0, ["m"], "one in the first second");
        assert_eq!(world.pass_until_due(), Some(998));
        assert_eq!(world.receive("q", ALL).0, ["n"]);
        let tasks = world.sqs("ListMessageMoveTasks", &format!(r#"{{"SourceArn":"{arn}"}}"#));
        assert_eq!(&*text(&tasks, &["Results", "0", "Status"]), "RUNNING");
        let cancel = format!(r#"{{"TaskHandle":"{}"}}"#, text(&tasks, &["Results", "0", "TaskHandle"]));
        let cancelled = world.sqs("CancelMessageMoveTask", &cancel);
        assert_eq!(cancelled.get("ApproximateNumberOfMessagesMoved").and_then(Json::as_i64), Some(2));
        assert_eq!(world.sqs_refused("CancelMessageMoveTask", &cancel), "ResourceNotFoundException");
        assert_eq!(world.next_due(), None);
    });
}

#[test]
fn batches_are_done_entry_by_entry() {
    both(|world| {
        world.create("q", "{}");
        let entries =
            r#","Entries":[{"Id":"a","MessageBody":"1"},{"Id":"b","MessageBody":""},{"Id":"c","MessageBody":"3"}]"#;
        let sent = world.on("SendMessageBatch", "q", entries);
        assert_eq!(&*text(&sent, &["Successful", "1", "Id"]), "c");
        assert_eq!(&*text(&sent, &["Failed", "0", "Code"]), "MissingParameter");
        let (bodies, handles) = world.receive("q", ALL);
        assert_eq!(bodies, ["1", "3"]);
        let entry =
            |id: &str, handle: &str| format!(r#"{{"Id":"{id}","ReceiptHandle":"{handle}","VisibilityTimeout":0}}"#);
        let changed = format!(r#","Entries":[{},{}]"#, entry("x", &handles[0]), entry("y", "nonsense"));
        let changed = world.on("ChangeMessageVisibilityBatch", "q", &changed);
        assert_eq!(&*text(&changed, &["Successful", "0", "Id"]), "x");
        assert_eq!(&*text(&changed, &["Failed", "0", "Code"]), "ReceiptHandleIsInvalid");
        assert_eq!(world.receive("q", ALL).0, ["1"]);
        let deleted = world.on("DeleteMessageBatch", "q", &format!(r#","Entries":[{}]"#, entry("z", &handles[1])));
        assert!(deleted.get("Failed").is_none());
        for (entries, code) in [
            ("[]".to_owned(), "EmptyBatchRequest"),
            (format!("[{}]", [r#"{"Id":"a","MessageBody":"m"}"#; 2].join(",")), "BatchEntryIdsNotDistinct"),
            (format!("[{}]", [r#"{"Id":"a","MessageBody":"m"}"#; 11].join(",")), "TooManyEntriesInBatchRequest"),
            (r#"[{"Id":"a b","MessageBody":"m"}]"#.to_owned(), "InvalidBatchEntryId"),
            (
                format!(r#"[{{"Id":"a","MessageBody":"{0}"}},{{"Id":"b","MessageBody":"{0}"}}]"#, "m".repeat(600_000)),
                "BatchRequestTooLong",
            ),
        ] {
            assert_eq!(world.on_refused("SendMessageBatch", "q", &format!(r#","Entries":{entries}"#)), code);
        }
    });
}

#[test]
fn queues_are_created_once_listed_and_deleted() {
    both(|world| {
        world.create("a1", r#"{"VisibilityTimeout":"5"}"#);
        world.create("a2", "{}");
        world.create("b", "{}");
        // The same again is the same; another is refused.
        world.create("a1", r#"{"VisibilityTimeout":"5"}"#);
        let other = r#"{"QueueName":"a1","Attributes":{"VisibilityTimeout":"6"}}"#;
        assert_eq!(world.sqs_refused("CreateQueue", other), "QueueNameExists");
        let page = world.sqs("ListQueues", r#"{"QueueNamePrefix":"a","MaxResults":1}"#);
        assert_eq!(&*text(&page, &["QueueUrls", "0"]), format!("{URL}a1"));
        let rest = format!(r#"{{"QueueNamePrefix":"a","MaxResults":1,"NextToken":"{}"}}"#, text(&page, &["NextToken"]));
        let rest = world.sqs("ListQueues", &rest);
        assert_eq!(&*text(&rest, &["QueueUrls", "0"]), format!("{URL}a2"));
        assert!(rest.get("NextToken").is_none());
        let url = world.sqs("GetQueueUrl", r#"{"QueueName":"b"}"#);
        assert_eq!(&*text(&url, &["QueueUrl"]), format!("{URL}b"));
        world.on("SendMessage", "b", r#","MessageBody":"m""#);
        world.on("DeleteQueue", "b", "");
        assert_eq!(world.on_refused("SendMessage", "b", r#","MessageBody":"m""#), "QueueDoesNotExist");
        assert_eq!(world.sqs_refused("GetQueueUrl", r#"{"QueueName":"b"}"#), "QueueDoesNotExist");
        assert_eq!(world.sqs_refused("CreateQueue", r#"{"QueueName":"b"}"#), "QueueDeletedRecently");
        world.pass_ms(60_000);
        world.create("b", "{}");
        assert_eq!(world.receive("b", "").0, NONE);
        world.on("SendMessage", "b", r#","MessageBody":"m""#);
        world.on("PurgeQueue", "b", "");
        assert_eq!(world.receive("b", "").0, NONE);
        assert_eq!(world.on_refused("PurgeQueue", "b", ""), "PurgeQueueInProgress");
    });
}

#[test]
fn attributes_tags_and_permissions_are_kept() {
    both(|world| {
        world.sqs("CreateQueue", r#"{"QueueName":"q","tags":{"a":"1"}}"#);
        world.on("TagQueue", "q", r#","Tags":{"b":"2"}"#);
        world.on("UntagQueue", "q", r#","TagKeys":["a"]"#);
        assert_eq!(world.on("ListQueueTags", "q", "").to_string(), r#"{"Tags":{"b":"2"}}"#);
        world.on("SetQueueAttributes", "q", r#","Attributes":{"DelaySeconds":"7"}"#);
        assert_eq!(world.attribute("q", "DelaySeconds").as_deref(), Some("7"));
        assert_eq!(world.attribute("q", "MaximumMessageSize").as_deref(), Some("1048576"));
        assert_eq!(world.attribute("q", "FifoQueue"), None);
        world.on("AddPermission", "q", r#","Label":"l","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]"#);
        assert!(world.attribute("q", "Policy").is_some_and(|policy| policy.contains("SQS:SendMessage")));
        world.on("RemovePermission", "q", r#","Label":"l""#);
        assert_eq!(world.attribute("q", "Policy"), None);
        assert_eq!(world.on_refused("RemovePermission", "q", r#","Label":"l""#), "InvalidParameterValueException");
    });
}

#[test]
fn refusals_have_the_codes_of_the_model() {
    both(|world| {
        world.create("q", "{}");
        world.create("other", "{}");
        world.on("SendMessage", "other", r#","MessageBody":"m""#);
        let (_, elsewhere) = world.receive("other", "");
        let elsewhere = handle(&elsewhere, 0);
        let value = "InvalidParameterValueException";
        let cases = [
            ("CreateQueue", r#"{"QueueName":"a b"}"#.to_owned(), value),
            ("CreateQueue", r#"{"QueueName":"a","Attributes":{"FifoQueue":"true"}}"#.to_owned(), value),
            ("CreateQueue", r#"{"QueueName":"a.fifo"}"#.to_owned(), value),
            (
                "CreateQueue",
                r#"{"QueueName":"a","Attributes":{"VisibilityTimeout":"43201"}}"#.to_owned(),
                "InvalidAttributeValue",
            ),
            ("CreateQueue", r#"{"QueueName":"a","Attributes":{"Nonsense":"1"}}"#.to_owned(), "InvalidAttributeName"),
            (
                "CreateQueue",
                r#"{"QueueName":"a","Attributes":{"DelaySeconds":1}}"#.to_owned(),
                "SerializationException",
            ),
            ("CreateQueue", "{}".to_owned(), "MissingRequiredParameterException"),
            (
                "CreateQueue",
                r#"{"QueueName":"a","Attributes":{"ContentBasedDeduplication":"true"}}"#.to_owned(),
                "InvalidAttributeName",
            ),
            ("SetQueueAttributes", on("q", r#","Attributes":{"FifoQueue":"true"}"#), "InvalidAttributeValue"),
            ("GetQueueAttributes", on("missing", ""), "QueueDoesNotExist"),
            ("GetQueueAttributes", on("q", r#","AttributeNames":["Nonsense"]"#), "InvalidAttributeName"),
            ("ReceiveMessage", on("q", r#","MaxNumberOfMessages":11"#), value),
            ("ReceiveMessage", on("q", r#","MaxNumberOfMessages":"one""#), "SerializationException"),
            ("ReceiveMessage", on("q", r#","WaitTimeSeconds":21"#), value),
            ("ReceiveMessage", on("q", r#","ReceiveRequestAttemptId":"x""#), value),
            ("SendMessage", on("q", r#","MessageBody":"m","MessageDeduplicationId":"x""#), value),
            ("SendMessage", on("q", &format!(r#","MessageBody":"{}""#, "m".repeat(1_048_577))), value),
            ("DeleteMessage", on("q", r#","ReceiptHandle":"nonsense""#), "ReceiptHandleIsInvalid"),
            ("DeleteMessage", on("q", &elsewhere), "ReceiptHandleIsInvalid"),
            ("ListQueues", r#"{"MaxResults":1001}"#.to_owned(), value),
            ("StartMessageMoveTask", r#"{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q"}"#.to_owned(), value),
            ("StartMessageMoveTask", r#"{"SourceArn":"nonsense"}"#.to_owned(), "ResourceNotFoundException"),
            ("Nonsense", "{}".to_owned(), "InvalidAction"),
        ];
        for (action, input, code) in cases {
            let shown: String = input.chars().take(200).collect();
            assert_eq!(world.sqs_refused(action, &input), code, "{action} {shown}");
        }
        let (_, message) = world.ask("dynamodb", "PutItem", "{}").expect_err("no such service");
        assert!(message.contains("PutItem"), "{message}");
    });
}
