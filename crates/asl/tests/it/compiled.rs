//! What comes out of a definition: values, defaults and links.

use stepwell_asl::{
    Condition, DataFlow, Definition, InputPath, Items, MapMode, Operand, Options, Pattern, QueryLanguage,
    QueryTemplate, ResourceKind, ResultPath, Setting, Source, StateId, StateKind, Test, Transition, WaitUntil,
    WorkflowId, compile, compile_state, invalid_definition_message,
};
use stepwell_spec::Operator;

fn definition(text: &str) -> Definition {
    let compilation = compile(&Source::json(text), &Options::default());
    compilation.definition.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

#[test]
fn defaults_are_filled_in() {
    let definition = definition(
        r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Retry":[
            {"ErrorEquals":["A"]},{"ErrorEquals":["States.ALL"],"JitterStrategy":"FULL","MaxDelaySeconds":9}],
            "Catch":[{"ErrorEquals":["States.ALL"],"Next":"F","ResultPath":"$.error"}],"End":true},"F":{"Type":"Fail"}}}"#,
    );
    assert_eq!(definition.query_language, QueryLanguage::JsonPath);
    let task = definition.state(definition.workflow(WorkflowId::ROOT).start_at);
    let DataFlow::JsonPath(flow) = &task.data_flow else { panic!("JSONPath") };
    assert!(matches!((&flow.input_path, &flow.output_path), (InputPath::Whole, InputPath::Whole)));
    assert!(matches!(flow.result_path, ResultPath::Replace));
    let [plain, full] = task.retriers() else { panic!("two retriers") };
    assert_eq!((plain.interval_seconds, plain.max_attempts, plain.backoff_rate), (1, 3, 2.0));
    assert_eq!((plain.max_delay_seconds, plain.full_jitter), (None, false));
    assert_eq!((full.max_delay_seconds, full.full_jitter), (Some(9), true));
    let [catcher] = task.catchers() else { panic!("one catcher") };
    assert_eq!(Some(catcher.next), definition.find("F"));
    assert!(matches!(catcher.result_path, ResultPath::At(_)));
    let StateKind::Task(kind) = &task.kind else { panic!("a Task") };
    let ResourceKind::Integration(integration) = &kind.resource.kind else { panic!("an integration") };
    assert_eq!((&*integration.resource_type, integration.pattern), ("lambda", Pattern::RequestResponse));
    assert_eq!(kind.transition, Transition::End);
}

#[test]
fn settings_come_in_three_forms() {
    let definition = definition(
        r#"{"StartAt":"A","States":{
            "A":{"Type":"Wait","Seconds":5,"Next":"B"},
            "B":{"Type":"Wait","SecondsPath":"$.delay","Next":"C"},
            "C":{"Type":"Wait","QueryLanguage":"JSONata","Timestamp":"{% $states.input.at %}","Next":"D"},
            "D":{"Type":"Wait","Timestamp":"2016-08-18T17:33:00Z","Next":"E"},
            "E":{"Type":"Fail","ErrorPath":"States.Format('E{}', $.code)","Cause":"why"}}}"#,
    );
    let until = |name: &str| match &definition.state(definition.find(name).expect("there")).kind {
        StateKind::Wait(wait) => &wait.until,
        other => panic!("{other:?}"),
    };
    assert!(matches!(until("A"), WaitUntil::Seconds(Setting::Literal(5))));
    assert!(matches!(until("B"), WaitUntil::Seconds(Setting::Path(path)) if path.text() == "$.delay"));
    assert!(
        matches!(until("C"), WaitUntil::Timestamp(Setting::Query(query)) if query.expression.text() == "$states.input.at")
    );
    assert!(matches!(until("D"), WaitUntil::Timestamp(Setting::Literal(text)) if &**text == "2016-08-18T17:33:00Z"));
    let StateKind::Fail(fail) = &definition.state(definition.find("E").expect("there")).kind else { panic!("a Fail") };
    assert!(matches!(&fail.error, Some(Setting::Path(_))));
    assert!(matches!(&fail.cause, Some(Setting::Literal(text)) if &**text == "why"));
}

#[test]
fn rules_become_trees_of_tests() {
    let definition = definition(
        r#"{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[
            {"And":[{"Variable":"$.a","NumericLessThan":1.5},{"Not":{"Variable":"$.b","StringEqualsPath":"$.c"}}],"Next":"S"}],
            "Default":"S"},"S":{"Type":"Succeed"}}}"#,
    );
    let StateKind::Choice(choice) = &definition.state(definition.find("C").expect("there")).kind else {
        panic!("a Choice")
    };
    let Condition::Test(Test::And(tests)) = &choice.rules[0].condition else { panic!("And") };
    let [Test::Compare(less), Test::Not(not)] = tests.as_slice() else { panic!("{tests:?}") };
    assert_eq!(less.operator, Operator::NumericLessThan);
    assert!(matches!(&less.operand, Operand::Literal(number) if number.as_f64() == Some(1.5)));
    let Test::Compare(equals) = &**not else { panic!("{not:?}") };
    assert!(matches!(&equals.operand, Operand::Path(path) if path.text() == "$.c"));
    assert_eq!(choice.default, definition.find("S"));
}

#[test]
fn workflows_know_their_states_and_parents() {
    let definition = definition(
        r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
            {"StartAt":"M","States":{"M":{"Type":"Map","Iterator":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},
              "Parameters":{"v.$":"$$.Map.Item.Value"},"End":true}}},
            {"StartAt":"B","States":{"B":{"Type":"Pass","Result":{"a":1},"End":true}}}],"End":true}}}"#,
    );
    let id = |name: &str| definition.find(name).expect("there");
    let StateKind::Parallel(parallel) = &definition.state(id("P")).kind else { panic!("a Parallel") };
    let [first, second] = parallel.branches.as_slice() else { panic!("two branches") };
    assert_eq!((definition.workflow(*first).start_at, definition.workflow(*second).start_at), (id("M"), id("B")));
    assert_eq!(definition.workflow(*first).parent, Some(id("P")));
    let StateKind::Map(map) = &definition.state(id("M")).kind else { panic!("a Map") };
    assert_eq!(definition.workflow(map.processor).parent, Some(id("M")));
    assert_eq!(definition.state(id("I")).workflow, map.processor);
    assert!(matches!(map.mode, MapMode::Inline));
    assert!(matches!(map.items, Items::Path(InputPath::Whole)));
    assert!(map.item_selector.is_some());
}

#[test]
fn templates_without_expressions_are_literals() {
    let definition = definition(
        r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass",
            "Output":{"fixed":[1,{"a":"b"}],"made":"{% $states.input %}"},"Assign":{"x":{"y":[true]}},"End":true}}}"#,
    );
    let state = definition.state(definition.find("A").expect("there"));
    let DataFlow::Jsonata(flow) = &state.data_flow else { panic!("JSONata") };
    let Some(QueryTemplate::Object(members)) = &flow.output else { panic!("{:?}", flow.output) };
    assert!(matches!(&members[0].1, QueryTemplate::Literal(_)));
    assert!(matches!(&members[1].1, QueryTemplate::Query(_)));
    assert!(
        matches!(&state.assign, Some(stepwell_asl::Assign::Jsonata(values)) if matches!(values[0].1, QueryTemplate::Literal(_)))
    );
}

#[test]
fn variables_are_known_by_the_states_that_read_them() {
    let definition = definition(
        r#"{"StartAt":"Start","States":{"Start":{"Type":"Pass","Assign":{"template":"It's {}!","question":"Who?"},"Next":"Each"},
            "Each":{"Type":"Map","ItemSelector":{"a.$":"States.Format($template, $$.Map.Item.Value)"},"ItemProcessor":{
              "StartAt":"Ask","States":{"Ask":{"Type":"Pass","Parameters":{"q.$":"$question","a.$":"$.a"},"End":true}}},"End":true}}}"#,
    );
    let references: Vec<String> = stepwell_asl::variable_references(&definition)
        .into_iter()
        .map(|(state, names)| format!("{state}: {}", names.join(" ")))
        .collect();
    assert_eq!(references, ["Each: template", "Ask: question"]);
}

#[test]
fn a_state_stands_alone_and_names_what_it_leads_to() {
    let text = r#"{"Type":"Map","QueryLanguage":"JSONata","Items":[],"ItemProcessor":{"StartAt":"T","States":{
        "T":{"Type":"Wait","Seconds":1,"End":true}}},
        "Catch":[{"ErrorEquals":["E"],"Next":"Mend"},{"ErrorEquals":["States.ALL"],"Next":"T"}],"Next":"Mend"}"#;
    let compilation = compile_state(&Source::json(text), "StateName", &Options::default());
    let definition = compilation.definition.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics));
    assert_eq!(definition.find("StateName"), Some(StateId(0)));
    let state = definition.state(StateId(0));
    let [mend, other] = state.catchers() else { panic!("two catchers") };
    let StateKind::Map(map) = &state.kind else { panic!("a Map") };
    assert_eq!(map.transition, Transition::Next(mend.next));
    assert_eq!(&*definition.state(mend.next).name, "Mend");
    // The outer "T" is another state than the one inside.
    assert!(matches!(definition.state(other.next).kind, StateKind::Succeed));
    let inner = definition.workflow(map.processor).start_at;
    assert!(matches!(definition.state(inner).kind, StateKind::Wait(_)));
}

#[test]
fn faults_of_a_lone_state_are_told_from_the_state_on() {
    let told = |text: &str| {
        let compilation = compile_state(&Source::json(text), "StateName", &Options::default());
        assert!(compilation.definition.is_none(), "{text}");
        invalid_definition_message(&compilation.diagnostics)
    };
    let prefix = "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: ";
    assert_eq!(told(r#"{"Type":"Task","End":true}"#), format!("{prefix}These fields are required: [Resource] at /'"));
    assert_eq!(
        told(r#"{"Type":"Wait","Seconds":"x","End":true}"#),
        format!("{prefix}Expected value of type Integer at /Seconds'")
    );
    assert_eq!(told("[]"), format!("{prefix}Definition must be a valid JSON object at null'"));
    // Inside, targets must be there.
    let inner =
        r#"{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}],"End":true}"#;
    assert!(told(inner).contains("MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /Branches[0]/States/A/Next"));
}
