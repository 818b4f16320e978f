//! CloudWatch Logs, by scenario. Facts are those of its API reference and user guide.

use stepwell_json::Json;
use stepwell_services::LogLine;

use crate::world::{World, both, text};

const GROUP: &str = r#""logGroupName":"/g""#;
const STREAM: &str = r#""logGroupName":"/g","logStreamName":"s""#;
const DAY_MS: u64 = 86_400_000;

impl World {
    fn logs(&mut self, action: &str, members: &str) -> Json {
        let input = format!("{{{members}}}");
        self.ask("logs", action, &input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn logs_refused(&mut self, action: &str, members: &str) -> (String, String) {
        let input = format!("{{{members}}}");
        match self.ask("logs", action, &input) {
            Err(refused) => refused,
            Ok(output) => panic!("{action} {input} is not refused: {output:?}"),
        }
    }

    /// Puts messages, each a millisecond after the one before it, the last one now.
    fn put(&mut self, messages: &[&str]) {
        let first = self.now.0 - i64::try_from(messages.len()).expect("few");
        let events: Vec<String> = messages
            .iter()
            .zip(first..)
            .map(|(message, time)| {
                Json::object([("timestamp", Json::from(time)), ("message", Json::from(*message))]).to_string()
            })
            .collect();
        self.logs("PutLogEvents", &format!(r#"{STREAM},"logEvents":[{}]"#, events.join(",")));
    }

    fn messages(&mut self, action: &str, members: &str) -> Vec<String> {
        messages(&self.logs(action, members))
    }
}

fn messages(output: &Json) -> Vec<String> {
    let events = output.get("events").and_then(Json::as_array).expect("events");
    events.iter().map(|event| text(event, &["message"]).to_string()).collect()
}

fn names(output: &Json, list: &str, member: &str) -> Vec<String> {
    let items = output.get(list).and_then(Json::as_array).expect("a list");
    items.iter().map(|item| text(item, &[member]).to_string()).collect()
}

fn start(world: &mut World) {
    world.logs("CreateLogGroup", GROUP);
    world.logs("CreateLogStream", STREAM);
}

#[test]
fn groups_and_streams_come_and_go() {
    both(|world| {
        for name in ["/g", "/g/b", "x"] {
            world.logs("CreateLogGroup", &format!(r#""logGroupName":"{name}""#));
        }
        let (code, _) = world.logs_refused("CreateLogGroup", GROUP);
        assert_eq!(code, "ResourceAlreadyExistsException");
        let listed = world.logs("DescribeLogGroups", r#""logGroupNamePrefix":"/g","limit":1"#);
        assert_eq!(
            text(&listed, &["logGroups", "0", "arn"]).as_ref(),
            "arn:aws:logs:us-east-1:000000000000:log-group:/g:*"
        );
        let token = text(&listed, &["nextToken"]);
        let rest = world.logs("DescribeLogGroups", &format!(r#""logGroupNamePrefix":"/g","nextToken":"{token}""#));
        assert_eq!(names(&rest, "logGroups", "logGroupName"), ["/g/b"]);
        assert!(rest.get("nextToken").is_none());
        let found = world.logs("DescribeLogGroups", r#""logGroupNamePattern":"b""#);
        assert_eq!(names(&found, "logGroups", "logGroupName"), ["/g/b"]);
        for stream in ["a", "b", "c"] {
            world.logs("CreateLogStream", &format!(r#"{GROUP},"logStreamName":"{stream}""#));
        }
        let page = world.logs("DescribeLogStreams", &format!(r#"{GROUP},"descending":true,"limit":2"#));
        assert_eq!(names(&page, "logStreams", "logStreamName"), ["c", "b"]);
        let token = text(&page, &["nextToken"]);
        let page = world.logs("DescribeLogStreams", &format!(r#"{GROUP},"descending":true,"nextToken":"{token}""#));
        assert_eq!(names(&page, "logStreams", "logStreamName"), ["a"]);
        world.logs("DeleteLogStream", &format!(r#"{GROUP},"logStreamName":"b""#));
        let left = world.logs("DescribeLogStreams", GROUP);
        assert_eq!(names(&left, "logStreams", "logStreamName"), ["a", "c"]);
        world.logs("DeleteLogGroup", GROUP);
        let gone = ("ResourceNotFoundException".to_owned(), "The specified log group does not exist.".to_owned());
        for action in
            ["DeleteLogGroup", "DescribeLogStreams", "FilterLogEvents", "DeleteRetentionPolicy", "ListTagsLogGroup"]
        {
            assert_eq!(world.logs_refused(action, GROUP), gone, "{action}");
        }
        assert_eq!(world.rows("logs_streams"), 0);
        let (code, message) = world.logs_refused("PutMetricFilter", GROUP);
        assert_eq!(code, "UnknownOperationException");
        assert!(message.contains("PutMetricFilter"), "{message}");
    });
}

#[test]
fn names_and_values_that_cannot_be_are_refused() {
    both(|world| {
        start(world);
        for (action, members) in [
            ("CreateLogGroup", r#""logGroupName":"a b""#.to_owned()),
            ("CreateLogGroup", r#""logGroupName":"""#.to_owned()),
            ("CreateLogGroup", r#""logGroupName":"aws/x""#.to_owned()),
            ("CreateLogGroup", format!(r#""logGroupName":"{}""#, "x".repeat(513))),
            ("CreateLogGroup", String::new()),
            ("CreateLogStream", format!(r#"{GROUP},"logStreamName":"a:b""#)),
            ("PutRetentionPolicy", format!(r#"{GROUP},"retentionInDays":2"#)),
            ("PutRetentionPolicy", GROUP.to_owned()),
            ("DescribeLogGroups", r#""limit":51"#.to_owned()),
            ("DescribeLogGroups", r#""nextToken":"?""#.to_owned()),
            ("DescribeLogStreams", format!(r#"{GROUP},"orderBy":"LastEventTime","logStreamNamePrefix":"a""#)),
            ("GetLogEvents", format!(r#"{STREAM},"nextToken":"nonsense""#)),
            ("GetLogEvents", format!(r#"{STREAM},"limit":0"#)),
            ("FilterLogEvents", format!(r#"{GROUP},"filterPattern":"{{ $.a }}""#)),
            ("FilterLogEvents", format!(r#"{GROUP},"logStreamNames":["s"],"logStreamNamePrefix":"s""#)),
            ("PutLogEvents", format!(r#"{STREAM},"logEvents":[]"#)),
            (
                "PutLogEvents",
                format!(r#"{STREAM},"logEvents":[{{"timestamp":2,"message":"m"}},{{"timestamp":1,"message":"m"}}]"#),
            ),
            (
                "PutLogEvents",
                format!(r#"{STREAM},"logEvents":[{{"timestamp":2,"message":"{}"}}]"#, "x".repeat(1_048_551)),
            ),
        ] {
            assert_eq!(world.logs_refused(action, &members).0, "InvalidParameterException", "{action} {members:.80}");
        }
        let (code, message) = world.logs_refused("GetLogEvents", &format!(r#"{GROUP},"logStreamName":"none""#));
        assert_eq!((&*code, &*message), ("ResourceNotFoundException", "The specified log stream does not exist."));
    });
}

#[test]
fn events_are_read_from_either_end() {
    both(|world| {
        start(world);
        world.put(&["a", "b", "c", "d", "e"]);
        let head = world.logs("GetLogEvents", &format!(r#"{STREAM},"startFromHead":true,"limit":2"#));
        assert_eq!(messages(&head), ["a", "b"]);
        let forward = text(&head, &["nextForwardToken"]);
        let next = world.logs("GetLogEvents", &format!(r#"{STREAM},"startFromHead":true,"nextToken":"{forward}""#));
        assert_eq!(messages(&next), ["c", "d", "e"]);
        let end = text(&next, &["nextForwardToken"]);
        let beyond = world.logs("GetLogEvents", &format!(r#"{STREAM},"nextToken":"{end}""#));
        assert_eq!((messages(&beyond).len(), text(&beyond, &["nextForwardToken"])), (0, end.clone()));
        let tail = world.logs("GetLogEvents", &format!(r#"{STREAM},"limit":2"#));
        assert_eq!(messages(&tail), ["d", "e"]);
        let backward = text(&tail, &["nextBackwardToken"]);
        let before = world.logs("GetLogEvents", &format!(r#"{STREAM},"limit":2,"nextToken":"{backward}""#));
        assert_eq!(messages(&before), ["b", "c"]);
        // What comes later continues where the reader stood.
        world.put(&["f"]);
        assert_eq!(world.messages("GetLogEvents", &format!(r#"{STREAM},"nextToken":"{end}""#)), ["f"]);
        let from = world.now.0 - 1;
        assert_eq!(world.messages("GetLogEvents", &format!(r#"{STREAM},"startTime":{from}"#)).len(), 0);
        assert_eq!(world.messages("GetLogEvents", &format!(r#"{STREAM},"endTime":0"#)).len(), 0);
    });
}

#[test]
fn filters_search_every_stream_in_the_order_of_time() {
    both(|world| {
        start(world);
        world.put(&["ERROR one", "INFO two"]);
        world.logs("CreateLogStream", &format!(r#"{GROUP},"logStreamName":"t""#));
        let now = world.now.0;
        let event = format!(r#"{{"timestamp":{now},"message":"{{\"level\":\"ERROR\",\"n\":3}}"}}"#);
        world.logs("PutLogEvents", &format!(r#"{GROUP},"logStreamName":"t","logEvents":[{event}]"#));
        let errors = world.messages("FilterLogEvents", &format!(r#"{GROUP},"filterPattern":"ERROR""#));
        assert_eq!(errors, ["ERROR one", r#"{"level":"ERROR","n":3}"#]);
        let fields = format!(r#"{GROUP},"filterPattern":"{{ $.level = \"ERROR\" && $.n > 2 }}""#);
        assert_eq!(world.messages("FilterLogEvents", &fields).len(), 1);
        assert_eq!(world.messages("FilterLogEvents", &format!(r#"{GROUP},"logStreamNames":["s"]"#)).len(), 2);
        assert_eq!(world.messages("FilterLogEvents", &format!(r#"{GROUP},"logStreamNamePrefix":"t""#)).len(), 1);
        let page = world.logs("FilterLogEvents", &format!(r#"{GROUP},"limit":2"#));
        let token = text(&page, &["nextToken"]);
        let rest = world.logs("FilterLogEvents", &format!(r#"{GROUP},"limit":2,"nextToken":"{token}""#));
        assert_eq!((messages(&page).len(), messages(&rest).len(), rest.get("nextToken")), (2, 1, None));
    });
}

#[test]
fn events_too_old_and_too_new_are_rejected_and_expired_ones_go() {
    both(|world| {
        start(world);
        let now = world.now.0;
        let event = |time: i64| format!(r#"{{"timestamp":{time},"message":"m"}}"#);
        let events = [event(now - 15 * 86_400_000), event(now), event(now + 3 * 3_600_000)].join(",");
        let answer = world.logs("PutLogEvents", &format!(r#"{STREAM},"logEvents":[{events}]"#));
        let rejected = answer.get("rejectedLogEventsInfo").expect("rejected").to_string();
        assert_eq!(rejected, r#"{"tooNewLogEventStartIndex":2,"tooOldLogEventEndIndex":1}"#);
        let events = [event(now - 2 * 86_400_000), event(now)].join(",");
        let (code, message) = world.logs_refused("PutLogEvents", &format!(r#"{STREAM},"logEvents":[{events}]"#));
        assert!(code == "InvalidParameterException" && message.contains("24 hours"), "{message}");
        world.logs("PutRetentionPolicy", &format!(r#"{GROUP},"retentionInDays":1"#));
        let answer = world.logs("PutLogEvents", &format!(r#"{STREAM},"logEvents":[{events}]"#));
        let rejected = answer.get("rejectedLogEventsInfo").expect("rejected").to_string();
        assert_eq!(rejected, r#"{"expiredLogEventEndIndex":1}"#);
        assert_eq!(world.messages("GetLogEvents", STREAM).len(), 2);
        world.pass_ms(DAY_MS + 1_000);
        assert_eq!(world.messages("GetLogEvents", STREAM).len(), 0);
        assert_eq!(world.rows("logs_events"), 0);
    });
}

#[test]
fn what_is_held_is_bounded_and_the_first_go_first() {
    let mut world = World::steady();
    start(&mut world);
    let message = "x".repeat(1_000_000);
    for round in 0..36 {
        world.put(&[&format!("{round} {message}")]);
    }
    assert!(world.rows("logs_events") < 34);
    let first = world.messages("GetLogEvents", &format!(r#"{STREAM},"startFromHead":true,"limit":1"#));
    assert!(!first[0].starts_with("0 "), "the first is gone");
    let last = world.messages("GetLogEvents", &format!(r#"{STREAM},"limit":1"#));
    assert!(last[0].starts_with("35 "));
}

#[test]
fn what_the_engine_says_stands_in_a_stream_of_its_machine() {
    both(|world| {
        world.logs("CreateLogGroup", GROUP);
        let line = |group: &str, minute: &str, message: &str, at| LogLine {
            log_group_arn: format!("arn:aws:logs:us-east-1:000000000000:log-group:{group}:*").into(),
            log_stream_name: format!("states/m/2023-11-14-22-{minute}/00000000").into(),
            timestamp: at,
            message: message.into(),
        };
        let at = world.now;
        world.log(&[line("/g", "13", "one", at), line("/gone", "13", "nobody", at)]);
        world.log(&[line("/g", "14", "two", at.plus_ms(1))]);
        let streams =
            world.logs("DescribeLogStreams", &format!(r#"{GROUP},"orderBy":"LastEventTime","descending":true"#));
        let streams = names(&streams, "logStreams", "logStreamName");
        assert_eq!(streams, ["states/m/2023-11-14-22-14/00000000", "states/m/2023-11-14-22-13/00000000"]);
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
        let all = format!(r#"{GROUP},"logStreamName":"states/{machine}","startFromHead":true"#);
        assert_eq!(world.messages("GetLogEvents", &all), ["one", "two"]);
        let other = format!(r#"{GROUP},"logStreamName":"states/{machine}x""#);
        assert_eq!(world.logs_refused("GetLogEvents", &other).0, "InvalidParameterException");
    });
}

#[test]
fn tags_are_named_by_group_or_by_arn() {
    both(|world| {
        world.logs("CreateLogGroup", &format!(r#"{GROUP},"tags":{{"a":"1"}}"#));
        let arn = r#""resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:/g""#;
        world.logs("TagResource", &format!(r#"{arn},"tags":{{"b":"2"}}"#));
        world.logs("UntagLogGroup", &format!(r#"{GROUP},"tags":["a"]"#));
        assert_eq!(world.logs("ListTagsForResource", arn).to_string(), r#"{"tags":{"b":"2"}}"#);
        world.logs("UntagResource", &format!(r#"{arn},"tagKeys":["b"]"#));
        world.logs("TagLogGroup", &format!(r#"{GROUP},"tags":{{"c":"3"}}"#));
        assert_eq!(world.logs("ListTagsLogGroup", GROUP).to_string(), r#"{"tags":{"c":"3"}}"#);
    });
}
