//! The engine ends every program as the reference says it may.

use stepwell_programs::{Program, reference};

use crate::engine;

#[test]
fn the_engine_ends_as_the_reference_says() {
    let (mut succeeded, mut failed, mut timed_out, mut unknown, mut events, mut several) = (0, 0, 0, 0, 0, 0);
    let mut faults = Vec::new();
    for seed in crate::seeds(2_000) {
        let program = Program::random(seed);
        let verdict = reference::run(&program);
        let ran = match engine::run(&program) {
            Ok(ran) => ran,
            Err(reason) => {
                faults.push(format!("seed {seed}: the engine did not end: {reason}"));
                continue;
            }
        };
        unknown += u64::from(!verdict.is_complete);
        several += u64::from(verdict.runs.len() > 1);
        events += ran.events as u64;
        match &ran.outcome {
            reference::Outcome::Succeeded(_) => succeeded += 1,
            reference::Outcome::Failed { .. } => failed += 1,
            reference::Outcome::TimedOut => timed_out += 1,
        }
        if let Err(fault) = verdict.judge_counts(&ran.outcome, &ran.visits, &ran.attempts) {
            faults.push(format!("seed {seed}: {fault}\nbut was {}\n{}\n{}", ran.outcome, program.definition, program.input));
        }
    }
    eprintln!("{succeeded} succeeded, {failed} failed, {timed_out} timed out; {several} with several ways, {unknown} with unknown ones; {events} events");
    let first: Vec<String> = faults.iter().take(3).cloned().collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), first.join("\n\n"));
}
