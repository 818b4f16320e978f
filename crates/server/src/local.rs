//! The services of this process: who answers for each, and how calls of tasks, clients and other services come to them.
//!
//! A task's call comes as the very request that would have gone over the network, so that a task cannot tell where its
//! service is.

mod deliveries;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "lambda")]
mod functions;
mod host;
mod leaves;
mod own;
mod pure;
mod route;
#[cfg(feature = "s3")]
mod s3;
mod wire;

use std::collections::BTreeMap;
#[cfg(any(feature = "lambda", feature = "s3"))]
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use stepwell_protocol::{
    Answering, AwsAnswer, AwsCall, AwsError, Fault, HttpAnswer, HttpRequest, Peers, Place, decode_response,
    encode_request,
};
use stepwell_services::{Asker, Delivery};
use tokio::runtime::Handle;

pub(crate) use deliveries::Outside;
#[cfg(feature = "dynamodb")]
pub(crate) use dynamodb::Tables;
#[cfg(feature = "lambda")]
pub(crate) use functions::Functions;
pub(crate) use host::{FromOutside, Host, HttpHost, StreamFault, Streamed, whole};
pub(crate) use leaves::{Ground, Leaves};
pub(crate) use own::OwnApi;
pub(crate) use pure::Pure;
pub(crate) use route::{Meant, meant};
#[cfg(feature = "s3")]
pub(crate) use s3::S3Host;
pub(crate) use wire::{refusal, request_of};

use crate::carrier::operation_of;
use crate::clock::Clock;
use deliveries::{Courier, Retries};

/// All local services. Clones are the same ones.
#[derive(Clone)]
pub(crate) struct Local(Arc<Inner>);

struct Inner {
    /// By botocore's names. Set once, before the first request.
    hosts: OnceLock<BTreeMap<&'static str, Host>>,
    clock: Clock,
    courier: Courier,
    /// Deliveries on their way.
    busy: AtomicUsize,
    /// Says whether a service does something that nobody waits for. Set at most once, before the first request.
    at_work: OnceLock<Box<AtWork>>,
}

/// Says whether a service does something that nobody waits for.
type AtWork = dyn Fn() -> bool + Send + Sync;

/// The same, without keeping them there: what a service of them has of the others.
#[cfg(any(feature = "lambda", feature = "s3"))]
pub(crate) struct WeakLocal(Weak<Inner>);

#[cfg(feature = "s3")]
impl WeakLocal {
    /// Something is on its way for as long as the value is there.
    pub(crate) fn on_its_way(&self) -> Option<OnItsWay> {
        self.0.upgrade().map(|inner| Local(inner).on_its_way())
    }
}

#[cfg(any(feature = "lambda", feature = "s3"))]
impl Peers for WeakLocal {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        match self.0.upgrade().map(Local) {
            Some(local) => local.ask(place, call),
            None => {
                let error = client_error("ServiceUnavailable", "the server is ending", "");
                let error = AwsError { status: 503, fault: Fault::Server, ..error };
                Box::pin(async move { Err(error) })
            }
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").field("services", &self.names()).finish_non_exhaustive()
    }
}

impl Local {
    /// No services yet.
    pub(crate) fn new(runtime: Handle, clock: Clock, outside: Outside) -> Local {
        let retries = Retries::of(&clock);
        let (hosts, courier) = (OnceLock::new(), Courier::new(runtime, outside, retries));
        Local(Arc::new(Inner { hosts, clock, courier, busy: AtomicUsize::new(0), at_work: OnceLock::new() }))
    }

    /// None, and nobody to carry anything.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Local {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let clock = Clock::new(crate::settings::Time::Real, 7);
        Local::new(runtime.handle().clone(), clock, Outside::default())
    }

    /// Says who answers for each service. Once.
    pub(crate) fn open(&self, hosts: BTreeMap<&'static str, Host>) {
        // A second time would be a fault of this program, and the first hosts stand.
        let is_first = self.0.hosts.set(hosts).is_ok();
        debug_assert!(is_first, "services are opened once");
    }

    /// A way to them that does not keep them.
    #[cfg(any(feature = "lambda", feature = "s3"))]
    pub(crate) fn downgrade(&self) -> WeakLocal {
        WeakLocal(Arc::downgrade(&self.0))
    }

    fn host(&self, service: &str) -> Option<&Host> {
        self.0.hosts.get()?.get(service)
    }

    /// Whether a service is served here.
    pub(crate) fn serves(&self, service: &str) -> bool {
        self.host(service).is_some()
    }

    /// The services served here.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.hosts.get().map(|hosts| hosts.keys().copied().collect()).unwrap_or_default()
    }

    /// What speaks HTTP by itself for this service.
    pub(crate) fn http(&self, service: &str) -> Option<&Arc<dyn HttpHost>> {
        match self.host(service)? {
            Host::Http(host) => Some(host),
            Host::Pure(_) | Host::Calls(_) => None,
        }
    }

    /// Answers a request that a task makes, as if it had come and gone over the network.
    pub(crate) async fn answer_task(&self, service: &str, place: &Place, request: HttpRequest) -> HttpAnswer {
        let mut answer = self.answer(service, place, request).await;
        for (name, value) in [("Content-Length", answer.body.len().to_string()), ("Date", self.date())] {
            if answer.header(name).is_none() {
                answer.headers.push((name.to_owned(), value));
            }
        }
        answer
    }

    /// Answers a request of a service.
    pub(crate) async fn answer(&self, service: &str, place: &Place, request: HttpRequest) -> HttpAnswer {
        match self.host(service) {
            Some(Host::Pure(host)) => wire::answer(service, &**host, place, request, || self.request_id()).await,
            Some(Host::Calls(host)) => wire::answer(service, &**host, place, request, || self.request_id()).await,
            Some(Host::Http(host)) => host::answer_whole(&**host, place, request).await,
            None => refusal(service, &not_served(service, &self.names(), &self.request_id())),
        }
    }

    /// Sends out what a service delivers.
    pub(crate) fn deliver(&self, delivery: Delivery) {
        let on_its_way = self.on_its_way();
        self.0.courier.spawn(async move {
            let local = &on_its_way.0;
            local.0.courier.carry(local, delivery).await;
        });
    }

    fn on_its_way(&self) -> OnItsWay {
        self.0.busy.fetch_add(1, Ordering::Relaxed);
        OnItsWay(self.clone())
    }

    /// Whether something is on its way that no execution waits for: virtual time must not run away from it.
    pub(crate) fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::Relaxed) > 0 || self.0.at_work.get().is_some_and(|is_at_work| is_at_work())
    }

    /// Asks this too whether something is on its way.
    #[cfg(feature = "lambda")]
    pub(crate) fn also_ask(&self, is_at_work: impl Fn() -> bool + Send + Sync + 'static) {
        // A second time would be a fault of this program, and the first one stands.
        let is_first = self.0.at_work.set(Box::new(is_at_work)).is_ok();
        debug_assert!(is_first, "one service is asked");
    }

    /// The time, as headers have it.
    fn date(&self) -> String {
        let since_epoch = Duration::from_millis(u64::try_from(self.0.clock.moment().now.0).unwrap_or(0));
        httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)
    }

    fn request_id(&self) -> String {
        stepwell_interpreter::Chance::new(self.0.clock.moment()).uuid()
    }
}

/// Something that is on its way, however it comes to its end.
pub(crate) struct OnItsWay(Local);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Peers for Local {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        match self.host(&call.service) {
            Some(Host::Pure(host)) => host.ask_as(Asker::Service, place, call),
            Some(Host::Calls(host)) => host.ask(place, call),
            Some(Host::Http(host)) => {
                let (host, place, token) = (host.clone(), place.clone(), self.request_id());
                Box::pin(async move { ask_over_http(&*host, &place, &call, token).await })
            }
            None => {
                let error = not_served(&call.service, &self.names(), &self.request_id());
                Box::pin(async move { Err(error) })
            }
        }
    }
}

/// A call of a service that speaks HTTP by itself.
async fn ask_over_http(host: &dyn HttpHost, place: &Place, call: &AwsCall, token: String) -> AwsAnswer {
    let Some((service, operation)) = operation_of(call) else {
        return Err(unknown_operation(&call.service, &call.action, &token));
    };
    let request = encode_request(service, operation, &call.input, &mut || token.clone())
        .map_err(|unfit| client_error("ValidationException", &unfit.to_string(), &token))?;
    decode_response(service, operation, &host::answer_whole(host, place, request).await)
}

fn unknown_operation(service: &str, action: &str, request_id: &str) -> AwsError {
    client_error("UnknownOperationException", &format!("{service} has no operation {action}"), request_id)
}

/// An error that is the request's fault.
pub(crate) fn client_error(code: &str, message: &str, request_id: &str) -> AwsError {
    AwsError {
        code: code.into(),
        message: Some(message.into()),
        status: 400,
        fault: Fault::Client,
        request_id: request_id.into(),
        members: stepwell_json::Json::empty_object(),
    }
}

/// A service of AWS that nobody here stands in for.
fn not_served(service: &str, served: &[&str], request_id: &str) -> AwsError {
    let message = format!("{service} is not served here; there are {}", served.join(", "));
    client_error("UnknownOperationException", &message, request_id)
}
