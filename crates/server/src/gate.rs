//! Who may speak to the server at all: requests that name it as it is named, and that no foreign web page sent.
//!
//! A page a developer visits can make the browser send requests to their own machine, under a name the page's owner
//! points there. So the name must be one of ours, and a request that says which page it is from is refused.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, ORIGIN};

/// What clients of some actions put before the host's name, for AWS's sake.
const HOST_PREFIX: &str = "sync-";

/// Why a request is not for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// It names a host that is none of ours, or none, or two.
    Host,
    /// It says which page it is from.
    Origin,
}

impl Foreign {
    /// One word, for counting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Foreign::Host => "Host",
            Foreign::Origin => "Origin",
        }
    }

    /// What the client is told.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Foreign::Host => {
                "this server does not answer to that host name; `stepwell serve --allow-host NAME` adds one"
            }
            Foreign::Origin => "this server does not answer web pages of other origins",
        }
    }
}

/// Names the server answers to.
#[derive(Debug)]
pub(crate) struct Gate {
    /// In lower case, without a port; IPv6 addresses in brackets.
    hosts: Vec<String>,
}

impl Gate {
    /// A gate for the own machine's names, the address it listens on, and these.
    pub(crate) fn new(listen: SocketAddr, allowed: &[String]) -> Gate {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        // `0.0.0.0` is every address and nobody's name.
        let listened = (!listen.ip().is_unspecified()).then(|| match listen.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let allowed = allowed.iter().map(|host| host.to_ascii_lowercase());
        Gate { hosts: own.into_iter().chain(listened).chain(allowed).collect() }
    }

    /// Refuses what is not for this server. `authority` is that of the request line, if it has one.
    pub(crate) fn check(&self, authority: Option<&str>, headers: &HeaderMap) -> Result<(), Foreign> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let is_ours = |host: &str| self.knows(host);
        if !host.is_some_and(is_ours) || hosts.next().is_some() || !authority.is_none_or(is_ours) {
            return Err(Foreign::Host);
        }
        if headers.contains_key(ORIGIN) {
            return Err(Foreign::Origin);
        }
        Ok(())
    }

    /// Whether `name` or `name:port` is one of its names.
    fn knows(&self, host: &str) -> bool {
        let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => match is_port(port) {
                true => name,
                false => return false,
            },
            Some(_) | None => host,
        };
        let name = name.to_ascii_lowercase();
        let is_listed = |name: &str| self.hosts.iter().any(|known| known == name);
        is_listed(&name) || name.strip_prefix(HOST_PREFIX).is_some_and(is_listed) || is_below_localhost(&name)
    }
}

/// Whether a name is below `localhost`, as those of buckets are: `photos.s3.localhost`. No resolver takes such a name
/// anywhere but to this machine (RFC 6761, 6.3), so that no foreign page can have one.
fn is_below_localhost(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.strip_suffix(".localhost").is_some_and(|labels| labels.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new("0.0.0.0:4566".parse().expect("an address"), &["Steps.Example".to_owned()])
    }

    #[test]
    fn names_are_known_whole() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:4566", true),
            ("LOCALHOST:80", true),
            ("127.0.0.1:4566", true),
            ("[::1]:4566", true),
            ("[::1]", true),
            ("steps.example:1", true),
            ("sync-localhost:4566", true),
            ("sync-steps.example", true),
            ("evil.test", false),
            ("photos.s3.localhost:4566", true),
            ("a.localhost", true),
            (".localhost", false),
            ("a..localhost", false),
            ("evil.test/.localhost", false),
            ("localhost.evil.test", false),
            ("localhost.", false),
            ("evil.test:4566@localhost", false),
            ("localhost:4566@evil.test", false),
            ("localhost:", false),
            ("localhost:+80", false),
            ("localhost:99999", false),
            ("localhost:80:80", false),
            ("0.0.0.0:4566", false),
            ("::1", false),
            ("[::1", false),
            ("sync-", false),
            ("", false),
        ] {
            assert_eq!(gate().knows(host), expected, "{host}");
        }
        let listening = Gate::new("192.168.1.2:4566".parse().expect("an address"), &[]);
        assert!(listening.knows("192.168.1.2:4566"));
    }

    #[test]
    fn one_host_and_no_origin() {
        let check = |authority: Option<&str>, headers: &[(&'static str, &str)], expected: bool| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().expect("a value"));
            }
            assert_eq!(gate().check(authority, &map).is_ok(), expected, "{authority:?} {headers:?}");
        };
        check(None, &[("host", "localhost")], true);
        check(None, &[], false);
        check(None, &[("host", "localhost"), ("host", "localhost")], false);
        check(None, &[("host", "localhost"), ("host", "evil.test")], false);
        check(Some("evil.test"), &[("host", "localhost")], false);
        check(Some("localhost:1"), &[("host", "localhost")], true);
        check(None, &[("host", "localhost"), ("origin", "https://evil.test")], false);
        check(None, &[("host", "localhost"), ("origin", "null")], false);
    }
}
