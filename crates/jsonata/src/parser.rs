//! Tokens into the syntax tree, by operator precedence (Pratt's algorithm).

use std::sync::Arc;

use crate::error::{Fault, Result};
use crate::lexer::{Lexer, Token, TokenKind};
use crate::signature::Signature;
use crate::stack::Stack;
use crate::syntax::{Operator, Syntax, SyntaxKind};

/// Longest expression, in bytes. A whole state machine definition is at most 1 MiB.
pub(crate) const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Deepest nesting of an expression: what analysis and evaluation walk recursively, so it bounds their stack.
pub(crate) const HEIGHT_MAX: usize = 256;

/// Parses a whole expression.
pub(crate) fn parse(text: &str) -> Result<Syntax> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Fault::new("U1002").at(0));
    }
    let mut lexer = Lexer::new(text);
    let token = lexer.next(false)?;
    let mut parser = Parser { lexer, token, depth: 0, stack: Stack::here() };
    let syntax = parser.expression(0)?;
    match parser.token.kind {
        TokenKind::End => Ok(syntax),
        _ => Err(Fault::new("S0201").at(parser.token.position).token(parser.token.kind.shown())),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token not yet consumed.
    token: Token,
    depth: usize,
    stack: Stack,
}

/// How strongly a token binds the operand on its left.
fn binding_power(token: &TokenKind) -> u8 {
    let TokenKind::Operator(operator) = token else { return 0 };
    match *operator {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "in" | "?:" | "??" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

/// A node over these children.
fn node(kind: SyntaxKind, position: usize, below: usize) -> Result<Syntax> {
    if below >= HEIGHT_MAX {
        return Err(Fault::new("U1002").at(position));
    }
    Ok(Syntax { kind, position, keep_array: false, height: below + 1 })
}

fn tallest<'s>(nodes: impl IntoIterator<Item = &'s Syntax>) -> usize {
    nodes.into_iter().map(|node| node.height).max().unwrap_or(0)
}

fn tallest_pair(pairs: &[(Syntax, Syntax)]) -> usize {
    pairs.iter().map(|(key, value)| key.height.max(value.height)).max().unwrap_or(0)
}

impl Parser<'_> {
    fn at(&self, operator: &str) -> bool {
        matches!(self.token.kind, TokenKind::Operator(found) if found == operator)
    }

    /// Consumes the current token.
    fn advance(&mut self, after_operand: bool) -> Result<Token> {
        let next = self.lexer.next(after_operand)?;
        if let TokenKind::Operator(operator @ ("!" | "~")) = next.kind {
            return Err(Fault::new("S0204").at(next.position).token(operator));
        }
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Consumes the current token, which must be this operator.
    fn expect(&mut self, operator: &'static str, after_operand: bool) -> Result<()> {
        if self.at(operator) {
            return self.advance(after_operand).map(drop);
        }
        let code = if self.token.kind == TokenKind::End { "S0203" } else { "S0202" };
        Err(Fault::new(code).at(self.token.position).token(self.token.kind.shown()).text(operator))
    }

    /// An expression of operators that bind more strongly than `power`.
    fn expression(&mut self, power: u8) -> Result<Syntax> {
        self.depth += 1;
        if self.depth > HEIGHT_MAX || self.stack.is_exhausted() {
            return Err(Fault::new("U1002").at(self.token.position));
        }
        let mut left = self.operand()?;
        while power < binding_power(&self.token.kind) {
            let token = self.advance(false)?;
            left = self.after(left, token)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A token where an operand is due.
    fn operand(&mut self) -> Result<Syntax> {
        // After an opening bracket or a sign a `/` starts a regular expression; after anything else it divides.
        let opens = ["(", "[", "{", "-", "|"].iter().any(|operator| self.at(operator));
        let token = self.advance(!opens)?;
        let position = token.position;
        let kind = match token.kind {
            TokenKind::Text(text) => SyntaxKind::Text(text),
            TokenKind::Number(number) => SyntaxKind::Number(number),
            TokenKind::True => SyntaxKind::Bool(true),
            TokenKind::False => SyntaxKind::Bool(false),
            TokenKind::Null => SyntaxKind::Null,
            TokenKind::Name(name) => SyntaxKind::Name(name),
            TokenKind::Variable(name) => SyntaxKind::Variable(name),
            TokenKind::Regex(source) => SyntaxKind::Regex(source),
            TokenKind::End => SyntaxKind::End,
            TokenKind::Operator(operator) => return self.prefix(operator, position),
        };
        node(kind, position, 0)
    }

    fn prefix(&mut self, operator: &'static str, position: usize) -> Result<Syntax> {
        match operator {
            "and" | "or" | "in" => node(SyntaxKind::Name(operator.into()), position, 0),
            "*" => node(SyntaxKind::Wildcard, position, 0),
            "**" => node(SyntaxKind::Descendants, position, 0),
            "%" => node(SyntaxKind::Parent, position, 0),
            "-" => {
                let operand = self.expression(70)?;
                let height = operand.height;
                node(SyntaxKind::Negate(Box::new(operand)), position, height)
            }
            "(" => self.block(position),
            "[" => self.array(position),
            "{" => {
                let pairs = self.pairs()?;
                let height = tallest_pair(&pairs);
                node(SyntaxKind::Object(pairs), position, height)
            }
            "|" => self.transform(position),
            _ => Err(Fault::new("S0211").at(position).token(operator)),
        }
    }

    /// An operator behind its left operand.
    fn after(&mut self, left: Syntax, token: Token) -> Result<Syntax> {
        let position = token.position;
        let TokenKind::Operator(operator) = token.kind else {
            return Err(Fault::new("S0201").at(position).token(token.kind.shown()));
        };
        match operator {
            "(" => self.call(left, position),
            "[" => self.filter(left, position),
            "{" => {
                let pairs = self.pairs()?;
                let height = tallest_pair(&pairs).max(left.height);
                node(SyntaxKind::Group { left: Box::new(left), pairs }, position, height)
            }
            "^" => self.order_by(left, position),
            "@" | "#" => self.binding(left, operator, position),
            ":=" => self.bind(left, position),
            "?" => self.condition(left, position),
            _ => self.infix(left, operator, position),
        }
    }

    fn infix(&mut self, left: Syntax, operator: &'static str, position: usize) -> Result<Syntax> {
        // The right sides of `?:` and `??` reach as far as that of a condition does.
        let power = if matches!(operator, "?:" | "??") { 0 } else { binding_power(&TokenKind::Operator(operator)) };
        let right = self.expression(power)?;
        let height = left.height.max(right.height);
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match (operator, Operator::from_token(operator)) {
            (".", _) => SyntaxKind::Dot { left, right },
            ("~>", _) => SyntaxKind::Apply { left, right },
            ("??", _) => SyntaxKind::Coalesce { left, right },
            ("?:", _) => SyntaxKind::Default { left, right },
            (_, Some(operator)) => SyntaxKind::Operator { operator, left, right },
            (_, None) => return Err(Fault::new("S0201").at(position).token(operator)),
        };
        node(kind, position, height)
    }

    fn block(&mut self, position: usize) -> Result<Syntax> {
        let mut expressions = Vec::new();
        while !self.at(")") {
            expressions.push(self.expression(0)?);
            if !self.at(";") {
                break;
            }
            self.expect(";", false)?;
        }
        self.expect(")", true)?;
        let height = tallest(&expressions);
        node(SyntaxKind::Block(expressions), position, height)
    }

    fn array(&mut self, position: usize) -> Result<Syntax> {
        let mut items = Vec::new();
        if !self.at("]") {
            loop {
                let mut item = self.expression(0)?;
                if self.at("..") {
                    let range = self.advance(false)?;
                    let last = self.expression(0)?;
                    let height = item.height.max(last.height);
                    let (left, right) = (Box::new(item), Box::new(last));
                    let kind = SyntaxKind::Operator { operator: Operator::Range, left, right };
                    item = node(kind, range.position, height)?;
                }
                items.push(item);
                if !self.at(",") {
                    break;
                }
                self.expect(",", false)?;
            }
        }
        self.expect("]", true)?;
        let height = tallest(&items);
        node(SyntaxKind::Array(items), position, height)
    }

    /// `key: value, ... }` of an object constructor or a grouping.
    fn pairs(&mut self) -> Result<Vec<(Syntax, Syntax)>> {
        let mut pairs = Vec::new();
        if !self.at("}") {
            loop {
                let key = self.expression(0)?;
                self.expect(":", false)?;
                pairs.push((key, self.expression(0)?));
                if !self.at(",") {
                    break;
                }
                self.expect(",", false)?;
            }
        }
        self.expect("}", true)?;
        Ok(pairs)
    }

    fn transform(&mut self, position: usize) -> Result<Syntax> {
        let pattern = self.expression(0)?;
        self.expect("|", false)?;
        let update = self.expression(0)?;
        let mut delete = None;
        if self.at(",") {
            self.expect(",", false)?;
            delete = Some(Box::new(self.expression(0)?));
        }
        self.expect("|", true)?;
        let height = pattern.height.max(update.height).max(delete.as_ref().map_or(0, |delete| delete.height));
        node(SyntaxKind::Transform { pattern: Box::new(pattern), update: Box::new(update), delete }, position, height)
    }

    fn filter(&mut self, mut left: Syntax, position: usize) -> Result<Syntax> {
        if self.at("]") {
            // An empty predicate marks the step below all predicates: its result stays an array.
            let mut step = &mut left;
            while let SyntaxKind::Filter { left, .. } = &mut step.kind {
                step = left;
            }
            step.keep_array = true;
            self.expect("]", true)?;
            return Ok(left);
        }
        let predicate = self.expression(0)?;
        self.expect("]", true)?;
        let height = left.height.max(predicate.height);
        node(SyntaxKind::Filter { left: Box::new(left), predicate: Box::new(predicate) }, position, height)
    }

    fn order_by(&mut self, left: Syntax, position: usize) -> Result<Syntax> {
        self.expect("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.at(">");
            if descending || self.at("<") {
                self.advance(false)?;
            }
            terms.push((self.expression(0)?, descending));
            if !self.at(",") {
                break;
            }
            self.expect(",", false)?;
        }
        self.expect(")", true)?;
        let height = terms.iter().map(|(term, _)| term.height).max().unwrap_or(0).max(left.height);
        node(SyntaxKind::OrderBy { left: Box::new(left), terms }, position, height)
    }

    fn binding(&mut self, left: Syntax, operator: &'static str, position: usize) -> Result<Syntax> {
        let right = self.expression(80)?;
        let SyntaxKind::Variable(name) = right.kind else {
            return Err(Fault::new("S0214").at(right.position).token(operator));
        };
        let height = left.height;
        let left = Box::new(left);
        let kind = if operator == "@" { SyntaxKind::Focus { left, name } } else { SyntaxKind::Index { left, name } };
        node(kind, position, height)
    }

    fn bind(&mut self, left: Syntax, position: usize) -> Result<Syntax> {
        let SyntaxKind::Variable(name) = left.kind else {
            return Err(Fault::new("S0212").at(left.position));
        };
        let value = self.expression(9)?;
        let height = value.height;
        node(SyntaxKind::Bind { name, value: Box::new(value) }, position, height)
    }

    fn condition(&mut self, condition: Syntax, position: usize) -> Result<Syntax> {
        let then = self.expression(0)?;
        let mut otherwise = None;
        if self.at(":") {
            self.expect(":", false)?;
            otherwise = Some(Box::new(self.expression(0)?));
        }
        let height = condition.height.max(then.height).max(otherwise.as_ref().map_or(0, |node| node.height));
        let (condition, then) = (Box::new(condition), Box::new(then));
        node(SyntaxKind::Condition { condition, then, otherwise }, position, height)
    }

    fn call(&mut self, procedure: Syntax, position: usize) -> Result<Syntax> {
        let mut arguments: Vec<Option<Syntax>> = Vec::new();
        if !self.at(")") {
            loop {
                if self.at("?") {
                    self.advance(true)?;
                    arguments.push(None);
                } else {
                    arguments.push(Some(self.expression(0)?));
                }
                if !self.at(",") {
                    break;
                }
                self.expect(",", false)?;
            }
        }
        self.expect(")", true)?;
        if let SyntaxKind::Name(name) = &procedure.kind
            && matches!(&**name, "function" | "λ")
        {
            return self.lambda(arguments, position);
        }
        let height = tallest(arguments.iter().flatten()).max(procedure.height);
        let procedure = Box::new(procedure);
        let kind = if arguments.iter().any(Option::is_none) {
            SyntaxKind::Partial { procedure, arguments }
        } else {
            SyntaxKind::Call { procedure, arguments: arguments.into_iter().flatten().collect() }
        };
        node(kind, position, height)
    }

    fn lambda(&mut self, arguments: Vec<Option<Syntax>>, position: usize) -> Result<Syntax> {
        let mut parameters: Vec<Arc<str>> = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.into_iter().enumerate() {
            match argument.map(|argument| (argument.kind, argument.position)) {
                Some((SyntaxKind::Variable(name), _)) => parameters.push(name),
                other => {
                    let at = other.map_or(position, |(_, at)| at);
                    return Err(Fault::new("S0208").at(at).argument(place + 1));
                }
            }
        }
        let mut signature = None;
        if self.at("<") {
            let start = self.token.position;
            let Some(text) = self.lexer.signature() else {
                return Err(Fault::new("S0202").at(start).token("{").text(">"));
            };
            signature = Some(Signature::parse(&text).map_err(|(code, offset)| Fault::new(code).at(start + offset))?);
            self.advance(false)?;
        }
        self.expect("{", false)?;
        let body = self.expression(0)?;
        self.expect("}", true)?;
        let height = body.height;
        node(SyntaxKind::Lambda { parameters, signature, body: Box::new(body) }, position, height)
    }
}
