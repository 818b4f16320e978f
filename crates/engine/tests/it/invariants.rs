//! What holds of every execution, whatever it ran: ids, order, finality, and replay.

use stepwell_interpreter::{Execution, Start, Status};
use stepwell_spec::{Event, Record};

use crate::script::Outcome;

/// Checks all of it.
pub(crate) fn check(name: &str, outcome: &Outcome) {
    ids_follow_one_another(name, &outcome.records);
    one_terminal_event_ends_it(name, &outcome.records, &outcome.execution);
    replay_gives_the_same(name, outcome);
}

/// I2: ids 1..n without a gap; what an event follows is there and earlier; time never goes back.
fn ids_follow_one_another(name: &str, records: &[Record]) {
    let public: Vec<&Record> = records.iter().filter(|record| record.event.row().public).collect();
    assert!(matches!(public[0].event, Event::ExecutionStarted(_)), "{name}: it starts with ExecutionStarted");
    for (place, record) in public.iter().enumerate() {
        assert_eq!(record.id, place as u64 + 1, "{name}: ids have no gap");
        assert!(record.previous_event_id < record.id, "{name}: event {} follows an earlier one", record.id);
    }
    assert!(records.windows(2).all(|pair| pair[0].timestamp <= pair[1].timestamp), "{name}: time goes on");
    assert!(records.iter().all(|record| record.event.row().public || record.id == 0), "{name}: ours have no id");
}

/// I4: one terminal event per run, nothing after it but a redrive, and the status agrees.
fn one_terminal_event_ends_it(name: &str, records: &[Record], execution: &Execution) {
    let is_terminal = |record: &&Record| {
        matches!(
            record.event,
            Event::ExecutionSucceeded(_)
                | Event::ExecutionFailed(_)
                | Event::ExecutionTimedOut(_)
                | Event::ExecutionAborted(_)
        )
    };
    for pair in records.windows(2) {
        let reopened = matches!(pair[1].event, Event::ExecutionRedriven(_));
        assert_eq!(is_terminal(&&pair[0]), reopened, "{name}: only a redrive follows an end, and follows nothing else");
    }
    let ended = records.last().as_ref().is_some_and(is_terminal);
    assert_eq!(ended, !execution.is_running(), "{name}: the status agrees with the history");
}

/// I6: the log alone gives the same execution, after every frame.
fn replay_gives_the_same(name: &str, outcome: &Outcome) {
    let live = &outcome.execution;
    let start = Start {
        definition: live.definition.clone(),
        workflow: live.workflow,
        identity: live.identity.clone(),
        settings: live.settings,
        tokens: live.tokens.clone(),
        input: live.input.clone(),
        input_text: live.input_text.clone(),
    };
    let mut replayed = Execution::new(start, live.started_at);
    for frame in &outcome.frames {
        for record in frame {
            replayed.evolve(record);
        }
        if replayed.status == Status::Running {
            let open = replayed.obligations();
            assert!(!open.is_empty(), "{name}: I14: a running execution waits for something");
        }
    }
    assert!(replayed.is_same_state(live), "{name}: the log gives the same execution");
}
