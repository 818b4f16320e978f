//! AWS's words for text that is not JSON: those of Jackson, the Java library its service reads JSON with.

use crate::parse::{Expected, SyntaxError, SyntaxErrorKind};
use crate::spanned::LineIndex;

/// Characters of the text that are quoted in a message.
const QUOTED_MAX: usize = 500;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// A syntax error as Jackson reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JacksonWords {
    /// What is wrong: `Unrecognized token 'not': was expecting (…)`.
    pub what: String,
    /// Where: `[Source: (String)"not a definition"; line: 1, column: 4]`.
    pub location: String,
}

impl JacksonWords {
    /// Both, as one message: `Unrecognized token …\n at [Source: …]`.
    pub fn message(&self) -> String {
        let JacksonWords { what, location } = self;
        format!("{what}\n at {location}")
    }
}

impl SyntaxError {
    /// This error of `text` in Jackson's words.
    pub fn in_jackson_words(&self, text: &str) -> JacksonWords {
        words(text, self)
    }
}

fn words(text: &str, error: &SyntaxError) -> JacksonWords {
    let offset = error.offset.min(text.len());
    let rest = text.get(offset..).unwrap_or_default();
    let after = |characters: usize| rest.chars().take(characters).map(char::len_utf8).sum::<usize>();
    // The library points behind what it has read when it gives up.
    let (what, end) = match &error.kind {
        SyntaxErrorKind::UnrecognizedToken(token) => {
            (format!("Unrecognized token '{token}': was expecting {VALUES}"), offset + token.len())
        }
        SyntaxErrorKind::UnexpectedCharacter(found, expected) => {
            let expected = match expected {
                Expected::Value => format!("expected a valid value {VALUES}"),
                Expected::Name => "was expecting double-quote to start field name".to_owned(),
                Expected::Colon => "was expecting a colon to separate field name and value".to_owned(),
                Expected::CommaOrBrace => "was expecting comma to separate Object entries".to_owned(),
                Expected::CommaOrBracket => "was expecting comma to separate Array entries".to_owned(),
            };
            (format!("Unexpected character ({}): {expected}", character(*found)), offset + after(1))
        }
        SyntaxErrorKind::UnexpectedEnd | SyntaxErrorKind::Empty => ("Unexpected end-of-input".to_owned(), text.len()),
        SyntaxErrorKind::ControlCharacter(found) => (
            format!(
                "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be included in \
                 string value",
                u32::from(*found)
            ),
            offset + after(1),
        ),
        SyntaxErrorKind::BadEscape(found) => {
            (format!("Unrecognized character escape {}", character(*found)), offset + after(2))
        }
        SyntaxErrorKind::BadNumber => ("Invalid numeric value".to_owned(), offset + after(1)),
        SyntaxErrorKind::TrailingText => {
            let found = rest.chars().next().unwrap_or(' ');
            (format!("Unexpected character ({}): expected end-of-input", character(found)), offset + after(1))
        }
        SyntaxErrorKind::LoneSurrogate | SyntaxErrorKind::NumberTooLong | SyntaxErrorKind::TooDeep(_) => {
            (error.kind.to_string(), offset)
        }
    };
    let position = LineIndex::new(text).position(text, end);
    let quoted: String = text.chars().take(QUOTED_MAX).collect();
    let left_out = text.chars().count().saturating_sub(QUOTED_MAX);
    let left_out = if left_out > 0 { format!("[truncated {left_out} chars]") } else { String::new() };
    let location =
        format!("[Source: (String)\"{quoted}\"{left_out}; line: {}, column: {}]", position.line, position.column);
    JacksonWords { what, location }
}

fn character(found: char) -> String {
    let code = u32::from(found);
    if found.is_control() { format!("(CTRL-CHAR, code {code})") } else { format!("'{found}' (code {code})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;

    #[test]
    fn syntax_errors_sound_like_the_service() {
        let check = |text: &str, expected: &str, column: usize| {
            let words = Json::parse(text).expect_err("not JSON").in_jackson_words(text);
            let place = format!("[Source: (String)\"{text}\"; line: 1, column: {column}]");
            assert_eq!(words.message(), format!("{expected}\n at {place}"), "{text}");
            assert_eq!((words.what, words.location), (expected.to_owned(), place), "{text}");
        };
        check("not a definition", &format!("Unrecognized token 'not': was expecting {VALUES}"), 4);
        check("{'a'}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 3);
        check(
            "{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            7,
        );
        check("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 5);
        check("{\"a\":1 2}", "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries", 9);
        check("{\"a\":,}", &format!("Unexpected character (',' (code 44)): expected a valid value {VALUES}"), 7);
        check("[1", "Unexpected end-of-input", 3);
    }
}
