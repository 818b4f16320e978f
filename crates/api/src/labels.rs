//! The item processor of a distributed Map state, which has an ARN of its own: `stateMachine:NAME/LABEL`.

use std::iter::successors;

use stepwell_asl::{Definition, State, WorkflowId, variable_references};
use stepwell_interpreter::map_label;
use stepwell_json::Spanned;
use stepwell_spec::Text;

/// What is shown of a definition, or of a part of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    /// The text, as it was given.
    pub(crate) definition: Text,
    /// Whether executions of it are Express.
    pub(crate) express: bool,
    /// The states that read variables, with the names they read.
    pub(crate) variable_references: Vec<(Text, Vec<Text>)>,
}

/// The item processor of the distributed Map state that has this label, in a definition of this text.
pub(crate) fn item_processor(definition: &Definition, text: &str, label: &str) -> Option<Shown> {
    let (state, map, express) = definition.states.iter().find_map(|state| {
        let (map, distributed) = state.kind.distributed_map()?;
        let is_asked_for = *map_label(distributed, &state.name) == *label;
        is_asked_for.then_some((state, map, distributed.express_children))
    })?;
    let mut variable_references = variable_references(definition);
    variable_references.retain(|(name, _)| is_inside(definition, name, map.processor));
    Some(Shown { definition: processor_text(text, state)?.into(), express, variable_references })
}

fn processor_text<'a>(text: &'a str, state: &State) -> Option<&'a str> {
    let state = text.get(state.span.start..state.span.end)?;
    let members = Spanned::parse(state).ok()?;
    let processor = members.get("ItemProcessor").or_else(|| members.get("Iterator"))?.value.span;
    state.get(processor.start..processor.end)
}

/// Whether the state of this name stands in a workflow, at whatever depth.
fn is_inside(definition: &Definition, name: &str, workflow: WorkflowId) -> bool {
    let Some(id) = definition.find(name) else { return false };
    let around = |at: &WorkflowId| Some(definition.state(definition.workflow(*at).parent?).workflow);
    successors(Some(definition.state(id).workflow), around).any(|at| at == workflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::compile_definition;

    const TEXT: &str = r#"{"StartAt":"Set","States":{
        "Set":{"Type":"Pass","Assign":{"v":1},"Next":"Plain"},
        "Outer":{"Type":"Map","Label":"rows","End":true,
            "ItemProcessor": {"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                "StartAt":"Inner","States":{"Inner":{"Type":"Map","End":true,
                    "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},
                        "StartAt":"Keep","States":{"Keep":{"Type":"Pass","Assign":{"w":2},"Next":"Leaf"},
                            "Leaf":{"Type":"Pass","Parameters":{"x.$":"$w"},"End":true}}}}}}},
        "Plain":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"Next":"Outer"}
    }}"#;

    #[test]
    fn item_processors_are_found_by_their_label() {
        let definition = compile_definition(TEXT, None).expect("a definition");
        let outer = item_processor(&definition, TEXT, "rows").expect("the outer one");
        assert!(
            outer.definition.starts_with(r#"{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}"#)
        );
        assert!(outer.definition.ends_with("}}}}}}"), "{}", outer.definition);
        assert!(!outer.express);
        assert_eq!(outer.variable_references, [("Leaf".into(), vec!["w".into()])]);
        // A Map state without a label has one that is made for it.
        let inner = definition.state(definition.find("Inner").expect("a state"));
        let (_, distributed) = inner.kind.distributed_map().expect("Inner is distributed");
        let label = map_label(distributed, "Inner");
        let inner = item_processor(&definition, TEXT, &label).expect("the inner one");
        assert!(inner.express && inner.definition.contains(r#""StartAt":"Keep""#));
        for label in ["Outer", "Plain", "", "Inner"] {
            assert_eq!(item_processor(&definition, TEXT, label), None, "{label}");
        }
    }
}
