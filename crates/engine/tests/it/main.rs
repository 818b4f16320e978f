//! Integration tests of the engine: golden cases, replay, and what holds of every history.

mod golden;
mod invariants;
mod late;
mod script;
