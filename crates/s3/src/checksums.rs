//! The checksums clients send along and ask for: five algorithms, of bytes or of the checksums of parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use serde::{Deserialize, Serialize};

use crate::refusal::{BAD_DIGEST, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// Each with its name, and the header it comes in.
pub(crate) const ALGORITHMS: [(Algorithm, &str, &str); 5] = [
    (Algorithm::Crc32, "CRC32", "x-amz-checksum-crc32"),
    (Algorithm::Crc32c, "CRC32C", "x-amz-checksum-crc32c"),
    (Algorithm::Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme"),
    (Algorithm::Sha1, "SHA1", "x-amz-checksum-sha1"),
    (Algorithm::Sha256, "SHA256", "x-amz-checksum-sha256"),
];

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|(known, _, _)| *known == self).map_or("", |(_, name, _)| name)
    }

    pub(crate) fn header(self) -> &'static str {
        ALGORITHMS.iter().find(|(known, _, _)| *known == self).map_or("", |(_, _, header)| header)
    }

    pub(crate) fn named(name: &str) -> Result<Algorithm, Refusal> {
        let row = ALGORITHMS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        row.map(|(algorithm, _, _)| *algorithm).ok_or_else(|| {
            Refusal::invalid("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        })
    }

    /// How many bytes a checksum has.
    fn length(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    /// Whether the checksum of a whole can be had from those of its parts.
    pub(crate) fn combines(self) -> Option<CrcAlgorithm> {
        match self {
            Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }

    /// Begins a checksum.
    pub(crate) fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Algorithm::Crc32 => hasher.crc32 = Some(s3s::crypto::Crc32::new()),
            Algorithm::Crc32c => hasher.crc32c = Some(s3s::crypto::Crc32c::new()),
            Algorithm::Crc64Nvme => hasher.crc64nvme = Some(s3s::crypto::Crc64Nvme::new()),
            Algorithm::Sha1 => hasher.sha1 = Some(s3s::crypto::Sha1::new()),
            Algorithm::Sha256 => hasher.sha256 = Some(s3s::crypto::Sha256::new()),
        }
        hasher
    }

    /// Ends a checksum begun here; in base 64.
    pub(crate) fn finish(self, hasher: ChecksumHasher) -> String {
        let sums = hasher.finalize();
        let sum = match self {
            Algorithm::Crc32 => sums.checksum_crc32,
            Algorithm::Crc32c => sums.checksum_crc32c,
            Algorithm::Crc64Nvme => sums.checksum_crc64nvme,
            Algorithm::Sha1 => sums.checksum_sha1,
            Algorithm::Sha256 => sums.checksum_sha256,
        };
        sum.unwrap_or_default()
    }
}

/// A checksum a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) algorithm: Algorithm,
    pub(crate) value: String,
}

impl Claim {
    /// The only one of these that is there, well-formed.
    pub(crate) fn only(values: [Option<&str>; 5]) -> Result<Option<Claim>, Refusal> {
        let mut claims =
            ALGORITHMS.iter().zip(values).filter_map(|((algorithm, _, _), value)| Some((*algorithm, value?)));
        let Some((algorithm, value)) = claims.next() else { return Ok(None) };
        if claims.next().is_some() {
            return Err(Refusal::invalid(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        if STANDARD.decode(value).ok().is_none_or(|bytes| bytes.len() != algorithm.length()) {
            return Err(Refusal::invalid(format!("Value for {} header is invalid.", algorithm.header())));
        }
        Ok(Some(Claim { algorithm, value: value.to_owned() }))
    }

    pub(crate) fn check(&self, actual: &str) -> Result<(), Refusal> {
        if self.value == actual {
            return Ok(());
        }
        let name = self.algorithm.name();
        Err(Refusal::of(BAD_DIGEST).saying(format!("The {name} you specified did not match the calculated checksum.")))
    }
}

/// The checksum of the checksums of parts.
pub(crate) fn composite<'a>(algorithm: Algorithm, parts: impl Iterator<Item = &'a str>) -> Result<String, Refusal> {
    let mut hasher = algorithm.hasher();
    for part in parts {
        hasher.update(&STANDARD.decode(part).map_err(Refusal::broken)?);
    }
    Ok(algorithm.finish(hasher))
}

/// The checksum of the bytes of parts one after another, from theirs.
pub(crate) fn combined<'a>(
    algorithm: CrcAlgorithm,
    mut parts: impl Iterator<Item = (&'a str, u64)>,
) -> Result<String, Refusal> {
    let read = |text: &str| -> Result<(u64, usize), Refusal> {
        let bytes = STANDARD.decode(text).map_err(Refusal::broken)?;
        Ok((bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), bytes.len()))
    };
    let Some((first, _)) = parts.next() else { return Err(Refusal::broken("an object of no parts")) };
    let (mut sum, width) = read(first)?;
    for (part, size) in parts {
        sum = crc_fast::checksum_combine(algorithm, sum, read(part)?.0, size);
    }
    Ok(STANDARD.encode(&sum.to_be_bytes()[8 - width..]))
}

#[cfg(test)]
mod tests {
    use super::{ALGORITHMS, Algorithm, Claim, combined, composite};

    fn sum(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        algorithm.finish(hasher)
    }

    #[test]
    fn known_sums() {
        // "123456789", by the check values of the CRC catalogue.
        for (algorithm, expected) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            assert_eq!(sum(algorithm, b"123456789"), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn a_whole_from_its_parts() {
        for (algorithm, _, _) in ALGORITHMS {
            let parts = [&b"one part "[..], b"", b"and another"];
            let sums: Vec<(String, u64)> = parts.iter().map(|part| (sum(algorithm, part), part.len() as u64)).collect();
            if let Some(crc) = algorithm.combines() {
                let whole = combined(crc, sums.iter().map(|(sum, size)| (sum.as_str(), *size))).expect("a sum");
                assert_eq!(whole, sum(algorithm, &parts.concat()), "{algorithm:?}");
            }
            let of_sums = composite(algorithm, sums.iter().map(|(sum, _)| sum.as_str())).expect("a sum");
            assert_ne!(of_sums, sum(algorithm, &parts.concat()));
        }
    }

    #[test]
    fn one_claim_at_most() {
        let good = sum(Algorithm::Crc32, b"x");
        assert_eq!(Claim::only([None; 5]).expect("no claim"), None);
        let claim = Claim::only([Some(&good), None, None, None, None]).expect("a claim").expect("a claim");
        assert!(claim.check(&good).is_ok());
        assert_eq!(claim.check("AAAAAA==").expect_err("another").code, "BadDigest");
        assert!(Claim::only([Some(&good), Some(&good), None, None, None]).is_err());
        assert!(Claim::only([Some("AAA="), None, None, None, None]).is_err(), "two bytes are no CRC32");
        assert!(Claim::only([Some("!"), None, None, None, None]).is_err());
    }
}
