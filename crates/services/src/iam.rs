//! IAM: who there is and what policies say of them. Nothing of it is enforced.
//!
//! Roles, users, groups and instance profiles are one kind of thing, an [`Entity`], with a row of a table for what is
//! different. IAM has no regions: an account's entities are the same everywhere.

mod actions;
mod attached;
mod documents;
mod entities;
mod inline;
mod kept;
mod keys;
mod lives;
mod managed;
mod members;
mod tags;
mod trust;

use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::Json;
use stepwell_spec::{Timestamp, partition_of};
use stepwell_store::{Index, RowChange};

use crate::answers::{Refusal, answer};
use crate::given::Mint;
use crate::input::Input;
use crate::paging;
use crate::rows::RowError;
use crate::services::{Request, ServicesOuts};
use crate::shelf::Shelf;
use entities::Entity;
pub(crate) use entities::Kind;
use keys::AccessKey;
pub(crate) use keys::is_active_key;
use managed::Policy;

/// The local IAM.
pub(crate) struct Iam {
    /// By account, kind and name.
    entities: Shelf<Entity>,
    /// By ARN.
    policies: Shelf<Policy>,
    /// By id.
    keys: Shelf<AccessKey>,
    mint: Mint,
    is_proved: bool,
}

type Outcome = Result<Json, Refusal>;

/// Items of one page, unless the call says otherwise, and at most.
const PAGE: usize = 100;
const PAGE_MAX: i64 = 1_000;

impl Iam {
    pub(crate) fn open(is_proved: bool, key: &[u8; 32], index: &dyn Index) -> Result<Iam, RowError> {
        Ok(Iam {
            entities: Shelf::open(index)?,
            policies: Shelf::open(index)?,
            keys: Shelf::open(index)?,
            mint: Mint::new(key),
            is_proved,
        })
    }

    /// What makes keys.
    pub(crate) fn mint(&self) -> &Mint {
        &self.mint
    }

    pub(crate) fn call(&mut self, request: &Request<'_>, outs: &mut ServicesOuts) {
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("iam", &request.call.action)),
        };
        let outcome = outcome.map_err(|refusal| {
            refusal.named(&["MissingRequiredParameterException", "SerializationException"], INVALID)
        });
        outs.replies.push((request.id, answer(outcome, request.chance)));
    }

    pub(crate) fn write_rows(&mut self, rows: &mut Vec<RowChange>) {
        self.entities.write_rows(rows);
        self.policies.write_rows(rows);
        self.keys.write_rows(rows);
    }

    /// Whether an account may assume a role. Where nobody proves who they are, everybody may; where they do, a role of their own
    /// account, and one of another whose trust policy names theirs.
    pub(crate) fn may_assume(&self, caller: &str, account: &str, name: &str) -> bool {
        let role = self.entities.get(&entities::key(account, Kind::Role, name));
        !self.is_proved || caller == account || role.is_some_and(|role| role.trusts(caller))
    }

    /// The id of a role and the longest session it allows, in seconds, when it is there.
    pub(crate) fn role(&self, account: &str, name: &str) -> Option<(Arc<str>, u64)> {
        let role = self.entities.get(&entities::key(account, Kind::Role, name))?;
        Some((role.id.clone(), role.max_session_seconds))
    }
}

const INVALID: &str = "ValidationError";

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(INVALID, message)
}

fn no_such_entity(message: impl Into<String>) -> Refusal {
    Refusal::new("NoSuchEntityException", message).with_status(404)
}

fn exists_already(message: impl Into<String>) -> Refusal {
    Refusal::new("EntityAlreadyExistsException", message).with_status(409)
}

fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new("DeleteConflictException", message).with_status(409)
}

/// The ARN of something of an account: IAM's have no region.
fn arn_of(request: &Request<'_>, resource: &str) -> String {
    format!("arn:{}:iam::{}:{resource}", partition_of(&request.place.region), request.place.account)
}

/// `AROA` and seventeen capitals and digits.
pub(crate) fn unique_id(prefix: &str, chance: &Chance) -> Arc<str> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = (0..17).map(|_| char::from(ALPHABET[(chance.draw() >> 59) as usize]));
    prefix.chars().chain(letters).collect::<String>().into()
}

fn time(time: Timestamp) -> Json {
    Json::from_f64(time.seconds().floor()).unwrap_or(Json::Null)
}

/// A page of a list: what is shown of those keys, whether there are more, and from where.
fn page_of<'a>(
    list: &'static str,
    input: Input<'_>,
    keys: impl Iterator<Item = &'a str>,
    shown: impl Fn(&str) -> Option<Json>,
) -> Outcome {
    let limit = match input.integer("MaxItems")? {
        None => PAGE,
        Some(items @ 1..=PAGE_MAX) => items as usize,
        Some(other) => return Err(invalid(format!("MaxItems is from 1 to {PAGE_MAX}, not {other}."))),
    };
    let token = input.text("Marker")?.map(|token| &**token);
    let (keys, next) = paging::page(keys, token, limit).ok_or_else(|| invalid("Invalid Marker."))?;
    let items = keys.into_iter().filter_map(shown).collect();
    let mut members = vec![(list, Json::array(items)), ("IsTruncated", Json::Bool(next.is_some()))];
    members.extend(next.map(|next| ("Marker", Json::from(next))));
    Ok(Json::object(members))
}
