//! Payload templates: a JSON tree whose keys ending in `.$` have expressions for values.

use std::sync::Arc;

use stepwell_json::{DEPTH_MAX, Json, ObjectBuilder, Pointer};

use crate::error::{EvaluationError, EvaluationErrorKind, TemplateFault};
use crate::expression::{Sight, ValueExpression, sorted_once};
use crate::scope::Scope;

/// A compiled payload template. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct Template(Arc<Node>);

#[derive(Debug)]
enum Node {
    /// Nothing to evaluate in it: shared as it is.
    Static(Json),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
struct Member {
    /// The key of the payload, without the suffix.
    name: Arc<str>,
    value: MemberValue,
}

#[derive(Debug)]
enum MemberValue {
    Node(Node),
    Expression {
        /// The key as it was written.
        field: Arc<str>,
        expression: ValueExpression,
    },
}

impl Template {
    /// Compiles a template, or reports everything that is wrong with it.
    pub fn compile(template: &Json) -> Result<Template, Vec<TemplateFault>> {
        let mut faults = Vec::new();
        let node = compile(template, &Pointer::root(), &mut faults);
        if faults.is_empty() { Ok(Template(Arc::new(node))) } else { Err(faults) }
    }

    /// The payload: the template with its expressions replaced by their values.
    ///
    /// Fails with the first expression, in the order they are written, that has no value.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Json, EvaluationError> {
        let payload = evaluate(&self.0, &Sight::new(scope))?;
        if payload.depth() > DEPTH_MAX {
            return Err(EvaluationError {
                kind: EvaluationErrorKind::TooExpensive,
                field: String::new(),
                expression: String::new(),
                argument: None,
                message: format!("The payload nests deeper than {DEPTH_MAX} levels"),
            });
        }
        Ok(payload)
    }

    /// Names of the variables it reads, sorted, each once.
    pub fn variables(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        collect_variables(&self.0, &mut names);
        sorted_once(names)
    }

    /// Whether it has no expressions, and so always gives the same payload.
    pub fn is_static(&self) -> bool {
        matches!(*self.0, Node::Static(_))
    }
}

fn compile(template: &Json, pointer: &Pointer, faults: &mut Vec<TemplateFault>) -> Node {
    match template {
        Json::Array(items) => {
            let compile_item = |(place, item)| compile(item, &pointer.index(place), faults);
            let nodes: Vec<Node> = items.iter().enumerate().map(compile_item).collect();
            let is_static = nodes.iter().all(|node| matches!(node, Node::Static(_)));
            if is_static { Node::Static(template.clone()) } else { Node::Array(nodes) }
        }
        Json::Object(members) => {
            let compile_member = |(key, value)| compile_member(key, value, &pointer.key(key), faults);
            let members: Vec<Member> = members.iter().map(compile_member).collect();
            let is_static = members.iter().all(|member| matches!(member.value, MemberValue::Node(Node::Static(_))));
            if is_static { Node::Static(template.clone()) } else { Node::Object(members) }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Node::Static(template.clone()),
    }
}

fn compile_member(key: &Arc<str>, value: &Json, pointer: &Pointer, faults: &mut Vec<TemplateFault>) -> Member {
    let Some(name) = key.strip_suffix(".$") else {
        return Member { name: key.clone(), value: MemberValue::Node(compile(value, pointer, faults)) };
    };
    let mut report = |message: String, offset: usize| {
        faults.push(TemplateFault { pointer: pointer.clone(), field: key.to_string(), message, offset });
    };
    let value = match value {
        Json::String(text) => match ValueExpression::parse(text) {
            Ok(expression) => MemberValue::Expression { field: key.clone(), expression },
            Err(error) => {
                report(error.message, error.offset);
                MemberValue::Node(Node::Static(Json::Null))
            }
        },
        _ => {
            report(
                format!("Expected a path or an intrinsic function call, not a value of type {}", value.kind().name()),
                0,
            );
            MemberValue::Node(Node::Static(Json::Null))
        }
    };
    Member { name: name.into(), value }
}

fn evaluate(node: &Node, sight: &Sight<'_>) -> Result<Json, EvaluationError> {
    match node {
        Node::Static(value) => Ok(value.clone()),
        Node::Array(nodes) => {
            let items = nodes.iter().map(|node| evaluate(node, sight)).collect::<Result<Vec<Json>, _>>()?;
            Ok(Json::array(items))
        }
        Node::Object(members) => {
            let mut payload = ObjectBuilder::with_capacity(members.len());
            for member in members {
                let value = match &member.value {
                    MemberValue::Node(node) => evaluate(node, sight)?,
                    MemberValue::Expression { field, expression } => expression
                        .evaluate_in(sight)
                        .map_err(|error| EvaluationError { field: field.to_string(), ..error })?,
                };
                payload.insert(member.name.clone(), value);
            }
            Ok(Json::Object(payload.build()))
        }
    }
}

fn collect_variables(node: &Node, names: &mut Vec<Arc<str>>) {
    match node {
        Node::Static(_) => {}
        Node::Array(nodes) => nodes.iter().for_each(|node| collect_variables(node, names)),
        Node::Object(members) => members.iter().for_each(|member| match &member.value {
            MemberValue::Node(node) => collect_variables(node, names),
            MemberValue::Expression { expression, .. } => expression.collect_variables(names),
        }),
    }
}
