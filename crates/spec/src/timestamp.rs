//! Points in time as AWS writes them: milliseconds since 1970, RFC 3339 text.

use std::fmt;

/// A point in time in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError;

const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// This moment and so many milliseconds.
    pub fn plus_ms(self, ms: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Seconds since 1970 with their fraction, as AWS's JSON protocol carries times.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads an RFC 3339 date-time: `2016-08-18T17:33:00.123Z`, with `Z` or an offset.
    ///
    /// A fraction finer than a millisecond is rounded up, so that nobody who waits for it leaves early.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        parse(text.as_bytes()).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    /// `2016-08-18T17:33:00.123Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, b'-').and_then(|()| digits(&mut rest, 2))?;
    let day = after(&mut rest, b'-').and_then(|()| digits(&mut rest, 2))?;
    after(&mut rest, b'T')?;
    let hour = digits(&mut rest, 2)?;
    let minute = after(&mut rest, b':').and_then(|()| digits(&mut rest, 2))?;
    let second = after(&mut rest, b':').and_then(|()| digits(&mut rest, 2))?;
    let fraction_ms = if after(&mut rest, b'.').is_some() { fraction_ms(&mut rest)? } else { 0 };
    let offset_minutes = offset_minutes(&mut rest)?;
    if !rest.is_empty() || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - offset_minutes * 60;
    Some(Timestamp(days_from_civil(year, month, day) * DAY_MS + seconds * 1000 + fraction_ms))
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    let value = head.iter().try_fold(0, |value, b| b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0')))?;
    *rest = tail;
    Some(value)
}

fn after(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

fn fraction_ms(rest: &mut &[u8]) -> Option<i64> {
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    if !(1..=9).contains(&count) {
        return None;
    }
    let nanos = (0..9).fold(0, |value, place| value * 10 + head.get(place).map_or(0, |b| i64::from(b - b'0')));
    Some((nanos + 999_999) / 1_000_000)
}

fn offset_minutes(rest: &mut &[u8]) -> Option<i64> {
    if after(rest, b'Z').is_some() {
        return Some(0);
    }
    let sign = if after(rest, b'+').is_some() { 1 } else { after(rest, b'-').map(|()| -1)? };
    let hours = digits(rest, 2)?;
    after(rest, b':')?;
    let minutes = digits(rest, 2)?;
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years are counted from March, so that the
/// leap day comes last; an era is 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_milliseconds() {
        for (text, ms, printed) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("2016-08-18T17:33:00Z", 1_471_541_580_000, "2016-08-18T17:33:00.000Z"),
            ("2016-08-18T17:33:00.1Z", 1_471_541_580_100, "2016-08-18T17:33:00.100Z"),
            ("2016-08-18T19:33:00.000000001+02:00", 1_471_541_580_001, "2016-08-18T17:33:00.001Z"),
            ("2024-02-29T23:59:59-01:30", 1_709_256_599_000, "2024-03-01T01:29:59.000Z"),
            ("1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        ] {
            let read = Timestamp::parse(text).expect(text);
            assert_eq!(read, Timestamp(ms), "{text}");
            assert_eq!(read.to_string(), printed);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2016-08-18",
            "2016-08-18T17:33:00",
            "2016-08-18 17:33:00Z",
            "2016-13-18T17:33:00Z",
            "2015-02-29T17:33:00Z",
            "2016-08-18T25:33:00Z",
            "2016-08-18T17:33:00.Z",
            "2016-08-18T17:33:00Z ",
            "05-12-2016T21:29:29Z",
            "2016-08-18T17:33:00+2:00",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_reads_back() {
        for day in -135_140..146_097 - 135_140 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day);
        }
    }
}
