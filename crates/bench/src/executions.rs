//! Executions that were started: whether they have ended, and how.
//!
//! An execution that was acknowledged is in one of five statuses. When none is running, failed, timed out or aborted, all
//! have succeeded; that is asked of the endpoint, some of them are looked at one by one, and where they are few they are
//! counted too.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, shown, text};
use crate::load::Errors;

/// Statuses of executions that have not succeeded.
const OTHERS: [&str; 5] = ["RUNNING", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

/// How often it is asked whether executions still run.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The largest page.
const PAGE: u64 = 1_000;

/// So many are counted one by one.
const COUNTED_MAX: u64 = 20_000;

/// So many are looked at.
const LOOKED_AT_MAX: usize = 200;

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

/// What is wrong with executions of which so many were acknowledged: each that has not succeeded is an error.
pub(crate) async fn verify(
    client: &mut Client,
    machine: &str,
    acknowledged: u64,
    looked_at: &[String],
    output: &Json,
) -> Result<Errors, String> {
    let mut errors = Errors::default();
    for status in OTHERS {
        let found = match count(client, machine, status).await {
            Ok(found) => found,
            // The one status that older endpoints do not know.
            Err(fault) if status == "PENDING_REDRIVE" && fault.contains("status 400") => 0,
            Err(fault) => return Err(fault),
        };
        errors.count_many(found, format!("executions are {status}"));
    }
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
