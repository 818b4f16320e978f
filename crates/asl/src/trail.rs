//! Places in the document while it is read: each a step from the one above, written out only when a fault needs it.

use stepwell_json::Pointer;

/// A place. Copying it copies a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At(u32);

impl At {
    /// The whole document.
    pub(crate) const ROOT: At = At(0);
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Every place visited so far.
pub(crate) struct Trail<'a> {
    steps: Vec<(At, Step<'a>)>,
}

impl<'a> Trail<'a> {
    pub(crate) fn new() -> Trail<'a> {
        Trail { steps: Vec::new() }
    }

    /// The member of this name below a place.
    pub(crate) fn key(&mut self, above: At, key: &'a str) -> At {
        self.step(above, Step::Key(key))
    }

    /// The item at this index below a place.
    pub(crate) fn index(&mut self, above: At, index: usize) -> At {
        self.step(above, Step::Index(index))
    }

    fn step(&mut self, above: At, step: Step<'a>) -> At {
        self.steps.push((above, step));
        At(u32::try_from(self.steps.len()).expect("a definition of a megabyte has fewer places than that"))
    }

    fn steps_to(&self, at: At) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut at = at;
        while at != At::ROOT {
            let (above, step) = self.steps[at.0 as usize - 1];
            steps.push(step);
            at = above;
        }
        steps.reverse();
        steps
    }

    /// As a JSON Pointer.
    pub(crate) fn pointer(&self, at: At) -> Pointer {
        self.steps_to(at).into_iter().fold(Pointer::root(), |pointer, step| match step {
            Step::Key(key) => pointer.key(key),
            Step::Index(index) => pointer.index(index),
        })
    }

    /// As AWS writes it: `/States/A/Choices[0]/Next`, and `/` for the whole document.
    pub(crate) fn location(&self, at: At) -> String {
        let mut location = String::new();
        for step in self.steps_to(at) {
            match step {
                Step::Key(key) => {
                    location.push('/');
                    location.push_str(key);
                }
                Step::Index(index) => location.push_str(&format!("[{index}]")),
            }
        }
        if location.is_empty() { "/".to_owned() } else { location }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_in_both_ways() {
        let mut trail = Trail::new();
        let states = trail.key(At::ROOT, "States");
        let state = trail.key(states, "a/b");
        let choices = trail.key(state, "Choices");
        let rule = trail.index(choices, 0);
        assert_eq!(trail.pointer(rule).as_str(), "/States/a~1b/Choices/0");
        assert_eq!(trail.location(rule), "/States/a/b/Choices[0]");
        assert_eq!((trail.pointer(At::ROOT).as_str(), trail.location(At::ROOT).as_str()), ("", "/"));
    }
}
