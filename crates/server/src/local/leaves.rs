//! The services that live in crates of their own, each a feature: opened together, and ended in their order.
//!
//! They are the ones with a database, files or processes, so that they have something to end.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::runtime::Runtime;

#[cfg(feature = "lambda")]
use super::Functions;
#[cfg(feature = "s3")]
use super::S3Host;
#[cfg(feature = "dynamodb")]
use super::Tables;
use super::{Host, Local};
use crate::clock::Clock;
use crate::credentials::Keyring;
use crate::server::StartError;
use crate::settings::Settings;

/// What they stand on.
#[cfg_attr(
    not(all(feature = "dynamodb", feature = "lambda", feature = "s3")),
    allow(dead_code, reason = "who is left out would read it")
)]
pub(crate) struct Ground<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) settings: &'a Settings,
    /// Without one, everybody is who they say they are.
    pub(crate) keyring: Option<&'a Keyring>,
    /// Chance, for what is sealed.
    pub(crate) key: [u8; 32],
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    pub(crate) clock: &'a Clock,
    /// The services they ask.
    pub(crate) local: &'a Local,
}

/// Those that have something to do when all are there, and when the server ends.
pub(crate) struct Leaves {
    #[cfg(feature = "lambda")]
    functions: Functions,
    #[cfg(feature = "s3")]
    buckets: std::sync::Arc<S3Host>,
}

impl Leaves {
    /// Opens what each of them keeps, and says who answers for it.
    #[cfg_attr(
        not(any(feature = "dynamodb", feature = "lambda", feature = "s3")),
        expect(unused_variables, clippy::unnecessary_wraps, reason = "there is nothing to open")
    )]
    pub(crate) fn open(ground: &Ground<'_>, hosts: &mut BTreeMap<&'static str, Host>) -> Result<Leaves, StartError> {
        #[cfg(feature = "dynamodb")]
        {
            let tables = Tables::open(ground.settings.data.as_deref(), ground.runtime.handle(), ground.clock.clone())
                .map_err(|fault| StartError::Refused(format!("what was kept cannot be taken up: {fault}")))?;
            let tables: std::sync::Arc<dyn stepwell_protocol::Peers> = std::sync::Arc::new(tables);
            hosts.extend(Tables::SERVICES.map(|name| (name, Host::Calls(tables.clone()))));
        }
        Ok(Leaves {
            #[cfg(feature = "lambda")]
            functions: {
                let Ground { runtime, settings, keyring, address, clock, local, .. } = ground;
                let functions = Functions::open(runtime, settings, *address, (*clock).clone(), local, *keyring)?;
                hosts.insert("lambda", functions.host());
                functions
            },
            #[cfg(feature = "s3")]
            buckets: {
                let Ground { runtime, settings, keyring, key, clock, local, .. } = ground;
                let buckets = S3Host::open(settings.data.clone(), *key, *keyring, local, clock)
                    .map_err(|fault| StartError::Refused(fault.to_string()))?;
                let buckets = std::sync::Arc::new(buckets);
                runtime.spawn(buckets.tell_what_waits());
                hosts.insert("s3", Host::Http(buckets.clone()));
                buckets
            },
        })
    }

    /// Makes what the settings name, now that the services can be asked.
    #[cfg_attr(
        not(feature = "lambda"),
        expect(unused_variables, clippy::unnecessary_wraps, reason = "functions alone are named")
    )]
    pub(crate) fn name(&self, ground: &Ground<'_>) -> Result<(), StartError> {
        #[cfg(feature = "lambda")]
        ground.runtime.block_on(self.functions.name(ground.settings))?;
        Ok(())
    }

    /// Goes on with what was accepted in another life, now that everything answers.
    pub(crate) fn resume(&self) {
        #[cfg(feature = "lambda")]
        self.functions.resume();
    }

    /// Ends processes, and waits until none is left.
    pub(crate) async fn shut_down(&self) {
        #[cfg(feature = "lambda")]
        self.functions.shut_down().await;
    }

    /// Closes files. Nobody asks any more.
    pub(crate) fn close(&self) {
        #[cfg(feature = "s3")]
        self.buckets.close();
    }
}
