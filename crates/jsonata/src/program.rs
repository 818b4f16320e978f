//! The compiled form: paths flattened into steps, names interned, functions resolved, tail calls marked.

use std::sync::Arc;

use stepwell_json::Json;

use crate::functions::Builtin;
use crate::regex::Regex;
use crate::signature::Signature;
use crate::syntax::Operator;

/// An interned name: an index into [`Program::names`].
pub(crate) type Name = u32;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) body: Node,
    pub(crate) names: Vec<NameInfo>,
    /// For every `%`, the variable that holds what it means.
    pub(crate) ancestors: Vec<Name>,
}

/// What is known of a name without evaluating.
#[derive(Debug)]
pub(crate) struct NameInfo {
    pub(crate) text: Arc<str>,
    /// Something in the expression binds it, so frames must be searched for it.
    pub(crate) bound: bool,
    pub(crate) builtin: Option<&'static Builtin>,
}

/// What to evaluate, and what to do with the result.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) position: usize,
    /// A result of one item stays an array.
    pub(crate) keep_array: bool,
    /// Filters on the result as a whole.
    pub(crate) predicates: Vec<Node>,
    pub(crate) group: Option<Box<Group>>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// A literal.
    Constant(Json),
    Number(f64),
    /// A member of the context.
    Field(Arc<str>),
    /// `$`
    Context,
    /// `$$`
    Root,
    Variable(Name),
    Wildcard,
    Descendants,
    /// `%`: an index into [`Program::ancestors`].
    Parent(usize),
    Regex(Arc<Regex>),
    Path(Path),
    Operator {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    Negate(Box<Node>),
    Array {
        items: Vec<Node>,
        cons: bool,
    },
    Object(Group),
    Block {
        expressions: Vec<Node>,
        scoped: bool,
    },
    Bind {
        name: Name,
        value: Box<Node>,
    },
    Condition {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Option<Box<Node>>,
    },
    Coalesce {
        left: Box<Node>,
        right: Box<Node>,
    },
    Default {
        left: Box<Node>,
        right: Box<Node>,
    },
    Call(Box<Call>),
    Partial {
        procedure: Box<Node>,
        arguments: Vec<Option<Node>>,
        name: Option<Arc<str>>,
    },
    Apply {
        left: Box<Node>,
        right: Box<Node>,
    },
    Lambda(Arc<Lambda>),
    Transform(Arc<Transform>),
    /// Only a step of a path.
    Sort(Vec<SortTerm>),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) procedure: Node,
    pub(crate) arguments: Vec<Node>,
    /// What errors call the function: a variable or the first step of a path.
    pub(crate) name: Option<Arc<str>>,
    /// The procedure is a path, so a `$` may have been forgotten.
    pub(crate) by_path: bool,
}

#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) parameters: Vec<Name>,
    pub(crate) signature: Option<Signature>,
    pub(crate) body: Node,
}

#[derive(Debug)]
pub(crate) struct Transform {
    pub(crate) pattern: Node,
    pub(crate) update: Node,
    pub(crate) delete: Option<Node>,
    pub(crate) position: usize,
}

/// `{key: value, ...}`
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) pairs: Vec<(Node, Node)>,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) struct SortTerm {
    pub(crate) term: Node,
    pub(crate) descending: bool,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    /// A result of one item stays an array.
    pub(crate) keep_singleton: bool,
    /// The result carries its tuples to the path around it.
    pub(crate) tuple: bool,
    /// Some step binds variables.
    pub(crate) binds: bool,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) node: Node,
    pub(crate) stages: Vec<Stage>,
    /// `@$name`
    pub(crate) focus: Option<Name>,
    /// `#$name`
    pub(crate) index: Option<Name>,
    /// A `%` later in the path means the context of this step.
    pub(crate) ancestor: Option<Name>,
    /// This step and those behind it work on tuples.
    pub(crate) tuple: bool,
}

#[derive(Debug)]
pub(crate) enum Stage {
    Filter(Node),
    Index(Name),
}

impl Node {
    /// Nothing is to be done with the result.
    pub(crate) fn is_plain(&self) -> bool {
        self.predicates.is_empty() && self.group.is_none() && !self.keep_array
    }
}

impl Step {
    /// The name this step looks up, if it does nothing else.
    pub(crate) fn plain_field(&self) -> Option<&Arc<str>> {
        match &self.node.kind {
            Kind::Field(name) if self.stages.is_empty() && self.node.is_plain() => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_variable(&self) -> bool {
        matches!(self.node.kind, Kind::Variable(_) | Kind::Context | Kind::Root)
    }
}

impl Node {
    /// An array constructor in a path, or a block that gives one: evaluated once, not per item.
    pub(crate) fn is_cons(&self) -> bool {
        match &self.kind {
            Kind::Array { cons, .. } => *cons,
            Kind::Block { expressions, .. } => expressions.iter().any(|part| match &part.kind {
                Kind::Path(path) => path.steps.first().is_some_and(|step| step.node.is_cons()),
                _ => part.is_cons(),
            }),
            _ => false,
        }
    }
}
