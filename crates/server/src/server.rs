//! The server's life: bind, accept, and end without dropping what runs.
//!
//! Hyper is used plainly: there is one route and a few pages, and the limits on the time a client may take, which have to be
//! there, are not among what axum's server lets one set.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::awake::Awake;
use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::connection::{Patience, Patient, Turn};
use crate::credentials::Keyring;
use crate::http::Front;
use crate::jobs::Pace;
use crate::listener::{Listener, LogLines};
use crate::local::{self, Ground, Host, Leaves, Local, OwnApi, Pure};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::shard::{self, Mailbox, Running};
use crate::shield::shielded;
use crate::tls::Tls;
use crate::transport::{Source, Transport};
use crate::workers::{LEFT_OVER_TIME, Workers};
use crate::writer::Outside;
use stepwell_api::{Heard, ServiceSettings};
use stepwell_services::{GivenKeys, Services, ServicesSettings};
use stepwell_store::{EmbeddedStore, MemoryStore, Options, Store};

/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Connections at a time; more wait to be accepted. Each may hold a body of a megabyte and one call.
const CONNECTIONS_MAX: usize = 10_000;

/// Descriptors that connections leave to files and calls of our own, where there are few: without one, what happens could
/// not be kept.
const DESCRIPTORS_LEFT: usize = 64;

/// How long requests that are being answered may go on once the server is to end.
const END_TIME: Duration = Duration::from_secs(5);

/// The same when the store or the service has broken off.
const END_AT_ONCE: Duration = Duration::from_millis(20);

/// How long to wait when no connection can be taken, as when there are no file descriptors left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why a server did not start, or did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// What it was told cannot be used.
    Unusable(String),
    /// The machine does not let it: a port in use, no threads left.
    Refused(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Unusable(reason) | StartError::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for StartError {}

/// A server that has its port.
pub struct Server {
    settings: Settings,
    listener: std::net::TcpListener,
    mocks: Option<Source>,
    store: Box<dyn Store>,
    seeds: Seeds,
    /// Without one, everybody is who they say they are.
    keyring: Option<Keyring>,
    listeners: Vec<Box<dyn Listener>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the port and opens the store. Refuses settings that cannot be used, a port that is taken, and a data directory
    /// that is in use or that is not one of ours.
    pub fn bind(settings: Settings) -> Result<Server, StartError> {
        settings.check().map_err(StartError::Unusable)?;
        let mocks = settings.mocks.as_deref().map(Source::open).transpose().map_err(StartError::Unusable)?;
        let keyring = settings.credentials.as_deref().map(|path| Keyring::open(path, &settings.account));
        let keyring = keyring.transpose().map_err(StartError::Unusable)?;
        let refused = |fault: std::io::Error| {
            let reason = match fault.kind() {
                std::io::ErrorKind::AddrInUse => "the port is in use; choose another with --listen".to_owned(),
                _ => fault.to_string(),
            };
            StartError::Refused(format!("cannot listen on {}: {reason}", settings.listen))
        };
        let listener = std::net::TcpListener::bind(settings.listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let seeds = Seeds::draw()?;
        let store = open_store(settings.data.as_deref(), seeds.log)?;
        let keyring = match keyring {
            Some(keyring) => Some(
                keyring.with(
                    GivenKeys::open(store.index(), seeds.key)
                        .map_err(|fault| StartError::Refused(format!("what was kept cannot be taken up: {fault}")))?,
                ),
            ),
            None => None,
        };
        let listeners: Vec<Box<dyn Listener>> = vec![Box::new(LogLines)];
        Ok(Server { settings, listener, mocks, store, seeds, keyring, listeners })
    }

    /// Tells this listener too what happens.
    pub fn tell(&mut self, listener: Box<dyn Listener>) {
        self.listeners.push(listener);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.settings.listen)
    }

    /// How many access keys may sign; `None` when requests need no signature.
    pub fn keys(&self) -> Option<usize> {
        self.keyring.as_ref().map(Keyring::len)
    }

    /// Serves until the process is asked to end by SIGTERM or Ctrl-C.
    pub fn run(self) -> Result<(), StartError> {
        self.run_until(asked_to_end())
    }

    /// Serves until the future is ready, then ends: no new connection, and five seconds for what is being answered.
    pub fn run_until(self, end: impl Future<Output = ()>) -> Result<(), StartError> {
        let refused = |fault: std::io::Error| StartError::Refused(format!("cannot start: {fault}"));
        let address = self.address();
        let clock = Clock::new(self.settings.time, self.seeds.clock);
        // Log groups are here, and are told whatever their state machines say.
        let here = Heard { log_events: true, ..Heard::default() };
        let heard = self.listeners.iter().map(|listener| listener.hears()).fold(here, Heard::or);
        let settings = ServiceSettings { key: self.seeds.key, heard, ..ServiceSettings::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(refused)?;
        let awake = Awake::new();
        let workers = Workers::start(&awake).map_err(refused)?;
        let metrics = Arc::new(Metrics::new());
        let mailbox = Mailbox::new();
        let tls = Arc::new(Tls::new(self.settings.ca_bundle.clone()));
        let egress = self.settings.egress.clone();
        let outside = local::Outside { egress: egress.clone(), tls: tls.clone() };
        let local = Local::new(runtime.handle().clone(), clock.clone(), outside);
        let mut hosts = hosts(&mailbox, &clock);
        let ground = Ground {
            runtime: &runtime,
            settings: &self.settings,
            keyring: self.keyring.as_ref(),
            key: self.seeds.key,
            address,
            clock: &clock,
            local: &local,
        };
        let leaves = Leaves::open(&ground, &mut hosts)?;
        local.open(hosts);
        leaves.name(&ground)?;
        let transport = Transport::new(self.mocks, self.settings.endpoints.clone(), local.clone());
        let carrier = Carrier::new(self.settings.endpoints.clone(), local.clone(), tls, egress);
        let (handle, listeners, pace) = (runtime.handle().clone(), self.listeners, Pace::of(self.settings.time));
        let outside = Outside { transport, runtime: handle, carrier, pace, local: local.clone(), listeners };
        let services = ServicesSettings {
            key: self.seeds.key,
            endpoint: endpoint_of(address).into(),
            minute_rules: false,
            is_proved: self.keyring.is_some(),
        };
        let parts = shard::Parts { store: self.store, settings, services, clock, awake, metrics: metrics.clone() };
        let Running { door, ended, thread } = shard::start(parts, mailbox, outside)?;
        leaves.resume();
        let front =
            Arc::new(Front::new(&self.settings, self.keyring, door, local.clone(), metrics, self.seeds.request_ids));
        let outcome = runtime.block_on(async {
            let listener = TcpListener::from_std(self.listener).map_err(refused)?;
            let connections = GracefulShutdown::new();
            let outcome = tokio::select! {
                // Whoever has been answered may ask it to end: it listens for that first.
                biased;
                () = end => Ok(()),
                () = accept(&listener, &workers, &front, &connections) => Ok(()),
                _ = ended => Err(StartError::Refused("the service has broken off; please report what stands above".to_owned())),
            };
            drop(listener);
            // What cannot be kept must not be answered: there is nothing to wait for then.
            let end_time = if outcome.is_ok() { END_TIME } else { END_AT_ONCE };
            if tokio::time::timeout(end_time, connections.shutdown()).await.is_err() && outcome.is_ok() {
                tracing::warn!("ended with requests unanswered");
            }
            match outcome {
                Ok(()) => leaves.shut_down().await,
                Err(_) => drop(tokio::time::timeout(END_AT_ONCE, leaves.shut_down()).await),
            }
            outcome
        });
        // Connections that are left hold the door open; without them the thread ends.
        workers.end();
        runtime.shutdown_timeout(LEFT_OVER_TIME);
        drop(front);
        leaves.close();
        if outcome.is_ok() && thread.join().is_err() {
            return Err(StartError::Refused("the service has broken off".to_owned()));
        }
        outcome
    }
}

/// Who answers for the services that need nothing of their own.
fn hosts(mailbox: &Mailbox, clock: &Clock) -> BTreeMap<&'static str, Host> {
    let pure = Arc::new(Pure::new(mailbox.side_door()));
    let mut hosts: BTreeMap<_, _> = Services::names().map(|name| (name, Host::Pure(pure.clone()))).collect();
    hosts.insert("stepfunctions", Host::Calls(Arc::new(OwnApi::new(mailbox.side_door(), clock.clone()))));
    hosts
}

/// Where clients reach a server that listens here: what queue URLs begin with.
fn endpoint_of(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// The store in this directory, or one in memory.
fn open_store(directory: Option<&Path>, entropy: u64) -> Result<Box<dyn Store>, StartError> {
    let Some(directory) = directory else { return Ok(Box::new(MemoryStore::new())) };
    match EmbeddedStore::open(directory, Options::new(entropy)) {
        Ok(store) => Ok(Box::new(store)),
        Err(fault) => Err(StartError::Refused(format!("cannot open the data directory: {fault}"))),
    }
}

/// How many connections there may be under these limits of the process, as Linux tells them.
fn connections_max(limits: Option<&str>) -> usize {
    let line = limits.and_then(|limits| limits.lines().find_map(|line| line.strip_prefix("Max open files")));
    let descriptors = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<usize>().ok());
    let left = |descriptors: usize| descriptors.saturating_sub(DESCRIPTORS_LEFT).max(descriptors / 2).max(1);
    descriptors.map_or(CONNECTIONS_MAX, |descriptors| left(descriptors).min(CONNECTIONS_MAX))
}

/// Takes connections as long as it is polled.
async fn accept(listener: &TcpListener, workers: &Workers, front: &Arc<Front>, connections: &GracefulShutdown) {
    let places =
        Arc::new(Semaphore::new(connections_max(std::fs::read_to_string("/proc/self/limits").ok().as_deref())));
    // The semaphore is never closed.
    while let Ok(place) = places.clone().acquire_owned().await {
        let worker = workers.next();
        let stream = match listener.accept().await.and_then(|(stream, _)| worker.adopt(stream)) {
            Ok(stream) => stream,
            Err(fault) => {
                tracing::warn!(%fault, "cannot take a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // Small answers are not held back to be sent together; a socket that cannot promise it still works.
        let _ = stream.set_nodelay(true);
        let front = front.clone();
        let open = front.connected();
        let turn = Turn::new();
        let patient = Patient::new(stream, Patience::USUAL, turn.clone());
        let lookout = worker.lookout().clone();
        let answering = service_fn(move |request| {
            let (front, turn) = (front.clone(), turn.clone());
            let under_way = lookout.begin();
            async move {
                turn.begin_answer();
                let answer = shielded(front.answer(request)).await.unwrap_or_else(|because| front.broken_off(&because));
                turn.end_answer();
                drop(under_way);
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            // The stream itself is patient, and in its own way.
            .header_read_timeout(None)
            .max_header_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(patient), answering);
        let connection = connections.watch(connection);
        worker.spawn(async move {
            if let Err(fault) = connection.await {
                tracing::debug!(%fault, "a connection broke");
            }
            drop((place, open));
        });
    }
}

/// What is drawn from the operating system, once.
struct Seeds {
    key: [u8; 32],
    /// Names the log of a new data directory.
    log: u64,
    clock: u64,
    request_ids: u64,
}

impl Seeds {
    fn draw() -> Result<Seeds, StartError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(no_chance)?;
        let log = getrandom::u64().map_err(no_chance)?;
        let clock = getrandom::u64().map_err(no_chance)?;
        let request_ids = getrandom::u64().map_err(no_chance)?;
        Ok(Seeds { key, log, clock, request_ids })
    }
}

fn no_chance(fault: getrandom::Error) -> StartError {
    StartError::Refused(format!("cannot start: the operating system gives no random numbers: {fault}"))
}

/// Ready when the process is asked to end.
#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(fault) => {
            tracing::warn!(%fault, "SIGTERM ends the server at once");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Ready when the process is asked to end.
#[cfg(not(unix))]
async fn asked_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_the_store() {
        let limits = |soft: &str| {
            format!(
                "Limit  Soft Limit  Hard Limit  Units\nMax open files            {soft}                 4096                 files\n"
            )
        };
        assert_eq!(connections_max(Some(&limits("1024"))), 960);
        assert_eq!(connections_max(Some(&limits("100"))), 50);
        assert_eq!(connections_max(Some(&limits("1048576"))), CONNECTIONS_MAX);
        assert_eq!(connections_max(Some(&limits("unlimited"))), CONNECTIONS_MAX);
        assert_eq!(connections_max(None), CONNECTIONS_MAX);
    }
}
