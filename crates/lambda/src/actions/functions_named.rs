//! Functions that whoever starts the process names. They are there as long as it runs, and no call created them.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::Place;

use crate::actions::functions::new_function;
use crate::clock;
use crate::configuration;
use crate::core::Core;
use crate::function::{Code, Version};
use crate::input::{Input, members};
use crate::names::{LATEST, Target};
use crate::refusal::Refusal;

/// Functions that nobody gave limits get wide ones: they run at somebody's desk.
const TIMEOUT_SECONDS: i64 = 300;
const MEMORY_MEGABYTES: i64 = 1024;

pub(crate) fn show(
    core: &Arc<Core>,
    place: &Place,
    name: &str,
    runtime: &str,
    entry: &str,
    code: Code,
) -> Result<(), Refusal> {
    let Target { key, .. } = Target::read(place, name, None)?;
    let input = members([
        ("Runtime", Some(Json::from(runtime))),
        ("Handler", Some(Json::from(entry))),
        ("Role", Some(Json::from(format!("arn:aws:iam::{}:role/local", place.account)))),
        ("Timeout", Some(Json::from(TIMEOUT_SECONDS))),
        ("MemorySize", Some(Json::from(MEMORY_MEGABYTES))),
    ]);
    let version = Version {
        name: LATEST.into(),
        settings: configuration::created(&key, Input(&input))?,
        code,
        revision: clock::uuid().into(),
        modified: clock::modified_text(clock::wall()).into(),
    };
    core.book.show(new_function(key, version, ObjectBuilder::new().build()));
    Ok(())
}
