//! How secrets go, and come back before their day.

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::secret::Secret;
use super::{Outcome, Secrets, impossible, invalid, time};
use crate::input::Input;
use crate::services::Request;

/// Days a deleted secret can be had back. Source: Secrets Manager's API reference, DeleteSecret.
const WINDOW_DAYS: i64 = 30;
const WINDOW_DAYS_MIN: i64 = 7;

const DAY_MS: i64 = 86_400_000;

impl Secrets {
    pub(super) fn delete_secret(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let window = input.integer("RecoveryWindowInDays")?;
        let at_once = input.is_set("ForceDeleteWithoutRecovery")?;
        if at_once && window.is_some() {
            return Err(invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
        }
        let days = window.unwrap_or(WINDOW_DAYS);
        if !(WINDOW_DAYS_MIN..=WINDOW_DAYS).contains(&days) {
            return Err(invalid("RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
        }
        let key = self.key_of(request, input)?;
        let shown = |secret: &Secret, at: Timestamp| {
            Json::object([
                ("ARN", Json::String(secret.arn.clone())),
                ("Name", Json::String(secret.name.clone())),
                ("DeletionDate", time(at)),
            ])
        };
        if at_once {
            let answer = shown(self.get(&key)?, request.now);
            self.secrets.remove(&key);
            return Ok(answer);
        }
        let secret = self.living_mut(&key)?;
        let at = Timestamp(request.now.0 + days * DAY_MS);
        secret.deleted = Some(at);
        Ok(shown(secret, at))
    }

    pub(super) fn restore_secret(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        if let Some(secret) = self.secrets.get_mut(&key) {
            secret.deleted = None;
        }
        let secret = self.get(&key)?;
        Ok(Json::object([("ARN", Json::String(secret.arn.clone())), ("Name", Json::String(secret.name.clone()))]))
    }

    /// Lets those go whose day has come.
    pub(super) fn bury(&mut self, now: Timestamp) {
        let is_over = |secret: &Secret| secret.deleted.is_some_and(|at| at <= now);
        let over: Vec<_> =
            self.secrets.iter().filter(|(_, secret)| is_over(secret)).map(|(key, _)| key.clone()).collect();
        for key in over {
            self.secrets.remove(&key);
        }
    }

    pub(super) fn get_resource_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let secret = self.get(&self.key_of(request, input)?)?;
        let mut members = vec![("ARN", secret.arn.clone()), ("Name", secret.name.clone())];
        members.extend(secret.policy.clone().map(|policy| ("ResourcePolicy", policy)));
        Ok(crate::answers::texts(members))
    }

    /// Keeps a policy. Nothing is enforced.
    pub(super) fn put_resource_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let policy = input.required("ResourcePolicy")?.clone();
        if !Json::parse(&policy).is_ok_and(|policy| policy.as_object().is_some()) {
            let message = "This resource policy contains invalid Json.";
            return Err(crate::answers::Refusal::new("MalformedPolicyDocumentException", message));
        }
        self.set_policy(&key, Some(policy))
    }

    pub(super) fn delete_resource_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        self.set_policy(&key, None)
    }

    fn set_policy(&mut self, key: &str, policy: Option<std::sync::Arc<str>>) -> Outcome {
        let secret = self.living_mut(key)?;
        secret.policy = policy;
        Ok(crate::answers::texts([("ARN", secret.arn.clone()), ("Name", secret.name.clone())]))
    }

    pub(super) fn get_random_password(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        const LENGTH: i64 = 32;
        const KINDS: [(&str, &str); 4] = [
            ("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"),
            ("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            ("ExcludeNumbers", "0123456789"),
            ("ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ];
        let length = input.integer("PasswordLength")?.unwrap_or(LENGTH);
        let left_out = input.text("ExcludeCharacters")?.map_or("", |text| text);
        let mut kinds: Vec<Vec<char>> = Vec::new();
        for (exclude, letters) in KINDS {
            if !input.is_set(exclude)? {
                kinds.push(letters.chars().filter(|letter| !left_out.contains(*letter)).collect());
            }
        }
        if input.is_set("IncludeSpace")? {
            kinds.push(vec![' ']);
        }
        kinds.retain(|letters| !letters.is_empty());
        let each = input.member("RequireEachIncludedType").and_then(Json::as_bool).unwrap_or(true);
        let count = usize::try_from(length).ok().filter(|length| (1..=4_096).contains(length));
        let Some(count) = count.filter(|count| !kinds.is_empty() && (!each || *count >= kinds.len())) else {
            return Err(impossible("The password cannot have this length and these characters."));
        };
        let draw = |letters: &[char]| letters[(request.chance.draw() % letters.len() as u64) as usize];
        let mut password: Vec<char> =
            if each { kinds.iter().map(|letters| draw(letters)).collect() } else { Vec::new() };
        let all: Vec<char> = kinds.concat();
        password.extend((password.len()..count).map(|_| draw(&all)));
        for place in (1..password.len()).rev() {
            password.swap(place, (request.chance.draw() % (place as u64 + 1)) as usize);
        }
        Ok(crate::answers::texts([("RandomPassword", password.into_iter().collect::<String>())]))
    }
}
