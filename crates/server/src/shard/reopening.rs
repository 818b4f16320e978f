//! What happens when an input makes the services panic: they are opened again from what is durable, and whoever was at
//! work has a strike. After some of those an execution is left alone, so that nobody else notices more than a pause.
//!
//! Whoever asked for the input that panicked, or waited for what was only in memory, is told that it failed here; workers
//! that waited for a task ask again.

use std::any::Any;
use std::sync::Arc;

use stepwell_api::{Laid, Outs, Service, ServiceSettings, Ward, said, told_after_panic};
use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault};
use stepwell_services::{Services, ServicesOuts, ServicesSettings};
use stepwell_spec::Text;
use stepwell_store::{Index, RowChange, StoreError};

use super::Shard;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// What the services are opened with, again and again.
pub(super) struct Ground {
    pub(super) index: Arc<dyn Index>,
    pub(super) settings: ServiceSettings,
    pub(super) services: ServicesSettings,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    ward: Ward,
}

/// The services, and what they want done first.
pub(super) struct Opened {
    pub(super) service: Service,
    pub(super) services: Services,
    pub(super) outs: Outs,
    pub(super) rows: Vec<RowChange>,
}

/// What a shard is doing, for whoever finds it broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtHand {
    /// Something nobody waits for.
    Own,
    /// This call.
    Call(u64),
    /// This call of a local service.
    Ask(u64),
}

impl Ground {
    pub(super) fn new(
        index: Arc<dyn Index>,
        settings: ServiceSettings,
        services: ServicesSettings,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Ground {
        Ground { index, settings, services, clock, metrics, ward: Ward::default() }
    }

    /// Opens the services. What panics while that is done has a strike, and is left alone in the end.
    pub(super) fn open(&mut self) -> Result<Opened, String> {
        let Ground { index, settings, services, clock, metrics, ward } = self;
        let open = |ward: &Ward| {
            let (services, rows) = Services::open(services, &**index).map_err(|fault| fault.to_string())?;
            let mut settings = settings.clone();
            settings.heard.status_changes |= services.hears();
            let opened = Service::open_after(&settings, ward, index.clone(), clock.moment());
            let (service, outs) = opened.map_err(|fault| fault.to_string())?;
            Ok(Opened { service, services, outs, rows })
        };
        ward.open(&**index, open, |because, laid| tell(metrics, None, because, laid))
    }

    /// Lays a panic to somebody, and tells of it. `false` when there is no way on.
    fn lay(&mut self, service: &Service, because: &str, somebody_asked: bool) -> bool {
        let laid = self.ward.lay(service.last_turn(), &*self.index, because, somebody_asked);
        tell(&self.metrics, Some(service), because, &laid);
        laid.is_ok() && self.ward.sees_a_way_on()
    }
}

/// Tells those who run the server of a panic.
fn tell(metrics: &Metrics, service: Option<&Service>, because: &str, laid: &Result<Laid, StoreError>) {
    metrics.panicked();
    let laid = match laid {
        Ok(laid) => laid,
        Err(fault) => {
            tracing::error!(%fault, because, "a panic, and nothing can be read");
            return;
        }
    };
    let arn = match laid {
        Laid::To { execution, .. } | Laid::ToTheGone(execution) => {
            service.and_then(|service| service.arn_of(*execution))
        }
        Laid::ToStart { .. } | Laid::ToNobody => None,
    };
    let arn: Text = arn.unwrap_or_default();
    tracing::error!(because, %laid, execution = &*arn, "a panic; opened again from what is durable. Please report this");
}

impl Shard {
    /// Opens the services again after a panic. `false` when that is not possible.
    pub(super) fn reopen(&mut self, panic: &(dyn Any + Send)) -> bool {
        let at_hand = std::mem::replace(&mut self.at_hand, AtHand::Own);
        // What was given to the writer counts, and only that.
        if !self.writer.settle() {
            return false;
        }
        if !self.ground.lay(&self.service, &said(panic), at_hand != AtHand::Own) {
            return false;
        }
        let opened = match self.ground.open() {
            Ok(opened) => opened,
            Err(fault) => {
                tracing::error!(fault, "what was kept cannot be taken up");
                return false;
            }
        };
        let Opened { service, services, outs, rows } = opened;
        (self.service, self.services) = (service, services);
        self.kept_before = self.writer.kept();
        self.kept = 0;
        self.tell_the_waiting(at_hand);
        self.metrics.restart_executions();
        self.deliver(outs) && self.deliver_local(ServicesOuts { rows, ..ServicesOuts::default() })
    }

    /// Answers everybody whose call went with the service.
    fn tell_the_waiting(&mut self, at_hand: AtHand) {
        for (id, (action, caller)) in std::mem::take(&mut self.waiting) {
            caller.answer(told_after_panic(action, at_hand == AtHand::Call(id)));
        }
        for (_, caller) in std::mem::take(&mut self.asking) {
            caller.answer(Err(AwsError {
                code: "InternalFailure".into(),
                message: None,
                status: 500,
                fault: Fault::Server,
                request_id: "".into(),
                members: Json::empty_object(),
            }));
        }
    }
}
