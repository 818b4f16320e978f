//! Numbers: arithmetic, aggregation, casting and pictures.

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, finite};
use crate::number;
use crate::picture::{decimal, integer};
use crate::value::Value;

/// A function of one number.
fn map(args: &Args, map: fn(f64) -> f64) -> Result<Value> {
    Ok(args.number(0).map_or(Value::Undefined, |number| Value::Number(map(number))))
}

pub(super) fn abs(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    map(&args, f64::abs)
}

pub(super) fn floor(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    map(&args, f64::floor)
}

pub(super) fn ceil(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    map(&args, f64::ceil)
}

pub(super) fn round(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let places = args.number(1).unwrap_or(0.0);
    if (places.fract() != 0.0 || places.abs() >= 1e21) && !args.get(0).is_undefined() {
        // As in the reference, what is rounded to a fraction of a decimal place, or to one that is written with an
        // exponent, is no number.
        return Ok(Value::Number(f64::NAN));
    }
    let places = places.clamp(-400.0, 400.0) as i32;
    Ok(args.number(0).map_or(Value::Undefined, |value| Value::Number(number::round(value, places))))
}

pub(super) fn sqrt(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    match args.number(0) {
        Some(number) if number < 0.0 => Err(Fault::new("D3060").argument(1).value(args.get(0).to_shown_json())),
        _ => map(&args, f64::sqrt),
    }
}

pub(super) fn power(_: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(base) = args.number(0) else { return Ok(Value::Undefined) };
    let exponent = args.number(1).unwrap_or(f64::NAN);
    // In JavaScript one to the power of what is no number is no number either; all else is as the standard says.
    let result = if exponent.is_finite() { base.powf(exponent) } else { f64::NAN };
    if !result.is_finite() {
        let fault = Fault::new("D3061").argument(1).value(args.get(0).to_shown_json());
        return Err(fault.other(args.get(1).to_shown_json()));
    }
    Ok(Value::Number(result))
}

/// The numbers of the first argument; `None` if it is undefined.
fn numbers(evaluator: &mut Evaluator<'_>, args: &Args) -> Result<Option<Vec<f64>>> {
    let Some(array) = args.get(0).as_array() else { return Ok(None) };
    evaluator.charge(array.len())?;
    array.iter().map(|item| finite(item.as_number().unwrap_or(f64::NAN))).collect::<Result<_>>().map(Some)
}

pub(super) fn sum(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let total = numbers(evaluator, &args)?.map(|numbers| numbers.iter().fold(0.0, |total, number| total + number));
    Ok(total.map_or(Value::Undefined, Value::Number))
}

pub(super) fn average(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    match numbers(evaluator, &args)? {
        Some(numbers) if !numbers.is_empty() => {
            let total = numbers.iter().fold(0.0, |total, number| total + number);
            Ok(Value::Number(total / numbers.len() as f64))
        }
        _ => Ok(Value::Undefined),
    }
}

pub(super) fn max(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    extreme(evaluator, &args, f64::max)
}

pub(super) fn min(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    extreme(evaluator, &args, f64::min)
}

fn extreme(evaluator: &mut Evaluator<'_>, args: &Args, better: fn(f64, f64) -> f64) -> Result<Value> {
    let best = numbers(evaluator, args)?.and_then(|numbers| numbers.into_iter().reduce(better));
    Ok(best.map_or(Value::Undefined, Value::Number))
}

pub(super) fn number(_: &mut Evaluator<'_>, mut args: Args) -> Result<Value> {
    use stepwell_json::Json;
    let value = args.take(0);
    let number = match &value {
        Value::Undefined => return Ok(value),
        Value::Json(Json::Bool(value)) => Some(f64::from(u8::from(*value))),
        Value::Json(Json::String(text)) => parse(text),
        other => other.as_number(),
    };
    match number {
        // A number stays as it is written.
        Some(_) if value.as_number().is_some() => Ok(value),
        Some(number) if number.is_finite() => Ok(Value::Number(number)),
        _ => Err(Fault::new("D3030").argument(1).value(value.to_shown_json())),
    }
}

/// `-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?`, or hexadecimal, octal or binary with its prefix.
fn parse(text: &str) -> Option<f64> {
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
            let value = digits.chars().filter_map(|digit| digit.to_digit(radix));
            return valid.then(|| value.fold(0.0, |total, digit| total * f64::from(radix) + f64::from(digit)));
        }
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(place) => (&digits[..place], Some(&digits[place + 1..])),
        None => (digits, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(mantissa),
    };
    let exponent_fits =
        exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    if mantissa_fits && exponent_fits { text.parse().ok() } else { None }
}

/// Up to here a float holds every integer: 2 to the power of 53.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

pub(super) fn format_base(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(value) = args.number(0) else { return Ok(Value::Undefined) };
    let value = finite(number::round(value, 0))?;
    let radix = number::round(args.number(1).unwrap_or(10.0), 0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(Fault::new("D3100").value(Some(number::to_json(radix))));
    }
    if radix == 10.0 || value.is_nan() {
        return evaluator.text(number::to_text(value));
    }
    let mut digits = Vec::new();
    let mut rest = value.abs();
    // The steps of JavaScript: digits that a float does not hold are zeros.
    while rest / radix >= EXACT_INTEGERS {
        digits.push('0');
        rest /= radix;
    }
    while rest > 0.0 || digits.is_empty() {
        let digit = rest % radix;
        digits.push(char::from_digit(digit as u32, radix as u32).unwrap_or('0'));
        rest = (rest - digit) / radix;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let digits: String = digits.iter().rev().collect();
    evaluator.text(format!("{sign}{digits}"))
}

pub(super) fn format_number(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(value) = args.number(0) else { return Ok(Value::Undefined) };
    let picture = args.text(1).unwrap_or_else(|| "".into());
    evaluator.charge(picture.len())?;
    let mut signs = decimal::Signs::default();
    for (name, sign) in args.get(2).members().unwrap_or_default() {
        if let Some(sign) = sign.as_text() {
            signs.set(&name, sign);
        }
    }
    evaluator.text(decimal::format(finite(value)?, &picture, &signs)?)
}

pub(super) fn format_integer(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(value) = args.number(0) else { return Ok(Value::Undefined) };
    let picture = args.text(1).unwrap_or_else(|| "".into());
    evaluator.charge(picture.len())?;
    let format = integer::Format::parse(&picture)?;
    evaluator.text(format.format(finite(value)?.floor())?)
}

pub(super) fn parse_integer(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let picture = args.text(1).unwrap_or_else(|| "".into());
    evaluator.charge(picture.len() + text.len())?;
    let format = integer::Format::parse(&picture)?;
    format.read(&text).map(Value::Number)
}
