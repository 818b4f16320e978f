//! Expressions that give a number.

use super::{Want, Writer};
use crate::expression::{Expression, power};

const LITERALS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "0.5",
    "2.5",
    "1.005",
    "100",
    "255",
    "1e3",
    "1e-7",
    "123456.789",
    "1e21",
    "1700000000000",
];

/// Functions of one number.
const OF_NUMBER: [&str; 5] = ["abs", "floor", "ceil", "round", "sqrt"];

/// Functions of an array of numbers.
const OF_NUMBERS: [&str; 4] = ["sum", "max", "min", "average"];

const INTEGERS: [(&str, &str); 14] = [
    ("\"XIV\"", "\"I\""),
    ("\"xiv\"", "\"i\""),
    ("\"12,345\"", "\"#,##0\""),
    ("\"twelve\"", "\"w\""),
    ("\"One Hundred and Twenty-Third\"", "\"Ww;o\""),
    ("\"two thousand and four\"", "\"w\""),
    ("\"abc\"", "\"a\""),
    ("\"AB\"", "\"A\""),
    ("\"012\"", "\"000\""),
    ("\"21st\"", "\"0;o\""),
    ("\"-5\"", "\"0\""),
    ("\"1.234\"", "\"#.##0\""),
    ("\"٣٤\"", "\"٠٠\""),
    ("\"\"", "\"0\""),
];

const CASTABLE: [&str; 10] =
    ["\"12\"", "\"-1.5\"", "\"1e3\"", "\"0x1F\"", "\"0b101\"", "\"0o17\"", "true", "\"\"", "\" 1\"", "\"+1\""];

impl Writer<'_> {
    pub(super) fn number_literal(&mut self) -> Expression {
        let literal = self.of(&LITERALS);
        if self.chance.once_in(5) {
            Expression::of(power::GROUP).text("-").text(literal)
        } else {
            Expression::atom(literal)
        }
    }

    pub(super) fn number(&mut self, fuel: usize) -> Expression {
        match self.chance.below(17) {
            0..=2 => {
                let (operator, strength) = self.of(&[("+", 50), ("-", 50), ("*", 60), ("/", 60), ("%", 60)]);
                let (left, right) = (self.write(Want::Number, fuel), self.write(Want::Number, fuel));
                Expression::infix(left, operator, right, strength)
            }
            3 => {
                let operand = self.write(Want::Number, fuel);
                Expression::of(power::GROUP).text("-").operand(power::PATH, operand)
            }
            4 => {
                let (name, argument) = (self.of(&OF_NUMBER), self.write(Want::Number, fuel));
                Expression::call(name, vec![argument])
            }
            5..=6 => {
                let (name, argument) = (self.of(&OF_NUMBERS), self.write(Want::Numbers, fuel));
                Expression::call(name, vec![argument])
            }
            7 => {
                let argument =
                    if self.chance.once_in(2) { self.any_list(fuel) } else { self.write(Want::Anything, fuel) };
                Expression::call("count", vec![argument])
            }
            8 => {
                let argument = self.write(Want::Text, fuel);
                Expression::call("length", vec![argument])
            }
            9 => {
                let argument = if self.chance.once_in(2) {
                    self.write(Want::Text, fuel)
                } else {
                    Expression::atom(self.of(&CASTABLE))
                };
                Expression::call("number", vec![argument])
            }
            10 => {
                let (base, exponent) = (self.write(Want::Number, fuel), self.small());
                let arguments = if self.chance.once_in(8) { vec![base] } else { vec![base, exponent] };
                Expression::call("power", arguments)
            }
            11 => {
                let (value, places) = (self.write(Want::Number, fuel), self.small());
                Expression::call("round", vec![value, places])
            }
            12 => {
                let (text, picture) = self.of(&INTEGERS);
                let text = if self.chance.once_in(4) { self.write(Want::Text, fuel) } else { Expression::atom(text) };
                Expression::call("parseInteger", vec![text, Expression::atom(picture)])
            }
            13 => self.moment(fuel),
            14 => {
                let items = self.write(Want::Numbers, fuel);
                let function = self.callback(Want::Number, 2, fuel);
                let mut arguments = vec![items, function];
                if self.chance.once_in(2) {
                    arguments.push(self.write(Want::Number, fuel));
                }
                Expression::call("reduce", arguments)
            }
            15 => {
                let list = self.write(Want::Numbers, fuel);
                let place = self.small();
                Expression::of(power::PATH).operand(power::PATH, list).list(
                    "",
                    0,
                    vec![Expression::piece().text("[").operand(power::LOOSE, place).text("]")],
                )
            }
            _ => self.number_literal(),
        }
    }
}
