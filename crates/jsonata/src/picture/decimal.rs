//! Numbers by a picture (XPath's `format-number`), such as `#,##0.00` or `00.000e0`.

use super::regular_interval;
use crate::error::{Fault, Result};
use crate::number;

/// The signs a picture is written with.
pub(crate) struct Signs {
    decimal: String,
    grouping: String,
    exponent: String,
    minus: String,
    percent: String,
    per_mille: String,
    zero: char,
    digit: String,
    pattern: String,
}

impl Default for Signs {
    fn default() -> Signs {
        Signs {
            decimal: ".".to_owned(),
            grouping: ",".to_owned(),
            exponent: "e".to_owned(),
            minus: "-".to_owned(),
            percent: "%".to_owned(),
            per_mille: "\u{2030}".to_owned(),
            zero: '0',
            digit: "#".to_owned(),
            pattern: ";".to_owned(),
        }
    }
}

impl Signs {
    /// Replaces one sign, by its name in XPath; other names are passed over.
    pub(crate) fn set(&mut self, name: &str, sign: &str) {
        let place = match name {
            "decimal-separator" => &mut self.decimal,
            "grouping-separator" => &mut self.grouping,
            "exponent-separator" => &mut self.exponent,
            "minus-sign" => &mut self.minus,
            "percent" => &mut self.percent,
            "per-mille" => &mut self.per_mille,
            "digit" => &mut self.digit,
            "pattern-separator" => &mut self.pattern,
            "zero-digit" => {
                self.zero = sign.chars().next().unwrap_or('0');
                return;
            }
            _ => return,
        };
        *place = sign.to_owned();
    }

    fn is_mandatory(&self, character: char) -> bool {
        (self.zero as u32..self.zero as u32 + 10).contains(&(character as u32))
    }

    fn is_digit(&self, character: char) -> bool {
        self.is_mandatory(character) || is(character, &self.digit)
    }

    fn is_active(&self, character: char) -> bool {
        self.is_digit(character)
            || [&self.decimal, &self.exponent, &self.grouping, &self.pattern].iter().any(|sign| is(character, sign))
    }

    /// ASCII digits in the picture's family.
    fn digits(&self, text: &str) -> String {
        let shift = |value| char::from_u32(self.zero as u32 + value).unwrap_or(self.zero);
        text.chars().map(|character| character.to_digit(10).map_or(character, shift)).collect()
    }
}

fn is(character: char, sign: &str) -> bool {
    let mut characters = sign.chars();
    characters.next() == Some(character) && characters.next().is_none()
}

/// A sub-picture, taken apart.
struct Parts<'p> {
    whole: &'p str,
    prefix: &'p str,
    suffix: &'p str,
    active: &'p str,
    mantissa: &'p str,
    exponent: Option<&'p str>,
    integer: &'p str,
    fraction: &'p str,
}

/// What the parts of a sub-picture ask for.
struct Layout {
    integer_min: usize,
    fraction_min: usize,
    fraction_max: usize,
    exponent_min: usize,
    scaling: usize,
    integer_groups: Vec<usize>,
    interval: usize,
    fraction_groups: Vec<usize>,
}

pub(crate) fn format(value: f64, picture: &str, signs: &Signs) -> Result<String> {
    let pictures: Vec<&str> =
        if signs.pattern.is_empty() { vec![picture] } else { picture.split(signs.pattern.as_str()).collect() };
    if pictures.len() > 2 {
        return Err(Fault::new("D3080"));
    }
    let mut parts = Vec::with_capacity(2);
    for picture in &pictures {
        let part = take_apart(picture, signs);
        validate(&part, signs)?;
        parts.push(part);
    }
    let negative = value < 0.0 || value.is_nan();
    let part = if negative { parts.last() } else { parts.first() };
    let Some(part) = part else { return Err(Fault::new("D3085")) };
    // A negative number without a picture of its own gets a minus sign.
    let sign = if negative && parts.len() == 1 { signs.minus.as_str() } else { "" };
    let layout = lay_out(part, signs);
    let scale = if contains(part.whole, &signs.percent) {
        100.0
    } else if contains(part.whole, &signs.per_mille) {
        1000.0
    } else {
        1.0
    };
    let (mantissa, exponent) = scaled(value * scale, &layout);
    let text = mantissa_text(mantissa, &layout, part, signs);
    let exponent = match exponent {
        Some(exponent) => {
            let digits = signs.digits(&exponent.abs().to_string());
            let missing = layout.exponent_min.saturating_sub(digits.chars().count());
            let zeros: String = std::iter::repeat_n(signs.zero, missing).collect();
            let minus = if exponent < 0 { signs.minus.as_str() } else { "" };
            format!("{}{minus}{zeros}{digits}", signs.exponent)
        }
        None => String::new(),
    };
    Ok(format!("{sign}{}{text}{exponent}{}", part.prefix, part.suffix))
}

fn contains(text: &str, sign: &str) -> bool {
    !sign.is_empty() && text.contains(sign)
}

fn take_apart<'p>(whole: &'p str, signs: &Signs) -> Parts<'p> {
    let edge = |character: char| signs.is_active(character) && !is(character, &signs.exponent);
    let width = |place: usize| whole[place..].chars().next().map_or(0, char::len_utf8);
    // A picture without a digit is taken whole, so that the rules below refuse it.
    let start = whole.find(edge).unwrap_or(0);
    let end = whole.rfind(edge).map_or(whole.len(), |end| end + width(end));
    let active = &whole[start..end];
    // As in the reference: the exponent is looked for behind the prefix, but also in what follows the last digit, and its
    // place is counted from the start of the whole picture.
    let sign = (!signs.exponent.is_empty()).then(|| whole[start..].find(&signs.exponent)).flatten();
    let sign = sign.map(|place| start + place).filter(|place| *place <= end);
    let (mantissa, exponent) = match sign {
        Some(place) => (until(active, place), Some(from(active, place + signs.exponent.len()))),
        None => (active, None),
    };
    let (integer, fraction) = match mantissa.split_once(signs.decimal.as_str()) {
        Some(parts) if !signs.decimal.is_empty() => parts,
        _ => (mantissa, &whole[end..]),
    };
    Parts { whole, prefix: &whole[..start], suffix: &whole[end..], active, mantissa, exponent, integer, fraction }
}

/// The text up to a byte, all of it if there is none.
fn until(text: &str, byte: usize) -> &str {
    &text[..text.floor_char_boundary(byte)]
}

/// The text from a byte on.
fn from(text: &str, byte: usize) -> &str {
    &text[text.floor_char_boundary(byte)..]
}

/// The last rule broken decides, as in the reference.
fn validate(parts: &Parts<'_>, signs: &Signs) -> Result<()> {
    let whole = parts.whole;
    let count = |sign: &str| if sign.is_empty() { 0 } else { whole.matches(sign).count() };
    let percent = count(&signs.percent) > 0 || count(&signs.per_mille) > 0;
    let mandatory_in = |text: &str| text.chars().any(|character| signs.is_mandatory(character));
    let decimal = (!signs.decimal.is_empty()).then(|| whole.find(signs.decimal.as_str())).flatten();
    let beside_decimal = decimal.is_some_and(|place| {
        contains(&signs.grouping, &signs.grouping)
            && (whole[..place].ends_with(signs.grouping.as_str())
                || whole[place + signs.decimal.len()..].starts_with(signs.grouping.as_str()))
    });
    let first_optional = parts.integer.find(signs.digit.as_str());
    let last_optional = parts.fraction.rfind(signs.digit.as_str());
    let doubled = format!("{0}{0}", signs.grouping);
    let broken = [
        (count(&signs.decimal) > 1, "D3081"),
        (count(&signs.percent) > 1, "D3082"),
        (count(&signs.per_mille) > 1, "D3083"),
        (count(&signs.percent) > 0 && count(&signs.per_mille) > 0, "D3084"),
        (!parts.mantissa.chars().any(|character| signs.is_digit(character)), "D3085"),
        (parts.active.chars().any(|character| !signs.is_active(character)), "D3086"),
        (beside_decimal, "D3087"),
        (decimal.is_none() && !signs.grouping.is_empty() && parts.integer.ends_with(&signs.grouping), "D3088"),
        (contains(whole, &doubled), "D3089"),
        (first_optional.is_some_and(|place| mandatory_in(&parts.integer[..place])), "D3090"),
        (last_optional.is_some_and(|place| mandatory_in(&parts.fraction[place..])), "D3091"),
        (parts.exponent.is_some_and(|exponent| !exponent.is_empty()) && percent, "D3092"),
        (parts.exponent.is_some_and(|e| e.is_empty() || !e.chars().all(|c| signs.is_mandatory(c))), "D3093"),
    ];
    match broken.iter().rfind(|(broken, _)| *broken) {
        Some((_, code)) => Err(Fault::new(code)),
        None => Ok(()),
    }
}

fn lay_out(parts: &Parts<'_>, signs: &Signs) -> Layout {
    let mandatory = |text: &str| text.chars().filter(|character| signs.is_mandatory(*character)).count();
    let digits = |text: &str| text.chars().filter(|character| signs.is_digit(*character)).count();
    // As in the reference: all separators but the first are looked for in the integer part, in the fraction too.
    let places = |text: &str| -> Vec<usize> {
        let grouping = signs.grouping.as_str();
        let mut found = Vec::new();
        let mut next = if grouping.is_empty() { None } else { text.find(grouping) };
        while let Some(place) = next {
            found.push(place);
            let rest = from(parts.integer, place + 1);
            next = rest.find(grouping).map(|more| parts.integer.len() - rest.len() + more);
        }
        found
    };
    let integer_groups: Vec<usize> =
        places(parts.integer).into_iter().map(|place| digits(from(parts.integer, place))).collect();
    let fraction_groups =
        places(parts.fraction).into_iter().map(|place| digits(until(parts.fraction, place))).collect();
    let scaling = mandatory(parts.integer);
    let mut integer_min = scaling;
    let mut fraction_min = mandatory(parts.fraction);
    let mut fraction_max = digits(parts.fraction);
    if integer_min == 0 && fraction_max == 0 {
        if parts.exponent.is_some() {
            (fraction_min, fraction_max) = (1, 1);
        } else {
            integer_min = 1;
        }
    }
    if parts.exponent.is_some() && integer_min == 0 && contains(parts.integer, &signs.digit) {
        integer_min = 1;
    }
    if integer_min == 0 && fraction_min == 0 {
        fraction_min = 1;
    }
    Layout {
        integer_min,
        fraction_min,
        fraction_max,
        exponent_min: parts.exponent.map_or(0, mandatory),
        scaling,
        interval: regular_interval(&integer_groups),
        integer_groups,
        fraction_groups,
    }
}

/// The mantissa and, if the picture has one, the exponent that give the number.
fn scaled(value: f64, layout: &Layout) -> (f64, Option<i32>) {
    if layout.exponent_min == 0 {
        return (value, None);
    }
    let largest = 10f64.powi(layout.scaling.min(300) as i32);
    let smallest = largest / 10.0;
    let (mut mantissa, mut exponent) = (value.abs(), 0);
    while mantissa != 0.0 && mantissa < smallest {
        mantissa *= 10.0;
        exponent -= 1;
    }
    while mantissa > largest {
        mantissa /= 10.0;
        exponent += 1;
    }
    (mantissa.copysign(value), Some(exponent))
}

/// The digits of the mantissa with padding, separators and decimal point: the steps of the reference, one after the
/// other, because what they do to unusual pictures shows.
fn mantissa_text(mantissa: f64, layout: &Layout, parts: &Parts<'_>, signs: &Signs) -> String {
    // A float has no more than some 1,100 decimals; more are zeros that padding adds.
    let places = layout.fraction_max.min(1_100);
    let rounded = number::round(mantissa, places as i32).abs();
    // From here on JavaScript writes an exponent.
    let written = if rounded >= 1e21 { number::to_text(rounded) } else { format!("{rounded:.places$}") };
    let (integer, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let mut text: Vec<char> = signs.digits(integer.trim_start_matches('0')).chars().collect();
    let mut point = text.len();
    text.extend(signs.decimal.chars());
    text.extend(signs.digits(fraction.trim_end_matches('0')).chars());
    let decimals = text.len() - point - signs.decimal.chars().count();
    let missing = layout.integer_min.saturating_sub(point);
    text.splice(..0, std::iter::repeat_n(signs.zero, missing));
    point += missing;
    text.extend(std::iter::repeat_n(signs.zero, layout.fraction_min.saturating_sub(decimals)));
    let grouping: Vec<char> = signs.grouping.chars().collect();
    match layout.interval {
        0 => {
            for group in &layout.integer_groups {
                let place = match point.checked_sub(*group) {
                    Some(place) => place,
                    // A place before the start counts from the end.
                    None => (text.len() + point).saturating_sub(*group),
                };
                text.splice(place..place, grouping.iter().copied());
                point += 1;
            }
            point = point - layout.integer_groups.len() + layout.integer_groups.len() * grouping.len();
        }
        interval => {
            for group in 1..=point.saturating_sub(1) / interval {
                let place = point - group * interval;
                text.splice(place..place, grouping.iter().copied());
            }
            point += point.saturating_sub(1) / interval * grouping.len();
        }
    }
    for group in &layout.fraction_groups {
        let place = (point + 1 + group).min(text.len());
        text.splice(place..place, grouping.iter().copied());
    }
    if !contains(parts.whole, &signs.decimal) || point + 1 == text.len() {
        text.pop();
    }
    text.into_iter().collect()
}
