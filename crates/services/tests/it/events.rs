//! EventBridge, by scenario. Facts are those of its API reference and user guide.

use stepwell_json::Json;
use stepwell_services::DeliveryTarget;

use crate::world::{World, both, text};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:";
const URL: &str = "http://localhost:8083/000000000000/";

impl World {
    fn events(&mut self, action: &str, members: &str) -> Json {
        let input = format!("{{{members}}}");
        self.ask("events", action, &input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn events_refused(&mut self, action: &str, members: &str) -> String {
        match self.ask("events", action, &format!("{{{members}}}")) {
            Err((code, _)) => code,
            Ok(output) => panic!("{action} {members} is not refused: {output:?}"),
        }
    }

    fn rule(&mut self, name: &str, pattern: &str) {
        let pattern = Json::from(pattern);
        self.events("PutRule", &format!(r#""Name":"{name}","EventPattern":{pattern}"#));
    }

    fn target(&mut self, rule: &str, id: &str, arn: &str, more: &str) {
        self.events("PutTargets", &format!(r#""Rule":"{rule}","Targets":[{{"Id":"{id}","Arn":"{arn}"{more}}}]"#));
    }

    fn raise(&mut self, source: &str, detail: &str, more: &str) -> Json {
        let detail = Json::from(detail);
        let entry = format!(r#"{{"Source":"{source}","DetailType":"t","Detail":{detail}{more}}}"#);
        self.events("PutEvents", &format!(r#""Entries":[{entry}]"#))
    }

    fn made_queue(&mut self, name: &str) {
        self.ask("sqs", "CreateQueue", &format!(r#"{{"QueueName":"{name}"}}"#)).expect("a queue");
    }

    fn bodies(&mut self, queue: &str) -> Vec<String> {
        let input = format!(r#"{{"QueueUrl":"{URL}{queue}","MaxNumberOfMessages":10,"VisibilityTimeout":1000}}"#);
        let output = self.ask("sqs", "ReceiveMessage", &input).expect("a receive");
        let messages = output.get("Messages").and_then(Json::as_array);
        messages.into_iter().flat_map(|list| list.iter()).map(|message| text(message, &["Body"]).to_string()).collect()
    }
}

#[test]
fn a_queue_gets_what_a_rule_takes() {
    both(|world| {
        world.made_queue("q");
        world.rule("r", r#"{"source":["shop"],"detail":{"price":[{"numeric":[">",10]}]}}"#);
        world.target("r", "1", &format!("{QUEUE_ARN}q"), "");
        world.raise("shop", r#"{"price":10}"#, "");
        world.raise("else", r#"{"price":11}"#, "");
        let put = world.raise("shop", r#"{"price":11}"#, r#","Resources":["a"],"Time":1700000000"#);
        let id = text(&put, &["Entries", "0", "EventId"]);
        let expected = format!(
            r#"{{"version":"0","id":"{id}","detail-type":"t","source":"shop","account":"000000000000","time":"2023-11-14T22:13:20Z","region":"us-east-1","resources":["a"],"detail":{{"price":11}}}}"#
        );
        assert_eq!(world.bodies("q"), [expected]);
        world.events("DisableRule", r#""Name":"r""#);
        world.raise("shop", r#"{"price":11}"#, "");
        world.events("EnableRule", r#""Name":"r""#);
        assert_eq!(world.bodies("q").len(), 0);
        world.events("RemoveTargets", r#""Rule":"r","Ids":["1"]"#);
        world.raise("shop", r#"{"price":11}"#, "");
        assert_eq!(world.bodies("q").len(), 0);
        world.events("DeleteRule", r#""Name":"r""#);
        assert_eq!(world.rows("events_rules"), 0);
    });
}

#[test]
fn each_entry_is_for_itself() {
    both(|world| {
        let entries = r#""Entries":[
            {"Source":"s","DetailType":"t","Detail":"{}"},
            {"DetailType":"t","Detail":"{}"},
            {"Source":"s","Detail":"{}"},
            {"Source":"s","DetailType":"t"},
            {"Source":"s","DetailType":"t","Detail":"\"text\""},
            {"Source":"aws.s3","DetailType":"t","Detail":"{}"},
            {"Source":"s","DetailType":"t","Detail":"{}","EventBusName":"nobody-made-it"}]"#;
        let put = world.events("PutEvents", entries);
        assert_eq!(put.get("FailedEntryCount").and_then(Json::as_i64), Some(5));
        let said = put.get("Entries").and_then(Json::as_array).expect("entries").iter();
        let codes: Vec<_> =
            said.map(|entry| entry.get("ErrorCode").and_then(Json::as_str).unwrap_or("-").to_owned()).collect();
        let argument = "InvalidArgument";
        assert_eq!(
            codes,
            ["-", argument, argument, argument, "MalformedDetail", "NotAuthorizedForSourceException", "-"]
        );
        assert_eq!(
            text(&put, &["Entries", "1", "ErrorMessage"]).as_ref(),
            "Parameter Source is not valid. Reason: Source is a required argument."
        );
        let eleven = [r#"{"Source":"s","DetailType":"t","Detail":"{}"}"#; 11].join(",");
        assert_eq!(world.events_refused("PutEvents", &format!(r#""Entries":[{eleven}]"#)), "ValidationException");
        let large = format!(r#"{{"Source":"s","DetailType":"t","Detail":"{}"}}"#, "x".repeat(1_048_576));
        assert_eq!(world.events_refused("PutEvents", &format!(r#""Entries":[{large}]"#)), "ValidationException");
    });
}

#[test]
fn events_reach_other_services_as_deliveries() {
    both(|world| {
        world.rule("r", r#"{"source":["s"]}"#);
        let input = r#","Input":"{\"fixed\":1}""#;
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
        let topic = "arn:aws:sns:eu-west-1:000000000000:t";
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
        for (id, arn) in [("1", machine), ("2", topic), ("3", function)] {
            world.target("r", id, arn, input);
        }
        world.raise("s", "{}", "");
        let deliveries = std::mem::take(&mut world.deliveries);
        let shown: Vec<String> = deliveries
            .iter()
            .map(|delivery| match &delivery.target {
                DeliveryTarget::Call { place, call } => {
                    format!("{} {} {} {}", place.region, call.service, call.action, call.input)
                }
                DeliveryTarget::Lambda(arn) => format!("{arn} {}", delivery.body),
                DeliveryTarget::Http(url) => url.to_string(),
            })
            .collect();
        assert_eq!(
            shown,
            [
                format!(
                    r#"us-east-1 stepfunctions StartExecution {{"stateMachineArn":"{machine}","input":"{{\"fixed\":1}}"}}"#
                ),
                format!(r#"eu-west-1 sns Publish {{"TopicArn":"{topic}","Message":"{{\"fixed\":1}}"}}"#),
                format!(r#"{function} {{"fixed":1}}"#),
            ]
        );
    });
}

#[test]
fn buses_pass_events_on_and_not_for_ever() {
    both(|world| {
        world.made_queue("q");
        world.events("CreateEventBus", r#""Name":"other""#);
        assert_eq!(world.events_refused("CreateEventBus", r#""Name":"other""#), "ResourceAlreadyExistsException");
        world.rule("r", r#"{"source":["s"]}"#);
        world.target("r", "1", "arn:aws:events:us-east-1:000000000000:event-bus/other", "");
        let there = r#""EventBusName":"other""#;
        world.events("PutRule", &format!(r#""Name":"back","EventPattern":"{{\"source\":[\"s\"]}}",{there}"#));
        let targets = format!(
            r#"[{{"Id":"1","Arn":"arn:aws:events:us-east-1:000000000000:event-bus/default"}},{{"Id":"2","Arn":"{QUEUE_ARN}q"}}]"#
        );
        world.events("PutTargets", &format!(r#""Rule":"back",{there},"Targets":{targets}"#));
        world.raise("s", "{}", "");
        assert_eq!(world.bodies("q").len(), 3, "it went around three times");
        assert_eq!(world.events_refused("DeleteEventBus", r#""Name":"other""#), "ValidationException");
        let rule = world.events("DescribeRule", &format!(r#""Name":"back",{there}"#));
        assert_eq!(text(&rule, &["Arn"]).as_ref(), "arn:aws:events:us-east-1:000000000000:rule/other/back");
        world.events("RemoveTargets", &format!(r#""Rule":"back",{there},"Ids":["1","2"]"#));
        world.events("DeleteRule", &format!(r#""Name":"back",{there}"#));
        world.events("DeleteEventBus", r#""Name":"other""#);
        assert_eq!(world.events_refused("DescribeEventBus", r#""Name":"other""#), "ResourceNotFoundException");
    });
}

#[test]
fn what_a_target_gets_may_be_transformed_and_its_dead_letters_kept() {
    both(|world| {
        world.made_queue("q");
        world.made_queue("dead");
        world.rule("r", r#"{"source":["s"]}"#);
        let transformer = r#","InputTransformer":{"InputPathsMap":{"n":"$.detail.n"},"InputTemplate":"{\"n\": <n>}"}"#;
        world.target("r", "1", &format!("{QUEUE_ARN}q"), transformer);
        let path = format!(r#","InputPath":"$.detail","DeadLetterConfig":{{"Arn":"{QUEUE_ARN}dead"}}"#);
        world.target("r", "2", &format!("{QUEUE_ARN}none"), &path);
        world.raise("s", r#"{"n":7}"#, "");
        assert_eq!(world.bodies("q"), [r#"{"n": 7}"#]);
        assert_eq!(world.bodies("dead"), [r#"{"n":7}"#]);
    });
}

#[test]
fn events_of_executions_reach_the_default_bus() {
    both(|world| {
        world.made_queue("q");
        world.ask("logs", "CreateLogGroup", r#"{"logGroupName":"/g"}"#).expect("a group");
        let event = r#"{"source":"aws.states","detail":{"status":"SUCCEEDED"}}"#;
        assert!(!world.hears());
        world.hear(event);
        world.rule("r", r#"{"source":["aws.states"],"detail":{"status":["SUCCEEDED"]}}"#);
        world.target("r", "1", &format!("{QUEUE_ARN}q"), "");
        world.target("r", "2", "arn:aws:logs:us-east-1:000000000000:log-group:/g", "");
        assert!(world.hears());
        world.hear(event);
        assert_eq!(world.bodies("q"), [event]);
        let found = world.ask("logs", "FilterLogEvents", r#"{"logGroupName":"/g"}"#).expect("events");
        assert_eq!(text(&found, &["events", "0", "message"]).as_ref(), event);
    });
}

#[test]
fn rules_and_targets_that_cannot_be_are_refused() {
    both(|world| {
        world.rule("r", r#"{"source":["s"]}"#);
        let queue = |more: &str| format!(r#""Rule":"r","Targets":[{{"Id":"1","Arn":"{QUEUE_ARN}q.fifo"{more}}}]"#);
        for (action, members, code) in [
            ("PutRule", r#""Name":"a b","EventPattern":"{}""#.to_owned(), "ValidationException"),
            ("PutRule", r#""Name":"a""#.to_owned(), "ValidationException"),
            ("PutRule", r#""Name":"a","ScheduleExpression":"rate(1 minute)""#.to_owned(), "ValidationException"),
            ("PutRule", r#""Name":"a","EventPattern":"{\"a\":1}""#.to_owned(), "InvalidEventPatternException"),
            ("PutRule", r#""Name":"a","EventPattern":"nonsense""#.to_owned(), "InvalidEventPatternException"),
            (
                "PutRule",
                r#""Name":"a","EventPattern":"{\"a\":[1]}","EventBusName":"none""#.to_owned(),
                "ResourceNotFoundException",
            ),
            ("DescribeRule", r#""Name":"none""#.to_owned(), "ResourceNotFoundException"),
            ("EnableRule", r#""Name":"none""#.to_owned(), "ResourceNotFoundException"),
            ("PutTargets", r#""Rule":"none","Targets":[]"#.to_owned(), "ResourceNotFoundException"),
            ("PutTargets", r#""Rule":"r","Targets":[{"Id":"1","Arn":"nonsense"}]"#.to_owned(), "ValidationException"),
            ("PutTargets", queue(""), "ValidationException"),
            (
                "PutTargets",
                queue(r#","SqsParameters":{"MessageGroupId":"g"},"Input":"{}","InputPath":"$""#),
                "ValidationException",
            ),
            ("PutTargets", queue(r#","SqsParameters":{"MessageGroupId":"g"},"Input":"{""#), "ValidationException"),
            ("TestEventPattern", r#""EventPattern":"{\"a\":[1]}","Event":"{}""#.to_owned(), "ValidationException"),
            ("DeleteEventBus", r#""Name":"default""#.to_owned(), "ValidationException"),
            ("StartReplay", String::new(), "UnknownOperationException"),
        ] {
            assert_eq!(world.events_refused(action, &members), code, "{action} {members}");
        }
        world.target("r", "1", &format!("{QUEUE_ARN}q"), "");
        assert_eq!(world.events_refused("DeleteRule", r#""Name":"r""#), "ValidationException");
        let six: Vec<String> = (1..=6).map(|id| format!(r#"{{"Id":"{id}","Arn":"{QUEUE_ARN}q"}}"#)).collect();
        let six = format!(r#""Rule":"r","Targets":[{}]"#, six.join(","));
        assert_eq!(world.events_refused("PutTargets", &six), "LimitExceededException");
    });
}

#[test]
fn a_connection_keeps_its_secret_in_a_secret() {
    both(|world| {
        let parameters = r#"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"hidden"},"InvocationHttpParameters":{"HeaderParameters":[{"Key":"a","Value":"1","IsValueSecret":false},{"Key":"b","Value":"2","IsValueSecret":true}]}}"#;
        let create = format!(r#""Name":"c","AuthorizationType":"API_KEY","AuthParameters":{parameters}"#);
        let made = world.events("CreateConnection", &create);
        assert_eq!(text(&made, &["ConnectionState"]).as_ref(), "AUTHORIZED");
        assert_eq!(world.events_refused("CreateConnection", &create), "ResourceAlreadyExistsException");
        let told = world.events("DescribeConnection", r#""Name":"c""#);
        assert!(!told.to_string().contains("hidden") && !told.to_string().contains(r#""2""#), "{told}");
        let secret_arn = text(&told, &["SecretArn"]);
        let ask = format!(r#"{{"SecretId":"{secret_arn}"}}"#);
        let secret = |world: &mut World| {
            let got = world.ask("secretsmanager", "GetSecretValue", &ask).expect("a secret");
            Json::parse(&text(&got, &["SecretString"])).expect("JSON")
        };
        let kept = secret(world);
        assert_eq!(text(&kept, &["api_key_value"]).as_ref(), "hidden");
        assert_eq!(text(&kept, &["invocation_http_parameters", "header_parameters", "1", "value"]).as_ref(), "2");
        let basic = r#"{"BasicAuthParameters":{"Username":"u","Password":"p"}}"#;
        world
            .events("UpdateConnection", &format!(r#""Name":"c","AuthorizationType":"BASIC","AuthParameters":{basic}"#));
        assert_eq!(secret(world).to_string(), r#"{"username":"u","password":"p"}"#);
        world.events("DeauthorizeConnection", r#""Name":"c""#);
        let told = world.events("DescribeConnection", r#""Name":"c""#);
        assert_eq!((text(&told, &["ConnectionState"]).as_ref(), told.get("SecretArn")), ("DEAUTHORIZED", None));
        world.events("DeleteConnection", r#""Name":"c""#);
        assert_eq!((world.rows("secrets"), world.rows("events_connections")), (0, 0));
        for (members, code) in [
            (r#""Name":"c","AuthorizationType":"NONSENSE","AuthParameters":{}"#, "ValidationException"),
            (r#""Name":"c","AuthorizationType":"BASIC","AuthParameters":{}"#, "ValidationException"),
            (r#""Name":"a b","AuthorizationType":"BASIC","AuthParameters":{}"#, "ValidationException"),
        ] {
            assert_eq!(world.events_refused("CreateConnection", members), code, "{members}");
        }
    });
}

#[test]
fn rules_and_buses_have_tags_and_are_listed() {
    both(|world| {
        for name in ["a1", "a2", "b"] {
            world.rule(name, r#"{"source":["s"]}"#);
        }
        world.target("a1", "1", &format!("{QUEUE_ARN}q"), "");
        let listed = world.events("ListRules", r#""NamePrefix":"a","Limit":1"#);
        let token = text(&listed, &["NextToken"]);
        let rest = world.events("ListRules", &format!(r#""NamePrefix":"a","NextToken":"{token}""#));
        assert_eq!(text(&rest, &["Rules", "0", "Name"]).as_ref(), "a2");
        let named = world.events("ListRuleNamesByTarget", &format!(r#""TargetArn":"{QUEUE_ARN}q""#));
        assert_eq!(named.to_string(), r#"{"RuleNames":["a1"]}"#);
        let targets = world.events("ListTargetsByRule", r#""Rule":"a1""#);
        assert_eq!(targets.to_string(), format!(r#"{{"Targets":[{{"Id":"1","Arn":"{QUEUE_ARN}q"}}]}}"#));
        for resource in ["rule/a1", "event-bus/default"] {
            let arn = format!(r#""ResourceARN":"arn:aws:events:us-east-1:000000000000:{resource}""#);
            world.events(
                "TagResource",
                &format!(r#"{arn},"Tags":[{{"Key":"a","Value":"1"}},{{"Key":"b","Value":"2"}}]"#),
            );
            world.events("UntagResource", &format!(r#"{arn},"TagKeys":["a"]"#));
            let tags = world.events("ListTagsForResource", &arn);
            assert_eq!(tags.to_string(), r#"{"Tags":[{"Key":"b","Value":"2"}]}"#);
        }
        let buses = world.events("ListEventBuses", "");
        assert_eq!(text(&buses, &["EventBuses", "0", "Name"]).as_ref(), "default");
    });
}
