//! What can be wrong with a request, a row each.

use stepwell_json::{Json, Object};
use stepwell_spec::Action;
use stepwell_spec::shapes::{Kind as Shaped, Shape};

use super::{BODY_BYTES_MAX, Draft};
use crate::alterations::{altered, altered_text, strange};
use crate::chance::Chance;

/// One thing that can be wrong.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Makes it so; `false` when there is nothing in the request that could be wrong in this way.
    pub(crate) alter: fn(&mut Draft, &mut Chance) -> bool,
    /// Taken once in so many times: large requests take long.
    pub(crate) one_in: usize,
    /// AWS passes over it.
    pub(crate) is_harmless: bool,
}

const fn kind(name: &'static str, alter: fn(&mut Draft, &mut Chance) -> bool) -> Kind {
    Kind { name, alter, one_in: 1, is_harmless: false }
}

pub(crate) const KINDS: &[Kind] = &[
    kind("another type", |draft, chance| at_one_place(draft, chance, |_, _, chance| Some(strange(chance)))),
    kind("no value", |draft, chance| at_one_place(draft, chance, |_, _, _| Some(Json::Null))),
    kind("a missing member", without_a_member),
    Kind { is_harmless: true, ..kind("a member nobody knows", with_an_unknown_member) },
    Kind { is_harmless: true, ..kind("a member twice", with_a_member_twice) },
    kind("too long", |draft, chance| at_one_place(draft, chance, too_long)),
    Kind { one_in: 50, ..kind("far too long", |draft, chance| at_one_place(draft, chance, far_too_long)) },
    kind("too short", |draft, chance| at_one_place(draft, chance, too_short)),
    kind("a strange character", |draft, chance| at_one_place(draft, chance, with_a_strange_character)),
    kind("no such choice", |draft, chance| at_one_place(draft, chance, no_such_choice)),
    kind("a number out of range", |draft, chance| at_one_place(draft, chance, out_of_range)),
    kind("deep", |draft, chance| at_one_place(draft, chance, |_, _, chance| Some(deep(chance.pick(&[20, 400, 600]))))),
    kind("another ARN", |draft, chance| at_one_place(draft, chance, another_arn)),
    kind("another token", |draft, chance| at_one_place(draft, chance, another_token)),
    kind("a change within a text", |draft, chance| at_one_place(draft, chance, changed_within)),
    kind("a broken text", |draft, chance| at_one_place(draft, chance, broken_text)),
    kind("a deep text", |draft, chance| at_one_place(draft, chance, deep_text)),
    kind("anything", |draft, chance| with_json(draft, |json, _| Some(altered(json, chance)))),
    kind("cut off", |draft, chance| {
        let end = chance.below(draft.body.len());
        draft.body.truncate(end);
        true
    }),
    kind("a flipped bit", |draft, chance| {
        let place = chance.below(draft.body.len());
        draft.body.get_mut(place).map(|byte| *byte ^= 1 << chance.below(8)).is_some()
    }),
    kind("not UTF-8", |draft, chance| {
        let bytes = *chance.pick::<&[u8]>(&[b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]);
        insert(draft, chance, bytes)
    }),
    kind("a byte too many", |draft, chance| {
        let bytes = *chance.pick::<&[u8]>(&[b"\\ud800", b"\0", b"\\", b"\"", b"}", b",", b"\n", b"\\u0000", b"//"]);
        insert(draft, chance, bytes)
    }),
    kind("no object", |draft, chance| {
        let bodies = ["", " ", "null", "[]", "1", "\"{}\"", "{", "{}}", "\u{feff}{}", "nul", "{\"a\"}", "{'a':1}"];
        draft.body = chance.pick(&bodies).as_bytes().to_vec();
        true
    }),
    kind("a deep body", |draft, chance| {
        let depth = *chance.pick(&[511, 512, 513, 2_000, 100_000]);
        draft.body.splice(0..0, std::iter::repeat_n(*chance.pick(b"[{"), depth));
        true
    }),
    Kind {
        one_in: 100,
        ..kind("too large", |draft, chance| {
            let bytes = BODY_BYTES_MAX + 1 + chance.below(3);
            draft.body.resize(bytes.max(draft.body.len()), b' ');
            true
        })
    },
    kind("another content type", |draft, chance| {
        let types =
            ["", "application/json", "text/plain", "application/x-amz-json-2.0", "application/x-amz-json-1.0x", "*"];
        draft.content_type = (*chance.pick(&types)).to_owned();
        true
    }),
    kind("another target", |draft, chance| {
        let name = draft.action.name();
        let other = chance.pick(Action::ALL).name();
        let targets = [
            String::new(),
            name.to_owned(),
            format!("AWSStepFunctions.{}", name.to_lowercase()),
            format!("AWSStepFunctions.{name}x"),
            format!("AWSStepFunctions.{name}.{name}"),
            format!("AWSStepFunctions_20161123.{name}"),
            format!("awsstepfunctions.{name}"),
            "Nobody_20120810.PutItem".to_owned(),
            format!("AWSStepFunctions.{other}"),
            "x".repeat(4_000),
        ];
        draft.target = chance.pick(&targets).clone();
        true
    }),
    kind("another method", |draft, chance| {
        draft.method = *chance.pick::<&str>(&["GET", "PUT", "DELETE", "OPTIONS", "PATCH"]);
        true
    }),
];

/// A value inside a request, and what the model says of it.
struct Place {
    path: Vec<Step>,
    shape: &'static Shape,
}

enum Step {
    Member(String),
    Item(usize),
}

type Change = fn(&Json, &'static Shape, &mut Chance) -> Option<Json>;

/// Changes one of the values that can be changed in this way.
fn at_one_place(draft: &mut Draft, chance: &mut Chance, change: Change) -> bool {
    with_json(draft, |json, action| {
        let mut places = Vec::new();
        find_places(json, action.facts().request, &mut Vec::new(), &mut places);
        while !places.is_empty() {
            let place = places.swap_remove(chance.below(places.len()));
            if let Some(changed) = change_at(json, &place.path, place.shape, chance, change) {
                return Some(changed);
            }
        }
        None
    })
}

/// Changes the body, if it is still JSON.
fn with_json(draft: &mut Draft, change: impl FnOnce(&Json, Action) -> Option<Json>) -> bool {
    let json = std::str::from_utf8(&draft.body).ok().and_then(|text| Json::parse(text).ok());
    let changed = json.and_then(|json| change(&json, draft.action));
    changed.map(|json| draft.body = json.to_string().into_bytes()).is_some()
}

/// Every value below this one, as far as it is what the model says.
fn find_places(json: &Json, shape: &'static Shape, path: &mut Vec<Step>, places: &mut Vec<Place>) {
    let copy = |path: &[Step]| -> Vec<Step> {
        let step = |step: &Step| match step {
            Step::Member(name) => Step::Member(name.clone()),
            Step::Item(at) => Step::Item(*at),
        };
        path.iter().map(step).collect()
    };
    if !path.is_empty() {
        places.push(Place { path: copy(path), shape });
    }
    match (json, &shape.kind) {
        (Json::Object(object), Shaped::Structure(_)) => {
            for (name, value) in object {
                if let Some(member) = shape.member(name) {
                    path.push(Step::Member(name.to_string()));
                    find_places(value, member.shape, path, places);
                    path.pop();
                }
            }
        }
        (Json::Array(array), Shaped::List { items, .. }) => {
            for (at, value) in array.iter().enumerate() {
                path.push(Step::Item(at));
                find_places(value, items, path, places);
                path.pop();
            }
        }
        _ => {}
    }
}

fn change_at(json: &Json, path: &[Step], shape: &'static Shape, chance: &mut Chance, change: Change) -> Option<Json> {
    let Some((first, rest)) = path.split_first() else { return change(json, shape, chance) };
    match (first, json) {
        (Step::Member(name), Json::Object(object)) => {
            let changed = change_at(object.get(name)?, rest, shape, chance, change)?;
            Some(Json::Object(object.with(name.as_str(), changed)))
        }
        (Step::Item(at), Json::Array(array)) => {
            let mut items = array.to_vec();
            items[*at] = change_at(&items[*at], rest, shape, chance, change)?;
            Some(Json::array(items))
        }
        _ => None,
    }
}

fn without_a_member(draft: &mut Draft, chance: &mut Chance) -> bool {
    // Where all are optional, nothing is wrong with that.
    let is_required = |object: &Object, action: Action| {
        let members = action.facts().request.members().iter();
        members.filter(|member| member.required && object.contains_key(member.name)).map(|member| member.name).collect()
    };
    with_json(draft, |json, action| {
        let object = json.as_object()?;
        let required: Vec<&str> = is_required(object, action);
        let names: Vec<&str> = match chance.one_in(2) && !required.is_empty() {
            true => required,
            false => object.keys().map(|name| &**name).collect(),
        };
        let gone = *names.get(chance.below(names.len()))?;
        let kept = object.iter().filter(|(name, _)| &***name != gone);
        Some(Json::object(kept.map(|(name, value)| (name.clone(), value.clone()))))
    })
}

fn with_an_unknown_member(draft: &mut Draft, chance: &mut Chance) -> bool {
    let names = ["", "unknown", "__type", "StateMachineArn", "stateMachineArn ", "toString", "\u{0}", "é", "$"];
    with_json(draft, |json, _| {
        let name = *chance.pick(&names);
        Some(Json::Object(json.as_object()?.with(name, strange(chance))))
    })
}

/// The body's first member a second time, with another value: it is the last that counts.
fn with_a_member_twice(draft: &mut Draft, chance: &mut Chance) -> bool {
    let text = String::from_utf8_lossy(&draft.body).into_owned();
    let Some(first) = text.strip_prefix('{').and_then(|rest| rest.split_once(':')).map(|(name, _)| name.to_owned())
    else {
        return false;
    };
    let member = format!("{first}:{},", strange(chance));
    if Json::parse(&format!("{{{member}\"x\":1}}")).is_err() {
        return false;
    }
    draft.body.splice(1..1, member.into_bytes());
    true
}

fn too_long(value: &Json, shape: &'static Shape, chance: &mut Chance) -> Option<Json> {
    match (value, &shape.kind) {
        (Json::String(text), Shaped::Text { max: Some(max), .. }) if *max < 5_000 => {
            let more = usize::try_from(*max).ok()?.saturating_sub(text.chars().count()) + 1 + chance.below(3);
            Some(Json::from(format!("{text}{}", chance.pick(&["y", "é", "-"]).repeat(more))))
        }
        (Json::Array(items), Shaped::List { max, .. }) if !items.is_empty() => {
            let wanted = usize::try_from(max.unwrap_or(60)).ok()? + 1;
            Some(Json::array(items.iter().cycle().take(wanted.min(1_100)).cloned().collect()))
        }
        _ => None,
    }
}

/// Around the longest that the model allows for definitions and payloads.
fn far_too_long(value: &Json, shape: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let Shaped::Text { .. } = shape.kind else { return None };
    let bytes = *chance.pick(&[262_143, 262_144, 262_145, 1_000_000, 1_048_577]);
    let text = value.as_str()?;
    // A text that may be JSON stays it.
    Some(Json::from(match chance.one_in(2) {
        true => format!("{text}{}", " ".repeat(usize::saturating_sub(bytes, text.len()))),
        false => format!("\"{}\"", "y".repeat(bytes - 2)),
    }))
}

fn too_short(value: &Json, _: &'static Shape, _: &mut Chance) -> Option<Json> {
    match value {
        Json::String(_) => Some(Json::from("")),
        Json::Array(_) => Some(Json::array(Vec::new())),
        Json::Object(_) => Some(Json::empty_object()),
        _ => None,
    }
}

fn with_a_strange_character(value: &Json, _: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let strange = [
        "\0",
        "\u{1}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{202e}",
        "\u{10ffff}",
        "é",
        "e\u{301}",
        " ",
        "\n",
        "<",
        "*",
        "?",
        "\"",
        "#",
        "%",
        "\\",
        "^",
        "|",
        "~",
        "`",
        "$",
        "&",
        ",",
        ";",
        ":",
        "/",
        "{",
        "[",
        "(",
        "😀",
    ];
    let mut characters: Vec<char> = value.as_str()?.chars().collect();
    let place = chance.below(characters.len() + 1);
    characters.splice(place..place, chance.pick(&strange).chars()).for_each(drop);
    Some(Json::from(characters.into_iter().collect::<String>()))
}

fn no_such_choice(value: &Json, shape: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let text = value.as_str().filter(|_| matches!(shape.kind, Shaped::Choice(_)))?;
    let others = ["BOGUS".to_owned(), text.to_lowercase(), format!("{text} "), format!("{text}\0"), String::new()];
    Some(Json::from(chance.pick(&others).as_str()))
}

fn out_of_range(_: &Json, shape: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let is_number = matches!(shape.kind, Shaped::Integer { .. } | Shaped::Long { .. } | Shaped::Float { .. });
    let numbers = [
        "-1",
        "-0",
        "1001",
        "2147483647",
        "2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "1e300",
        "1e400",
        "-1e400",
        "1e-400",
        "0.5",
        "100.00001",
        "1.0",
        "1E2",
        "99999999999999999999999999999999999999999",
    ];
    let text = *chance.pick::<&str>(&numbers);
    is_number.then(|| Json::parse(text).expect("a number"))
}

fn deep(depth: &usize) -> Json {
    // What is deeper than can be built here is put together as bytes by other kinds.
    let depth = (*depth).min(500);
    Json::parse(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).expect("an array")
}

/// An ARN of another partition, service, region, account, type or name, or none any more.
fn another_arn(value: &Json, _: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let text = value.as_str().filter(|text| text.starts_with("arn:"))?;
    let mut parts: Vec<String> = text.split(':').map(str::to_owned).collect();
    let others: [(usize, &[&str]); 6] = [
        (1, &["aws-cn", "aws-us-gov", "", "AWS", "x"]),
        (2, &["sns", "lambda", "", "States"]),
        (3, &["eu-west-1", "", "nowhere-1", "us-east-1 "]),
        (4, &["999999999999", "", "1", "abcdefghijkl", "0000000000000"]),
        (5, &["stateMachine", "execution", "express", "activity", "mapRun", "statemachine", "", "role/r"]),
        (6, &["missing", "", "a b", "*", "m/n", "m/n:x", "ｍ"]),
    ];
    match chance.below(9) {
        0 => parts.truncate(chance.below(parts.len())),
        1 => parts.push((*chance.pick(&["missing", "1", "", "0", "99999999999999999999", "live", "x:y"])).to_owned()),
        2 => {
            let last = parts.last_mut()?;
            *last = (*chance.pick(&["missing", "", "12345", "-1", "00000000-0000-4000-8000-000000000000"])).to_owned();
        }
        _ => {
            let (at, texts) = chance.pick(&others);
            *parts.get_mut(*at)? = (*chance.pick(texts)).to_owned();
        }
    }
    Some(Json::from(parts.join(":")))
}

fn another_token(value: &Json, shape: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let text = value.as_str().filter(|_| shape.name.ends_with("Token"))?;
    let mut bytes = text.as_bytes().to_vec();
    let place = chance.below(bytes.len());
    match chance.below(5) {
        0 => bytes.truncate(place),
        1 => *bytes.get_mut(place)? ^= 1 << chance.below(6),
        2 => bytes.reverse(),
        3 => bytes = text.repeat(2).into_bytes(),
        _ => bytes = chance.pick(&["nonsense", "AAAA", "====", "AQAAAAAAAAAA", "e30="]).as_bytes().to_vec(),
    }
    String::from_utf8(bytes).ok().map(Json::from)
}

/// The JSON that a text is, if it is some.
fn inside(value: &Json) -> Option<Json> {
    Json::parse(value.as_str()?).ok().filter(|json| matches!(json, Json::Object(_) | Json::Array(_)))
}

fn changed_within(value: &Json, _: &'static Shape, chance: &mut Chance) -> Option<Json> {
    let mut json = inside(value)?;
    for _ in 0..=chance.below(2) {
        json = altered(&json, chance);
    }
    Some(Json::from(json.to_string()))
}

fn broken_text(value: &Json, _: &'static Shape, chance: &mut Chance) -> Option<Json> {
    inside(value)?;
    Some(Json::from(altered_text(value.as_str()?, chance)))
}

fn deep_text(value: &Json, _: &'static Shape, chance: &mut Chance) -> Option<Json> {
    inside(value)?;
    let depth = *chance.pick(&[100, 511, 512, 513, 1_000, 100_000]);
    Some(Json::from(match chance.below(3) {
        0 => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        1 => format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        _ => nested_definition(depth.min(1_000)),
    }))
}

/// A Parallel state in a Parallel state and so on.
fn nested_definition(depth: usize) -> String {
    let open = r#"{"StartAt":"A","States":{"A":{"Type":"Parallel","End":true,"Branches":["#;
    let inner = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;
    format!("{}{inner}{}", open.repeat(depth), "]}}}".repeat(depth))
}

fn insert(draft: &mut Draft, chance: &mut Chance, bytes: &[u8]) -> bool {
    let place = chance.below(draft.body.len() + 1);
    draft.body.splice(place..place, bytes.iter().copied());
    true
}
