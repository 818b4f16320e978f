//! Expressions that give an object: constructed, grouped, merged, sifted, transformed.

use super::{WANTS, Want, Writer};
use crate::expression::{Expression, power};

impl Writer<'_> {
    /// `key: value` pairs. Keys never look like whole numbers, which JavaScript moves to the front.
    pub(super) fn pairs(&mut self, least: usize, fuel: usize) -> Expression {
        let mut pairs = Vec::new();
        for place in 0..least + self.chance.below(3) {
            let key = match self.chance.below(8) {
                0..=1 => Expression::infix(Expression::atom("\"k\""), "&", self.write(Want::Number, fuel.min(1)), 50),
                2..=3 => Expression::infix(Expression::atom("\"k\""), "&", self.write(Want::Text, fuel.min(1)), 50),
                4 if self.chance.once_in(3) => Expression::atom("missing"),
                5 if self.chance.once_in(6) => Expression::atom("n"),
                _ => Expression::atom(["\"a\"", "\"n\"", "\"s\"", "\"os\""][place % 4]),
            };
            let value = WANTS[self.chance.below(WANTS.len())];
            let value = self.write(value, fuel);
            pairs.push(Expression::piece().operand(power::LOOSE, key).text(": ").operand(power::LOOSE, value));
        }
        Expression::piece().text("{").list(", ", 0, pairs).text("}")
    }

    pub(super) fn object(&mut self, fuel: usize) -> Expression {
        match self.chance.below(8) {
            0..=2 => {
                let pairs = self.pairs(0, fuel);
                Expression::of(power::ATOM).list("", 1, vec![pairs])
            }
            3 => {
                let left = self.any_list(fuel);
                let pairs = self.pairs(1, fuel);
                Expression::of(power::GROUP).operand(power::PATH, left).list("", 0, vec![pairs])
            }
            4 => {
                let argument = if self.chance.once_in(4) { Want::Object } else { Want::Objects };
                let argument = self.write(argument, fuel);
                Expression::call("merge", vec![argument])
            }
            5 => {
                let object = self.write(Want::Object, fuel);
                let takes = 1 + self.chance.below(3);
                let function = self.callback_of(Want::Anything, Want::Truth, takes, fuel);
                Expression::call("sift", vec![object, function])
            }
            6 => {
                let object = self.write(Want::Object, fuel);
                let transform = self.transform(fuel);
                Expression::infix(object, "~>", transform, power::COMPARISON)
            }
            _ => {
                let list = self.write(Want::Objects, fuel);
                let place = self.small();
                let place = Expression::piece().text("[").operand(power::LOOSE, place).text("]");
                Expression::of(power::PATH).operand(power::PATH, list).list("", 0, vec![place])
            }
        }
    }

    /// `| pattern | update, delete |`
    pub(super) fn transform(&mut self, fuel: usize) -> Expression {
        let pattern = match self.chance.below(4) {
            0 => Expression::atom("$"),
            1 => self.path(Want::Object, fuel.min(1)),
            _ => self.path(Want::Objects, fuel.min(1)),
        };
        let update = match self.chance.below(3) {
            0 => self.write(Want::Object, fuel),
            _ => {
                let pairs = self.pairs(1, fuel);
                Expression::of(power::ATOM).list("", 1, vec![pairs])
            }
        };
        let whole = Expression::of(power::ATOM)
            .text("|")
            .operand(power::LOOSE, pattern)
            .text("|")
            .operand(power::LOOSE, update);
        if self.chance.once_in(2) {
            return whole.text("|");
        }
        let delete = match self.chance.below(5) {
            0 => self.write(Want::Texts, fuel),
            1 => self.write(Want::Text, fuel),
            _ => Expression::atom(self.of(&["\"n\"", "[\"n\", \"s\"]", "\"o\"", "[]", "\"missing\""])),
        };
        whole.text(", ").operand(power::LOOSE, delete).text("|")
    }
}
