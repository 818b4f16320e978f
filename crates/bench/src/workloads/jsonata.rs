//! jsonata: four Pass states of JSONata over an array of 100 objects, Express, answered when they are over.
//!
//! The first makes an object of each, the second keeps some, the third sums, the fourth says it in a text.

use stepwell_json::Json;

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::site::MachineType;
use crate::sync::SyncStart;

pub(super) const WORKLOAD: Workload = Workload {
    name: "jsonata",
    about: "four states of JSONata over an array of 100 objects, Express",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

const LINES: u64 = 100;

const DEFINITION: &str = r#"{"QueryLanguage":"JSONata","StartAt":"Price","States":{
"Price":{"Type":"Pass","Output":{"lines":"{% $states.input.lines.{'id': id, 'total': quantity * price} %}"},"Next":"Keep"},
"Keep":{"Type":"Pass","Output":{"lines":"{% $states.input.lines[total > 0] %}"},"Next":"Sum"},
"Sum":{"Type":"Pass","Output":{"count":"{% $count($states.input.lines) %}","total":"{% $sum($states.input.lines.total) %}"},"Next":"Say"},
"Say":{"Type":"Pass","Output":"{% $states.input.count & ' lines come to ' & $states.input.total %}","End":true}}}"#;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    for &clients in &bench.settings.clients {
        bench.say(&format!("jsonata: {clients} clients for {} s", time.as_secs_f64()));
        let mut site = bench.site()?;
        let machine = site.state_machine("jsonata", DEFINITION, MachineType::Express).await?;
        let start = SyncStart::new(&site.place, &machine, &input().to_string(), Json::from(output()))?;
        let line = bench.run(WORKLOAD.name, &site, clients, time, &start).await?.line;
        bench.tell(line.beside_the_disk());
        site.end()?;
    }
    Ok(())
}

fn quantity(id: u64) -> u64 {
    id % 5
}

fn price(id: u64) -> u64 {
    id % 7 + 1
}

fn input() -> Json {
    let line = |id: u64| {
        Json::object([("id", Json::from(id)), ("quantity", quantity(id).into()), ("price", price(id).into())])
    };
    Json::object([("lines", Json::array((0..LINES).map(line).collect()))])
}

/// What must come of it, computed in another way.
fn output() -> String {
    let totals: Vec<u64> = (0..LINES).map(|id| quantity(id) * price(id)).filter(|total| *total > 0).collect();
    format!("{} lines come to {}", totals.len(), totals.iter().sum::<u64>())
}
