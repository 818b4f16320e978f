//! Executions that keep workers busy: chains of tasks, of which there are always enough.
//!
//! A worker that has done as many tasks as an execution has starts another one. With three executions for each worker at
//! the beginning there is then always a task for each that asks, whichever executions their tasks come from.

use crate::client::Client;
use crate::connection::{Place, Prepared};
use crate::executions;

/// Tasks of an execution.
pub(crate) const TASKS: u64 = 100;

/// Executions for each worker at the beginning.
pub(crate) const FOR_EACH: usize = 3;

/// A chain of so many tasks, each with these fields.
pub(crate) fn definition(task: &str) -> String {
    let states: Vec<String> = (1..=TASKS)
        .map(|number| match number {
            TASKS => format!(r#""T{number}":{{"Type":"Task",{task},"End":true}}"#),
            _ => format!(r#""T{number}":{{"Type":"Task",{task},"Next":"T{}"}}"#, number + 1),
        })
        .collect();
    format!(r#"{{"StartAt":"T1","States":{{{}}}}}"#, states.join(","))
}

/// One worker's part in it.
#[derive(Clone, Debug)]
pub(crate) struct Supply {
    start: Prepared,
    done: u64,
}

impl Supply {
    pub(crate) fn new(place: &Place, machine: &str) -> Result<Supply, String> {
        Ok(Supply { start: executions::start_request(place, machine, "{}")?, done: 0 })
    }

    /// Starts what so many workers begin with.
    pub(crate) async fn begin(&self, client: &mut Client, workers: usize) -> Result<(), String> {
        for _ in 0..workers * FOR_EACH {
            client.send(&self.start).await?;
        }
        Ok(())
    }

    /// Notes a task that was done, and starts an execution when it was the last of one.
    pub(crate) async fn done(&mut self, client: &mut Client) -> Result<(), String> {
        self.done += 1;
        if self.done.is_multiple_of(TASKS) {
            client.send(&self.start).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;

    use super::*;

    #[test]
    fn the_chain_is_as_long_as_is_counted_and_its_history_is_allowed() {
        let definition = Json::parse(&definition(r#""Resource":"arn""#)).expect("JSON");
        let states = definition.get("States").and_then(Json::as_object).expect("states");
        assert_eq!(states.len() as u64, TASKS);
        assert_eq!(states.values().filter(|state| state.get("End").is_some()).count(), 1);
    }
}
