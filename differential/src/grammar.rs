//! What is written: expressions of a wanted kind, out of every construct and nearly every function of the language.
//!
//! Left out is what gives something else each time (`$now`, `$millis`, `$random`, `$shuffle`, `$uuid`), what Step Functions
//! adds and other engines do not have, and what only it takes away (`$eval`).

mod functions;
mod lists;
mod numbers;
mod objects;
mod paths;
mod pictures;
mod texts;
mod truths;

use crate::chance::Chance;
use crate::expression::{Expression, power};

/// What an expression is meant to give. One time in thirty it is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Number,
    Text,
    Truth,
    Numbers,
    Texts,
    Objects,
    Object,
    Anything,
}

const WANTS: [Want; 8] =
    [Want::Number, Want::Text, Want::Truth, Want::Numbers, Want::Texts, Want::Objects, Want::Object, Want::Anything];

/// How many levels a random expression has at most, roughly.
const FUEL: usize = 4;

/// A random expression.
pub fn expression(chance: &mut Chance) -> Expression {
    let want = WANTS[chance.below(WANTS.len())];
    let fuel = 1 + chance.below(FUEL);
    Writer { chance, variables: Vec::new(), named: 0 }.write(want, fuel)
}

struct Writer<'c> {
    chance: &'c mut Chance,
    /// Variables that can be seen, with what they hold.
    variables: Vec<(String, Want)>,
    /// How many variables have a name.
    named: usize,
}

impl Writer<'_> {
    /// An expression of a kind, with so many levels left.
    fn write(&mut self, want: Want, fuel: usize) -> Expression {
        let want = if self.chance.once_in(30) { WANTS[self.chance.below(WANTS.len())] } else { want };
        let Some(fuel) = fuel.checked_sub(1) else { return self.leaf(want) };
        match self.chance.below(40) {
            0..=9 => self.path(want, fuel),
            10 => self.condition(want, fuel),
            11 => self.block(want, fuel),
            12 => self.applied(want, fuel),
            13 => self.called(want, fuel),
            14 => self.otherwise(want, fuel),
            15 => self.filtered(want, fuel),
            16 => self.variable(want),
            17 => self.in_context(want, fuel),
            _ => self.special(want, fuel),
        }
    }

    fn special(&mut self, want: Want, fuel: usize) -> Expression {
        match want {
            Want::Number => self.number(fuel),
            Want::Text => self.text(fuel),
            Want::Truth => self.truth(fuel),
            Want::Numbers | Want::Texts | Want::Objects => self.list(want, fuel),
            Want::Object => self.object(fuel),
            Want::Anything => self.anything(fuel),
        }
    }

    fn leaf(&mut self, want: Want) -> Expression {
        if self.chance.once_in(2) {
            return self.path(want, 0);
        }
        match want {
            Want::Number => self.number_literal(),
            Want::Text => self.text_literal(),
            Want::Truth => Expression::atom(self.of(&["true", "false"])),
            Want::Numbers | Want::Texts | Want::Objects => self.list_literal(want),
            Want::Object => {
                Expression::atom(self.of(&["{}", "{\"n\": 1, \"s\": \"b\"}", "{\"x\": null, \"ns\": [1, 2]}"]))
            }
            Want::Anything => Expression::atom(self.of(&["null", "$", "$$", "[]", "x", "missing", "[[1], 2]"])),
        }
    }

    /// One of these.
    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.chance.below(choices.len())]
    }

    /// A number that is an index or a count: small and whole, mostly.
    fn small(&mut self) -> Expression {
        Expression::of(power::GROUP).text(self.of(&["0", "1", "2", "3", "5", "-1", "-2", "1.5", "n"]))
    }

    fn anything(&mut self, fuel: usize) -> Expression {
        match self.chance.below(8) {
            0 => {
                let from = self.write(Want::Object, fuel);
                let name = self.of(&["\"n\"", "\"x\"", "\"os\"", "\"o\"", "\"missing\""]);
                Expression::call("lookup", vec![from, Expression::atom(name)])
            }
            1 => {
                let items = self.write(Want::Objects, fuel);
                let function = self.callback(Want::Anything, 2, fuel);
                Expression::call("reduce", vec![items, function])
            }
            2 => {
                let items = self.any_list(fuel);
                let function = self.callback(Want::Truth, 1, fuel);
                Expression::call("single", vec![items, function])
            }
            3 => {
                let message = self.write(Want::Text, fuel);
                Expression::call("error", vec![message])
            }
            4 => {
                let condition = self.write(Want::Truth, fuel);
                Expression::call("assert", vec![condition, Expression::atom("\"told\"")])
            }
            5 => self.function(fuel),
            6 => {
                let argument = self.write(Want::Anything, fuel);
                Expression::call("clone", vec![argument])
            }
            _ => {
                let want = WANTS[self.chance.below(WANTS.len() - 1)];
                self.write(want, fuel)
            }
        }
    }

    fn condition(&mut self, want: Want, fuel: usize) -> Expression {
        let condition = self.write(Want::Truth, fuel);
        let then = self.write(want, fuel);
        let whole = Expression::of(power::CONDITION)
            .operand(power::CONDITION + 1, condition)
            .text(" ? ")
            .operand(power::LOOSE, then);
        if self.chance.once_in(4) {
            return whole;
        }
        let otherwise = self.write(want, fuel);
        whole.text(" : ").operand(power::LOOSE, otherwise)
    }

    /// `left ?? right` and `left ?: right`
    fn otherwise(&mut self, want: Want, fuel: usize) -> Expression {
        let operator = self.of(&["??", "?:"]);
        let (left, right) = (self.write(want, fuel), self.write(want, fuel));
        Expression::of(power::CONDITION)
            .operand(power::COMPARISON, left)
            .text(" ")
            .text(operator)
            .text(" ")
            .operand(power::COMPARISON, right)
    }

    /// A new variable that holds this.
    fn name(&mut self, holds: Want) -> String {
        self.named += 1;
        let name = format!("$v{}", self.named);
        self.variables.push((name.clone(), holds));
        name
    }

    fn variable(&mut self, want: Want) -> Expression {
        let fitting: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, holds)| *holds == want || want == Want::Anything)
            .map(|(name, _)| name.clone())
            .collect();
        match fitting.len() {
            0 => self.leaf(want),
            count => Expression::atom(fitting[self.chance.below(count)].clone()),
        }
    }

    fn block(&mut self, want: Want, fuel: usize) -> Expression {
        let seen = self.variables.len();
        let mut lines = Vec::new();
        for _ in 0..1 + self.chance.below(2) {
            let holds = WANTS[self.chance.below(WANTS.len())];
            let value = if self.chance.once_in(5) { self.function(fuel) } else { self.write(holds, fuel) };
            let name = self.name(holds);
            lines.push(Expression::of(power::LOOSE).text(name).text(" := ").operand(power::LOOSE, value));
        }
        lines.push(self.write(want, fuel));
        self.variables.truncate(seen);
        Expression::of(power::ATOM).text("(").list("; ", 0, lines).text(")")
    }

    /// `argument ~> function`
    fn applied(&mut self, want: Want, fuel: usize) -> Expression {
        let argument = WANTS[self.chance.below(WANTS.len())];
        let left = self.write(argument, fuel);
        let right = match self.chance.below(4) {
            0 => self.lambda(&[argument], want, fuel),
            1 => self.function(fuel),
            2 => self.transform(fuel),
            _ => {
                let name = self.of(&[
                    "string",
                    "count",
                    "sum",
                    "keys",
                    "uppercase",
                    "boolean",
                    "not",
                    "exists",
                    "reverse",
                    "distinct",
                    "type",
                    "spread",
                    "length",
                    "merge",
                ]);
                if self.chance.once_in(2) {
                    Expression::call(name, Vec::new())
                } else {
                    Expression::atom(format!("${name}"))
                }
            }
        };
        Expression::infix(left, "~>", right, power::COMPARISON)
    }

    /// A function written in place and called.
    fn called(&mut self, want: Want, fuel: usize) -> Expression {
        let takes: Vec<Want> = (0..self.chance.below(3)).map(|_| WANTS[self.chance.below(WANTS.len())]).collect();
        let function = self.lambda(&takes, want, fuel);
        let arguments = takes.iter().map(|want| self.write(*want, fuel)).collect();
        Expression::of(power::ATOM)
            .text("(")
            .operand(power::LOOSE, function)
            .text(")(")
            .list(", ", 0, arguments)
            .text(")")
    }

    /// Something with a predicate behind that is not part of a path.
    fn filtered(&mut self, want: Want, fuel: usize) -> Expression {
        let whole = match want {
            Want::Number => Want::Numbers,
            Want::Text => Want::Texts,
            Want::Object => Want::Objects,
            other => other,
        };
        let left = self.write(whole, fuel);
        let predicate = self.predicate(fuel);
        Expression::of(power::PATH).text("(").operand(power::LOOSE, left).text(")").list("", 0, vec![predicate])
    }

    /// `path.$function()`, which takes the context for the argument left out.
    fn in_context(&mut self, want: Want, fuel: usize) -> Expression {
        let (argument, names): (Want, &[&'static str]) = match want {
            Want::Number => (
                Want::Number,
                &[
                    "abs()",
                    "floor()",
                    "round()",
                    "sqrt()",
                    "number()",
                    "power(2)",
                    "length()",
                    "parseInteger(\"0\")",
                    "toMillis()",
                ],
            ),
            Want::Text => (
                Want::Text,
                &[
                    "uppercase()",
                    "trim()",
                    "string()",
                    "substring(1)",
                    "pad(4)",
                    "formatBase(2)",
                    "formatNumber(\"0.0\")",
                    "replace(\"a\", \"b\")",
                    "fromMillis()",
                    "base64encode()",
                    "type()",
                ],
            ),
            Want::Truth => (Want::Anything, &["boolean()", "not()", "contains(\"a\")", "exists()"]),
            Want::Texts => (Want::Text, &["split(\"a\")", "keys()", "match(/a/)"]),
            Want::Objects => (Want::Object, &["spread()", "clone()"]),
            _ => (
                Want::Object,
                &[
                    "keys()",
                    "sift(function($x) { $x })",
                    "each(function($x, $y) { $y })",
                    "lookup(\"n\")",
                    "merge()",
                    "count()",
                ],
            ),
        };
        let left = self.write(argument, fuel);
        let name = self.of(names);
        Expression::of(power::PATH).operand(power::PATH, left).text(".$").text(name)
    }
}
