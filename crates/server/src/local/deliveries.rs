//! Deliveries on their way out of the process, or to a service in it.
//!
//! One that fails is tried again for two minutes, as AWS's SNS begins to: at once, then after a second, then after longer and
//! longer pauses. What a server that ends leaves is lost: nobody waits for it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use stepwell_integrations::{Address, WebFault};
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, Fault, HttpRequest, Peers, Place, blob_text, percent_decode};
use stepwell_services::{Delivery, DeliveryTarget};
use stepwell_spec::Arn;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::dial::{Wanted, exchange};
use crate::egress::{Egress, Unresolved};
use crate::tls::Tls;

/// How long an endpoint may take, as AWS's SNS waits for one.
const TIME: Duration = Duration::from_secs(15);

/// Endpoints that are asked at a time; more wait. Each has a connection, and a process has 1,024 descriptors.
const CONNECTIONS_MAX: usize = 256;

/// Deliveries that may wait to be tried again. One that fails when there are more is given up: its endpoint has been gone for
/// long, and what it would have been told must not fill the memory.
const WAITING_MAX: usize = 10_000;

/// When a delivery is tried again: pauses in seconds.
///
/// Source: SNS Developer Guide, "Message delivery retries", HTTP and HTTPS: three at once, two after a second each, ten with
/// pauses that grow from one second to twenty. The 35 that follow there, twenty seconds apart, are not made.
const PAUSES_S: [u64; 15] = [0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5, 7, 10, 14, 20];

/// The pause where time is skipped: nobody waits for what nothing happens in.
const SKIPPED: Duration = Duration::from_millis(5);

/// When deliveries are tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    skips: bool,
}

impl Retries {
    pub(super) fn of(clock: &Clock) -> Retries {
        Retries { skips: clock.skips() }
    }

    fn pauses(self) -> impl Iterator<Item = Duration> {
        let pause = move |seconds| if self.skips { SKIPPED } else { Duration::from_secs(seconds) };
        PAUSES_S.into_iter().map(pause)
    }
}

/// What deliveries leave the process through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// Which addresses may be asked.
    pub(crate) egress: Egress,
    /// Whom to trust.
    pub(crate) tls: Arc<Tls>,
}

/// Why a delivery failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failed {
    /// It may go better another time.
    ForNow(String),
    /// It will not.
    ForGood(String),
}

/// Carries deliveries.
pub(super) struct Courier {
    runtime: Handle,
    outside: Outside,
    retries: Retries,
    connections: Semaphore,
    waiting: Semaphore,
}

impl Courier {
    pub(super) fn new(runtime: Handle, outside: Outside, retries: Retries) -> Courier {
        let (connections, waiting) = (Semaphore::new(CONNECTIONS_MAX), Semaphore::new(WAITING_MAX));
        Courier { runtime, outside, retries, connections, waiting }
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Makes a delivery, as often as it takes and helps. What goes wrong is said in the log, as AWS says it in a queue's
    /// metrics.
    pub(super) async fn carry(&self, peers: &dyn Peers, delivery: Delivery) {
        let subscription = &delivery.subscription_arn;
        let mut place = None;
        for pause in self.retries.pauses() {
            match self.try_once(peers, &delivery).await {
                Ok(()) => return,
                Err(Failed::ForGood(reason)) => return tracing::warn!(%subscription, %reason, "a delivery failed"),
                Err(Failed::ForNow(reason)) if place.is_none() => {
                    let Ok(found) = self.waiting.try_acquire() else {
                        return tracing::warn!(%subscription, %reason, "a delivery failed, and too many wait already");
                    };
                    place = Some(found);
                    tracing::info!(%subscription, %reason, "a delivery failed; it is tried again");
                }
                Err(Failed::ForNow(_)) => {}
            }
            tokio::time::sleep(pause).await;
        }
        if let Err(Failed::ForNow(reason) | Failed::ForGood(reason)) = self.try_once(peers, &delivery).await {
            let times = PAUSES_S.len() + 1;
            tracing::warn!(%subscription, %reason, times, "a delivery failed and is given up");
        }
    }

    async fn try_once(&self, peers: &dyn Peers, delivery: &Delivery) -> Result<(), Failed> {
        match &delivery.target {
            DeliveryTarget::Http(url) => self.post(url, delivery).await,
            DeliveryTarget::Lambda(function) => invoke(peers, function, &delivery.body).await,
            DeliveryTarget::Call { place, call } => ask(peers, place, call.clone()).await,
        }
    }

    async fn post(&self, url: &str, delivery: &Delivery) -> Result<(), Failed> {
        let (url, user) = without_user(url);
        let refused = |reason: String| Failed::ForGood(format!("{url} cannot be asked: {reason}"));
        let (address, query) = Address::parse(&url).map_err(refused)?;
        let given = delivery.headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let headers = given.chain(user.map(|user| ("Authorization".to_owned(), basic(user)))).collect();
        let request = HttpRequest {
            method: "POST".to_owned(),
            host_prefix: None,
            path: address.path.clone(),
            query,
            headers,
            body: delivery.body.as_bytes().to_vec(),
        };
        let Outside { egress, tls } = &self.outside;
        // The semaphore is never closed.
        let _connection = self.connections.acquire().await;
        let sent = async {
            let places = egress.resolve(&address.authority, address.is_secure).await.map_err(|fault| match fault {
                Unresolved::Refused(reason) => WebFault::Refused(reason),
                Unresolved::Unknown(reason) => WebFault::Socket(reason),
            })?;
            let (trusted, target) = (|| tls.config().map_err(WebFault::Socket), request.target());
            exchange(trusted, &places, &address, &address.authority, &target, request, Wanted::Head).await
        };
        match tokio::time::timeout(TIME, sent).await {
            Ok(Ok(answer)) => judged(&url, answer.status),
            Ok(Err(WebFault::Socket(reason))) => Err(Failed::ForNow(format!("{url}: {reason}"))),
            Ok(Err(WebFault::Refused(reason))) => Err(refused(reason)),
            Ok(Err(fault)) => Err(refused(format!("{fault:?}"))),
            Err(_) => Err(Failed::ForNow(format!("{url} did not answer in time"))),
        }
    }
}

/// A URL without the user and the password that an endpoint may ask for, and these: `user:password`.
fn without_user(url: &str) -> (String, Option<&str>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.split_at(end) {
        (authority, target) if authority.contains('@') => {
            let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
            (format!("{scheme}://{host}{target}"), Some(user))
        }
        _ => (url.to_owned(), None),
    }
}

/// What a user proves itself with.
fn basic(user: &str) -> String {
    let user = percent_decode(user, false).unwrap_or_else(|| user.to_owned());
    format!("Basic {}", blob_text(user.as_bytes()))
}

/// What a status says of a delivery: AWS's SNS tries again what failed on the other side, and what came too often.
fn judged(url: &str, status: u16) -> Result<(), Failed> {
    let reason = || format!("{url} answered {status}");
    match status {
        200..300 => Ok(()),
        429 | 500..=599 => Err(Failed::ForNow(reason())),
        _ => Err(Failed::ForGood(reason())),
    }
}

/// Invokes a function and does not wait for what it makes of the event.
async fn invoke(peers: &dyn Peers, function: &str, event: &str) -> Result<(), Failed> {
    let Some(arn) = Arn::parse(function) else {
        return Err(Failed::ForGood(format!("{function} is no function's ARN")));
    };
    let place = Place { account: arn.account.into(), region: arn.region.into() };
    let input = Json::object([
        ("FunctionName", Json::string(function)),
        ("InvocationType", Json::string("Event")),
        ("Payload", Json::string(blob_text(event.as_bytes()))),
    ]);
    let call = AwsCall { service: "lambda".into(), action: "Invoke".into(), input };
    ask(peers, &place, call).await
}

async fn ask(peers: &dyn Peers, place: &Place, call: AwsCall) -> Result<(), Failed> {
    let Err(error) = peers.ask(place, call).await else { return Ok(()) };
    let reason = format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default());
    let is_throttled = error.status == 429 || error.code.contains("Throttl");
    match error.fault {
        Fault::Client if !is_throttled => Err(Failed::ForGood(reason)),
        Fault::Client | Fault::Server | Fault::Unreached => Err(Failed::ForNow(reason)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn delivery(url: &str) -> Delivery {
        let target = DeliveryTarget::Http(url.into());
        Delivery { subscription_arn: "arn".into(), target, body: "{}".into(), headers: Vec::new() }
    }

    #[test]
    fn what_failed_on_the_other_side_is_tried_again_and_no_longer_than_two_minutes() {
        for (status, expected) in [(200, "done"), (204, "done"), (302, "given up"), (404, "given up")] {
            let judged = match judged("u", status) {
                Ok(()) => "done",
                Err(Failed::ForGood(_)) => "given up",
                Err(Failed::ForNow(_)) => "again",
            };
            assert_eq!(judged, expected, "{status}");
        }
        for status in [429, 500, 503] {
            assert_eq!(judged("u", status), Err(Failed::ForNow(format!("u answered {status}"))));
        }
        let total: Duration = Retries { skips: false }.pauses().sum();
        assert!(total > Duration::from_secs(60) && total < Duration::from_secs(120), "{total:?}");
        assert!(Retries { skips: true }.pauses().sum::<Duration>() < Duration::from_millis(100));
    }

    #[test]
    fn an_address_that_is_not_public_is_not_asked_until_it_is_opened() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a listener");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = crate::local::Local::nowhere();
        let tried = |outside: Outside, url: &str| {
            let courier = Courier::new(runtime.handle().clone(), outside, Retries { skips: true });
            runtime.block_on(courier.try_once(&local, &delivery(url)))
        };
        for url in [format!("http://{address}/"), format!("https://localhost:{}/", address.port())] {
            let refused = tried(Outside::default(), &url);
            assert!(
                matches!(&refused, Err(Failed::ForGood(reason)) if reason.contains("--egress-allow")),
                "{refused:?}"
            );
        }
        let plain = tried(Outside::default(), "http://8.8.8.8/");
        assert!(matches!(&plain, Err(Failed::ForGood(reason)) if reason.contains("over https only")), "{plain:?}");
        assert!(listener.accept().is_err(), "nobody has come");
        drop(listener);
        let egress = Egress::allowing(vec!["127.0.0.0/8".parse().expect("a range")]);
        let opened = tried(Outside { egress, ..Outside::default() }, &format!("http://u:secret@{address}/"));
        assert!(
            matches!(&opened, Err(Failed::ForNow(reason)) if reason.contains("refused") && !reason.contains("secret")),
            "{opened:?}"
        );
    }

    #[test]
    fn users_stand_in_a_header() {
        let check = |url: &str, expected: (&str, Option<&str>)| {
            let (bare, user) = without_user(url);
            assert_eq!((bare.as_str(), user.map(basic).as_deref()), expected);
        };
        check("https://u:p%40@h:1/a@b?c", ("https://h:1/a@b?c", Some("Basic dTpwQA==")));
        check("https://h/a@b", ("https://h/a@b", None));
        check("h", ("h", None));
    }
}
