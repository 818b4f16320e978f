//! Valid values of every shape, drawn from a seed.

use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::{Kind, Member, Shape};

use crate::chance::Chance;

const HERE: &str = "arn:aws:states:us-east-1:123456789012";

/// Values that also satisfy what no constraint says, by the member's name.
fn meaningful(name: &str) -> Option<String> {
    Some(match name {
        "stateMachineArn" | "resourceArn" => format!("{HERE}:stateMachine:machine"),
        "stateMachineVersionArn" => format!("{HERE}:stateMachine:machine:1"),
        "stateMachineAliasArn" => format!("{HERE}:stateMachine:machine:PROD"),
        "executionArn" => format!("{HERE}:execution:machine:name"),
        "mapRunArn" => format!("{HERE}:mapRun:machine/label:id"),
        "activityArn" => format!("{HERE}:activity:activity"),
        "roleArn" => "arn:aws:iam::123456789012:role/role".to_owned(),
        "logGroupArn" => "arn:aws:logs:us-east-1:123456789012:log-group:group:*".to_owned(),
        "definition" => r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#.to_owned(),
        "input" | "output" | "variables" | "context" | "result" => "{}".to_owned(),
        _ => return None,
    })
}

/// A value of this shape; optional members are left out now and then.
pub(crate) fn sample(shape: &Shape, chance: &mut Chance) -> Json {
    match &shape.kind {
        Kind::Structure(members) => structure(members, chance, 3),
        _ => value("", shape, chance),
    }
}

/// A request with every member it may have.
pub(crate) fn full(shape: &Shape, chance: &mut Chance) -> Json {
    structure(shape.members(), chance, 0)
}

fn structure(members: &[Member], chance: &mut Chance, leave_out_one_in: usize) -> Json {
    let mut out = ObjectBuilder::new();
    for member in members {
        if member.required || leave_out_one_in == 0 || !chance.one_in(leave_out_one_in) {
            out.insert(member.name, value(member.name, member.shape, chance));
        }
    }
    Json::Object(out.build())
}

fn value(name: &str, shape: &Shape, chance: &mut Chance) -> Json {
    match &shape.kind {
        Kind::Text { min, max, .. } => Json::from(meaningful(name).unwrap_or_else(|| {
            let min = usize::try_from(min.unwrap_or(0)).unwrap_or(0);
            let max = usize::try_from(max.unwrap_or(20)).unwrap_or(20).min(20);
            let length = min + chance.below(max - min + 1);
            (0..length).map(|_| char::from(*chance.pick(b"abcXYZ-_."))).collect()
        })),
        Kind::Choice(texts) => Json::from(*chance.pick(texts)),
        Kind::Integer { min, max } => {
            let (min, max) = (min.unwrap_or(-5), max.unwrap_or(1_000));
            Json::from(min + i64::try_from(chance.draw() % (max - min + 1).unsigned_abs()).unwrap_or(0))
        }
        Kind::Long { min } => Json::from(min.unwrap_or(-5) + i64::try_from(chance.draw() >> 20).unwrap_or(0)),
        Kind::Float { .. } => Json::parse(&format!("{:?}", chance.below(400) as f64 / 4.0)).expect("a number"),
        Kind::Boolean => Json::Bool(chance.one_in(2)),
        Kind::Timestamp => {
            let ms = 1_600_000_000_000 + chance.below(400_000_000_000);
            Json::parse(&format!("{:?}", ms as f64 / 1000.0)).expect("a number")
        }
        Kind::List { items, min, max } => {
            let min = usize::try_from(min.unwrap_or(0)).unwrap_or(0);
            let max = usize::try_from(max.unwrap_or(3)).unwrap_or(3);
            let length = min + chance.below(max - min + 1);
            Json::array((0..length).map(|_| value("", items, chance)).collect())
        }
        Kind::Map { names, values } => {
            let count = chance.below(3);
            Json::object((0..count).map(|n| {
                let name = value("", names, chance);
                (format!("{}{n}", name.as_str().unwrap_or_default()), value("", values, chance))
            }))
        }
        Kind::Structure(members) => structure(members, chance, 3),
        Kind::Event => Json::object([("id", Json::from(1)), ("type", Json::from("ExecutionStarted"))]),
    }
}
