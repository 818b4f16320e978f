//! Functions that take a picture: of numbers, of integers, of moments.

use super::{Want, Writer};
use crate::expression::Expression;

const NUMBER_PICTURES: [&str; 30] = [
    "0",
    "#",
    "0.00",
    "#,##0.00",
    "#0.0#",
    "00",
    "000.000",
    "#.##",
    "0%",
    "#0.0‰",
    "0.0e0",
    "00.0e00",
    "#e0",
    "0e",
    "#0.#e0",
    "(0)",
    "$#,##0.00",
    "0;(0)",
    "#,##,##0",
    "0.000,0",
    "abc",
    "",
    "0..0",
    "#0#",
    "0.#0",
    "0,.0",
    "0;0;0",
    "#,#",
    "٠٠.٠",
    "0.0%e0",
];

/// Pieces that random pictures are made of.
const NUMBER_PIECES: [&str; 12] = ["0", "0", "#", "#", ",", ".", "e", "%", ";", "-", "x", "1"];

const SIGNS: [&str; 6] = [
    "{\"decimal-separator\": \",\", \"grouping-separator\": \".\"}",
    "{\"zero-digit\": \"٠\"}",
    "{\"minus-sign\": \"~\"}",
    "{\"exponent-separator\": \"E\"}",
    "{\"digit\": \"d\"}",
    "{\"percent\": \"pc\", \"per-mille\": \"pm\"}",
];

const INTEGER_PICTURES: [&str; 24] = [
    "0", "000", "#,##0", "w", "W", "Ww", "w;o", "Ww;o", "I", "i", "A", "a", "0;o", "#0", "##,##,#0", "#.###-0", "٠",
    "０", "", "x", "#", "α", "00,0", "0٠",
];

/// Components of moments with their modifiers.
const MARKERS: [&str; 48] = [
    "[Y]",
    "[Y0001]",
    "[Y01]",
    "[Y,2]",
    "[Y,2-2]",
    "[YI]",
    "[Yw]",
    "[M]",
    "[M01]",
    "[MNn]",
    "[MN,3-3]",
    "[Mn]",
    "[Mw]",
    "[D]",
    "[D01]",
    "[D1o]",
    "[Dw]",
    "[DWwo]",
    "[d]",
    "[d001]",
    "[F]",
    "[F0]",
    "[F1]",
    "[FNn]",
    "[FNn,3-3]",
    "[W]",
    "[w]",
    "[X]",
    "[X0001]",
    "[x]",
    "[xNn]",
    "[H]",
    "[H01]",
    "[h]",
    "[h#1]",
    "[P]",
    "[PN]",
    "[m]",
    "[m1]",
    "[s]",
    "[s01]",
    "[f]",
    "[f001]",
    "[Z]",
    "[z]",
    "[Z0]",
    "[Z01:01t]",
    "[C]",
];

const ODD_MARKERS: [&str; 14] = [
    "[q1]",
    "[Zw]",
    "[E]",
    "[Z0101]",
    "[Z010101]",
    "[f01,3-3]",
    "[YN]",
    "[ H01 ]",
    "[[",
    "]]",
    "[",
    "[z01:01]",
    "[H,1-2]",
    "[M#1,2]",
];

const BETWEEN: [&str; 9] = ["-", "/", ":", " ", "", "T", ".", ", ", " of "];

/// Texts of moments, with a picture each reads.
const MOMENTS: [(&str, &str); 22] = [
    ("2018-02-01T09:42:13.123Z", "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z]"),
    ("2018-02-01", "[Y]-[M]-[D]"),
    ("12th of March 1999", "[D1o] of [MNn] [Y]"),
    ("March 1, 2020", "[MNn] [D], [Y]"),
    ("03/12/21", "[D01]/[M01]/[Y01]"),
    ("20180201", "[Y0001][M01][D01]"),
    ("2018-060", "[Y0001]-[d001]"),
    ("21:05 2018-02-01", "[H01]:[m01] [Y0001]-[M01]-[D01]"),
    ("2018-02-01 9:05 pm", "[Y]-[M]-[D] [h]:[m] [P]"),
    ("2018-02-01 12:05 am", "[Y]-[M]-[D] [h]:[m] [P]"),
    ("2018-02-01 +02:00", "[Y]-[M]-[D] [Z]"),
    ("2018-02-01 GMT+05:30", "[Y]-[M]-[D] [z]"),
    ("2018-02-01 +0530", "[Y]-[M]-[D] [Z0001]"),
    ("MMXVIII 2 1", "[YI] [M] [D]"),
    ("two thousand and eighteen-2-1", "[Yw]-[M]-[D]"),
    ("twenty-first of May, 2020", "[Dwo] of [MNn], [Y]"),
    ("2018 12", "[Y] [H]"),
    ("2018-W05", "[X]-W[W]"),
    ("Thursday, 2018-02-01", "[FNn], [Y]-[M]-[D]"),
    ("2018-Feb-01", "[Y]-[MNn,3-3]-[D01]"),
    ("nonsense", "[Y]"),
    ("2018-13-45", "[Y]-[M]-[D]"),
];

const TIMESTAMPS: [&str; 16] = [
    "1970-01-01T00:00:00.001Z",
    "2018-02-01",
    "2018",
    "2018-02",
    "2018-02-01T09:42:13Z",
    "2018-02-01T09:42:13.1234567Z",
    "2018-02-01T09:42:13+01:00",
    "2018-02-01T09:42:13-0530",
    "2018-02-30",
    "2018-13-01",
    "20180201",
    "",
    "2018-02-01T24:00:00Z",
    "2018-02-01 09:42:13",
    "2018-02-01T09:42",
    "2018-2-1",
];

const ZONES: [&str; 7] = ["\"+0100\"", "\"-0500\"", "\"+0530\"", "\"0000\"", "\"+0000\"", "\"1200\"", "\"-0100\""];

const MILLIS: [&str; 10] = [
    "0",
    "1510067557121",
    "-1",
    "1e12",
    "951782400000",
    "1704067199999",
    "-30610224000000",
    "1483228800000",
    "253402300799999",
    "1230768000000",
];

fn quoted(text: &str) -> Expression {
    Expression::atom(format!("\"{text}\""))
}

impl Writer<'_> {
    pub(super) fn format_number(&mut self, fuel: usize) -> Expression {
        let picture = if self.chance.once_in(3) {
            let count = 1 + self.chance.below(6);
            (0..count).map(|_| self.of(&NUMBER_PIECES)).collect()
        } else {
            self.of(&NUMBER_PICTURES).to_owned()
        };
        let mut arguments = vec![self.write(Want::Number, fuel.min(2)), quoted(&picture)];
        if self.chance.once_in(5) {
            arguments.push(Expression::atom(self.of(&SIGNS)));
        }
        Expression::call("formatNumber", arguments)
    }

    pub(super) fn format_integer(&mut self, fuel: usize) -> Expression {
        let value = self.write(Want::Number, fuel.min(2));
        Expression::call("formatInteger", vec![value, quoted(self.of(&INTEGER_PICTURES))])
    }

    pub(super) fn moment_text(&mut self, fuel: usize) -> Expression {
        let value = if self.chance.once_in(4) {
            self.write(Want::Number, fuel.min(2))
        } else {
            Expression::of(70).text(self.of(&MILLIS))
        };
        let mut arguments = vec![value];
        if self.chance.below(5) > 0 {
            let mut picture = String::new();
            for place in 0..1 + self.chance.below(4) {
                if place > 0 {
                    picture.push_str(self.of(&BETWEEN));
                }
                let odd = self.chance.once_in(20);
                picture.push_str(if odd { self.of(&ODD_MARKERS) } else { self.of(&MARKERS) });
            }
            arguments.push(quoted(&picture));
            if self.chance.once_in(3) {
                arguments.push(Expression::atom(self.of(&ZONES)));
            }
        }
        Expression::call("fromMillis", arguments)
    }

    pub(super) fn moment(&mut self, fuel: usize) -> Expression {
        match self.chance.below(6) {
            0 => {
                let text = self.write(Want::Text, fuel);
                Expression::call("toMillis", vec![text])
            }
            1..=2 => Expression::call("toMillis", vec![quoted(self.of(&TIMESTAMPS))]),
            3 => {
                let (text, picture) = (self.of(&MOMENTS).0, self.of(&MOMENTS).1);
                Expression::call("toMillis", vec![quoted(text), quoted(picture)])
            }
            _ => {
                let (text, picture) = self.of(&MOMENTS);
                Expression::call("toMillis", vec![quoted(text), quoted(picture)])
            }
        }
    }
}
