//! Very many timers due in the same second: each fires once, none earlier, none a minute late, and whoever asks for
//! something else meanwhile is answered.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stepwell_json::Json;

use crate::client::{Client, object};
use crate::field::{Broken, Field, Outcome, Pulse, one};
use crate::load::{execution_arn, history, machine_arn, state_machine};
use crate::server::Launch;

const CLIENTS: u64 = 16;

/// How late the last may be.
const LATE_MAX: f64 = 60.0;

/// Histories that are read in full.
const READ: u64 = 500;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let count = field.count.unwrap_or(100_000) / CLIENTS * CLIENTS;
    let launch = Launch::new(&field.binary, &field.directory);
    let server = launch.start().map_err(one)?;
    let address = server.address();
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","TimestampPath":"$.at","End":true}}}"#;
    state_machine(&mut Client::new(address), "timers", wait).map_err(one)?;
    // One execution tells how long all starts take.
    let trial = Instant::now();
    start_many(address, u64::MAX, 200, "2020-01-01T00:00:00Z").map_err(one)?;
    let one_start = trial.elapsed() / 200;
    let lead = Duration::from_secs(5) + one_start * u32::try_from(count).unwrap_or(u32::MAX) / 4;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| one(error.to_string()))?;
    let due = (now + lead).as_secs();
    let at = timestamp(due);
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let at = at.clone();
            std::thread::spawn(move || start_many(address, number, count / CLIENTS, &at))
        })
        .collect();
    for client in clients {
        client.join().map_err(|_| one("a client broke off".to_owned()))?.map_err(one)?;
    }
    let started_in = began.elapsed();
    let left = Duration::from_secs(due)
        .saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| one(error.to_string()))?);
    if left.is_zero() {
        return Err(one(format!("starting {count} took {} s, longer than they wait", started_in.as_secs())));
    }
    let quiet = Pulse::start(address, "quiet", Duration::from_millis(5))?;
    std::thread::sleep(left.saturating_sub(Duration::from_secs(1)));
    let quiet = quiet.end()?;
    let pulse = Pulse::start(address, "meanwhile", Duration::from_millis(2))?;
    let mut client = Client::new(address);
    let running = object(&[("stateMachineArn", &machine_arn("timers")), ("statusFilter", "RUNNING")]);
    let waited = Instant::now();
    loop {
        let page = client.insist("ListExecutions", &running).map_err(one)?;
        if page.get("executions").and_then(Json::as_array).is_none_or(|list| list.is_empty()) {
            break;
        }
        if waited.elapsed() > Duration::from_secs(180) {
            return Err(one("I14: not all have ended after 180 s".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let pulse = pulse.end()?;
    let (mut latest, mut faults) = (0.0_f64, Vec::new());
    let mut ended = 0;
    let mut token: Option<String> = None;
    loop {
        let mut members = vec![
            ("stateMachineArn", Json::from(machine_arn("timers"))),
            ("statusFilter", Json::from("SUCCEEDED")),
            ("maxResults", Json::from(1_000)),
        ];
        members.extend(token.take().map(|token| ("nextToken", Json::from(token))));
        let page = client.insist("ListExecutions", &Json::object(members)).map_err(one)?;
        for item in page.get("executions").and_then(Json::as_array).into_iter().flat_map(|list| list.iter()) {
            let name = item.get("name").and_then(Json::as_str).unwrap_or_default();
            if name.starts_with(&u64::MAX.to_string()) {
                continue;
            }
            let late = item.get("stopDate").and_then(Json::as_f64).unwrap_or(f64::MAX) - due as f64;
            if late < 0.0 {
                faults.push(format!("I10: {name} is {late} s early"));
            }
            latest = latest.max(late);
            ended += 1;
        }
        match page.get("nextToken").and_then(Json::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    if ended != count {
        faults.push(format!("I10: of {count} timers {ended} have fired"));
    }
    if latest > LATE_MAX {
        faults.push(format!("I10: the last is {latest:.1} s late"));
    }
    for index in 0..READ.min(count) {
        let name = format!("{}-{}", index % CLIENTS, index / CLIENTS % (count / CLIENTS));
        let events = history(&mut client, &execution_arn("timers", &name)).map_err(one)?;
        let exits = events.iter().filter(|event| event.get("type").and_then(Json::as_str) == Some("WaitStateExited"));
        if exits.count() != 1 || events.len() != 4 {
            faults.push(format!("I7: {name} has {} events", events.len()));
        }
    }
    let words = launch.said("ERROR");
    if words > 0 {
        faults.push(format!("the server complained {words} times: {}", launch.last_words()));
    }
    server.end().map_err(one)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let fired_in = latest.max(0.001);
    Ok(Outcome::Held(format!(
        "{count} timers, started in {:.1} s, fired once each, the last {latest:.2} s late ({:.0}/s); other calls before: {}; \
         meanwhile: {}",
        started_in.as_secs_f64(),
        count as f64 / fired_in,
        quiet.shown(),
        pulse.shown(),
    )))
}

fn start_many(address: &str, number: u64, count: u64, at: &str) -> Result<(), String> {
    let mut client = Client::new(address);
    let (machine, input) = (machine_arn("timers"), object(&[("at", at)]).to_string());
    for index in 0..count {
        let name = format!("{number}-{index}");
        client
            .insist("StartExecution", &object(&[("stateMachineArn", &machine), ("name", &name), ("input", &input)]))?;
    }
    Ok(())
}

/// Seconds since 1970 as a Wait state wants them.
fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, so that a leap day is a year's last.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn seconds_are_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
