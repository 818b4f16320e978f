//! The store, from outside: one suite for every implementation, records of every kind, and a disk that fails.

mod crashes;
mod damage;
mod encoding;
mod faults;
mod packing;
mod retention;
mod scripted;
mod suite;
