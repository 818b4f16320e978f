//! Secrets Manager: secrets, their versions and the stages those are in.
//!
//! Values are kept as they came: the data directory is as secret as they are. A secret that was deleted with a window can
//! be had back until its day comes; then it is gone at the next call.

mod actions;
mod deletion;
mod describe;
mod kept;
mod secret;
mod values;

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;
use stepwell_store::{Index, RowChange};

use crate::answers::{Refusal, answer};
use crate::input::Input;
use crate::rows::KeptError;
use crate::services::{Request, ServicesOuts};
use crate::shelf::Shelf;
use secret::Secret;

/// The local Secrets Manager.
pub(crate) struct Secrets {
    /// By account, region and name.
    secrets: Shelf<Secret>,
}

type Outcome = Result<Json, Refusal>;

impl Secrets {
    pub(crate) fn open(index: &dyn Index) -> Result<Secrets, KeptError> {
        Ok(Secrets { secrets: Shelf::open(index)? })
    }

    pub(crate) fn call(&mut self, request: &Request<'_>, outs: &mut ServicesOuts) {
        self.bury(request.now);
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("secretsmanager", &request.call.action)),
        };
        let outcome = outcome.map_err(|refusal| refusal.named(&["MissingRequiredParameterException"], INVALID));
        outs.replies.push((request.id, answer(outcome, request.chance)));
    }

    pub(crate) fn write_rows(&mut self, rows: &mut Vec<RowChange>) {
        self.secrets.write_rows(rows);
    }

    /// The key of the secret a call means: by name, by ARN, or by an ARN without the letters at its end.
    fn key_of(&self, request: &Request<'_>, input: Input<'_>) -> Result<Arc<str>, Refusal> {
        self.find(request, input.required("SecretId")?).ok_or_else(no_secret)
    }

    fn find(&self, request: &Request<'_>, id: &str) -> Option<Arc<str>> {
        let by_name = secret::key(request.place, id);
        if self.secrets.contains(&by_name) {
            return Some(by_name.into());
        }
        let is_meant =
            |arn: &str| arn == id || arn.strip_prefix(id).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-'));
        id.starts_with("arn:").then(|| self.secrets.iter().find(|(_, secret)| is_meant(&secret.arn)))??.0.clone().into()
    }

    fn get(&self, key: &str) -> Result<&Secret, Refusal> {
        self.secrets.get(key).ok_or_else(no_secret)
    }

    /// A secret that is not on its way out.
    fn living(&self, key: &str) -> Result<&Secret, Refusal> {
        let secret = self.get(key)?;
        if secret.deleted.is_some() {
            return Err(impossible(
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        Ok(secret)
    }

    fn living_mut(&mut self, key: &str) -> Result<&mut Secret, Refusal> {
        self.living(key)?;
        self.secrets.get_mut(key).ok_or_else(no_secret)
    }
}

const INVALID: &str = "InvalidParameterException";

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(INVALID, message)
}

fn impossible(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidRequestException", message)
}

fn no_secret() -> Refusal {
    Refusal::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn time(time: Timestamp) -> Json {
    Json::from_f64(time.seconds()).unwrap_or(Json::Null)
}
