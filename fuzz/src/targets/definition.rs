//! Definition text, in JSON and in YAML: compiled, or refused with diagnostics that point into the text.

use stepwell_asl::{Compilation, MachineType, Options, Severity, Source, compile, invalid_definition_message};

use crate::{Behaviour, magnitude};

/// Pieces of definitions.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "null", "true", "0", "1.5", "-1", "99999999", "\"StartAt\":\"A\"", "\"States\":{",
    "\"Type\":\"Pass\"", "\"Type\":\"Task\"", "\"Type\":\"Choice\"", "\"Type\":\"Wait\"", "\"Type\":\"Succeed\"",
    "\"Type\":\"Fail\"", "\"Type\":\"Parallel\"", "\"Type\":\"Map\"", "\"Next\":\"A\"", "\"Next\":\"B\"", "\"End\":true",
    "\"QueryLanguage\":\"JSONata\"", "\"QueryLanguage\":\"JSONPath\"", "\"Comment\":\"\"", "\"InputPath\":null",
    "\"OutputPath\":\"$.a\"", "\"Parameters\":{\"a.$\":\"$.b\"}", "\"ResultSelector\":{}", "\"ResultPath\":\"$.r\"",
    "\"Result\":{}", "\"Arguments\":{}", "\"Output\":\"{% $states.input %}\"", "\"Assign\":{\"x.$\":\"$.y\"}",
    "\"Assign\":{\"x\":\"{% $y %}\"}", "\"Retry\":[{\"ErrorEquals\":[\"States.ALL\"]}]", "\"MaxAttempts\":2",
    "\"Catch\":[{\"ErrorEquals\":[\"States.ALL\"],\"Next\":\"A\"}]", "\"Resource\":\"arn:aws:states:::lambda:invoke\"",
    "\"Resource\":\"arn:aws:states:::sqs:sendMessage.waitForTaskToken\"", "\"TimeoutSeconds\":1", "\"HeartbeatSecondsPath\":\"$.h\"",
    "\"Choices\":[{", "\"Condition\":\"{% true %}\"", "\"Variable\":\"$.v\"", "\"StringMatches\":\"*\"", "\"And\":[", "\"Not\":{",
    "\"IsPresent\":true", "\"NumericGreaterThanPath\":\"$.n\"", "\"Default\":\"A\"", "\"Seconds\":1", "\"TimestampPath\":\"$.t\"",
    "\"Branches\":[", "\"ItemProcessor\":{", "\"Iterator\":{", "\"ProcessorConfig\":{\"Mode\":\"DISTRIBUTED\",\"ExecutionType\":\"EXPRESS\"}",
    "\"ItemReader\":{", "\"ItemBatcher\":{\"MaxItemsPerBatch\":1}", "\"ResultWriter\":{", "\"ToleratedFailurePercentage\":5",
    "\"Error\":\"E\"", "\"CausePath\":\"States.UUID()\"", "\"Credentials\":{\"RoleArn\":\"arn:aws:iam::123456789012:role/r\"}",
    "StartAt: A\n", "States:\n", "  A:\n", "    Type: Pass\n", "    End: true\n", "- ", "|\n", ">-\n", "&a ", "*a", "<<: ", "!!str ", "? ", "# x\n",
    "---\n", "...\n", "~", "0x1F", "\t", "\u{feff}", "\\u0041", "{% $eval('1') %}", "{%", "%}", "$$.Task.Token",
];

/// Compiles the text as JSON for a Standard machine and as YAML for an Express one.
pub fn run(input: &[u8]) -> Behaviour {
    let Ok(text) = std::str::from_utf8(input) else { return Behaviour::of("no text") };
    let json = examine(text, &compile(&Source::json(text), &options(MachineType::Standard)));
    let yaml = examine(text, &compile(&Source::yaml(text), &options(MachineType::Express)));
    Behaviour::of((json, yaml))
}

fn options(machine_type: MachineType) -> Options {
    Options { machine_type }
}

/// Checks what every compilation promises, and tells its kinds of faults.
fn examine(text: &str, compilation: &Compilation) -> Vec<String> {
    let refused = compilation.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(refused, compilation.definition.is_none(), "there is a definition exactly when nothing refuses it");
    let mut kinds = Vec::new();
    for diagnostic in &compilation.diagnostics {
        let (start, end) = (diagnostic.span.start, diagnostic.span.end);
        assert!(start <= end && text.get(start..end).is_some(), "{diagnostic} points at {start}..{end}");
        assert!(diagnostic.position.line >= 1 && diagnostic.position.column >= 1, "{diagnostic}");
        assert!(!diagnostic.message.is_empty(), "{diagnostic}");
        kinds.push(diagnostic.code.to_string());
    }
    let _ = invalid_definition_message(&compilation.diagnostics);
    kinds.sort();
    kinds.dedup();
    kinds.push(magnitude(compilation.diagnostics.len()).to_string());
    kinds
}
