//! What an expression reads of its context at the top level: a field name, `$` or `$$` that no path leads to.
//!
//! In a workflow there is no such context, only variables, and AWS refuses expressions that ask for one.

use std::sync::Arc;

use crate::syntax::{Syntax, SyntaxKind};
use crate::variables::each_child;

/// A reference to the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopLevelReference {
    /// What is written: a field's name, `$` or `$$`.
    pub name: Arc<str>,
    /// Where it ends, in UTF-16 units from the start of the expression.
    pub position: usize,
}

/// The first reference to the context, in the order they are written.
///
/// Where another context may hold (a predicate, the right side of a path, a function's body), nothing is said.
pub(crate) fn first_reference(syntax: &Syntax) -> Option<TopLevelReference> {
    let found = |name: &str| Some(TopLevelReference { name: name.into(), position: syntax.position });
    match &syntax.kind {
        SyntaxKind::Name(name) => found(name),
        SyntaxKind::Variable(name) if name.is_empty() => found("$"),
        SyntaxKind::Variable(name) if &**name == "$" => found("$$"),
        SyntaxKind::Dot { left, .. }
        | SyntaxKind::Filter { left, .. }
        | SyntaxKind::Group { left, .. }
        | SyntaxKind::OrderBy { left, .. }
        | SyntaxKind::Focus { left, .. }
        | SyntaxKind::Index { left, .. } => first_reference(left),
        SyntaxKind::Lambda { .. } | SyntaxKind::Transform { .. } => None,
        _ => {
            let mut first = None;
            each_child(syntax, &mut |child| {
                if first.is_none() {
                    first = first_reference(child);
                }
            });
            first
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Expression;

    #[test]
    fn only_the_top_level_counts() {
        for (text, expected) in [
            ("phone", Some(("phone", 5))),
            ("1 + phone.home", Some(("phone", 9))),
            ("$", Some(("$", 1))),
            ("$count($$)", Some(("$$", 9))),
            ("{'a': [b]}", Some(("b", 8))),
            ("$states.input.phone", None),
            ("$states.input.items[price > 1].(a + b)^(c){d: $}", None),
            ("$map($states.input.a, function($v) { $v.b })", None),
            ("($x := 'text'; $x)", None),
            ("$states.input ~> |items|{'a': b}|", None),
        ] {
            let expression = Expression::parse(text).expect(text);
            let found = expression.top_level_reference();
            assert_eq!(found.map(|found| (&*found.name, found.position)), expected, "{text}");
        }
    }
}
