//! How a member that cannot be read is told, in the words of these services.

pub(crate) use stepwell_protocol::Input;
use stepwell_protocol::Misread;

use crate::answers::Refusal;

impl From<Misread> for Refusal {
    fn from(misread: Misread) -> Refusal {
        match misread {
            Misread::Missing(name) => Refusal::missing(&name),
            Misread::Mistyped(name, expected) => Refusal::mistyped(&name, expected),
        }
    }
}
