//! What a run is asked to do, and what of it is refused before anything is done.

use std::path::PathBuf;
use std::time::Duration;

use stepwell_protocol::Keys;

use crate::endpoint::Endpoint;
use crate::workloads::{self, Needs, Workload};

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names of workloads, in this order; all that can be run here when there are none.
    pub workloads: Vec<String>,
    /// Where to send the load: a URL. Without one, a server of this run's own.
    pub endpoint: Option<String>,
    /// How many clients at a time: one measurement for each.
    pub clients: Vec<usize>,
    /// How long each measurement takes.
    pub time: Duration,
    /// The folder in which a server of our own has its data while the run lasts.
    pub folder: PathBuf,
    /// The `stepwell` command, for that server.
    pub binary: PathBuf,
    /// The region requests are for.
    pub region: String,
    /// The role of the state machines that are created.
    pub role_arn: Option<String>,
    /// Keys to sign with, when there are any.
    pub keys: Option<Keys>,
    /// Whether requests to an endpoint that is not AWS's are signed too.
    pub signs: bool,
    /// Whether AWS may charge for this.
    pub accepts_charges: bool,
    /// Whether what takes minutes and gigabytes is done too.
    pub is_long: bool,
    /// The process behind the endpoint, when it is one of this machine.
    pub process: Option<u32>,
}

impl Settings {
    /// All workloads, against a server of the run's own from this binary, with data in the current folder.
    pub fn new(binary: PathBuf) -> Settings {
        Settings {
            workloads: Vec::new(),
            endpoint: None,
            clients: vec![1, 16, 64],
            time: Duration::from_secs(10),
            folder: PathBuf::from("."),
            binary,
            region: "us-east-1".to_owned(),
            role_arn: None,
            keys: None,
            signs: false,
            accepts_charges: false,
            is_long: false,
            process: None,
        }
    }
}

/// Settings that have been found to make sense.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<&'static Workload>,
    /// Workloads that were left out, and why.
    pub(crate) left_out: Vec<(&'static str, &'static str)>,
    pub(crate) endpoint: Option<Endpoint>,
}

/// A role that nobody has to have. AWS asks for one that exists.
pub(crate) const ANY_ROLE: &str = "arn:aws:iam::000000000000:role/stepwell-bench";

/// More would be more connections than servers take.
const CLIENTS_MAX: usize = 10_000;

impl Settings {
    /// What is to be done. Refuses what cannot be done, and what would cost money unasked.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let endpoint = self.endpoint.as_deref().map(Endpoint::parse).transpose()?;
        if self.clients.is_empty() || self.clients.iter().any(|clients| !(1..=CLIENTS_MAX).contains(clients)) {
            return Err(format!("--clients takes numbers from 1 to {CLIENTS_MAX}, such as 1,16,64"));
        }
        if self.time.is_zero() {
            return Err("--seconds must be more than zero".to_owned());
        }
        if let Some(endpoint) = &endpoint {
            self.check_charges(endpoint)?;
        }
        if self.signs && self.keys.is_none() {
            return Err("--sign needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        }
        let mut plan = Plan { workloads: Vec::new(), left_out: Vec::new(), endpoint };
        if self.workloads.is_empty() {
            for workload in workloads::ALL {
                match self.obstacle(workload) {
                    None => plan.workloads.push(workload),
                    Some(obstacle) => plan.left_out.push((workload.name, obstacle)),
                }
            }
        }
        for name in &self.workloads {
            let workload = workloads::ALL.iter().find(|workload| workload.name == name).ok_or_else(|| {
                let names: Vec<&str> = workloads::ALL.iter().map(|workload| workload.name).collect();
                format!("there is no workload '{name}'; there are {}", names.join(", "))
            })?;
            if let Some(obstacle) = self.obstacle(workload) {
                return Err(format!("{name} {obstacle}"));
            }
            plan.workloads.push(workload);
        }
        Ok(plan)
    }

    /// AWS charges for every transition, and asks for a role and for signatures.
    fn check_charges(&self, endpoint: &Endpoint) -> Result<(), String> {
        if !endpoint.is_aws() {
            return Ok(());
        }
        if !self.accepts_charges {
            return Err(
                "AWS charges for every state transition, request and queued message of a benchmark, and a run makes \
                        as many as it can: --accept-charges says that you know. Give few --clients and --seconds"
                    .to_owned(),
            );
        }
        if self.role_arn.is_none() {
            return Err(
                "AWS asks for a role: give --role-arn, with a role that Step Functions may assume and that may \
                        send messages to SQS queues whose names begin with 'bench-'"
                    .to_owned(),
            );
        }
        if self.keys.is_none() {
            return Err("AWS asks for signatures: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        }
        Ok(())
    }

    /// Why a workload cannot be run.
    fn obstacle(&self, workload: &Workload) -> Option<&'static str> {
        match workload.needs {
            Needs::OwnServer if self.endpoint.is_some() => {
                Some("measures a server it has started itself: leave --endpoint out")
            }
            Needs::Long if self.endpoint.is_some() => {
                Some("fills a server it has started itself: leave --endpoint out")
            }
            Needs::Long if !self.is_long => Some("takes minutes and gigabytes: ask for it with --long"),
            Needs::Endpoint | Needs::OwnServer | Needs::Long => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(PathBuf::from("stepwell"))
    }

    fn refused(settings: &Settings, says: &str) {
        let fault = settings.plan().expect_err(says);
        assert!(fault.contains(says), "{fault}");
    }

    #[test]
    fn without_names_it_is_everything_that_can_be_run() {
        let names = |settings: &Settings| -> Vec<&str> {
            settings.plan().expect("a plan").workloads.iter().map(|workload| workload.name).collect()
        };
        let own = names(&settings());
        assert!(own.contains(&"chain") && own.contains(&"express"), "{own:?}");
        let all = names(&Settings { is_long: true, ..settings() });
        assert_eq!(all.len(), workloads::ALL.len());
        let elsewhere = Settings { endpoint: Some("http://127.0.0.1:1".to_owned()), ..settings() };
        let plan = elsewhere.plan().expect("a plan");
        assert!(plan.workloads.iter().all(|workload| workload.needs == Needs::Endpoint));
        assert_eq!(plan.workloads.len() + plan.left_out.len(), workloads::ALL.len());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        refused(
            &Settings { workloads: vec!["chian".to_owned()], ..settings() },
            "there is no workload 'chian'; there are baseline, chain",
        );
        refused(&Settings { clients: vec![1, 0], ..settings() }, "--clients");
        refused(&Settings { clients: Vec::new(), ..settings() }, "--clients");
        refused(&Settings { time: Duration::ZERO, ..settings() }, "--seconds");
        refused(&Settings { endpoint: Some("localhost".to_owned()), ..settings() }, "is no endpoint");
        refused(&Settings { signs: true, ..settings() }, "AWS_ACCESS_KEY_ID");
    }

    #[test]
    fn aws_is_charged_for_only_when_that_was_said() {
        let keys = Keys { access_key_id: "a".to_owned(), secret_access_key: "b".to_owned(), session_token: None };
        let aws = Settings { endpoint: Some("https://states.us-east-1.amazonaws.com".to_owned()), ..settings() };
        refused(&aws, "--accept-charges");
        let aws = Settings { accepts_charges: true, ..aws };
        refused(&aws, "--role-arn");
        let aws = Settings { role_arn: Some("arn:aws:iam::123456789012:role/r".to_owned()), ..aws };
        refused(&aws, "AWS_ACCESS_KEY_ID");
        assert!(Settings { keys: Some(keys), ..aws }.plan().is_ok());
    }
}
