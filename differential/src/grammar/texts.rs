//! Expressions that give a text.

use super::{Want, Writer};
use crate::expression::Expression;

const LITERALS: [&str; 15] = [
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"abc\"",
    "\"x y\"",
    "'\"'",
    "\"12\"",
    "\"é𝄞u\"",
    "\"aXbXc\"",
    "\" a  b \"",
    "\"a/b?c=d e\"",
    "\"%41%7A\"",
    "\"YWJj\"",
    "\"2018-02-01T09:42:13.123Z\"",
    "\"ab\\n\\u00e9\"",
];

/// Functions of one text.
const OF_TEXT: [&str; 9] = [
    "uppercase",
    "lowercase",
    "trim",
    "base64encode",
    "base64decode",
    "encodeUrl",
    "encodeUrlComponent",
    "decodeUrl",
    "decodeUrlComponent",
];

/// Patterns that engines of linear time can run.
pub(super) const REGEXES: [&str; 18] = [
    "/a/",
    "/b/i",
    "/[a-z]+/",
    "/[A-Z]/i",
    "/(\\w)(\\d)?/",
    "/b*/",
    "/\\s+/",
    "/^a/m",
    "/(a|b)c?/",
    "/x$/",
    "/./",
    "/a{1,2}/",
    "/[^a]/",
    "/(.)(.)/",
    "/\\d{2}/",
    "/a|/",
    "/(?:ab)+/",
    "/\\b/",
];

const REPLACEMENTS: [&str; 9] =
    ["\"\"", "\"-\"", "\"$0\"", "\"[$1]\"", "\"$2$1\"", "\"$$\"", "\"$\"", "\"$12\"", "\"a\""];

impl Writer<'_> {
    pub(super) fn text_literal(&mut self) -> Expression {
        Expression::atom(self.of(&LITERALS))
    }

    /// What is looked for: a text, or a regular expression.
    fn pattern(&mut self, fuel: usize) -> Expression {
        match self.chance.below(5) {
            0 => self.write(Want::Text, fuel),
            1 => self.text_literal(),
            _ => Expression::atom(self.of(&REGEXES)),
        }
    }

    pub(super) fn text(&mut self, fuel: usize) -> Expression {
        match self.chance.below(17) {
            0..=1 => {
                let left = if self.chance.once_in(3) { Want::Anything } else { Want::Text };
                let right = if self.chance.once_in(3) { Want::Number } else { Want::Text };
                let (left, right) = (self.write(left, fuel), self.write(right, fuel));
                Expression::infix(left, "&", right, 50)
            }
            2 => {
                let (name, argument) = (self.of(&OF_TEXT), self.write(Want::Text, fuel));
                Expression::call(name, vec![argument])
            }
            3 => {
                let mut arguments = vec![self.write(Want::Text, fuel), self.small()];
                match self.chance.below(6) {
                    0..=2 => arguments.push(self.small()),
                    3 => drop(arguments.pop()),
                    _ => {}
                }
                Expression::call("substring", arguments)
            }
            4 => {
                let (text, mark) = (self.write(Want::Text, fuel), self.write(Want::Text, fuel));
                let mark = if self.chance.once_in(2) { Expression::atom("\"b\"") } else { mark };
                Expression::call(self.of(&["substringBefore", "substringAfter"]), vec![text, mark])
            }
            5 => {
                let mut arguments = vec![self.write(Want::Text, fuel), self.small()];
                if self.chance.once_in(2) {
                    arguments.push(self.text_literal());
                }
                Expression::call("pad", arguments)
            }
            6..=7 => self.string(fuel),
            8 => {
                let mut arguments = vec![self.write(Want::Texts, fuel)];
                if self.chance.once_in(2) {
                    arguments.push(self.write(Want::Text, fuel));
                }
                Expression::call("join", arguments)
            }
            9..=10 => {
                let mut arguments = vec![self.write(Want::Text, fuel), self.pattern(fuel)];
                arguments.push(match self.chance.below(4) {
                    0 => self.lambda(&[Want::Object], Want::Text, fuel),
                    1 => self.write(Want::Text, fuel),
                    _ => Expression::atom(self.of(&REPLACEMENTS)),
                });
                if self.chance.once_in(3) {
                    arguments.push(self.small());
                }
                Expression::call("replace", arguments)
            }
            11 => self.format_number(fuel),
            12 => self.format_integer(fuel),
            13 => {
                let mut arguments = vec![self.write(Want::Number, fuel)];
                if self.chance.once_in(2) {
                    arguments.push(Expression::atom(self.of(&["2", "8", "16", "36", "10", "2.5", "1", "37"])));
                }
                Expression::call("formatBase", arguments)
            }
            14 => self.moment_text(fuel),
            15 => {
                let argument = self.write(Want::Anything, fuel);
                Expression::call("type", vec![argument])
            }
            _ => self.text_literal(),
        }
    }

    fn string(&mut self, fuel: usize) -> Expression {
        let want = self.of(&[Want::Number, Want::Anything, Want::Objects, Want::Object, Want::Numbers, Want::Text]);
        let mut arguments = vec![self.write(want, fuel)];
        if self.chance.once_in(4) {
            arguments.push(Expression::atom(self.of(&["true", "false"])));
        }
        Expression::call("string", arguments)
    }

    /// `$split` and `$match`.
    pub(super) fn cut(&mut self, name: &'static str, fuel: usize) -> Expression {
        let mut arguments = vec![self.write(Want::Text, fuel)];
        arguments.push(if name == "match" { Expression::atom(self.of(&REGEXES)) } else { self.pattern(fuel) });
        if self.chance.once_in(3) {
            arguments.push(self.small());
        }
        Expression::call(name, arguments)
    }

    pub(super) fn contains(&mut self, fuel: usize) -> Expression {
        let arguments = vec![self.write(Want::Text, fuel), self.pattern(fuel)];
        Expression::call("contains", arguments)
    }
}
