//! Moments as the wire spells them. In a tree a moment is a number: seconds since 1970.

use stepwell_json::Number;

const DAY_SECONDS: i64 = 86_400;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The last second of the year 9999, and the first of the year 0.
const LATEST: i64 = 253_402_300_799;
const EARLIEST: i64 = -62_167_219_200;

/// A moment taken apart.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    /// Seconds of the day.
    second: i64,
    weekday: usize,
    micros: i64,
}

/// None outside of the years 0 to 9999.
fn civil(seconds: &Number) -> Option<Civil> {
    let whole_micros = match seconds.as_i64() {
        Some(seconds) => i128::from(seconds) * 1_000_000,
        None => (seconds.as_f64() * 1e6).round() as i128,
    };
    let seconds = i64::try_from(whole_micros.div_euclid(1_000_000)).ok()?;
    if !(EARLIEST..=LATEST).contains(&seconds) {
        return None;
    }
    let days = seconds.div_euclid(DAY_SECONDS);
    // Days from 0000-03-01, in eras of 400 years, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    Some(Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * march_month + 2) / 5 + 1,
        second: seconds.rem_euclid(DAY_SECONDS),
        weekday: days.rem_euclid(7) as usize,
        micros: i64::try_from(whole_micros.rem_euclid(1_000_000)).ok()?,
    })
}

fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// `2015-08-30T12:36:00Z`, with milli- or microseconds when there are some.
pub(crate) fn iso8601(seconds: &Number) -> Option<String> {
    let at = civil(seconds)?;
    let fraction = match at.micros {
        0 => String::new(),
        micros if micros % 1_000 == 0 => format!(".{:03}", micros / 1_000),
        micros => format!(".{micros:06}"),
    };
    let (hour, minute, second) = (at.second / 3_600, at.second / 60 % 60, at.second % 60);
    Some(format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", at.year, at.month, at.day))
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(crate) fn rfc822(seconds: &Number) -> Option<String> {
    let at = civil(seconds)?;
    let (hour, minute, second) = (at.second / 3_600, at.second / 60 % 60, at.second % 60);
    let (weekday, month) = (DAYS[at.weekday], MONTHS[(at.month - 1) as usize]);
    Some(format!("{weekday}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT", at.day, at.year))
}

/// A moment in any of the spellings: seconds since 1970, ISO 8601, or as in HTTP's headers.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    if let Ok(number) = Number::parse(text) {
        return number.as_f64().is_finite().then_some(number);
    }
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) { parse_rfc822(text) } else { parse_iso8601(text) }
}

fn number_at(text: &str, from: usize, digits: usize) -> Option<i64> {
    let part = text.get(from..from + digits)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
}

/// Seconds of the day of `12:36:00`.
fn clock(text: &str) -> Option<i64> {
    let (hour, minute, second) = (number_at(text, 0, 2)?, number_at(text, 3, 2)?, number_at(text, 6, 2)?);
    let colons = text.get(2..3) == Some(":") && text.get(5..6) == Some(":");
    (colons && hour < 24 && minute < 60 && second <= 60).then_some(hour * 3_600 + minute * 60 + second)
}

fn in_calendar(year: i64, month: i64, day: i64) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=length).contains(&day)
}

fn parse_iso8601(text: &str) -> Option<Number> {
    let (year, month, day) = (number_at(text, 0, 4)?, number_at(text, 5, 2)?, number_at(text, 8, 2)?);
    if text.get(4..5) != Some("-") || text.get(7..8) != Some("-") || !in_calendar(year, month, day) {
        return None;
    }
    let midnight = days_from(year, month, day) * DAY_SECONDS;
    if text.len() == 10 {
        return Some(Number::from(midnight));
    }
    if !matches!(text.get(10..11), Some("T" | "t" | " ")) {
        return None;
    }
    let mut seconds = midnight + clock(text.get(11..19)?)?;
    let mut rest = text.get(19..)?;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        fraction = after.get(..digits.min(9)).filter(|digits| !digits.is_empty())?;
        rest = after.get(digits..)?;
    }
    match rest {
        "" | "Z" | "z" => {}
        offset => {
            let sign = match offset.get(..1)? {
                "+" => -1,
                "-" => 1,
                _ => return None,
            };
            let digits = offset.get(1..)?.replacen(':', "", 1);
            let minutes = number_at(&digits, 0, 2)? * 60 + number_at(&digits, 2, 2)?;
            if digits.len() != 4 {
                return None;
            }
            seconds += sign * minutes * 60;
        }
    }
    match fraction.trim_end_matches('0') {
        "" => Some(Number::from(seconds)),
        // Before 1970 the fraction counts towards it.
        fraction if seconds < 0 => Number::from_f64(seconds as f64 + format!("0.{fraction}").parse::<f64>().ok()?),
        fraction => Number::parse(&format!("{seconds}.{fraction}")).ok(),
    }
}

fn parse_rfc822(text: &str) -> Option<Number> {
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ').filter(|word| !word.is_empty());
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))? as i64 + 1;
    let (day, year) = (day.parse::<i64>().ok()?, number_at(year, 0, 4).filter(|_| year.len() == 4)?);
    if !in_calendar(year, month, day) {
        return None;
    }
    Some(Number::from(days_from(year, month, day) * DAY_SECONDS + clock(time)?))
}

#[cfg(test)]
mod tests {
    use stepwell_json::Number;

    use super::{iso8601, parse, rfc822};

    #[test]
    fn moments_are_spelled_and_read() {
        for (seconds, iso, http) in [
            ("0", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("1440938160", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT"),
            ("951782400", "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            ("-1", "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            ("253402300799", "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let number = Number::parse(seconds).expect("a number");
            assert_eq!(iso8601(&number).as_deref(), Some(iso));
            assert_eq!(rfc822(&number).as_deref(), Some(http));
            for text in [iso, http, seconds] {
                assert_eq!(parse(text).map(|number| number.to_string()).as_deref(), Some(seconds), "{text}");
            }
        }
    }

    #[test]
    fn fractions_and_offsets_are_kept() {
        for (text, expected) in [
            ("2015-08-30T12:36:00.250Z", Some("1440938160.25")),
            ("2015-08-30T12:36:00.000Z", Some("1440938160")),
            ("2015-08-30T14:36:00+02:00", Some("1440938160")),
            ("2015-08-30", Some("1440892800")),
            ("1969-12-31T23:59:59.5Z", Some("-0.5")),
            ("2015-02-30T12:36:00Z", None),
            ("2015-08-30T25:36:00Z", None),
            ("2015-08-30T12:36", None),
            ("soon", None),
            ("", None),
            ("Sun, 99 Aug 2015 12:36:00 GMT", None),
            ("２０１５-08-30", None),
        ] {
            assert_eq!(parse(text).map(|number| number.to_string()).as_deref(), expected, "{text}");
        }
        assert_eq!(iso8601(&Number::parse("0.25").expect("a number")).as_deref(), Some("1970-01-01T00:00:00.250Z"));
        assert_eq!(iso8601(&Number::parse("1e300").expect("a number")), None);
    }
}
