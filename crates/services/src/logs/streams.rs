//! Log streams.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::groups::{bad_token, limit};
use super::{Logs, Outcome, invalid, no_stream};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// A log stream.
pub(super) struct LogStream {
    /// Names it in rows of events.
    pub(super) number: u64,
    pub(super) group: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) created: Timestamp,
    pub(super) last_ingested: Option<Timestamp>,
    /// Its events, in the order of their times.
    pub(super) events: BTreeSet<(Timestamp, u64)>,
}

pub(super) fn arn_of(group: &str, name: &str) -> String {
    format!("{group}:log-stream:{name}")
}

impl Logs {
    /// The streams of a group, in the order of their names.
    pub(super) fn streams_of(&self, group: &str) -> impl Iterator<Item = (&Arc<str>, &LogStream)> {
        self.streams.below(arn_of(group, ""))
    }

    pub(super) fn create_log_stream(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        let name = input.required("logStreamName")?;
        check_name(name)?;
        if self.streams.contains(&arn_of(&group, name)) {
            return Err(Refusal::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
        }
        self.add_stream(&group, name, request.now);
        Ok(Json::empty_object())
    }

    pub(super) fn add_stream(&mut self, group: &Arc<str>, name: &Arc<str>, now: Timestamp) {
        let number = self.number();
        let stream = LogStream {
            number,
            group: group.clone(),
            name: name.clone(),
            created: now,
            last_ingested: None,
            events: BTreeSet::new(),
        };
        let arn: Arc<str> = arn_of(group, name).into();
        self.events.add_stream(number, arn.clone());
        self.streams.insert(arn, stream);
    }

    pub(super) fn delete_log_stream(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        let arn = arn_of(&group, input.required("logStreamName")?);
        if !self.streams.contains(&arn) {
            return Err(no_stream());
        }
        self.remove_stream(&arn);
        Ok(Json::empty_object())
    }

    pub(super) fn remove_stream(&mut self, arn: &str) {
        if let Some(stream) = self.streams.remove(arn) {
            for (_, number) in &stream.events {
                self.events.remove(*number, &mut self.rows);
            }
            self.events.forget_stream(stream.number);
        }
    }

    pub(super) fn describe_log_streams(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        let prefix = input.text("logStreamNamePrefix")?;
        let by_time = match input.text("orderBy")?.map(|order| &**order) {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") if prefix.is_some() => {
                return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
            }
            Some("LastEventTime") => true,
            Some(other) => return Err(invalid(format!("Streams cannot be in the order of {other}."))),
        };
        let descending = input.is_set("descending")?;
        let streams = self
            .streams_of(&group)
            .filter(|(_, stream)| prefix.is_none_or(|prefix| stream.name.starts_with(&**prefix)));
        // What a page ends with says where the next begins, whatever comes and goes between the two.
        let mut placed: Vec<(String, &Arc<str>, &LogStream)> = streams
            .map(|(arn, stream)| {
                let last = stream.events.last().map_or(0, |(time, _)| time.0.max(0));
                let place = if by_time { format!("{last:020} {}", stream.name) } else { stream.name.to_string() };
                (place, arn, stream)
            })
            .collect();
        placed.sort_by(|(one, ..), (other, ..)| if descending { other.cmp(one) } else { one.cmp(other) });
        let past = match input.text("nextToken")? {
            None => None,
            Some(token) => {
                let bytes = URL_SAFE_NO_PAD.decode(&**token).map_err(|_| bad_token())?;
                Some(String::from_utf8(bytes).map_err(|_| bad_token())?)
            }
        };
        let is_next =
            |place: &str| past.as_deref().is_none_or(|past| if descending { place < past } else { place > past });
        let mut left = placed.iter().filter(|(place, ..)| is_next(place));
        let shown: Vec<_> = left.by_ref().take(limit(input)?).collect();
        let next = left.next().and(shown.last()).map(|(place, ..)| Json::from(URL_SAFE_NO_PAD.encode(place)));
        let shown = shown.into_iter().map(|(_, arn, stream)| {
            let time = |event: Option<&(Timestamp, u64)>| event.map(|(time, _)| Json::from(time.0));
            members([
                ("logStreamName", Some(Json::String(stream.name.clone()))),
                ("creationTime", Some(Json::from(stream.created.0))),
                ("firstEventTimestamp", time(stream.events.first())),
                ("lastEventTimestamp", time(stream.events.last())),
                ("lastIngestionTime", stream.last_ingested.map(|time| Json::from(time.0))),
                ("uploadSequenceToken", Some(Json::from(sequence_token(stream)))),
                ("arn", Some(Json::String((*arn).clone()))),
                ("storedBytes", Some(Json::from(0))),
            ])
        });
        Ok(members([("logStreams", Some(Json::array(shown.collect()))), ("nextToken", next)]))
    }
}

/// A token that nobody has to give back any more.
pub(super) fn sequence_token(stream: &LogStream) -> String {
    format!("{:056}", stream.number)
}

/// Source: CloudWatch Logs' API reference, CreateLogStream, `logStreamName`.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let constraint = match name.chars().count() {
        0 => "have length greater than or equal to 1",
        1..=512 if !name.contains([':', '*']) => return Ok(()),
        1..=512 => "satisfy regular expression pattern: [^:*]*",
        _ => "have length less than or equal to 512",
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must {constraint}"
    )))
}
