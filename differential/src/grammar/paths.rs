//! Paths: steps with predicates, bindings, order-by, group-by; wildcards, descendants and parents.

use super::{Want, Writer};
use crate::expression::{Expression, power};
use crate::input::{ANYTHING, FLAG, NUMBER_LIST, NUMBERS, OBJECT_LIST, OBJECTS, TEXT_LIST, TEXTS};

impl Writer<'_> {
    /// The last name of a path to something of this kind.
    fn member(&mut self, want: Want) -> &'static str {
        match want {
            Want::Number => self.of(&NUMBERS),
            Want::Text => self.of(&TEXTS),
            Want::Truth => FLAG,
            Want::Numbers => NUMBER_LIST,
            Want::Texts => TEXT_LIST,
            Want::Objects => OBJECT_LIST,
            Want::Object => self.of(&OBJECTS),
            Want::Anything => ANYTHING,
        }
    }

    pub(super) fn path(&mut self, want: Want, fuel: usize) -> Expression {
        if fuel == 0 && self.chance.once_in(2) {
            return Expression::atom(self.member(want));
        }
        let seen = self.variables.len();
        let first = self.first_step(fuel);
        let mut strength = power::PATH;
        let mut pieces = Vec::new();
        let steps = self.chance.below(3);
        for step in 0..=steps {
            if step > 0 {
                let piece = match self.chance.below(10) {
                    0 => Expression::piece().text(".%"),
                    1 => Expression::piece().text(".*"),
                    2 if fuel > 0 => self.computed_step(fuel),
                    _ => Expression::piece().text(".").text(self.of(&["o", "p", "os", "os", "x"])),
                };
                pieces.push(piece);
            }
            self.behind(&mut pieces, &mut strength, fuel);
        }
        if self.chance.below(5) > 0 {
            let want = match want {
                // Several of one kind: one of each of several objects.
                Want::Numbers if self.chance.once_in(2) => Want::Number,
                Want::Texts if self.chance.once_in(2) => Want::Text,
                other => other,
            };
            pieces.push(Expression::piece().text(".").text(self.member(want)));
            if self.chance.once_in(4) {
                self.behind(&mut pieces, &mut strength, fuel);
            }
        }
        self.variables.truncate(seen);
        Expression::of(strength).operand(power::PATH, first).list("", 0, pieces)
    }

    fn first_step(&mut self, fuel: usize) -> Expression {
        match self.chance.below(20) {
            0..=7 => Expression::atom(self.of(&["os", "os", "o", "p", "x"])),
            8 => Expression::atom("$"),
            9 => Expression::atom("$$"),
            10 => Expression::atom("*"),
            11 => Expression::atom("**"),
            12 => self.variable(Want::Objects),
            13 => self.variable(Want::Object),
            14 if fuel > 0 => self.write(Want::Objects, fuel),
            15 if fuel > 0 => {
                let step = self.write(Want::Object, fuel);
                Expression::of(power::ATOM).text("(").operand(power::LOOSE, step).text(")")
            }
            16 if fuel > 0 => self.list(Want::Objects, fuel),
            _ => Expression::atom("os"),
        }
    }

    /// A step that is no name.
    fn computed_step(&mut self, fuel: usize) -> Expression {
        let want = self.of(&[Want::Object, Want::Objects, Want::Anything, Want::Number, Want::Text]);
        match self.chance.below(4) {
            0 => {
                let pairs = self.pairs(1, fuel);
                Expression::piece().text(".").list("", 1, vec![pairs])
            }
            1 => {
                let items = vec![self.write(want, fuel), self.write(want, fuel)];
                Expression::piece().text(".[").list(", ", 0, items).text("]")
            }
            2 => {
                let step = self.write(want, fuel);
                Expression::piece().text(".(").operand(power::LOOSE, step).text(")")
            }
            _ => Expression::piece().text(".").text(self.of(&[
                "**",
                "$",
                "$string($)",
                "$$.o",
                "$$.os",
                "`o`",
                "\"os\"",
            ])),
        }
    }

    /// What stands behind a step.
    fn behind(&mut self, pieces: &mut Vec<Expression>, strength: &mut u8, fuel: usize) {
        match self.chance.below(28) {
            0..=4 => {
                pieces.push(self.predicate(fuel));
                if self.chance.once_in(3) {
                    pieces.push(self.predicate(fuel));
                }
            }
            5..=6 => {
                let name = self.name(Want::Object);
                pieces.push(Expression::piece().text("@").text(name));
                if self.chance.once_in(3) {
                    pieces.push(self.predicate(fuel));
                }
            }
            7..=8 => {
                let name = self.name(Want::Number);
                pieces.push(Expression::piece().text("#").text(name));
                if self.chance.once_in(3) {
                    pieces.push(self.predicate(fuel));
                }
            }
            9..=10 => {
                *strength = (*strength).min(power::COMPARISON);
                let count = 1 + self.chance.below(2);
                let terms = (0..count).map(|_| self.term(fuel)).collect();
                pieces.push(Expression::piece().text("^(").list(", ", 1, terms).text(")"));
                if self.chance.once_in(3) {
                    pieces.push(self.predicate(fuel));
                }
            }
            11 => {
                *strength = (*strength).min(power::GROUP);
                pieces.push(self.pairs(1, fuel));
            }
            12 => pieces.push(Expression::piece().text("[]")),
            _ => {}
        }
    }

    fn term(&mut self, fuel: usize) -> Expression {
        let want = if self.chance.once_in(2) { Want::Number } else { Want::Text };
        let term = self.path_or(want, fuel);
        Expression::of(power::LOOSE).text(self.of(&["", "<", ">"])).operand(power::LOOSE, term)
    }

    fn path_or(&mut self, want: Want, fuel: usize) -> Expression {
        if self.chance.once_in(2) { Expression::atom(self.member(want)) } else { self.write(want, fuel.min(1)) }
    }

    /// `[predicate]`
    pub(super) fn predicate(&mut self, fuel: usize) -> Expression {
        let inside = match self.chance.below(8) {
            0..=2 => self.small(),
            3 => self.write(Want::Numbers, fuel.min(1)),
            4 => Expression::atom(self.of(&["n", "f", "s", "x", "n > 1", "s = \"a\"", "$ > 1", "%.n", "$exists(x)"])),
            _ => self.write(Want::Truth, fuel),
        };
        Expression::piece().text("[").operand(power::LOOSE, inside).text("]")
    }
}
