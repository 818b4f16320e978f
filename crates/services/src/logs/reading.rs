//! Reading events: GetLogEvents and FilterLogEvents.

use std::ops::Bound;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::{Arn, Timestamp};

use super::groups::bad_token;
use super::pattern::FilterPattern;
use super::streams::{self, LogStream};
use super::{Logs, Outcome, invalid, no_stream};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// Events and bytes of one page. Source: CloudWatch Logs' API reference, GetLogEvents.
const PAGE_EVENTS: usize = 10_000;
const PAGE_BYTES: usize = 1_048_576;

/// Where an event stands in its stream or among those of a group.
type Spot = (Timestamp, u64);

impl Logs {
    pub(super) fn get_log_events(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        self.expire(&group, request.now);
        let name = input.required("logStreamName")?;
        let streams = self.streams_named(&group, name);
        if streams.is_empty() {
            streams::check_name(name)?;
            return Err(no_stream());
        }
        let (from, to) = (time(input, "startTime")?, time(input, "endTime")?);
        let mut spots: Vec<Spot> = streams
            .iter()
            .flat_map(|stream| stream.events.iter().copied())
            .filter(|(at, _)| from.is_none_or(|from| *at >= from) && to.is_none_or(|to| *at < to))
            .collect();
        spots.sort_unstable();
        let limit = limit(input)?;
        let token = input.text("nextToken")?.map(|token| Turn::parse(token).ok_or_else(bad_token)).transpose()?;
        let page: &[Spot] = match token {
            Some(Turn::Forward(past)) => self.first_of(&spots[spots.partition_point(|spot| *spot <= past)..], limit),
            Some(Turn::Backward(past)) => self.last_of(&spots[..spots.partition_point(|spot| *spot < past)], limit),
            None if input.is_set("startFromHead")? => self.first_of(&spots, limit),
            None => self.last_of(&spots, limit),
        };
        // At an end the token is the one that was given, which says that there is no more.
        let stays = match token {
            Some(Turn::Forward(spot) | Turn::Backward(spot)) => spot,
            None => (from.unwrap_or(Timestamp(0)), 0),
        };
        let first = page.first().copied().unwrap_or(stays);
        let last = page.last().copied().unwrap_or(stays);
        let events = page.iter().filter_map(|(_, number)| self.events.get(*number)).map(|event| {
            Json::object([
                ("timestamp", Json::from(event.timestamp.0)),
                ("message", Json::String(event.message.clone())),
                ("ingestionTime", Json::from(event.ingested.0)),
            ])
        });
        Ok(members([
            ("events", Some(Json::array(events.collect()))),
            ("nextForwardToken", Some(Json::from(Turn::Forward(last).text()))),
            ("nextBackwardToken", Some(Json::from(Turn::Backward(first).text()))),
        ]))
    }

    /// The stream of a name. `states/` and the ARN of a state machine stands for all of its streams, which are named after
    /// the machine and the minute.
    fn streams_named(&self, group: &str, name: &str) -> Vec<&LogStream> {
        if let Some(stream) = self.streams.get(&streams::arn_of(group, name)) {
            return vec![stream];
        }
        let arn = name.strip_prefix("states/").and_then(Arn::parse);
        let machine = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("stateMachine:"));
        let Some(machine) = machine else { return Vec::new() };
        let beginning = format!("states/{machine}/");
        self.streams_of(group).map(|(_, stream)| stream).filter(|stream| stream.name.starts_with(&beginning)).collect()
    }

    pub(super) fn filter_log_events(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        self.expire(&group, request.now);
        let names = input.texts("logStreamNames")?;
        let prefix = input.text("logStreamNamePrefix")?;
        if !names.is_empty() && prefix.is_some() {
            return Err(invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters."));
        }
        if names.iter().any(|name| self.streams_named(&group, name).is_empty()) {
            return Err(no_stream());
        }
        let pattern = FilterPattern::parse(input.text("filterPattern")?.map_or("", |text| text)).map_err(invalid)?;
        let (from, to) = (time(input, "startTime")?, time(input, "endTime")?);
        let past = match input.text("nextToken")? {
            None => Bound::Unbounded,
            Some(token) => match Turn::parse(token) {
                Some(Turn::Forward(spot)) => Bound::Excluded(spot),
                _ => return Err(bad_token()),
            },
        };
        let is_named = |stream: &LogStream| {
            prefix.is_none_or(|prefix| stream.name.starts_with(&**prefix))
                && (names.is_empty() || names.iter().any(|name| **name == stream.name))
        };
        let mut found: Vec<(Spot, &Arc<str>)> = self
            .streams_of(&group)
            .filter(|(_, stream)| is_named(stream))
            .flat_map(|(_, stream)| stream.events.range((past, Bound::Unbounded)).map(|spot| (*spot, &stream.name)))
            .filter(|((at, _), _)| from.is_none_or(|from| *at >= from) && to.is_none_or(|to| *at <= to))
            .filter(|((_, number), _)| self.events.get(*number).is_some_and(|event| pattern.matches(&event.message)))
            .collect();
        found.sort_unstable_by_key(|(spot, _)| *spot);
        let spots: Vec<Spot> = found.iter().map(|(spot, _)| *spot).collect();
        let count = self.first_of(&spots, limit(input)?).len();
        let next = (count < found.len()).then(|| spots.get(count.wrapping_sub(1))).flatten();
        let next = next.map(|spot| Json::from(Turn::Forward(*spot).text()));
        let events = found.iter().take(count).filter_map(|((_, number), name)| {
            let event = self.events.get(*number)?;
            Some(Json::object([
                ("logStreamName", Json::String((*name).clone())),
                ("timestamp", Json::from(event.timestamp.0)),
                ("message", Json::String(event.message.clone())),
                ("ingestionTime", Json::from(event.ingested.0)),
                ("eventId", Json::from(format!("{:036}{number:020}", event.timestamp.0))),
            ]))
        });
        let events = Json::array(events.collect());
        Ok(members([
            ("events", Some(events)),
            ("searchedLogStreams", Some(Json::array(Vec::new()))),
            ("nextToken", next),
        ]))
    }

    /// As many of the first events as a page has room for.
    fn first_of<'a>(&self, spots: &'a [Spot], limit: usize) -> &'a [Spot] {
        &spots[..self.fitting(spots.iter(), limit)]
    }

    /// As many of the last events as a page has room for.
    fn last_of<'a>(&self, spots: &'a [Spot], limit: usize) -> &'a [Spot] {
        &spots[spots.len() - self.fitting(spots.iter().rev(), limit)..]
    }

    /// How many events a page takes: one at least, when there is one.
    fn fitting<'a>(&self, spots: impl Iterator<Item = &'a Spot>, limit: usize) -> usize {
        let mut bytes = 0;
        let fits = |(place, (_, number)): &(usize, &Spot)| {
            bytes += self.events.get(*number).map_or(0, |event| event.message.len());
            *place == 0 || bytes <= PAGE_BYTES
        };
        spots.take(limit).enumerate().take_while(fits).count()
    }
}

/// A token: which way to go on, and from where.
#[derive(Clone, Copy)]
enum Turn {
    Forward(Spot),
    Backward(Spot),
}

impl Turn {
    fn text(self) -> String {
        let (letter, (time, number)) = match self {
            Turn::Forward(spot) => ('f', spot),
            Turn::Backward(spot) => ('b', spot),
        };
        format!("{letter}/{:036}{number:020}/s", time.0.max(0))
    }

    fn parse(text: &str) -> Option<Turn> {
        let (letter, rest) = text.split_once('/')?;
        let (time, number) = rest.strip_suffix("/s")?.split_at_checked(36)?;
        let spot = (Timestamp(time.parse().ok()?), number.parse().ok()?);
        match letter {
            "f" => Some(Turn::Forward(spot)),
            "b" => Some(Turn::Backward(spot)),
            _ => None,
        }
    }
}

fn time(input: Input<'_>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    Ok(input.integer(name)?.map(Timestamp))
}

fn limit(input: Input<'_>) -> Result<usize, Refusal> {
    match input.integer("limit")? {
        None => Ok(PAGE_EVENTS),
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=PAGE_EVENTS).contains(limit))
            .ok_or_else(|| invalid(format!("The limit is from 1 to {PAGE_EVENTS}, not {limit}."))),
    }
}
