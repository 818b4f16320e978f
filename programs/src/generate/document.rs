//! The shape that data has on its way.
//!
//! ```json
//! { "n": 3, "m": 1, "s": "text", "b": true, "t": "2024-05-01T12:00:00Z", "z": null, "limit": 172800, "beat": 30,
//!   "l": [1, 2], "o": {"n": 1, "s": "x", "l": [4]}, "items": [{"n": 1, "s": "a", "b": false}] }
//! ```

use stepwell_json::Json;

use crate::chance::Chance;

/// Times, all of them over.
pub(super) const TIMES: &[&str] =
    &["2016-08-18T17:33:00Z", "2019-01-01T00:00:00.5Z", "2018-02-28T23:59:59+02:00", "2019-01-01T00:00:00Z"];

/// Members of a document, by name.
pub(super) const MEMBERS: &[&str] = &["n", "m", "s", "b", "t", "z", "limit", "beat", "l", "o", "items"];

/// A document as it is written.
pub(super) fn literal(chance: &mut Chance) -> Json {
    let list = |chance: &mut Chance, min| {
        let length = chance.between(min, 3);
        Json::array((0..length).map(|_| number(chance)).collect())
    };
    let object = [("n", number(chance)), ("s", Json::from(chance.pick(&["x", "y z", "ß"]))), ("l", list(chance, 1))];
    let count = chance.between(1, 3);
    let items = (0..count).map(|place| {
        Json::object([
            ("n", number(chance)),
            ("s", Json::from(chance.pick(&["a", "b", "c-d"]))),
            ("b", Json::from(place % 2 == 0)),
        ])
    });
    let items = Json::array(items.collect());
    Json::object([
        ("n", number(chance)),
        ("m", number(chance)),
        ("s", Json::from(chance.pick(&["text", "a-b-c", "Zürich", ""]))),
        ("b", Json::from(chance.percent(50))),
        ("t", Json::from(chance.pick(TIMES))),
        ("z", Json::Null),
        ("limit", Json::from(172_800)),
        ("beat", Json::from(30)),
        ("l", list(chance, 1)),
        ("o", Json::object(object)),
        ("items", items),
    ])
}

fn number(chance: &mut Chance) -> Json {
    Json::from(chance.below(6) as u64)
}
