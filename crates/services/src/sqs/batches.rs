//! Batches: up to ten entries under ids of their own, each done or refused by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::answers::{Refusal, members, query_code};
use crate::input::Input;

const ENTRIES_MAX: usize = 10;

/// The entries of a batch of so-called actions, with their ids.
pub(super) fn entries<'a>(input: Input<'a>, of: &str) -> Result<Vec<(Arc<str>, Input<'a>)>, Refusal> {
    let list = input.list("Entries")?.ok_or_else(|| Refusal::missing("Entries"))?;
    if list.is_empty() {
        let message = format!("There should be at least one {of}BatchRequestEntry in the request.");
        return Err(Refusal::new("EmptyBatchRequest", message));
    }
    if list.len() > ENTRIES_MAX {
        let message = format!("Maximum number of entries per request are {ENTRIES_MAX}. You have sent {}.", list.len());
        return Err(Refusal::new("TooManyEntriesInBatchRequest", message));
    }
    let mut ids: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut entries = Vec::with_capacity(list.len());
    for entry in list.iter().map(Input) {
        let id = entry.required("Id")?;
        let is_spelled = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if id.is_empty() || id.len() > 80 || !is_spelled {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be \
                           at most 80 letters long.";
            return Err(Refusal::new("InvalidBatchEntryId", message));
        }
        if !ids.insert(id.clone()) {
            return Err(Refusal::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
        entries.push((id.clone(), entry));
    }
    Ok(entries)
}

/// What a batch answers: a list of those that were done, and one of those that were not. A list without entries is
/// absent.
pub(super) fn output(outcomes: Vec<(Arc<str>, Result<Json, Refusal>)>) -> Json {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(output) => {
                let mut entry = ObjectBuilder::new();
                entry.insert("Id", Json::String(id));
                for (name, value) in output.as_object().into_iter().flat_map(|output| output.iter()) {
                    entry.insert(name.clone(), value.clone());
                }
                done.push(Json::Object(entry.build()));
            }
            Err(refusal) => failed.push(members([
                ("Id", Some(Json::String(id))),
                ("SenderFault", Some(Json::Bool(refusal.status < 500))),
                ("Code", Some(query_code("sqs", refusal.code).into())),
                ("Message", Some(refusal.message.into())),
            ])),
        }
    }
    let list = |entries: Vec<Json>| (!entries.is_empty()).then(|| Json::array(entries));
    members([("Successful", list(done)), ("Failed", list(failed))])
}
