//! Keys that this server gives away: their secrets and tokens follow from their ids, by a key that outlives the process.
//!
//! So nothing has to be kept to know them again, and they are good after a restart. Whether a user's key is still one, its
//! row says; until when a session's is one, its token does.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stepwell_protocol::{access_key_of, account_of_access_key};
use stepwell_spec::Timestamp;
use stepwell_store::Index;

use crate::iam::is_active_key;
use crate::rows::RowError;
use crate::services::kept_key;

/// What ids of keys that last begin with, and those of sessions.
const LASTING: &str = "AKIA";
const SESSION: &str = "ASIA";

/// Bytes behind secrets and tokens: forty and 356 characters, as AWS's have.
const SECRET_BYTES: usize = 30;
const TOKEN_BYTES: usize = 267;

/// A session's key.
#[derive(Clone)]
pub struct SessionKey {
    /// The id, which says the account.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The token, which says until when it is good.
    pub session_token: String,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Makes keys.
#[derive(Clone)]
pub(crate) struct Mint(Hmac<Sha256>);

impl Mint {
    pub(crate) fn new(key: &[u8; 32]) -> Mint {
        Mint(Hmac::new_from_slice(key).expect("an HMAC takes a key of any length"))
    }

    /// The id and the secret of a key that lasts; none when the account is not twelve digits.
    pub(crate) fn lasting(&self, account: &str, chance: u64) -> Option<(String, String)> {
        let id = access_key_of(LASTING, account, chance)?;
        let secret = self.secret(&id);
        Some((id, secret))
    }

    /// A key until then; none when the account is not twelve digits.
    pub(crate) fn session(&self, account: &str, until: Timestamp, chance: u64) -> Option<SessionKey> {
        let access_key_id = access_key_of(SESSION, account, chance)?;
        let secret_access_key = self.secret(&access_key_id);
        let session_token = self.token(&access_key_id, until);
        Some(SessionKey { access_key_id, secret_access_key, session_token })
    }

    fn secret(&self, id: &str) -> String {
        STANDARD.encode(&self.stream("secret", id.as_bytes(), SECRET_BYTES)[..SECRET_BYTES])
    }

    fn token(&self, id: &str, until: Timestamp) -> String {
        let mut token = until.0.to_be_bytes().to_vec();
        let said = [id.as_bytes(), &token].concat();
        token.extend(self.stream("token", &said, TOKEN_BYTES - token.len()));
        STANDARD.encode(&token[..TOKEN_BYTES])
    }

    /// At least so many bytes that follow from a purpose and a text.
    fn stream(&self, purpose: &str, text: &[u8], bytes: usize) -> Vec<u8> {
        let mut stream = Vec::with_capacity(bytes + 32);
        for block in 0_u64.. {
            if stream.len() >= bytes {
                break;
            }
            let mut mac = self.0.clone();
            mac.update(b"given keys\0");
            mac.update(purpose.as_bytes());
            mac.update(&block.to_be_bytes());
            mac.update(text);
            stream.extend_from_slice(&mac.finalize().into_bytes());
        }
        stream
    }
}

/// What is known of a key that was given away.
#[derive(Clone)]
pub struct GivenKey {
    /// The account it is of.
    pub account: String,
    /// The secret it signs with.
    pub secret_access_key: String,
    /// The token that must come with it.
    pub session_token: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenKey").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Knows the keys that STS and IAM of this server gave away. Clones know the same ones.
#[derive(Clone)]
pub struct GivenKeys {
    mint: Mint,
    index: Arc<dyn Index>,
}

impl std::fmt::Debug for GivenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenKeys").finish_non_exhaustive()
    }
}

impl GivenKeys {
    /// Those of the services in this store; `key` is what they are opened with, should none be kept.
    pub fn open(index: Arc<dyn Index>, key: [u8; 32]) -> Result<GivenKeys, RowError> {
        let key = kept_key(&*index)?.unwrap_or(key);
        Ok(GivenKeys { mint: Mint::new(&key), index })
    }

    /// What a key must be that has this id, and came with this token. Whether it is, shows the signature, and a comparison of
    /// the tokens. Fails when the store does.
    pub fn find(&self, id: &str, token: Option<&str>) -> Result<Option<GivenKey>, RowError> {
        let Some(account) = account_of_access_key(id) else { return Ok(None) };
        let secret_access_key = self.mint.secret(id);
        if id.starts_with(SESSION) {
            // A token that says no time is not the one that is expected for none.
            let until = token.and_then(until_of).unwrap_or(Timestamp(0));
            let session_token = Some(self.mint.token(id, until));
            return Ok(Some(GivenKey { account, secret_access_key, session_token, expires: Some(until) }));
        }
        let is_active = is_active_key(&*self.index, id)?;
        let key = GivenKey { account, secret_access_key, session_token: None, expires: None };
        Ok(is_active.then_some(key))
    }

    /// A key for what this server runs on behalf of an account.
    pub fn session(&self, account: &str, until: Timestamp, chance: u64) -> Option<SessionKey> {
        self.mint.session(account, until, chance)
    }
}

/// The time a token says.
fn until_of(token: &str) -> Option<Timestamp> {
    let token = STANDARD.decode(token).ok().filter(|token| token.len() == TOKEN_BYTES)?;
    token.first_chunk().map(|until| Timestamp(i64::from_be_bytes(*until)))
}

#[cfg(test)]
mod tests {
    use stepwell_store::{MemoryStore, Store};

    use super::*;

    #[test]
    fn a_sessions_key_is_known_by_its_id_and_its_token() {
        let keys = GivenKeys::open(MemoryStore::new().index(), [1; 32]).expect("keys");
        let until = Timestamp(1_800_000_000_000);
        let given = keys.session("123456789012", until, 7).expect("a key");
        assert_eq!((given.secret_access_key.len(), given.session_token.len()), (40, 356));
        let find = |id: &str, token: Option<&str>| keys.find(id, token).expect("a store");
        let known = find(&given.access_key_id, Some(&given.session_token)).expect("it is known");
        assert_eq!((known.account.as_str(), known.expires), ("123456789012", Some(until)));
        assert_eq!(known.secret_access_key, given.secret_access_key);
        assert_eq!(known.session_token.as_deref(), Some(given.session_token.as_str()));
        // Another time than was given is not what the token is expected to be, and neither is another's.
        let mut later = STANDARD.decode(&given.session_token).expect("base64");
        later[..8].copy_from_slice(&(until.0 + 1).to_be_bytes());
        let later = STANDARD.encode(later);
        let other = keys.session("123456789012", until, 8).expect("a key");
        for token in [Some(later.as_str()), Some(other.session_token.as_str()), Some("T"), None] {
            let known = find(&given.access_key_id, token).expect("it may be one");
            assert_ne!(known.session_token.as_deref(), token, "{token:?}");
        }
        assert_ne!(given.secret_access_key, other.secret_access_key);
        let strange = GivenKeys::open(MemoryStore::new().index(), [2; 32]).expect("keys");
        let known = strange.find(&given.access_key_id, Some(&given.session_token)).expect("a store").expect("a key");
        assert_ne!(known.secret_access_key, given.secret_access_key);
        assert_ne!(known.session_token.as_deref(), Some(given.session_token.as_str()));
    }

    #[test]
    fn what_nobody_gave_is_not_known() {
        let keys = GivenKeys::open(MemoryStore::new().index(), [1; 32]).expect("keys");
        let (lasting, _) = keys.mint.lasting("123456789012", 7).expect("a key");
        for id in ["AKIDEXAMPLE", "123456789012", "", lasting.as_str()] {
            assert!(keys.find(id, None).expect("a store").is_none(), "{id}");
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let keys = GivenKeys::open(MemoryStore::new().index(), [1; 32]).expect("keys");
        let given = keys.session("123456789012", Timestamp(0), 7).expect("a key");
        let known = keys.find(&given.access_key_id, None).expect("a store").expect("a key");
        let shown = format!("{keys:?} {given:?} {known:?}");
        assert!(!shown.contains(&given.secret_access_key) && !shown.contains(&given.session_token), "{shown}");
    }
}
