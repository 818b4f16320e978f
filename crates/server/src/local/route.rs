//! Which service a request means: SDKs say it in a header or in what they sign, and all of them use one port.

use stepwell_api::Head;
use stepwell_protocol::{ServiceName, services};

/// The service of the API this server is for. It has a door of its own.
const OWN_TARGET: &str = "AWSStepFunctions.";

/// The service that everything else is taken to be for which is signed by nobody: browsers and `curl` know no other.
const UNSIGNED: &str = "s3";

/// What a request says of who asks for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant<'a> {
    /// The service, by botocore's name; none when it is Step Functions or nothing is said.
    pub(crate) service: Option<&'static str>,
    pub(crate) access_key_id: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
}

/// What a request means. `serves` says which services are there.
///
/// `X-Amz-Target` comes first, then the scope of a signature in the header or in the query string, then the version of the
/// query protocol, then the host's name and the path.
pub(crate) fn meant<'a>(head: &Head<'a>, serves: &dyn Fn(&str) -> bool) -> Meant<'a> {
    let target = head.header("x-amz-target").unwrap_or_default();
    // Whose requests they are mostly, and who asks for itself who signed them.
    if target.starts_with(OWN_TARGET) {
        return Meant::default();
    }
    let scope = scope(head);
    let (access_key_id, region) = (scope.map(|scope| scope.access_key_id), scope.map(|scope| scope.region));
    let service = match target.split_once('.') {
        Some((prefix, _)) => by(|service| &*service.target_prefix == prefix, serves),
        None => match scope {
            Some(scope) if scope.service == "states" => None,
            Some(scope) => by(|service| &*service.signing_name == scope.service, serves),
            None => unsigned(head, serves),
        },
    };
    Meant { service, access_key_id, region }
}

/// The service of which this holds; of several, one that is served here, and then one that bears the name it signs with.
fn by(holds: impl Fn(&ServiceName) -> bool, serves: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let named: Vec<&'static ServiceName> = services().filter(|service| holds(service)).collect();
    let best = named.iter().max_by_key(|service| (serves(&service.name), service.name == service.signing_name));
    best.map(|service| &*service.name)
}

/// What a request means that nobody signed.
fn unsigned(head: &Head<'_>, serves: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let served = |name: &'static str| serves(name).then_some(name);
    if let Some(version) = of_query(head.query, "Version") {
        let by_version = by(|service| &*service.api_version == version && speaks_forms(service), serves);
        if by_version.is_some() {
            return by_version;
        }
    }
    if of_query(head.query, "Action").is_some() {
        // A queue's URL says which service it is, and clients of old leave the version out.
        return served("sqs");
    }
    let host = head.header("host").unwrap_or_default();
    let first = host.split(['.', ':']).next().unwrap_or_default();
    if let Some(named) =
        by(|service| &*service.endpoint_prefix == first, &|name| serves(name)).filter(|name| serves(name))
    {
        return Some(named);
    }
    if is_dated(head.path) {
        return served("lambda");
    }
    let reads = matches!(head.method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS");
    let names_something = head.path.len() > 1 || host.contains(".s3.");
    (reads && names_something).then(|| served(UNSIGNED)).flatten()
}

fn speaks_forms(service: &ServiceName) -> bool {
    service.query_compatible || service.protocols.contains(&stepwell_protocol::Protocol::Query)
}

/// Whether a path begins with a day, as Lambda's do: `/2015-03-31/functions/…`.
fn is_dated(path: &str) -> bool {
    let day = path.strip_prefix('/').and_then(|rest| rest.split_once('/')).map_or("", |(day, _)| day);
    day.len() == 10
        && day
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Who signed a request, where and for what, as the request says it.
#[derive(Clone, Copy, Debug)]
struct Scope<'a> {
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
}

/// The scope in the `Authorization` header, or in the query string of a presigned URL. Not verified.
fn scope<'a>(head: &Head<'a>) -> Option<Scope<'a>> {
    let credential = match head.header("authorization") {
        Some(text) => text.split([' ', ',']).find_map(|part| part.trim().strip_prefix("Credential="))?,
        None => of_query(head.query, "X-Amz-Credential")?,
    };
    // In a query string the slashes may be percent-encoded.
    let parts: Vec<&str> = match credential.contains('/') {
        true => credential.split('/').collect(),
        false => credential.split("%2F").flat_map(|part| part.split("%2f")).collect(),
    };
    let [access_key_id, _day, region, service, _terminator] = parts[..] else { return None };
    Some(Scope { access_key_id, region, service })
}

/// The first value of this name in a query string, as it stands there.
fn of_query<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVED: [&str; 6] = ["dynamodb", "lambda", "s3", "sns", "sqs", "sts"];

    fn check(method: &str, target: &str, headers: &[(&str, &str)], expected: Option<&str>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let head = Head { method, path, query, headers };
        let meant = meant(&head, &|name| SERVED.contains(&name));
        assert_eq!(meant.service, expected, "{method} {target} {headers:?}");
    }

    fn signed_for(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=123456789012/20261121/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    #[test]
    fn the_target_says_which_service_it_is() {
        check("POST", "/", &[("X-Amz-Target", "AmazonSQS.SendMessage")], Some("sqs"));
        check("POST", "/", &[("X-Amz-Target", "DynamoDB_20120810.PutItem")], Some("dynamodb"));
        check("POST", "/", &[("X-Amz-Target", "AWSStepFunctions.StartExecution")], None);
        // Known, whether it is served or not.
        check("POST", "/", &[("X-Amz-Target", "Kinesis_20131202.PutRecord")], Some("kinesis"));
        check("POST", "/", &[("X-Amz-Target", "Nobody.Knows")], None);
    }

    #[test]
    fn or_what_it_is_signed_for() {
        for service in ["sqs", "sns", "s3", "lambda", "sts"] {
            check("POST", "/", &[("Authorization", &signed_for(service))], Some(service));
        }
        check("POST", "/", &[("Authorization", &signed_for("states"))], None);
        check(
            "GET",
            "/b/k?X-Amz-Algorithm=A&X-Amz-Credential=AKIA%2F20261121%2Feu-west-1%2Fs3%2Faws4_request",
            &[],
            Some("s3"),
        );
    }

    #[test]
    fn or_how_it_looks_when_nobody_signed_it() {
        check("POST", "/?Action=Publish&Version=2010-03-31", &[], Some("sns"));
        check("GET", "/123456789012/q?Action=ReceiveMessage", &[], Some("sqs"));
        check("GET", "/", &[("Host", "lambda.eu-west-1.localhost:4566")], Some("lambda"));
        check("POST", "/2015-03-31/functions/f/invocations", &[], Some("lambda"));
        check("GET", "/bucket/key", &[("Host", "localhost:4566")], Some("s3"));
        check("PUT", "/key", &[("Host", "b.s3.localhost:4566")], Some("s3"));
        check("POST", "/", &[], None);
        check("GET", "/", &[("Host", "localhost:4566")], None);
    }

    #[test]
    fn who_asks_and_where_stands_in_the_signature() {
        let headers = [("Authorization", signed_for("sqs"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let head = Head { method: "POST", path: "/", query: "", headers: &headers };
        let meant = meant(&head, &|_| true);
        assert_eq!((meant.access_key_id, meant.region), (Some("123456789012"), Some("eu-west-1")));
    }
}
