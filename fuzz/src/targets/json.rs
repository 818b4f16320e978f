//! Text to tree and back. What was read and written is read again as the same tree, of the size and depth it claimed.

use stepwell_json::{DEPTH_MAX, Json, Spanned};

use crate::{Behaviour, magnitude};

/// Pieces of JSON.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "false", "[]", "{}", "\"\"", "-0", "0.0", "1e400",
    "1e-400", "1E+10000", "99999999999999999999", "\\u0000", "\\ud83e\\udd8a", "\\ud83e", "\\udd8a", "\u{feff}",
    "\u{2028}", "\n", "\t", "\"a\":1,\"a\":2", "[[[[[[[[", "{\"\":",
];

/// Parses, writes and parses again.
pub fn run(input: &[u8]) -> Behaviour {
    let Ok(text) = std::str::from_utf8(input) else { return Behaviour::of("no text") };
    let read = Json::parse(text);
    let spanned = Spanned::parse(text);
    let value = match (read, spanned) {
        (Ok(value), Ok(spanned)) => {
            assert!(spanned.to_json().is_identical(&value), "both parsers build the same tree");
            value
        }
        (Err(error), Err(same)) => {
            assert_eq!(error, same, "both parsers see the same fault");
            assert!(error.offset <= text.len() && error.line >= 1 && error.column >= 1);
            let _ = error.to_string();
            return Behaviour::of((std::mem::discriminant(&error.kind), magnitude(error.offset)));
        }
        (read, spanned) => panic!("one parser accepts what the other refuses: {read:?} {:?}", spanned.err()),
    };
    let written = value.to_string();
    assert_eq!(written.len(), value.serialized_bytes(), "the size is that of the text");
    assert!(value.depth() <= DEPTH_MAX);
    let again = Json::parse(&written).expect("what we write we can read");
    assert!(again.is_identical(&value), "nothing is lost on the way");
    assert_eq!(again, value);
    Behaviour::of((value.kind().name(), magnitude(written.len()), magnitude(value.depth() as usize)))
}
