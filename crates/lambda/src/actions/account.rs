//! What an account may have, and has.

use stepwell_json::Json;

use crate::actions::Request;
use crate::archive::UNPACKED_BYTES_MAX;
use crate::core::Core;
use crate::function::Code;
use crate::input::members;
use crate::refusal::Refusal;

/// What all code of an account may come to, as on AWS. It is told, not enforced: the disk is the caller's own.
const CODE_BYTES_MAX: u64 = 80_530_636_800;

const ZIP_BYTES_MAX: u64 = 52_428_800;

pub(crate) fn settings(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let functions = core.book.functions(request.place);
    let bytes: u64 = functions
        .iter()
        .flat_map(|function| function.versions())
        .map(|version| if let Code::Zip { bytes, .. } = version.code { bytes } else { 0 })
        .sum();
    let concurrency = core.settings.concurrency_max;
    let unreserved = concurrency.saturating_sub(core.reserved(request.place, None));
    let number = |number: u64| Some(Json::from(number));
    Ok(members([
        (
            "AccountLimit",
            Some(members([
                ("TotalCodeSize", number(CODE_BYTES_MAX)),
                ("CodeSizeUnzipped", number(UNPACKED_BYTES_MAX)),
                ("CodeSizeZipped", number(ZIP_BYTES_MAX)),
                ("ConcurrentExecutions", number(concurrency)),
                ("UnreservedConcurrentExecutions", number(unreserved)),
            ])),
        ),
        (
            "AccountUsage",
            Some(members([("TotalCodeSize", number(bytes)), ("FunctionCount", number(functions.len() as u64))])),
        ),
    ]))
}
