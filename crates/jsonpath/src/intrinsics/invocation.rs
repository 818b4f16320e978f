//! A call as it is written, `States.Format('Hello {}', $.name)`, from its text to its value.

use std::sync::Arc;

use stepwell_json::{Json, Number};

use super::{Arguments, Intrinsic, IntrinsicRow, chance, find, lists, numbers, texts};
use crate::error::SyntaxError;
use crate::expression::{Failure, Sight};
use crate::literal::closing_quote;
use crate::path::Path;

/// How deep calls may nest. Source: AWS's documentation, "you can nest up to 10 intrinsic functions".
const NESTING_MAX: usize = 10;

/// A compiled call.
#[derive(Debug)]
pub(crate) struct Invocation {
    row: &'static IntrinsicRow,
    arguments: Vec<Argument>,
}

#[derive(Debug)]
enum Argument {
    Path(Path),
    /// A number, boolean or null.
    Value(Json),
    Text {
        value: Arc<str>,
        /// Where an unescaped `{}` stands in the value.
        holes: Vec<usize>,
    },
    Call(Invocation),
}

impl Invocation {
    /// Compiles a call that makes up the whole text; only blanks may follow it.
    pub(crate) fn parse(text: &str) -> Result<Invocation, SyntaxError> {
        let mut parser = Parser { text, at: 0, nesting: 0 };
        let invocation = parser.invocation()?;
        parser.skip_blanks();
        match parser.peek() {
            None => Ok(invocation),
            Some(_) => Err(parser.fault("Nothing may follow the function call")),
        }
    }

    pub(crate) fn row(&self) -> &'static IntrinsicRow {
        self.row
    }

    /// Calls `visit` for every path among the arguments, those of nested calls included.
    pub(crate) fn for_each_path(&self, visit: &mut dyn FnMut(&Path)) {
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => visit(path),
                Argument::Call(call) => call.for_each_path(visit),
                Argument::Value(_) | Argument::Text { .. } => {}
            }
        }
    }

    pub(crate) fn evaluate(&self, sight: &Sight<'_>) -> Result<Json, Failure> {
        let value = |argument: &Argument| match argument {
            Argument::Path(path) => sight.read(path),
            Argument::Value(value) => Ok(value.clone()),
            Argument::Text { value, .. } => Ok(Json::String(value.clone())),
            Argument::Call(call) => call.evaluate(sight),
        };
        let values = self.arguments.iter().map(value).collect::<Result<Vec<Json>, Failure>>()?;
        let arguments = Arguments(&values);
        match self.row.function {
            Intrinsic::Array => Ok(Json::array(values)),
            Intrinsic::ArrayContains => lists::contains(&arguments),
            Intrinsic::ArrayGetItem => lists::get_item(&arguments),
            Intrinsic::ArrayLength => lists::length(&arguments),
            Intrinsic::ArrayPartition => lists::partition(&arguments),
            Intrinsic::ArrayRange => lists::range(&arguments),
            Intrinsic::ArrayUnique => lists::unique(&arguments),
            Intrinsic::Base64Decode => texts::base64_decode(&arguments),
            Intrinsic::Base64Encode => texts::base64_encode(&arguments),
            Intrinsic::Format => {
                let holes = match self.arguments.first() {
                    Some(Argument::Text { holes, .. }) => Some(&holes[..]),
                    _ => None,
                };
                texts::format(&arguments, holes)
            }
            Intrinsic::Hash => texts::hash(&arguments),
            Intrinsic::JsonMerge => lists::merge(&arguments),
            Intrinsic::JsonToString => texts::json_to_string(&arguments),
            Intrinsic::MathAdd => numbers::add(&arguments),
            Intrinsic::MathRandom => numbers::random(&arguments, sight),
            Intrinsic::StringSplit => texts::split(&arguments),
            Intrinsic::StringToJson => texts::string_to_json(&arguments),
            Intrinsic::Uuid => Ok(chance::uuid(sight.scope.draw(), sight.scope.draw()).into()),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
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

    fn fault(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { message: message.into(), offset: self.at }
    }

    fn invocation(&mut self) -> Result<Invocation, SyntaxError> {
        let rest = self.rest();
        let name_at = self.at;
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        let name = &rest[..length];
        let Some(row) = find(name) else {
            return Err(self.fault(match name {
                "" => "Expected a path or an intrinsic function call".to_owned(),
                _ => format!("Unknown intrinsic function '{name}'"),
            }));
        };
        if self.nesting == NESTING_MAX {
            return Err(self.fault(format!("Intrinsic functions nest at most {NESTING_MAX} levels deep")));
        }
        self.nesting += 1;
        self.at += length;
        let arguments = self.arguments()?;
        self.nesting -= 1;
        if arguments.len() < row.arguments_min || row.arguments_max.is_some_and(|max| arguments.len() > max) {
            let message = format!("{} takes {}, not {}", row.name, expected_count(row), arguments.len());
            return Err(SyntaxError { message, offset: name_at });
        }
        Ok(Invocation { row, arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, SyntaxError> {
        if !self.take('(') {
            return Err(self.fault("Expected '('"));
        }
        let mut arguments = Vec::new();
        if self.take(')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.take(')') {
                return Ok(arguments);
            }
            if !self.take(',') {
                return Err(self.fault("Expected ',' or ')'"));
            }
        }
    }

    fn argument(&mut self) -> Result<Argument, SyntaxError> {
        self.skip_blanks();
        match self.peek() {
            Some('$') => self.path(),
            Some('\'') => self.string(),
            Some('-' | '0'..='9') => self.number(),
            Some('S') => self.invocation().map(Argument::Call),
            _ => self.word(),
        }
    }

    /// A path reaches to the comma or parenthesis outside all its own brackets.
    fn path(&mut self) -> Result<Argument, SyntaxError> {
        let from = self.at;
        let mut closers = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                '\'' | '"' | '/' if !closers.is_empty() => match closing_quote(&self.rest()[1..], next) {
                    Some(length) => self.at += length + 1,
                    None => return Err(self.fault(format!("Expected a closing {next}"))),
                },
                '(' => closers.push(')'),
                '[' => closers.push(']'),
                ')' | ',' if closers.is_empty() => break,
                _ if closers.last() == Some(&next) => {
                    closers.pop();
                }
                _ => {}
            }
            self.at += next.len_utf8();
        }
        match Path::parse(self.text[from..self.at].trim_end()) {
            Ok(path) => Ok(Argument::Path(path)),
            Err(error) => Err(SyntaxError { message: error.message, offset: from + error.offset }),
        }
    }

    /// `'text'`, with backslashes before `'`, `{`, `}` and `\` where those stand for themselves, and nowhere else.
    fn string(&mut self) -> Result<Argument, SyntaxError> {
        let open = self.at;
        let mut value = String::new();
        let mut holes = Vec::new();
        let mut is_brace_open = false;
        self.at += 1;
        loop {
            let Some(next) = self.peek() else {
                return Err(SyntaxError { message: "Expected a closing '".to_owned(), offset: open });
            };
            let was_brace_open = std::mem::replace(&mut is_brace_open, next == '{');
            match next {
                '\'' => {
                    self.at += 1;
                    return Ok(Argument::Text { value: value.into(), holes });
                }
                '\\' => {
                    match self.rest()[1..].chars().next() {
                        Some(escaped @ ('\'' | '{' | '}' | '\\')) => value.push(escaped),
                        _ => return Err(self.fault("A backslash stands only before ', {, } or another backslash")),
                    }
                    self.at += 1;
                }
                '}' if was_brace_open => {
                    holes.push(value.len() - 1);
                    value.push('}');
                }
                other => value.push(other),
            }
            // After an escape this is the escaped character, which takes one byte.
            self.at += if next == '\\' { 1 } else { next.len_utf8() };
        }
    }

    fn number(&mut self) -> Result<Argument, SyntaxError> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let Ok(number) = Number::parse(&rest[..length]) else {
            return Err(self.fault("Expected a number"));
        };
        self.at += length;
        Ok(Argument::Value(Json::Number(number)))
    }

    fn word(&mut self) -> Result<Argument, SyntaxError> {
        for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(Argument::Value(value));
            }
        }
        Err(self.fault("Expected a path, a string in single quotes, a number, true, false, null or a function call"))
    }
}

fn expected_count(row: &IntrinsicRow) -> String {
    let (min, max) = (row.arguments_min, row.arguments_max);
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    match max {
        None => format!("at least {min} {}", plural(min)),
        Some(0) => "no arguments".to_owned(),
        Some(max) if max == min => format!("{min} {}", plural(min)),
        Some(max) => format!("{min} to {max} arguments"),
    }
}
