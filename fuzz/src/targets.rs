//! What is fuzzed. One file per target: its function, and the tokens its language is made of.

use crate::Behaviour;

pub mod call;
pub mod definition;
pub mod json;
pub mod jsonata;
pub mod jsonpath;
pub mod payload;
pub mod request;
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
    Target { name: "call", run: call::run, dictionary: call::DICTIONARY, seeds: include_str!("../seeds/call.txt") },
    Target {
        name: "definition",
        run: definition::run,
        dictionary: definition::DICTIONARY,
        seeds: include_str!("../seeds/definition.txt"),
    },
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
        name: "payload",
        run: payload::run,
        dictionary: payload::DICTIONARY,
        seeds: include_str!("../seeds/payload.txt"),
    },
    Target {
        name: "request",
        run: request::run,
        dictionary: request::DICTIONARY,
        seeds: include_str!("../seeds/request.txt"),
    },
    Target {
        name: "template",
        run: template::run,
        dictionary: template::DICTIONARY,
        seeds: include_str!("../seeds/template.txt"),
    },
];

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use crate::drive::{run_once, seeds};

    #[test]
    fn every_seed_and_every_token_runs() {
        for target in TARGETS {
            let tokens = target.dictionary.iter().map(|token| token.as_bytes().to_vec());
            for input in seeds(target.seeds).into_iter().chain(tokens) {
                let outcome = run_once(target, &input);
                assert!(outcome.is_ok(), "{}: {} {outcome:?}", target.name, String::from_utf8_lossy(&input));
            }
        }
    }
}
