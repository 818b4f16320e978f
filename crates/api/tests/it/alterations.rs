//! Values with something changed in them, whatever they are for. Knows no shape and no action.

use stepwell_json::{Json, ObjectBuilder};

use crate::chance::Chance;

/// The value with one thing changed, somewhere inside.
pub(crate) fn altered(json: &Json, chance: &mut Chance) -> Json {
    match json {
        Json::Object(object) if !object.is_empty() && !chance.one_in(12) => {
            let place = chance.below(object.len());
            let mut out = ObjectBuilder::new();
            for (at, (name, value)) in object.iter().enumerate() {
                match (at == place, chance.below(8)) {
                    (true, 0) => {}
                    (true, 1) => out.insert(format!("{name}x"), value.clone()),
                    (true, _) => out.insert(name.clone(), altered(value, chance)),
                    (false, _) => out.insert(name.clone(), value.clone()),
                }
            }
            Json::Object(out.build())
        }
        Json::Array(array) if !array.is_empty() && !chance.one_in(4) => {
            let mut items = array.to_vec();
            let place = chance.below(items.len());
            match chance.below(4) {
                0 => items.extend(array.to_vec()),
                1 => drop(items.remove(place)),
                _ => items[place] = altered(&items[place], chance),
            }
            Json::array(items)
        }
        Json::String(text) if !chance.one_in(3) => Json::from(altered_text(text, chance)),
        _ => strange(chance),
    }
}

pub(crate) fn altered_text(text: &str, chance: &mut Chance) -> String {
    let strange = ["", " ", "é", "\u{0}", "<", "$", "{", "not json", "a b", ":", "/", "arn:", "\u{10ffff}", "[1", "#"];
    let mut characters: Vec<char> = text.chars().collect();
    let place = chance.below(characters.len());
    match chance.below(8) {
        0 => return String::new(),
        1 => return (*chance.pick(&strange)).to_owned(),
        2 if !characters.is_empty() => drop(characters.remove(place)),
        3 => characters.truncate(place),
        4 => return text.repeat(1 + chance.below(40)),
        5 if chance.one_in(40) => return "x".repeat(1 + chance.below(1_100_000)),
        5 => return "y".repeat(chance.below(2_500)),
        6 => return text.replace(':', ""),
        _ => characters.splice(place..place, chance.pick(&strange).chars()).for_each(drop),
    }
    characters.into_iter().collect()
}

pub(crate) fn strange(chance: &mut Chance) -> Json {
    let texts = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "1.5",
        "1001",
        "4294967296",
        "1e400",
        "-0",
        "9223372036854775808",
        "\"\"",
        "\"BOGUS\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "{\"a\":1}",
        "[1,\"a\"]",
    ];
    let text: &str = texts[chance.below(texts.len())];
    Json::parse(text).expect("a value")
}
