//! What is told of secrets without their values: DescribeSecret, lists, tags.

use std::sync::Arc;

use stepwell_json::Json;

use super::secret::{Secret, check_tags, key, read_tags, shown_stages};
use super::{Outcome, Secrets, invalid, time};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::paging;
use crate::services::Request;
use crate::tags;

/// Items of one page. Source: Secrets Manager's API reference, ListSecrets.
const PAGE: usize = 100;

impl Secrets {
    pub(super) fn describe_secret(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let secret = self.get(&self.key_of(request, input)?)?;
        Ok(shown(secret, "VersionIdsToStages"))
    }

    pub(super) fn list_secrets(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let with_deleted = input.is_set("IncludePlannedDeletion")?;
        let filters = read_filters(input)?;
        let all = self.secrets.below(key(request.place, "")).filter(|(_, secret)| {
            (with_deleted || secret.deleted.is_none()) && filters.iter().all(|filter| filter.takes(secret))
        });
        let token = input.text("NextToken")?.map(|token| &**token);
        let (keys, next) = paging::page(all.map(|(key, _)| &**key), token, limit(input)?).ok_or_else(bad_token)?;
        let shown = keys.into_iter().filter_map(|key| Some(shown(self.secrets.get(key)?, "SecretVersionsToStages")));
        Ok(members([("SecretList", Some(Json::array(shown.collect()))), ("NextToken", next.map(Json::from))]))
    }

    pub(super) fn list_secret_version_ids(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let with_deprecated = input.is_set("IncludeDeprecated")?;
        let secret = self.get(&self.key_of(request, input)?)?;
        let versions = secret.versions.iter().filter(|(_, version)| with_deprecated || !version.stages.is_empty());
        let shown = versions.map(|(id, version)| {
            Json::object([
                ("VersionId", Json::String(id.clone())),
                ("VersionStages", shown_stages(version)),
                ("CreatedDate", time(version.created)),
            ])
        });
        Ok(Json::object([
            ("Versions", Json::array(shown.collect())),
            ("ARN", Json::String(secret.arn.clone())),
            ("Name", Json::String(secret.name.clone())),
        ]))
    }

    pub(super) fn tag_resource(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let mut tags = self.living(&key)?.tags.clone();
        tags.extend(read_tags(input)?);
        check_tags(&tags)?;
        self.living_mut(&key)?.tags = tags;
        Ok(Json::empty_object())
    }

    pub(super) fn untag_resource(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let keys = input.texts("TagKeys")?;
        self.living_mut(&key)?.tags.retain(|key, _| !keys.contains(&key));
        Ok(Json::empty_object())
    }
}

fn shown(secret: &Secret, stages: &'static str) -> Json {
    let text = |text: &Arc<str>| Json::String(text.clone());
    members([
        ("ARN", Some(text(&secret.arn))),
        ("Name", Some(text(&secret.name))),
        ("Description", secret.description.as_ref().map(text)),
        ("KmsKeyId", secret.kms_key.as_ref().map(text)),
        ("LastChangedDate", Some(time(secret.changed))),
        ("LastAccessedDate", secret.accessed.map(time)),
        ("DeletedDate", secret.deleted.map(time)),
        ("Tags", (!secret.tags.is_empty()).then(|| tags::listed(&secret.tags))),
        (stages, (!secret.versions.is_empty()).then(|| secret.stages())),
        ("OwningService", secret.owner.as_ref().map(text)),
        ("CreatedDate", Some(time(secret.created))),
    ])
}

/// What a list is to be of.
struct Filter {
    key: Arc<str>,
    /// One of these is enough; `!` before it turns it round.
    values: Vec<Arc<str>>,
}

const FILTERS: [&str; 7] = ["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];

fn read_filters(input: Input<'_>) -> Result<Vec<Filter>, Refusal> {
    let list = input.list("Filters")?.map(|list| list.iter()).into_iter().flatten();
    list.map(|filter| {
        let (key, values) = (Input(filter).required("Key")?.clone(), Input(filter).texts("Values")?);
        if !FILTERS.contains(&&*key) {
            return Err(invalid(format!("Secrets cannot be filtered by {key}.")));
        }
        Ok(Filter { key, values: values.into_iter().cloned().collect() })
    })
    .collect()
}

impl Filter {
    fn takes(&self, secret: &Secret) -> bool {
        self.values.iter().any(|value| match value.strip_prefix('!') {
            Some(value) => !self.finds(value, secret),
            None => self.finds(value, secret),
        })
    }

    /// Names and tags begin so, in their case; of a description a word does, in any.
    fn finds(&self, value: &str, secret: &Secret) -> bool {
        let description = secret.description.as_deref().unwrap_or_default().to_lowercase();
        let in_description = || description.split_whitespace().any(|word| word.starts_with(&value.to_lowercase()));
        let in_name = || secret.name.starts_with(value);
        let in_tag_keys = || secret.tags.keys().any(|key| key.starts_with(value));
        let in_tag_values = || secret.tags.values().any(|tag| tag.starts_with(value));
        match &*self.key {
            "description" => in_description(),
            "name" => in_name(),
            "tag-key" => in_tag_keys(),
            "tag-value" => in_tag_values(),
            "owning-service" => secret.owner.as_deref() == Some(value),
            "all" => in_description() || in_name() || in_tag_keys() || in_tag_values(),
            // Nothing is replicated here.
            _ => false,
        }
    }
}

fn limit(input: Input<'_>) -> Result<usize, Refusal> {
    match input.integer("MaxResults")? {
        None => Ok(PAGE),
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit))
            .ok_or_else(|| invalid(format!("MaxResults is from 1 to {PAGE}, not {limit}."))),
    }
}

fn bad_token() -> Refusal {
    Refusal::new("InvalidNextTokenException", "The NextToken value is invalid.")
}
