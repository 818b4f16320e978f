//! Task tokens: the interpreter says when one is needed, its issuer what it is.

use std::fmt;
use std::sync::Arc;

use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{Text, Timestamp};

use crate::moment::{Chance, Moment};

/// Characters of a token without an issuer: about 380 bits of entropy, well inside AWS's 2,048.
const CHARACTERS: usize = 64;

/// Makes task tokens that can be told from every other text later, and led back to their execution.
pub trait TokenIssuer: fmt::Debug + Send + Sync {
    /// A token for a task of the execution with this number. No two are alike.
    fn issue(&self, execution: u64, chance: &Chance) -> Text;
}

/// Where one execution gets its task tokens from.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    issuer: Option<(Arc<dyn TokenIssuer>, u64)>,
}

impl Tokens {
    /// Tokens of this issuer for the execution with this number. Without an issuer ([`Tokens::default`]) they are chance
    /// alone.
    pub fn issued_by(issuer: Arc<dyn TokenIssuer>, execution: u64) -> Tokens {
        Tokens { issuer: Some((issuer, execution)) }
    }

    /// Tokens of the same issuer for another execution.
    pub fn of(&self, execution: u64) -> Tokens {
        Tokens { issuer: self.issuer.as_ref().map(|(issuer, _)| (issuer.clone(), execution)) }
    }

    pub(crate) fn draw(&self, chance: &Chance) -> Text {
        let always = Chance::new(Moment { now: Timestamp(0), entropy: 0 });
        let chance = if planted::is(Bug::TokenReused) { &always } else { chance };
        match &self.issuer {
            Some((issuer, execution)) => issuer.issue(*execution, chance),
            None => chance.token(CHARACTERS).into(),
        }
    }
}
