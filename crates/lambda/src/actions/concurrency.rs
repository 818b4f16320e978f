//! Invocations at a time that are one function's alone, and all that it gets.

use std::sync::Arc;

use stepwell_json::Json;

use crate::actions::Request;
use crate::core::Core;
use crate::input::members;
use crate::refusal::Refusal;

/// What must be left for functions without a reservation.
const UNRESERVED_MIN: u64 = 100;

fn shown(reserved: Option<u64>) -> Json {
    members([("ReservedConcurrentExecutions", reserved.map(Json::from))])
}

pub(crate) async fn put(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let wanted = request.input.integer("ReservedConcurrentExecutions")?.and_then(|wanted| u64::try_from(wanted).ok());
    let wanted = wanted.ok_or_else(|| {
        Refusal::constraint("reservedConcurrentExecutions", "null", "must have value greater than or equal to 0")
    })?;
    core.book
        .edit(&target, |function| {
            let others = core.reserved(request.place, Some(&function.key));
            let left = core.settings.concurrency_max.saturating_sub(others.saturating_add(wanted));
            if wanted > 0 && left < UNRESERVED_MIN.min(core.settings.concurrency_max) {
                return Err(Refusal::invalid(format!(
                    "Specified ReservedConcurrentExecutions for function decreases account's \
                     UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
                )));
            }
            function.reserved = Some(wanted);
            Ok(shown(Some(wanted)))
        })
        .await
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    Ok(shown(core.book.function(&request.target()?)?.reserved))
}

pub(crate) async fn delete(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    core.book
        .edit(&target, |function| {
            function.reserved = None;
            Ok(Json::empty_object())
        })
        .await
}
