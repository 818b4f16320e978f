//! Large, deep and hostile texts: an answer in time, with an end.

use std::fmt::Write as _;

use stepwell_asl::{Code, Compilation, Options, Source, compile};

fn json(text: String) -> Compilation {
    compile(&Source::json(text), &Options::default())
}

fn codes(compilation: &Compilation) -> Vec<Code> {
    compilation.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn ten_megabytes_are_refused_unread() {
    let text = format!("{{\"Comment\": \"{}\"}}", "x".repeat(10_000_000));
    let compilation = json(text.clone());
    assert_eq!(codes(&compilation), [Code::DefinitionTooLong]);
    assert_eq!(codes(&compile(&Source::yaml(text), &Options::default())), [Code::DefinitionTooLong]);
}

#[test]
fn ten_thousand_levels_are_a_syntax_error() {
    assert_eq!(codes(&json("[".repeat(10_000))), [Code::InvalidJson]);
    assert_eq!(codes(&json("{\"a\":".repeat(10_000))), [Code::InvalidJson]);
    let yaml = compile(&Source::yaml("- ".repeat(10_000)), &Options::default());
    assert_eq!(codes(&yaml), [Code::UnsupportedYaml]);
}

#[test]
fn nesting_up_to_the_limit_of_the_text_is_read() {
    let rule = format!("{}{{\"Variable\": \"$.a\", \"IsNull\": true}}{}", "{\"Not\":".repeat(500), "}".repeat(500));
    let text = format!(
        r#"{{"StartAt":"A","States":{{"A":{{"Type":"Choice","Choices":[{}]}},"B":{{"Type":"Succeed"}}}}}}"#,
        rule.replacen("{\"Not\":", "{\"Next\":\"B\",\"Not\":", 1)
    );
    assert_eq!(codes(&json(text)), []);
    let mut nested = r#""States":{"S":{"Type":"Succeed"}},"StartAt":"S""#.to_owned();
    for level in 0..125 {
        nested = format!(
            r#""States":{{"P{level}":{{"Type":"Parallel","End":true,"Branches":[{{{nested}}}]}}}},"StartAt":"P{level}""#
        );
    }
    let compilation = json(format!("{{{nested}}}"));
    assert_eq!(codes(&compilation), []);
    assert_eq!(compilation.definition.map(|definition| definition.workflows.len()), Some(126));
    let deep = format!("{}1{}", "{\"a\":".repeat(490), "}".repeat(490));
    for (language, field) in [("JSONPath", "Parameters"), ("JSONata", "Output")] {
        let text = format!(
            r#"{{"QueryLanguage":"{language}","StartAt":"A","States":{{"A":{{"Type":"Pass","{field}":{deep},"End":true}}}}}}"#
        );
        assert_eq!(codes(&json(text)), []);
    }
}

#[test]
fn a_thousand_faults_are_listed_and_the_rest_counted() {
    let mut states = String::new();
    for index in 0..3_000 {
        let _ = write!(states, r#""State number {index}":{{"Type":"Pass","Next":"State numbr {index}x"}},"#);
    }
    let text = format!(r#"{{"StartAt":"State number 0","States":{{{}}}}}"#, states.trim_end_matches(','));
    let compilation = json(text);
    assert_eq!(compilation.diagnostics.len(), 1_001);
    let last = &compilation.diagnostics[1_000];
    assert_eq!((last.code, last.message.as_str()), (Code::MoreFaults, "4999 more faults are not listed"));
}

#[test]
fn a_megabyte_of_states_compiles() {
    let mut states = String::new();
    let mut index = 0;
    while states.len() < 1_040_000 {
        let next = index + 1;
        let _ = write!(
            states,
            r#""S{index}":{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{{"FunctionName":"f","Payload.$":"$.a[{index}]"}},"Retry":[{{"ErrorEquals":["States.ALL"]}}],"Next":"S{next}"}},"#
        );
        index = next;
    }
    let text = format!(r#"{{"StartAt":"S0","States":{{{states}"S{index}":{{"Type":"Succeed"}}}}}}"#);
    let compilation = json(text);
    assert_eq!(codes(&compilation), []);
    assert_eq!(compilation.definition.map(|definition| definition.states.len()), Some(index + 1));
}
