//! What a server can be told, and which of it is refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

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
    /// The account of callers whose access key id is not one.
    pub account: String,
    /// The region of callers that do not name one.
    pub region: String,
    /// Names it may be called by, beside those of the own machine.
    pub allowed_hosts: Vec<String>,
    /// Whether other machines may reach it although nobody has to prove who they are.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4566)),
            data: None,
            time: Time::Real,
            mocks: None,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            allowed_hosts: Vec::new(),
            insecure: false,
        }
    }
}

impl Settings {
    /// Refuses to open to other machines what has no lock.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.listen.ip().is_loopback() || self.insecure {
            return Ok(());
        }
        Err(format!(
            "listening on {} would let every machine that can reach it act without credentials; listen on 127.0.0.1, or \
             accept the risk with --insecure",
            self.listen.ip()
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
        }
    }
}
