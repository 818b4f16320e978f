//! Random programs, run by the engine and by the reference.

mod differential;
mod engine;
mod history;
mod recorded;
mod valid;

/// How many seeds are tried, and the first of them: `STEPWELL_SEEDS` is a number, or `FIRST..END`.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("STEPWELL_SEEDS") else { return 0..usual };
    let number = |text: &str| text.parse::<u64>().expect("STEPWELL_SEEDS is a number, or two with `..` between them");
    match text.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => 0..number(&text),
    }
}
