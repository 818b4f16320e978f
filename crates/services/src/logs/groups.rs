//! Log groups, and how long what is in them is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use super::{Logs, Outcome, invalid, no_group, tags};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::paging;
use crate::services::Request;

/// Groups or streams of one page, at most.
pub(super) const PAGE: usize = 50;

/// Days that events may be kept. Source: CloudWatch Logs' API reference, PutRetentionPolicy.
const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const DAY_MS: i64 = 86_400_000;

/// A log group.
pub(super) struct LogGroup {
    pub(super) name: Arc<str>,
    pub(super) created: Timestamp,
    pub(super) retention_days: Option<u64>,
    pub(super) class: Arc<str>,
    pub(super) kms_key: Option<Arc<str>>,
    pub(super) tags: BTreeMap<Arc<str>, Arc<str>>,
}

impl LogGroup {
    /// Events before this moment have expired.
    pub(super) fn expired_before(&self, now: Timestamp) -> Timestamp {
        let days = self.retention_days.and_then(|days| i64::try_from(days).ok());
        days.map_or(Timestamp(i64::MIN), |days| Timestamp(now.0.saturating_sub(days.saturating_mul(DAY_MS))))
    }
}

pub(super) fn arn_of(place: &Place, name: &str) -> String {
    place.arn("logs", &format!("log-group:{name}"))
}

impl Logs {
    pub(super) fn create_log_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("logGroupName")?;
        check_name(name)?;
        if name.starts_with("aws/") {
            return Err(invalid("Log groups starting with aws/ are reserved for AWS."));
        }
        let class = input.text("logGroupClass")?.cloned().unwrap_or_else(|| "STANDARD".into());
        if !matches!(&*class, "STANDARD" | "INFREQUENT_ACCESS" | "DELIVERY" | "ESSENTIALS") {
            return Err(invalid(format!("There is no log group class {class}.")));
        }
        let tags = tags::read(input)?;
        let arn = arn_of(request.place, name);
        if self.groups.contains(&arn) {
            return Err(Refusal::new("ResourceAlreadyExistsException", "The specified log group already exists"));
        }
        let kms_key = input.text("kmsKeyId")?.cloned();
        let group = LogGroup { name: name.clone(), created: request.now, retention_days: None, class, kms_key, tags };
        self.groups.insert(arn, group);
        Ok(Json::empty_object())
    }

    pub(super) fn delete_log_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = self.group_of(request, input)?;
        let streams: Vec<_> = self.streams_of(&arn).map(|(arn, _)| arn.clone()).collect();
        for stream in streams {
            self.remove_stream(&stream);
        }
        self.groups.remove(&arn);
        Ok(Json::empty_object())
    }

    pub(super) fn describe_log_groups(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("logGroupNamePrefix")?;
        let pattern = input.text("logGroupNamePattern")?;
        if prefix.is_some() && pattern.is_some() {
            return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
        }
        let beginning = arn_of(request.place, prefix.map_or("", |prefix| prefix));
        let groups = self.groups.below(beginning);
        let groups = groups.filter(|(_, group)| pattern.is_none_or(|pattern| group.name.contains(&**pattern)));
        let token = input.text("nextToken")?.map(|token| &**token);
        let keys = groups.map(|(arn, _)| &**arn);
        let (shown, next) = paging::page(keys, token, limit(input)?).ok_or_else(bad_token)?;
        let shown = shown.into_iter().filter_map(|arn| Some((arn, self.groups.get(arn)?))).map(|(arn, group)| {
            members([
                ("logGroupName", Some(Json::String(group.name.clone()))),
                ("creationTime", Some(Json::from(group.created.0))),
                ("retentionInDays", group.retention_days.map(Json::from)),
                ("metricFilterCount", Some(Json::from(0))),
                ("arn", Some(Json::from(format!("{arn}:*")))),
                ("storedBytes", Some(Json::from(self.stored_bytes(arn)))),
                ("kmsKeyId", group.kms_key.clone().map(Json::String)),
                ("logGroupClass", Some(Json::String(group.class.clone()))),
                ("logGroupArn", Some(Json::from(arn))),
            ])
        });
        Ok(members([("logGroups", Some(Json::array(shown.collect()))), ("nextToken", next.map(Json::from))]))
    }

    pub(super) fn put_retention_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = self.group_of(request, input)?;
        let days = input.integer("retentionInDays")?.ok_or_else(|| Refusal::missing("retentionInDays"))?;
        let known = RETENTION_DAYS.iter().find(|known| **known == days).and_then(|days| u64::try_from(*days).ok());
        let Some(days) = known else {
            let set: Vec<String> = RETENTION_DAYS.iter().map(i64::to_string).collect();
            return Err(invalid(format!(
                "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must \
                 satisfy enum value set: [{}]",
                set.join(", ")
            )));
        };
        self.groups.get_mut(&arn).ok_or_else(no_group)?.retention_days = Some(days);
        Ok(Json::empty_object())
    }

    pub(super) fn delete_retention_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = self.group_of(request, input)?;
        self.groups.get_mut(&arn).ok_or_else(no_group)?.retention_days = None;
        Ok(Json::empty_object())
    }
}

pub(super) fn limit(input: Input<'_>) -> Result<usize, Refusal> {
    match input.integer("limit")? {
        None => Ok(PAGE),
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit))
            .ok_or_else(|| invalid(format!("The limit is from 1 to {PAGE}, not {limit}."))),
    }
}

pub(super) fn bad_token() -> Refusal {
    invalid("The specified nextToken is invalid.")
}

/// Source: CloudWatch Logs' API reference, CreateLogGroup, `logGroupName`.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte));
    let constraint = match name.len() {
        0 => "have length greater than or equal to 1",
        1..=512 if is_spelled => return Ok(()),
        1..=512 => r"satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        _ => "have length less than or equal to 512",
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must {constraint}"
    )))
}
