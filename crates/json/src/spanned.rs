//! A tree that remembers where each name and value stands in its text.

use std::sync::Arc;

use crate::object::ObjectBuilder;
use crate::value::{Array, Json, Kind};

/// A stretch of text, in bytes from its start: `start` included, `end` not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The stretch from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }
}

/// A value and the place it was written at.
#[derive(Clone, Debug)]
pub struct Spanned {
    /// Where the value stands, quotes and brackets included.
    pub span: Span,
    /// The value.
    pub value: SpannedValue,
}

/// A value whose parts know their places.
#[derive(Clone, Debug)]
pub enum SpannedValue {
    /// Null, a boolean, a number or a string.
    Scalar(Json),
    /// An array.
    Array(Vec<Spanned>),
    /// An object: all members in order, duplicates included.
    Object(Vec<SpannedMember>),
}

/// One member of an object.
#[derive(Clone, Debug)]
pub struct SpannedMember {
    /// The name.
    pub key: Arc<str>,
    /// Where the name stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Spanned,
}

impl Spanned {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match &self.value {
            SpannedValue::Scalar(value) => value.kind(),
            SpannedValue::Array(_) => Kind::Array,
            SpannedValue::Object(_) => Kind::Object,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            SpannedValue::Scalar(value) => value.as_str(),
            SpannedValue::Array(_) | SpannedValue::Object(_) => None,
        }
    }

    /// The scalar, if this is one.
    pub fn as_scalar(&self) -> Option<&Json> {
        match &self.value {
            SpannedValue::Scalar(value) => Some(value),
            SpannedValue::Array(_) | SpannedValue::Object(_) => None,
        }
    }

    /// The items, if this is an array.
    pub fn items(&self) -> Option<&[Spanned]> {
        match &self.value {
            SpannedValue::Array(items) => Some(items),
            SpannedValue::Scalar(_) | SpannedValue::Object(_) => None,
        }
    }

    /// The members, if this is an object.
    pub fn members(&self) -> Option<&[SpannedMember]> {
        match &self.value {
            SpannedValue::Object(members) => Some(members),
            SpannedValue::Scalar(_) | SpannedValue::Array(_) => None,
        }
    }

    /// The member that counts under this name: the last one of it.
    pub fn get(&self, key: &str) -> Option<&SpannedMember> {
        self.members()?.iter().rev().find(|member| &*member.key == key)
    }

    /// The value without its places.
    pub fn to_json(&self) -> Json {
        match &self.value {
            SpannedValue::Scalar(value) => value.clone(),
            SpannedValue::Array(items) => Json::Array(items.iter().map(Spanned::to_json).collect::<Array>()),
            SpannedValue::Object(members) => {
                let mut builder = ObjectBuilder::with_capacity(members.len());
                for member in members {
                    builder.insert(member.key.clone(), member.value.to_json());
                }
                Json::Object(builder.build())
            }
        }
    }
}

/// A place in a text as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Where the lines of a text start: turns byte offsets into positions.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// The lines of this text.
    pub fn new(text: &str) -> LineIndex {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        LineIndex { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The position of a byte of `text`, which must be the text this index was made of. Past the end is the end.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[line - 1];
        let column = text.as_bytes()[start..offset].iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1;
        Position { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_the_text_of_names_and_values() {
        let text = "{\n  \"naïve\": [1, \"x\"]\n}";
        let tree = Spanned::parse(text).expect("JSON");
        let member = tree.get("naïve").expect("there");
        assert_eq!(&text[member.key_span.start..member.key_span.end], "\"naïve\"");
        let items = member.value.items().expect("array");
        assert_eq!(&text[items[1].span.start..items[1].span.end], "\"x\"");
        let index = LineIndex::new(text);
        assert_eq!(index.position(text, items[1].span.start), Position { line: 2, column: 16 });
        assert_eq!(index.position(text, text.len()), Position { line: 3, column: 2 });
    }
}
