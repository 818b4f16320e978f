//! The list of executions: one row each, under the status it has.
//!
//! ```text
//! executions  fingerprint of its ARN's beginning, the rest of it -> the engine's name for it
//! listing     status, fingerprint of its owner's ARN, start, name -> what a list shows of it
//! ended       when it ended, or later; name -> when it ended, its key in `listing`
//! ```
//!
//! Fingerprints keep the rows small: there are more of them than of anything else. The owner is a state machine or, for the children of a Map Run, the Map Run. The rows with the status RUNNING are what a
//! recovery begins with.

use std::ops::Bound;

use sha2::{Digest, Sha256};
use stepwell_engine::ExecutionId;
use stepwell_spec::shapes::{ExecutionListItem, ExecutionStatus};
use stepwell_spec::{FieldSink, FieldSource, Stored, Text, Timestamp};
use stepwell_store::{Decoder, Index, Order};

use super::journal::KeptError;
use super::kept_identity::KeptIdentity;
use super::registry::MachineRow;
use stepwell_store::json_rows::RowError;

/// ARNs to names.
pub(super) const EXECUTIONS: &str = "executions";

/// Executions by status, owner and start.
pub(super) const LISTING: &str = "listing";

/// Executions by their end.
pub(super) const ENDED: &str = "ended";

/// The kind of the note that a row's value is.
pub(super) const LISTED: u16 = 1;

/// The statuses rows stand under.
pub(super) const LISTED_STATUSES: [ExecutionStatus; 5] = [
    ExecutionStatus::Running,
    ExecutionStatus::Succeeded,
    ExecutionStatus::Failed,
    ExecutionStatus::TimedOut,
    ExecutionStatus::Aborted,
];

/// What a list shows of an execution, beside its status.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// Number of the revision it was started from.
    pub(super) revision: u64,
    pub(super) identity: KeptIdentity,
    pub(super) stopped_at: Option<Timestamp>,
    pub(super) redrive_count: u64,
    pub(super) redriven_at: Option<Timestamp>,
    pub(super) map_run_arn: Option<Text>,
    pub(super) item_count: Option<u64>,
}

/// Where a listed execution stands: newest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) started_at: Timestamp,
    pub(super) id: ExecutionId,
}

/// The first byte of a key. What it means never changes.
fn status_byte(status: ExecutionStatus) -> u8 {
    match status {
        ExecutionStatus::Running => 0,
        ExecutionStatus::Succeeded => 1,
        ExecutionStatus::Failed => 2,
        ExecutionStatus::TimedOut => 3,
        ExecutionStatus::Aborted => 4,
        ExecutionStatus::PendingRedrive => 5,
    }
}

/// The key of an execution's row.
pub(super) fn key(status: ExecutionStatus, owner: &str, place: Place) -> Vec<u8> {
    let mut key = prefix(status, owner);
    key.extend_from_slice(&time_key(place.started_at));
    key.extend_from_slice(&place.id.0.to_be_bytes());
    key
}

fn prefix(status: ExecutionStatus, owner: &str) -> Vec<u8> {
    let mut key = vec![status_byte(status)];
    key.extend_from_slice(&fingerprint(owner));
    key
}

/// The key of an execution in [`EXECUTIONS`]. Names of one state machine stand together, so that those which count up, or
/// are drawn here, are written where the last ones were.
pub(super) fn execution_key(arn: &str) -> Vec<u8> {
    let rest = arn.splitn(ARN_PARTS_BEFORE_NAME + 1, ':').nth(ARN_PARTS_BEFORE_NAME).unwrap_or_default();
    let beginning = &arn[..arn.len() - rest.len()];
    [&fingerprint(beginning), rest.as_bytes()].concat()
}

/// `arn:PARTITION:states:REGION:ACCOUNT:execution:MACHINE` or `express` there; behind it stands the name.
const ARN_PARTS_BEFORE_NAME: usize = 7;

/// What stands for an ARN: 16 bytes of its SHA-256. That two of them meet is less likely than that the disk errs.
pub(super) fn fingerprint(arn: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(arn.as_bytes())[..16]);
    bytes
}

fn read_place(key: &[u8]) -> Option<Place> {
    let (rest, id) = key.split_last_chunk::<8>()?;
    let (_, time) = rest.split_last_chunk::<8>()?;
    Some(Place { started_at: read_time(*time), id: ExecutionId(u64::from_be_bytes(*id)) })
}

/// One row as it was read.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) status: ExecutionStatus,
    pub(super) listed: Listed,
}

/// Up to `limit` executions of an owner with this status, newest first, those before `before`.
pub(super) fn page(
    index: &dyn Index,
    status: ExecutionStatus,
    owner: &str,
    before: Option<Place>,
    limit: usize,
) -> Result<Vec<Row>, KeptError> {
    let low = prefix(status, owner);
    let high = match before {
        Some(place) => key(status, owner, place),
        // Nothing is as long as this and has no time.
        None => [&low[..], &[u8::MAX; 17]].concat(),
    };
    let keys = (Bound::Included(&*low), Bound::Excluded(&*high));
    let rows = index.scan(LISTING, keys, Order::Descending, limit)?;
    rows.into_iter().map(|(key, value)| read_row(status, &key, &value)).collect()
}

/// The names of up to `limit` executions that run, of any owner, those after this key; and the key to go on from.
pub(super) fn running(
    index: &dyn Index,
    past: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<(Vec<u8>, ExecutionId)>, KeptError> {
    let low = past.map_or(Bound::Unbounded, Bound::Excluded);
    let end = [status_byte(ExecutionStatus::Running) + 1];
    let rows = index.scan(LISTING, (low, Bound::Excluded(&end)), Order::Ascending, limit)?;
    rows.into_iter()
        .map(|(key, _)| match read_place(&key) {
            Some(place) => Ok((key, place.id)),
            None => Err(unreadable(&key, "its key is too short")),
        })
        .collect()
}

/// An execution that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    /// From when on the time is counted that it stays: its end, or another time when it could not go yet.
    pub(super) since: Timestamp,
    pub(super) id: ExecutionId,
    pub(super) stopped_at: Timestamp,
    /// Its row in the list.
    pub(super) listing_key: Vec<u8>,
}

impl Ended {
    pub(super) fn key(&self) -> Vec<u8> {
        [time_key(self.since), self.id.0.to_be_bytes()].concat()
    }

    pub(super) fn value(&self) -> Vec<u8> {
        [&time_key(self.stopped_at)[..], &self.listing_key].concat()
    }

    fn read(key: &[u8], value: &[u8]) -> Option<Ended> {
        let (since, id) = key.split_first_chunk()?;
        let id = ExecutionId(u64::from_be_bytes(id.try_into().ok()?));
        let (stopped_at, listing_key) = value.split_first_chunk()?;
        let (since, stopped_at) = (read_time(*since), read_time(*stopped_at));
        Some(Ended { since, id, stopped_at, listing_key: listing_key.to_vec() })
    }
}

/// Up to `limit` executions that have ended, the longest ago first, those after this key.
pub(super) fn ended(index: &dyn Index, past: Option<&[u8]>, limit: usize) -> Result<Vec<Ended>, KeptError> {
    let low = past.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = index.scan(ENDED, (low, Bound::Unbounded), Order::Ascending, limit)?;
    rows.iter()
        .map(|(key, value)| {
            let what = "it should have two times, a name and a key".to_owned();
            let broken = || RowError::Broken { table: ENDED, key: key.escape_ascii().to_string(), what };
            Ok(Ended::read(key, value).ok_or_else(broken)?)
        })
        .collect()
}

/// When the execution ended that ended last.
pub(super) fn last_end(index: &dyn Index) -> Result<Option<Timestamp>, KeptError> {
    let rows = index.scan(ENDED, stepwell_store::ALL_KEYS, Order::Descending, 1)?;
    Ok(rows.first().and_then(|(key, value)| Ended::read(key, value)).map(|ended| ended.stopped_at))
}

/// What a list shows of the execution whose row has this key.
pub(super) fn listed(index: &dyn Index, key: &[u8]) -> Result<Option<Listed>, KeptError> {
    index.get(LISTING, key)?.map(|value| read_listed(key, &value)).transpose()
}

/// A time as the beginning of a key. The sign is turned so that times before 1970 come first.
fn time_key(time: Timestamp) -> [u8; 8] {
    (time.0 ^ i64::MIN).to_be_bytes()
}

fn read_time(key: [u8; 8]) -> Timestamp {
    Timestamp(i64::from_be_bytes(key) ^ i64::MIN)
}

fn read_row(status: ExecutionStatus, key: &[u8], value: &[u8]) -> Result<Row, KeptError> {
    let place = read_place(key).ok_or_else(|| unreadable(key, "its key is too short"))?;
    Ok(Row { place, status, listed: read_listed(key, value)? })
}

fn read_listed(key: &[u8], value: &[u8]) -> Result<Listed, KeptError> {
    let failed = |error: stepwell_store::DecodeError| unreadable(key, &error.to_string());
    let mut decoder = Decoder::new(value).map_err(failed)?;
    let entry = decoder.next_entry().map_err(failed)?.ok_or_else(|| unreadable(key, "it is empty"))?;
    entry.note().map_err(failed)
}

fn unreadable(key: &[u8], what: &str) -> KeptError {
    KeptError::Row(RowError::Broken { table: LISTING, key: key.escape_ascii().to_string(), what: what.to_owned() })
}

impl Row {
    /// As the API shows it, with the revision it was started from.
    pub(super) fn shown(&self, machine: &MachineRow) -> ExecutionListItem {
        let Listed { identity, .. } = &self.listed;
        ExecutionListItem {
            execution_arn: identity.arn(machine),
            state_machine_arn: identity.state_machine_arn(machine),
            name: identity.name().clone(),
            status: self.status,
            start_date: self.place.started_at,
            stop_date: self.listed.stopped_at,
            item_count: self.listed.item_count.map(count),
            state_machine_version_arn: identity.version_arn.clone(),
            state_machine_alias_arn: identity.alias_arn.clone(),
            redrive_count: Some(count(self.listed.redrive_count)),
            redrive_date: self.listed.redriven_at,
            map_run_arn: self.listed.map_run_arn.clone(),
        }
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Stored for Listed {
    fn store(&self, sink: &mut impl FieldSink) {
        self.revision.store(sink);
        self.identity.store(sink);
        self.stopped_at.store(sink);
        self.redrive_count.store(sink);
        self.redriven_at.store(sink);
        self.map_run_arn.store(sink);
        self.item_count.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(Listed {
            revision: source.number()?,
            identity: KeptIdentity::restore(source)?,
            stopped_at: Option::restore(source)?,
            redrive_count: source.number()?,
            redriven_at: Option::restore(source)?,
            map_run_arn: Option::restore(source)?,
            item_count: Option::restore(source)?,
        })
    }
}
