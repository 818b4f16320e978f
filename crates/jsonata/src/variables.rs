//! Which variables an expression reads from outside, and which of their members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::functions;
use crate::syntax::{Syntax, SyntaxKind};

/// Free variables, and what is read of each.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) names: Vec<Arc<str>>,
    members: BTreeMap<Arc<str>, Members>,
}

#[derive(Debug)]
enum Members {
    /// Every use is followed by one of these names.
    Only(BTreeSet<Arc<str>>),
    All,
}

impl Reads {
    /// Whether this member of this variable can be read.
    pub(crate) fn may_read(&self, variable: &str, member: &str) -> bool {
        match self.members.get(variable) {
            None => false,
            Some(Members::All) => true,
            Some(Members::Only(names)) => names.contains(member),
        }
    }

    /// The reads of an expression.
    pub(crate) fn of(syntax: &Syntax) -> Reads {
        let mut walk = Walk { scopes: vec![Scope::of_block(std::slice::from_ref(syntax))], reads: Reads::default() };
        walk.visit(syntax);
        let mut reads = walk.reads;
        reads.names = reads.members.keys().cloned().collect();
        reads
    }
}

/// Names bound in one scope.
struct Scope {
    /// By what has been visited so far.
    bound: Vec<Arc<str>>,
    /// By anything in the scope, earlier or later: what a function called afterwards will see.
    eventually: Vec<Arc<str>>,
    /// The scope is a function's: what is outside of it is seen when the function is called.
    is_function: bool,
}

impl Scope {
    fn of_block(expressions: &[Syntax]) -> Scope {
        let mut eventually = Vec::new();
        expressions.iter().for_each(|expression| collect_bindings(expression, &mut eventually));
        Scope { bound: Vec::new(), eventually, is_function: false }
    }
}

/// The names that `:=` binds in this scope, not in blocks or functions inside.
fn collect_bindings(syntax: &Syntax, names: &mut Vec<Arc<str>>) {
    if let SyntaxKind::Bind { name, .. } = &syntax.kind {
        names.push(name.clone());
    }
    if !matches!(syntax.kind, SyntaxKind::Block(_) | SyntaxKind::Lambda { .. }) {
        each_child(syntax, &mut |child| collect_bindings(child, names));
    }
}

struct Walk {
    scopes: Vec<Scope>,
    reads: Reads,
}

impl Walk {
    fn visit(&mut self, syntax: &Syntax) {
        match &syntax.kind {
            SyntaxKind::Variable(name) => self.read(name, None),
            SyntaxKind::Bind { name, value } => {
                self.visit(value);
                self.bind(name);
            }
            SyntaxKind::Block(expressions) => self.within(Scope::of_block(expressions), |walk| {
                expressions.iter().for_each(|expression| walk.visit(expression));
            }),
            SyntaxKind::Lambda { parameters, body, .. } => {
                let mut scope = Scope::of_block(std::slice::from_ref(body));
                scope.bound.clone_from(parameters);
                scope.is_function = true;
                self.within(scope, |walk| walk.visit(body));
            }
            kind if is_path(kind) => {
                // Focus and index variables live as long as their path.
                self.within(Scope::of_block(&[]), |walk| walk.visit_path(syntax));
            }
            _ => each_child(syntax, &mut |child| self.visit(child)),
        }
    }

    fn visit_path(&mut self, syntax: &Syntax) {
        match &syntax.kind {
            SyntaxKind::Dot { left, right } => {
                match &left.kind {
                    SyntaxKind::Variable(name) => self.read(name, member_name(right)),
                    _ => self.visit_left(left),
                }
                self.visit_left(right);
            }
            SyntaxKind::Focus { left, name } | SyntaxKind::Index { left, name } => {
                self.visit_left(left);
                if let Some(scope) = self.scopes.last_mut() {
                    scope.bound.push(name.clone());
                }
            }
            SyntaxKind::Filter { left, predicate } => {
                self.visit_left(left);
                self.visit(predicate);
            }
            SyntaxKind::Group { left, pairs } => {
                self.visit_left(left);
                pairs.iter().for_each(|(key, value)| {
                    self.visit(key);
                    self.visit(value);
                });
            }
            SyntaxKind::OrderBy { left, terms } => {
                self.visit_left(left);
                terms.iter().for_each(|(term, _)| self.visit(term));
            }
            _ => self.visit(syntax),
        }
    }

    fn visit_left(&mut self, syntax: &Syntax) {
        if is_path(&syntax.kind) { self.visit_path(syntax) } else { self.visit(syntax) }
    }

    fn within(&mut self, scope: Scope, visit: impl FnOnce(&mut Walk)) {
        self.scopes.push(scope);
        visit(self);
        self.scopes.pop();
    }

    fn bind(&mut self, name: &Arc<str>) {
        // Path scopes are not scopes of `:=`, and a name bound on the way out of one stays bound.
        self.scopes.iter_mut().rev().for_each(|scope| {
            if scope.eventually.contains(name) && !scope.bound.contains(name) {
                scope.bound.push(name.clone());
            }
        });
    }

    fn read(&mut self, name: &Arc<str>, member: Option<&Arc<str>>) {
        let mut in_function = false;
        for scope in self.scopes.iter().rev() {
            if scope.bound.contains(name) || in_function && scope.eventually.contains(name) {
                return;
            }
            in_function |= scope.is_function;
        }
        if name.is_empty() || &**name == "$" || functions::find(name).is_some() {
            return;
        }
        let members = self.reads.members.entry(name.clone()).or_insert_with(|| Members::Only(BTreeSet::new()));
        match (members, member) {
            (Members::Only(names), Some(member)) => drop(names.insert(member.clone())),
            (members, None) => *members = Members::All,
            (Members::All, Some(_)) => {}
        }
    }
}

fn is_path(kind: &SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::Dot { .. }
            | SyntaxKind::Filter { .. }
            | SyntaxKind::Group { .. }
            | SyntaxKind::OrderBy { .. }
            | SyntaxKind::Focus { .. }
            | SyntaxKind::Index { .. }
    )
}

/// The name a step looks up, under its predicates and bindings.
fn member_name(step: &Syntax) -> Option<&Arc<str>> {
    match &step.kind {
        SyntaxKind::Name(name) | SyntaxKind::Text(name) => Some(name),
        SyntaxKind::Filter { left, .. } | SyntaxKind::Focus { left, .. } | SyntaxKind::Index { left, .. } => {
            member_name(left)
        }
        _ => None,
    }
}

/// Whether a direct child passes the test.
pub(crate) fn any_child(syntax: &Syntax, test: fn(&Syntax) -> bool) -> bool {
    let mut found = false;
    each_child(syntax, &mut |child| found = found || test(child));
    found
}

/// Calls `visit` with every direct child.
pub(crate) fn each_child<'s>(syntax: &'s Syntax, visit: &mut dyn FnMut(&'s Syntax)) {
    match &syntax.kind {
        SyntaxKind::Text(_)
        | SyntaxKind::Number(_)
        | SyntaxKind::Bool(_)
        | SyntaxKind::Null
        | SyntaxKind::Name(_)
        | SyntaxKind::Variable(_)
        | SyntaxKind::Wildcard
        | SyntaxKind::Descendants
        | SyntaxKind::Parent
        | SyntaxKind::Regex(_)
        | SyntaxKind::End => {}
        SyntaxKind::Operator { left, right, .. }
        | SyntaxKind::Dot { left, right }
        | SyntaxKind::Apply { left, right }
        | SyntaxKind::Coalesce { left, right }
        | SyntaxKind::Default { left, right }
        | SyntaxKind::Filter { left, predicate: right } => {
            visit(left);
            visit(right);
        }
        SyntaxKind::Group { left, pairs } => {
            visit(left);
            pairs.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            });
        }
        SyntaxKind::OrderBy { left, terms } => {
            visit(left);
            terms.iter().for_each(|(term, _)| visit(term));
        }
        SyntaxKind::Focus { left, .. } | SyntaxKind::Index { left, .. } => visit(left),
        SyntaxKind::Bind { value, .. } => visit(value),
        SyntaxKind::Condition { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            otherwise.iter().for_each(|otherwise| visit(otherwise));
        }
        SyntaxKind::Negate(operand) => visit(operand),
        SyntaxKind::Block(expressions) | SyntaxKind::Array(expressions) => expressions.iter().for_each(visit),
        SyntaxKind::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        SyntaxKind::Call { procedure, arguments } => {
            visit(procedure);
            arguments.iter().for_each(visit);
        }
        SyntaxKind::Partial { procedure, arguments } => {
            visit(procedure);
            arguments.iter().flatten().for_each(visit);
        }
        SyntaxKind::Lambda { body, .. } => visit(body),
        SyntaxKind::Transform { pattern, update, delete } => {
            visit(pattern);
            visit(update);
            delete.iter().for_each(|delete| visit(delete));
        }
    }
}
