//! The digest of a body that AWS's SDKs send along, to S3 above all.

use sha2::{Digest, Sha256};

use crate::blob::blob_text;
use crate::http::{HttpRequest, set_default};
use crate::model::{Location, Operation, Service};

/// The header that says which digest comes.
const ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

/// A digest of bytes.
type Sum = fn(&[u8]) -> Vec<u8>;

/// Digests that can be made here, the SDKs' own choice first.
const SUMS: [(&str, Sum); 2] = [
    ("CRC32", |bytes| crc32fast::hash(bytes).to_be_bytes().to_vec()),
    ("SHA256", |bytes| Sha256::digest(bytes).to_vec()),
];

/// Adds a digest of the body to a request that may have one and has none: the one its input names, else CRC32. One that
/// cannot be made here is left to the service to miss.
///
/// Source: AWS SDKs and Tools Reference Guide, "Data integrity protections for Amazon S3"; recorded of `aws-sdk:s3:putObject`.
pub fn add_checksum(service: &Service, operation: &Operation, request: &mut HttpRequest) {
    let has_one = request.headers.iter().any(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name == "content-md5" || (name.starts_with("x-amz-checksum-") && name != "x-amz-checksum-type")
    });
    let may_choose = operation.input.as_ref().is_some_and(|input| {
        let is_choice = |name: &str| name.eq_ignore_ascii_case(ALGORITHM);
        let mut members = service.members(input).iter();
        members.any(|member| member.part.location == Location::Header && is_choice(member.wire_name()))
    });
    if has_one || !(may_choose || operation.checksum_required) {
        return;
    }
    let wanted = request.header(ALGORITHM).unwrap_or(SUMS[0].0).to_owned();
    if let Some((name, sum)) = SUMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&wanted)) {
        let digest = blob_text(&sum(&request.body));
        if may_choose {
            set_default(&mut request.headers, ALGORITHM, name);
        }
        request.headers.push((format!("x-amz-checksum-{}", name.to_ascii_lowercase()), digest));
    }
}

#[cfg(test)]
mod tests {
    use super::add_checksum;
    use crate::http::HttpRequest;
    use crate::table::service;

    /// The headers a request for an operation gets, in short.
    fn check(operation: &str, body: &[u8], headers: &[(&str, &str)], expected: &[(&str, &str)]) {
        let s3 = service("s3").expect("S3");
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut request = HttpRequest { headers: own(headers), body: body.to_vec(), ..HttpRequest::default() };
        let operation = s3.operation(operation).expect("an operation");
        add_checksum(s3, operation, &mut request);
        add_checksum(s3, operation, &mut request);
        assert_eq!(request.headers, own(expected));
    }

    #[test]
    fn a_body_gets_one_digest_or_keeps_its_own() {
        let crc32 = [("x-amz-sdk-checksum-algorithm", "CRC32"), ("x-amz-checksum-crc32", "KUmHvQ==")];
        // As recorded.
        check("PutObject", b"\"text data\"", &[], &crc32);
        let own = [("x-amz-checksum-sha1", "0")];
        check("PutObject", b"text data", &own, &own);
        let md5 = [("Content-MD5", "0")];
        check("PutObject", b"text data", &md5, &md5);
        check("GetObject", b"", &[], &[]);
    }

    #[test]
    fn a_digest_that_is_asked_for_is_the_one_that_is_made() {
        let asked = ("x-amz-sdk-checksum-algorithm", "SHA256");
        let digest = ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        check("DeleteObjects", b"", &[asked], &[asked, digest]);
        let other = [("x-amz-sdk-checksum-algorithm", "CRC64NVME")];
        check("PutObject", b"text data", &other, &other);
    }
}
