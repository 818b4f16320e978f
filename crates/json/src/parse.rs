//! Reading JSON text, with limits, exact positions and one rule for everything.
//!
//! Duplicate keys: the last value wins in the first one's place, as AWS's parser has it; the spanned tree keeps them
//! all so that a validator can speak of them. Numbers keep their text. Depth, digits and exponents are bounded, so
//! that no text can exhaust the stack or the machine.

use std::fmt;
use std::sync::Arc;

use crate::number::Number;
use crate::object::ObjectBuilder;
use crate::spanned::{LineIndex, Span, Spanned, SpannedMember, SpannedValue};
use crate::value::{Array, Json};

/// Levels of nesting a text may have. Every tree walk in the engine recurses at most this deep.
pub const DEPTH_MAX: u32 = 512;

/// Characters one number may be written with.
pub const DIGITS_MAX: usize = 1_000;

/// The largest exponent, in size, a number may be written with.
pub const EXPONENT_MAX: u32 = 10_000;

/// Levels of nesting [`Json::reread`] takes: what a payload of [`DEPTH_MAX`] has when the engine wraps it in values of
/// its own, such as the list of a Map Run's inputs.
pub const REREAD_DEPTH_MAX: u32 = DEPTH_MAX + 64;

/// Text that is not JSON: what was wrong and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What was wrong.
    pub kind: SyntaxErrorKind,
    /// Byte offset of the fault in the text.
    pub offset: usize,
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
}

/// What is wrong with a text that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    /// The text ended inside a value.
    UnexpectedEnd,
    /// The text is empty or blank.
    Empty,
    /// A word that is no literal, such as `nul` or `True`.
    UnrecognizedToken(String),
    /// A character that cannot stand here, and what could.
    UnexpectedCharacter(char, Expected),
    /// A control character inside a string that should have been escaped.
    ControlCharacter(char),
    /// A backslash before a character that cannot be escaped.
    BadEscape(char),
    /// Half of a surrogate pair, which no UTF-8 string can hold.
    LoneSurrogate,
    /// Digits that are no number: `01`, `1.`, `-`.
    BadNumber,
    /// A number longer than [`DIGITS_MAX`] or with an exponent beyond [`EXPONENT_MAX`].
    NumberTooLong,
    /// Nesting beyond the limit.
    TooDeep(u32),
    /// A second value after the first one's end.
    TrailingText,
}

/// What could have stood where something else was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any value.
    Value,
    /// The quote that starts a member's name.
    Name,
    /// The colon after a member's name.
    Colon,
    /// A comma or the end of the object.
    CommaOrBrace,
    /// A comma or the end of the array.
    CommaOrBracket,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Value => "a value",
            Expected::Name => "a double-quoted name",
            Expected::Colon => "':' after the name",
            Expected::CommaOrBrace => "',' or '}'",
            Expected::CommaOrBracket => "',' or ']'",
        })
    }
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyntaxErrorKind::UnexpectedEnd => f.write_str("the text ends inside a value"),
            SyntaxErrorKind::Empty => f.write_str("there is no value"),
            SyntaxErrorKind::UnrecognizedToken(token) => write!(f, "'{token}' is not a JSON value"),
            SyntaxErrorKind::UnexpectedCharacter(found, expected) => write!(f, "found {found:?}, expected {expected}"),
            SyntaxErrorKind::ControlCharacter(found) => {
                write!(f, "control character {found:?} must be escaped in a string")
            }
            SyntaxErrorKind::BadEscape(found) => write!(f, "'\\{}' is not an escape sequence", found.escape_debug()),
            SyntaxErrorKind::LoneSurrogate => f.write_str("a \\u escape is half of a surrogate pair"),
            SyntaxErrorKind::BadNumber => f.write_str("this is not a JSON number"),
            SyntaxErrorKind::NumberTooLong => {
                write!(f, "a number may have {DIGITS_MAX} characters and an exponent of ±{EXPONENT_MAX} at most")
            }
            SyntaxErrorKind::TooDeep(max) => write!(f, "values may nest {max} deep at most"),
            SyntaxErrorKind::TrailingText => f.write_str("text after the end of the value"),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for SyntaxError {}

impl Json {
    /// Reads one JSON value.
    ///
    /// Fails on anything that RFC 8259 does not allow, on half surrogates, and past [`DEPTH_MAX`], [`DIGITS_MAX`] and
    /// [`EXPONENT_MAX`].
    pub fn parse(text: &str) -> Result<Json, SyntaxError> {
        read(text, &PlainTree, &Limits::OF_INPUT)
    }

    /// Reads back a text that a tree of our own was written as.
    ///
    /// What was once in memory is not refused for its numbers, and nests up to [`REREAD_DEPTH_MAX`]. Not for text from
    /// outside.
    pub fn reread(text: &str) -> Result<Json, SyntaxError> {
        read(text, &PlainTree, &Limits::OF_OUR_OWN)
    }
}

impl Spanned {
    /// Reads one JSON value together with the place of every name and value. Same rules as [`Json::parse`].
    pub fn parse(text: &str) -> Result<Spanned, SyntaxError> {
        read(text, &SpannedTree, &Limits::OF_INPUT)
    }
}

/// How much of everything a text may hold.
struct Limits {
    depth: u32,
    digits: usize,
    exponent: u32,
}

impl Limits {
    const OF_INPUT: Limits = Limits { depth: DEPTH_MAX, digits: DIGITS_MAX, exponent: EXPONENT_MAX };
    const OF_OUR_OWN: Limits = Limits { depth: REREAD_DEPTH_MAX, digits: usize::MAX, exponent: u32::MAX };
}

/// What a parse builds.
trait Tree {
    type Value;
    fn scalar(&self, value: Json, span: Span) -> Self::Value;
    fn array(&self, items: Vec<Self::Value>, span: Span) -> Self::Value;
    type Members: Default;
    fn member(&self, members: &mut Self::Members, key: Arc<str>, key_span: Span, value: Self::Value);
    fn object(&self, members: Self::Members, span: Span) -> Self::Value;
}

struct PlainTree;

impl Tree for PlainTree {
    type Value = Json;
    type Members = ObjectBuilder;

    fn scalar(&self, value: Json, _: Span) -> Json {
        value
    }

    fn array(&self, items: Vec<Json>, _: Span) -> Json {
        Json::Array(Array::new(items))
    }

    fn member(&self, members: &mut ObjectBuilder, key: Arc<str>, _: Span, value: Json) {
        members.insert(key, value);
    }

    fn object(&self, members: ObjectBuilder, _: Span) -> Json {
        Json::Object(members.build())
    }
}

struct SpannedTree;

impl Tree for SpannedTree {
    type Value = Spanned;
    type Members = Vec<SpannedMember>;

    fn scalar(&self, value: Json, span: Span) -> Spanned {
        Spanned { span, value: SpannedValue::Scalar(value) }
    }

    fn array(&self, items: Vec<Spanned>, span: Span) -> Spanned {
        Spanned { span, value: SpannedValue::Array(items) }
    }

    fn member(&self, members: &mut Vec<SpannedMember>, key: Arc<str>, key_span: Span, value: Spanned) {
        members.push(SpannedMember { key, key_span, value });
    }

    fn object(&self, members: Vec<SpannedMember>, span: Span) -> Spanned {
        Spanned { span, value: SpannedValue::Object(members) }
    }
}

fn read<T: Tree>(text: &str, tree: &T, limits: &Limits) -> Result<T::Value, SyntaxError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, tree, limits };
    let result = reader.document();
    result.map_err(|(kind, offset)| {
        let position = LineIndex::new(text).position(text, offset);
        SyntaxError { kind, offset, line: position.line, column: position.column }
    })
}

type Fault = (SyntaxErrorKind, usize);

struct Reader<'t, T> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    tree: &'t T,
    limits: &'t Limits,
}

impl<T: Tree> Reader<'_, T> {
    fn document(&mut self) -> Result<T::Value, Fault> {
        self.skip_blank();
        if self.at == self.bytes.len() {
            return Err((SyntaxErrorKind::Empty, self.at));
        }
        let value = self.value(0)?;
        self.skip_blank();
        if self.at < self.bytes.len() {
            return Err((SyntaxErrorKind::TrailingText, self.at));
        }
        Ok(value)
    }

    fn value(&mut self, depth: u32) -> Result<T::Value, Fault> {
        let start = self.at;
        match self.peek() {
            None => Err((SyntaxErrorKind::UnexpectedEnd, self.at)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let text = self.string()?;
                Ok(self.tree.scalar(Json::String(text), Span::new(start, self.at)))
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                Ok(self.tree.scalar(Json::Number(number), Span::new(start, self.at)))
            }
            Some(_) => {
                let value = self.literal()?;
                Ok(self.tree.scalar(value, Span::new(start, self.at)))
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<T::Value, Fault> {
        let start = self.enter(depth)?;
        let mut members = T::Members::default();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(self.tree.object(members, Span::new(start, self.at)));
        }
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(Expected::Name));
            }
            let key = self.string()?;
            let key_span = Span::new(key_start, self.at);
            self.skip_blank();
            if self.peek() != Some(b':') {
                return Err(self.unexpected(Expected::Colon));
            }
            self.at += 1;
            self.skip_blank();
            let value = self.value(depth + 1)?;
            self.tree.member(&mut members, key, key_span, value);
            self.skip_blank();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.skip_blank();
                }
                Some(b'}') => {
                    self.at += 1;
                    return Ok(self.tree.object(members, Span::new(start, self.at)));
                }
                _ => return Err(self.unexpected(Expected::CommaOrBrace)),
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<T::Value, Fault> {
        let start = self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(self.tree.array(items, Span::new(start, self.at)));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blank();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.skip_blank();
                }
                Some(b']') => {
                    self.at += 1;
                    return Ok(self.tree.array(items, Span::new(start, self.at)));
                }
                _ => return Err(self.unexpected(Expected::CommaOrBracket)),
            }
        }
    }

    /// Steps over the opening bracket; answers where it stood.
    fn enter(&mut self, depth: u32) -> Result<usize, Fault> {
        if depth >= self.limits.depth {
            return Err((SyntaxErrorKind::TooDeep(self.limits.depth), self.at));
        }
        let start = self.at;
        self.at += 1;
        self.skip_blank();
        Ok(start)
    }

    fn string(&mut self) -> Result<Arc<str>, Fault> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err((SyntaxErrorKind::UnexpectedEnd, self.at)),
                Some(b'"') => {
                    let text = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => return self.escaped_string(start),
                Some(control @ 0..0x20) => return Err((SyntaxErrorKind::ControlCharacter(control.into()), self.at)),
                Some(_) => self.at += 1,
            }
        }
    }

    /// The slower path, from the first backslash on.
    fn escaped_string(&mut self, start: usize) -> Result<Arc<str>, Fault> {
        let mut text = String::from(&self.text[start..self.at]);
        loop {
            let plain = self.at;
            while self.peek().is_some_and(|b| b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            text.push_str(&self.text[plain..self.at]);
            match self.peek() {
                None => return Err((SyntaxErrorKind::UnexpectedEnd, self.at)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(control) => return Err((SyntaxErrorKind::ControlCharacter(control.into()), self.at)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let Some(found) = self.text[self.at..].chars().next() else {
            return Err((SyntaxErrorKind::UnexpectedEnd, self.at));
        };
        self.at += found.len_utf8();
        Ok(match found {
            '"' | '\\' | '/' => found,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(start),
            other => return Err((SyntaxErrorKind::BadEscape(other), start)),
        })
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, Fault> {
        let first = self.hex4(start)?;
        let code = match first {
            0xD800..0xDC00 => {
                if !self.bytes[self.at..].starts_with(b"\\u") {
                    return Err((SyntaxErrorKind::LoneSurrogate, start));
                }
                self.at += 2;
                let second = self.hex4(start)?;
                if !(0xDC00..0xE000).contains(&second) {
                    return Err((SyntaxErrorKind::LoneSurrogate, start));
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or((SyntaxErrorKind::LoneSurrogate, start))
    }

    fn hex4(&mut self, start: usize) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or((SyntaxErrorKind::UnexpectedEnd, self.bytes.len()))?;
        let code = digits
            .iter()
            .try_fold(0, |code, &digit| Some(code * 16 + char::from(digit).to_digit(16)?))
            .ok_or((SyntaxErrorKind::BadEscape('u'), start))?;
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let exponent = text.split(['e', 'E']).nth(1).map(|exponent| exponent.trim_start_matches(['+', '-']));
        let exponent_too_large = |exponent: &str| {
            self.limits.exponent < u32::MAX
                && exponent.parse::<u32>().map_or(!exponent.is_empty(), |size| size > self.limits.exponent)
        };
        if text.len() > self.limits.digits || exponent.is_some_and(exponent_too_large) {
            return Err((SyntaxErrorKind::NumberTooLong, start));
        }
        if self.peek().is_some_and(is_word_byte) {
            return Err((SyntaxErrorKind::BadNumber, start));
        }
        Number::parse(text).map_err(|_| (SyntaxErrorKind::BadNumber, start))
    }

    fn literal(&mut self) -> Result<Json, Fault> {
        let start = self.at;
        while self.peek().is_some_and(is_word_byte) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            "" => Err(self.unexpected(Expected::Value)),
            word => Err((SyntaxErrorKind::UnrecognizedToken(word.chars().take(64).collect()), start)),
        }
    }

    fn unexpected(&self, expected: Expected) -> Fault {
        match self.text[self.at..].chars().next() {
            None => (SyntaxErrorKind::UnexpectedEnd, self.at),
            Some(found) => (SyntaxErrorKind::UnexpectedCharacter(found, expected), self.at),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"a":[1,-2.50,true,false,null],"é":"ü😀"}"#,
            r#""a\"b\\c\n""#,
            "1E400",
            r#"[[[["deep"]]]]"#,
        ] {
            assert_eq!(Json::parse(text).expect(text).to_string(), text);
            assert_eq!(Spanned::parse(text).expect(text).to_json().to_string(), text);
        }
        assert_eq!(
            Json::parse(" \n[ 1 , {\"a\" : \"\\u00e9\\uD83D\\uDE00\\/\"} ]\t").expect("JSON").to_string(),
            r#"[1,{"a":"é😀/"}]"#
        );
    }

    #[test]
    fn what_was_once_a_tree_is_read_back() {
        let wrapped = Json::array(vec![Json::parse(&nested(DEPTH_MAX)).expect("as deep as input may be")]);
        let long = Json::Number(Number::parse(&"9".repeat(DIGITS_MAX + 1)).expect("a number"));
        let large = Json::Number(Number::parse("1e99999999999").expect("a number"));
        for tree in [wrapped, long, large] {
            let text = tree.to_string();
            assert!(Json::parse(&text).is_err());
            assert!(Json::reread(&text).expect("our own text").is_identical(&tree));
        }
        let too_deep = Json::reread(&nested(REREAD_DEPTH_MAX + 1)).expect_err("deeper than anything of ours");
        assert_eq!(too_deep.kind, SyntaxErrorKind::TooDeep(REREAD_DEPTH_MAX));
    }

    fn nested(levels: u32) -> String {
        "[".repeat(levels as usize) + &"]".repeat(levels as usize)
    }

    #[test]
    fn faults_say_what_and_where() {
        use SyntaxErrorKind as K;
        let check = |text: &str, kind: K, line: usize, column: usize| {
            let error = Json::parse(text).expect_err(text);
            assert_eq!((&error.kind, error.line, error.column), (&kind, line, column), "{text}");
            assert_eq!(Spanned::parse(text).expect_err(text), error);
        };
        check("", K::Empty, 1, 1);
        check(" \n ", K::Empty, 2, 2);
        check("not json", K::UnrecognizedToken("not".into()), 1, 1);
        check("{'a':1}", K::UnexpectedCharacter('\'', Expected::Name), 1, 2);
        check("{\"a\" 1}", K::UnexpectedCharacter('1', Expected::Colon), 1, 6);
        check("{\"a\":1,}", K::UnexpectedCharacter('}', Expected::Name), 1, 8);
        check("[1,\n 2 3]", K::UnexpectedCharacter('3', Expected::CommaOrBracket), 2, 4);
        check("[1,]", K::UnexpectedCharacter(']', Expected::Value), 1, 4);
        check("[\"é\", x]", K::UnrecognizedToken("x".into()), 1, 7);
        check("{\"a\":1", K::UnexpectedEnd, 1, 7);
        check("\"a\u{1}\"", K::ControlCharacter('\u{1}'), 1, 3);
        check(r#""\x""#, K::BadEscape('x'), 1, 2);
        check(r#""\ud800""#, K::LoneSurrogate, 1, 2);
        check(r#""\udc00""#, K::LoneSurrogate, 1, 2);
        check(r#""\u12x4""#, K::BadEscape('u'), 1, 2);
        check("01", K::BadNumber, 1, 1);
        check("1.", K::BadNumber, 1, 1);
        check("12abc", K::BadNumber, 1, 1);
        check("1 2", K::TrailingText, 1, 3);
        check("\u{feff}1", K::UnrecognizedToken("\u{feff}1".into()), 1, 1);
        check("1e99999", K::NumberTooLong, 1, 1);
        check(&"9".repeat(DIGITS_MAX + 1), K::NumberTooLong, 1, 1);
        check(&"[".repeat(1_000_000), K::TooDeep(DEPTH_MAX), 1, DEPTH_MAX as usize + 1);
    }

    #[test]
    fn the_deepest_text_is_read_written_and_dropped() {
        let text = format!("{}{}", "[".repeat(DEPTH_MAX as usize), "]".repeat(DEPTH_MAX as usize));
        let value = Json::parse(&text).expect("at the limit");
        assert_eq!(value.depth(), DEPTH_MAX);
        assert_eq!(value.to_string(), text);
    }

    #[test]
    fn duplicate_keys_stay_in_the_spanned_tree_only() {
        let text = r#"{"a":1,"a":2}"#;
        let spanned = Spanned::parse(text).expect("JSON");
        assert_eq!(spanned.members().map(<[_]>::len), Some(2));
        assert_eq!(spanned.to_json(), Json::parse(text).expect("JSON"));
    }
}
