//! The local services as their callers see them. Every scenario runs twice: in services that never stop, and in services
//! that are opened anew from what they kept after every single input. Both must say the same.

mod by_chance;
mod events;
mod identity;
mod log_groups;
mod queues;
mod secrets;
mod topics;
mod world;
