//! The words of a command line, taken one by one, so that what is left over can be refused.

use std::collections::VecDeque;

/// Arguments not yet understood.
pub(crate) struct Options {
    words: VecDeque<String>,
}

impl Options {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Options {
        Options { words: words.collect() }
    }

    /// Whether this flag was given. Takes it; flags behind `--` are not ours.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.ours().iter().position(|word| word == name) {
            Some(at) => self.words.remove(at).is_some(),
            None => false,
        }
    }

    /// The value of `--name VALUE` or `--name=VALUE`, when given.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let prefix = format!("{name}=");
        let Some(at) = self.ours().iter().position(|word| word == name || word.starts_with(&prefix)) else {
            return Ok(None);
        };
        let word = self.words.remove(at).unwrap_or_default();
        match word.strip_prefix(&prefix) {
            Some(value) => Ok(Some(value.to_owned())),
            None => match self.words.remove(at) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("{name} wants a value")),
            },
        }
    }

    /// The value of `--name N`, a whole number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.value(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{name} wants a whole number, not `{text}`"))
    }

    /// The next word that is no flag.
    pub(crate) fn word(&mut self) -> Option<String> {
        match self.words.front() {
            Some(word) if !word.starts_with('-') => self.words.pop_front(),
            Some(word) if word == "--help" || word == "-h" => self.words.pop_front(),
            Some(_) | None => None,
        }
    }

    /// What stands behind `--`. Takes it, and the `--`.
    pub(crate) fn behind_dashes(&mut self) -> Vec<String> {
        let dashes = self.ours().len();
        self.words.drain(dashes..).skip(1).collect()
    }

    /// Refuses whatever nobody took.
    pub(crate) fn done(&self) -> Result<(), String> {
        match self.words.front() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is not understood here; `--help` behind the command explains it")),
        }
    }

    fn ours(&self) -> Vec<String> {
        self.words.iter().take_while(|word| *word != "--").cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn options(line: &str) -> Options {
        Options::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_flags_and_values_are_taken_in_any_order() {
        let mut line = options("fuzz json --seconds 5 --seed=7 --update -- --exact --update");
        assert_eq!(line.word().as_deref(), Some("fuzz"));
        assert_eq!(line.number("--seed"), Ok(Some(7)));
        assert_eq!(line.number("--seconds"), Ok(Some(5)));
        assert!(line.flag("--update"));
        assert!(!line.flag("--update"), "the second stands behind the dashes");
        assert_eq!(line.behind_dashes(), ["--exact", "--update"]);
        assert_eq!(line.word().as_deref(), Some("json"));
        assert_eq!(line.done(), Ok(()));
    }

    #[test]
    fn what_is_left_over_is_refused() {
        assert!(options("--verbose").done().is_err());
        assert!(options("--seconds").number("--seconds").is_err());
        assert!(options("--seconds soon").number("--seconds").is_err());
    }
}
