//! Where requests go: an address, whether it is asked over TLS, and how requests to it are signed.

use std::sync::Arc;

use stepwell_protocol::Keys;

/// The services that workloads speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// Step Functions.
    States,
    /// Step Functions where executions are answered when they are over: AWS has another host for it.
    SyncStates,
    /// SQS.
    Sqs,
}

impl Service {
    /// What AWS's hosts begin with.
    fn host_prefix(self) -> &'static str {
        match self {
            Service::States => "states",
            Service::SyncStates => "sync-states",
            Service::Sqs => "sqs",
        }
    }

    /// Its name in signatures.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Service::States | Service::SyncStates => "states",
            Service::Sqs => "sqs",
        }
    }

    /// What stands before an action's name in `X-Amz-Target`.
    pub(crate) fn target_prefix(self) -> &'static str {
        match self {
            Service::States | Service::SyncStates => "AWSStepFunctions",
            Service::Sqs => "AmazonSQS",
        }
    }
}

/// A URL without a path: what benchmarks are pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The name, or the address without brackets.
    host: String,
    port: u16,
    pub(crate) is_secure: bool,
}

impl Endpoint {
    /// Reads `http://host:port` or `https://host`.
    pub(crate) fn parse(url: &str) -> Result<Endpoint, String> {
        let form = || format!("'{url}' is no endpoint: give http://HOST:PORT or https://HOST");
        let (is_secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return Err(form()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ']) {
            return Err(form());
        }
        let usual_port = if is_secure { 443 } else { 80 };
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, usual_port),
            Some((host, port)) => (host, port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or_else(form)?),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, port.parse().map_err(|_| form())?),
                None => (rest, usual_port),
            },
        };
        if host.is_empty() {
            return Err(form());
        }
        Ok(Endpoint { host: host.to_owned(), port, is_secure })
    }

    /// The region when this is AWS itself.
    pub(crate) fn aws_region(&self) -> Option<&str> {
        let rest = self.host.strip_suffix(".amazonaws.com").or_else(|| self.host.strip_suffix(".amazonaws.com.cn"))?;
        rest.rsplit('.').next()
    }

    /// Whether whoever answers is somebody's business: AWS, whose every transition costs.
    pub(crate) fn is_aws(&self) -> bool {
        self.host.ends_with(".amazonaws.com") || self.host.ends_with(".amazonaws.com.cn")
    }

    /// Name and port where a service is reached. Elsewhere than on AWS all services share a port.
    pub(crate) fn of(&self, service: Service) -> (String, u16) {
        match self.aws_region() {
            Some(region) => {
                let suffix = if self.host.ends_with(".cn") { ".cn" } else { "" };
                (format!("{}.{region}.amazonaws.com{suffix}", service.host_prefix()), self.port)
            }
            None => (self.host.clone(), self.port),
        }
    }

    /// What the `Host` header says.
    pub(crate) fn host_header(&self, service: Service) -> String {
        let (host, port) = self.of(service);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        match (self.is_secure, port) {
            (true, 443) | (false, 80) => host,
            _ => format!("{host}:{port}"),
        }
    }
}

/// How requests say who sends them.
#[derive(Clone, Debug)]
pub(crate) enum Signing {
    /// With a constant header, whose signature is none: for servers that take any credentials. It costs nothing.
    Constant { region: Arc<str> },
    /// With Signature Version 4, each request anew.
    Keys { keys: Arc<Keys>, region: Arc<str> },
}

impl Signing {
    /// What tells a server that does not check signatures whose request this is, and for which service.
    pub(crate) fn constant_header(region: &str, service: Service) -> String {
        let service = service.signing_name();
        let signature = "0".repeat(64);
        format!(
            "AWS4-HMAC-SHA256 Credential=000000000000/20260101/{region}/{service}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_a_path() {
        let check = |url: &str, expected: Option<(&str, u16, bool)>| {
            let read = Endpoint::parse(url).ok();
            let read = read.as_ref().map(|read| (read.host.as_str(), read.port, read.is_secure));
            assert_eq!(read, expected, "{url}");
        };
        check("http://127.0.0.1:4566", Some(("127.0.0.1", 4566, false)));
        check("http://localhost:4566/", Some(("localhost", 4566, false)));
        check("http://[::1]:4566", Some(("::1", 4566, false)));
        check("http://[::1]", Some(("::1", 80, false)));
        check("https://states.us-east-1.amazonaws.com", Some(("states.us-east-1.amazonaws.com", 443, true)));
        for wrong in ["", "localhost:4566", "ftp://h", "http://", "http://h/p", "http://h:x", "http://:1", "http://a@h"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn on_aws_each_service_has_a_host_and_elsewhere_all_share_one() {
        let check = |url: &str, service: Service, expected: &str| {
            assert_eq!(Endpoint::parse(url).expect(url).host_header(service), expected, "{url}");
        };
        let aws = "https://states.eu-west-1.amazonaws.com";
        check(aws, Service::States, "states.eu-west-1.amazonaws.com");
        check(aws, Service::SyncStates, "sync-states.eu-west-1.amazonaws.com");
        check(aws, Service::Sqs, "sqs.eu-west-1.amazonaws.com");
        check("https://states.cn-north-1.amazonaws.com.cn", Service::Sqs, "sqs.cn-north-1.amazonaws.com.cn");
        check("http://localhost:4566", Service::SyncStates, "localhost:4566");
        check("http://[::1]:4566", Service::Sqs, "[::1]:4566");
        assert!(Endpoint::parse(aws).is_ok_and(|endpoint| endpoint.is_aws()));
        assert!(Endpoint::parse("http://amazonaws.com.test").is_ok_and(|endpoint| !endpoint.is_aws()));
    }
}
