//! Access key ids that say whose they are.
//!
//! An id is four letters and sixteen of base32. Their eighty bits begin with a one, then forty bits of account; of ids that
//! begin with a zero, as documentation's do, nothing is known.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BITS: u32 = 80;
const ACCOUNT_BITS: u32 = 40;
const ACCOUNT_MAX: u64 = 999_999_999_999;

/// An access key id of an account. Of the chance 32 bits and a few more are used.
///
/// `kind` is `AKIA` for a key that lasts, `ASIA` for one that does not. None when the account is not twelve digits.
pub fn access_key_of(kind: &str, account: &str, chance: u64) -> Option<String> {
    let number: u64 = account.parse().ok().filter(|_| account.len() == 12)?;
    let free = BITS - 1 - ACCOUNT_BITS;
    let bits = 1_u128 << (BITS - 1) | u128::from(number) << free | u128::from(chance) & ((1 << free) - 1);
    let letters = (0..16).rev().map(|place| char::from(ALPHABET[(bits >> (place * 5)) as usize & 31]));
    Some(kind.chars().chain(letters).collect())
}

/// The account of an access key id, when the id says it.
pub fn account_of_access_key(id: &str) -> Option<String> {
    let coded = id.strip_prefix("ASIA").or_else(|| id.strip_prefix("AKIA")).filter(|coded| coded.len() == 16)?;
    let mut bits: u128 = 0;
    for letter in coded.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 5 | value as u128;
    }
    let account = (bits >> (BITS - 1 - ACCOUNT_BITS)) as u64 & ((1 << ACCOUNT_BITS) - 1);
    let says = bits >> (BITS - 1) == 1 && account <= ACCOUNT_MAX;
    says.then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_its_account() {
        for account in ["000000000000", "123456789012", "999999999999"] {
            for chance in [0, 1, u64::MAX] {
                let id = access_key_of("ASIA", account, chance).expect("an id");
                assert_eq!((id.len(), account_of_access_key(&id).as_deref()), (20, Some(account)), "{id}");
            }
        }
        assert_eq!(access_key_of("ASIA", "12", 0), None);
        assert_eq!(access_key_of("ASIA", "twelve-chars", 0), None);
    }

    #[test]
    fn ids_are_read_as_those_of_aws() {
        // An id that AWS's documentation of the form and others' decoders take apart alike.
        assert_eq!(account_of_access_key("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        for id in ["AKIAIOSFODNN7EXAMPLE", "test", "123456789012", "ASIA", "ASIAQNZGKIQY56JQ7WM1", "ASIAé"] {
            assert_eq!(account_of_access_key(id), None, "{id}");
        }
    }
}
