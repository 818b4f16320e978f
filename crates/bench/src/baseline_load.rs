//! The baseline under load: the process, and what the generator gets out of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::connection::{Place, Prepared};
use crate::endpoint::{Endpoint, Service, Signing};
use crate::load::{Measured, Operation, Until, drive};
use crate::process::{Kind, Process, Usage};

/// The command of `stepwell` that is the baseline.
pub const COMMAND: &str = "bench-baseline";

/// As large as a StartExecution.
const BODY: &str = r#"{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:bench-000000-chain-1","input":"{\"order\":\"A-1\",\"quantity\":2}"}"#;

/// A baseline that runs.
#[derive(Debug)]
pub(crate) struct Baseline {
    process: Process,
    place: Arc<Place>,
}

impl Baseline {
    pub(crate) fn start(binary: &Path) -> Result<Baseline, String> {
        let process = Process::start(binary, &[COMMAND], Path::new("."), Kind::Baseline)?;
        let endpoint = Endpoint::parse(&format!("http://{}", process.address))?;
        let place = Arc::new(Place { endpoint, signing: Signing::Constant { region: "us-east-1".into() } });
        Ok(Baseline { process, place })
    }

    /// Requests it answers in a second.
    pub(crate) async fn rate(&self, clients: usize, time: Duration) -> Result<f64, String> {
        let measured = self.load(clients, time).await?;
        match measured.errors.samples.first() {
            None => Ok(measured.rate()),
            Some(sample) => Err(format!("the baseline errs: {sample}")),
        }
    }

    /// Puts it under load.
    pub(crate) async fn load(&self, clients: usize, time: Duration) -> Result<Measured<Ask>, String> {
        let ask = Ask(self.place.prepare(Service::States, "StartExecution", BODY)?);
        Ok(drive(&self.place, clients, Until::Over(time), &ask).await)
    }

    /// What the system says of it.
    pub(crate) fn usage(&self) -> Usage {
        self.process.usage()
    }

    pub(crate) fn end(self) -> Result<(), String> {
        self.process.end()
    }
}

/// Asks it once.
#[derive(Clone, Debug)]
pub(crate) struct Ask(Prepared);

impl Operation for Ask {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        client.send(&self.0).await.map(drop)
    }
}
