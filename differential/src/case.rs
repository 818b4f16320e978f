//! A case: an expression and its input, both from one seed.

use stepwell_json::Json;

use crate::chance::Chance;
use crate::expression::Expression;
use crate::{grammar, input};

/// An expression with the input it is evaluated on.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is evaluated.
    pub expression: Expression,
    /// What it is evaluated on.
    pub input: Json,
}

impl Case {
    /// The case of this seed.
    pub fn of(seed: u64) -> Case {
        let mut chance = Chance::new(seed);
        let input = input::document(&mut chance);
        Case { expression: grammar::expression(&mut chance), input }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn a_seed_is_a_case() {
        for seed in 0..100 {
            let (first, second) = (Case::of(seed), Case::of(seed));
            assert_eq!(first.expression.to_string(), second.expression.to_string());
            assert_eq!(first.input, second.input);
        }
        assert_ne!(Case::of(1).expression.to_string(), Case::of(2).expression.to_string());
    }
}
