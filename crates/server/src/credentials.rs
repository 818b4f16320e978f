//! The file that says who may call: access keys, their secrets, and the account each belongs to.
//!
//! It has the format of the AWS command's credentials file, so that one file may serve both sides; `aws_account_id` and
//! `expiration` are read as some of AWS's tools write them. Nothing that stands behind a `=` is ever repeated in a
//! message.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use stepwell_api::{Credential, Credentials};
use stepwell_services::{GivenKey, GivenKeys};
use stepwell_spec::Timestamp;

/// The largest credentials file: thousands of keys.
const FILE_BYTES_MAX: u64 = 1_048_576;

/// How long the keys of a function's process are good: longer than any process lives, for it has them but once.
#[cfg(feature = "lambda")]
const FUNCTION_KEYS_MS: u64 = 365 * 24 * 3_600_000;

const KEY_ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN: &str = "aws_session_token";
const ACCOUNT: &str = "aws_account_id";
const EXPIRES: &str = "expiration";

/// What a profile may say to the server.
const NAMES: [&str; 5] = [KEY_ID, SECRET, TOKEN, ACCOUNT, EXPIRES];

/// What a profile may say to clients; the server does not read it.
const OTHERS: [&str; 2] = ["region", "output"];

/// Every key that may sign: those of the file, and those that STS and IAM gave away.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    file: BTreeMap<String, Credential>,
    given: Option<GivenKeys>,
}

impl Credentials for Keyring {
    fn find(&self, access_key_id: &str, session_token: Option<&str>) -> Option<Cow<'_, Credential>> {
        if let Some(credential) = self.file.get(access_key_id) {
            return Some(Cow::Borrowed(credential));
        }
        let found = self.given.as_ref()?.find(access_key_id, session_token).unwrap_or_else(|fault| {
            tracing::error!(%fault, "whether a key was given away cannot be found out");
            None
        });
        let GivenKey { account, secret_access_key, session_token, expires } = found?;
        Some(Cow::Owned(Credential { secret_access_key, session_token, account, expires }))
    }
}

#[cfg(feature = "s3")]
impl stepwell_s3::KeyRing for Keyring {
    fn find(&self, id: &str, token: Option<&str>) -> Option<stepwell_s3::Key> {
        let credential = Credentials::find(self, id, token)?.into_owned();
        Some(stepwell_s3::Key {
            id: id.to_owned(),
            secret: credential.secret_access_key,
            token: credential.session_token,
            expires: credential.expires,
            account: credential.account,
        })
    }
}

impl Keyring {
    /// Reads the file. Refuses one that others than its owner may read or write, and one that says nothing of use.
    ///
    /// `account` is that of keys which name none and are none themselves.
    pub(crate) fn open(path: &Path, account: &str) -> Result<Keyring, String> {
        let name = path.display();
        let tell = |fault: std::io::Error| format!("cannot read the credentials in {name}: {fault}");
        let mut file = File::open(path).map_err(tell)?;
        check_mode(&file, path)?;
        let mut text = String::new();
        file.by_ref().take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(tell)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(format!("{name} has more than {FILE_BYTES_MAX} bytes; is it a credentials file?"));
        }
        Keyring::parse(&text, account).map_err(|(line, reason)| format!("{name}:{line}: {reason}"))
    }

    /// The same, with those that were given away.
    pub(crate) fn with(self, given: GivenKeys) -> Keyring {
        Keyring { given: Some(given), ..self }
    }

    /// Keys for functions of this machine, good for as long as a process may live.
    #[cfg(feature = "lambda")]
    pub(crate) fn function_keys(&self) -> Option<stepwell_lambda::FunctionKeys> {
        let given = self.given.clone()?;
        Some(stepwell_lambda::FunctionKeys::new(move |account| {
            let chance = getrandom::u64().ok()?;
            let until = crate::clock::wall().plus_ms(FUNCTION_KEYS_MS);
            let key = given.session(account, until, chance)?;
            Some([key.access_key_id, key.secret_access_key, key.session_token])
        }))
    }

    /// How many keys the file has.
    pub(crate) fn len(&self) -> usize {
        self.file.len()
    }

    /// Refuses with the number of a line and a reason.
    fn parse(text: &str, account: &str) -> Result<Keyring, (usize, String)> {
        let mut keys = BTreeMap::new();
        let mut profile: Option<Profile<'_>> = None;
        let mut add = |profile: Option<Profile<'_>>| match profile {
            Some(profile) => profile.into_key(account, &mut keys),
            None => Ok(()),
        };
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let Some(name) = rest.strip_suffix(']') else {
                    return Err((number, "a profile's name ends with ']'".to_owned()));
                };
                add(profile.replace(Profile { line: number, name: name.trim(), said: BTreeMap::new() }))?;
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err((number, "this is neither a profile, as in [default], nor name = value".to_owned()));
            };
            let (name, value) = (name.trim(), value.trim());
            let Some(profile) = &mut profile else {
                return Err((number, "it stands before any profile; begin with one, as in [default]".to_owned()));
            };
            if OTHERS.contains(&name) {
                continue;
            }
            let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
                return Err((number, format!("'{name}' is not known here; there are {}", NAMES.join(", "))));
            };
            if value.is_empty() {
                return Err((number, format!("{known} is empty")));
            }
            if profile.said.insert(known, (number, value)).is_some() {
                return Err((number, format!("{known} stands there twice")));
            }
        }
        add(profile)?;
        match keys.is_empty() {
            true => Err((1, "it has no key; without one nobody could call".to_owned())),
            false => Ok(Keyring { file: keys, given: None }),
        }
    }
}

/// A profile as it stands in the file.
struct Profile<'a> {
    line: usize,
    name: &'a str,
    /// Lines and values.
    said: BTreeMap<&'static str, (usize, &'a str)>,
}

impl Profile<'_> {
    fn into_key(self, account: &str, keys: &mut BTreeMap<String, Credential>) -> Result<(), (usize, String)> {
        let value = |name: &'static str| {
            let missing = || (self.line, format!("profile '{}' has no {name}", self.name));
            self.said.get(name).copied().ok_or_else(missing)
        };
        let (line, id) = value(KEY_ID)?;
        let (_, secret) = value(SECRET)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if id.len() > 128 || !id.bytes().all(is_plain) {
            return Err((line, format!("{KEY_ID} has letters, digits and _, and at most 128 of them")));
        }
        let account = match self.said.get(ACCOUNT) {
            Some((_, account)) if is_account(account) => account,
            Some((line, _)) => return Err((*line, format!("{ACCOUNT} has twelve digits"))),
            None if is_account(id) => id,
            None => account,
        };
        let expires = match self.said.get(EXPIRES) {
            Some((line, text)) => {
                let wrong = |_| (*line, format!("{EXPIRES} is a moment such as 2026-01-31T12:00:00Z"));
                Some(Timestamp::parse(text).map_err(wrong)?)
            }
            None => None,
        };
        let credential = Credential {
            secret_access_key: secret.to_owned(),
            session_token: self.said.get(TOKEN).map(|(_, token)| (*token).to_owned()),
            account: account.to_owned(),
            expires,
        };
        match keys.insert(id.to_owned(), credential) {
            Some(_) => Err((line, format!("the key of profile '{}' stands in another profile too", self.name))),
            None => Ok(()),
        }
    }
}

/// Whether the text is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|fault| format!("cannot look at {}: {fault}", path.display()))?;
    if !metadata.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(format!(
            "{path} has secrets in it and others may read or write it (its mode is {mode:04o}); run: chmod 600 {path}",
            path = path.display()
        )),
    }
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(&str, &str)], &str>) {
        let parsed = Keyring::parse(text, "000000000000");
        let accounts: Result<Vec<(&str, &str)>, String> = parsed
            .as_ref()
            .map(|ring| ring.file.iter().map(|(id, key)| (id.as_str(), key.account.as_str())).collect())
            .map_err(|(line, reason)| format!("{line}: {reason}"));
        match (&accounts, expected) {
            (Ok(accounts), Ok(expected)) => assert_eq!(accounts, expected),
            (Err(told), Err(expected)) => assert!(told.contains(expected), "{told}"),
            _ => panic!("{accounts:?}, not {expected:?}"),
        }
        if let Err(told) = accounts {
            assert!(!told.contains("hush"), "{told}");
        }
    }

    #[test]
    fn a_file_of_the_aws_command_is_read() {
        let text = "# ours\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=hush/+=\nregion = eu-west-1\n\n\
                    [ci]\naws_access_key_id=123456789012\naws_secret_access_key=hush\n[ops]\naws_access_key_id=OPS\n\
                    aws_secret_access_key=hush\naws_account_id=210987654321\naws_session_token=hush==\n\
                    expiration=2026-09-15T00:00:00Z\n";
        let accounts = [("123456789012", "123456789012"), ("AKIDEXAMPLE", "000000000000"), ("OPS", "210987654321")];
        check(text, Ok(&accounts));
        let ring = Keyring::parse(text, "000000000000").expect("keys");
        let ops = ring.find("OPS", None).expect("a key");
        assert_eq!((ops.session_token.as_deref(), ops.expires), (Some("hush=="), Some(Timestamp(1_789_430_400_000))));
        let default = ring.find("AKIDEXAMPLE", None).expect("a key");
        assert_eq!((default.secret_access_key.as_str(), default.expires), ("hush/+=", None));
        assert!(ring.find("other", None).is_none());
        assert!(!format!("{ring:?}").contains("hush"), "{ring:?}");
    }

    #[test]
    fn what_was_given_away_is_known_beside_the_file() {
        use stepwell_store::{MemoryStore, Store};
        let text = "[p]\naws_access_key_id=A\naws_secret_access_key=hush\n";
        let given = GivenKeys::open(MemoryStore::new().index(), [1; 32]).expect("keys");
        let session = given.session("123456789012", Timestamp(7_000), 1).expect("a key");
        let ring = Keyring::parse(text, "000000000000").expect("keys");
        let find = |ring: &Keyring, id: &str| ring.find(id, Some(&session.session_token)).map(Cow::into_owned);
        assert!(find(&ring, &session.access_key_id).is_none());
        let ring = ring.with(given);
        let known = find(&ring, &session.access_key_id).expect("it is known");
        assert_eq!((known.account.as_str(), known.expires), ("123456789012", Some(Timestamp(7_000))));
        assert_eq!(known.secret_access_key, session.secret_access_key);
        assert_eq!(find(&ring, "A").and_then(|key| key.session_token), None);
        assert!(!format!("{ring:?}").contains("hush"));
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_line_and_without_secrets() {
        let key = "[p]\naws_access_key_id=A\naws_secret_access_key=hush\n";
        check("", Err("1: it has no key"));
        check("[p]", Err("1: profile 'p' has no aws_access_key_id"));
        check("[p]\naws_access_key_id=A", Err("1: profile 'p' has no aws_secret_access_key"));
        check("aws_secret_access_key=hush", Err("1: it stands before any profile"));
        check("[p]\nhush", Err("2: this is neither"));
        check("[p\n", Err("1: a profile's name ends with ']'"));
        check(&format!("{key}{key}"), Err("5: the key of profile 'p' stands in another profile too"));
        check(&format!("{key}aws_secret_access_key=hush"), Err("4: aws_secret_access_key stands there twice"));
        check(&format!("{key}aws_acount_id=1"), Err("4: 'aws_acount_id' is not known here; there are aws_access"));
        check(&format!("{key}aws_account_id=12"), Err("4: aws_account_id has twelve digits"));
        check(&format!("{key}expiration=hush"), Err("4: expiration is a moment"));
        check(&format!("{key}aws_session_token="), Err("4: aws_session_token is empty"));
        check("[p]\naws_access_key_id=a/b\naws_secret_access_key=hush", Err("2: aws_access_key_id has letters"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("stepwell-{}-credentials", std::process::id()));
        std::fs::write(&path, "[p]\naws_access_key_id=A\naws_secret_access_key=hush\n").expect("a file");
        for (mode, expected) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let opened = Keyring::open(&path, "000000000000");
            assert_eq!(opened.is_ok(), expected, "{mode:o}: {opened:?}");
            if let Err(reason) = opened {
                assert!(reason.contains(&format!("chmod 600 {}", path.display())), "{reason}");
            }
        }
        std::fs::remove_file(&path).expect("a file");
        assert!(Keyring::open(&path, "000000000000").expect_err("no file").contains("cannot read the credentials in"));
        assert!(Keyring::open(&std::env::temp_dir(), "000000000000").is_err());
    }
}
