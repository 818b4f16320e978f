//! Writing: compact text as AWS's service writes it, and an indented form for people.

use std::fmt::{self, Write};

use crate::value::Json;

impl fmt::Display for Json {
    /// Compact JSON; `{:#}` indents by two spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { write_indented(self, 0, f) } else { write_compact(self, f) }
    }
}

fn write_compact(value: &Json, out: &mut impl Write) -> fmt::Result {
    match value {
        Json::Null => out.write_str("null"),
        Json::Bool(true) => out.write_str("true"),
        Json::Bool(false) => out.write_str("false"),
        Json::Number(number) => write!(out, "{number}"),
        Json::String(text) => write_quoted(text, out),
        Json::Array(items) => {
            out.write_char('[')?;
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.write_char(',')?;
                }
                write_compact(item, out)?;
            }
            out.write_char(']')
        }
        Json::Object(members) => {
            out.write_char('{')?;
            for (place, (key, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.write_char(',')?;
                }
                write_quoted(key, out)?;
                out.write_char(':')?;
                write_compact(member, out)?;
            }
            out.write_char('}')
        }
    }
}

/// A line break and the indentation of this level.
fn new_line(level: usize, out: &mut impl Write) -> fmt::Result {
    write!(out, "\n{:1$}", "", level * 2)
}

fn write_indented(value: &Json, level: usize, out: &mut impl Write) -> fmt::Result {
    match value {
        Json::Array(items) if !items.is_empty() => {
            out.write_char('[')?;
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.write_char(',')?;
                }
                new_line(level + 1, out)?;
                write_indented(item, level + 1, out)?;
            }
            new_line(level, out)?;
            out.write_char(']')
        }
        Json::Object(members) if !members.is_empty() => {
            out.write_char('{')?;
            for (place, (key, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.write_char(',')?;
                }
                new_line(level + 1, out)?;
                write_quoted(key, out)?;
                out.write_str(": ")?;
                write_indented(member, level + 1, out)?;
            }
            new_line(level, out)?;
            out.write_char('}')
        }
        _ => write_compact(value, out),
    }
}

/// The text as a JSON string, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(text, &mut out).expect("a String takes every write");
    out
}

/// Appends the text with JSON's escapes, without quotes.
pub fn escape_into(text: &str, out: &mut String) {
    write_escaped(text, out).expect("a String takes every write");
}

fn write_quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    write_escaped(text, out)?;
    out.write_char('"')
}

/// AWS escapes the quote, the backslash and the control characters, and nothing else.
fn write_escaped(text: &str, out: &mut impl Write) -> fmt::Result {
    let mut plain_from = 0;
    for (place, byte) in text.bytes().enumerate() {
        if escape_bytes(byte) == 1 {
            continue;
        }
        out.write_str(&text[plain_from..place])?;
        plain_from = place + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            0x08 => out.write_str("\\b")?,
            0x0c => out.write_str("\\f")?,
            control => write!(out, "\\u{control:04X}")?,
        }
    }
    out.write_str(&text[plain_from..])
}

/// Bytes that one byte of text becomes.
fn escape_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// Bytes of [`quoted`], without making it.
pub(crate) fn quoted_bytes(text: &str) -> usize {
    2 + text.bytes().map(escape_bytes).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_aws_writes() {
        assert_eq!(quoted("a\"b\\c/\n\u{1f}é\u{7f}\u{2028}"), "\"a\\\"b\\\\c/\\n\\u001Fé\u{7f}\u{2028}\"");
        assert_eq!(quoted_bytes("a\"\u{1}é"), quoted("a\"\u{1}é").len());
    }

    #[test]
    fn indentation() {
        let value = Json::parse(r#"{"a":[1,{}],"b":[]}"#).expect("JSON");
        assert_eq!(format!("{value:#}"), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    }
}
