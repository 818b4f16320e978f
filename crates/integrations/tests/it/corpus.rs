//! How many real definitions, read from the folder `STEPWELL_CORPUS` names, could run: with services of this process
//! alone, with endpoints too, with mocks too.
//!
//! The corpus is not part of the repository; without it there is nothing to do.

use std::path::PathBuf;
use std::{env, fs};

use stepwell_asl::{Definition, Options, Source, StateKind, compile};
use stepwell_integrations::{Reach, reach_of};

/// Services that this process serves, or is being taught to.
const LOCAL: &[&str] =
    &["dynamodb", "events", "iam", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs", "stepfunctions", "sts"];

/// What a task, and with it its definition, needs at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Local,
    Endpoint,
    Mocks,
}

fn needs(definition: &Definition) -> Needs {
    let tasks = definition.states.iter().filter_map(|state| match &state.kind {
        StateKind::Task(task) => Some(&task.resource.kind),
        _ => None,
    });
    let needed = tasks.map(|kind| match reach_of(kind) {
        Reach::Itself | Reach::Worker => Needs::Local,
        Reach::Service(service) if LOCAL.contains(&service) => Needs::Local,
        Reach::Service(_) | Reach::Address => Needs::Endpoint,
        Reach::Nobody => Needs::Mocks,
    });
    needed.max().unwrap_or(Needs::Local)
}

#[test]
fn corpus_definitions_could_run() {
    let Some(folder) = env::var_os("STEPWELL_CORPUS").map(PathBuf::from) else { return };
    let files = fs::read_dir(folder.join("definitions")).expect("a folder");
    let mut counts = [0; 3];
    for file in files.map(|entry| entry.expect("an entry").path()) {
        let text = fs::read_to_string(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        let compiled = compile(&Source::json(text), &Options::default());
        if let Some(definition) = &compiled.definition {
            counts[needs(definition) as usize] += 1;
        }
    }
    let [local, endpoint, mocks] = counts;
    let total = local + endpoint + mocks;
    println!("corpus: local {local}/{total}");
    println!("corpus: endpoint {}/{total}", local + endpoint);
    println!("corpus: mocks {total}/{total}");
    assert!(local * 2 > total, "most definitions need what is here: {local} of {total}");
}

#[test]
fn what_a_definition_needs_is_what_its_neediest_task_needs() {
    let check = |resources: &[&str], expected: Needs| {
        let states: Vec<String> = resources
            .iter()
            .enumerate()
            .map(|(number, resource)| {
                format!(
                    r#""S{number}":{{"Type":"Task","Resource":"arn:aws:states:::{resource}","Next":"S{}"}}"#,
                    number + 1
                )
            })
            .chain([format!(r#""S{}":{{"Type":"Succeed"}}"#, resources.len())])
            .collect();
        let text = format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, states.join(","));
        let compiled = compile(&Source::json(text), &Options::default());
        assert_eq!(needs(&compiled.definition.expect("a definition")), expected, "{resources:?}");
    };
    check(&[], Needs::Local);
    check(&["lambda:invoke", "states:startExecution.sync"], Needs::Local);
    check(&["lambda:invoke", "batch:submitJob.sync"], Needs::Endpoint);
    check(&["batch:submitJob.sync", "bedrockagentcore:invokeHarness"], Needs::Mocks);
}
