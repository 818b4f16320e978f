//! Where services are: nothing else is ever asked.
//!
//! A task names a service and what it wants of it, never an address: only whoever starts the server says where calls go.
//! Redirects are not followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::Uri;
use stepwell_protocol::ServiceName;
use stepwell_spec::partition_of;

/// Where one service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `host:port`.
    pub(crate) authority: Arc<str>,
    /// What paths begin with; empty, or without a slash at its end.
    prefix: Arc<str>,
    /// Whether it is asked over TLS.
    pub(crate) is_secure: bool,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To the service of this process.
    Here,
    /// Over the network.
    At(Endpoint),
    /// To AWS itself, where the service is in the region of the call.
    Aws,
}

/// What stands for a URL and means the service of this process.
const HERE: &str = "local";

/// What stands for a URL and means AWS's own service.
const AWS: &str = "aws";

/// Services with one host for all regions whose model does not say so, and where that is.
///
/// Source: botocore's endpoints, partition `aws`.
const GLOBAL: &[(&str, &str, &str)] = &[
    ("account", "account.us-east-1.amazonaws.com", "us-east-1"),
    ("billingconductor", "billingconductor.us-east-1.amazonaws.com", "us-east-1"),
    ("budgets", "budgets.amazonaws.com", "us-east-1"),
    ("ce", "ce.us-east-1.amazonaws.com", "us-east-1"),
    ("chime", "chime.us-east-1.amazonaws.com", "us-east-1"),
    ("cloudfront", "cloudfront.amazonaws.com", "us-east-1"),
    ("health", "global.health.amazonaws.com", "us-east-1"),
    ("iam", "iam.amazonaws.com", "us-east-1"),
    ("networkmanager", "networkmanager.us-west-2.amazonaws.com", "us-west-2"),
    ("organizations", "organizations.us-east-1.amazonaws.com", "us-east-1"),
    ("route53", "route53.amazonaws.com", "us-east-1"),
    ("savingsplans", "savingsplans.amazonaws.com", "us-east-1"),
    ("shield", "shield.us-east-1.amazonaws.com", "us-east-1"),
    ("support", "support.us-east-1.amazonaws.com", "us-east-1"),
    ("waf", "waf.amazonaws.com", "us-east-1"),
];

/// What the names of AWS's hosts end with, by partition.
const SUFFIXES: &[(&str, &str)] = &[
    ("aws", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-eusc", "amazonaws.eu"),
    ("aws-iso", "c2s.ic.gov"),
    ("aws-iso-b", "sc2s.sgov.gov"),
    ("aws-iso-e", "cloud.adc-e.uk"),
    ("aws-iso-f", "csp.hci.ic.gov"),
];

/// Services and where they answer, by botocore's names for them. What is not said is answered here, if it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<String, Destination>);

impl Endpoints {
    /// Says where a service is: at a URL, `local`, or `aws`. Refuses what is no URL that can be reached, and a service that
    /// AWS does not have.
    pub fn set(&mut self, service: &str, url: &str) -> Result<(), String> {
        if stepwell_protocol::service(service).is_none() {
            return Err(unknown(service));
        }
        let destination = match url {
            HERE => Destination::Here,
            AWS => Destination::Aws,
            url => Destination::At(
                Endpoint::parse(url)
                    .map_err(|reason| format!("the endpoint of {service} cannot be '{url}': {reason}"))?,
            ),
        };
        self.0.insert(service.to_owned(), destination);
        Ok(())
    }

    pub(crate) fn get(&self, service: &str) -> Option<&Destination> {
        self.0.get(service)
    }
}

/// What is said of a service that AWS does not have, and what was probably meant: the names are those of AWS's command line.
fn unknown(service: &str) -> String {
    // Who writes the SDK's name means that service and no other.
    let near = match stepwell_protocol::service_of_sdk(service) {
        Some(known) => vec![&*known.names.sdk_name],
        None => stepwell_protocol::similar_services(service),
    };
    let near: Vec<String> = near
        .into_iter()
        .filter_map(|sdk| stepwell_protocol::service_of_sdk(sdk))
        .map(|service| format!("'{}'", service.names.name))
        .collect();
    match near.is_empty() {
        true => format!("'{service}' is no service of AWS; the names are those of its command line, such as 'lambda'"),
        false => format!("'{service}' is no service of AWS; did you mean {}?", near.join(" or ")),
    }
}

impl Endpoint {
    /// Where AWS has a service, and the region that calls are signed for.
    pub(crate) fn of_aws(service: &ServiceName, region: &str, host_prefix: Option<&str>) -> (Endpoint, Arc<str>) {
        let global = GLOBAL.iter().find(|(name, _, _)| *name == &*service.name && partition_of(region) == "aws");
        let (host, region) = match global {
            Some((_, host, region)) => ((*host).to_owned(), *region),
            None => {
                let partition = partition_of(region);
                let known = SUFFIXES.iter().find(|(name, _)| *name == partition);
                let suffix = known.map_or("amazonaws.com", |(_, suffix)| suffix);
                (format!("{}.{region}.{suffix}", service.endpoint_prefix), region)
            }
        };
        let authority = format!("{}{host}", host_prefix.unwrap_or_default());
        (Endpoint { authority: authority.into(), prefix: "".into(), is_secure: true }, region.into())
    }

    /// Whether it is one of AWS's own, such as that of a private network, which takes no other keys than AWS's.
    pub(crate) fn is_aws(&self) -> bool {
        let host = self.authority.split(':').next().unwrap_or_default();
        SUFFIXES.iter().any(|(_, suffix)| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
    }

    fn parse(url: &str) -> Result<Endpoint, String> {
        let uri: Uri = url.parse().map_err(|_| "give a URL such as http://127.0.0.1:3001".to_owned())?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("give a URL such as http://127.0.0.1:3001".to_owned()),
        };
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it must not hold a user or a password".to_owned());
        }
        if uri.query().is_some() {
            return Err("it must not have a query".to_owned());
        }
        Ok(Endpoint {
            authority: authority.as_str().into(),
            prefix: uri.path().trim_end_matches('/').into(),
            is_secure,
        })
    }

    /// The URL of a path with its query.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}{}{path}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_refused_with_the_reason() {
        let check = |url: &str, expected: Result<&str, &str>| {
            let read = Endpoint::parse(url).map(|endpoint| endpoint.url("/p?q"));
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{url}");
        };
        check("http://127.0.0.1:3001", Ok("http://127.0.0.1:3001/p?q"));
        check("http://lambda/", Ok("http://lambda/p?q"));
        check("http://[::1]:1/a/b/", Ok("http://[::1]:1/a/b/p?q"));
        check("https://lambda", Ok("https://lambda/p?q"));
        for wrong in ["", "lambda", "127.0.0.1:3001", "ftp://h", "http//x"] {
            check(wrong, Err("give a URL such as http://127.0.0.1:3001"));
        }
        check("http://u:p@h", Err("it must not hold a user or a password"));
        check("http://h/?a=b", Err("it must not have a query"));
        let fault = Endpoints::default().set("sqs", "nowhere").expect_err("no URL");
        assert!(fault.starts_with("the endpoint of sqs cannot be 'nowhere': give a URL"), "{fault}");
    }

    #[test]
    fn a_service_aws_does_not_have_is_refused_with_what_was_meant() {
        let set = |service: &str| Endpoints::default().set(service, "http://h:1");
        assert_eq!(set("lamda"), Err("'lamda' is no service of AWS; did you mean 'lambda'?".to_owned()));
        assert_eq!(set("eventbridge"), Err("'eventbridge' is no service of AWS; did you mean 'events'?".to_owned()));
        assert!(set("nothing-like-it-at-all").is_err_and(|fault| fault.contains("such as 'lambda'")));
        assert_eq!(set("events"), Ok(()));
    }

    #[test]
    fn hosts_of_aws_are_known_by_their_names() {
        for (url, expected) in [
            ("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com", true),
            ("https://sqs.cn-north-1.amazonaws.com.cn:443", true),
            ("http://localhost:4566", false),
            ("https://notamazonaws.com", false),
            ("https://amazonaws.com.example", false),
        ] {
            assert_eq!(Endpoint::parse(url).expect("a URL").is_aws(), expected, "{url}");
        }
    }

    #[test]
    fn aws_has_a_host_for_each_region_or_one_for_all() {
        let check = |service: &str, region: &str, prefix: Option<&str>, expected: (&str, &str)| {
            let names = stepwell_protocol::service(service).expect("a service").names;
            let (endpoint, signed) = Endpoint::of_aws(names, region, prefix);
            assert_eq!((endpoint.url("/").as_str(), &*signed), expected);
        };
        check("sqs", "eu-west-1", None, ("https://sqs.eu-west-1.amazonaws.com/", "eu-west-1"));
        check(
            "stepfunctions",
            "us-east-1",
            Some("sync-"),
            ("https://sync-states.us-east-1.amazonaws.com/", "us-east-1"),
        );
        check("sqs", "cn-north-1", None, ("https://sqs.cn-north-1.amazonaws.com.cn/", "cn-north-1"));
        check("iam", "eu-west-1", None, ("https://iam.amazonaws.com/", "us-east-1"));
        check("sts", "eu-west-1", None, ("https://sts.eu-west-1.amazonaws.com/", "eu-west-1"));
        // What is global has a model, and is known by its name.
        for (service, host, region) in GLOBAL {
            check(service, "ap-south-1", None, (format!("https://{host}/").as_str(), region));
        }
    }
}
