//! Executions that were started: whether they have ended, and how.
//!
//! An execution that was acknowledged is in one of five statuses. When none is running, failed, timed out or aborted, all
//! have succeeded; that is asked of the endpoint, some of them are looked at one by one, and where they are few they are
//! counted too.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, plain_text, shown, text};
use crate::connection::{Place, Prepared};
use crate::endpoint::Service;
use crate::histogram::Histogram;
use crate::load::{Errors, Operation};

/// How long executions that were started may take to end.
pub(crate) const END: Duration = Duration::from_secs(60);

/// How long one that is followed may take. The generator waits somewhat longer for its last answers.
const FOLLOWED: Duration = Duration::from_secs(20);

/// How often an execution is looked at that has not ended when it was started.
const LOOK: Duration = Duration::from_millis(1);

/// Statuses of executions that have ended without success.
const ENDED_OTHERWISE: [&str; 4] = ["FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

/// How often it is asked whether executions still run.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The largest page.
const PAGE: u64 = 1_000;

/// So many are counted one by one.
const COUNTED_MAX: u64 = 20_000;

/// So many are looked at.
const LOOKED_AT_MAX: usize = 200;

/// A StartExecution without a name.
pub(crate) fn start_request(place: &Place, machine: &str, input: &str) -> Result<Prepared, String> {
    let body = Json::object([("stateMachineArn", Json::from(machine)), ("input", Json::from(input))]);
    place.prepare(Service::States, "StartExecution", body.to_string())
}

/// The ARN in the answer to a start.
pub(crate) fn started(answer: &[u8]) -> Result<&str, String> {
    plain_text(answer, "executionArn")
        .ok_or_else(|| format!("StartExecution: no executionArn in {}", String::from_utf8_lossy(answer)))
}

/// Starts an execution and looks at it until it has ended, which it must with success.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    start: Prepared,
    describe: Prepared,
    /// What the output of the first is held against.
    expected: Option<Json>,
    /// How long the start alone took.
    answered: Histogram,
}

impl Follow {
    pub(crate) fn new(place: &Place, machine: &str, input: &str, output: Json) -> Result<Follow, String> {
        Ok(Follow {
            start: start_request(place, machine, input)?,
            describe: place.prepare(Service::States, "DescribeExecution", "")?,
            expected: Some(output),
            answered: Histogram::default(),
        })
    }

    /// How long starts alone took.
    pub(crate) fn answered(operations: &[Follow]) -> Histogram {
        let mut answered = Histogram::default();
        operations.iter().for_each(|operation| answered.add(&operation.answered));
        answered
    }
}

impl Operation for Follow {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let began = Instant::now();
        let answer = client.send(&self.start).await?;
        self.answered.record(began.elapsed());
        let describe = self.describe.with_body(format!(r#"{{"executionArn":"{}"}}"#, started(&answer.body)?));
        loop {
            let execution = client.send(&describe).await?;
            match plain_text(&execution.body, "status") {
                Some("SUCCEEDED") => return self.check_output(&execution.text()),
                Some("RUNNING") if began.elapsed() < FOLLOWED => tokio::time::sleep(LOOK).await,
                Some(status) => {
                    return Err(format!("an execution is {status} after {} ms", began.elapsed().as_millis()));
                }
                None => return Err(format!("DescribeExecution: no status in {}", execution.text())),
            }
        }
    }
}

impl Follow {
    fn check_output(&mut self, execution: &str) -> Result<(), String> {
        let Some(expected) = &self.expected else { return Ok(()) };
        let whole = Json::parse(execution).map_err(|fault| format!("DescribeExecution: no JSON: {fault}"))?;
        match Json::parse(&text(&whole, "output")?) {
            Ok(output) if output == *expected => {
                self.expected = None;
                Ok(())
            }
            _ => Err(format!("an execution has another output than expected: {}", shown(&whole))),
        }
    }
}

/// Stops every execution that still runs, where it would outlive the run.
pub(crate) async fn stop_all(client: &mut Client, machine: &str) -> Result<(), String> {
    let began = Instant::now();
    while began.elapsed() < END {
        let members = [("stateMachineArn", Json::from(machine)), ("statusFilter", Json::from("RUNNING"))];
        let answer = client.call("ListExecutions", &Json::object(members)).await?;
        let running = answer.get("executions").and_then(Json::as_array).map(|found| found.to_vec()).unwrap_or_default();
        if running.is_empty() {
            return Ok(());
        }
        for execution in running {
            let arn = text(&execution, "executionArn")?;
            client.call("StopExecution", &Json::object([("executionArn", Json::from(arn))])).await?;
        }
    }
    Err(format!("executions of {machine} still run although they were stopped"))
}

/// Waits until no execution runs, or for this time.
pub(crate) async fn wait_for_end(client: &mut Client, machine: &str, patience: Duration) -> Result<(), String> {
    let began = Instant::now();
    while began.elapsed() < patience {
        if page(client, machine, "RUNNING", 1, None).await?.0 == 0 {
            return Ok(());
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Ok(())
}

/// Executions that have ended without success: each is an error.
pub(crate) async fn failed(client: &mut Client, machine: &str) -> Result<Errors, String> {
    let mut errors = Errors::default();
    for status in ENDED_OTHERWISE {
        let found = match count(client, machine, status).await {
            Ok(found) => found,
            // The one status that older endpoints do not know.
            Err(fault) if status == "PENDING_REDRIVE" && fault.contains("status 400") => 0,
            Err(fault) => return Err(fault),
        };
        errors.count_many(found, format!("executions are {status}"));
    }
    Ok(errors)
}

/// What is wrong with executions of which so many were acknowledged: each that has not succeeded is an error.
pub(crate) async fn verify(
    client: &mut Client,
    machine: &str,
    acknowledged: u64,
    looked_at: &[String],
    output: &Json,
) -> Result<Errors, String> {
    let mut errors = failed(client, machine).await?;
    errors.count_many(count(client, machine, "RUNNING").await?, "executions are RUNNING".to_owned());
    if acknowledged <= COUNTED_MAX {
        let succeeded = count(client, machine, "SUCCEEDED").await?;
        let missing = acknowledged.saturating_sub(succeeded + errors.count);
        errors.count_many(missing, "executions were acknowledged and are not listed".to_owned());
    }
    for arn in looked_at.iter().take(LOOKED_AT_MAX) {
        if let Err(fault) = look_at(client, arn, output).await {
            errors.count(fault);
        }
    }
    Ok(errors)
}

/// Looks at an execution, which must have succeeded with this output.
async fn look_at(client: &mut Client, arn: &str, output: &Json) -> Result<(), String> {
    let execution = client.call("DescribeExecution", &Json::object([("executionArn", Json::from(arn))])).await?;
    let status = text(&execution, "status")?;
    if status != "SUCCEEDED" {
        return Err(format!("an execution is {status}: {}", shown(&execution)));
    }
    let found = text(&execution, "output")?;
    match Json::parse(&found) {
        Ok(found) if found == *output => Ok(()),
        _ => Err(format!("an execution has another output: {}", shown(&execution))),
    }
}

/// How many executions have this status.
pub(crate) async fn count(client: &mut Client, machine: &str, status: &str) -> Result<u64, String> {
    let mut total = 0;
    let mut token: Option<String> = None;
    loop {
        let (found, next) = page(client, machine, status, PAGE, token.as_deref()).await?;
        total += found;
        match next {
            Some(next) => token = Some(next),
            None => return Ok(total),
        }
    }
}

/// How many stand on a page, and the token of the next.
async fn page(
    client: &mut Client,
    machine: &str,
    status: &str,
    size: u64,
    token: Option<&str>,
) -> Result<(u64, Option<String>), String> {
    let mut members = vec![
        ("stateMachineArn", Json::from(machine)),
        ("statusFilter", Json::from(status)),
        ("maxResults", Json::from(size)),
    ];
    members.extend(token.map(|token| ("nextToken", Json::from(token))));
    let answer = client.call("ListExecutions", &Json::object(members)).await?;
    let Some(executions) = answer.get("executions").and_then(Json::as_array) else {
        return Err(format!("ListExecutions: no executions in {}", shown(&answer)));
    };
    let next = answer.get("nextToken").and_then(Json::as_str).map(str::to_owned);
    Ok((executions.len() as u64, next))
}
