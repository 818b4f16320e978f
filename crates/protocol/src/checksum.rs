//! The digest AWS's SDKs send along with bodies: CRC-32, wherever the operation takes one, unless the caller says which.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Data Integrity Protections for Amazon S3": `when_supported`.

use sha2::{Digest, Sha256};

use crate::blob::blob_text;
use crate::http::HttpRequest;
use crate::model::{Operation, Service};

/// The header that says which digest is meant.
const ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

/// Adds a digest to a request whose operation takes one and that has none. One of an algorithm that is not here is left to
/// the service, which takes bodies without.
pub fn add_checksum(service: &Service, operation: &Operation, request: &mut HttpRequest) {
    let has_one = request.headers.iter().any(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name == "content-md5" || (name.starts_with("x-amz-checksum-") && name != "x-amz-checksum-type")
    });
    let mut members = operation.input.iter().flat_map(|input| service.members(input));
    let takes_one =
        operation.checksum_required || members.any(|member| member.wire_name().eq_ignore_ascii_case(ALGORITHM));
    if has_one || !takes_one {
        return;
    }
    let (header, digest) = match request.header(ALGORITHM) {
        None => {
            request.headers.push((ALGORITHM.to_owned(), "CRC32".to_owned()));
            ("x-amz-checksum-crc32", blob_text(&crc32fast::hash(&request.body).to_be_bytes()))
        }
        Some("CRC32") => ("x-amz-checksum-crc32", blob_text(&crc32fast::hash(&request.body).to_be_bytes())),
        Some("SHA256") => ("x-amz-checksum-sha256", blob_text(&Sha256::digest(&request.body))),
        Some(_) => return,
    };
    request.headers.push((header.to_owned(), digest));
}

#[cfg(test)]
mod tests {
    use super::add_checksum;
    use crate::http::HttpRequest;
    use crate::table::service;

    /// The digest headers of a request of this operation with the body `hello`.
    fn check(operation: &str, said: &[(&str, &str)], expected: &[(&str, &str)]) {
        let s3 = service("s3").expect("S3");
        let operation = s3.operation(operation).expect("an operation");
        let headers = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut request = HttpRequest { headers, body: b"hello".to_vec(), ..HttpRequest::default() };
        add_checksum(s3, operation, &mut request);
        add_checksum(s3, operation, &mut request);
        let actual: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn what_takes_a_digest_gets_one_once() {
        let crc32 = [("x-amz-sdk-checksum-algorithm", "CRC32"), ("x-amz-checksum-crc32", "NhCmhg==")];
        check("PutObject", &[], &crc32);
        check("DeleteObjects", &[], &crc32);
        check("UploadPart", &crc32[..1], &crc32);
        check("GetObject", &[], &[]);
        let sha256 = ("x-amz-sdk-checksum-algorithm", "SHA256");
        let digest = ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
        check("PutObject", &[sha256], &[sha256, digest]);
        let md5 = ("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==");
        check("PutObject", &[md5], &[md5]);
        let other = ("x-amz-sdk-checksum-algorithm", "SHA1");
        check("PutObject", &[other], &[other]);
    }
}
