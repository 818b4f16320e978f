//! The simulator as a test: the same seed is the same course, nothing breaks that should not, and whatever was broken on purpose is found.

use stepwell_sim::run;

#[test]
fn a_seed_is_one_course_of_events() {
    for seed in 1..=6 {
        let (once, again) = (run(seed), run(seed));
        assert_eq!(once.hash, again.hash, "seed {seed}");
    }
}

#[test]
fn what_must_hold_holds() {
    for seed in 1..=20 {
        let course = run(seed);
        assert!(course.violation.is_none(), "seed {seed}: {:#?}", course.violation);
    }
}

/// `cargo test --profile strict -p stepwell-sim --features planted`: without optimisation it takes long.
#[cfg(feature = "planted")]
#[test]
fn every_planted_bug_is_found() {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use stepwell_sim::{Bug, hunt};

    const SEEDS_MAX: u64 = 1_000;
    // Some of them end in a panic, which counts as found.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, outlived) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if hunt(bug, 1..1 + SEEDS_MAX).is_none() {
                        outlived.lock().expect("nobody panics with the list in hand").push(bug);
                    }
                }
            });
        }
    });
    let outlived = outlived.into_inner().expect("nobody panics with the list in hand");
    assert!(outlived.is_empty(), "not found in {SEEDS_MAX} seeds: {outlived:?}");
}
