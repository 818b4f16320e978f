//! Our JSONata engine beside another one: jsonata-core, or the reference jsonata-js where it is at hand.

mod answer;
mod deviations;
mod engines;
mod golden;
mod random;
