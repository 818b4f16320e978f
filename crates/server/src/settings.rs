//! What a server can be told, and which of it is refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::egress::Egress;
use crate::endpoints::Endpoints;
use crate::throttle::Throttling;

/// The longest a signature may be good for, as AWS has it where it is most patient.
const CLOCK_SKEW_MINUTES_MAX: u64 = 15;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// As on the wall.
    Real,
    /// As on the wall, and with a jump to the next timer whenever nothing runs.
    Skip,
}

/// What a server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The directory everything is kept in; none keeps it in memory.
    pub data: Option<PathBuf>,
    /// How time passes.
    pub time: Time,
    /// The file that answers the tasks of executions started with a test case.
    pub mocks: Option<PathBuf>,
    /// Where services are that tasks call.
    pub endpoints: Endpoints,
    /// Authorities to trust beside those of the machine, as PEM, for what is asked over TLS.
    pub ca_bundle: Option<PathBuf>,
    /// What tasks may ask beside public addresses.
    pub egress: Egress,
    /// The account of callers whose access key id is not one.
    pub account: String,
    /// The region of callers that do not name one.
    pub region: String,
    /// Names it may be called by, beside those of the own machine.
    pub allowed_hosts: Vec<String>,
    /// Whether other machines may reach it although what they say is not encrypted and, without credentials, nobody has to
    /// prove who they are.
    pub insecure: bool,
    /// The file of the keys that may sign. Without one every request is accepted; with one every request must verify.
    pub credentials: Option<PathBuf>,
    /// How many minutes a caller's clock may be from ours: up to 15.
    pub clock_skew_minutes: u64,
    /// How often callers may call.
    pub throttling: Throttling,
    /// Functions of the account and the region above, beside those that calls create.
    pub functions: Vec<NamedFunction>,
    /// Whether functions are kept from what is not theirs, as far as the system can.
    pub function_sandbox: bool,
}

/// A function that whoever starts the server names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFunction {
    /// Its name.
    pub name: String,
    /// What runs when it is invoked.
    pub runs: FunctionSource,
}

/// What runs for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionSource {
    /// The files of a directory, read anew when they change. The entry is guessed from them when none is given.
    Directory {
        /// Where they are.
        path: PathBuf,
        /// `FILE.FUNCTION`
        entry: Option<String>,
    },
    /// Whoever answers at this URL.
    Url(String),
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4566)),
            data: None,
            time: Time::Real,
            mocks: None,
            endpoints: Endpoints::default(),
            ca_bundle: None,
            egress: Egress::default(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            allowed_hosts: Vec::new(),
            insecure: false,
            credentials: None,
            clock_skew_minutes: 5,
            throttling: Throttling::default(),
            functions: Vec::new(),
            function_sandbox: true,
        }
    }
}

impl Settings {
    /// Refuses to open to other machines what has no lock, or a lock anybody on the way can look through.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.clock_skew_minutes > CLOCK_SKEW_MINUTES_MAX {
            return Err(format!("a caller's clock may be at most {CLOCK_SKEW_MINUTES_MAX} minutes off"));
        }
        if let Some(function) = self.functions.first().filter(|_| !cfg!(feature = "lambda")) {
            return Err(format!(
                "the function {} cannot run: this program was built without the local Lambda",
                function.name
            ));
        }
        if self.listen.ip().is_loopback() || self.insecure {
            return Ok(());
        }
        let (risk, remedy) = match self.credentials {
            None => ("let every machine that can reach it act without credentials", " and with --credentials FILE"),
            Some(_) => ("send requests and answers over the network unencrypted", ""),
        };
        let listen = self.listen.ip();
        Err(format!(
            "listening on {listen} would {risk}; listen on 127.0.0.1, behind a proxy with TLS{remedy}, or accept the risk \
             with --insecure"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_machine_is_let_in_without_a_word() {
        for (listen, insecure, expected) in [
            ("127.0.0.1:1", false, true),
            ("127.8.8.8:1", false, true),
            ("[::1]:1", false, true),
            ("0.0.0.0:1", false, false),
            ("[::]:1", false, false),
            ("192.168.1.2:1", false, false),
            ("0.0.0.0:1", true, true),
        ] {
            let settings = Settings { listen: listen.parse().expect("an address"), insecure, ..Settings::default() };
            assert_eq!(settings.check().is_ok(), expected, "{listen}");
            // Keys prove who calls; they do not hide what is said.
            let locked = Settings { credentials: Some(PathBuf::from("keys")), ..settings };
            assert_eq!(locked.check().is_ok(), expected, "{listen}");
        }
    }

    #[test]
    fn clocks_are_at_most_a_quarter_of_an_hour_apart() {
        for (clock_skew_minutes, expected) in [(0, true), (15, true), (16, false), (u64::MAX, false)] {
            let settings = Settings { clock_skew_minutes, ..Settings::default() };
            assert_eq!(settings.check().is_ok(), expected, "{clock_skew_minutes}");
        }
    }
}
