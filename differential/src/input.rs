//! Random documents. The name of a member says what it mostly is, so that expressions find what they look for.

use stepwell_json::Json;

use crate::chance::Chance;

/// Members that are mostly numbers.
pub const NUMBERS: [&str; 2] = ["n", "m"];
/// Members that are mostly texts.
pub const TEXTS: [&str; 2] = ["s", "t"];
/// Members that are mostly objects.
pub const OBJECTS: [&str; 2] = ["o", "p"];
/// A member that is mostly `true` or `false`.
pub const FLAG: &str = "f";
/// A member that is mostly an array of numbers.
pub const NUMBER_LIST: &str = "ns";
/// A member that is mostly an array of texts.
pub const TEXT_LIST: &str = "ts";
/// A member that is mostly an array of objects.
pub const OBJECT_LIST: &str = "os";
/// A member that may be anything.
pub const ANYTHING: &str = "x";

/// A document to evaluate on.
pub fn document(chance: &mut Chance) -> Json {
    match chance.below(20) {
        0..=15 => object(chance, 3),
        16..=17 => Json::array((0..chance.below(4)).map(|_| object(chance, 2)).collect()),
        18 => anything(chance, 2),
        _ => Json::array((0..chance.below(3)).map(|_| anything(chance, 2)).collect()),
    }
}

fn object(chance: &mut Chance, depth: usize) -> Json {
    let names = [
        NUMBERS[0],
        TEXTS[0],
        OBJECT_LIST,
        OBJECTS[0],
        NUMBERS[1],
        FLAG,
        NUMBER_LIST,
        TEXTS[1],
        TEXT_LIST,
        ANYTHING,
        OBJECTS[1],
    ];
    let mut members = Vec::new();
    for name in names {
        if chance.once_in(3) {
            continue;
        }
        let value = match name {
            _ if chance.once_in(16) => anything(chance, depth.saturating_sub(1)),
            "n" | "m" => number(chance),
            "s" | "t" => text(chance),
            FLAG => Json::from(chance.once_in(2)),
            NUMBER_LIST => Json::array((0..chance.below(5)).map(|_| number(chance)).collect()),
            TEXT_LIST => Json::array((0..chance.below(5)).map(|_| text(chance)).collect()),
            "o" | "p" if depth > 0 => object(chance, depth - 1),
            OBJECT_LIST if depth > 0 => Json::array((0..chance.below(4)).map(|_| object(chance, depth - 1)).collect()),
            _ => anything(chance, depth.saturating_sub(1)),
        };
        members.push((name, value));
    }
    Json::object(members)
}

fn number(chance: &mut Chance) -> Json {
    let texts = [
        "0",
        "1",
        "2",
        "3",
        "-1",
        "1.5",
        "-2.5",
        "10",
        "42",
        "0.1",
        "100",
        "1234567.891",
        "1e21",
        "12",
        "1510067557121",
    ];
    Json::parse(chance.pick(&texts)).unwrap_or(Json::Null)
}

fn text(chance: &mut Chance) -> Json {
    let texts = [
        "",
        "a",
        "b",
        "abc",
        "x y z",
        "12",
        "-1.5",
        "aXbXc",
        "é𝄞u",
        "ab ab",
        " a  b ",
        "true",
        "2018-02-01T09:42:13.123Z",
        "k",
        "Twelve",
        "XIV",
    ];
    Json::from(chance.pick(&texts))
}

fn anything(chance: &mut Chance, depth: usize) -> Json {
    match chance.below(9) {
        0 => Json::Null,
        1 => Json::from(true),
        2 => Json::from(false),
        3 => number(chance),
        4 => text(chance),
        5 => Json::array(Vec::new()),
        6 if depth > 0 => Json::array((0..chance.below(4)).map(|_| anything(chance, depth - 1)).collect()),
        7 if depth > 0 => Json::array((0..chance.below(3)).map(|_| object(chance, depth - 1)).collect()),
        _ if depth > 0 => object(chance, depth - 1),
        _ => Json::empty_object(),
    }
}
