//! Fuzz targets, and a mutation loop that drives them on a stable toolchain.
//!
//! A target takes any bytes and must come back: soon, without a panic, without taking memory out of proportion. What it
//! returns is a [`Behaviour`], a fingerprint of what happened; the loop keeps inputs that did something new and mutates
//! them further. The same seed gives the same inputs.

pub mod drive;
pub mod mutate;
pub mod targets;

use std::hash::{DefaultHasher, Hash, Hasher};

/// A fingerprint of what a target did with an input: which error, which kind of value, about how much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Behaviour(u64);

impl Behaviour {
    /// The fingerprint of these facts.
    pub fn of(facts: impl Hash) -> Behaviour {
        // A hasher with fixed keys: the same facts give the same fingerprint in every run.
        let mut hasher = DefaultHasher::new();
        facts.hash(&mut hasher);
        Behaviour(hasher.finish())
    }
}

/// How many bits a count has: makes "about as much" the same fact.
pub fn magnitude(count: usize) -> u32 {
    usize::BITS - count.leading_zeros()
}

/// The beginning of a message, which says what kind of fault it is; the rest quotes the input.
pub fn gist(message: &str) -> String {
    let words = message.split_whitespace().take(3);
    words.map(|word| word.chars().filter(|c| c.is_ascii_alphabetic()).take(12).collect::<String>() + " ").collect()
}
