//! The time of day, as signatures have it.

use std::time::{SystemTime, UNIX_EPOCH};

use stepwell_spec::Timestamp;

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `20150830T123600Z`
pub(crate) fn basic_time() -> String {
    basic(Timestamp(now_ms()))
}

fn basic(time: Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    format!("{}Z", whole.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_form_has_no_marks_and_no_fraction() {
        assert_eq!(basic(Timestamp(1_440_938_160_123)), "20150830T123600Z");
    }
}
