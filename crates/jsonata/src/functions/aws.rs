//! What Step Functions adds to the language: `$partition $range $hash $random $uuid $parse`.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use stepwell_json::Json;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, finite};
use crate::value::Value;

/// Arrays of at most `size` items each, in order.
pub(super) fn partition(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(array) = args.get(0).as_array() else { return Ok(Value::Undefined) };
    let size = match args.number(1) {
        Some(size) if size >= 1.0 && size.is_finite() => size.floor() as usize,
        _ => return Err(Fault::new("D3150").argument(2).value(args.get(1).to_shown_json())),
    };
    let mut parts = Vec::with_capacity(array.len().div_ceil(size));
    for start in (0..array.len()).step_by(size) {
        let end = array.len().min(start.saturating_add(size));
        parts.push(evaluator.list((start..end).map(|place| array.get(place)).collect())?);
    }
    evaluator.list(parts)
}

/// Numbers from `first` by `step` up to `last`, which is included when it is landed on.
///
/// Seen on AWS: the result is a sequence, so a range of one number is that number.
pub(super) fn range(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let (Some(first), Some(last), Some(step)) = (args.number(0), args.number(1), args.number(2)) else {
        return Ok(Value::Undefined);
    };
    let (first, last, step) = (finite(first)?, finite(last)?, finite(step)?);
    if step == 0.0 {
        return Err(Fault::new("D3151").argument(3));
    }
    // A tolerance of far less than a step lets `$range(0, 1, 0.1)` reach its end.
    let count = ((last - first) / step + 1e-9).floor() + 1.0;
    if count.is_nan() || count <= 0.0 {
        return Ok(Value::Undefined);
    }
    evaluator.allocate_items(count.min(1e15) as usize)?;
    Ok(Value::sequence((0..count as u64).map(|place| Value::Number(first + place as f64 * step)).collect()))
}

/// The hash of a text's UTF-8 in hexadecimal.
pub(super) fn hash(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let (Some(text), Some(algorithm)) = (args.text(0), args.text(1)) else { return Ok(Value::Undefined) };
    evaluator.charge(text.len() / 16)?;
    let bytes = match &*algorithm {
        "MD5" => Md5::digest(&*text).to_vec(),
        "SHA-1" => Sha1::digest(&*text).to_vec(),
        "SHA-256" => Sha256::digest(&*text).to_vec(),
        "SHA-384" => Sha384::digest(&*text).to_vec(),
        "SHA-512" => Sha512::digest(&*text).to_vec(),
        _ => return Err(Fault::new("D3152").argument(2).text(&algorithm)),
    };
    evaluator.text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A number from 0 up to, but not including, 1; the same one for the same seed.
pub(super) fn random(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let bits = match args.number(0) {
        Some(seed) => mix(seed.to_bits()),
        None => (evaluator.environment.draw)(),
    };
    // The 53 bits a float holds.
    Ok(Value::Number((bits >> 11) as f64 / (1u64 << 53) as f64))
}

/// Spreads the bits of a seed (SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// A UUID of version 4.
pub(super) fn uuid(evaluator: &mut Evaluator<'_>, _: Args) -> Result<Value> {
    let (high, low) = ((evaluator.environment.draw)(), (evaluator.environment.draw)());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    let (fourth, fifth) = (low >> 48, low & 0xffff_ffff_ffff);
    evaluator.text(format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}"))
}

/// The value of a JSON text.
pub(super) fn parse(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    // A value of a few bytes of text takes some forty in memory.
    evaluator.charge(text.len() / 16)?;
    evaluator.allocate(text.len().saturating_mul(8))?;
    match Json::parse(&text) {
        // Seen on AWS: "-0" is 0, as a float that is printed would be.
        Ok(json) if json.as_f64() == Some(0.0) => Ok(Value::Number(0.0)),
        Ok(json) => evaluator.checked(Value::Json(json)),
        Err(error) => {
            Err(Fault::new("D3153").argument(1).message(format!("$parse takes JSON text: {error}")).text(&text))
        }
    }
}
