//! JSON written inside a path: the literals of filters and function arguments.
//!
//! Jayway reads them with a parser that forgives much: either quote, bare words as strings.

use std::sync::Arc;

use stepwell_json::{Json, Number};

/// Nesting of a literal; nobody writes more, and each level is a level of recursion.
const NESTING_MAX: usize = 32;

/// Reads a literal that makes up the whole text. `None` when it is no literal even by lenient rules.
pub(crate) fn parse_literal(text: &str) -> Option<Json> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Skips blanks and takes this character, if it is next.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    fn value(&mut self, nesting: usize) -> Option<Json> {
        self.skip_blanks();
        match self.peek()? {
            '[' if nesting < NESTING_MAX => self.array(nesting),
            '{' if nesting < NESTING_MAX => self.object(nesting),
            '[' | '{' => None,
            quote @ ('\'' | '"') => self.quoted(quote).map(Json::from),
            _ => self.word().map(word_value),
        }
    }

    fn array(&mut self, nesting: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            // Commas too many are overlooked.
            while self.take(',') {}
            if self.take(']') {
                return Some(Json::array(items));
            }
            items.push(self.value(nesting + 1)?);
            self.skip_blanks();
            if !matches!(self.peek(), Some(',' | ']')) {
                return None;
            }
        }
    }

    fn object(&mut self, nesting: usize) -> Option<Json> {
        let mut members: Vec<(Arc<str>, Json)> = Vec::new();
        self.at += 1;
        if self.take('}') {
            return Some(Json::object(members));
        }
        loop {
            self.skip_blanks();
            let name = match self.peek()? {
                quote @ ('\'' | '"') => self.quoted(quote)?,
                _ => self.word()?.to_owned(),
            };
            if !self.take(':') {
                return None;
            }
            members.push((name.into(), self.value(nesting + 1)?));
            if self.take('}') {
                return Some(Json::object(members));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let from = self.at + 1;
        let length = closing_quote(&self.text[from..], quote)?;
        self.at = from + length + 1;
        Some(unescape(&self.text[from..from + length]))
    }

    fn word(&mut self) -> Option<&str> {
        let rest = &self.text[self.at..];
        let length = rest.find([',', ']', '}', ':']).unwrap_or(rest.len());
        let word = rest[..length].trim_end();
        self.at += length;
        (!word.is_empty()).then_some(word)
    }
}

fn word_value(word: &str) -> Json {
    match word {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => Number::parse(word).map_or_else(|_| Json::from(word), Json::Number),
    }
}

/// Where the first quote stands that no backslash escapes.
pub(crate) fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (place, next) in text.char_indices() {
        match next {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if next == quote => return Some(place),
            _ => {}
        }
    }
    None
}

/// Text with its backslash escapes resolved: those of JSON, and any other character standing for itself.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => match unicode_escape(rest.as_str()) {
                Some((character, digits)) => {
                    out.push(character);
                    rest.nth(digits - 1);
                }
                None => out.push_str("\\u"),
            },
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// The character after `\u`, and how many characters of the text it takes. Half of a surrogate pair is none: it cannot
/// stand in a Rust string.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| u32::from_str_radix(text.get(from..from + 4)?, 16).ok();
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = text[4..].starts_with("\\u").then(|| unit(6))??;
    let pair = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?.ok()?;
    Some((pair, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_leniently() {
        for (text, json) in [
            ("['A', \"C\", 1.5, -2,true,false , null]", r#"["A","C",1.5,-2,true,false,null]"#),
            ("[]", "[]"),
            ("[,]", "[]"),
            ("['x',]", r#"["x"]"#),
            ("[x, y z]", r#"["x","y z"]"#),
            ("{}", "{}"),
            (r#"{"a": [1, {'b': 'it\'s'}], c: word}"#, r#"{"a":[1,{"b":"it's"}],"c":"word"}"#),
            (r"'\u0041\n\q'", r#""A\nq""#),
            (r"'\ud83d\ude00\ud83d'", r#""😀\\ud83d""#),
            ("-'", r#""-'""#),
        ] {
            assert_eq!(parse_literal(text).map(|value| value.to_string()).as_deref(), Some(json), "{text}");
        }
    }

    #[test]
    fn broken_literals_are_refused() {
        let deep = "[".repeat(100_000);
        for text in ["", "[", "[1", "{a}", "{a:}", "'open", "[1]x", deep.as_str()] {
            assert_eq!(parse_literal(text), None);
        }
    }
}
