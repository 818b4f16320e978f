//! Regular expressions: JavaScript's syntax on an engine whose time is linear in the text.
//!
//! Look-around and back-references are refused: no linear-time engine has them. Classes such as `\d` and `\w` mean what
//! they mean in JavaScript, which is ASCII for those two.

use std::sync::Arc;

use regex::RegexBuilder;
use stepwell_json::Json;

use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, Function};
use crate::lexer::RegexSource;
use crate::value::Value;

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 4 * 1024;

/// Largest compiled pattern, and largest cache of its automaton, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Regex {
    engine: regex::Regex,
    pattern: Arc<str>,
    /// Rough number of states: what a character of text costs at worst.
    weight: usize,
}

/// One match, in bytes of the text.
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) groups: Vec<Option<(usize, usize)>>,
}

impl Regex {
    pub(crate) fn compile(source: &RegexSource) -> Result<Regex> {
        if source.pattern.len() > PATTERN_BYTES_MAX {
            return Err(Fault::new("S0304"));
        }
        let mut translation = Translation { rest: &source.pattern, out: String::new(), weight: 0 };
        translation.run()?;
        let engine = RegexBuilder::new(&translation.out)
            .case_insensitive(source.ignore_case)
            .multi_line(source.multiline)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX)
            .nest_limit(128)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => Fault::new("S0304"),
                _ => unsupported("it is malformed"),
            })?;
        Ok(Regex { engine, pattern: source.pattern.clone(), weight: translation.weight.max(source.pattern.len()) })
    }

    /// The first match at or after a byte of the text. Charges for the text looked at.
    pub(crate) fn find(&self, evaluator: &mut Evaluator<'_>, text: &str, from: usize) -> Result<Option<Match>> {
        let remaining = text.len() - from;
        // The engine may look at all of the rest to find a match right here, so a 64th of that is charged in any case.
        evaluator.charge(1 + remaining / 64 + self.cost(remaining) / 64)?;
        let Some(captures) = self.engine.captures_at(text, from) else {
            evaluator.charge(self.cost(remaining))?;
            return Ok(None);
        };
        let span = |group: regex::Match<'_>| (group.start(), group.end());
        let (start, end) = captures.get(0).map_or((from, from), span);
        evaluator.charge(self.cost(end - from))?;
        let groups = captures.iter().skip(1).map(|group| group.map(span)).collect();
        Ok(Some(Match { start, end, groups }))
    }

    /// Steps for so many bytes of text: patterns with large counted repetitions pay for each of their states.
    fn cost(&self, bytes: usize) -> usize {
        bytes.saturating_mul(16 + self.weight) / 256
    }
}

impl Evaluator<'_> {
    /// What the language gives to functions of the first match at or after a byte; undefined if there is none.
    pub(crate) fn match_from(&mut self, regex: &Arc<Regex>, text: &Arc<str>, from: usize) -> Result<Value> {
        let Some(found) = regex.find(self, text, from)? else { return Ok(Value::Undefined) };
        self.structure(regex, text, &found)
    }

    /// As [`Self::match_from`] behind an earlier match: undefined at the end of the text, an error if the match is
    /// empty, because it would be found again for ever.
    pub(crate) fn match_behind(&mut self, regex: &Arc<Regex>, text: &Arc<str>, from: usize) -> Result<Value> {
        match regex.find_behind(self, text, from)? {
            Some(found) => self.structure(regex, text, &found),
            None => Ok(Value::Undefined),
        }
    }

    /// A match with its place, its groups, and how to find the next.
    pub(crate) fn structure(&mut self, regex: &Arc<Regex>, text: &Arc<str>, found: &Match) -> Result<Value> {
        let units = |bytes: usize| text[..bytes].encode_utf16().count() as f64;
        let part = |start: usize, end: usize| Value::string(&text[start..end]);
        self.charge(found.end / 64)?;
        self.allocate_text(2 * (found.end - found.start))?;
        let groups: Vec<Value> =
            found.groups.iter().map(|group| group.map_or(Value::Undefined, |(start, end)| part(start, end))).collect();
        let groups = self.list(groups)?;
        let next = Function::NextMatch { regex: regex.clone(), text: text.clone(), from: found.end };
        self.object(vec![
            ("match".into(), part(found.start, found.end)),
            ("start".into(), Value::Number(units(found.start))),
            ("end".into(), Value::Number(units(found.end))),
            ("groups".into(), groups),
            ("next".into(), Value::Function(std::rc::Rc::new(next))),
        ])
    }
}

impl Regex {
    /// The match behind an earlier one: none at the end of the text, an error if it is empty.
    pub(crate) fn find_behind(&self, evaluator: &mut Evaluator<'_>, text: &str, from: usize) -> Result<Option<Match>> {
        if from >= text.len() {
            return Ok(None);
        }
        match self.find(evaluator, text, from)? {
            Some(found) if found.start == found.end => {
                Err(Fault::new("D1004").value(Some(Json::String(self.pattern.clone()))))
            }
            found => Ok(found),
        }
    }
}

fn unsupported(why: &str) -> Box<Fault> {
    Fault::new("S0303").message(format!("Unsupported regular expression: {why}"))
}

/// What JavaScript calls white space, as the inside of a class.
const SPACES: &str = r"\t\n\x0B\x0C\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}";

/// Rewrites a pattern of JavaScript into the engine's syntax.
struct Translation<'p> {
    rest: &'p str,
    out: String,
    weight: usize,
}

impl Translation<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn run(&mut self) -> Result<()> {
        // Where each open group started in weight, so that a repetition can multiply what it repeats.
        let mut groups: Vec<usize> = Vec::new();
        let mut atom_weight = 0usize;
        while let Some(character) = self.take() {
            match character {
                '\\' => {
                    self.escape()?;
                    atom_weight = 1;
                    self.weight += 1;
                }
                '[' => {
                    self.class()?;
                    atom_weight = 4;
                    self.weight += 4;
                }
                '(' => {
                    self.group()?;
                    groups.push(self.weight);
                }
                ')' => {
                    let start = groups.pop().unwrap_or(0);
                    atom_weight = self.weight - start;
                    self.out.push(')');
                }
                '.' => {
                    self.out.push_str(r"[^\n\r\u{2028}\u{2029}]");
                    atom_weight = 4;
                    self.weight += 4;
                }
                '{' => match self.counted() {
                    Some((text, most)) => {
                        self.out.push_str(&text);
                        self.weight = self.weight.saturating_add(atom_weight.saturating_mul(most.saturating_sub(1)));
                    }
                    None => self.out.push_str(r"\{"),
                },
                '}' => self.out.push_str(r"\}"),
                ']' => self.out.push_str(r"\]"),
                '^' | '$' | '|' | '*' | '+' | '?' => self.out.push(character),
                other => {
                    self.out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4])));
                    atom_weight = 1;
                    self.weight += 1;
                }
            }
        }
        Ok(())
    }

    fn group(&mut self) -> Result<()> {
        self.out.push('(');
        if !self.rest.starts_with('?') {
            return Ok(());
        }
        for look in ["?=", "?!", "?<=", "?<!"] {
            if self.rest.starts_with(look) {
                return Err(unsupported("it looks ahead or behind, which takes more than linear time"));
            }
        }
        for plain in ["?:", "?<"] {
            if self.rest.starts_with(plain) {
                self.rest = &self.rest[2..];
                self.out.push_str(plain);
                if plain == "?<" {
                    while let Some(character) = self.take() {
                        self.out.push(character);
                        if character == '>' {
                            break;
                        }
                    }
                }
                return Ok(());
            }
        }
        Err(unsupported("it has an unknown kind of group"))
    }

    /// `{n}`, `{n,}` or `{n,m}` behind an opening brace, with its largest count; `None` if the brace is a plain one.
    fn counted(&mut self) -> Option<(String, usize)> {
        let (inside, _) = self.rest.split_once('}')?;
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(least) || !(most.is_empty() || digits(most)) {
            return None;
        }
        self.rest = &self.rest[inside.len() + 1..];
        let count = if most.is_empty() { least } else { most };
        Some((format!("{{{inside}}}"), count.parse().unwrap_or(usize::MAX)))
    }

    fn escape(&mut self) -> Result<()> {
        let Some(character) = self.take() else { return Err(unsupported("it ends in a backslash")) };
        match character {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str(&format!("[{SPACES}]")),
            'S' => self.out.push_str(&format!("[^{SPACES}]")),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"\B"),
            '1'..='9' | 'k' => {
                return Err(unsupported("it refers back to a group, which takes more than linear time"));
            }
            other => {
                let literal = self.literal_escape(other);
                self.out.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
            }
        }
        Ok(())
    }

    /// The character that an escape stands for, its letter being taken already.
    fn literal_escape(&mut self, letter: char) -> char {
        let hex = |this: &mut Self, digits: usize| {
            let code = this.rest.get(..digits).and_then(|text| u32::from_str_radix(text, 16).ok());
            let found = code.and_then(char::from_u32);
            if found.is_some() {
                this.rest = &this.rest[digits..];
            }
            found
        };
        match letter {
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            '0' => '\0',
            'x' => hex(self, 2).unwrap_or('x'),
            'u' => hex(self, 4).unwrap_or('u'),
            'c' => match self.peek() {
                Some(control) if control.is_ascii_alphabetic() => {
                    self.take();
                    char::from(control as u8 % 32)
                }
                _ => 'c',
            },
            other => other,
        }
    }

    fn class(&mut self) -> Result<()> {
        let negated = self.rest.starts_with('^');
        if negated {
            self.take();
        }
        if self.rest.starts_with(']') {
            self.take();
            // `[]` matches nothing and `[^]` anything.
            self.out.push_str(if negated { r"(?s:.)" } else { r"[^\x00-\u{10ffff}]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        loop {
            let Some(character) = self.take() else { return Err(unsupported("a class has no closing bracket")) };
            match character {
                ']' => break,
                '\\' => {
                    let Some(letter) = self.take() else { return Err(unsupported("it ends in a backslash")) };
                    match letter {
                        'd' => self.out.push_str("0-9"),
                        'D' => self.out.push_str("[^0-9]"),
                        'w' => self.out.push_str("0-9A-Za-z_"),
                        'W' => self.out.push_str("[^0-9A-Za-z_]"),
                        's' => self.out.push_str(SPACES),
                        'S' => self.out.push_str(&format!("[^{SPACES}]")),
                        'b' => self.class_literal('\u{8}'),
                        other => {
                            let literal = self.literal_escape(other);
                            self.class_literal(literal);
                        }
                    }
                }
                '-' => self.out.push('-'),
                other => self.class_literal(other),
            }
        }
        // A hyphen at either end is plain in both syntaxes; one beside a class of its own is not.
        self.out.push(']');
        Ok(())
    }

    fn class_literal(&mut self, literal: char) {
        if literal.is_ascii_punctuation() && literal != '_' {
            self.out.push('\\');
        }
        self.out.push(literal);
    }
}
