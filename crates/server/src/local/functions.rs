//! The way to functions, which run as processes of this machine and end with the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use stepwell_lambda::{Lambda, LambdaSettings};
use stepwell_protocol::{Answering, AwsCall, Peers, Place};
use tokio::runtime::Runtime;

use super::{Host, Local};
use crate::clock::Clock;
use crate::credentials::Keyring;
use crate::server::StartError;
use crate::settings::{FunctionSource, Settings, Time};

/// Where functions are kept below the data directory.
const DIRECTORY: &str = "lambda";

/// The local Lambda.
#[derive(Clone)]
pub(crate) struct Functions {
    lambda: Arc<Lambda>,
    clock: Clock,
}

impl Functions {
    /// Opens what is kept. Functions ask the other services through `local`, and reach the server at its address.
    pub(crate) fn open(
        runtime: &Runtime,
        settings: &Settings,
        address: SocketAddr,
        clock: Clock,
        local: &Local,
        keyring: Option<&Keyring>,
    ) -> Result<Functions, StartError> {
        let mut told = LambdaSettings {
            endpoint: Some(endpoint_of(address)),
            keys: keyring.and_then(Keyring::function_keys),
            sandbox: settings.function_sandbox,
            hidden: settings.data.iter().chain(&settings.credentials).cloned().collect(),
            ..LambdaSettings::default()
        };
        if settings.time == Time::Skip {
            // Nobody waits for what nothing happens in.
            told.retry_delays = [Duration::ZERO; 2];
            told.long_polls = false;
        }
        let directory = settings.data.as_ref().map(|data| data.join(DIRECTORY));
        let _inside = runtime.enter();
        let lambda = Lambda::open(directory.as_deref(), told, Arc::new(local.downgrade()))
            .map_err(|fault| StartError::Refused(format!("cannot start: {fault}")))?;
        let lambda = Arc::new(lambda);
        let asked = lambda.clone();
        local.also_ask(move || asked.is_at_work());
        Ok(Functions { lambda, clock })
    }

    pub(crate) fn host(&self) -> Host {
        Host::Calls(Arc::new(self.clone()))
    }

    /// Makes functions of what the settings name.
    pub(crate) async fn name(&self, settings: &Settings) -> Result<(), StartError> {
        let place = Place { account: settings.account.as_str().into(), region: settings.region.as_str().into() };
        for function in &settings.functions {
            let named = match &function.runs {
                FunctionSource::Directory { path, entry } => {
                    self.lambda.register_directory(&place, &function.name, path, entry.as_deref()).await
                }
                FunctionSource::Url(url) => self.lambda.register_url(&place, &function.name, url),
            };
            named.map_err(|fault| StartError::Unusable(fault.to_string()))?;
        }
        Ok(())
    }

    /// Goes on with what was accepted in another life: the other services are there now.
    pub(crate) fn resume(&self) {
        self.lambda.resume();
    }

    /// Ends every process of a function.
    pub(crate) async fn shut_down(&self) {
        self.lambda.shut_down().await;
    }
}

impl Peers for Functions {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        let (lambda, place, now) = (self.lambda.clone(), place.clone(), self.clock.moment().now);
        Box::pin(async move { lambda.call(&place, call, now).await })
    }
}

/// Where a function of this machine reaches the server: by number, for `localhost` is two addresses to some.
fn endpoint_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
