//! chain: ten Pass states, Standard, started without names.
//!
//! With one client each execution is followed to its end before the next is started, and the time is until it was seen to
//! have succeeded. With more, clients start executions as fast as they are answered, and the time is until the last one has
//! ended; only those that succeeded count.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use super::{Needs, Workload};
use crate::bench::{Bench, WARM_UP_PART};
use crate::executions::{self, Follow};
use crate::load::{Until, drive};
use crate::site::MachineType;
use crate::starts::Start;

pub(super) const WORKLOAD: Workload = Workload {
    name: "chain",
    about: "ten Pass states, Standard: started and seen to have succeeded",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// The input, which is passed on to the end.
pub(crate) const INPUT: &str = r#"{"order":"A-1","quantity":2}"#;

/// Ten Pass states.
pub(crate) fn definition() -> String {
    let states: Vec<String> = (1..=10)
        .map(|number| match number {
            10 => r#""S10":{"Type":"Pass","End":true}"#.to_owned(),
            _ => format!(r#""S{number}":{{"Type":"Pass","Next":"S{}"}}"#, number + 1),
        })
        .collect();
    format!(r#"{{"StartAt":"S1","States":{{{}}}}}"#, states.join(","))
}

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    for &clients in &bench.settings.clients {
        let time = bench.settings.time;
        bench.say(&format!("chain: {clients} clients for {} s", time.as_secs_f64()));
        match clients {
            1 => follow(bench, time).await?,
            _ => start_many(bench, clients, time).await?,
        }
    }
    Ok(())
}

/// One client, each execution to its end.
async fn follow(bench: &mut Bench<'_>, time: Duration) -> Result<(), String> {
    let mut site = bench.site()?;
    let machine = site.state_machine("chain", &definition(), MachineType::Standard).await?;
    let input = Json::parse(INPUT).map_err(|fault| fault.to_string())?;
    let follow = Follow::new(&site.place, &machine, INPUT, input)?;
    let ran = bench.run(WORKLOAD.name, &site, 1, time, &follow).await?;
    let mut line = ran.line;
    line.figures.push(("answered_p50_us", Follow::answered(&ran.operations).quantile_us(0.5)));
    bench.tell(line);
    site.end()
}

/// Many clients that start executions.
async fn start_many(bench: &mut Bench<'_>, clients: usize, time: Duration) -> Result<(), String> {
    let mut site = bench.site()?;
    let warm = site.state_machine("chain-warm", &definition(), MachineType::Standard).await?;
    let warm = Start::new(executions::start_request(&site.place, &warm, INPUT)?);
    drive(&site.place, clients, Until::Over(time / WARM_UP_PART), &warm).await;
    let machine = site.state_machine("chain", &definition(), MachineType::Standard).await?;
    let start = Start::new(executions::start_request(&site.place, &machine, INPUT)?);
    let mut before = bench.begin(&site, clients).await?;
    let began = Instant::now();
    let mut measured = drive(&site.place, clients, Until::Over(time), &start).await;
    let answered_seconds = measured.seconds;
    executions::wait_for_end(&mut site.client, &machine, executions::END).await?;
    // What was acknowledged and not done is no work yet: the clock runs until the last one has ended.
    measured.seconds = began.elapsed().as_secs_f64();
    before.stop(&site);
    let looked_at: Vec<String> = measured.operations.iter().flat_map(|operation| operation.arns.clone()).collect();
    let input = Json::parse(INPUT).map_err(|fault| fault.to_string())?;
    let verdict = executions::verify(&mut site.client, &machine, measured.count, &looked_at, &input).await?;
    measured.count -= verdict.count.min(measured.count);
    measured.errors.add(verdict);
    let mut line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    line.figures.push(("answered_seconds", answered_seconds));
    bench.tell(line);
    site.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_chain_of_ten() {
        let definition = Json::parse(&definition()).expect("JSON");
        let states = definition.get("States").and_then(Json::as_object).expect("states");
        let mut names = vec![definition.get("StartAt").and_then(Json::as_str).expect("a start")];
        while let Some(next) = names.last().and_then(|name| states.get(name)?.get("Next")?.as_str()) {
            names.push(next);
        }
        assert_eq!((names.len(), states.len()), (10, 10));
    }
}
