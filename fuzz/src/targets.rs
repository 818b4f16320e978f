//! What is fuzzed. One file per target: its function, and the tokens its language is made of.

use crate::Behaviour;

pub mod json;
pub mod jsonata;
pub mod jsonpath;
mod sample;
pub mod template;

/// One thing to fuzz.
pub struct Target {
    /// Its name on the command line and its folder below `seeds/`.
    pub name: &'static str,
    /// Takes any bytes. Panics when a promise is broken.
    pub run: fn(&[u8]) -> Behaviour,
    /// Pieces of the language, inserted by the mutator.
    pub dictionary: &'static [&'static str],
    /// Seeds that come with the repository.
    pub seeds: &'static str,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "json", run: json::run, dictionary: json::DICTIONARY, seeds: include_str!("../seeds/json.txt") },
    Target {
        name: "jsonpath",
        run: jsonpath::run,
        dictionary: jsonpath::DICTIONARY,
        seeds: include_str!("../seeds/jsonpath.txt"),
    },
    Target {
        name: "jsonata",
        run: jsonata::run,
        dictionary: jsonata::DICTIONARY,
        seeds: include_str!("../seeds/jsonata.txt"),
    },
    Target {
        name: "template",
        run: template::run,
        dictionary: template::DICTIONARY,
        seeds: include_str!("../seeds/template.txt"),
    },
];
