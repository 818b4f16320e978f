//! Text into tokens, one at a time, because `/` means a regular expression or a division by what stands before it.

use std::sync::Arc;

use crate::error::{Fault, Result};

/// One token. `position` is the end of the token in UTF-16 units, as the reference reports it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) position: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Operator(&'static str),
    Text(Arc<str>),
    Number(f64),
    True,
    False,
    Null,
    Name(Arc<str>),
    Variable(Arc<str>),
    Regex(RegexSource),
    End,
}

/// A regular expression as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RegexSource {
    pub(crate) pattern: Arc<str>,
    pub(crate) ignore_case: bool,
    pub(crate) multiline: bool,
}

impl TokenKind {
    /// The token as error messages show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            TokenKind::Operator(operator) => (*operator).to_owned(),
            TokenKind::Text(text) | TokenKind::Name(text) => text.to_string(),
            TokenKind::Variable(name) => name.to_string(),
            TokenKind::Number(number) => crate::number::to_text(*number),
            TokenKind::True => "true".to_owned(),
            TokenKind::False => "false".to_owned(),
            TokenKind::Null => "null".to_owned(),
            TokenKind::Regex(regex) => format!("/{}/", regex.pattern),
            TokenKind::End => "(end)".to_owned(),
        }
    }
}

/// Longest first, so that the first that fits is the right one.
const OPERATORS: &[&str] = &[
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":",
    "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&", "!", "~",
];

const WHITESPACE: [u8; 5] = [b' ', b'\t', b'\n', b'\r', 0x0b];

pub(crate) struct Lexer<'a> {
    text: &'a str,
    /// Bytes read.
    at: usize,
    /// A place already counted in UTF-16 units, so that counting goes on from there.
    counted: (usize, usize),
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0, counted: (0, 0) }
    }

    /// UTF-16 units before this byte.
    pub(crate) fn units(&mut self, byte: usize) -> usize {
        let (from, units) = if byte >= self.counted.0 { self.counted } else { (0, 0) };
        let more: usize = self.text[from..byte].chars().map(char::len_utf16).sum();
        self.counted = (byte, units + more);
        units + more
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn token(&mut self, kind: TokenKind) -> Token {
        Token { kind, position: self.units(self.at) }
    }

    fn fault(&mut self, code: &'static str, byte: usize) -> Box<Fault> {
        Fault::new(code).at(self.units(byte))
    }

    /// The next token. `after_operand` says that a `/` here divides.
    pub(crate) fn next(&mut self, after_operand: bool) -> Result<Token> {
        self.skip_blanks()?;
        let Some(first) = self.byte() else { return Ok(self.token(TokenKind::End)) };
        if first == b'/' && !after_operand {
            return self.regex();
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
            self.at += operator.len();
            return Ok(self.token(TokenKind::Operator(operator)));
        }
        match first {
            b'"' | b'\'' => self.string(first),
            b'0'..=b'9' => self.number(),
            b'`' => self.quoted_name(),
            _ => Ok(self.name()),
        }
    }

    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            while self.byte().is_some_and(|byte| WHITESPACE.contains(&byte)) {
                self.at += 1;
            }
            if !self.rest().starts_with("/*") {
                return Ok(());
            }
            match self.rest()[2..].find("*/") {
                Some(length) => self.at += length + 4,
                None => return Err(self.fault("S0106", self.at)),
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<Token> {
        let mut text = String::new();
        let mut characters = self.text[self.at + 1..].char_indices();
        let start = self.at + 1;
        // The first half of a surrogate pair written as an escape, until its second half comes.
        let mut high: Option<u32> = None;
        while let Some((offset, character)) = characters.next() {
            let at = start + offset;
            let mut unit = None;
            if character == '\\' {
                let Some((_, escape)) = characters.next() else { break };
                match escape {
                    '"' | '\\' | '/' => text.push(escape),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'u' => {
                        let digits = self.text.get(at + 2..at + 6).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
                            return Err(self.fault("S0104", at + 1));
                        };
                        unit = Some(code);
                        characters.nth(3);
                    }
                    other => return Err(self.fault("S0103", at + 1).token(other)),
                }
            } else if character as u32 == u32::from(quote) {
                self.at = at + 1;
                if high.is_some() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
                return Ok(self.token(TokenKind::Text(text.into())));
            } else {
                flush_half(&mut high, &mut text);
                text.push(character);
                continue;
            }
            match (unit, high) {
                (Some(low @ 0xdc00..=0xdfff), Some(first)) => {
                    high = None;
                    let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
                    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                (Some(first @ 0xd800..=0xdbff), _) => {
                    flush_half(&mut high, &mut text);
                    high = Some(first);
                }
                (Some(code), _) => {
                    flush_half(&mut high, &mut text);
                    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                (None, Some(_)) => {
                    // A simple escape was pushed after a lone half: put the replacement before it.
                    let last = text.pop();
                    flush_half(&mut high, &mut text);
                    text.extend(last);
                }
                (None, None) => {}
            }
        }
        Err(self.fault("S0101", self.text.len()))
    }

    /// `0 | [1-9][0-9]*`, then a fraction and an exponent if they are complete.
    fn number(&mut self) -> Result<Token> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = if bytes[0] == b'0' { 1 } else { digits(0) };
        if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits((length + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let written = &self.rest()[..length];
        match written.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.at += length;
                Ok(self.token(TokenKind::Number(number)))
            }
            _ => Err(self.fault("S0102", self.at).token(written)),
        }
    }

    fn quoted_name(&mut self) -> Result<Token> {
        let start = self.at + 1;
        match self.text[start..].find('`') {
            Some(length) => {
                self.at = start + length + 1;
                let name = Arc::from(&self.text[start..start + length]);
                Ok(self.token(TokenKind::Name(name)))
            }
            None => Err(self.fault("S0105", self.text.len())),
        }
    }

    fn name(&mut self) -> Token {
        let stop = |byte: u8| {
            WHITESPACE.contains(&byte) || OPERATORS.iter().any(|operator| operator.as_bytes() == [byte].as_slice())
        };
        let rest = self.rest();
        let length = rest.bytes().position(stop).unwrap_or(rest.len());
        let name = &rest[..length];
        self.at += length;
        let kind = match name {
            "or" => TokenKind::Operator("or"),
            "in" => TokenKind::Operator("in"),
            "and" => TokenKind::Operator("and"),
            "true" => TokenKind::True,
            "false" => TokenKind::False,
            "null" => TokenKind::Null,
            _ => match name.strip_prefix('$') {
                Some(variable) => TokenKind::Variable(variable.into()),
                None => TokenKind::Name(name.into()),
            },
        };
        self.token(kind)
    }

    /// From the opening slash to the first one that is neither escaped nor inside brackets, then the flags.
    fn regex(&mut self) -> Result<Token> {
        let start = self.at + 1;
        let mut brackets = 0i32;
        let mut escaped = false;
        for (offset, byte) in self.text[start..].bytes().enumerate() {
            let at = start + offset;
            if escaped {
                escaped = false;
                continue;
            }
            match byte {
                b'\\' => escaped = true,
                b'(' | b'[' | b'{' => brackets += 1,
                b')' | b']' | b'}' => brackets -= 1,
                b'/' if brackets == 0 => {
                    if at == start {
                        return Err(self.fault("S0301", at));
                    }
                    let flags = &self.text[at + 1..];
                    let length = flags.bytes().take_while(|flag| matches!(flag, b'i' | b'm')).count();
                    let source = RegexSource {
                        pattern: self.text[start..at].into(),
                        ignore_case: flags[..length].contains('i'),
                        multiline: flags[..length].contains('m'),
                    };
                    self.at = at + 1 + length;
                    return Ok(self.token(TokenKind::Regex(source)));
                }
                _ => {}
            }
        }
        Err(self.fault("S0302", self.text.len()))
    }

    /// The signature whose `<` has just been read: its text with both angle brackets and without blanks.
    /// `None` when a `{` or the end comes before the closing bracket.
    pub(crate) fn signature(&mut self) -> Option<String> {
        let mut signature = String::from("<");
        let mut depth = 1;
        for (offset, character) in self.rest().char_indices() {
            match character {
                '<' => depth += 1,
                '>' => depth -= 1,
                '{' => return None,
                _ => {}
            }
            if !character.is_whitespace() {
                signature.push(character);
            }
            if depth == 0 {
                self.at += offset + 1;
                return Some(signature);
            }
        }
        None
    }
}

/// Puts a replacement character where a lone half of a surrogate pair stood.
fn flush_half(high: &mut Option<u32>, text: &mut String) {
    if high.take().is_some() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
}
