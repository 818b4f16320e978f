//! What outlives the process: rows of JSON text under a key, in one file, each change of them on disk before it is told.
//!
//! Knows no function.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use stepwell_json::Json;

use crate::refusal::Refusal;
use crate::settings::OpenError;

const ROWS: TableDefinition<'_, &str, &str> = TableDefinition::new("lambda");

/// A row that is put or, without a value, taken away.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) value: Option<Json>,
}

/// The rows of one directory; without one nothing is kept.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Option<Arc<Mutex<Database>>>);

impl Ledger {
    /// Opens the file of a directory, and gives every row of it.
    pub(crate) fn open(directory: Option<&Path>) -> Result<(Ledger, Vec<(String, Json)>), OpenError> {
        let Some(directory) = directory else { return Ok((Ledger(None), Vec::new())) };
        let path = directory.join("functions.redb");
        let tell = |reason: String| OpenError::Ledger { path: path.clone(), reason };
        let database = Database::create(&path).map_err(|error| tell(error.to_string()))?;
        let rows = read_all(&database).map_err(|error| tell(error.to_string()))?;
        let rows: Result<Vec<_>, OpenError> = rows
            .into_iter()
            .map(|(key, text)| match Json::reread(&text) {
                Ok(json) => Ok((key, json)),
                Err(error) => Err(tell(format!("row {key}: {error}"))),
            })
            .collect();
        Ok((Ledger(Some(Arc::new(Mutex::new(database)))), rows?))
    }

    /// Puts all of the rows, or none, on disk.
    pub(crate) async fn write(&self, rows: Vec<Row>) -> Result<(), Refusal> {
        let Some(database) = self.0.clone() else { return Ok(()) };
        let written = tokio::task::spawn_blocking(move || {
            // Nobody leaves a transaction half done: one that is dropped did not happen.
            let database = database.lock().unwrap_or_else(PoisonError::into_inner);
            put(&database, &rows)
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(%error, "functions could not be written");
                Err(Refusal::broken("The function could not be kept: its storage failed."))
            }
            Err(error) => {
                tracing::error!(%error, "functions could not be written");
                Err(Refusal::broken("The function could not be kept: its storage failed."))
            }
        }
    }
}

/// Only reads: a full disk is no reason not to open what is there.
fn read_all(database: &Database) -> Result<Vec<(String, String)>, redb::Error> {
    let table = match database.begin_read()?.open_table(ROWS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        rows.push((key.value().to_owned(), value.value().to_owned()));
    }
    Ok(rows)
}

fn put(database: &Database, rows: &[Row]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut table = transaction.open_table(ROWS)?;
        for Row { key, value } in rows {
            match value {
                Some(value) => drop(table.insert(key.as_str(), value.to_string().as_str())?),
                None => drop(table.remove(key.as_str())?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
