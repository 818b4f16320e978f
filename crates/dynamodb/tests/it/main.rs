//! The local DynamoDB through its door: scripts of calls and what they must answer.

mod by_chance;
mod durability;
mod expiry;
mod items;
mod places;
mod statements;
mod streams;
mod tables;
mod together;
mod transactions;
mod world;
