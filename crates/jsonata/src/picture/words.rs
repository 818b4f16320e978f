//! Integers in English words, in both directions.

const SMALL: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const SMALL_ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const TENS: [&str; 8] = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const MAGNITUDES: [(&str, f64); 4] = [("Thousand", 1e3), ("Million", 1e6), ("Billion", 1e9), ("Trillion", 1e12)];

/// A number in words, such as `One Hundred and Twenty-Third`.
pub(super) fn spell(number: f64, ordinal: bool) -> String {
    let mut text = String::new();
    append(&mut text, number, false, ordinal);
    text
}

/// Adds a number; `follows` says that a larger part stands before it.
fn append(text: &mut String, number: f64, follows: bool, ordinal: bool) {
    if number < 100.0 {
        if follows {
            text.push_str(" and ");
        }
        let number = number as usize;
        let (tens, ones) = (number / 10, number % 10);
        if number < 20 {
            text.push_str(if ordinal { SMALL_ORDINALS[number] } else { SMALL[number] });
            return;
        }
        let name = TENS[tens - 2];
        match (ones, ordinal) {
            (0, false) => text.push_str(name),
            (0, true) => text.push_str(&format!("{}ieth", &name[..name.len() - 1])),
            _ => {
                text.push_str(name);
                text.push('-');
                append(text, ones as f64, false, ordinal);
            }
        }
        return;
    }
    if follows {
        text.push_str(", ");
    }
    let (name, unit) = match MAGNITUDES.iter().rev().find(|(_, unit)| number >= *unit) {
        Some((name, unit)) => (*name, *unit),
        None => ("Hundred", 100.0),
    };
    let count = (number / unit).floor();
    append(text, count, false, false);
    text.push(' ');
    text.push_str(name);
    let rest = number - count * unit;
    if rest > 0.0 {
        append(text, rest, true, ordinal);
    } else if ordinal {
        text.push_str("th");
    }
}

/// The value of one word, in lower case.
fn value(word: &str) -> Option<f64> {
    let same = |name: &str| name.eq_ignore_ascii_case(word);
    for small in [SMALL, SMALL_ORDINALS] {
        if let Some(place) = small.iter().position(|name| same(name)) {
            return Some(place as f64);
        }
    }
    let stem = word.strip_suffix("ieth").unwrap_or("");
    let ordinal = |name: &str| name[..name.len() - 1].eq_ignore_ascii_case(stem);
    if let Some(place) = TENS.iter().position(|name| same(name) || ordinal(name)) {
        return Some((place + 2) as f64 * 10.0);
    }
    let stem = word.strip_suffix("th").unwrap_or(word);
    if stem == "hundred" {
        return Some(100.0);
    }
    MAGNITUDES.iter().find(|(name, _)| name.eq_ignore_ascii_case(stem)).map(|(_, unit)| *unit)
}

/// The number some words say, in lower case; no number (NaN) if one of them is no number word.
pub(super) fn read(text: &str) -> f64 {
    // Parts already closed by a magnitude, and the one being built.
    let mut parts: Vec<f64> = vec![0.0];
    for word in split(text) {
        let value = value(word).unwrap_or(f64::NAN);
        let last = parts.pop().unwrap_or(0.0);
        if value >= 100.0 || value.is_nan() {
            parts.push(last * value);
        } else if last >= 1000.0 {
            parts.extend([last, value]);
        } else {
            parts.push(last + value);
        }
    }
    parts.iter().sum()
}

/// Words stand apart by a comma and a blank, by ` and `, by a blank, a hyphen or a backslash. Two of these with nothing
/// between have an empty word between.
fn split(text: &str) -> Vec<&str> {
    let blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    let mut words = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let behind = &text[at + character.len_utf8()..];
        let blank_at = |text: &str| text.chars().next().filter(|character| blank(*character)).map(char::len_utf8);
        let mark = match character {
            ',' => blank_at(behind).map(|width| 1 + width),
            '-' | '\\' => Some(1),
            character if blank(character) => {
                let and = behind.strip_prefix("and").and_then(blank_at).map(|width| 3 + width);
                Some(character.len_utf8() + and.unwrap_or(0))
            }
            _ => None,
        };
        match mark {
            Some(width) => {
                words.push(&text[start..at]);
                at += width;
                start = at;
            }
            None => at += character.len_utf8(),
        }
    }
    words.push(&text[start..]);
    words
}

/// All words, for a pattern that finds numbers.
pub(super) fn all() -> Vec<String> {
    let mut words: Vec<String> = SMALL.iter().chain(&SMALL_ORDINALS).map(|word| word.to_lowercase()).collect();
    for name in TENS {
        words.push(name.to_lowercase());
        words.push(format!("{}ieth", name[..name.len() - 1].to_lowercase()));
    }
    for name in ["hundred"].into_iter().chain(MAGNITUDES.iter().map(|(name, _)| *name)) {
        words.push(name.to_lowercase());
        words.push(format!("{}th", name.to_lowercase()));
    }
    // Longer words first, so that `four` does not cut `fourteen` short.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}
