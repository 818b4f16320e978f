//! Keys in the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.

use stepwell_protocol::Keys;

use super::{Found, KeyChain, Lasts, Looked, Search};

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

pub(super) fn find(search: &Search<'_>) -> Result<Looked, String> {
    if let Some(keys) = keys(search.chain) {
        return Ok(Looked::Found(Found { keys, lasts: Lasts::WhileThere }));
    }
    match [ID, SECRET].map(|name| search.variable(name).is_some()) {
        [true, false] => Err(format!("{ID} is set and {SECRET} is not; set both or neither")),
        [false, true] => Err(format!("{SECRET} is set and {ID} is not; set both or neither")),
        [true, true] | [false, false] => Ok(Looked::Nothing(format!("{ID} is not set"))),
    }
}

/// The keys, when all is there that makes them.
pub(super) fn keys(chain: &KeyChain) -> Option<Keys> {
    Some(Keys {
        access_key_id: chain.variable(ID)?,
        secret_access_key: chain.variable(SECRET)?,
        session_token: chain.variable("AWS_SESSION_TOKEN"),
    })
}
