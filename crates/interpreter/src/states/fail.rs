//! Fail: ends its workflow with an error.
//!
//! ```text
//! enter --> FailStateEntered; what the state is part of fails
//! ```

use stepwell_asl::{Fail, Setting};
use stepwell_json::Json;
use stepwell_spec::Text;

use crate::data_flow;
use crate::decide::Burst;
use crate::execution::ThreadId;
use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, fail: &Fail) {
    let failure = failure(&burst.around(thread), fail).unwrap_or_else(|fault| fault);
    burst.fail(thread, failure);
}

fn failure(around: &Surroundings<'_>, fail: &Fail) -> Result<Failure, Failure> {
    let error = text(around, fail.error.as_ref(), "Error")?;
    let cause = text(around, fail.cause.as_ref(), "Cause")?;
    Ok(Failure { error, cause, ..Failure::default() })
}

/// `Error` or `Cause`. A path must lead to a string.
fn text(around: &Surroundings<'_>, setting: Option<&Setting<Text>>, field: &str) -> Result<Option<Text>, Failure> {
    let input = &around.active().input;
    let value = match setting {
        None => return Ok(None),
        Some(Setting::Literal(text)) => return Ok(Some(text.clone())),
        Some(Setting::Query(query)) => {
            return query::text_setting(query, &Location::Field(field), &States::new(around, input)).map(Some);
        }
        Some(Setting::Path(path)) => data_flow::evaluate_expression(around, path, &format!("{field}Path"), input)
            .map(|value| (value, path.text()))?,
    };
    match value {
        (Json::String(text), _) => Ok(Some(text)),
        (other, path) => Err(around.runtime_failure(&format!(
            "The {field}Path parameter does not reference a string value: {path} == {other}"
        ))),
    }
}
