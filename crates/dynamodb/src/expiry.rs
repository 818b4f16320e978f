//! What goes with time: items with a time to live, and records of streams.
//!
//! The library deletes expired items by reading whole tables. Here it is only asked to when something has expired, which an
//! index tells that SQLite keeps with every write. Records of streams it keeps for ever.

use dynoxide::storage::{Storage, TableMetadata};
use dynoxide::{DynoxideError, Result};
use stepwell_json::Json;

/// A sweep reads every item of the tables with a time to live, so there is at most one in so many seconds.
const SWEEP_EVERY_SECONDS: i64 = 60;

/// A record of a stream is there for a day.
///
/// Source: DynamoDB Streams, "data retention limit".
const RECORDS_SECONDS: i64 = 24 * 60 * 60;

/// How often to look for older ones.
pub(crate) const TRIM_EVERY_SECONDS: i64 = 60 * 60;

/// Deletes the records of streams that are older than a day.
pub(crate) fn trim_streams(storage: &Storage, now: i64) -> Result<()> {
    let sql = format!("DELETE FROM _stream_records WHERE created_at < {}", now.saturating_sub(RECORDS_SECONDS));
    storage.conn().execute_batch(&sql).map_err(DynoxideError::from)
}

/// Nothing expires.
pub(crate) const NEVER: i64 = i64::MAX;

/// Whether any table has a time to live.
pub(crate) fn has_any(storage: &Storage) -> Result<bool> {
    Ok(!storage.list_ttl_enabled_tables()?.is_empty())
}

/// Makes the indexes that are missing.
pub(crate) fn ensure_indexes(storage: &Storage) -> Result<()> {
    for table in storage.list_ttl_enabled_tables()? {
        if let Some(seconds) = seconds(&table) {
            let (index, name) = (index_name(&table.table_name), identifier(&table.table_name));
            let sql = format!("CREATE INDEX IF NOT EXISTS {index} ON {name} ({seconds}) WHERE {seconds} IS NOT NULL");
            storage.conn().execute_batch(&sql).map_err(DynoxideError::from)?;
        }
    }
    Ok(())
}

/// Drops a table's index, before another attribute gets one.
pub(crate) fn drop_index(storage: &Storage, table: &str) -> Result<()> {
    let sql = format!("DROP INDEX IF EXISTS {}", index_name(table));
    storage.conn().execute_batch(&sql).map_err(DynoxideError::from)
}

/// Refuses to turn on what is on, and off what is off.
///
/// Source: UpdateTimeToLive's answers, "TimeToLive is already …".
pub(crate) fn refuse_repetition(storage: &Storage, table: &str, input: &Json) -> Result<()> {
    let asked = input.get("TimeToLiveSpecification");
    let enabled = asked.and_then(|asked| asked.get("Enabled")).and_then(Json::as_bool);
    let attribute = asked.and_then(|asked| asked.get("AttributeName")).and_then(Json::as_str);
    let (Some(enabled), Some(meta)) = (enabled, storage.get_table_metadata(table)?) else { return Ok(()) };
    let word = match (enabled, meta.ttl_enabled) {
        (true, true) if meta.ttl_attribute.as_deref() == attribute => "enabled",
        (false, false) => "disabled",
        _ => return Ok(()),
    };
    Err(DynoxideError::ValidationException(format!("TimeToLive is already {word}")))
}

/// The second in which a sweep has something to delete. `swept` is when the last one was.
pub(crate) fn next_due(storage: &Storage, swept: Option<i64>) -> Result<i64> {
    let mut due = NEVER;
    for table in storage.list_ttl_enabled_tables()? {
        due = due.min(first_expiry(storage, &table)?);
    }
    let earliest = swept.map_or(i64::MIN, |swept| swept + SWEEP_EVERY_SECONDS);
    Ok(if due == NEVER { NEVER } else { due.max(earliest) })
}

fn first_expiry(storage: &Storage, table: &TableMetadata) -> Result<i64> {
    // An attribute whose name has no index is looked at every time.
    let Some(seconds) = seconds(table) else { return Ok(i64::MIN) };
    let name = identifier(&table.table_name);
    let sql = format!("SELECT MIN({seconds}) FROM {name} WHERE {seconds} IS NOT NULL");
    let first: Option<i64> = storage.conn().query_row(&sql, (), |row| row.get(0)).map_err(DynoxideError::from)?;
    // An item expires when its second is over.
    Ok(first.map_or(NEVER, |first| first + 1))
}

/// The seconds of an item's attribute as SQL, NULL unless it is a number of digits alone: what else a time to live may
/// hold never expires.
fn seconds(table: &TableMetadata) -> Option<String> {
    let attribute = table.ttl_attribute.as_deref()?;
    if attribute.contains(['"', '\\']) || attribute.contains(char::is_control) {
        return None;
    }
    let path = format!("'$.\"{}\".N'", attribute.replace('\'', "''"));
    let text = format!("json_extract(item_json, {path})");
    // Sixteen digits of seconds are further away than any clock goes.
    Some(format!(
        "CASE WHEN {text} NOT GLOB '*[^0-9]*' AND length({text}) BETWEEN 1 AND 16 THEN CAST({text} AS INTEGER) END"
    ))
}

fn index_name(table: &str) -> String {
    identifier(&format!("{table}::expiry"))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
