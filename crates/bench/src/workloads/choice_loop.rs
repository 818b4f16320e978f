//! loop: a Choice state goes round 2,000 times, and a Pass state counts with States.MathAdd; one client.

use stepwell_json::Json;

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::executions::Follow;
use crate::site::MachineType;
use crate::sync::SyncStart;

pub(super) const WORKLOAD: Workload = Workload {
    name: "loop",
    about: "a Choice state goes round 2,000 times counting with States.MathAdd, one client",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

const TIMES: u32 = 2_000;

/// Counts from its input's `n` to so many.
pub(super) fn definition(times: u32) -> String {
    format!(
        r#"{{"StartAt":"Enough","States":{{"Enough":{{"Type":"Choice","Choices":[{{"Variable":"$.n","NumericGreaterThanEquals":{times},"Next":"Done"}}],"Default":"Add"}},"Add":{{"Type":"Pass","Parameters":{{"n.$":"States.MathAdd($.n, 1)"}},"Next":"Enough"}},"Done":{{"Type":"Succeed"}}}}}}"#
    )
}

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let (time, input) = (bench.settings.time, r#"{"n":0}"#);
    let output = Json::object([("n", Json::from(u64::from(TIMES)))]);
    for machine_type in [MachineType::Standard, MachineType::Express] {
        let name = machine_type.name();
        bench.say(&format!("loop: {TIMES} times, {name}, for {} s", time.as_secs_f64()));
        let mut site = bench.site()?;
        let machine = site.state_machine("loop", &definition(TIMES), machine_type).await?;
        let mut line = match machine_type {
            MachineType::Standard => {
                let follow = Follow::new(&site.place, &machine, input, output.clone())?;
                bench.run(WORKLOAD.name, &site, 1, time, &follow).await?.line
            }
            MachineType::Express => {
                let start = SyncStart::new(&site.place, &machine, input, output.clone())?;
                bench.run(WORKLOAD.name, &site, 1, time, &start).await?.line.beside_the_disk()
            }
        };
        line.variant = Some(name.to_ascii_lowercase());
        bench.tell(line);
        site.end()?;
    }
    Ok(())
}
