//! Moments by a picture (XPath's `format-dateTime`), such as `[D1o] [MNn] [Y]`, and as ISO 8601.

use regex::RegexBuilder;

use super::integer::{Format, Style};
use crate::error::{Fault, Result};

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Longest picture, in bytes: parsing with one compiles a pattern.
const PICTURE_BYTES_MAX: usize = 4 * 1024;

/// A parsed picture.
pub(crate) struct Picture {
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    Marker(Marker),
}

struct Marker {
    component: char,
    /// `N`, `n` or `Nn`: by name, in this case.
    names: Option<Case>,
    /// `t`: zero offset is `Z`.
    traditional: bool,
    width: Option<(Option<usize>, Option<usize>)>,
    integer: Option<Format>,
    /// Years are cut to so many digits.
    year_digits: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Title,
}

/// A calendar date with a time of day.
#[derive(Clone, Copy)]
struct Civil {
    year: i64,
    /// 1 to 12.
    month: i64,
    day: i64,
    /// Milliseconds into the day.
    time: i64,
    /// Days since 1970.
    days: i64,
}

/// Days since 1970 of a date; month and day may be out of range and carry over.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years start in March, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl Civil {
    fn of(millis: i64) -> Civil {
        let days = millis.div_euclid(DAY_MS);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Civil { year, month, day, time: millis.rem_euclid(DAY_MS), days }
    }

    /// 1 is Monday.
    fn weekday(&self) -> i64 {
        (self.days + 3).rem_euclid(7) + 1
    }

    /// The integer of a component; `None` for those that have none.
    fn component(&self, component: char) -> Option<i64> {
        Some(match component {
            'Y' => self.year,
            'M' => self.month,
            'D' => self.day,
            'd' => self.days - days_of(self.year, 1, 1) + 1,
            'F' => self.weekday(),
            'W' => self.week(first_week(self.year, 1), first_week(self.year + 1, 1), first_week(self.year - 1, 1), 52),
            'w' => self.week(
                first_week(self.year, self.month),
                first_week(self.year, self.month + 1),
                first_week(self.year, self.month - 1),
                4,
            ),
            'X' if self.days < first_week(self.year, 1) => self.year - 1,
            'X' => self.year + i64::from(self.days >= first_week(self.year + 1, 1)),
            'x' if self.days < first_week(self.year, self.month) => (self.month - 2).rem_euclid(12) + 1,
            'x' if self.days >= first_week(self.year, self.month + 1) => self.month % 12 + 1,
            'x' => self.month,
            'H' => self.time / 3_600_000,
            'h' => (self.time / 3_600_000 + 11) % 12 + 1,
            'P' => i64::from(self.time >= DAY_MS / 2),
            'm' => self.time / 60_000 % 60,
            's' => self.time / 1000 % 60,
            'f' => self.time % 1000,
            _ => return None,
        })
    }

    /// Number of the week, given the first days of this, the next and the last period.
    fn week(&self, this: i64, next: i64, last: i64, full: i64) -> i64 {
        let week = (self.days - this).div_euclid(7) + 1;
        if week > full && self.days >= next {
            1
        } else if week < 1 {
            (self.days - last).div_euclid(7) + 1
        } else {
            week
        }
    }
}

/// The Monday of the week with the first Thursday of a month, as days since 1970.
fn first_week(year: i64, month: i64) -> i64 {
    let first = days_of(year, month, 1);
    let weekday = (first + 3).rem_euclid(7) + 1;
    if weekday > 4 { first + 8 - weekday } else { first + 1 - weekday }
}

/// A moment as `2018-02-01T09:42:13.123Z`, or with an offset in minutes.
pub(crate) fn format_iso(millis: i64, offset: i64) -> String {
    let civil = Civil::of(millis + offset * 60_000);
    let part = |component| civil.component(component).unwrap_or(0);
    let year = civil.year;
    let sign = if year < 0 { "-" } else { "" };
    let mut text = format!(
        "{sign}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}",
        year.abs(),
        civil.month,
        civil.day,
        part('H'),
        part('m'),
        part('s'),
        part('f')
    );
    if offset == 0 {
        text.push('Z');
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60));
    }
    text
}

/// Milliseconds since 1970 of an ISO 8601 timestamp: a year, then month, day, time, fraction and zone if there are.
/// Without a zone it is UTC. `None` if it is no timestamp; no number (NaN) if it is one of a moment there never is.
pub(crate) fn read_iso(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut take = |mark: &str, count: usize, first: &[u8]| -> Option<Option<i64>> {
        let Some(digits) = rest.strip_prefix(mark) else { return Some(None) };
        let digits = digits.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        if !first.contains(&digits.as_bytes()[0]) {
            return None;
        }
        rest = &rest[mark.len() + count..];
        digits.parse().ok().map(Some)
    };
    let year = take("", 4, b"0123456789")??;
    let month = if take_starts_date(text, 4) { take("-", 2, b"0123")? } else { None };
    let day = if month.is_some() && take_starts_date(text, 7) { take("-", 2, b"0123")? } else { None };
    let mut possible = true;
    let mut time = 0;
    if let Some(hour) = take("T", 2, b"012")? {
        let (minute, second) = (take(":", 2, b"012345")??, take(":", 2, b"012345")??);
        possible = hour < 24 || hour == 24 && minute == 0 && second == 0;
        time = ((hour * 60 + minute) * 60 + second) * 1000;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let millis: String = fraction[..digits].chars().chain("00".chars()).take(3).collect();
        time += millis.parse::<i64>().ok()?;
        rest = &fraction[digits..];
    }
    let offset = match rest.as_bytes() {
        [] | [b'Z'] => 0,
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: Vec<u8> = match digits {
                [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => vec![*h1, *h2, *m1, *m2],
                _ => return None,
            };
            let number: i64 = std::str::from_utf8(&digits).ok()?.parse().ok()?;
            let minutes = number / 100 * 60 + number % 100;
            if !digits.iter().all(u8::is_ascii_digit) || number % 100 >= 60 || number / 100 >= 30 {
                return None;
            }
            possible &= number / 100 < 24;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
    possible &= (1..=12).contains(&month) && (1..=31).contains(&day);
    Some(if possible { (days_of(year, month, day) * DAY_MS + time - offset * 60_000) as f64 } else { f64::NAN })
}

/// Whether `-dd` and not a zone such as `-0500` starts at a byte.
fn take_starts_date(text: &str, at: usize) -> bool {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.first() == Some(&b'-') && !matches!(rest.get(3), Some(b'0'..=b'9' | b':'))
}

impl Picture {
    pub(crate) fn parse(picture: &str) -> Result<Picture> {
        if picture.len() > PICTURE_BYTES_MAX {
            return Err(Fault::new("D1013"));
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = picture;
        while let Some(open) = rest.find('[') {
            push_literal(&mut parts, &rest[..open]);
            rest = &rest[open + 1..];
            if let Some(after) = rest.strip_prefix('[') {
                parts.push(Part::Literal("[".to_owned()));
                rest = after;
                continue;
            }
            let Some(close) = rest.find(']') else { return Err(Fault::new("D3135")) };
            let marker: String = rest[..close].split_whitespace().collect();
            let marker = Marker::parse(&marker)?;
            if marker.integer.is_some()
                && !matches!(marker.component, 'Z' | 'z')
                && let Some(Part::Marker(before)) = parts.last_mut()
                && let Some(Format { style: Style::Decimal(decimal), .. }) = &mut before.integer
            {
                // Digits follow digits: the first number has exactly the digits it must have.
                decimal.width = Some(decimal.mandatory);
            }
            parts.push(Part::Marker(marker));
            rest = &rest[close + 1..];
        }
        push_literal(&mut parts, rest);
        Ok(Picture { parts })
    }

    /// The look of a moment at an offset in minutes.
    pub(crate) fn format(&self, millis: i64, offset: i64) -> Result<String> {
        let civil = Civil::of(millis + offset * 60_000);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Marker(marker) => text.push_str(&marker.format(&civil, offset)?),
            }
        }
        Ok(text)
    }

    /// The moment a text says; `None` if it does not fit the picture. What is missing on the left is that of `now_ms`.
    pub(crate) fn read(&self, text: &str, now_ms: i64) -> Result<Option<i64>> {
        let mut pattern = String::from("^");
        let mut markers = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => pattern.push_str(&regex::escape(literal)),
                Part::Marker(marker) => {
                    pattern.push_str(&format!("({})", marker.pattern()?));
                    markers.push(marker);
                }
            }
        }
        pattern.push('$');
        let matcher = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 20)
            .build()
            .map_err(|_| Fault::new("D1013"))?;
        let Some(captures) = matcher.captures(text) else { return Ok(None) };
        let mut found = Components::default();
        for (place, marker) in markers.iter().enumerate() {
            let written = captures.get(place + 1).map_or("", |group| group.as_str());
            if let Some(value) = marker.read(written)? {
                found.set(marker.component, value);
            }
        }
        found.moment(&Civil::of(now_ms))
    }
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.replace("]]", "]")));
    }
}

impl Marker {
    /// What stands between the brackets, without blanks.
    fn parse(marker: &str) -> Result<Marker> {
        let mut characters = marker.chars();
        let component = characters.next();
        let unknown = || Fault::new("D3132").text(&component.map_or_else(String::new, String::from));
        let component = component.ok_or_else(unknown)?;
        let modifiers = characters.as_str();
        let (presentation, width) = match modifiers.rsplit_once(',') {
            Some((presentation, width)) => (presentation, Some(parse_width(width))),
            None => (modifiers, None),
        };
        let default = match component {
            'F' | 'P' | 'C' | 'E' => "n",
            'm' | 's' => "01",
            'Z' | 'z' => "01:01",
            'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
            _ => "",
        };
        let (first, second) = match presentation.chars().last() {
            None if default.is_empty() => return Err(unknown()),
            None => (default, None),
            Some(last @ ('a' | 't' | 'c' | 'o')) if presentation.len() > 1 => {
                (&presentation[..presentation.len() - 1], Some(last))
            }
            Some(_) => (presentation, None),
        };
        let names = match first.as_bytes() {
            [b'n', ..] => Some(Case::Lower),
            [b'N', b'n', ..] => Some(Case::Title),
            [b'N', ..] => Some(Case::Upper),
            _ => None,
        };
        let traditional = second == Some('t');
        let mut parsed = Marker { component, names, traditional, width, integer: None, year_digits: None };
        if names.is_none() && "YMDdFWwXxHhmsf".contains(component) {
            let picture = second.map_or_else(|| first.to_owned(), |second| format!("{first};{second}"));
            let mut format = Format::parse(&picture)?;
            let (least, most) = parsed.width.unwrap_or((None, None));
            let mut digits = 0;
            if let Style::Decimal(decimal) = &mut format.style {
                decimal.mandatory = decimal.mandatory.max(least.unwrap_or(0));
                if component == 'Y'
                    && let Some(most) = most
                {
                    decimal.mandatory = most;
                }
                digits = decimal.mandatory + decimal.optional;
            }
            if component == 'Y' {
                let digits = most.or((digits >= 2).then_some(digits));
                parsed.year_digits = digits.and_then(|digits| u32::try_from(digits).ok());
            }
            parsed.integer = Some(format);
        } else if matches!(component, 'Z' | 'z') {
            parsed.integer = Some(Format::parse(first)?);
        }
        Ok(parsed)
    }

    fn most(&self) -> Option<usize> {
        self.width.and_then(|(_, most)| most)
    }

    fn name_fault(&self) -> Box<Fault> {
        Fault::new("D3133").text(&self.component.to_string())
    }

    fn format(&self, civil: &Civil, offset: i64) -> Result<String> {
        match (self.component, self.names) {
            ('Z' | 'z', _) => self.format_zone(offset),
            ('P', case) => {
                let name = if civil.component('P') == Some(1) { "pm" } else { "am" };
                Ok(if case == Some(Case::Upper) { name.to_uppercase() } else { name.to_owned() })
            }
            ('C' | 'E', _) => Ok("ISO".to_owned()),
            (component, Some(case)) => {
                let value = civil.component(component).unwrap_or(1);
                let name = match component {
                    'M' | 'x' => MONTHS[(value - 1).rem_euclid(12) as usize],
                    'F' => DAYS[(value - 1).rem_euclid(7) as usize],
                    _ => return Err(self.name_fault()),
                };
                let name = match case {
                    Case::Upper => name.to_uppercase(),
                    Case::Lower => name.to_lowercase(),
                    Case::Title => name.to_owned(),
                };
                Ok(name.chars().take(self.most().unwrap_or(usize::MAX)).collect())
            }
            (component, None) => {
                // As in the reference, which knows no such component and says so.
                let Some(mut value) = civil.component(component) else { return Ok("undefined".to_owned()) };
                if let Some(modulus) = self.year_digits.and_then(|digits| 10i64.checked_pow(digits)) {
                    value %= modulus;
                }
                match &self.integer {
                    Some(format) => format.format(value as f64),
                    None => Ok(value.to_string()),
                }
            }
        }
    }

    fn format_zone(&self, offset: i64) -> Result<String> {
        if offset == 0 && self.traditional {
            return Ok("Z".to_owned());
        }
        let Some(format) = &self.integer else { return Ok(String::new()) };
        let Style::Decimal(decimal) = &format.style else { return Err(Fault::new("D3134")) };
        let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
        let digits = match decimal.mandatory {
            _ if decimal.interval > 0 => format.format((hours * 100 + minutes) as f64)?,
            1 | 2 if minutes == 0 => format.format(hours as f64)?,
            1 | 2 => format!("{}:{minutes:02}", format.format(hours as f64)?),
            3 | 4 => format.format((hours * 100 + minutes) as f64)?,
            more => return Err(Fault::new("D3134").value(Some(stepwell_json::Json::from(more as i64)))),
        };
        let sign = if offset < 0 { '-' } else { '+' };
        let prefix = if self.component == 'z' { "GMT" } else { "" };
        Ok(format!("{prefix}{sign}{digits}"))
    }

    /// The separator between hours and minutes of a zone.
    fn zone_separator(&self) -> Option<char> {
        match &self.integer {
            Some(Format { style: Style::Decimal(decimal), .. }) if decimal.interval > 0 => {
                decimal.separators.first().map(|separator| separator.character)
            }
            _ => None,
        }
    }

    /// A pattern that finds the component.
    fn pattern(&self) -> Result<String> {
        if matches!(self.component, 'Z' | 'z') {
            let prefix = if self.component == 'z' { "GMT" } else { "" };
            let minutes = self
                .zone_separator()
                .map_or_else(String::new, |separator| format!("{}[0-9]+", regex::escape(&separator.to_string())));
            return Ok(format!("{prefix}[-+][0-9]+{minutes}"));
        }
        match &self.integer {
            Some(format) => format.pattern(),
            None if matches!(self.component, 'M' | 'x' | 'F' | 'P') => Ok("[a-zA-Z]+".to_owned()),
            None => Err(self.name_fault()),
        }
    }

    /// The value of the component as it is written; minutes for a zone.
    fn read(&self, written: &str) -> Result<Option<i64>> {
        if matches!(self.component, 'Z' | 'z') {
            let digits = if self.component == 'z' { &written[3..] } else { written };
            return Ok(read_zone(digits, self.zone_separator()));
        }
        if self.component == 'f' && written.bytes().all(|byte| byte.is_ascii_digit()) {
            // Digits behind the decimal point of the seconds, however many there are.
            let fraction: f64 = format!("0.{}", &written[..written.len().min(3)]).parse().unwrap_or(0.0);
            return Ok(Some((fraction * 1000.0) as i64));
        }
        if let Some(format) = &self.integer {
            return Ok(Some(format.read(written)?).filter(|value| value.abs() < 1e12).map(|value| value as i64));
        }
        let named = |names: &[&str]| {
            let most = self.most().unwrap_or(usize::MAX);
            let same = |name: &&str| name.chars().take(most).eq(written.chars());
            names.iter().rposition(same).map(|place| place as i64 + 1)
        };
        Ok(match self.component {
            'M' | 'x' => named(&MONTHS),
            'F' => named(&DAYS),
            _ => match written {
                "am" | "AM" => Some(0),
                "pm" | "PM" => Some(1),
                _ => None,
            },
        })
    }
}

/// `least-most`, either of which may be `*`.
fn parse_width(width: &str) -> (Option<usize>, Option<usize>) {
    // A width is at most that of a line: more would only be padding.
    let number = |text: &str| text.parse::<usize>().ok().map(|number| number.min(1000));
    match width.split_once('-') {
        Some((least, most)) => (number(least), number(most)),
        None => (number(width), None),
    }
}

/// An offset in minutes: with a separator, or by the number of digits.
fn read_zone(written: &str, separator: Option<char>) -> Option<i64> {
    let (hours, minutes) = match separator {
        Some(separator) => written.split_once(separator)?,
        None if written.len() <= 3 => (written, "0"),
        None => written.split_at(3),
    };
    let negative = hours.starts_with('-');
    let hours: i64 = hours.trim_start_matches(['+', '-']).parse().ok().filter(|hours| *hours < 100_000)?;
    let minutes: i64 = minutes.parse().ok().filter(|minutes| *minutes < 100_000)?;
    let total = hours * 60 + minutes;
    Some(if negative { -total } else { total })
}

/// What has been read, by component.
#[derive(Default)]
struct Components(Vec<(char, i64)>);

impl Components {
    fn get(&self, component: char) -> Option<i64> {
        self.0.iter().find(|(name, _)| *name == component).map(|(_, value)| *value)
    }

    fn set(&mut self, component: char, value: i64) {
        match self.0.iter_mut().find(|(name, _)| *name == component) {
            Some(entry) => entry.1 = value,
            None => self.0.push((component, value)),
        }
    }

    /// Whether some of `wanted` are there and none of the others among `all`.
    fn only(&self, all: &str, wanted: &str) -> bool {
        let given = |component: &char| self.get(*component).is_some();
        all.chars().filter(given).all(|component| wanted.contains(component)) && wanted.chars().any(|c| given(&c))
    }

    /// The moment: what is left of the largest component given comes from the present, what is right of the smallest
    /// is the first possible, and there must be no gap between.
    fn moment(mut self, now: &Civil) -> Result<Option<i64>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let date = "YXMxWwdD";
        let by_day_of_year = !self.only(date, "YMD") && self.only(date, "Yd");
        // Dates by week are known to the specification, but to no implementation.
        if self.only(date, "XxwF") && !self.only(date, "YMD") || self.only(date, "XWF") {
            return Err(Fault::new("D3136"));
        }
        let time = "PHhmsf";
        let half_days = !self.only(time, "Hmsf") && self.only(time, "Phmsf");
        // As in the reference: the day of the year stands for a day of the month, which itself is not given.
        let dates = if by_day_of_year { "YD" } else { "YMD" };
        let times = if half_days { "Phmsf" } else { "Hmsf" };
        let (mut started, mut ended) = (false, false);
        for component in dates.chars().chain(times.chars()) {
            match self.get(component) {
                Some(_) if ended => return Err(Fault::new("D3136")),
                Some(_) => started = true,
                None if started => {
                    self.set(component, i64::from("MDd".contains(component)));
                    ended = true;
                }
                None => self.set(component, now.component(component).unwrap_or(0)),
            }
        }
        let part = |component| self.get(component).unwrap_or(0);
        // As JavaScript has it, years of two digits are those of the last century.
        let year = part('Y') + if (0..100).contains(&part('Y')) { 1900 } else { 0 };
        let days = if by_day_of_year {
            days_of(year, 1, 1) + part('d') - 1
        } else {
            days_of(year, part('M').max(1), part('D'))
        };
        let hours = match half_days {
            true => (if part('h') == 12 { 0 } else { part('h') }) + 12 * i64::from(part('P') == 1),
            false => part('H'),
        };
        let time = ((hours * 60 + part('m')) * 60 + part('s')) * 1000 + part('f');
        let offset = self.get('Z').or_else(|| self.get('z')).unwrap_or(0);
        Ok(Some(days * DAY_MS + time - offset * 60_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_and_back() {
        for days in (-800_000..800_000).step_by(97) {
            let civil = Civil::of(days * DAY_MS);
            assert_eq!(days_of(civil.year, civil.month, civil.day), days);
            assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
        }
    }

    const NEVER: i64 = i64::MIN;

    #[test]
    fn iso_timestamps() {
        let check = |text: &str, millis: Option<i64>| {
            let found = read_iso(text).map(|found| if found.is_nan() { NEVER } else { found as i64 });
            assert_eq!(found, millis, "{text}");
        };
        check("1970-01-01T00:00:00.001Z", Some(1));
        check("1970", Some(0));
        check("1970-02", Some(31 * DAY_MS));
        check("1970-01-02T00:00:00+01:30", Some(DAY_MS - 90 * 60_000));
        check("1970-01-02T00:00:00-0100", Some(DAY_MS + 3_600_000));
        check("1970-01-01T00:00:00.5", Some(500));
        check("1970-13-01", Some(NEVER));
        check("1970-01-01T25:00:00", Some(NEVER));
        check("1970-41-01", None);
        check("1970-01-01T00:61:00", None);
        check("70-01-01", None);
        check("yesterday", None);
        check("", None);
        assert_eq!(format_iso(-1, 0), "1969-12-31T23:59:59.999Z");
        assert_eq!(format_iso(0, -330), "1969-12-31T18:30:00.000-05:30");
    }
}
