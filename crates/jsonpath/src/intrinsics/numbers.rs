//! The functions on numbers.

use stepwell_json::Json;

use super::{Arguments, chance};
use crate::expression::{Failure, Sight};

/// Both numbers are rounded before they are added, and integers of 32 bits, as the sum is.
pub(super) fn add(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let (first, second) = (integer_32(arguments, 0)?, integer_32(arguments, 1)?);
    match first.checked_add(second) {
        Some(sum) => Ok(Json::from(sum)),
        None => Err(Failure::intrinsic(format!("The sum of {first} and {second} is out of range"))),
    }
}

pub(super) fn random(arguments: &Arguments<'_>, sight: &Sight<'_>) -> Result<Json, Failure> {
    let (start, end) = (integer_32(arguments, 0)?, integer_32(arguments, 1)?);
    let span = u64::try_from(i64::from(end) - i64::from(start)).unwrap_or(0);
    if span == 0 {
        return Err(Failure::intrinsic(format!("The end of a range must be above its start: {start}, {end}")));
    }
    let bits = match arguments.0.len() {
        3 => chance::spread(arguments.integer(2)?.cast_unsigned()),
        _ => sight.scope.draw(),
    };
    let offset = chance::below(bits, span).cast_signed();
    Ok(Json::from(i64::from(start) + offset))
}

fn integer_32(arguments: &Arguments<'_>, index: usize) -> Result<i32, Failure> {
    let integer = arguments.integer(index)?;
    i32::try_from(integer)
        .map_err(|_| Failure::intrinsic(format!("Argument {} must be an integer of 32 bits, not {integer}", index + 1)))
}
