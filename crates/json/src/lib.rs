//! JSON as the engine carries it: one immutable tree, shared by pointer.
//!
//! A payload is parsed once where it enters and is never copied afterwards: cloning a [`Json`] copies a pointer,
//! key order and the text of every number survive a round trip, and the depth and serialized size of a tree are
//! known without walking it twice. Definitions are read by the same parser into a [`Spanned`] tree, so that what
//! the validator saw is what the engine runs.
//!
//! This crate knows nothing of state machines. It draws no time and no chance, and it uses no `unsafe`.

mod jackson;
mod number;
mod object;
mod parse;
mod pointer;
mod spanned;
mod value;
mod write;

pub use jackson::JacksonWords;
pub use number::{Number, NumberError};
pub use object::{Members, Object, ObjectBuilder};
pub use parse::{DEPTH_MAX, DIGITS_MAX, EXPONENT_MAX, Expected, REREAD_DEPTH_MAX, SyntaxError, SyntaxErrorKind};
pub use pointer::Pointer;
pub use spanned::{LineIndex, Position, Span, Spanned, SpannedMember, SpannedValue};
pub use value::{Array, Json, Kind};
pub use write::{escape_into, quoted};
