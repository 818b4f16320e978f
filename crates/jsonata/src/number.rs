//! Numbers as JavaScript has them: text, rounding to significant digits, half-even rounding.

use stepwell_json::{Json, Number};

/// As JavaScript's `String(number)`.
pub(crate) fn to_text(number: f64) -> String {
    match Number::from_f64(number) {
        Some(number) => number.to_string(),
        None if number.is_nan() => "NaN".to_owned(),
        None if number > 0.0 => "Infinity".to_owned(),
        None => "-Infinity".to_owned(),
    }
}

/// An integer as it is, any other number as the nearest of 15 significant digits, ties away from zero: what `$string`
/// shows, so that `0.1 + 0.2` reads `0.3`.
pub(crate) fn to_precision_15(number: f64) -> f64 {
    if !number.is_finite() || number.fract() == 0.0 {
        return number;
    }
    // Forty digits say every float exactly enough to see a tie at the sixteenth.
    let written = format!("{:.39e}", number.abs());
    let Some((digits, exponent)) = written.split_once('e') else { return number };
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mut kept: u64 = digits[..15].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    if digits[15] >= b'5' {
        kept += 1;
    }
    let rounded: f64 = format!("{kept}e{}", exponent - 14).parse().unwrap_or(number);
    rounded.copysign(number)
}

/// As JavaScript's `Math.round`: to the nearest integer, halves towards positive infinity.
fn round_half_up(number: f64) -> f64 {
    let floor = number.floor();
    if number - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// `number` with its decimal point moved right by `places`, without the error a multiplication would bring.
fn shift(number: f64, places: i32) -> f64 {
    let text = to_text(number);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}", exponent.saturating_add(places)).parse().unwrap_or(number)
}

/// Rounds to `places` decimals (negative: to tens, hundreds ...), halves to the even neighbour.
pub(crate) fn round(number: f64, places: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    let shifted = if places == 0 { number } else { shift(number, places) };
    let mut rounded = round_half_up(shifted);
    if (rounded - shifted).abs() == 0.5 && (rounded % 2.0).abs() == 1.0 {
        rounded -= 1.0;
    }
    if places != 0 && rounded.is_finite() {
        rounded = shift(rounded, -places);
    }
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// The number as JSON; `null` where JSON has none, as JavaScript writes it.
pub(crate) fn to_json(number: f64) -> Json {
    Json::from_f64(number).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits() {
        for (number, expected) in [
            (0.1 + 0.2, 0.3),
            (1.0 / 3.0, 0.333333333333333),
            (100_000_000_000_000.5, 100_000_000_000_001.0),
            (-0.000_000_123_456_789_012_345_6, -0.000_000_123_456_789_012_346),
            (5_890_840_712_243_076.0, 5_890_840_712_243_076.0),
            (1e300, 1e300),
            (99_999.999_999_999_99, 100_000.0),
        ] {
            assert_eq!(to_precision_15(number), expected, "{number}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (number, places, expected) in [
            (0.5, 0, 0.0),
            (1.5, 0, 2.0),
            (2.5, 0, 2.0),
            (-0.5, 0, 0.0),
            (-1.5, 0, -2.0),
            (4.525, 2, 4.52),
            (4.515, 2, 4.52),
            (125.0, -1, 120.0),
            (0.499_999_999_999_999_94, 0, 0.0),
        ] {
            assert_eq!(round(number, places), expected, "{number} {places}");
        }
    }
}
