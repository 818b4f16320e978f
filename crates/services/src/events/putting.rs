//! PutEvents: entries that become events, each for itself.

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::{Events, Neighbours, Outcome, When, buses, invalid};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::services::{Asker, Request};

/// Entries and bytes of one call. Source: EventBridge's API reference, PutEvents; the user guide, "Calculating PutEvents
/// event entry size".
const ENTRIES_MAX: usize = 10;
const BYTES_MAX: usize = 1_048_576;
const TIME_BYTES: usize = 14;

/// Why an entry is not an event.
struct Failed(&'static str, String);

impl Events {
    pub(super) fn put_events(
        &mut self,
        around: &mut Neighbours<'_>,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let entries = input.list("Entries")?.ok_or_else(|| Refusal::missing("Entries"))?;
        if entries.is_empty() || entries.len() > ENTRIES_MAX {
            let (word, bound) = if entries.is_empty() { ("greater", 1) } else { ("less", ENTRIES_MAX) };
            return Err(invalid(format!(
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy constraint: Member \
                 must have length {word} than or equal to {bound}"
            )));
        }
        let mut bytes = 0;
        for entry in entries.iter().map(Input) {
            bytes += size(entry)?;
        }
        if bytes > BYTES_MAX {
            return Err(invalid("Total size of the entries in the request is over the limit."));
        }
        let when = When { now: request.now, chance: request.chance };
        let mut failed = 0;
        let mut shown = Vec::with_capacity(entries.len());
        for entry in entries.iter().map(Input) {
            let event = event_of(entry, request)?;
            shown.push(match event {
                Ok((id, event)) => {
                    let bus = entry.text("EventBusName")?.map_or(buses::DEFAULT, |bus| bus);
                    let (place, bus) = buses::placed(request.place, bus);
                    self.route(&place, &bus, &event, around, when, 0);
                    texts([("EventId", id)])
                }
                Err(Failed(code, message)) => {
                    failed += 1;
                    texts([("ErrorCode", code.to_owned()), ("ErrorMessage", message)])
                }
            });
        }
        Ok(members([("FailedEntryCount", Some(Json::from(failed))), ("Entries", Some(Json::array(shown)))]))
    }
}

fn size(entry: Input<'_>) -> Result<usize, Refusal> {
    let mut bytes = if entry.member("Time").is_some() { TIME_BYTES } else { 0 };
    for name in ["Source", "DetailType", "Detail"] {
        bytes += entry.text(name)?.map_or(0, |text| text.len());
    }
    Ok(bytes + entry.texts("Resources")?.iter().map(|resource| resource.len()).sum::<usize>())
}

/// The event of an entry, and its id.
fn event_of(entry: Input<'_>, request: &Request<'_>) -> Result<Result<(String, Json), Failed>, Refusal> {
    let mut said = Vec::with_capacity(3);
    for name in ["Source", "DetailType", "Detail"] {
        match entry.text(name)?.filter(|text| !text.is_empty()) {
            Some(text) => said.push(text.clone()),
            None => {
                let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
                return Ok(Err(Failed("InvalidArgument", message)));
            }
        }
    }
    let [source, detail_type, detail] = &said[..] else { return Ok(Err(Failed("InternalFailure", String::new()))) };
    if source.starts_with("aws.") && request.asker == Asker::Client {
        let message = "Not authorized for the source.".to_owned();
        return Ok(Err(Failed("NotAuthorizedForSourceException", message)));
    }
    let Some(detail) = Json::parse(detail).ok().filter(|detail| detail.as_object().is_some()) else {
        return Ok(Err(Failed("MalformedDetail", "Detail is malformed.".to_owned())));
    };
    let time = entry.member("Time").and_then(Json::as_f64).map_or(request.now, |seconds| {
        // A time out of range is the end of time.
        Timestamp((seconds * 1_000.0) as i64)
    });
    let time = time.to_string();
    let resources = entry.texts("Resources")?.into_iter().cloned().map(Json::String).collect();
    let id = request.chance.uuid();
    let event = Json::object([
        ("version", Json::from("0")),
        ("id", Json::from(id.as_str())),
        ("detail-type", Json::String(detail_type.clone())),
        ("source", Json::String(source.clone())),
        ("account", Json::String(request.place.account.clone())),
        ("time", Json::from(format!("{}Z", time.get(..19).unwrap_or_default()))),
        ("region", Json::String(request.place.region.clone())),
        ("resources", Json::array(resources)),
        ("detail", detail),
    ]);
    Ok(Ok((id, event)))
}
