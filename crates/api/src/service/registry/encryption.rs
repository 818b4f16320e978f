//! Which key encrypts a resource, in one form: two requests that mean the same are equal.

use stepwell_spec::shapes::{EncryptionConfiguration, EncryptionType};

/// How long a data key is used when the request does not say, in seconds.
///
/// Source: API model, `kmsDataKeyReusePeriodSeconds`: 60 to 900, by default 300.
const DATA_KEY_REUSE_SECONDS: i64 = 300;

/// A key of one's own, with its defaults said; none when the key is AWS's, whether the request says so or not.
pub(super) fn key_of_ones_own(given: Option<EncryptionConfiguration>) -> Option<EncryptionConfiguration> {
    let EncryptionConfiguration { kms_key_id, kms_data_key_reuse_period_seconds, kind } = given?;
    match kind {
        EncryptionType::AwsOwnedKey => None,
        EncryptionType::CustomerManagedKmsKey => Some(EncryptionConfiguration {
            kms_key_id,
            kms_data_key_reuse_period_seconds: kms_data_key_reuse_period_seconds.or(Some(DATA_KEY_REUSE_SECONDS)),
            kind,
        }),
    }
}

/// The encryption of what nobody asked another for.
pub(in crate::service) fn aws_owned_key() -> EncryptionConfiguration {
    EncryptionConfiguration {
        kms_key_id: None,
        kms_data_key_reuse_period_seconds: None,
        kind: EncryptionType::AwsOwnedKey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_mean_the_same_are_equal() {
        let own = |seconds: Option<i64>| EncryptionConfiguration {
            kms_key_id: Some("k".into()),
            kms_data_key_reuse_period_seconds: seconds,
            kind: EncryptionType::CustomerManagedKmsKey,
        };
        assert_eq!(key_of_ones_own(None), None);
        assert_eq!(key_of_ones_own(Some(aws_owned_key())), None);
        assert_eq!(key_of_ones_own(Some(own(None))), Some(own(Some(300))));
        assert_eq!(key_of_ones_own(Some(own(Some(60)))), Some(own(Some(60))));
    }
}
