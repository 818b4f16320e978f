//! The engine ends every program as the reference says it may, in visits and attempts too.

use std::collections::BTreeMap;

use stepwell_programs::reference::{self, Outcome};
use stepwell_programs::{Program, shrink};

use crate::engine;

#[test]
fn the_engine_ends_as_the_reference_says() {
    let mut told = Told::default();
    for seed in crate::seeds(1_000) {
        let program = Program::random(seed);
        if let Err(fault) = told.try_out(&program) {
            let small = shrink::shrink(&program, &mut |program| {
                engine::is_valid(program) && Told::default().try_out(program).is_err()
            });
            let fault_of_small = Told::default().try_out(&small).err().unwrap_or_default();
            panic!(
                "seed {seed}: {fault}\n\n{}\nwith {}\n\nMade small: {fault_of_small}\n\n{}\nwith {}",
                program.definition, program.input, small.definition, small.input
            );
        }
    }
    eprintln!("{told:#?}");
    assert!(told.unknown * 50 <= told.programs, "many programs may end in too many ways");
}

/// What was tried.
#[derive(Debug, Default)]
struct Told {
    programs: u64,
    succeeded: u64,
    failed: u64,
    timed_out: u64,
    /// That may end in several ways.
    several: u64,
    /// That may end in more ways than were looked for.
    unknown: u64,
    /// Whose time was compared, too.
    timed: u64,
    events: u64,
    visits: u64,
    attempts: u64,
    /// Errors of the executor's own that ended an execution.
    errors: BTreeMap<String, u64>,
}

impl Told {
    /// Runs a program both ways. Fails when they disagree.
    fn try_out(&mut self, program: &Program) -> Result<(), String> {
        let verdict = reference::run(program);
        let ran = engine::run(program)?;
        self.programs += 1;
        self.unknown += u64::from(!verdict.is_complete);
        self.several += u64::from(verdict.runs.len() > 1);
        self.events += ran.events;
        self.visits += ran.visits.values().sum::<u64>();
        self.attempts += ran.attempts.values().sum::<u64>();
        match &ran.outcome {
            Outcome::Succeeded(_) => self.succeeded += 1,
            Outcome::TimedOut => self.timed_out += 1,
            Outcome::Failed { error, .. } => {
                self.failed += 1;
                if let Some(error) = error.as_ref().filter(|error| error.starts_with("States.")) {
                    *self.errors.entry(error.clone()).or_default() += 1;
                }
            }
        }
        // Where there is one way to end, and chance draws no delays, it also takes one time.
        let only_time = match &verdict.runs[..] {
            [run] if verdict.is_complete => Some(run.elapsed_ms),
            _ => None,
        };
        let verdict = verdict.judge_counts(&ran.outcome, &ran.visits, &ran.attempts);
        verdict.map_err(|expected| format!("{expected}\nbut was {}", ran.outcome))?;
        if let (Some(expected_ms), false) = (only_time, program.definition.contains("\"FULL\"")) {
            self.timed += 1;
            if expected_ms != ran.elapsed_ms {
                return Err(format!("expected to last {expected_ms} ms\nbut lasted {} ms", ran.elapsed_ms));
            }
        }
        Ok(())
    }
}
