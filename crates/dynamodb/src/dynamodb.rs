//! The door: a call for a place comes in, its answer goes out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, AwsOutput, Place, service};
use stepwell_spec::Timestamp;

use crate::actions;
use crate::database::{Asked, Database};
use crate::errors::{Refusal, request_id};
use crate::files::{self, OpenError};
use crate::names::Names;

/// The local DynamoDB. Calls wait for the disk and for each other, so they belong on threads that may wait.
///
/// Each account and region has a database of its own: tables cannot be seen from elsewhere, names and ARNs need no prefix,
/// and calls of one place do not wait for those of another.
pub struct DynamoDb {
    /// `None` in memory.
    directory: Option<PathBuf>,
    places: Mutex<BTreeMap<Place, Arc<Database>>>,
    /// Answers for places where no table was ever made, so that asking there leaves no file.
    nowhere: Arc<Database>,
}

impl DynamoDb {
    /// Opens every database in the directory, which is made if it is not there; or in memory, for as long as this lives.
    pub fn open(directory: Option<&Path>) -> Result<DynamoDb, OpenError> {
        let mut places = BTreeMap::new();
        if let Some(directory) = directory {
            files::make_directory(directory)?;
            for place in files::places(directory)? {
                let database = Database::open(files::path_of(directory, &place))?;
                places.insert(place, Arc::new(database));
            }
        }
        let nowhere = Arc::new(Database::open(None)?);
        Ok(DynamoDb { directory: directory.map(Path::to_owned), places: Mutex::new(places), nowhere })
    }

    /// Answers a call. What it acknowledges is on the disk.
    pub fn call(&self, place: &Place, call: &AwsCall, at: Moment) -> AwsAnswer {
        let chance = Chance::new(at);
        match self.answered(place, call, at) {
            Ok(output) => {
                Ok(AwsOutput { output, status: 200, request_id: request_id(&chance).into(), headers: Vec::new() })
            }
            Err(refusal) => Err(refusal.into_error(&chance)),
        }
    }

    /// When a tick has something to do: the moment an item expires, or a minute after the last deletion of such items.
    pub fn next_due(&self) -> Option<Timestamp> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let due = places.values().filter_map(|database| database.next_due()).min()?;
        Some(Timestamp(due.saturating_mul(1000)))
    }

    /// Time has passed: expired items are deleted. Every call does the same for its place.
    pub fn tick(&self, at: Moment) -> Result<(), OpenError> {
        let places: Vec<_> = {
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.iter().map(|(place, database)| (place.clone(), database.clone())).collect()
        };
        for (place, database) in places {
            database.tick(at.now).map_err(|refusal| {
                let path = self.directory.as_deref().and_then(|directory| files::path_of(directory, &place));
                OpenError::Database(path.unwrap_or_default(), refusal.to_string())
            })?;
        }
        Ok(())
    }

    fn answered(&self, place: &Place, call: &AwsCall, at: Moment) -> Result<Json, Refusal> {
        let known = || {
            let service = service(&call.service)?;
            Some((service, service.operation(&call.action)?, actions::find(&call.service, &call.action)?))
        };
        let (service, operation, action) =
            known().ok_or_else(|| Refusal::unknown_action(&call.service, &call.action))?;
        let names = Names::new(service, place);
        let input = match &operation.input {
            Some(part) => names.theirs(part, &call.input).map_err(|_| Refusal::elsewhere())?,
            None => Json::empty_object(),
        };
        let asked = Asked { service, operation, action, names: &names, input: &input, now: at.now };
        let output = self.database(place, action.name == "CreateTable")?.call(&asked)?;
        Ok(operation.output.as_ref().map_or_else(Json::empty_object, |part| names.ours(part, &output)))
    }

    fn database(&self, place: &Place, begins: bool) -> Result<Arc<Database>, Refusal> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = places.get(place) {
            return Ok(database.clone());
        }
        if !begins {
            return Ok(self.nowhere.clone());
        }
        let path = match &self.directory {
            None => None,
            Some(directory) => Some(files::path_of(directory, place).ok_or_else(|| {
                Refusal::validation(format!("There is no place {} in {}.", place.account, place.region))
            })?),
        };
        let database = Database::open(path).map_err(|error| Refusal::internal(error.to_string()))?;
        let database = Arc::new(database);
        places.insert(place.clone(), database.clone());
        Ok(database)
    }
}
