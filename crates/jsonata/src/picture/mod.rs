//! Pictures: how XPath's functions, and so JSONata's, describe the look of numbers and moments.

pub(crate) mod datetime;
pub(crate) mod decimal;
pub(crate) mod integer;
mod words;

/// The interval at which separators stand, if it is the same between all of them; 0 if not.
///
/// `positions` count digits from the separator to the decimal point.
fn regular_interval(positions: &[usize]) -> usize {
    fn common_divisor(a: usize, b: usize) -> usize {
        if b == 0 { a } else { common_divisor(b, a % b) }
    }
    let Some(interval) = positions.iter().copied().reduce(common_divisor) else { return 0 };
    if (1..=positions.len()).all(|number| positions.contains(&(number * interval))) { interval } else { 0 }
}
