//! What is written is valid, always the same, and has everything in it.

use std::collections::BTreeMap;

use stepwell_asl::{Options, Severity, Source, compile};
use stepwell_json::Json;
use stepwell_programs::Program;

#[test]
fn every_definition_is_valid() {
    for seed in crate::seeds(3_000) {
        let program = Program::random(seed);
        let compilation = compile(&Source::json(program.definition.as_str()), &Options::default());
        let errors: Vec<String> = compilation
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| format!("{diagnostic:?}"))
            .collect();
        assert!(errors.is_empty(), "seed {seed}: {}\n{}", errors.join("\n"), program.definition);
    }
}

#[test]
fn a_seed_is_a_program() {
    for seed in 0..200 {
        assert_eq!(Program::random(seed), Program::random(seed));
    }
    assert_ne!(Program::random(1).definition, Program::random(2).definition);
}

#[test]
fn everything_there_is_gets_written() {
    let mut seen = BTreeMap::new();
    for seed in 0..3_000 {
        collect(&Json::parse(&Program::random(seed).definition).expect("JSON"), &mut seen);
    }
    let mut missing = Vec::new();
    for row in stepwell_spec::FIELDS {
        let is_elsewhere = row.places.iter().all(|place| {
            use stepwell_spec::Place;
            matches!(
                place,
                Place::Credentials
                    | Place::ItemReader
                    | Place::ReaderConfig
                    | Place::ResultWriter
                    | Place::WriterConfig
            )
        });
        let is_left_out = NOT_WRITTEN.contains(&row.name);
        let count = seen.get(row.name).copied().unwrap_or(0);
        if !is_elsewhere && !is_left_out && count < 5 {
            missing.push(row.name);
        }
    }
    assert!(missing.is_empty(), "seldom or never written: {}", missing.join(", "));
    for name in stepwell_spec::Operator::ALL.iter().map(|operator| operator.name()) {
        assert!(seen.get(name).copied().unwrap_or(0) >= 5, "{name} is seldom written");
    }
}

/// What reaches for services outside, and batches by bytes, whose size is the executor's to count.
const NOT_WRITTEN: &[&str] =
    &["Credentials", "ItemReader", "ResultWriter", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"];

fn collect(value: &Json, seen: &mut BTreeMap<String, u32>) {
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                *seen.entry(name.to_string()).or_default() += 1;
                collect(member, seen);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
