//! The local S3 through its door: what is kept, what survives, what is refused, and who is told.

mod crash;
mod disk;
mod events;
mod hostile_keys;
mod house;
mod keeping;
mod signatures;
mod streams;
