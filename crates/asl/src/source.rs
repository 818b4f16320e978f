//! The text of a definition and its tree, whatever it was written in.
//!
//! Owns the formats, the limit on length, and the way from bytes to lines. Knows nothing of states.

use stepwell_json::{LineIndex, Pointer, Position, Span, Spanned, SpannedValue, SyntaxError};
use stepwell_spec::quota;

use crate::yaml::{self, YamlFault};

/// What a definition is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2 with the core schema.
    Yaml,
}

/// A definition's text, read into a tree that knows where everything stands.
#[derive(Clone, Debug)]
pub struct Source {
    text: String,
    format: Format,
    lines: LineIndex,
    pub(crate) tree: Result<Spanned, Unreadable>,
    /// Places a YAML tag stands at. What follows is not the value that was meant.
    pub(crate) tagged: Vec<YamlFault>,
}

/// Why there is no tree.
#[derive(Clone, Debug)]
pub(crate) enum Unreadable {
    /// More characters than a definition may have.
    TooLong(usize),
    Json(SyntaxError),
    Yaml(YamlFault),
}

impl Source {
    /// A definition in JSON. Faults of the text are reported when it is compiled.
    pub fn json(text: impl Into<String>) -> Source {
        Source::read(text.into(), Format::Json, |text| (Spanned::parse(text).map_err(Unreadable::Json), Vec::new()))
    }

    /// A definition in YAML. Faults of the text are reported when it is compiled.
    pub fn yaml(text: impl Into<String>) -> Source {
        Source::read(text.into(), Format::Yaml, |text| match yaml::read(text) {
            Ok((tree, tagged)) => (Ok(tree), tagged),
            Err(fault) => (Err(Unreadable::Yaml(fault)), Vec::new()),
        })
    }

    fn read(
        text: String,
        format: Format,
        parse: impl FnOnce(&str) -> (Result<Spanned, Unreadable>, Vec<YamlFault>),
    ) -> Source {
        let is_long = text.len() > quota::DEFINITION_CHARACTERS_MAX;
        let characters = if is_long { text.chars().count() } else { 0 };
        if characters > quota::DEFINITION_CHARACTERS_MAX {
            let tree = Err(Unreadable::TooLong(characters));
            return Source { text, format, lines: LineIndex::new(""), tree, tagged: Vec::new() };
        }
        let (tree, tagged) = parse(&text);
        let lines = LineIndex::new(&text);
        Source { text, format, lines, tree, tagged }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is written in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The tree, if the text could be read.
    pub fn tree(&self) -> Option<&Spanned> {
        self.tree.as_ref().ok()
    }

    /// Line and column of a byte of the text.
    pub fn position(&self, offset: usize) -> Position {
        match self.tree {
            // Such a text has no line index: nothing in it is looked at.
            Err(Unreadable::TooLong(_)) => Position { line: 1, column: 1 },
            _ => self.lines.position(&self.text, offset),
        }
    }

    /// Where the value stands that a pointer names; of a name that stands twice, the last one.
    pub fn span_of(&self, pointer: &Pointer) -> Option<Span> {
        find(self.tree()?, pointer).map(|value| value.span)
    }

    /// The first character of a stretch of the text.
    pub(crate) fn first_character(&self, span: Span) -> Span {
        let width = self.text.get(span.start..span.end).and_then(|text| text.chars().next()).map_or(0, char::len_utf8);
        Span::new(span.start, span.start + width)
    }

    /// Where in the text a byte of a string value stands, for a string that was written at `span`.
    pub(crate) fn span_in_string(&self, span: Span, value: &str, offset: usize) -> Span {
        let written = self.text.get(span.start..span.end).unwrap_or_default();
        let inside = match self.format {
            Format::Json => offset_of_decoded(written, offset),
            // Folded and escaped YAML text is not followed: it is pointed at as a whole.
            Format::Yaml => written.find(value).map(|start| start + offset),
        };
        match inside.map(|inside| span.start + inside) {
            Some(start) if start < span.end => self.first_character(Span::new(start, span.end)),
            _ => span,
        }
    }
}

/// The value a pointer names.
pub(crate) fn find<'t>(tree: &'t Spanned, pointer: &Pointer) -> Option<&'t Spanned> {
    pointer.as_str().split('/').skip(1).try_fold(tree, |value, token| match &value.value {
        SpannedValue::Object(_) => value.get(&token.replace("~1", "/").replace("~0", "~")).map(|member| &member.value),
        SpannedValue::Array(items) => items.get(token.parse::<usize>().ok()?),
        SpannedValue::Scalar(_) => None,
    })
}

/// The byte of a JSON string literal, quotes included, at which byte `offset` of its value was written.
fn offset_of_decoded(literal: &str, offset: usize) -> Option<usize> {
    let mut decoded = 0;
    let mut characters = literal.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if decoded >= offset {
            return Some(at);
        }
        decoded += match character {
            '\\' => match characters.next()?.1 {
                'u' => {
                    let code = literal.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok())?;
                    characters.by_ref().nth(3)?;
                    match code {
                        0..0x80 => 1,
                        0x80..0x800 => 2,
                        // Each half of a surrogate pair stands for two of the four bytes.
                        0xD800..0xE000 => 2,
                        _ => 3,
                    }
                }
                _ => 1,
            },
            plain => plain.len_utf8(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_spans_in_both_formats() {
        let json = Source::json("{\"a\": [1, {\"b/c\": true}]}");
        let span = json.span_of(&Pointer::from("/a/1/b~1c")).expect("there");
        assert_eq!(&json.text()[span.start..span.end], "true");
        let yaml = Source::yaml("a:\n  - 1\n  - b/c: true\n");
        let span = yaml.span_of(&Pointer::from("/a/1/b~1c")).expect("there");
        assert_eq!(&yaml.text()[span.start..span.end], "true");
        assert_eq!(yaml.position(span.start), Position { line: 3, column: 10 });
        assert_eq!(json.span_of(&Pointer::from("/a/2")), None);
    }

    #[test]
    fn offsets_in_a_string_are_followed_through_escapes() {
        let check = |literal: &str, needle: &str| {
            let source = Source::json(literal);
            let value = source.tree().and_then(Spanned::as_str).expect("a string").to_owned();
            let offset = value.find(needle).expect("in the value");
            let span = source.span_in_string(Span::new(0, literal.len()), &value, offset);
            assert!(literal[span.start..].starts_with(needle), "{literal}: {}", &literal[span.start..]);
        };
        check(r#""plain X""#, "X");
        check(r#""a\"b\\ \n X""#, "X");
        check(r#""é \u00e9 \u20ac \ud83d\ude00 X""#, "X");
    }

    #[test]
    fn a_long_text_is_not_read() {
        let text = "x".repeat(quota::DEFINITION_CHARACTERS_MAX + 1);
        assert!(matches!(Source::json(text.clone()).tree, Err(Unreadable::TooLong(1_048_577))));
        assert!(matches!(Source::yaml(text).tree, Err(Unreadable::TooLong(_))));
        let accented = "é".repeat(quota::DEFINITION_CHARACTERS_MAX - 2);
        assert!(Source::json(format!("\"{accented}\"")).tree.is_ok());
    }
}
