//! A path, a reference path and an intrinsic call from the same text, each read on the sample.

use stepwell_json::Json;
use stepwell_jsonpath::{Path, ReferencePath, ValueExpression};

use super::sample::SampleScope;
use crate::{Behaviour, gist, magnitude};

/// Pieces of paths, filters and intrinsic calls.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "$", "$$", "$.", "$..", "..", ".*", "[*]", "[0]", "[-1]", "[0:2]", "[::2]", "[-2:]", "['items']", "[\"a\",'b']",
    "['", "']", "[?(", ")]", "@", "@.price", "@.tags", " == ", " != ", " < ", " >= ", " =~ ", "/^a.*/i", " in ",
    " nin ", " subsetof ", " anyof ", " noneof ", " size ", " empty true", " contains ", "&&", "||", "!", "(", ")",
    ".length()", ".min()", ".max()", ".avg()", ".sum()", ".stddev()", ".keys()", ".first()", ".last()", ".index(0)",
    ".append(1)", ".concat(\"a\")", "null", "true", "1", "-1", "9223372036854775808", "1.5e300", "'text'", "\\'",
    "\\u0041", "items", "sku", "nested", "customer", "numbers", "States.Format(", "States.StringToJson(",
    "States.JsonToString(", "States.Array(", "States.ArrayPartition(", "States.ArrayContains(", "States.ArrayRange(",
    "States.ArrayGetItem(", "States.ArrayLength(", "States.ArrayUnique(", "States.Base64Encode(",
    "States.Base64Decode(", "States.Hash(", "States.JsonMerge(", "States.MathRandom(", "States.MathAdd(",
    "States.StringSplit(", "States.UUID()", ", ", "{}", "'SHA-256'", "'MD5'",
];

/// Compiles and reads, twice where it must give the same.
pub fn run(input: &[u8]) -> Behaviour {
    let Ok(text) = std::str::from_utf8(input) else { return Behaviour::of("no text") };
    let scope = SampleScope::new();
    let path = match Path::parse(text) {
        Ok(path) => {
            assert_eq!(path.text(), text);
            let read = path.read_in(&scope);
            assert_eq!(read, path.read_in(&scope), "a path reads the same twice");
            if let Ok(value) = &read {
                assert!(path.is_definite() || value.as_array().is_some(), "an indefinite path gives a list");
            }
            (
                "path",
                read.as_ref().map(shape).map_err(|error| format!("{:?}", error.kind)).err(),
                read.ok().map(|v| shape(&v)),
            )
        }
        Err(error) => {
            assert!(error.offset <= text.len());
            ("no path", Some(gist(&error.message)), None)
        }
    };
    let placed = ReferencePath::parse(text).ok().map(|reference| {
        let document = super::sample::input();
        let put = reference.put(&document, Json::string("put"));
        if let Ok(changed) = &put
            && let Ok(found) = reference.path().read(changed)
        {
            assert_eq!(found, Json::string("put"), "what was put is found there");
        }
        put.is_ok()
    });
    let evaluated = match ValueExpression::parse(text) {
        Ok(expression) => match expression.evaluate(&scope) {
            Ok(value) => format!("{:?}", shape(&value)),
            Err(error) => format!("{:?}", error.kind),
        },
        Err(error) => {
            assert!(error.offset <= text.len());
            String::new()
        }
    };
    Behaviour::of((path, placed, evaluated))
}

fn shape(value: &Json) -> (&'static str, u32) {
    (value.kind().name(), magnitude(value.serialized_bytes()))
}
