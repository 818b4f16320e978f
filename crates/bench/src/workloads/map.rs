//! map: an inline Map of two Pass states over numbers, with one client.
//!
//! 1,000 items as a Standard execution, which is durable and followed to its end; then 1,000, 10,000 and 40,000 as Express
//! ones, since the history of a Standard execution ends at 25,000 events. What ten times the items cost is the point of the
//! larger ones.

use std::time::Duration;

use stepwell_json::Json;

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::executions::Follow;
use crate::site::MachineType;
use crate::sync::SyncStart;

pub(super) const WORKLOAD: Workload = Workload {
    name: "map",
    about: "inline Map of 1,000 (10,000, 40,000) items by two Pass states, one client",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// As many as fit into the largest payload.
const ITEMS: [usize; 3] = [1_000, 10_000, 40_000];

const DEFINITION: &str = r#"{"StartAt":"Each","States":{"Each":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"One","States":{"One":{"Type":"Pass","Next":"Two"},"Two":{"Type":"Pass","End":true}}}}}}"#;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    let input = numbers(ITEMS[0]);
    bench.say(&format!("map: {} items, Standard, for {} s", ITEMS[0], time.as_secs_f64()));
    let mut site = bench.site()?;
    let machine = site.state_machine("map", DEFINITION, MachineType::Standard).await?;
    let follow = Follow::new(&site.place, &machine, &input, parsed(&input)?)?;
    let mut line = bench.run(WORKLOAD.name, &site, 1, time, &follow).await?.line;
    line.variant = Some(format!("{} standard", ITEMS[0]));
    bench.tell(line);
    site.end()?;
    let mut smallest = None;
    for items in ITEMS {
        bench.say(&format!("map: {items} items, Express, for {} s", time.as_secs_f64()));
        let costs = express(bench, items, time, smallest).await?;
        smallest.get_or_insert(costs);
    }
    Ok(())
}

/// What a Map costs.
#[derive(Clone, Copy)]
struct Costs {
    p50_us: f64,
    /// On a machine with other things to do, steadier than the time.
    cpu_us: Option<f64>,
}

/// Measures a Map of so many items, and holds it against the smallest.
async fn express(
    bench: &mut Bench<'_>,
    items: usize,
    time: Duration,
    smallest: Option<Costs>,
) -> Result<Costs, String> {
    let input = numbers(items);
    let mut site = bench.site()?;
    let machine = site.state_machine("map", DEFINITION, MachineType::Express).await?;
    let start = SyncStart::new(&site.place, &machine, &input, parsed(&input)?)?;
    let mut line = bench.run(WORKLOAD.name, &site, 1, time, &start).await?.line.beside_the_disk();
    line.variant = Some(format!("{items} express"));
    let p50_us = line.latency.as_ref().map_or(0.0, |latency| latency.quantile_us(0.5));
    let costs = Costs { p50_us, cpu_us: line.server_cpu_us() };
    if let Some(smallest) = smallest {
        let cpu = costs.cpu_us.zip(smallest.cpu_us);
        let ratios = [("times_the_smallest", Some((p50_us, smallest.p50_us))), ("cpu_times_the_smallest", cpu)];
        let ratios = ratios.into_iter().filter_map(|(name, of)| of.map(|(large, small)| (name, large, small)));
        let ratios = ratios.filter(|(_, _, small)| *small > 0.0);
        line.figures.extend(ratios.map(|(name, large, small)| (name, large / small)));
    }
    bench.tell(line);
    site.end()?;
    Ok(costs)
}

/// The numbers from zero, as JSON.
fn numbers(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

fn parsed(text: &str) -> Result<Json, String> {
    Json::parse(text).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest input or output, in bytes.
    const PAYLOAD_BYTES_MAX: usize = 262_144;

    #[test]
    fn the_largest_list_fits_into_a_payload() {
        assert!(ITEMS.iter().all(|items| numbers(*items).len() <= PAYLOAD_BYTES_MAX));
        assert_eq!(numbers(3), "[0,1,2]");
    }
}
