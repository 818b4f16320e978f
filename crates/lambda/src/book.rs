//! Which functions and event source mappings there are. Readers see what is on disk; writers come one after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use stepwell_json::Json;
use stepwell_protocol::Place;
use tokio::sync::Mutex;

use crate::function::{Code, Function};
use crate::ledger::{Ledger, Row};
use crate::mapping::Mapping;
use crate::names::{Key, Target};
use crate::refusal::Refusal;
use crate::settings::OpenError;

/// Functions and mappings of every place.
pub(crate) struct Book {
    shelves: RwLock<Shelves>,
    ledger: Ledger,
    writing: Mutex<()>,
}

#[derive(Default)]
struct Shelves {
    functions: BTreeMap<Key, Arc<Function>>,
    /// By id.
    mappings: BTreeMap<Arc<str>, Arc<Mapping>>,
}

/// Rows that are neither, for whoever they belong to.
pub(crate) type OtherRows = Vec<(String, Json)>;

impl Book {
    /// The book of a directory, and the rows in it that are somebody else's.
    pub(crate) fn open(directory: Option<&Path>) -> Result<(Book, OtherRows), OpenError> {
        let (ledger, rows) = Ledger::open(directory)?;
        let (mut shelves, mut others) = (Shelves::default(), Vec::new());
        for (row, json) in rows {
            let unread = || OpenError::Ledger {
                path: directory.map(Path::to_path_buf).unwrap_or_default(),
                reason: format!("row {row} cannot be read"),
            };
            match row.split('/').collect::<Vec<_>>()[..] {
                ["function", account, region, name] => {
                    let place = Place { account: account.into(), region: region.into() };
                    let key = Key { place, name: name.into() };
                    let function = Function::of_json(key.clone(), &json).ok_or_else(unread)?;
                    shelves.functions.insert(key, Arc::new(function));
                }
                ["mapping", id] => {
                    let mapping = Mapping::of_json(id, &json).ok_or_else(unread)?;
                    shelves.mappings.insert(id.into(), Arc::new(mapping));
                }
                _ => others.push((row, json)),
            }
        }
        Ok((Book { shelves: RwLock::new(shelves), ledger, writing: Mutex::new(()) }, others))
    }

    /// Where other rows are kept.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Function>> {
        self.read(|shelves| shelves.functions.get(key).cloned())
    }

    /// The function a target names.
    pub(crate) fn function(&self, target: &Target) -> Result<Arc<Function>, Refusal> {
        self.find(&target.key).ok_or_else(|| Refusal::function_not_found(&target.to_string()))
    }

    /// The functions of a place, by name.
    pub(crate) fn functions(&self, place: &Place) -> Vec<Arc<Function>> {
        let here = |function: &&Arc<Function>| function.key.place == *place;
        self.read(|shelves| shelves.functions.values().filter(here).cloned().collect())
    }

    pub(crate) fn mapping(&self, place: &Place, id: &str) -> Result<Arc<Mapping>, Refusal> {
        let found = self.read(|shelves| shelves.mappings.get(id).cloned());
        found
            .filter(|mapping| mapping.function.key.place == *place)
            .ok_or_else(|| Refusal::missing("The resource you requested does not exist."))
    }

    /// Every mapping, by id.
    pub(crate) fn mappings(&self) -> Vec<Arc<Mapping>> {
        self.read(|shelves| shelves.mappings.values().cloned().collect())
    }

    /// Whether some version of some function has this code.
    pub(crate) fn has_code(&self, code: &Code) -> bool {
        self.read(|shelves| shelves.functions.values().any(|function| function.versions().any(|one| one.code == *code)))
    }

    /// Decides on what there is, keeps what comes of it, and only then shows it. `None` takes the function away.
    pub(crate) async fn change<T>(
        &self,
        key: &Key,
        decide: impl FnOnce(Option<&Function>) -> Result<(Option<Function>, T), Refusal>,
    ) -> Result<T, Refusal> {
        let _alone = self.writing.lock().await;
        let before = self.find(key);
        let (after, told) = decide(before.as_deref())?;
        let row = format!("function/{}/{}/{}", key.place.account, key.place.region, key.name);
        self.ledger.write(vec![Row { key: row, value: after.as_ref().map(Function::to_json) }]).await?;
        self.write(|shelves| match after {
            Some(function) => drop(shelves.functions.insert(key.clone(), Arc::new(function))),
            None => drop(shelves.functions.remove(key)),
        });
        Ok(told)
    }

    /// Changes a function that is there.
    pub(crate) async fn edit<T>(
        &self,
        target: &Target,
        edit: impl FnOnce(&mut Function) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.change(&target.key, |function| {
            let mut function = function.ok_or_else(|| Refusal::function_not_found(&target.to_string()))?.clone();
            let told = edit(&mut function)?;
            Ok((Some(function), told))
        })
        .await
    }

    /// Shows a function that is not kept: whoever starts the process names it anew.
    pub(crate) fn show(&self, function: Function) {
        self.write(|shelves| shelves.functions.insert(function.key.clone(), Arc::new(function)));
    }

    /// The same for a mapping. `others` are all there are.
    pub(crate) async fn change_mapping<T>(
        &self,
        id: &str,
        decide: impl FnOnce(Vec<Arc<Mapping>>) -> Result<(Option<Mapping>, T), Refusal>,
    ) -> Result<T, Refusal> {
        let _alone = self.writing.lock().await;
        let (after, told) = decide(self.mappings())?;
        let value = after.as_ref().map(Mapping::to_json);
        self.ledger.write(vec![Row { key: format!("mapping/{id}"), value }]).await?;
        self.write(|shelves| match after {
            Some(mapping) => drop(shelves.mappings.insert(id.into(), Arc::new(mapping))),
            None => drop(shelves.mappings.remove(id)),
        });
        Ok(told)
    }

    // Whoever breaks off in the middle leaves the maps whole: each does one thing with them.
    fn read<T>(&self, look: impl FnOnce(&Shelves) -> T) -> T {
        look(&self.shelves.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Shelves) -> T) -> T {
        change(&mut self.shelves.write().unwrap_or_else(PoisonError::into_inner))
    }
}
