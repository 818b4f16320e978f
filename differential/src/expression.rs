//! An expression as a tree of pieces of text: prints itself with the brackets it needs, and can be taken apart.

use std::borrow::Cow;
use std::fmt;

/// How strongly what stands outermost binds: the language's own powers, and two ends.
pub mod power {
    /// Binds nothing: stands between brackets and commas only.
    pub const LOOSE: u8 = 0;
    /// `condition ? then : otherwise`
    pub const CONDITION: u8 = 20;
    /// Comparisons, `~>` and order-by.
    pub const COMPARISON: u8 = 40;
    /// `{key: value}` behind something, and a sign.
    pub const GROUP: u8 = 70;
    /// Steps, with what is bound to them.
    pub const PATH: u8 = 75;
    /// A name, a literal, a call, anything in brackets.
    pub const ATOM: u8 = 100;
}

/// An expression, or a piece of one that cannot stand alone, such as `[predicate]`.
#[derive(Clone, Debug)]
pub struct Expression {
    parts: Vec<Part>,
    power: u8,
    alone: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Cow<'static, str>),
    /// An operand, in brackets if it binds less strongly than this.
    Operand(u8, Expression),
    /// Pieces of which some may be left out.
    List {
        separator: &'static str,
        least: usize,
        items: Vec<Expression>,
    },
}

impl Expression {
    /// An expression to be put together, whose outermost piece binds so strongly.
    pub fn of(power: u8) -> Expression {
        Expression { parts: Vec::new(), power, alone: true }
    }

    /// A piece that cannot stand alone.
    pub fn piece() -> Expression {
        Expression { parts: Vec::new(), power: power::LOOSE, alone: false }
    }

    /// A name, a literal, or anything else that needs no brackets.
    pub fn atom(text: impl Into<Cow<'static, str>>) -> Expression {
        Expression::of(power::ATOM).text(text)
    }

    /// With this text behind.
    pub fn text(mut self, text: impl Into<Cow<'static, str>>) -> Expression {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// With this operand behind, which must bind at least so strongly or gets brackets.
    pub fn operand(mut self, least: u8, operand: Expression) -> Expression {
        self.parts.push(Part::Operand(least, operand));
        self
    }

    /// With these pieces behind, of which `least` must stay when it is made smaller.
    pub fn list(mut self, separator: &'static str, least: usize, items: Vec<Expression>) -> Expression {
        self.parts.push(Part::List { separator, least, items });
        self
    }

    /// `$name(arguments)`
    pub fn call(name: impl Into<Cow<'static, str>>, arguments: Vec<Expression>) -> Expression {
        Expression::of(power::ATOM).text("$").text(name).text("(").list(", ", 0, arguments).text(")")
    }

    /// `left operator right`, where the operator binds so strongly.
    pub fn infix(left: Expression, operator: &'static str, right: Expression, power: u8) -> Expression {
        Expression::of(power).operand(power, left).text(" ").text(operator).text(" ").operand(power + 1, right)
    }

    /// Everything one step smaller, largest pieces taken out first.
    pub fn smaller(&self) -> Vec<Expression> {
        let mut found = Vec::new();
        // Something from inside, alone.
        self.inside(&mut |inner| found.push(inner.clone()));
        for (place, part) in self.parts.iter().enumerate() {
            let mut put = |part: Part| {
                let mut changed = self.clone();
                changed.parts[place] = part;
                found.push(changed);
            };
            match part {
                Part::Text(_) => {}
                Part::Operand(least, operand) => {
                    operand.inside(&mut |inner| put(Part::Operand(*least, inner.clone())));
                    for plain in operand.plain() {
                        put(Part::Operand(*least, plain));
                    }
                    operand.smaller().into_iter().for_each(|smaller| put(Part::Operand(*least, smaller)));
                }
                Part::List { separator, least, items } => {
                    let mut put_items = |items| put(Part::List { separator, least: *least, items });
                    for gone in 0..items.len() {
                        if items.len() > *least {
                            let mut fewer = items.clone();
                            fewer.remove(gone);
                            put_items(fewer);
                        }
                    }
                    for (at, item) in items.iter().enumerate() {
                        let mut replace = |item| {
                            let mut changed = items.clone();
                            changed[at] = item;
                            put_items(changed);
                        };
                        if item.alone {
                            item.inside(&mut |inner| replace(inner.clone()));
                            item.plain().into_iter().for_each(&mut replace);
                        }
                        item.smaller().into_iter().filter(|smaller| smaller.alone == item.alone).for_each(replace);
                    }
                }
            }
        }
        found.retain(|smaller| smaller.to_string().len() < self.to_string().len());
        found
    }

    /// Calls with every expression directly inside this one.
    fn inside(&self, act: &mut dyn FnMut(&Expression)) {
        for part in &self.parts {
            let inner: &[Expression] = match part {
                Part::Text(_) => continue,
                Part::Operand(_, operand) => std::slice::from_ref(operand),
                Part::List { items, .. } => items,
            };
            for expression in inner {
                if expression.alone { act(expression) } else { expression.inside(act) }
            }
        }
    }

    /// The plainest expressions, to stand for this one.
    fn plain(&self) -> Vec<Expression> {
        let length = self.to_string().len();
        ["1", "\"\"", "[]", "{}", "$", "a"]
            .iter()
            .filter(|text| text.len() < length)
            .map(|text| Expression::atom(*text))
            .collect()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Operand(least, operand) if operand.power < *least => write!(f, "({operand})")?,
                Part::Operand(_, operand) => write!(f, "{operand}")?,
                Part::List { separator, items, .. } => {
                    for (place, item) in items.iter().enumerate() {
                        if place > 0 {
                            f.write_str(separator)?;
                        }
                        write!(f, "{item}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, power};

    #[test]
    fn brackets_stand_where_they_are_needed() {
        let sum = Expression::infix(Expression::atom("a"), "+", Expression::atom("b"), 50);
        let product = Expression::infix(sum.clone(), "*", Expression::atom("c"), 60);
        assert_eq!(product.to_string(), "(a + b) * c");
        assert_eq!(Expression::call("f", vec![sum]).to_string(), "$f(a + b)");
    }

    #[test]
    fn what_is_smaller_is_shorter_and_whole() {
        let predicate = Expression::piece().text("[").operand(power::LOOSE, Expression::atom("b")).text("]");
        let path = Expression::of(power::PATH).text("a").list("", 0, vec![predicate]);
        let smaller: Vec<String> = path.smaller().iter().map(ToString::to_string).collect();
        assert_eq!(smaller, ["b", "a"]);
    }
}
