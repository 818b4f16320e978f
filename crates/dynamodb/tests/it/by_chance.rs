//! Thousands of calls drawn from the model: whatever is asked, it is answered as the model says, and never by a fault of ours.

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{Kind, Protocol, Service, Use, encode_response, service};
use stepwell_spec::Timestamp;

use crate::world::{BEGIN, World};

/// Texts that mean something to one action or another, and some that mean nothing to any.
const TEXTS: &[&str] = &[
    "tab",
    "pages",
    "none",
    "k",
    "s",
    "v",
    "g",
    "by-g",
    "ttl",
    "",
    "x",
    ":v",
    ":k",
    "#n",
    "a",
    "1",
    "-1.5",
    "1e400",
    "0x1",
    "\u{0}",
    "😀",
    "k = :k",
    "k = :k AND s > :v",
    "s BETWEEN :k AND :v",
    "attribute_exists(k)",
    "attribute_not_exists(v) OR size(v) > :v",
    "v.a[1].b",
    "SET v = :v",
    "SET v = v + :v",
    "REMOVE v",
    "ADD v :v",
    "DELETE v :v",
    "SET #n = if_not_exists(v, :v)",
    "k, v, #n",
    "contains(v, :v)",
    "SELECT * FROM tab",
    "SELECT k FROM \"pages\" WHERE k = ?",
    "INSERT INTO tab VALUE {'k':'p'}",
    "UPDATE tab SET v=1 WHERE k='p'",
    "DELETE FROM tab WHERE k='p'",
    "((((((((((",
    "ALL_OLD",
    "ALL_NEW",
    "NONE",
    "TOTAL",
    "INDEXES",
    "SIZE",
    "COUNT",
    "HASH",
    "RANGE",
    "S",
    "N",
    "B",
    "M",
    "ALL",
    "KEYS_ONLY",
    "INCLUDE",
    "PAY_PER_REQUEST",
    "PROVISIONED",
    "NEW_AND_OLD_IMAGES",
    "TRIM_HORIZON",
    "LATEST",
    "EQ",
    "BETWEEN",
    "NULL",
    "AND",
    "shardId-00000001-tab",
    "arn:aws:dynamodb:us-east-1:123456789012:table/tab",
    "arn:aws:dynamodb:us-east-1:123456789012:table/tab/stream/1",
    "arn:aws:dynamodb:eu-west-1:123456789012:table/tab",
    "AQI=",
];

const NUMBERS: &[&str] = &["0", "1", "2", "-1", "100", "101", "1.5", "2147483648", "9223372036854775807", "1e30"];

/// Actions whose inputs are drawn; the others are known not to be here.
const CALLS: u64 = 6_000;

struct Draws<'a> {
    chance: &'a Chance,
    service: &'a Service,
}

impl Draws<'_> {
    fn below(&self, count: usize) -> usize {
        (self.chance.draw() % count as u64) as usize
    }

    fn text(&self) -> &'static str {
        TEXTS[self.below(TEXTS.len())]
    }

    fn number(&self) -> Json {
        Json::parse(NUMBERS[self.below(NUMBERS.len())]).expect("a number")
    }

    fn value(&self, part: &Use, name: &str, depth: u32) -> Json {
        let shape = self.service.shape(part.shape);
        if &*shape.name == "AttributeValue" {
            return self.attribute(depth);
        }
        match &shape.kind {
            // Mostly a table that is there, or nothing would get far.
            Kind::String if name == "TableName" && self.below(4) > 0 => Json::from(["tab", "pages"][self.below(2)]),
            Kind::String if !shape.choices.is_empty() && self.below(8) > 0 => {
                Json::string(shape.choices[self.below(shape.choices.len())].clone())
            }
            Kind::String | Kind::Blob => Json::from(self.text()),
            Kind::Boolean => Json::from(self.below(2) == 0),
            Kind::Integer | Kind::Long | Kind::Float | Kind::Double | Kind::Timestamp => self.number(),
            Kind::List(item) => {
                let count = if depth > 6 { 0 } else { [0, 1, 1, 2, 3][self.below(5)] };
                Json::array((0..count).map(|_| self.value(item, name, depth + 1)).collect())
            }
            Kind::Map(_, of) => {
                let count = if depth > 6 { 0 } else { [0, 1, 1, 2][self.below(4)] };
                Json::object((0..count).map(|_| (self.text(), self.value(of, name, depth + 1))).collect::<Vec<_>>())
            }
            Kind::Structure(members) => {
                let mut drawn = ObjectBuilder::with_capacity(members.len());
                for member in members {
                    let wanted = if member.part.required { self.below(12) > 0 } else { self.below(5) == 0 };
                    if wanted && depth <= 8 {
                        drawn.insert(member.name.clone(), self.value(&member.part, &member.name, depth + 1));
                    }
                }
                Json::from(drawn.build())
            }
        }
    }

    fn attribute(&self, depth: u32) -> Json {
        let one = |kind: &'static str, value: Json| Json::object([(kind, value)]);
        let texts = || Json::array((0..self.below(3)).map(|_| Json::from(self.text())).collect());
        match self.below(if depth > 6 { 6 } else { 12 }) {
            0 => one("N", Json::from(self.text())),
            1 => one("B", Json::from("AQI=")),
            2 => one("BOOL", Json::from(true)),
            3 => one("NULL", Json::from(self.below(4) > 0)),
            4 | 5 | 10 => one("S", Json::from(self.text())),
            6 => one("L", Json::array((0..self.below(3)).map(|_| self.attribute(depth + 1)).collect())),
            7 => one(
                "M",
                Json::object((0..self.below(3)).map(|_| (self.text(), self.attribute(depth + 1))).collect::<Vec<_>>()),
            ),
            8 => one(["SS", "NS", "BS"][self.below(3)], texts()),
            9 => Json::object([("S", Json::from("two")), ("N", Json::from("2"))]),
            _ => one("N", self.number().to_string().into()),
        }
    }

    /// A key or an item of one of the tables.
    fn item(&self) -> Json {
        let mut item = ObjectBuilder::with_capacity(4);
        item.insert("k", Json::object([("S", Json::from(["a", "b", "p"][self.below(3)]))]));
        item.insert("s", Json::object([("N", Json::from(["1", "2"][self.below(2)]))]));
        for name in ["v", "g", "ttl"] {
            if self.below(2) == 0 {
                item.insert(name, self.attribute(0));
            }
        }
        Json::from(item.build())
    }
}

#[test]
fn whatever_is_asked_is_answered_as_the_model_says() {
    let mut world = World::in_memory();
    world.table("tab");
    let pages = r#"{"TableName":"pages","KeySchema":[{"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"s","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
        "BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},
        "GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}"#;
    let chance = Chance::new(Moment { now: Timestamp(0), entropy: 7 });
    let (mut done, mut refused) = (0, 0);
    for turn in 0..CALLS {
        // Whatever was deleted is made anew.
        if turn % 50 == 0 {
            world.answer("CreateTable", pages).ok();
            world.now = BEGIN + i64::try_from(turn).expect("small");
            let answered = world.answer("DescribeTable", r#"{"TableName":"tab"}"#);
            if answered.is_err() {
                world.table("tab");
            }
        }
        let service =
            service(["dynamodb", "dynamodb", "dynamodb", "dynamodbstreams"][turn as usize % 4]).expect("a service");
        let draws = Draws { chance: &chance, service };
        let operation = &service.operations[draws.below(service.operations.len())];
        let part = operation.input.as_ref().expect("an input");
        let mut input = draws.value(part, "", 0);
        for name in ["Key", "Item"] {
            if let (true, Json::Object(object)) = (draws.below(4) > 0, &input)
                && object.contains_key(name)
            {
                input = Json::from(object.with(name, draws.item()));
            }
        }
        match world.answer(&operation.name, &input.to_string()) {
            Ok(answer) => {
                done += 1;
                let written = encode_response(Protocol::Json, service, operation, &answer.output, "id");
                assert!(written.is_ok(), "{} {input}\n answered {}: {written:?}", operation.name, answer.output);
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.status, 400, "{} {input}\n answered {error:?}", operation.name);
            }
        }
    }
    // Neither may be a test of nothing.
    assert!(done > CALLS / 20 && refused > CALLS / 20, "{done} done, {refused} refused");
}
