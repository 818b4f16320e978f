//! Paths of the REST protocols: labels filled in on the way out, an operation found on the way in.

use crate::http::HttpRequest;
use crate::model::{Location, Operation, Service};
use crate::percent;
use crate::unfit::Unfit;

/// What JavaScript's client adds, so that people can read logs.
const FOR_READERS: &str = "x-id";

type Pairs = Vec<(String, String)>;

/// Path and query of an operation's URI, with these labels.
pub(crate) fn fill(uri: &str, labels: &[(String, String)]) -> Result<(String, Pairs), Unfit> {
    let (template, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut path = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (label, after) = after.split_once('}').ok_or_else(|| Unfit::new("a label of the path does not end"))?;
        let (name, keep): (&str, &[u8]) = match label.strip_suffix('+') {
            Some(name) => (name, b"/"),
            None => (label, b""),
        };
        let value = labels.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        if value.is_empty() {
            return Err(Unfit::new("expected a value that is not empty, for the path").below(name));
        }
        path.push_str(before);
        path.push_str(&percent::encode(value, keep));
        rest = after;
    }
    path.push_str(rest);
    Ok((path, percent::pairs(query).unwrap_or_default()))
}

/// The operation a request means, and the labels of its path.
pub(crate) fn find<'a>(service: &'a Service, request: &HttpRequest) -> Option<(&'a Operation, Pairs)> {
    let mut best: Option<(Fit, &Operation, Pairs)> = None;
    for operation in service.operations.iter().filter(|operation| *operation.method == *request.method) {
        if let Some((fit, labels)) = fit(service, operation, request)
            && best.as_ref().is_none_or(|(known, _, _)| fit > *known)
        {
            best = Some((fit, operation, labels));
        }
    }
    best.map(|(_, operation, labels)| (operation, labels))
}

/// How well a request fits an operation; the greater, the better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// No required member is missing that would stand in the query string or a header.
    complete: bool,
    /// Parts of the path that are written out.
    literals: usize,
    /// Without a label that takes the rest.
    bounded: bool,
    /// Pairs of the query string that are written out.
    query: usize,
    /// Required members in the query string and in headers.
    required: usize,
    /// Of two with the same path the newer one.
    current: bool,
}

fn fit(service: &Service, operation: &Operation, request: &HttpRequest) -> Option<(Fit, Pairs)> {
    let (template, query) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
    let query = percent::pairs(query)?;
    let wanted = || query.iter().filter(|(name, _)| name != FOR_READERS);
    let there = |pair: &(String, String)| {
        request.query.iter().any(|(name, value)| *name == pair.0 && (pair.1.is_empty() || *value == pair.1))
    };
    if !wanted().all(there) {
        return None;
    }
    let (literals, bounded, labels) = labels(template, &request.path)?;
    let (mut complete, mut required) = (true, 0);
    for member in operation.input.iter().flat_map(|input| service.members(input)).filter(|one| one.part.required) {
        let name = member.wire_name();
        let there = match member.part.location {
            Location::Query => request.query.iter().any(|(known, _)| **known == **name),
            Location::Header => request.header(name).is_some(),
            _ => continue,
        };
        complete &= there;
        required += usize::from(there);
    }
    Some((
        Fit { complete, literals, bounded, query: wanted().count(), required, current: !operation.deprecated },
        labels,
    ))
}

/// How many parts of the path are written out, whether no label takes the rest, and the labels.
fn labels(template: &str, path: &str) -> Option<(usize, bool, Pairs)> {
    let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
    let path = path.strip_prefix('/')?;
    let given: Vec<&str> = path.split('/').collect();
    let greedy = wanted.iter().position(|part| part.ends_with("+}"));
    let mut labels = Vec::new();
    let mut literals = 0;
    let mut take = |wanted: &str, given: &str| -> Option<()> {
        let Some((before, label)) = wanted.split_once('{') else {
            literals += 1;
            return (percent::decode(given, false)? == wanted).then_some(());
        };
        let (name, after) = label.split_once('}')?;
        let value = given.strip_prefix(before)?.strip_suffix(after).filter(|value| !value.is_empty())?;
        labels.push((name.trim_end_matches('+').to_owned(), percent::decode(value, false)?));
        Some(())
    };
    match greedy {
        None => {
            let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
            if given.len() != wanted.len() {
                return None;
            }
            for (wanted, given) in wanted.iter().zip(given) {
                take(wanted, given)?;
            }
        }
        Some(at) => {
            let behind = wanted.len() - at - 1;
            if given.len() < wanted.len() {
                return None;
            }
            let end = given.len() - behind;
            for (wanted, given) in wanted[..at].iter().zip(&given) {
                take(wanted, given)?;
            }
            take(wanted[at], &given[at..end].join("/"))?;
            for (wanted, given) in wanted[at + 1..].iter().zip(&given[end..]) {
                take(wanted, given)?;
            }
        }
    }
    Some((literals, greedy.is_none(), labels))
}

#[cfg(test)]
mod tests {
    use super::{fill, find};
    use crate::http::HttpRequest;
    use crate::table::service;

    fn check(name: &str, method: &str, target: &str, headers: &[(&str, &str)], expected: Option<&str>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = HttpRequest::received(method, target, headers, Vec::new()).expect("a request");
        let found = find(service(name).expect("a service"), &request);
        assert_eq!(found.map(|(operation, _)| &*operation.name), expected, "{method} {target}");
    }

    #[test]
    fn requests_find_their_operation() {
        let copy = ("x-amz-copy-source", "/a/b");
        for (method, target, headers, operation) in [
            ("GET", "/", &[][..], Some("ListBuckets")),
            ("PUT", "/bucket", &[], Some("CreateBucket")),
            ("PUT", "/bucket/", &[], Some("CreateBucket")),
            ("PUT", "/bucket/a/b%20c", &[], Some("PutObject")),
            ("PUT", "/bucket/folder/", &[], Some("PutObject")),
            ("PUT", "/bucket/key", &[copy], Some("CopyObject")),
            ("PUT", "/bucket/key?partNumber=1&uploadId=x", &[], Some("UploadPart")),
            ("PUT", "/bucket/key?partNumber=1&uploadId=x", &[copy], Some("UploadPartCopy")),
            ("GET", "/bucket?list-type=2&prefix=a", &[], Some("ListObjectsV2")),
            ("GET", "/bucket?list-type=2&x-id=ListObjectsV2", &[], Some("ListObjectsV2")),
            ("GET", "/bucket", &[], Some("ListObjects")),
            ("GET", "/bucket?location", &[], Some("GetBucketLocation")),
            ("GET", "/bucket/key?x-id=GetObject", &[], Some("GetObject")),
            ("GET", "/bucket/key?tagging", &[], Some("GetObjectTagging")),
            ("HEAD", "/bucket/key", &[], Some("HeadObject")),
            ("POST", "/bucket?delete", &[], Some("DeleteObjects")),
            ("POST", "/bucket/key?uploads", &[], Some("CreateMultipartUpload")),
            ("POST", "/bucket/key?uploadId=x", &[], Some("CompleteMultipartUpload")),
            ("PATCH", "/bucket", &[], None),
        ] {
            check("s3", method, target, headers, operation);
        }
        check("lambda", "POST", "/2015-03-31/functions", &[], Some("CreateFunction"));
        check("lambda", "POST", "/2015-03-31/functions/f/invocations", &[], Some("Invoke"));
        check("lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Af", &[], Some("GetFunction"));
        check("lambda", "GET", "/2015-03-31/nothing", &[], None);
    }

    #[test]
    fn labels_are_filled_in() {
        let labels = [("Bucket".to_owned(), "b".to_owned()), ("Key".to_owned(), "a/b c+é".to_owned())];
        let (path, query) = fill("/{Bucket}/{Key+}?acl", &labels).expect("a path");
        assert_eq!((path.as_str(), query), ("/b/a/b%20c%2B%C3%A9", vec![("acl".to_owned(), String::new())]));
        assert_eq!(fill("/x/{Key}", &labels).expect("a path").0, "/x/a%2Fb%20c%2B%C3%A9");
        assert!(fill("/{Other}", &labels).is_err());
    }
}
