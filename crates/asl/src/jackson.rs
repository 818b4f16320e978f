//! AWS's words for text that is not JSON: those of the Java library it reads definitions with.

use stepwell_json::{Expected, LineIndex, SyntaxError, SyntaxErrorKind};

/// Characters of the text that are quoted in a message.
const QUOTED_MAX: usize = 500;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// Message and location of a syntax error.
///
/// `Unrecognized token 'not': was expecting (…)\n at [Source: (String)"not a definition"; line: 1, column: 4]`
pub(crate) fn words(text: &str, lines: &LineIndex, error: &SyntaxError) -> (String, String) {
    let after = |characters: usize| text[error.offset..].chars().take(characters).map(char::len_utf8).sum::<usize>();
    // The library points behind what it has read when it gives up.
    let (what, end) = match &error.kind {
        SyntaxErrorKind::UnrecognizedToken(token) => {
            (format!("Unrecognized token '{token}': was expecting {VALUES}"), error.offset + token.len())
        }
        SyntaxErrorKind::UnexpectedCharacter(found, expected) => {
            let expected = match expected {
                Expected::Value => format!("expected a valid value {VALUES}"),
                Expected::Name => "was expecting double-quote to start field name".to_owned(),
                Expected::Colon => "was expecting a colon to separate field name and value".to_owned(),
                Expected::CommaOrBrace => "was expecting comma to separate Object entries".to_owned(),
                Expected::CommaOrBracket => "was expecting comma to separate Array entries".to_owned(),
            };
            (format!("Unexpected character ({}): {expected}", character(*found)), error.offset + after(1))
        }
        SyntaxErrorKind::UnexpectedEnd | SyntaxErrorKind::Empty => ("Unexpected end-of-input".to_owned(), text.len()),
        SyntaxErrorKind::ControlCharacter(found) => (
            format!(
                "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be included in \
                 string value",
                u32::from(*found)
            ),
            error.offset + after(1),
        ),
        SyntaxErrorKind::BadEscape(found) => {
            (format!("Unrecognized character escape {}", character(*found)), error.offset + after(2))
        }
        SyntaxErrorKind::BadNumber => ("Invalid numeric value".to_owned(), error.offset + after(1)),
        SyntaxErrorKind::TrailingText => {
            let found = text[error.offset..].chars().next().unwrap_or(' ');
            (format!("Unexpected character ({}): expected end-of-input", character(found)), error.offset + after(1))
        }
        SyntaxErrorKind::LoneSurrogate | SyntaxErrorKind::NumberTooLong | SyntaxErrorKind::TooDeep(_) => {
            (error.kind.to_string(), error.offset)
        }
    };
    let position = lines.position(text, end);
    let quoted: String = text.chars().take(QUOTED_MAX).collect();
    let left_out = text.chars().count().saturating_sub(QUOTED_MAX);
    let left_out = if left_out > 0 { format!("[truncated {left_out} chars]") } else { String::new() };
    let location =
        format!("[Source: (String)\"{quoted}\"{left_out}; line: {}, column: {}]", position.line, position.column);
    (format!("{what}\n at {location}"), location)
}

fn character(found: char) -> String {
    let code = u32::from(found);
    if found.is_control() { format!("(CTRL-CHAR, code {code})") } else { format!("'{found}' (code {code})") }
}

#[cfg(test)]
mod tests {
    use stepwell_json::Spanned;

    use super::*;

    #[test]
    fn syntax_errors_sound_like_the_service() {
        let check = |text: &str, expected: &str, column: usize| {
            let error = Spanned::parse(text).expect_err("not JSON");
            let (message, location) = words(text, &LineIndex::new(text), &error);
            let place = format!("[Source: (String)\"{text}\"; line: 1, column: {column}]");
            assert_eq!((message, location), (format!("{expected}\n at {place}"), place.clone()), "{text}");
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
