//! The digest S3 wants of some bodies.

use sha2::{Digest, Sha256};

use crate::blob::blob_text;
use crate::http::HttpRequest;
use crate::model::Operation;

/// Adds a digest to a request whose operation must have one and has none.
pub fn add_checksum(operation: &Operation, request: &mut HttpRequest) {
    let has_one = request.headers.iter().any(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name == "content-md5" || (name.starts_with("x-amz-checksum-") && name != "x-amz-checksum-type")
    });
    if operation.checksum_required && !has_one {
        let digest = blob_text(&Sha256::digest(&request.body));
        request.headers.push(("x-amz-checksum-sha256".to_owned(), digest));
    }
}

#[cfg(test)]
mod tests {
    use super::add_checksum;
    use crate::http::HttpRequest;
    use crate::table::service;

    #[test]
    fn what_needs_a_digest_gets_one_once() {
        let s3 = service("s3").expect("S3");
        let delete = s3.operation("DeleteObjects").expect("an operation");
        let mut request = HttpRequest::default();
        add_checksum(delete, &mut request);
        add_checksum(delete, &mut request);
        // Of nothing at all.
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.header("x-amz-checksum-sha256"), Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
        let mut request = HttpRequest::default();
        add_checksum(s3.operation("GetObject").expect("an operation"), &mut request);
        assert!(request.headers.is_empty());
    }
}
