//! The local S3: opens what is kept, and answers requests.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body as _;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result};
use stepwell_protocol::{Peers, Place};
use stepwell_spec::Timestamp;
use subtle::ConstantTimeEq as _;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::actions::Service;
use crate::asker::Asker;
use crate::chunks::Trailers;
use crate::core::Core;
use crate::door::{About, Target, answered, boxed, check_action, check_expiry, claimed_key, refused, unsigned};
use crate::events;
use crate::names::{Hosts, OnceAllowed};
use crate::refusal::{self, Refusal};
use crate::store::Store;
use crate::unread::lend;

/// Where buckets are kept, and who else there is.
pub struct S3Settings {
    /// The folder for buckets; None: they are kept in memory.
    pub directory: Option<PathBuf>,
    /// What ids are drawn from.
    pub seed: [u8; 32],
    /// Who is told of what happens to objects.
    pub peers: Arc<dyn Peers>,
    /// How long to wait before an event is told again that could not be delivered: once for each pause.
    pub pauses: Vec<Duration>,
    /// Who may ask from outside. None: anybody, however a request is signed.
    pub keys: Option<Arc<dyn KeyRing>>,
}

/// The keys that may sign.
pub trait KeyRing: Send + Sync {
    /// The key of this id, or what it would have to be when it came with this token.
    fn find(&self, id: &str, token: Option<&str>) -> Option<Key>;
}

impl KeyRing for Vec<Key> {
    fn find(&self, id: &str, _: Option<&str>) -> Option<Key> {
        self.iter().find(|key| key.id == id).cloned()
    }
}

/// An access key that may sign requests.
#[derive(Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The token of temporary credentials.
    pub token: Option<String>,
    /// From when on it is worth nothing.
    pub expires: Option<Timestamp>,
    /// The account it belongs to.
    pub account: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("account", &self.account).finish_non_exhaustive()
    }
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// What was kept cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    directory: Option<PathBuf>,
    source: io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.directory {
            Some(directory) => write!(f, "the buckets in {} cannot be opened: {}", directory.display(), self.source),
            None => write!(f, "no buckets can be kept in memory: {}", self.source),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[derive(Clone)]
struct Keys(Arc<dyn KeyRing>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let unknown = || Refusal::of(refusal::UNKNOWN_ACCESS_KEY).with("AWSAccessKeyId", access_key);
        Ok(self.0.find(access_key, None).map(|key| SecretKey::from(key.secret)).ok_or_else(unknown)?)
    }
}

/// All buckets of one server.
pub struct S3 {
    core: Arc<Core>,
    /// Asks nobody for a signature.
    trusting: S3Service,
    /// Asks everybody for one by these keys.
    verifying: Option<(S3Service, Keys)>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("verifies", &self.verifying.is_some()).finish_non_exhaustive()
    }
}

impl S3 {
    /// Opens what is kept. Sweeps what a crash left behind.
    pub fn open(settings: S3Settings) -> Result<S3, OpenError> {
        let S3Settings { directory, seed, peers, pauses, keys } = settings;
        let store = Store::open(directory.as_deref()).map_err(|source| OpenError { directory, source })?;
        let core = Core::new(store, peers, pauses, seed);
        let builder = || {
            let mut builder = S3ServiceBuilder::new(Service(core.clone()));
            builder.set_validation(OnceAllowed);
            builder.set_host(Hosts);
            builder
        };
        let verifying = keys.map(|keys| {
            let keys = Keys(keys);
            let mut builder = builder();
            builder.set_auth(keys.clone());
            (builder.build(), keys)
        });
        let trusting = builder().build();
        Ok(S3 { core, trusting, verifying })
    }

    /// Closes what is kept: the next opening is quicker. Whoever asks afterwards is told of an internal error.
    pub fn close(&self) {
        self.core.store.kept().close();
    }

    /// Tells events again that were not delivered when the process last ended. Call it once the peers can be asked.
    pub async fn deliver_waiting_events(&self) {
        let waiting = match self.core.store.view(|view| view.waiting_events()) {
            Ok(waiting) => waiting,
            Err(refusal) => return tracing::error!(%refusal, "events of S3 that wait cannot be read"),
        };
        for (number, event) in waiting {
            match serde_json::from_slice(&event) {
                Ok(event) => events::deliver(&self.core, number, &event).await,
                Err(error) => tracing::error!(number, %error, "an event of S3 that waits cannot be read"),
            }
        }
    }

    /// Answers a request from outside, which comes for this place at this moment: where there are keys, only one that is
    /// signed by one of them, and then for that key's account. Bodies stream in both directions.
    pub async fn answer<B>(&self, place: &Place, request: Request<B>, now: Timestamp) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match &self.verifying {
            None => self.carry(place, request, now, Trust::Anybody).await,
            Some((service, keys)) => self.carry(place, request, now, Trust::Keys(service, keys)).await,
        }
    }

    /// Answers a request of this process, for which nobody need sign.
    pub async fn answer_trusted<B>(&self, place: &Place, request: Request<B>, now: Timestamp) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.carry(place, request, now, Trust::Process).await
    }

    async fn carry<B>(&self, place: &Place, request: Request<B>, now: Timestamp, trust: Trust<'_>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (request_id, host_id) = self.core.request_ids();
        let target = Target::of(request.uri(), request.headers());
        let head = *request.method() == Method::HEAD;
        let query = request.uri().query().unwrap_or_default();
        let attributes = query.split('&').any(|pair| pair.split('=').next() == Some("attributes"));
        let about = About { request_id: &request_id, host_id: &host_id, target: &target, head, attributes };
        let (parts, body) = request.into_parts();
        let (body, rest) = lend(body);
        let response = self.respond(place, Request::from_parts(parts, body), now, trust, &about).await;
        rest.discard().await;
        response
    }

    async fn respond<B>(
        &self,
        place: &Place,
        request: Request<B>,
        now: Timestamp,
        trust: Trust<'_>,
        about: &About<'_>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let account = match asking(&trust, place, &request, now) {
            Ok(account) => account,
            Err(refusal) => return refused(&refusal, about),
        };
        if let Err(refusal) = self.check(account.as_deref(), &request, about.target, now) {
            return refused(&refusal, about);
        }
        let account = account.map_or_else(|| place.account.clone(), Arc::from);
        let place = Place { account, region: place.region.clone() };
        let trailers = Trailers::default();
        let ids = (about.request_id.clone(), about.host_id.clone());
        let asker = Asker::new(&place, now, ids, request.headers(), trailers.clone());
        let (service, mut request) = match trust {
            Trust::Keys(service, _) => (service, request.map(boxed)),
            Trust::Anybody | Trust::Process => (&self.trusting, unsigned(request, trailers)),
        };
        // s3s asks for the header, which a request that never was on a wire need not have.
        if let Some(length) = request.body().size_hint().exact()
            && !request.headers().contains_key(CONTENT_LENGTH)
        {
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        if let Some(token) = token_of_version_2(request.uri()) {
            request.headers_mut().entry("x-amz-security-token").or_insert(token);
        }
        request.extensions_mut().insert(asker.clone());
        // s3s calls each refusal an error of its own; what is one is said below.
        match service.call(request).with_subscriber(NoSubscriber::default()).await {
            Ok(response) => {
                let refusal = asker.refusal();
                if let Some(broken) = refusal.as_ref().filter(|refusal| refusal.is_broken()) {
                    tracing::error!(request_id = %about.request_id, refusal = %broken, "S3 failed");
                }
                answered(response, refusal, about).await
            }
            Err(error) => refused(&Refusal::broken(format_args!("{error:?}")), about),
        }
    }

    /// What is refused whatever the action is.
    fn check<B>(
        &self,
        account: Option<&str>,
        request: &Request<B>,
        target: &Target,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        check_expiry(uri, now)?;
        check_action(method, target, uri, headers)?;
        if target.bucket.is_empty() {
            return Ok(());
        }
        let Some((bucket, open)) = self.core.store.view(|view| {
            let Some(bucket) = view.bucket_if_any(&target.bucket)? else { return Ok(None) };
            let open = view.setting(bucket.number, "policy")?.is_some();
            Ok(Some((bucket, open)))
        })?
        else {
            return Ok(());
        };
        let expected = headers.get("x-amz-expected-bucket-owner");
        if expected.is_some_and(|expected| expected.as_bytes() != bucket.account.as_bytes()) {
            return Err(Refusal::of(refusal::ACCESS_DENIED));
        }
        // Whoever makes a bucket whose name is taken is told so. A policy is not read, but one who has set it means
        // somebody else.
        let foreign = account.is_some_and(|account| account != bucket.account);
        if foreign && !open && !makes_bucket(method, uri, target) {
            return Err(Refusal::of(refusal::ACCESS_DENIED));
        }
        Ok(())
    }
}

/// Whom a request is believed.
enum Trust<'a> {
    /// It is this process's own.
    Process,
    /// It is what it says.
    Anybody,
    /// It is who signed it.
    Keys(&'a S3Service, &'a Keys),
}

/// The account that asks; None: somebody who does not say who they are, where that is nobody's business.
fn asking<B>(
    trust: &Trust<'_>,
    place: &Place,
    request: &Request<B>,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    match trust {
        Trust::Process => Ok(Some(place.account.to_string())),
        Trust::Keys(_, keys) => signer(keys, request, now).map(|key| Some(key.account)),
        Trust::Anybody => {
            let claimed = claimed_key(request.uri(), request.headers())?.map(|claim| claim.access_key_id);
            let is_account = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
            Ok(claimed.map(|id| if is_account(&id) { id } else { place.account.to_string() }))
        }
    }
}

/// The key a request says it is signed by. That it is, s3s finds out; that there is but one, this does.
fn signer<B>(keys: &Keys, request: &Request<B>, now: Timestamp) -> Result<Key, Refusal> {
    let claim = claimed_key(request.uri(), request.headers())?;
    let claim = claim.ok_or_else(|| Refusal::of(refusal::ACCESS_DENIED))?;
    let unknown = || Refusal::of(refusal::UNKNOWN_ACCESS_KEY).with("AWSAccessKeyId", &claim.access_key_id);
    let key = keys.0.find(&claim.access_key_id, claim.token.as_deref()).ok_or_else(unknown)?;
    let is_its = match (&key.token, &claim.token) {
        (Some(wanted), Some(token)) => bool::from(wanted.as_bytes().ct_eq(token.as_bytes())),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !is_its {
        return Err(Refusal::of(("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")));
    }
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::of(("ExpiredToken", 400, "The provided token has expired.")));
    }
    Ok(key)
}

/// The token of a URL that is signed in version 2 of signatures. It is signed as the header of its name is, where s3s looks
/// for it.
fn token_of_version_2(uri: &Uri) -> Option<HeaderValue> {
    let is_signed = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("AWSAccessKeyId=")));
    let claim = claimed_key(uri, &HeaderMap::new()).ok().flatten().filter(|_| is_signed)?;
    HeaderValue::from_str(&claim.token?).ok()
}

fn makes_bucket(method: &Method, uri: &Uri, target: &Target) -> bool {
    *method == Method::PUT && target.key.is_empty() && uri.query().is_none_or(|query| query.starts_with("x-id="))
}
