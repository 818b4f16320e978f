//! Functions as values: written in place, given by name, with some arguments given, composed.

use super::{Want, Writer};
use crate::expression::{Expression, power};

/// Functions of one argument of any kind.
const OF_ONE: [&str; 16] = [
    "$string",
    "$boolean",
    "$not",
    "$type",
    "$exists",
    "$count",
    "$number",
    "$keys",
    "$length",
    "$uppercase",
    "$abs",
    "$sum",
    "$reverse",
    "$distinct",
    "$spread",
    "$round",
];

/// Functions of two arguments.
const OF_TWO: [&str; 6] = ["$append", "$power", "$substringBefore", "$pad", "$lookup", "$round"];

impl Writer<'_> {
    /// `function($a, $b) { body }`
    pub(super) fn lambda(&mut self, takes: &[Want], gives: Want, fuel: usize) -> Expression {
        let seen = self.variables.len();
        let names: Vec<String> = takes.iter().map(|want| self.name(*want)).collect();
        let mut body = self.write(gives, fuel);
        if self.chance.once_in(2)
            && let Some(name) = names.first()
        {
            // A body that surely looks at its argument.
            body = match (takes[0], gives) {
                (Want::Number, Want::Number) => Expression::infix(Expression::atom(name.clone()), "+", body, 50),
                (_, Want::Text) => Expression::infix(Expression::atom(name.clone()), "&", body, 50),
                (Want::Number, Want::Truth) => Expression::atom(format!("{name} > 1")),
                _ => Expression::atom(name.clone()),
            };
        }
        self.variables.truncate(seen);
        let (word, signature) = match (self.chance.below(12), takes) {
            (0, _) => ("λ", ""),
            (1, [Want::Number]) => ("function", "<n-:n>"),
            (2, [Want::Text]) => ("function", "<s-:s>"),
            (3, [_]) => ("function", "<x:x>"),
            (4, [_]) => ("function", "<a:x>"),
            (5, [Want::Numbers]) => ("function", "<a<n>:x>"),
            (6, [_, _]) => ("function", "<xx?:x>"),
            (7, [Want::Number, Want::Number]) => ("function", "<nn:n>"),
            _ => ("function", ""),
        };
        let parameters = names.join(", ");
        Expression::of(power::ATOM)
            .text(format!("{word}({parameters}){signature} {{ "))
            .operand(power::LOOSE, body)
            .text(" }")
    }

    /// A function for a function: of an item, its place and the whole.
    pub(super) fn callback_of(&mut self, item: Want, gives: Want, takes: usize, fuel: usize) -> Expression {
        if self.chance.once_in(5) {
            return self.function(fuel);
        }
        let takes: &[Want] = &[item, Want::Number, Want::Anything][..takes];
        self.lambda(takes, gives, fuel)
    }

    /// A function of so many arguments for `$reduce` and `$single`.
    pub(super) fn callback(&mut self, gives: Want, takes: usize, fuel: usize) -> Expression {
        if self.chance.once_in(6) {
            return self.function(fuel);
        }
        self.lambda(&[gives, gives][..takes], gives, fuel)
    }

    /// Any function.
    pub(super) fn function(&mut self, fuel: usize) -> Expression {
        match self.chance.below(8) {
            0..=2 => Expression::atom(self.of(&OF_ONE)),
            3 => Expression::atom(self.of(&OF_TWO)),
            4 => {
                let (name, argument) = self.of(&[
                    ("append", Want::Anything),
                    ("power", Want::Number),
                    ("join", Want::Text),
                    ("lookup", Want::Text),
                ]);
                let given = self.write(argument, fuel);
                let arguments = match (name, self.chance.below(2)) {
                    ("append" | "power", 0) => vec![given, Expression::atom("?")],
                    _ => vec![Expression::atom("?"), given],
                };
                Expression::call(name, arguments)
            }
            5 => {
                let (first, second) = (self.function(0), self.function(0));
                Expression::infix(first, "~>", second, power::COMPARISON)
            }
            6 => Expression::atom(self.of(&super::texts::REGEXES)),
            _ => {
                let takes = [Want::Anything, Want::Number];
                let count = self.chance.below(3);
                let gives = self.of(&[Want::Anything, Want::Text, Want::Truth, Want::Number]);
                self.lambda(&takes[..count], gives, fuel)
            }
        }
    }
}
