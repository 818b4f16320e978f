//! A DynamoDB, scripted time and chance, and scripts of calls with the answers they must give.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_dynamodb::DynamoDb;
use stepwell_interpreter::Moment;
use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, Place};
use stepwell_spec::Timestamp;

/// 2023-11-14T22:13:20Z
pub(crate) const BEGIN: i64 = 1_700_000_000;

pub(crate) struct World {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) place: Place,
    /// Seconds since 1970.
    pub(crate) now: i64,
    calls: u64,
}

impl World {
    pub(crate) fn in_memory() -> World {
        World::open(None)
    }

    pub(crate) fn open(directory: Option<&Path>) -> World {
        let dynamodb = DynamoDb::open(directory).unwrap_or_else(|error| panic!("{error}"));
        World { dynamodb, place: place("123456789012", "us-east-1"), now: BEGIN, calls: 0 }
    }

    pub(crate) fn moment(&mut self) -> Moment {
        self.calls += 1;
        Moment { now: Timestamp(self.now * 1000), entropy: self.calls }
    }

    pub(crate) fn answer(&mut self, action: &str, input: &str) -> AwsAnswer {
        let service = match action {
            "DescribeStream" | "GetRecords" | "GetShardIterator" | "ListStreams" => "dynamodbstreams",
            _ => "dynamodb",
        };
        let input = Json::parse(input).unwrap_or_else(|error| panic!("{input}: {error:?}"));
        let call = AwsCall { service: service.into(), action: action.into(), input };
        let at = self.moment();
        self.dynamodb.call(&self.place, &call, at)
    }

    /// Makes calls from any thread, each of which must be answered.
    pub(crate) fn asker(&self) -> impl Fn(&str, &str) + Sync + '_ {
        let calls = AtomicU64::new(1_000_000);
        move |action, input| {
            let input = Json::parse(input).unwrap_or_else(|error| panic!("{input}: {error:?}"));
            let call = AwsCall { service: "dynamodb".into(), action: action.into(), input };
            let at = Moment { now: Timestamp(self.now * 1000), entropy: calls.fetch_add(1, Ordering::Relaxed) };
            let answer = self.dynamodb.call(&self.place, &call, at);
            assert!(answer.is_ok(), "{action}: {answer:?}");
        }
    }

    /// The output as text, or `CODE: MESSAGE MEMBERS`, which no output begins with.
    pub(crate) fn ask(&mut self, action: &str, input: &str) -> String {
        match self.answer(action, input) {
            Ok(answer) => {
                assert_eq!(answer.status, 200);
                sorted(&answer.output).to_string()
            }
            Err(error) => {
                let status = if error.status == 400 { String::new() } else { format!("{} ", error.status) };
                let members = match error.members.as_object().is_some_and(|members| members.is_empty()) {
                    true => String::new(),
                    false => format!(" {}", sorted(&error.members)),
                };
                format!("{status}{}: {}{members}", error.code, error.message.as_deref().unwrap_or("-"))
            }
        }
    }

    /// Makes the calls of a script in turn. A call is an action, an input and what it must answer; `…` at the end of that
    /// stands for the rest of it.
    #[track_caller]
    pub(crate) fn play(&mut self, script: &[(&str, &str, &str)]) {
        for (action, input, expected) in script {
            let answered = self.ask(action, input);
            let as_expected = match expected.strip_suffix('…') {
                Some(beginning) => answered.starts_with(beginning),
                None => answered == *expected,
            };
            assert!(as_expected, "{action} {input}\n answered {answered}\n expected {expected}");
        }
    }

    /// A table with the key `k`, a string.
    #[track_caller]
    pub(crate) fn table(&mut self, name: &str) {
        let input = format!(
            r#"{{"TableName":"{name}","KeySchema":[{{"AttributeName":"k","KeyType":"HASH"}}],
                "AttributeDefinitions":[{{"AttributeName":"k","AttributeType":"S"}}],"BillingMode":"PAY_PER_REQUEST"}}"#
        );
        let answered = self.ask("CreateTable", &input);
        assert!(answered.starts_with('{'), "{answered}");
    }
}

pub(crate) fn place(account: &str, region: &str) -> Place {
    Place { account: account.into(), region: region.into() }
}

/// Items are maps: the order of their members means nothing, and is not the same every time.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(object) => {
            let mut members: Vec<_> = object.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Json::object(members)
        }
        Json::Array(items) => Json::array(items.iter().map(sorted).collect()),
        scalar => scalar.clone(),
    }
}

/// A directory of this test's own, empty.
pub(crate) fn directory(name: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("stepwell-dynamodb-{}-{name}", std::process::id()));
    match std::fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{}: {error}", directory.display()),
        _ => directory,
    }
}
