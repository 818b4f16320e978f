//! Work that takes its time: tasks that are taken now and answered later, in any order.

use std::collections::VecDeque;
use std::time::Duration;

use stepwell_asl::{MachineType, WorkflowId};
use stepwell_engine::{Answer, Clock as _, Dispatch, Engine, Transport, VirtualClock, run_to_end};
use stepwell_interpreter::{Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;

use crate::script::{START, compiled, identity};

/// Takes every task for later and answers the last one first, with the state's name.
#[derive(Default)]
struct Workers {
    taken: VecDeque<(u64, String)>,
    tickets: u64,
    given_up: Vec<u64>,
    /// How many must be at work before any is done.
    gather: usize,
}

impl Transport for Workers {
    fn run(&mut self, task: &Dispatch<'_>) -> Answer {
        self.tickets += 1;
        self.taken.push_back((self.tickets, task.request.state_name.to_string()));
        Answer::Later(self.tickets)
    }

    fn next_answer(&mut self, _: Duration) -> Option<(u64, Answer)> {
        if self.taken.len() < self.gather {
            return None;
        }
        self.gather = 0;
        let (ticket, state) = self.taken.pop_back()?;
        let answer = match state.as_str() {
            "Breaks" => Answer::Failed { error: Some("Broken".into()), cause: None },
            _ => Answer::Succeeded(Json::string(state)),
        };
        Some((ticket, answer))
    }

    fn give_up(&mut self, ticket: u64) {
        self.given_up.push(ticket);
        self.taken.retain(|(taken, _)| *taken != ticket);
    }
}

fn task(name: &str) -> String {
    format!(
        r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}}}}}"#
    )
}

fn parallel(branches: &[&str]) -> String {
    let branches: Vec<String> = branches.iter().map(|name| task(name)).collect();
    format!(
        r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","Branches":[{}],"End":true}}}}}}"#,
        branches.join(",")
    )
}

/// What an execution ends with when these workers do its tasks, and who was given up.
fn end(definition: &str, workers: &mut Workers) -> Status {
    let start = Start {
        definition: compiled(definition, MachineType::Standard),
        workflow: WorkflowId::ROOT,
        identity: identity(),
        settings: Settings::standard(),
        tokens: Tokens::default(),
        input: Json::empty_object(),
        input_text: None,
    };
    let mut engine = Engine::new();
    let mut clock = VirtualClock::new(Moment { now: START, entropy: 7 });
    let id = run_to_end(&mut engine, start, workers, &mut clock, &mut |_, _| {}).expect("it ends");
    assert_eq!(clock.moment().now, START, "no time passes over work");
    engine.execution(id).expect("an execution").status.clone()
}

#[test]
fn branches_work_at_the_same_time_and_may_end_in_any_order() {
    let mut workers = Workers { gather: 3, ..Workers::default() };
    let Status::Succeeded(output) = end(&parallel(&["A", "B", "C"]), &mut workers) else { panic!("it succeeds") };
    assert_eq!(output.to_string(), r#"["A","B","C"]"#);
}

#[test]
fn work_nobody_wants_any_more_is_given_up() {
    let mut workers = Workers { gather: 3, ..Workers::default() };
    let Status::Failed(failure) = end(&parallel(&["A", "B", "Breaks"]), &mut workers) else { panic!("it fails") };
    assert_eq!(failure.error.as_deref(), Some("Broken"));
    assert_eq!(workers.given_up, [1, 2]);
}
