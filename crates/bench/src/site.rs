//! A place under load: the endpoint that was named or a server of our own, and what was made there.
//!
//! A server of our own is new, with an empty data directory, and takes everything with it when it ends. At an endpoint that
//! was named, whatever was made is noted where the end of the run finds it, also after Ctrl-C, and deleted.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use stepwell_json::Json;

use crate::client::{Client, text};
use crate::connection::Place;
use crate::disk::Folder;
use crate::endpoint::{Endpoint, Service, Signing};
use crate::executions;
use crate::process::{Kind, Process, Usage};

/// The type of a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MachineType {
    Standard,
    Express,
}

impl MachineType {
    /// As the API has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MachineType::Standard => "STANDARD",
            MachineType::Express => "EXPRESS",
        }
    }
}

/// Something that was made, by what deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    StateMachine(String, MachineType),
    Activity(String),
    Queue(String),
}

/// What was made at an endpoint that is not ours.
pub(crate) type Ledger = Rc<RefCell<Vec<Made>>>;

/// What is under load.
pub(crate) struct Site {
    pub(crate) place: Arc<Place>,
    /// For what is not measured.
    pub(crate) client: Client,
    server: Option<OwnServer>,
    /// The process behind an endpoint that was named.
    process: Option<u32>,
    ledger: Option<Ledger>,
    prefix: String,
    role_arn: String,
    made: u32,
}

/// A server of our own. The folder outlives the process.
struct OwnServer {
    process: Process,
    ready: Duration,
    folder: Folder,
}

/// What all sites of a run have in common.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// What the names of everything that is made begin with.
    pub(crate) prefix: String,
    pub(crate) role_arn: String,
}

impl Site {
    /// A server of our own, ready, with nothing in it.
    pub(crate) fn own(binary: &Path, parent: &Path, region: &str, names: &Names) -> Result<Site, String> {
        let folder = Folder::new(parent)?;
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
        let process = Process::start(binary, &arguments, folder.path(), Kind::Server)?;
        let ready = process.wait_until_ready()?;
        let endpoint = Endpoint::parse(&format!("http://{}", process.address))?;
        let place = Arc::new(Place { endpoint, signing: Signing::Constant { region: region.into() } });
        let server = Some(OwnServer { process, ready, folder });
        Ok(Site { server, ..Site::new(place, names) })
    }

    /// What answers elsewhere.
    pub(crate) fn at(place: Arc<Place>, process: Option<u32>, ledger: Ledger, names: &Names) -> Site {
        Site { process, ledger: Some(ledger), ..Site::new(place, names) }
    }

    fn new(place: Arc<Place>, names: &Names) -> Site {
        Site {
            client: Client::new(place.clone()),
            place,
            server: None,
            process: None,
            ledger: None,
            prefix: names.prefix.clone(),
            role_arn: names.role_arn.clone(),
            made: 0,
        }
    }

    /// How long it took from its start until it was ready.
    pub(crate) fn ready(&self) -> Option<Duration> {
        self.server.as_ref().map(|server| server.ready)
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> Option<std::path::PathBuf> {
        self.server.as_ref().map(|server| server.folder.path().join("data"))
    }

    /// What the system says of the process that answers.
    pub(crate) fn usage(&self) -> Usage {
        match (&self.server, self.process) {
            (Some(server), _) => server.process.usage(),
            (None, Some(process)) => Usage::of(&process.to_string()),
            (None, None) => Usage::default(),
        }
    }

    /// A name nobody else has.
    pub(crate) fn name(&mut self, of: &str) -> String {
        self.made += 1;
        // Names are kept apart by what was made before, in this run as a whole where that is remembered.
        let number = self.ledger.as_ref().map_or(self.made as usize, |ledger| ledger.borrow().len());
        format!("{}-{of}-{number}", self.prefix)
    }

    /// Creates a state machine; answers its ARN.
    pub(crate) async fn state_machine(
        &mut self,
        of: &str,
        definition: &str,
        machine_type: MachineType,
    ) -> Result<String, String> {
        let name = self.name(of);
        let body = Json::object([
            ("name", Json::from(name)),
            ("definition", Json::from(definition)),
            ("roleArn", Json::from(self.role_arn.as_str())),
            ("type", Json::from(machine_type.name())),
        ]);
        let answer = self.client.call("CreateStateMachine", &body).await?;
        let arn = text(&answer, "stateMachineArn")?;
        self.note(Made::StateMachine(arn.clone(), machine_type));
        Ok(arn)
    }

    /// Creates an activity; answers its ARN.
    pub(crate) async fn activity(&mut self, of: &str) -> Result<String, String> {
        let name = self.name(of);
        let answer = self.client.call("CreateActivity", &Json::object([("name", Json::from(name))])).await?;
        let arn = text(&answer, "activityArn")?;
        self.note(Made::Activity(arn.clone()));
        Ok(arn)
    }

    /// Creates a queue; answers its URL.
    pub(crate) async fn queue(&mut self, of: &str) -> Result<String, String> {
        let name = self.name(of);
        let body = Json::object([("QueueName", Json::from(name))]);
        let answer = self.client.call_of(Service::Sqs, "CreateQueue", &body).await?;
        let url = text(&answer, "QueueUrl")?;
        self.note(Made::Queue(url.clone()));
        Ok(url)
    }

    fn note(&self, made: Made) {
        if let Some(ledger) = &self.ledger {
            ledger.borrow_mut().push(made);
        }
    }

    /// Ends as [`Site::end`] does, when executions of this state machine still run: at an endpoint that goes on they are
    /// stopped first.
    pub(crate) async fn end_with(mut self, machine: &str) -> Result<(), String> {
        if self.server.is_none() {
            executions::stop_all(&mut self.client, machine).await?;
        }
        self.end()
    }

    /// Ends a server of our own, and answers the folder with its data.
    pub(crate) fn end_and_keep(self) -> Result<Folder, String> {
        let server = self.server.ok_or("there is no server of our own")?;
        server.process.end()?;
        Ok(server.folder)
    }

    /// Ends a server of our own, and removes its data.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.server {
            Some(server) => server.process.end(),
            None => Ok(()),
        }
    }
}

/// Deletes what was made; answers what could not be deleted, and why.
pub(crate) async fn delete(place: &Arc<Place>, ledger: &Ledger) -> Vec<String> {
    let mut client = Client::new(place.clone());
    let mut faults = Vec::new();
    for made in ledger.take() {
        let (service, action, member, id) = match &made {
            Made::StateMachine(arn, _) => (Service::States, "DeleteStateMachine", "stateMachineArn", arn),
            Made::Activity(arn) => (Service::States, "DeleteActivity", "activityArn", arn),
            Made::Queue(url) => (Service::Sqs, "DeleteQueue", "QueueUrl", url),
        };
        // What waits for a worker would wait for ever, and keep its state machine from being deleted.
        if let Made::StateMachine(arn, MachineType::Standard) = &made
            && let Err(fault) = executions::stop_all(&mut client, arn).await
        {
            faults.push(fault);
        }
        if let Err(fault) = client.call_of(service, action, &Json::object([(member, Json::from(id.as_str()))])).await {
            faults.push(format!("{id} is left: {fault}"));
        }
    }
    faults
}
