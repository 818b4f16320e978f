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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct TestScope {
        input: Json,
        contexts: Cell<u32>,
    }

    impl TestScope {
        fn new(input: &str) -> TestScope {
            TestScope { input: Json::parse(input).expect("JSON"), contexts: Cell::new(0) }
        }
    }

    impl Scope for TestScope {
        fn input(&self) -> &Json {
            &self.input
        }

        fn context(&self) -> Json {
            self.contexts.set(self.contexts.get() + 1);
            Json::parse(r#"{"Execution":{"Id":"e-1","Input":{"k":1}},"State":{"Name":"S"}}"#).expect("JSON")
        }

        fn variable(&self, name: &str) -> Option<Json> {
            match name {
                "list" => Some(Json::array(vec![Json::from(1), Json::from(2)])),
                "empty" => Some(Json::Null),
                _ => None,
            }
        }

        fn draw(&self) -> u64 {
            0
        }
    }

    fn compile(template: &str) -> Result<Template, Vec<TemplateFault>> {
        Template::compile(&Json::parse(template).expect("JSON"))
    }

    fn check(template: &str, input: &str, expected: &str) {
        let payload = compile(template).expect(template).evaluate(&TestScope::new(input)).expect(template);
        assert_eq!(payload.to_string(), expected, "{template}");
    }

    #[test]
    fn payloads() {
        for (template, input, expected) in [
            (r#"{"a":1,"b":["$.x",{"c":"$"}]}"#, "{}", r#"{"a":1,"b":["$.x",{"c":"$"}]}"#),
            (r#"{"a.$":"$.x","b":2}"#, r#"{"x":[1.50]}"#, r#"{"a":[1.50],"b":2}"#),
            (r#"{"all.$":"$","id.$":"$$.Execution.Id"}"#, r#"{"x":1}"#, r#"{"all":{"x":1},"id":"e-1"}"#),
            (r#"{"v.$":"$list","w.$":"$list[1]","n.$":"$empty"}"#, "{}", r#"{"v":[1,2],"w":2,"n":null}"#),
            (
                r#"{"a":{"b":[{"c.$":"$.x"},[{"d.$":"$.y"}],0]}}"#,
                r#"{"x":1,"y":2}"#,
                r#"{"a":{"b":[{"c":1},[{"d":2}],0]}}"#,
            ),
            (
                r#"{"f.$":"States.Format('{}', $.x)","g.$":"States.Array($list, $$.State.Name)"}"#,
                r#"{"x":1}"#,
                r#"{"f":"1","g":[[1,2],"S"]}"#,
            ),
            (r#"{".$":"$.x","$":"$.x",".$.$":"$.x"}"#, r#"{"x":1}"#, r#"{"":1,"$":"$.x",".$":1}"#),
            (r#"{"items.$":"$.item.items[*]"}"#, "{}", r#"{"items":[]}"#),
            (
                r#"{"u.$":"$.users[?(@.status == 0)]"}"#,
                r#"{"users":[{"status":0},{"status":1}]}"#,
                r#"{"u":[{"status":0}]}"#,
            ),
            (r#""$.x""#, "{}", r#""$.x""#),
            ("[1,null]", "{}", "[1,null]"),
        ] {
            check(template, input, expected);
        }
    }

    #[test]
    fn every_fault_is_reported_where_it_is() {
        let template = r#"{"good.$":"$.a","one.$":23,"two":{"x/y":[{"bad.$":"ipsum"}]},"three.$":[1],"four.$":"$.a[","five.$":"States.Nope()",
            "six.$":"$$23","seven.$":null,"eight.$":"$.a..","nine.$":" $.a"}"#;
        let faults = compile(template).expect_err("faults");
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), &*fault.field, fault.offset)).collect();
        // `$.a[` is a path: the library overlooks its last character.
        assert_eq!(
            found,
            [
                ("/one.$", "one.$", 0),
                ("/two/x~1y/0/bad.$", "bad.$", 0),
                ("/three.$", "three.$", 0),
                ("/five.$", "five.$", 0),
                ("/six.$", "six.$", 2),
                ("/seven.$", "seven.$", 0),
                ("/eight.$", "eight.$", 4),
                ("/nine.$", "nine.$", 0),
            ]
        );
    }

    #[test]
    fn causes_are_those_aws_gives() {
        for (template, input, kind, cause) in [
            (
                r#"{"value.$":"$.no_such_jsonpath"}"#, // recorded
                r#"{"int-literal":0}"#,
                EvaluationErrorKind::PathNotFound,
                r#"The JSONPath '$.no_such_jsonpath' specified for the field 'value.$' could not be found in the input '{"int-literal":0}'"#,
            ),
            (
                r#"{"value.$":"$$.Execution.Input.no_such_jsonpath"}"#, // recorded
                r#"{"int-literal":0}"#,
                EvaluationErrorKind::PathNotFound,
                r#"The JSONPath '$$.Execution.Input.no_such_jsonpath' specified for the field 'value.$' could not be found in the input '{"int-literal":0}'"#,
            ),
            (
                r#"{"x":{"y.$":"States.Array($.a, $.optional)"}}"#,
                r#"{"a":1}"#,
                EvaluationErrorKind::PathNotFound,
                r#"The function 'States.Array($.a, $.optional)' had the following error: The JsonPath argument for the field '$.optional' could not be found in the input '{"a":1}'"#,
            ),
            (
                r#"{"y.$":"States.ArrayGetItem($.a, 3)"}"#,
                r#"{"a":[1]}"#,
                EvaluationErrorKind::Intrinsic,
                "The function 'States.ArrayGetItem($.a, 3)' had the following error: Index 3 is outside an array of 1 items",
            ),
            (
                r#"{"y.$":"$.a.sum()"}"#,
                r#"{"a":[]}"#,
                EvaluationErrorKind::PathInvalid,
                "Invalid path '$.a.sum()' : Aggregation function attempted to calculate value using empty array",
            ),
            (
                r#"{"y.$":"$nope.a"}"#,
                "{}",
                EvaluationErrorKind::UndefinedVariable,
                "The variable '$nope' is not defined",
            ),
            (
                r#"{"y.$":"$"}"#,
                "null",
                EvaluationErrorKind::NullDocument,
                "Unable to apply Path transformation to null or empty input.",
            ),
        ] {
            let scope = TestScope::new(input);
            let error = compile(template).expect(template).evaluate(&scope).expect_err(template);
            assert_eq!((error.kind, &*error.cause(scope.input())), (kind, cause));
        }
    }

    #[test]
    fn what_does_not_change_is_shared() {
        let template = Json::parse(r#"{"fixed":{"deep":[1,[2]]},"x.$":"$"}"#).expect("JSON");
        let payload =
            Template::compile(&template).expect("a template").evaluate(&TestScope::new("{}")).expect("a payload");
        let object = |json: &Json| json.get("fixed").and_then(Json::as_object).cloned().expect("an object");
        assert!(object(&template).is_same(&object(&payload)));
    }

    #[test]
    fn variables_and_statics() {
        let template = r#"{"a.$":"$b.x","c":[{"d.$":"States.Array($z, States.Format('{}', $a), $$.x, $.y, $b)"}]}"#;
        let names: Vec<String> =
            compile(template).expect("a template").variables().iter().map(|n| n.to_string()).collect();
        assert_eq!(names, ["a", "b", "z"]);
        assert!(compile(r#"{"a":[{"b":"$.x"}]}"#).expect("a template").is_static());
        assert!(!compile(r#"{"a":[{"b.$":"$.x"}]}"#).expect("a template").is_static());
    }

    #[test]
    fn the_context_is_asked_for_once_and_only_if_needed() {
        let count = |template: &str| {
            let scope = TestScope::new("{}");
            compile(template).expect(template).evaluate(&scope).expect(template);
            scope.contexts.get()
        };
        assert_eq!(count(r#"{"a.$":"$","b.$":"$list"}"#), 0);
        assert_eq!(count(r#"{"a.$":"$$","b.$":"States.Array($$.State.Name, $$.Execution.Id)"}"#), 1);
    }

    #[test]
    fn depth_is_bounded() {
        let nest = |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        let template = compile(&nest(300, r#"{"a.$":"$"}"#)).expect("a template");
        assert!(template.evaluate(&TestScope::new(&nest(200, ""))).is_ok());
        let error = template.evaluate(&TestScope::new(&nest(300, ""))).expect_err("too deep");
        assert_eq!(error.kind, EvaluationErrorKind::TooExpensive);
    }
}
