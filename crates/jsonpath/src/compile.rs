//! From the text of a path to its steps.
//!
//! The grammar is Jayway JsonPath's, including what it overlooks (`$[0]x` reads as `$[0]`), so that a path that works
//! on AWS works here. Positions in its messages are counted from the start of the text they speak of.

use std::sync::Arc;

use crate::error::SyntaxError;
use crate::function::{Argument, Call};
use crate::literal::{closing_quote, parse_literal, unescape};
use crate::route::{Route, Start, Step};

/// Steps that may follow one another, those of a path inside a filter or an argument counted on top of the steps of the
/// path it stands in. Evaluation recurses over steps, so this bounds the stack.
const STEPS_MAX: usize = 256;
/// How deep paths, parentheses and function arguments may nest.
const NESTING_MAX: usize = 16;

/// Characters that mean something in a path. Jayway takes them for part of a bare name wherever they come up in one;
/// AWS refuses them in a reference path.
const SIGNS: [char; 22] =
    ['@', ',', ':', '?', '*', '(', ')', '{', '}', ']', '\'', '"', '<', '>', '=', '!', '~', '&', '|', '\t', '\n', '\r'];

/// How much deeper the text being compiled may nest.
pub(crate) struct Allowance {
    nesting: usize,
}

impl Allowance {
    /// Runs `inner` one level deeper.
    pub(crate) fn nest<T>(
        &mut self,
        offset: usize,
        inner: impl FnOnce(&mut Allowance) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.nesting == 0 {
            return Err(SyntaxError { message: format!("Nested deeper than {NESTING_MAX} levels"), offset });
        }
        self.nesting -= 1;
        let result = inner(self);
        self.nesting += 1;
        result
    }
}

/// Compiles the steps that follow the first `root_bytes` of a whole path.
pub(crate) fn compile_path(text: &str, root_bytes: usize) -> Result<Route, SyntaxError> {
    let route = compile_steps(text, root_bytes, 0, Start::Document, &mut Allowance { nesting: NESTING_MAX })?;
    if route.reach() > STEPS_MAX { Err(too_many_steps(root_bytes)) } else { Ok(route) }
}

fn too_many_steps(offset: usize) -> SyntaxError {
    SyntaxError { message: format!("A path has at most {STEPS_MAX} steps"), offset }
}

/// Compiles a path inside another: `@.a` or `$.a`, at `offset` of the whole text.
pub(crate) fn compile_inner(text: &str, offset: usize, allowance: &mut Allowance) -> Result<Route, SyntaxError> {
    let start = if text.starts_with('@') { Start::Item } else { Start::Document };
    allowance.nest(offset, |allowance| compile_steps(text, 1, offset, start, allowance))
}

fn compile_steps(
    text: &str,
    root_bytes: usize,
    offset: usize,
    start: Start,
    allowance: &mut Allowance,
) -> Result<Route, SyntaxError> {
    let text = text.trim_end_matches(' ');
    let mut compiler = Compiler { text, at: root_bytes, offset, allowance, steps: Vec::new(), is_plain: true };
    compiler.compile()?;
    let is_plain = compiler.is_plain;
    let mut route = turn_scan_into_argument(start, compiler.steps);
    route.is_plain = is_plain;
    Ok(route)
}

/// `$..a.sum()` is the sum over all `$..a`, not the sums of each: Jayway makes the path the function's argument.
fn turn_scan_into_argument(start: Start, mut steps: Vec<Step>) -> Route {
    if matches!(steps.first(), Some(Step::Descend))
        && let Some(Step::Function(_)) = steps.last()
        && let Some(Step::Function(call)) = steps.pop()
    {
        let argument = Argument::Path(Route::new(Start::Document, steps));
        return Route::new(start, vec![Step::Function(Call::new(call.name, vec![argument]))]);
    }
    Route::new(start, steps)
}

struct Compiler<'a> {
    text: &'a str,
    at: usize,
    /// Where `text` starts in the whole expression.
    offset: usize,
    allowance: &'a mut Allowance,
    steps: Vec<Step>,
    is_plain: bool,
}

impl Compiler<'_> {
    fn compile(&mut self) -> Result<(), SyntaxError> {
        if self.rest().is_empty() {
            return Ok(());
        }
        if !self.rest().starts_with(['.', '[']) {
            return Err(self.fault(self.at, format!("Illegal character at position {} expected '.' or '['", self.at)));
        }
        if self.rest().ends_with('.') {
            return Err(self.fault(self.text.len() - 1, "Path must not end with a '.' or '..'"));
        }
        while !self.rest().is_empty() {
            if self.steps.len() == STEPS_MAX {
                return Err(too_many_steps(self.offset + self.at));
            }
            self.step()?;
            // Jayway never looks at a single character left over at the end.
            let mut left_over = self.rest().chars();
            if left_over.next().is_some() && left_over.next().is_none() {
                self.is_plain = false;
                break;
            }
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn fault(&self, at: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError { message: message.into(), offset: self.offset + at }
    }

    fn step(&mut self) -> Result<(), SyntaxError> {
        if self.rest().starts_with("..") {
            self.steps.push(Step::Descend);
            self.at += 2;
        } else if self.rest().starts_with('.') {
            self.at += 1;
        }
        match self.rest().chars().next() {
            Some('.') => Err(self.fault(self.at, format!("Character '.' on position {} is not valid.", self.at))),
            Some('[') => self.bracket(),
            Some('*') => {
                self.steps.push(Step::Wildcard);
                self.at += 1;
                Ok(())
            }
            None | Some(' ') => {
                Err(self.fault(self.at, format!("Could not parse token starting at position {}", self.at)))
            }
            Some(_) => self.name_or_function(),
        }
    }

    fn name_or_function(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let length = rest.find(['.', '[', ' ', '(']).unwrap_or(rest.len());
        let name = &rest[..length];
        match rest.as_bytes().get(length) {
            Some(b' ') => Err(self.fault(
                self.at,
                format!(
                    "Use bracket notion ['my prop'] if your property contains blank characters. position: {}",
                    self.at
                ),
            )),
            Some(b'(') => self.function(length),
            _ => {
                let is_plain = !name.contains(SIGNS);
                self.steps.push(Step::Name(name.into()));
                self.at += length;
                self.is_plain &= is_plain;
                Ok(())
            }
        }
    }

    fn function(&mut self, name_bytes: usize) -> Result<(), SyntaxError> {
        let name: Arc<str> = self.rest()[..name_bytes].into();
        let open = self.at + name_bytes;
        let inner = &self.text[open + 1..];
        if inner.starts_with(')') {
            // Jayway stays on the parenthesis, so that whatever follows reads as a name that starts with it.
            self.at = if inner.len() == 1 { open + 2 } else { open + 1 };
            self.steps.push(Step::Function(Call::new(name, Vec::new())));
            return Ok(());
        }
        let Some(length) = closing_parenthesis(inner) else {
            return Err(self.fault(self.at, format!("Arguments to function: '{name}' are not closed properly.")));
        };
        let arguments = self.arguments(open + 1, open + 1 + length)?;
        self.steps.push(Step::Function(Call::new(name, arguments)));
        self.at = open + length + 2;
        Ok(())
    }

    /// An argument is a path from the first `$` or `@` on, or else JSON from the first quote, brace, digit or minus on.
    /// Jayway passes over whatever comes before, and over an argument that has none of them.
    fn arguments(&mut self, from: usize, to: usize) -> Result<Vec<Argument>, SyntaxError> {
        let mut arguments = Vec::new();
        for (start, end) in split_arguments(&self.text[from..to]) {
            let raw = &self.text[from + start..from + end];
            let Some(first) = raw.find(|c| matches!(c, '$' | '@' | '"' | '{' | '-' | '0'..='9')) else {
                continue;
            };
            let argument = raw[first..].trim_end();
            let at = self.offset + from + start + first;
            if argument.starts_with(['$', '@']) {
                arguments.push(Argument::Path(compile_inner(argument, at, self.allowance)?));
            } else {
                arguments.push(Argument::Value(parse_literal(argument).unwrap_or_else(|| argument.into())));
            }
        }
        Ok(arguments)
    }

    fn bracket(&mut self) -> Result<(), SyntaxError> {
        let open = self.at;
        let inner = self.text[open + 1..].trim_start_matches(' ');
        let inner_at = self.text.len() - inner.len();
        match inner.chars().next() {
            Some(quote @ ('\'' | '"')) => self.names(inner_at, quote),
            Some('0'..='9' | '-' | ':') => self.indices(inner_at),
            Some('*') => {
                let after = inner[1..].trim_start_matches(' ');
                if !after.starts_with(']') {
                    let position = inner_at + 1;
                    return Err(
                        self.fault(inner_at, format!("Expected wildcard token to end with ']' on position {position}"))
                    );
                }
                self.steps.push(Step::Wildcard);
                self.at = self.text.len() - after.len() + 1;
                Ok(())
            }
            Some('?') => self.filter(inner_at),
            _ => Err(self.unknown_token()),
        }
    }

    fn unknown_token(&self) -> SyntaxError {
        let position = self.at;
        self.fault(position, format!("Could not parse token starting at position {position}. Expected ?, ', 0-9, * "))
    }

    /// Names between the quote that opens the first one; between two names anything else is overlooked.
    fn names(&mut self, inner_at: usize, quote: char) -> Result<(), SyntaxError> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut at = inner_at;
        let mut is_after_comma = false;
        loop {
            let Some(next) = self.text[at..].chars().next() else {
                return Err(self.fault(at, format!("Property has not been closed - missing closing {quote}")));
            };
            match next {
                _ if next == quote => {
                    let from = at + 1;
                    let Some(length) = closing_quote(&self.text[from..], quote) else {
                        return Err(self.fault(at, format!("Property has not been closed - missing closing {quote}")));
                    };
                    names.push(unescape(&self.text[from..from + length]).into());
                    let close = from + length;
                    at = close + 1;
                    is_after_comma = false;
                    if !self.text[at..].trim_start_matches(' ').starts_with([',', ']']) {
                        let message = format!(
                            "Property must be separated by comma or Property must be terminated close square bracket \
                             at index {close}"
                        );
                        return Err(self.fault(close, message));
                    }
                }
                ',' | ']' if is_after_comma => {
                    return Err(self.fault(at, format!("Found empty property at index {at}")));
                }
                ']' => {
                    self.at = at + 1;
                    break;
                }
                ',' => {
                    is_after_comma = true;
                    at += 1;
                }
                other => at += other.len_utf8(),
            }
        }
        match <[Arc<str>; 1]>::try_from(names) {
            Ok([name]) => self.steps.push(Step::Name(name)),
            Err(names) => self.steps.push(Step::Names(names)),
        }
        Ok(())
    }

    fn indices(&mut self, inner_at: usize) -> Result<(), SyntaxError> {
        let inner = &self.text[inner_at..];
        let Some(length) = inner.find(|c: char| !matches!(c, '0'..='9' | ',' | '-' | ':' | ' ')) else {
            return Err(self.unknown_token());
        };
        if inner.as_bytes()[length] != b']' {
            return Err(self.unknown_token());
        }
        let expression = inner[..length].trim_end_matches(' ');
        let step = if expression.contains(':') { parse_slice(expression) } else { parse_indices(expression) };
        let step = step.map_err(|message| self.fault(inner_at, message))?;
        self.steps.push(step);
        self.at = inner_at + length + 1;
        Ok(())
    }

    fn filter(&mut self, question_mark: usize) -> Result<(), SyntaxError> {
        let after = self.text[question_mark + 1..].trim_start_matches(' ');
        if !after.starts_with('(') {
            if let Some(close) = after.find(']')
                && after[..close].chars().all(|c| matches!(c, '?' | ',' | ' '))
            {
                let filter = &self.text[self.at..self.text.len() - after.len() + close + 1];
                let position = self.at;
                return Err(self.fault(
                    position,
                    format!("Not enough predicates supplied for filter {filter} at position {position}"),
                ));
            }
            return Err(self.unknown_token());
        }
        let inner_at = self.text.len() - after.len() + 1;
        let length = match crate::condition_compile::closing_place(&self.text[inner_at..]) {
            Ok(Some(length)) => length,
            Ok(None) => return Err(self.unknown_token()),
            Err(message) => return Err(self.fault(inner_at, format!("{message} : {}", self.text))),
        };
        let close = self.text[inner_at + length + 1..].trim_start_matches(' ');
        if !close.starts_with(']') {
            return Err(self.unknown_token());
        }
        let end = self.text.len() - close.len() + 1;
        let condition = crate::condition_compile::compile_condition(
            &self.text[inner_at..inner_at + length],
            self.offset + inner_at,
            self.allowance,
        )?;
        self.steps.push(Step::Filter(condition));
        self.at = end;
        Ok(())
    }
}

/// `0` or `0,2`
fn parse_indices(expression: &str) -> Result<Step, String> {
    let parse = |token: &str| {
        let token = token.trim_matches(' ');
        let index = token.parse::<i32>().map_err(|_| format!("Failed to parse token in ArrayIndexOperation: {token}"));
        index.map(i64::from)
    };
    let mut indices = expression.split(',').map(parse).collect::<Result<Vec<_>, _>>()?;
    match indices.len() {
        1 => Ok(Step::Index(indices.remove(0))),
        _ => Ok(Step::Indices(indices)),
    }
}

/// `1:3`, `1:` or `:3`; what follows a second colon is overlooked.
fn parse_slice(expression: &str) -> Result<Step, String> {
    let fault = || format!("Failed to parse SliceOperation: {expression}");
    let mut ends = expression.split(':').map(|end| match end {
        "" => Ok(None),
        _ => end.parse::<i32>().map(|end| Some(i64::from(end))).map_err(|_| fault()),
    });
    let from = ends.next().unwrap_or(Ok(None))?;
    let to = ends.next().unwrap_or(Ok(None))?;
    if expression.contains([' ', ',']) || from.is_none() && to.is_none() {
        return Err(fault());
    }
    Ok(Step::Slice(from, to))
}

/// Where the parenthesis stands that closes an argument list.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quotes = Quotes::default();
    for (place, next) in text.char_indices() {
        if quotes.contain(next) {
            continue;
        }
        match next {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(place),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Start and end of each argument in a list.
fn split_arguments(list: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let (mut from, mut depth) = (0, 0_usize);
    let mut quotes = Quotes::default();
    for (place, next) in list.char_indices() {
        if quotes.contain(next) {
            continue;
        }
        match next {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                places.push((from, place));
                from = place + 1;
            }
            _ => {}
        }
    }
    places.push((from, list.len()));
    places
}

/// Follows double quotes through a text.
#[derive(Default)]
struct Quotes {
    is_open: bool,
    is_escaped: bool,
}

impl Quotes {
    /// Whether this next character is a quote or stands between two.
    fn contain(&mut self, next: char) -> bool {
        if self.is_escaped {
            self.is_escaped = false;
            return true;
        }
        match next {
            '\\' if self.is_open => self.is_escaped = true,
            '"' => self.is_open = !self.is_open,
            _ => return self.is_open,
        }
        true
    }
}
