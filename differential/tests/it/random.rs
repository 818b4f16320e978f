//! Random cases: as many as asked for, from the seed asked for.
//!
//! `STEPWELL_DIFFERENTIAL_CASES` and `STEPWELL_DIFFERENTIAL_SEED` set both; without them the cases are always the same.
//! A case on which the engines differ is made small, and told with the seed that made it.

use std::collections::BTreeMap;

use stepwell_differential::case::Case;
use stepwell_differential::reduce::reduce;

use crate::answer::Answer;
use crate::engines::{Engine, ours, the_other};

/// A few seconds in a build without optimization.
const CASES: u64 = 3_000;

/// Different faults told at most: each takes some hundred evaluations to make small.
const TOLD: usize = 50;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
        Err(_) => default,
    }
}

/// What both say, if they differ and both can be held to it.
fn difference(case: &Case, other: &mut dyn Engine) -> Option<(Answer, Answer)> {
    let expression = case.expression.to_string();
    let mine = ours(&expression, Some(&case.input));
    // What is infinite is an error for us; others go on with it, and some of them for ever.
    let infinite = matches!(&mine, Answer::Error(code) if code == "D1001");
    if infinite || matches!(mine, Answer::Unheld(_)) {
        return None;
    }
    let theirs = other.evaluate(&expression, Some(&case.input));
    (!mine.agrees(&theirs)).then_some((mine, theirs))
}

#[test]
fn random_expressions() {
    let first = setting("STEPWELL_DIFFERENTIAL_SEED", 1);
    let count = setting("STEPWELL_DIFFERENTIAL_CASES", CASES);
    let mut other = the_other();
    let (mut told, mut known, mut answered) = (BTreeMap::new(), 0, 0);
    for seed in first..first + count {
        let case = Case::of(seed);
        let mine = ours(&case.expression.to_string(), Some(&case.input));
        answered += u64::from(matches!(mine, Answer::Value(_)));
        if difference(&case, &mut *other).is_none() {
            continue;
        }
        let small = reduce(&case, &mut |case| difference(case, &mut *other).is_some());
        let expression = small.expression.to_string();
        let Some((mine, theirs)) = difference(&small, &mut *other) else { continue };
        if other.known().iter().any(|row| row.holds(&expression)) || other.is_accident(&expression, &mine, &theirs) {
            known += 1;
            continue;
        }
        let name = other.name();
        told.entry(expression).or_insert_with_key(|expression| {
            let input = &small.input;
            format!("seed {seed}: {expression}\n  on {input}\n  ours says {mine}\n  {name} says {theirs}")
        });
        if told.len() >= TOLD {
            break;
        }
    }
    println!(
        "{count} random expressions from seed {first}, {answered} of them with a value, held against {}: {known} known to differ",
        other.name()
    );
    assert!(answered > count / 4, "hardly any expression gives a value: {answered} of {count}");
    let told: Vec<String> = told.into_values().collect();
    assert!(told.is_empty(), "{} differ\n{}", told.len(), told.join("\n"));
}
