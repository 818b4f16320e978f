//! Numbers: integers and floats where those say everything, the written text where they do not.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A JSON number that prints as it was written.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Integer(i64),
    /// Finite; its shortest text is the text it was written in.
    Float(f64),
    /// What neither prints back: `1.0`, `1e3`, `18446744073709551616`.
    Text(Arc<str>, f64),
}

/// A text that is not a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberError;

/// Integers up to this size are exact in a float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// A number from text that follows JSON's grammar.
    ///
    /// Fails on any other text. A number beyond a float's range keeps its text and reads as infinite.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        if !is_json_number(text.as_bytes()) {
            return Err(NumberError);
        }
        Ok(Number::from_valid_text(text))
    }

    /// As [`Number::parse`], for text whose grammar the caller has checked.
    pub(crate) fn from_valid_text(text: &str) -> Number {
        if let Ok(value) = text.parse::<i64>()
            && text != "-0"
        {
            return Number(Repr::Integer(value));
        }
        let value: f64 = text.parse().unwrap_or(f64::NAN);
        if value.is_finite() && text.bytes().any(|b| b == b'.') && ShortFloat::of(value).as_str() == text {
            return Number(Repr::Float(value));
        }
        Number(Repr::Text(text.into(), value))
    }

    /// As JavaScript would print it: integral values below 2^53 in size are integers. `None` for infinities and NaN.
    pub fn from_f64(value: f64) -> Option<Number> {
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() <= EXACT_MAX {
            return Some(Number(Repr::Integer(value as i64)));
        }
        Some(Number(Repr::Float(value)))
    }

    /// The value as a float; the nearest one where the text is longer, infinite where it is beyond the range.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Integer(value) => *value as f64,
            Repr::Float(value) | Repr::Text(_, value) => *value,
        }
    }

    /// The value as an integer, when it was written without fraction or exponent and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Integer(value) => Some(*value),
            Repr::Text(text, _) if &**text == "-0" => Some(0),
            Repr::Float(_) | Repr::Text(..) => None,
        }
    }

    /// The value as an integer when it is integral and fits, however it was written (`1.0`, `1e3`).
    pub fn as_integral(&self) -> Option<i64> {
        if let Some(value) = self.as_i64() {
            return Some(value);
        }
        let value = self.as_f64();
        (value.fract() == 0.0 && value.abs() <= EXACT_MAX).then_some(value as i64)
    }

    /// Whether the text has neither fraction nor exponent.
    pub fn is_integer_text(&self) -> bool {
        match &self.0 {
            Repr::Integer(_) => true,
            Repr::Float(_) => false,
            Repr::Text(text, _) => !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')),
        }
    }

    pub(crate) fn text_bytes(&self) -> usize {
        match &self.0 {
            Repr::Integer(value) => {
                let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
                digits + usize::from(*value < 0)
            }
            Repr::Float(value) => ShortFloat::of(*value).as_str().len(),
            Repr::Text(text, _) => text.len(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(value) => write!(f, "{value}"),
            Repr::Float(value) => f.write_str(ShortFloat::of(*value).as_str()),
            Repr::Text(text, _) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number(Repr::Integer(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        match i64::try_from(value) {
            Ok(value) => Number(Repr::Integer(value)),
            Err(_) => Number::from_valid_text(&value.to_string()),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Repr::Integer(a), Repr::Integer(b)) => Some(a.cmp(b)),
            (Repr::Text(a, _), Repr::Text(b, _)) if a == b => Some(Ordering::Equal),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

/// The shortest text that reads back as the same float, laid out as JavaScript's `Number.prototype.toString` does:
/// plain between 1e-6 and 1e21, with an exponent outside. Held on the stack.
struct ShortFloat {
    bytes: [u8; 32],
    len: usize,
}

impl ShortFloat {
    fn of(value: f64) -> ShortFloat {
        use std::io::Write as _;
        let mut short = ShortFloat { bytes: [0; 32], len: 0 };
        let size = value.abs();
        let plain = size == 0.0 || (1e-6..1e21).contains(&size);
        let mut rest = &mut short.bytes[..];
        // Both layouts of any finite float fit in 32 bytes: 17 digits, sign, point, and at most 5 of exponent or zeros.
        let written = if plain { write!(rest, "{value}") } else { write!(rest, "{value:e}") };
        assert!(written.is_ok(), "a finite float is at most 32 bytes long");
        short.len = 32 - rest.len();
        if !plain {
            short.sign_exponent();
        }
        short
    }

    /// `1e21` to `1e+21`: Rust leaves the plus out.
    fn sign_exponent(&mut self) {
        let Some(e) = self.bytes[..self.len].iter().position(|&b| b == b'e') else { return };
        if self.bytes[e + 1] != b'-' {
            self.bytes.copy_within(e + 1..self.len, e + 2);
            self.bytes[e + 1] = b'+';
            self.len += 1;
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("float text is ASCII")
    }
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn is_json_number(text: &[u8]) -> bool {
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let digits = |rest: &mut &[u8]| {
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        *rest = &rest[count..];
        count
    };
    let leading_zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    if whole == 0 || leading_zero && whole > 1 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        rest = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives() {
        for text in [
            "0",
            "-0",
            "1",
            "1.0",
            "1.50",
            "-2.5",
            "1e3",
            "1E-7",
            "9007199254740993",
            "18446744073709551616",
            "0.1",
            "1e400",
            "123.456e10",
        ] {
            let number = Number::parse(text).expect(text);
            assert_eq!(number.to_string(), text);
            assert_eq!(number.text_bytes(), text.len(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1 ", "NaN", "--1", "1e+", "00"] {
            assert_eq!(Number::parse(text).err(), Some(NumberError), "{text}");
        }
    }

    #[test]
    fn floats_print_as_javascript_prints_them() {
        for (value, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (1e-6, "0.000001"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (-1.234_567_890_123_456_7e-300, "-1.2345678901234568e-300"),
        ] {
            let number = Number::from_f64(value).expect("finite");
            assert_eq!(number.to_string(), text);
            assert_eq!(number.text_bytes(), text.len());
        }
        assert!(Number::from_f64(f64::NAN).is_none());
        assert!(Number::from_f64(f64::INFINITY).is_none());
    }

    #[test]
    fn integers_read_back() {
        let read = |text: &str| Number::parse(text).expect(text);
        assert_eq!(read("1.0").as_i64(), None);
        assert_eq!(read("1.0").as_integral(), Some(1));
        assert_eq!(read("-0").as_i64(), Some(0));
        assert_eq!(read("1e3").as_integral(), Some(1000));
        assert_eq!(read("1.5").as_integral(), None);
        assert_eq!(read("1"), read("1.0"));
        assert!(read("9223372036854775807") > read("9223372036854775806"));
    }
}
