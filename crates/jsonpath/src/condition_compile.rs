//! From the text of a filter to its condition.

use regex::RegexBuilder;
use stepwell_json::Number;

use crate::compile::{Allowance, compile_inner};
use crate::condition::{Condition, OPERATORS, Operand, Operator, Value};
use crate::error::SyntaxError;
use crate::literal::{closing_quote, parse_literal, unescape};

/// Length of a regular expression, in bytes.
const PATTERN_BYTES_MAX: usize = 4_096;
/// Size of a compiled regular expression, in bytes.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// Where the parenthesis stands that closes this text, strings and regular expressions left aside.
///
/// `Err` says which quote or slash is never closed.
pub(crate) fn closing_place(text: &str) -> Result<Option<usize>, String> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        match next {
            '\'' | '"' => match closing_quote(&text[at + 1..], next) {
                Some(length) => at += length + 1,
                None => return Err(format!("Could not find matching close quote for {next} when parsing")),
            },
            '/' => match closing_quote(&text[at + 1..], '/') {
                Some(length) => at += length + 1,
                None => return Err("Could not find matching close for / when parsing regex in".to_owned()),
            },
            '(' => depth += 1,
            ')' if depth == 0 => return Ok(Some(at)),
            ')' => depth -= 1,
            _ => {}
        }
        at += next.len_utf8();
    }
    Ok(None)
}

/// Compiles what stands between the parentheses of `[?(…)]`, at `offset` of the whole text.
pub(crate) fn compile_condition(
    text: &str,
    offset: usize,
    allowance: &mut Allowance,
) -> Result<Condition, SyntaxError> {
    let mut compiler = Compiler { text, at: 0, offset, allowance };
    let condition = compiler.any()?;
    compiler.skip_blanks();
    match compiler.peek() {
        None => Ok(condition),
        Some(_) => Err(compiler.fault("Expected character: )")),
    }
}

struct Compiler<'a, 'b> {
    text: &'a str,
    at: usize,
    offset: usize,
    allowance: &'b mut Allowance,
}

impl Compiler<'_, '_> {
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(' ').len();
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let is_next = self.rest().starts_with(wanted);
        if is_next {
            self.at += wanted.len();
        }
        is_next
    }

    fn fault(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { message: message.into(), offset: self.offset + self.at }
    }

    /// Jayway's words for a place it can make nothing of, counted from the bracket that opens the filter.
    fn confusion(&self) -> SyntaxError {
        let message = format!(
            "Failed to parse filter: [?({})], error on position: {}, char: {}",
            self.text,
            self.at + "[?(".len(),
            self.peek().unwrap_or(')')
        );
        self.fault(message)
    }

    fn any(&mut self) -> Result<Condition, SyntaxError> {
        let mut conditions = vec![self.all()?];
        while self.take("||") {
            conditions.push(self.all()?);
        }
        Ok(if conditions.len() == 1 { conditions.remove(0) } else { Condition::Any(conditions) })
    }

    fn all(&mut self) -> Result<Condition, SyntaxError> {
        let mut conditions = vec![self.operand_of_all()?];
        while self.take("&&") {
            conditions.push(self.operand_of_all()?);
        }
        Ok(if conditions.len() == 1 { conditions.remove(0) } else { Condition::All(conditions) })
    }

    fn operand_of_all(&mut self) -> Result<Condition, SyntaxError> {
        let is_negated = self.take("!");
        self.skip_blanks();
        match self.peek() {
            Some('!') if is_negated => {
                let at = self.offset + self.at;
                let Compiler { text, at: from, offset, .. } = *self;
                let (condition, reached) = self.allowance.nest(at, |allowance| {
                    let mut inner = Compiler { text, at: from, offset, allowance };
                    Ok((inner.operand_of_all()?, inner.at))
                })?;
                self.at = reached;
                Ok(Condition::Not(Box::new(condition)))
            }
            Some('(') => {
                let condition = self.group()?;
                Ok(if is_negated { Condition::Not(Box::new(condition)) } else { condition })
            }
            _ => self.comparison(is_negated),
        }
    }

    fn group(&mut self) -> Result<Condition, SyntaxError> {
        let inner_at = self.at + 1;
        let length = match closing_place(&self.text[inner_at..]) {
            Ok(Some(length)) => length,
            Ok(None) => return Err(self.fault("Expected character: )")),
            Err(message) => return Err(self.fault(format!("{message} : {}", self.text))),
        };
        let inner = &self.text[inner_at..inner_at + length];
        let at = self.offset + inner_at;
        let condition = self.allowance.nest(at, |allowance| compile_condition(inner, at, allowance))?;
        self.at = inner_at + length + 1;
        Ok(condition)
    }

    /// `left operator right`, or a path alone. A `!` before a comparison changes nothing: Jayway overlooks it there.
    fn comparison(&mut self, is_negated: bool) -> Result<Condition, SyntaxError> {
        let left = self.operand()?;
        let after_left = self.at;
        if let Some(operator) = self.operator() {
            let right = self.operand()?;
            return Ok(Condition::Compare { left, operator, right });
        }
        self.at = after_left;
        match left {
            Operand::Path(path) => Ok(Condition::Exists { path, wanted: !is_negated }),
            Operand::Literal(_) | Operand::Pattern(_) => Err(self.fault("Expected path node")),
        }
    }

    /// The operator that stands here; where none does, a path before it stands alone.
    fn operator(&mut self) -> Option<Operator> {
        self.skip_blanks();
        let rest = self.rest();
        let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '~' | '!');
        let length = if rest.starts_with(is_sign) {
            rest.find(|c| !is_sign(c)).unwrap_or(rest.len())
        } else {
            rest.find(' ').unwrap_or(rest.len())
        };
        let text = rest[..length].to_ascii_lowercase();
        let operator = OPERATORS.iter().find(|(written, _)| *written == text).map(|(_, operator)| *operator)?;
        self.at += length;
        Some(operator)
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        self.skip_blanks();
        let Some(next) = self.peek() else {
            return Err(self.confusion());
        };
        match next {
            '@' | '$' => self.path(),
            '\'' | '"' => {
                let from = self.at + 1;
                let Some(length) = closing_quote(&self.text[from..], next) else {
                    return Err(self.fault(format!("String literal does not have matching quotes. Expected {next}")));
                };
                let text = unescape(&self.text[from..from + length]);
                self.at = from + length + 1;
                Ok(Operand::Literal(Value::Text(text.into())))
            }
            't' | 'f' | 'n' => {
                for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
                {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(Operand::Literal(value));
                    }
                }
                let expected = if next == 'n' { "Expected <null> value" } else { "Expected boolean literal" };
                Err(self.fault(expected))
            }
            '0'..='9' | '-' | '.' => self.number(),
            '/' => self.pattern(),
            '[' | '{' => self.tree(next),
            _ => Err(self.confusion()),
        }
    }

    /// A path reaches to a blank, an operator or the parenthesis that closes the filter.
    fn path(&mut self) -> Result<Operand, SyntaxError> {
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(next) = self.peek() {
            match next {
                '[' => match bracket_length(self.rest()) {
                    Some(length) => self.at += length,
                    None => return Err(self.fault("Square brackets does not match in filter ")),
                },
                '(' => {
                    depth += 1;
                    self.at += 1;
                }
                ')' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                ')' => break,
                ' ' | '<' | '>' | '=' | '~' | '!' if depth == 0 => break,
                other => self.at += other.len_utf8(),
            }
        }
        compile_inner(&self.text[from..self.at], self.offset + from, self.allowance).map(Operand::Path)
    }

    fn number(&mut self) -> Result<Operand, SyntaxError> {
        let rest = self.rest();
        let is_part = |c: char| matches!(c, '0'..='9' | '-' | '.' | 'e' | 'E');
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let text = &rest[..length];
        let number = Number::parse(text)
            .ok()
            .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
            .filter(|number| number.as_f64().is_finite());
        self.at += length;
        match number {
            Some(number) => Ok(Operand::Literal(Value::Number(number))),
            None => Err(self.confusion()),
        }
    }

    fn tree(&mut self, open: char) -> Result<Operand, SyntaxError> {
        let length = if open == '[' { bracket_length(self.rest()) } else { brace_length(self.rest()) };
        let literal = length.and_then(|length| Some((length, parse_literal(&self.rest()[..length])?)));
        match literal {
            Some((length, value)) => {
                self.at += length;
                Ok(Operand::Literal(Value::from(value)))
            }
            None => Err(self.fault("Expected character: )")),
        }
    }

    /// `/pattern/flags`. The pattern has to match the whole text.
    fn pattern(&mut self) -> Result<Operand, SyntaxError> {
        let from = self.at + 1;
        let Some(length) = closing_quote(&self.text[from..], '/') else {
            return Err(self.fault("Pattern not closed. Expected /"));
        };
        let pattern = &self.text[from..from + length];
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(self.fault(format!("A regular expression has at most {PATTERN_BYTES_MAX} bytes")));
        }
        let after = &self.text[from + length + 1..];
        let flags = &after[..after.find(|c| !"idmsuxU".contains(c)).unwrap_or(after.len())];
        // The line break ends a comment, which the flag `x` allows, before the group closes.
        let end = if flags.contains('x') { "\n" } else { "" };
        let lines = if flags.contains('m') { "m" } else { "" };
        let regex = RegexBuilder::new(&format!(r"\A(?{lines}:{pattern}{end})\z"))
            .case_insensitive(flags.contains('i'))
            .dot_matches_new_line(flags.contains('s'))
            .ignore_whitespace(flags.contains('x'))
            .size_limit(PROGRAM_BYTES_MAX)
            .dfa_size_limit(PROGRAM_BYTES_MAX)
            .build();
        self.at = from + length + 1 + flags.len();
        match regex {
            Ok(regex) => Ok(Operand::Pattern(regex)),
            Err(regex::Error::CompiledTooBig(limit)) => {
                Err(self.fault(format!("The regular expression /{pattern}/ needs more than {limit} bytes")))
            }
            Err(_) => Err(self.fault(format!("The regular expression /{pattern}/ cannot be used"))),
        }
    }
}

/// Length of the text from `[` to the bracket that closes it.
fn bracket_length(text: &str) -> Option<usize> {
    matching_length(text, '[', ']')
}

fn brace_length(text: &str) -> Option<usize> {
    matching_length(text, '{', '}')
}

fn matching_length(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        at += next.len_utf8();
        match next {
            '\'' | '"' => at += closing_quote(&text[at..], next)? + 1,
            _ if next == open => depth += 1,
            _ if next == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
