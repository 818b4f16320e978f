//! Starting executions as fast as they are answered.

use crate::client::Client;
use crate::connection::Prepared;
use crate::executions;
use crate::load::Operation;

/// Of so many executions a client starts, one is remembered.
const REMEMBERED_ONE_OF: u64 = 500;

/// Starts an execution.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    request: Prepared,
    started: u64,
    /// Some of those that were started.
    pub(crate) arns: Vec<String>,
}

impl Start {
    pub(crate) fn new(request: Prepared) -> Start {
        Start { request, started: 0, arns: Vec::new() }
    }
}

impl Operation for Start {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let answer = client.send(&self.request).await?;
        let arn = executions::started(&answer.body)?;
        if self.started.is_multiple_of(REMEMBERED_ONE_OF) {
            self.arns.push(arn.to_owned());
        }
        self.started += 1;
        Ok(())
    }
}
