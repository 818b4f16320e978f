//! Between what is kept and s3s's types.

use std::time::{Duration, SystemTime};

use s3s::dto::{ETag, Owner, Timestamp, TimestampFormat};

use crate::checksums::Claim;
use crate::refusal::Refusal;
use crate::store::{KeptChecksum, Object, Said};

/// A moment in whole seconds, as S3 says all times.
pub(crate) fn time(ms: i64) -> Timestamp {
    let seconds = ms.div_euclid(1000);
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let at = if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance };
    Timestamp::from(at)
}

pub(crate) fn written(time: &Timestamp, format: TimestampFormat) -> Option<String> {
    let mut text = Vec::new();
    time.format(format, &mut text).ok()?;
    String::from_utf8(text).ok()
}

pub(crate) fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

/// The owner of everything of an account: AWS's canonical ids are 64 hexadecimal digits.
pub(crate) fn owner(account: &str) -> Owner {
    Owner { display_name: None, id: Some(canonical_id(account)) }
}

pub(crate) fn canonical_id(account: &str) -> String {
    use s3s::crypto::{Checksum as _, Sha256};
    crate::intake::hex(&Sha256::checksum(account.as_bytes()))
}

/// What a client says of an object, from any input that says it.
macro_rules! said {
    ($input:expr) => {{
        let input = $input;
        crate::store::Said {
            content_type: input.content_type.take().map(String::from),
            cache_control: input.cache_control.take(),
            content_disposition: input.content_disposition.take(),
            content_encoding: input.content_encoding.take().and_then(crate::convert::own_encoding),
            content_language: input.content_language.take(),
            expires: input
                .expires
                .take()
                .and_then(|time| crate::convert::written(&time, s3s::dto::TimestampFormat::HttpDate)),
            website_redirect: input.website_redirect_location.take(),
            metadata: input.metadata.take().into_iter().flatten().collect(),
            storage_class: input.storage_class.take().map(|class| class.as_str().to_owned()),
            encryption: input.server_side_encryption.take().map(|kind| kind.as_str().to_owned()),
            kms_key: input.ssekms_key_id.take(),
            bucket_key: input.bucket_key_enabled.take(),
            customer_algorithm: input.sse_customer_algorithm.take(),
            customer_key_md5: input.sse_customer_key_md5.take(),
            tags: crate::tagging::of_header(input.tagging.take().as_deref())?,
        }
    }};
}
pub(crate) use said;

/// A content encoding without what was only for the way.
pub(crate) fn own_encoding(encoding: String) -> Option<String> {
    let own: Vec<&str> = encoding.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
    (!own.concat().is_empty()).then(|| own.join(","))
}

/// The checksums an input has, in the order of the table.
macro_rules! checksums {
    ($input:expr) => {
        [
            $input.checksum_crc32.as_deref(),
            $input.checksum_crc32c.as_deref(),
            $input.checksum_crc64nvme.as_deref(),
            $input.checksum_sha1.as_deref(),
            $input.checksum_sha256.as_deref(),
        ]
    };
}
pub(crate) use checksums;

/// Sets the checksum of an output to this value of this algorithm.
macro_rules! set_checksum {
    ($output:expr, $algorithm:expr, $value:expr) => {
        match $algorithm {
            crate::checksums::Algorithm::Crc32 => $output.checksum_crc32 = Some($value),
            crate::checksums::Algorithm::Crc32c => $output.checksum_crc32c = Some($value),
            crate::checksums::Algorithm::Crc64Nvme => $output.checksum_crc64nvme = Some($value),
            crate::checksums::Algorithm::Sha1 => $output.checksum_sha1 = Some($value),
            crate::checksums::Algorithm::Sha256 => $output.checksum_sha256 = Some($value),
        }
    };
}
pub(crate) use set_checksum;

/// A checksum as answers say it: one of parts with how many they are.
pub(crate) fn told_checksum(checksum: &KeptChecksum, parts: u16) -> String {
    if checksum.composite { format!("{}-{parts}", checksum.value) } else { checksum.value.clone() }
}

pub(crate) fn checksum_type(composite: bool) -> s3s::dto::ChecksumType {
    let name = if composite { s3s::dto::ChecksumType::COMPOSITE } else { s3s::dto::ChecksumType::FULL_OBJECT };
    s3s::dto::ChecksumType::from_static(name)
}

/// How an object is encrypted, as answers say it; None where the client has the key.
pub(crate) fn encryption(said: &Said) -> Option<s3s::dto::ServerSideEncryption> {
    if said.customer_algorithm.is_some() {
        return None;
    }
    let kind = said.encryption.clone().unwrap_or_else(|| s3s::dto::ServerSideEncryption::AES256.to_owned());
    Some(s3s::dto::ServerSideEncryption::from(kind))
}

/// The storage class, where it is not the usual one.
pub(crate) fn unusual_class(said: &Said) -> Option<String> {
    said.storage_class.clone().filter(|class| class != s3s::dto::StorageClass::STANDARD)
}

/// What a client claims of a body once it is read: in a header before it, or behind it.
pub(crate) fn claim_of(before: Option<Claim>, asker: &crate::asker::Asker) -> Result<Option<Claim>, Refusal> {
    match (before, asker.announced) {
        (Some(claim), _) => Ok(Some(claim)),
        (None, Some(algorithm)) => match asker.trailer(algorithm.header()) {
            Some(value) => Ok(Some(Claim { algorithm, value })),
            None => Err(Refusal::of((
                "MalformedTrailerError",
                400,
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ))),
        },
        (None, None) => Ok(None),
    }
}
