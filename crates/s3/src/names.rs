//! Which names buckets have, and where a request names one.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};
use s3s::validation::NameValidation;

/// Names a request may say: what buckets were once allowed to be called. No bucket we make is called so if
/// [`is_bucket_name`] says no, but a request for such a name is told that there is none.
pub(crate) struct OnceAllowed;

impl NameValidation for OnceAllowed {
    fn validate_bucket_name(&self, name: &str) -> bool {
        (3..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    }
}

/// Prefixes and suffixes AWS keeps for itself.
const KEPT_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const KEPT_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether a bucket may be made with this name. Source: "General purpose bucket naming rules".
pub(crate) fn is_bucket_name(name: &str) -> bool {
    s3s::path::check_bucket_name(name)
        && !KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !KEPT_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// `BUCKET.s3.localhost`, `BUCKET.localhost`, `BUCKET.s3.REGION.amazonaws.com`; every other host names no bucket.
pub(crate) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let host_name = VirtualHost::new(host);
        Ok(match bucket_of_host(host) {
            Some(bucket) => host_name.with_bucket(bucket),
            None => host_name,
        })
    }
}

/// The bucket a host names, where it names one.
pub(crate) fn bucket_of_host(host: &str) -> Option<&str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let service = name.strip_suffix(".localhost").or_else(|| name.strip_suffix(".amazonaws.com"))?;
    let ours = name.ends_with(".localhost");
    if service == "s3" || service.starts_with("s3.") || service.starts_with("s3-") {
        return None;
    }
    // A bucket's own name may have `.s3.` in it: the last one is the service's.
    let labelled = service.rfind(".s3.").or_else(|| service.strip_suffix(".s3").map(str::len));
    let bucket = match labelled.or_else(|| service.rfind(".s3-")) {
        Some(end) => &service[..end],
        None if ours => service,
        None => return None,
    };
    (!bucket.is_empty()).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::{bucket_of_host, is_bucket_name};

    #[test]
    fn buckets_in_hosts() {
        for (host, expected) in [
            ("localhost:8083", None),
            ("localhost", None),
            ("127.0.0.1:8083", None),
            ("s3.localhost:4566", None),
            ("s3.us-east-1.localhost:4566", None),
            ("s3.eu-west-1.amazonaws.com", None),
            ("photos.s3.localhost:4566", Some("photos")),
            ("photos.localhost:4566", Some("photos")),
            ("a.b.s3.localhost", Some("a.b")),
            ("a.b.localhost", Some("a.b")),
            ("photos.s3.eu-west-1.localhost:4566", Some("photos")),
            ("photos.s3.eu-west-1.amazonaws.com", Some("photos")),
            ("photos.s3.amazonaws.com", Some("photos")),
            ("sqs.eu-west-1.amazonaws.com", None),
            ("example.com", None),
            (".s3.localhost", None),
        ] {
            assert_eq!(bucket_of_host(host), expected, "{host}");
        }
    }

    #[test]
    fn names_of_buckets() {
        for name in ["abc", "my-bucket.2", &"a".repeat(63)] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in [
            "ab",
            "Abc",
            "a_b",
            "a..b",
            ".abc",
            "abc-",
            "192.168.1.1",
            "xn--a",
            "a-s3alias",
            "a--x-s3",
            &"a".repeat(64),
        ] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }
}
