//! Express executions that are answered when they are over.

use stepwell_json::Json;

use crate::client::{Client, plain_text, text};
use crate::connection::{Place, Prepared};
use crate::endpoint::Service;
use crate::load::Operation;

/// Starts an execution and reads how it ended. The first answer of each client is read whole, and of the others the status.
#[derive(Clone)]
pub(crate) struct SyncStart {
    request: Prepared,
    /// What the first answer is held against.
    expected: Option<Json>,
}

impl SyncStart {
    /// With the input, and the output it must have.
    pub(crate) fn new(place: &Place, machine: &str, input: &str, output: Json) -> Result<SyncStart, String> {
        let body = Json::object([("stateMachineArn", Json::from(machine)), ("input", Json::from(input))]);
        let request = place.prepare(Service::SyncStates, "StartSyncExecution", body.to_string())?;
        Ok(SyncStart { request, expected: Some(output) })
    }
}

impl Operation for SyncStart {
    fn service(&self) -> Service {
        Service::SyncStates
    }

    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let answer = client.send(&self.request).await?;
        let said = || -> String { answer.text().chars().take(300).collect() };
        if plain_text(&answer.body, "status") != Some("SUCCEEDED") {
            return Err(format!("StartSyncExecution: the execution has not succeeded: {}", said()));
        }
        let Some(expected) = &self.expected else { return Ok(()) };
        let whole = Json::parse(&answer.text()).map_err(|fault| format!("StartSyncExecution: no JSON: {fault}"))?;
        match Json::parse(&text(&whole, "output")?) {
            Ok(output) if output == *expected => {
                self.expected = None;
                Ok(())
            }
            _ => Err(format!("StartSyncExecution: another output than expected: {}", said())),
        }
    }
}
