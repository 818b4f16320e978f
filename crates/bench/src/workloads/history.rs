//! history: what a page of a long history costs at its beginning and at its end.
//!
//! The history has some 24,000 events, which is nearly as long as one may be; pages have 100. One client asks for the first
//! page and for the last in turn, so that both meet the same machine.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use super::choice_loop;
use super::{Needs, Workload};
use crate::bench::Bench;
use crate::client::{Client, plain_text, shown};
use crate::connection::Prepared;
use crate::endpoint::Service;
use crate::executions;
use crate::histogram::Histogram;
use crate::load::Operation;
use crate::site::{MachineType, Site};

pub(super) const WORKLOAD: Workload = Workload {
    name: "history",
    about: "the first and the last page of a history of 24,000 events, one client",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// Four events each time, of the 25,000 a history may have.
const TIMES: u32 = 6_000;

/// And in a run that has no time for so many pages.
const SHORT_RUN_TIMES: u32 = 1_000;
const WHOLE_RUN: Duration = Duration::from_secs(5);

/// Events of a page.
const PAGE: usize = 100;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    bench.say(&format!("history: pages of a long history for {} s", time.as_secs_f64()));
    let times = if time < WHOLE_RUN { SHORT_RUN_TIMES } else { TIMES };
    let mut site = bench.site()?;
    let machine = site.state_machine("history", &choice_loop::definition(times), MachineType::Standard).await?;
    let start = executions::start_request(&site.place, &machine, r#"{"n":0}"#)?;
    let answer = site.client.send(&start).await?;
    let arn = executions::started(&answer.body)?.to_owned();
    executions::wait_for_end(&mut site.client, &machine, executions::END).await?;
    let (last, events) = last_page(&mut site, &arn).await?;
    let asks = |token: Option<&str>| {
        site.place.prepare(Service::States, "GetExecutionHistory", request(&arn, token).to_string())
    };
    let pages = Pages {
        first: asks(None)?,
        last: asks(Some(&last))?,
        first_time: Histogram::default(),
        last_time: Histogram::default(),
    };
    let ran = bench.run(WORKLOAD.name, &site, 1, time, &pages).await?;
    let mut line = ran.line.beside_the_disk();
    line.figures.push(("events", events as f64));
    if let Some(pages) = ran.operations.first() {
        let (first, last) = (pages.first_time.quantile_us(0.5), pages.last_time.quantile_us(0.5));
        line.figures.extend([("first_page_p50_us", first), ("last_page_p50_us", last)]);
        if first > 0.0 {
            line.figures.push(("last_to_first", last / first));
        }
    }
    bench.tell(line);
    site.end()
}

fn request(arn: &str, token: Option<&str>) -> Json {
    let mut members = vec![("executionArn", Json::from(arn)), ("maxResults", Json::from(PAGE as u64))];
    members.extend(token.map(|token| ("nextToken", Json::from(token))));
    Json::object(members)
}

/// The token of the last page that is full, and how many events there are.
async fn last_page(site: &mut Site, arn: &str) -> Result<(String, usize), String> {
    let (mut last, mut token): (Option<String>, Option<String>) = (None, None);
    let mut events = 0;
    loop {
        let page = site.client.call("GetExecutionHistory", &request(arn, token.as_deref())).await?;
        let found = page.get("events").and_then(Json::as_array).map_or(0, |events| events.len());
        events += found;
        if found == PAGE {
            last.clone_from(&token);
        }
        token = match page.get("nextToken").and_then(Json::as_str) {
            Some(next) => Some(next.to_owned()),
            None => {
                return last.map(|last| (last, events)).ok_or_else(|| format!("there is one page: {}", shown(&page)));
            }
        };
    }
}

#[derive(Clone)]
struct Pages {
    first: Prepared,
    last: Prepared,
    first_time: Histogram,
    last_time: Histogram,
}

impl Operation for Pages {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        for (page, time) in [(&self.first, &mut self.first_time), (&self.last, &mut self.last_time)] {
            let began = Instant::now();
            let answer = client.send(page).await?;
            time.record(began.elapsed());
            if plain_text(&answer.body, "type").is_none() {
                return Err(format!("GetExecutionHistory: no event in {}", answer.text()));
            }
        }
        Ok(())
    }
}
