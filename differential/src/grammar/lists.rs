//! Expressions that give an array, or a sequence of several.

use super::{Want, Writer};
use crate::expression::{Expression, power};

impl Writer<'_> {
    pub(super) fn list_literal(&mut self, want: Want) -> Expression {
        Expression::atom(match want {
            Want::Numbers => self.of(&["[]", "[1]", "[1, 2, 3]", "[1..5]", "[3, 1, 2]", "[0.1, 0.2]", "[-1, 2, 2]"]),
            Want::Texts => self.of(&["[]", "[\"a\"]", "[\"b\", \"a\"]", "[\"x\", \"\", \"x\"]"]),
            _ => self.of(&[
                "[]",
                "[{\"n\": 1}]",
                "[{\"n\": 2, \"s\": \"b\"}, {\"n\": 1, \"s\": \"a\"}]",
                "[{\"n\": 1}, {\"n\": 1}]",
            ]),
        })
    }

    /// What the items of such a list are.
    pub(super) fn item(want: Want) -> Want {
        match want {
            Want::Numbers => Want::Number,
            Want::Texts => Want::Text,
            Want::Objects => Want::Object,
            _ => Want::Anything,
        }
    }

    pub(super) fn any_list(&mut self, fuel: usize) -> Expression {
        let want = self.of(&[Want::Numbers, Want::Texts, Want::Objects]);
        self.write(want, fuel)
    }

    pub(super) fn list(&mut self, want: Want, fuel: usize) -> Expression {
        let item = Self::item(want);
        match self.chance.below(16) {
            0..=2 => {
                let count = self.chance.below(4);
                let mut items: Vec<Expression> = (0..count).map(|_| self.write(item, fuel)).collect();
                if want == Want::Numbers && self.chance.once_in(3) {
                    let (first, last) = (self.small(), self.small());
                    items.push(Expression::piece().operand(power::LOOSE, first).text("..").operand(power::LOOSE, last));
                }
                Expression::of(power::ATOM).text("[").list(", ", 0, items).text("]")
            }
            3..=4 => {
                let from = self.of(&[Want::Numbers, Want::Texts, Want::Objects, Want::Anything]);
                let items = self.write(from, fuel);
                let takes = 1 + self.chance.below(3);
                let function = self.callback_of(Self::item(from), item, takes, fuel);
                Expression::call("map", vec![items, function])
            }
            5 => {
                let items = self.write(want, fuel);
                let takes = 1 + self.chance.below(3);
                let function = self.callback_of(item, Want::Truth, takes, fuel);
                Expression::call("filter", vec![items, function])
            }
            6..=7 => {
                let mut arguments = vec![self.write(want, fuel)];
                if want == Want::Objects || self.chance.once_in(2) {
                    arguments.push(self.comparator(want));
                }
                Expression::call("sort", arguments)
            }
            8 => {
                let (name, argument) = (self.of(&["reverse", "distinct"]), self.write(want, fuel));
                Expression::call(name, vec![argument])
            }
            9 => {
                let (first, second) = (self.write(want, fuel), self.write(want, fuel));
                Expression::call("append", vec![first, second])
            }
            10 => {
                let count = 1 + self.chance.below(3);
                let arguments = (0..count).map(|_| self.any_list(fuel)).collect();
                Expression::call("zip", arguments)
            }
            11 if want == Want::Texts => {
                let argument = self.write(Want::Object, fuel);
                Expression::call("keys", vec![argument])
            }
            11 if want == Want::Objects => {
                let argument = self.of(&[Want::Object, Want::Objects, Want::Anything]);
                let argument = self.write(argument, fuel);
                Expression::call("spread", vec![argument])
            }
            12 if want == Want::Texts => self.cut("split", fuel),
            12 if want == Want::Objects => self.cut("match", fuel),
            13 => {
                let object = self.write(Want::Object, fuel);
                let takes = 1 + self.chance.below(2);
                let function = self.callback_of(Want::Anything, item, takes, fuel);
                Expression::call("each", vec![object, function])
            }
            14 => {
                // Kept an array, whatever it holds.
                let one = self.write(item, fuel);
                Expression::of(power::PATH).operand(power::PATH, one).text("[]")
            }
            _ => self.list_literal(want),
        }
    }

    fn comparator(&mut self, want: Want) -> Expression {
        Expression::atom(match want {
            Want::Objects => self.of(&["function($l, $r) { $l.n > $r.n }", "function($l, $r) { $l.s < $r.s }"]),
            _ => self.of(&["function($l, $r) { $l > $r }", "function($l, $r) { $l < $r }", "function($l) { true }"]),
        })
    }
}
