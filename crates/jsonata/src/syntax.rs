//! The syntax tree: what was written, before paths are flattened.

use std::sync::Arc;

use crate::lexer::RegexSource;
use crate::signature::Signature;

/// A node of the syntax tree.
#[derive(Debug)]
pub(crate) struct Syntax {
    pub(crate) kind: SyntaxKind,
    /// End of the token that names the node, in UTF-16 units.
    pub(crate) position: usize,
    /// `[]` was written behind it: a result of one item stays an array.
    pub(crate) keep_array: bool,
    /// Levels of nodes, this one included.
    pub(crate) height: usize,
}

#[derive(Debug)]
pub(crate) enum SyntaxKind {
    Text(Arc<str>),
    Number(f64),
    Bool(bool),
    Null,
    Name(Arc<str>),
    Variable(Arc<str>),
    Wildcard,
    Descendants,
    Parent,
    Regex(RegexSource),
    Operator {
        operator: Operator,
        left: Box<Syntax>,
        right: Box<Syntax>,
    },
    Dot {
        left: Box<Syntax>,
        right: Box<Syntax>,
    },
    Filter {
        left: Box<Syntax>,
        predicate: Box<Syntax>,
    },
    Group {
        left: Box<Syntax>,
        pairs: Vec<(Syntax, Syntax)>,
    },
    OrderBy {
        left: Box<Syntax>,
        terms: Vec<(Syntax, bool)>,
    },
    Focus {
        left: Box<Syntax>,
        name: Arc<str>,
    },
    Index {
        left: Box<Syntax>,
        name: Arc<str>,
    },
    Apply {
        left: Box<Syntax>,
        right: Box<Syntax>,
    },
    Bind {
        name: Arc<str>,
        value: Box<Syntax>,
    },
    Condition {
        condition: Box<Syntax>,
        then: Box<Syntax>,
        otherwise: Option<Box<Syntax>>,
    },
    /// `??`
    Coalesce {
        left: Box<Syntax>,
        right: Box<Syntax>,
    },
    /// `?:`
    Default {
        left: Box<Syntax>,
        right: Box<Syntax>,
    },
    Negate(Box<Syntax>),
    Block(Vec<Syntax>),
    Array(Vec<Syntax>),
    Object(Vec<(Syntax, Syntax)>),
    Call {
        procedure: Box<Syntax>,
        arguments: Vec<Syntax>,
    },
    /// A call where `None` is a `?`.
    Partial {
        procedure: Box<Syntax>,
        arguments: Vec<Option<Syntax>>,
    },
    Lambda {
        parameters: Vec<Arc<str>>,
        signature: Option<Signature>,
        body: Box<Syntax>,
    },
    Transform {
        pattern: Box<Syntax>,
        update: Box<Syntax>,
        delete: Option<Box<Syntax>>,
    },
    /// The end of the text, where an operand should have been.
    End,
}

/// Operators of two operands that evaluate both and compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concatenate,
    And,
    Or,
    In,
    Range,
}

impl Operator {
    pub(crate) fn from_token(token: &str) -> Option<Operator> {
        Some(match token {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "%" => Operator::Modulo,
            "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "&" => Operator::Concatenate,
            "and" => Operator::And,
            "or" => Operator::Or,
            "in" => Operator::In,
            ".." => Operator::Range,
            _ => return None,
        })
    }

    pub(crate) fn token(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Modulo => "%",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Concatenate => "&",
            Operator::And => "and",
            Operator::Or => "or",
            Operator::In => "in",
            Operator::Range => "..",
        }
    }
}
