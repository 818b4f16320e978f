//! Stepwell over HTTP: the pure service on a thread of its own, behind a socket.
//!
//! The only async crate. Owns the socket and its limits, the keys that may sign, how often callers may call, the clock, the
//! source of chance, what answers tasks, and who is told what happens. What a request means and what comes of it is the API's.
//!
//! Connections are read and written by threads with an async runtime each; a request crosses to the service's thread through a
//! channel and its answer comes back through another, so that no lock stands between them.

mod awake;
mod body;
mod calls;
mod carrier;
mod clock;
mod connection;
mod credentials;
mod dial;
mod egress;
mod endpoints;
mod gate;
mod http;
mod jobs;
mod keys;
mod listener;
mod local;
mod metrics;
mod mocks;
mod queue;
#[cfg(feature = "lambda")]
mod real_functions;
mod server;
mod settings;
mod shard;
mod shield;
mod throttle;
mod tls;
mod transport;
mod web;
mod workers;
mod writer;

pub use egress::{Cidr, Egress};
pub use endpoints::Endpoints;
pub use listener::Listener;
pub use mocks::{MockFile, Mocks};
#[cfg(feature = "lambda")]
pub use real_functions::RealFunctions;
pub use server::{Server, StartError};
pub use settings::{FunctionSource, NamedFunction, Settings, Time};
pub use throttle::Throttling;
