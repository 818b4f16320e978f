//! Expressions that give true or false.

use super::{WANTS, Want, Writer};
use crate::expression::{Expression, power};

impl Writer<'_> {
    pub(super) fn truth(&mut self, fuel: usize) -> Expression {
        match self.chance.below(10) {
            0..=1 => {
                let want = self.of(&[Want::Number, Want::Number, Want::Text, Want::Anything]);
                let operator = self.of(&["<", "<=", ">", ">="]);
                let (left, right) = (self.write(want, fuel), self.write(want, fuel));
                Expression::infix(left, operator, right, power::COMPARISON)
            }
            2..=3 => {
                let (left, right) = (WANTS[self.chance.below(WANTS.len())], WANTS[self.chance.below(WANTS.len())]);
                let right = if self.chance.once_in(4) { right } else { left };
                let operator = self.of(&["=", "!="]);
                let (left, right) = (self.write(left, fuel), self.write(right, fuel));
                Expression::infix(left, operator, right, power::COMPARISON)
            }
            4 => {
                let (operator, strength) = self.of(&[("and", 30), ("or", 25)]);
                let (left, right) = (self.write(Want::Truth, fuel), self.write(Want::Anything, fuel));
                Expression::infix(left, operator, right, strength)
            }
            5 => {
                let left = self.write(Want::Number, fuel);
                let right = self.any_list(fuel);
                Expression::infix(left, "in", right, power::COMPARISON)
            }
            6 => {
                let name = self.of(&["exists", "boolean", "not"]);
                let argument = self.write(Want::Anything, fuel);
                Expression::call(name, vec![argument])
            }
            7 => self.contains(fuel),
            8 => {
                let left = self.write(Want::Text, fuel);
                let right = self.write(Want::Texts, fuel);
                Expression::infix(left, "in", right, power::COMPARISON)
            }
            _ => Expression::atom(self.of(&["true", "false"])),
        }
    }
}
