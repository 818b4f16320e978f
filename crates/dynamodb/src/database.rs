//! The database of one place: one call at a time, on the call's time, in a transaction where one is needed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::storage::Storage;
use dynoxide::{DynoxideError, Result, ttl};
use stepwell_json::Json;
use stepwell_protocol::{Operation, Service};
use stepwell_spec::Timestamp;

use crate::actions::{Action, Changes, On, Undone};
use crate::clock::CallClock;
use crate::errors::Refusal;
use crate::expiry::{self, NEVER};
use crate::files::{self, OpenError};
use crate::names::Names;
use crate::syncing::Syncing;
use crate::tokens::{Known, Tokens};

/// The library stamps a table with the system's time. A trigger puts the call's in its place, in the same statement. No
/// table of DynamoDB's can have a name with colons.
const STAMP_TABLES: &str = "
    CREATE TEMP TABLE \"call::time\" (seconds INTEGER NOT NULL);
    INSERT INTO \"call::time\" VALUES (0);
    CREATE TEMP TRIGGER \"stamp::table\" AFTER INSERT ON main._tables BEGIN
        UPDATE _tables SET created_at = (SELECT seconds FROM \"call::time\") WHERE table_name = NEW.table_name;
    END;";

/// A call on its way through a database.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Service,
    pub(crate) operation: &'a Operation,
    pub(crate) action: &'static Action,
    pub(crate) names: &'a Names<'a>,
    /// As the library reads it.
    pub(crate) input: &'a Json,
    pub(crate) now: Timestamp,
}

/// The database of one place.
pub(crate) struct Database {
    /// `None` in memory.
    path: Option<PathBuf>,
    clock: Arc<CallClock>,
    /// The second in which the next sweep is due, to be read without waiting for calls.
    due: AtomicI64,
    syncing: Syncing,
    held: Mutex<Held>,
}

/// What one call at a time holds.
struct Held {
    storage: Storage,
    lifecycle: VectorIndexLifecycle,
    tokens: Tokens,
    /// Whether any table has a time to live.
    expires: bool,
    /// When the last sweep was, in seconds.
    swept: Option<i64>,
    /// When records of streams were last looked at, in seconds.
    trimmed: i64,
    /// What the storage remembers may not be what is kept.
    in_doubt: bool,
}

impl Database {
    pub(crate) fn open(path: Option<PathBuf>) -> std::result::Result<Database, OpenError> {
        let clock = Arc::new(CallClock::default());
        let named = path.clone().unwrap_or_else(|| PathBuf::from(":memory:"));
        let failed = |error: DynoxideError| OpenError::Database(named.clone(), error.to_string());
        let (storage, syncing) = match &path {
            Some(path) => {
                let storage = files::open(path)?;
                let log = files::open_log(path)?;
                (storage, Syncing::new(Box::new(move || log.sync_data())))
            }
            None => (Storage::memory().map_err(failed)?, Syncing::new(Box::new(|| Ok(())))),
        };
        let storage = prepared(storage, &clock).map_err(failed)?;
        let mut held = Held {
            storage,
            lifecycle: VectorIndexLifecycle::new(),
            tokens: Tokens::default(),
            expires: false,
            swept: None,
            trimmed: 0,
            in_doubt: false,
        };
        let due = held.look_at_tables().map_err(failed)?;
        // What was done while opening is on the disk with the first commit.
        Ok(Database { path, clock, due: AtomicI64::new(due), syncing, held: Mutex::new(held) })
    }

    /// The second in which a tick has something to do.
    pub(crate) fn next_due(&self) -> Option<i64> {
        Some(self.due.load(Ordering::Relaxed)).filter(|due| *due != NEVER)
    }

    /// Deletes what has expired, if anything has.
    pub(crate) fn tick(&self, now: Timestamp) -> std::result::Result<(), Refusal> {
        if self.due.load(Ordering::Relaxed) > seconds(now) {
            return Ok(());
        }
        self.exclusively(now, |database, held| {
            database.sweep(held, now).map_err(|error| Refusal::internal(error.to_string()))
        })
    }

    /// Does what is asked. The output is as the library has it.
    pub(crate) fn call(&self, asked: &Asked<'_>) -> std::result::Result<Json, Refusal> {
        self.exclusively(asked.now, |database, held| {
            database.pass_time(held, asked.now).map_err(|error| Refusal::internal(error.to_string()))?;
            let answered = held.once(asked);
            if asked.action.changes != Changes::Nothing {
                // Also when it is refused: of a batch some may have been done.
                database.syncing.count_commit();
                let due = match asked.action.changes {
                    Changes::Items if !held.expires => Ok(NEVER),
                    Changes::Items => expiry::next_due(&held.storage, held.swept),
                    _ => held.look_at_tables(),
                };
                // The change is done, and must be told so. A due time that cannot be read is now: the next call says why.
                database.due.store(due.unwrap_or(i64::MIN), Ordering::Relaxed);
            }
            answered
        })
    }

    /// Runs one at a time, and returns when what it did and saw is on the disk. A panic below is an error of the service's,
    /// and what may have come of it is undone.
    fn exclusively<T>(
        &self,
        now: Timestamp,
        act: impl FnOnce(&Database, &mut Held) -> std::result::Result<T, Refusal>,
    ) -> std::result::Result<T, Refusal> {
        let mut held: MutexGuard<'_, Held> = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.set(now);
        if held.in_doubt {
            self.mend(&mut held)?;
        }
        let done = catch_unwind(AssertUnwindSafe(|| act(self, &mut held)));
        let done = done.unwrap_or_else(|_| {
            held.in_doubt = true;
            Err(Refusal::internal("The local service failed while it worked on this."))
        });
        let commit = self.syncing.last_commit();
        drop(held);
        self.syncing.wait_for(commit).map_err(Refusal::internal)?;
        done
    }

    /// Undoes what was not committed, and forgets what was remembered of it.
    fn mend(&self, held: &mut Held) -> std::result::Result<(), Refusal> {
        let failed = |error: String| Refusal::internal(error);
        if !held.storage.conn().is_autocommit() {
            held.storage.rollback().map_err(|error| failed(error.to_string()))?;
        }
        if let Some(path) = &self.path {
            let storage = files::open(path).map_err(|error| failed(error.to_string()))?;
            held.storage = prepared(storage, &self.clock).map_err(|error| failed(error.to_string()))?;
        }
        held.in_doubt = false;
        Ok(())
    }

    /// Deletes what is over by now.
    fn pass_time(&self, held: &mut Held, now: Timestamp) -> Result<()> {
        if seconds(now).saturating_sub(held.trimmed) >= expiry::TRIM_EVERY_SECONDS {
            self.syncing.count_commit();
            expiry::trim_streams(&held.storage, seconds(now))?;
            held.trimmed = seconds(now);
        }
        self.sweep(held, now)
    }

    fn sweep(&self, held: &mut Held, now: Timestamp) -> Result<()> {
        if self.due.load(Ordering::Relaxed) > seconds(now) {
            return Ok(());
        }
        self.syncing.count_commit();
        pollster::block_on(ttl::sweep_expired_items(&held.storage))?;
        held.swept = Some(seconds(now));
        self.due.store(expiry::next_due(&held.storage, held.swept)?, Ordering::Relaxed);
        Ok(())
    }
}

impl Held {
    /// Does it, unless its token says that it has been done.
    fn once(&mut self, asked: &Asked<'_>) -> std::result::Result<Json, Refusal> {
        let name = asked.action.name;
        let what = match name {
            "TransactWriteItems" => asked.input.get("TransactItems"),
            "ExecuteTransaction" => asked.input.get("TransactStatements"),
            _ => None,
        };
        let (Some(what), Some(Json::String(token))) = (what, asked.input.get("ClientRequestToken")) else {
            return self.act(asked);
        };
        match self.tokens.find(name, token, what, asked.now) {
            Known::Done(output) => Ok(output),
            Known::Mismatch => Err(Refusal::new(
                "IdempotentParameterMismatchException",
                "An error occurred (IdempotentParameterMismatchException)",
            )),
            Known::New => {
                let output = self.act(asked)?;
                self.tokens.keep(name, token, what, output.clone(), asked.now);
                Ok(output)
            }
        }
    }

    fn act(&mut self, asked: &Asked<'_>) -> std::result::Result<Json, Refusal> {
        let done = match asked.action.changes {
            Changes::Tables => self.in_one(asked),
            Changes::Nothing | Changes::Items | Changes::Table => self.run(asked),
        };
        match done {
            Ok(output) => Json::parse(&output).map_err(|error| Refusal::internal(format!("{error:?}"))),
            Err(Undone::Unread(error)) => {
                Err(Refusal::unread(asked.service, asked.operation, asked.names, asked.input, &error))
            }
            Err(Undone::Refused(error)) => Err(Refusal::of(asked.service, asked.names, asked.action.name, error)),
        }
    }

    fn run(&self, asked: &Asked<'_>) -> std::result::Result<String, Undone> {
        let on = On { storage: &self.storage, lifecycle: &self.lifecycle };
        (asked.action.run)(&on, &asked.input.to_string())
    }

    /// All of an action's statements or none of them.
    fn in_one(&mut self, asked: &Asked<'_>) -> std::result::Result<String, Undone> {
        self.storage.begin_transaction().map_err(Undone::Refused)?;
        let done = self.change_tables(asked);
        let ended = match &done {
            Ok(_) => self.storage.commit(),
            Err(_) => self.storage.rollback(),
        };
        // A table that is remembered may not be there.
        self.in_doubt |= ended.is_err();
        ended.map_err(Undone::Refused)?;
        done
    }

    fn change_tables(&self, asked: &Asked<'_>) -> std::result::Result<String, Undone> {
        let table = asked.input.get("TableName").and_then(Json::as_str);
        match (asked.action.name, table) {
            ("CreateTable", table) => {
                if let Some(table) = table {
                    self.refuse_name(table).map_err(Undone::Refused)?;
                }
                let sql = format!("UPDATE \"call::time\" SET seconds = {}", seconds(asked.now));
                let stamped = self.storage.conn().execute_batch(&sql).map_err(DynoxideError::from);
                stamped.map_err(Undone::Refused)?;
                self.run(asked)
            }
            ("UpdateTimeToLive", Some(table)) => {
                expiry::refuse_repetition(&self.storage, table, asked.input).map_err(Undone::Refused)?;
                let output = self.run(asked)?;
                expiry::drop_index(&self.storage, table).map_err(Undone::Refused)?;
                expiry::ensure_indexes(&self.storage).map_err(Undone::Refused)?;
                Ok(output)
            }
            _ => self.run(asked),
        }
    }

    /// Refuses names that DynamoDB takes and SQLite does not: its own, the library's, and those that differ from another
    /// only in small and capital letters.
    fn refuse_name(&self, name: &str) -> Result<()> {
        const OF_THE_LIBRARY: [&str; 3] = ["_config", "_stream_records", "_tables"];
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("sqlite_") || OF_THE_LIBRARY.contains(&lower.as_str()) {
            let message = format!("The local service cannot have a table of the name {name}.");
            return Err(DynoxideError::ValidationException(message));
        }
        let names = self.storage.list_table_names()?;
        match names.iter().find(|other| other.eq_ignore_ascii_case(name) && *other != name) {
            Some(other) => Err(DynoxideError::ResourceInUseException(format!(
                "Table already exists: {other}, which the local service cannot tell from {name}"
            ))),
            None => Ok(()),
        }
    }

    /// Learns whether items expire, and when.
    fn look_at_tables(&mut self) -> Result<i64> {
        self.expires = expiry::has_any(&self.storage)?;
        if !self.expires {
            return Ok(NEVER);
        }
        expiry::ensure_indexes(&self.storage)?;
        expiry::next_due(&self.storage, self.swept)
    }
}

fn prepared(storage: Storage, clock: &Arc<CallClock>) -> Result<Storage> {
    storage.conn().execute_batch(STAMP_TABLES).map_err(DynoxideError::from)?;
    Ok(storage.with_clock(clock.clone()))
}

fn seconds(now: Timestamp) -> i64 {
    now.0.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use stepwell_spec::Timestamp;

    use super::Database;

    #[test]
    fn a_panic_is_an_error_and_what_it_left_is_undone() {
        let directory = std::env::temp_dir().join(format!("stepwell-dynamodb-{}-panic", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        for path in [None, Some(directory.join("database.sqlite"))] {
            let database = Database::open(path).expect("a database");
            let run = |sql: &'static str| {
                database.exclusively(Timestamp(0), move |_, held| {
                    held.storage.conn().execute_batch(sql).expect("done");
                    if sql.starts_with("BEGIN") { panic!("on purpose") } else { Ok(()) }
                })
            };
            run("CREATE TABLE t (a); INSERT INTO t VALUES (1)").expect("done");
            let refused = run("BEGIN; INSERT INTO t VALUES (2)").expect_err("a panic");
            let said = "InternalServerError: The local service failed while it worked on this.";
            assert_eq!(refused.to_string(), said);
            let count = database.exclusively(Timestamp(0), |_, held| {
                let count: i64 =
                    held.storage.conn().query_row("SELECT COUNT(*) FROM t", (), |row| row.get(0)).expect("a count");
                Ok(count)
            });
            assert_eq!(count.expect("a count"), 1);
        }
        std::fs::remove_dir_all(&directory).expect("removed");
    }
}
