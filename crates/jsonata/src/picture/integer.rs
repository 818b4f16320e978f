//! Integers by a picture (XPath's `format-integer`): digits with separators, letters, Roman numerals, words.

use super::{regular_interval, words};
use crate::error::{Fault, Result};
use crate::number;

/// A parsed picture.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    pub(super) style: Style,
    case: Case,
    ordinal: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Style {
    Decimal(Decimal),
    Letters,
    Roman,
    Words,
    /// Any other picture, such as `①`: known to the specification, but to no implementation.
    Sequence(String),
}

#[derive(Clone, Debug)]
pub(super) struct Decimal {
    zero: char,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) separators: Vec<Separator>,
    /// The same separator at this interval all the way; 0 if there is none.
    pub(super) interval: usize,
    /// Exactly so many digits are read: the next part of a timestamp starts without a mark between.
    pub(super) width: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Separator {
    /// Digits to the right of it.
    position: usize,
    pub(super) character: char,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Title,
}

/// The zeros of the decimal digit families in the Basic Multilingual Plane.
const ZEROS: [u32; 37] = [
    0x30, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

const ROMAN: [(u32, &str); 13] = [
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
];

/// Larger numbers would be thousands of letters `m`.
const ROMAN_MAX: f64 = 1e7;

/// The zero of the family a digit belongs to.
fn zero_of(character: char) -> Option<char> {
    let code = character as u32;
    ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)).and_then(|zero| char::from_u32(*zero))
}

impl Format {
    pub(crate) fn parse(picture: &str) -> Result<Format> {
        let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let ordinal = modifier.starts_with('o');
        let (style, case) = match primary {
            "A" => (Style::Letters, Case::Upper),
            "a" => (Style::Letters, Case::Lower),
            "I" => (Style::Roman, Case::Upper),
            "i" => (Style::Roman, Case::Lower),
            "W" => (Style::Words, Case::Upper),
            "Ww" => (Style::Words, Case::Title),
            "w" => (Style::Words, Case::Lower),
            _ => (decimal(primary)?, Case::Lower),
        };
        Ok(Format { style, case, ordinal })
    }

    pub(crate) fn format(&self, value: f64) -> Result<String> {
        let size = value.abs();
        let text = match &self.style {
            Style::Letters => letters(size, if self.case == Case::Upper { 'A' } else { 'a' }),
            Style::Roman if size >= ROMAN_MAX => return Err(Fault::new("D1013")),
            Style::Roman => cased(&roman(size as u32), self.case),
            Style::Words if size.is_nan() => return Err(Fault::new("D1001").text("NaN")),
            Style::Words => cased(&words::spell(size, self.ordinal), self.case),
            Style::Decimal(decimal) => decimal.format(size, self.ordinal),
            Style::Sequence(first) => return Err(Fault::new("D3130").text(first)),
        };
        Ok(if value < 0.0 { format!("-{text}") } else { text })
    }

    /// The number a text says; no number (NaN) if it says none.
    pub(crate) fn read(&self, text: &str) -> Result<f64> {
        Ok(match &self.style {
            Style::Letters => {
                let base = if self.case == Case::Upper { 'A' } else { 'a' };
                let digit = |letter: char| f64::from(letter as u32) - f64::from(base as u32) + 1.0;
                text.chars().fold(0.0, |total, letter| total * 26.0 + digit(letter))
            }
            Style::Roman if self.case == Case::Upper => read_roman(text),
            Style::Roman => read_roman(&text.to_uppercase()),
            Style::Words => words::read(&text.to_lowercase()),
            Style::Decimal(decimal) => decimal.read(text, self.ordinal),
            Style::Sequence(first) => return Err(Fault::new("D3130").text(first)),
        })
    }

    /// A pattern that finds such numbers.
    pub(super) fn pattern(&self) -> Result<String> {
        Ok(match &self.style {
            Style::Letters if self.case == Case::Upper => "[A-Z]+".to_owned(),
            Style::Letters => "[a-z]+".to_owned(),
            Style::Roman if self.case == Case::Upper => "[MDCLXVI]+".to_owned(),
            Style::Roman => "[mdclxvi]+".to_owned(),
            Style::Words => format!("(?:{}|and|[-, ])+", words::all().join("|")),
            Style::Decimal(decimal) => {
                let digits = decimal.width.map_or_else(|| "+".to_owned(), |width| format!("{{{width}}}"));
                format!("[0-9]{digits}{}", if self.ordinal { "(?:th|st|nd|rd)" } else { "" })
            }
            Style::Sequence(first) => return Err(Fault::new("D3130").text(first)),
        })
    }
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Title => text.to_owned(),
    }
}

fn decimal(picture: &str) -> Result<Style> {
    let mut zero = None;
    let (mut mandatory, mut optional, mut position) = (0, 0, 0);
    let mut separators: Vec<Separator> = Vec::new();
    for character in picture.chars().rev() {
        if let Some(found) = zero_of(character) {
            if zero.is_some_and(|zero| zero != found) {
                return Err(Fault::new("D3131"));
            }
            zero = Some(found);
            mandatory += 1;
            position += 1;
        } else if character == '#' {
            optional += 1;
            position += 1;
        } else {
            separators.push(Separator { position, character });
        }
    }
    let Some(zero) = zero else { return Ok(Style::Sequence(picture.to_owned())) };
    let same = separators.windows(2).all(|pair| pair[0].character == pair[1].character);
    let positions: Vec<usize> = separators.iter().map(|separator| separator.position).collect();
    let interval = if same { regular_interval(&positions) } else { 0 };
    Ok(Style::Decimal(Decimal { zero, mandatory, optional, separators, interval, width: None }))
}

impl Decimal {
    fn format(&self, value: f64, ordinal: bool) -> String {
        let plain = number::to_text(value);
        // As in the reference, the letters of `1e+21` too.
        let offset = self.zero as u32 - '0' as u32;
        let shift = |character: char| char::from_u32(character as u32 + offset).unwrap_or(character);
        let missing = self.mandatory.saturating_sub(plain.chars().count());
        let mut text: Vec<char> = std::iter::repeat_n('0', missing).chain(plain.chars()).map(shift).collect();
        if let Some(groups) = (text.len() - 1).checked_div(self.interval) {
            for group in (1..=groups).rev() {
                text.insert(text.len() - group * self.interval, self.separators[0].character);
            }
        } else {
            // As in the reference: a separator further left than the first digit cuts off what is left of itself.
            for separator in self.separators.iter().rev() {
                match text.len().checked_sub(separator.position) {
                    Some(place) => text.insert(place, separator.character),
                    None => {
                        let beyond = separator.position - text.len();
                        text.drain(..text.len().saturating_sub(beyond));
                        text.insert(0, separator.character);
                    }
                }
            }
        }
        let mut text = String::from_iter(text);
        if ordinal {
            let mut last = text.chars().rev();
            let ones = last.next();
            let suffix = match ones {
                _ if last.next() == Some('1') => "th",
                Some('1') => "st",
                Some('2') => "nd",
                Some('3') => "rd",
                _ => "th",
            };
            text.push_str(suffix);
        }
        text
    }

    /// As JavaScript's `parseInt`: blanks, a sign, and digits up to what is none.
    fn read(&self, text: &str, ordinal: bool) -> f64 {
        let mut kept = text.chars();
        if ordinal {
            // The two letters of the ending.
            kept.nth_back(1);
        }
        let is_separator = |character: char| match self.interval {
            0 => self.separators.iter().any(|separator| separator.character == character),
            // As in the reference: whichever separator the picture repeats.
            _ => character == ',',
        };
        let digits: String = kept
            .as_str()
            .chars()
            .filter(|character| !is_separator(*character))
            .map(|digit| {
                let value = (digit as u32).wrapping_sub(self.zero as u32);
                char::from_digit(value, 10).unwrap_or(digit)
            })
            .collect();
        let digits = digits.trim_start();
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(rest) => (-1.0, rest),
            None => (1.0, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let end = digits.bytes().take_while(u8::is_ascii_digit).count();
        digits[..end].parse::<f64>().map_or(f64::NAN, |value| sign * value)
    }
}

/// `1` is `a`, `26` is `z`, `27` is `aa`.
fn letters(mut value: f64, first: char) -> String {
    let mut letters = Vec::new();
    while value >= 1.0 {
        let digit = ((value - 1.0) % 26.0) as u8;
        letters.push(char::from(first as u8 + digit));
        value = ((value - 1.0) / 26.0).floor();
    }
    letters.iter().rev().collect()
}

fn roman(mut value: u32) -> String {
    let mut text = String::new();
    for (number, letters) in ROMAN {
        while value >= number {
            text.push_str(letters);
            value -= number;
        }
    }
    text
}

/// A smaller letter before a larger one counts against it; what is no letter of these is no number.
fn read_roman(text: &str) -> f64 {
    let (mut total, mut largest) = (0.0, 1.0);
    for letter in text.chars().rev() {
        let value = match letter {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return f64::NAN,
        };
        if value < largest {
            total -= value;
        } else {
            largest = value;
            total += value;
        }
    }
    total
}
