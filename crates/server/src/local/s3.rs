//! S3, which speaks HTTP by itself: its objects are too large to be calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::{Request, Response};
use stepwell_protocol::{Answering, AwsCall, Peers, Place};
use stepwell_s3::{KeyRing, S3, S3Settings};

use super::host::{FromOutside, HttpHost, Responding, StreamFault, Streamed};
use super::{Local, WeakLocal};
use crate::clock::Clock;
use crate::credentials::Keyring;

/// The folder of the data directory.
const FOLDER: &str = "s3";

/// When an event is told again that nobody took. What is still not told when the server ends is told by the next one.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// The local S3 and its clock.
pub(crate) struct S3Host {
    s3: Arc<S3>,
    clock: Clock,
}

/// The services that are told of objects.
struct Told(WeakLocal);

impl Peers for Told {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        // Skipped time waits for what a bucket tells.
        let (on_its_way, answering) = (self.0.on_its_way(), self.0.ask(place, call));
        Box::pin(async move {
            let answer = answering.await;
            drop(on_its_way);
            answer
        })
    }
}

impl S3Host {
    /// Opens what is kept in the data directory.
    pub(crate) fn open(
        data: Option<PathBuf>,
        seed: [u8; 32],
        keyring: Option<&Keyring>,
        local: &Local,
        clock: &Clock,
    ) -> Result<S3Host, stepwell_s3::OpenError> {
        let keys = keyring.map(|keyring| Arc::new(keyring.clone()) as Arc<dyn KeyRing>);
        let settings = S3Settings {
            directory: data.map(|data| data.join(FOLDER)),
            seed,
            peers: Arc::new(Told(local.downgrade())),
            pauses: if clock.skips() { vec![Duration::ZERO; PAUSES.len()] } else { PAUSES.to_vec() },
            keys,
        };
        Ok(S3Host { s3: Arc::new(S3::open(settings)?), clock: clock.clone() })
    }

    /// Closes what is kept, when nobody asks any more.
    pub(crate) fn close(&self) {
        self.s3.close();
    }

    /// Tells again what was not told when the server last ended.
    pub(crate) fn tell_what_waits(&self) -> impl Future<Output = ()> + Send + 'static {
        let s3 = self.s3.clone();
        async move { s3.deliver_waiting_events().await }
    }
}

impl HttpHost for S3Host {
    fn answer(&self, place: &Place, request: Request<Streamed>) -> Responding {
        let (s3, place, now) = (self.s3.clone(), place.clone(), self.clock.moment().now);
        Box::pin(async move {
            let response = match request.extensions().get::<FromOutside>() {
                Some(FromOutside) => s3.answer(&place, request, now).await,
                None => s3.answer_trusted(&place, request, now).await,
            };
            let (parts, body) = response.into_parts();
            Response::from_parts(parts, body.map_err(StreamFault::new).boxed_unsync())
        })
    }
}
