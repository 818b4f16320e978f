//! Deliveries on their way out of the process, or to a function in it.

use std::future::Future;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, Peers, Place, blob_text};
use stepwell_services::{Delivery, DeliveryTarget};
use stepwell_spec::Arn;
use tokio::runtime::Handle;

/// How long an endpoint may take, as AWS's SNS waits for one.
const TIME: Duration = Duration::from_secs(15);

/// Carries deliveries.
pub(super) struct Courier {
    runtime: Handle,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Courier {
    pub(super) fn new(runtime: Handle) -> Courier {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(TIME));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Courier { runtime, client }
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Makes a delivery, once. What goes wrong is said in the log, as AWS says it in a queue's metrics.
    pub(super) async fn carry(&self, peers: &dyn Peers, delivery: Delivery) {
        let subscription = delivery.subscription_arn.clone();
        let outcome = match &delivery.target {
            DeliveryTarget::Http(url) => self.post(url, &delivery).await,
            DeliveryTarget::Lambda(function) => invoke(peers, function, &delivery.body).await,
            DeliveryTarget::Call { place, call } => ask(peers, place, call.clone()).await,
        };
        if let Err(reason) = outcome {
            tracing::warn!(%subscription, %reason, "a delivery failed");
        }
    }

    async fn post(&self, url: &str, delivery: &Delivery) -> Result<(), String> {
        let mut request = Request::post(url);
        for (name, value) in &delivery.headers {
            request = request.header(&**name, &**value);
        }
        let request =
            request.body(Full::new(Bytes::from(delivery.body.to_string()))).map_err(|fault| fault.to_string())?;
        let sent = async {
            let answer = self.client.request(request).await.map_err(|fault| fault.to_string())?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            let _ = answer.into_body().collect().await;
            if status.is_success() { Ok(()) } else { Err(format!("{url} answered {status}")) }
        };
        tokio::time::timeout(TIME, sent).await.unwrap_or_else(|_| Err(format!("{url} did not answer in time")))
    }
}

/// Invokes a function and does not wait for what it makes of the event.
async fn invoke(peers: &dyn Peers, function: &str, event: &str) -> Result<(), String> {
    let Some(arn) = Arn::parse(function) else { return Err(format!("{function} is no function's ARN")) };
    let place = Place { account: arn.account.into(), region: arn.region.into() };
    let input = Json::object([
        ("FunctionName", Json::string(function)),
        ("InvocationType", Json::string("Event")),
        ("Payload", Json::string(blob_text(event.as_bytes()))),
    ]);
    let call = AwsCall { service: "lambda".into(), action: "Invoke".into(), input };
    ask(peers, &place, call).await
}

async fn ask(peers: &dyn Peers, place: &Place, call: AwsCall) -> Result<(), String> {
    match peers.ask(place, call).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default())),
    }
}
