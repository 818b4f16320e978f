//! What happens when an input makes the services panic: they are opened again from what is durable, and whoever was at
//! work has a strike. After some of those an execution is left alone, so that nobody else notices more than a pause.
//!
//! Whoever asked for the input that panicked, or waited for what was only in memory, is told that it failed here; workers
//! that waited for a task ask again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use stepwell_api::{Laid, Outs, Refusal, Service, ServiceSettings, Ward};
use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault};
use stepwell_services::{Services, ServicesOuts, ServicesSettings};
use stepwell_spec::shapes::GetActivityTaskOutput;
use stepwell_spec::{Action, ProtocolError, Response, Text};
use stepwell_store::{Index, RowChange};

use super::Shard;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::shield::said;

/// Panics one after the other that are laid to nobody and that no caller asked for: what panics so will do so for ever.
const BLAMELESS_MAX: u32 = 5;

/// What the services are opened with, again and again.
pub(super) struct Ground {
    pub(super) index: Arc<dyn Index>,
    pub(super) settings: ServiceSettings,
    pub(super) services: ServicesSettings,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    ward: Ward,
    /// Panics in a row that nobody is to blame for.
    blameless: u32,
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
        Ground { index, settings, services, clock, metrics, ward: Ward::default(), blameless: 0 }
    }

    /// Opens the services. What panics while that is done has a strike, and is left alone in the end.
    pub(super) fn open(&mut self) -> Result<Opened, String> {
        loop {
            let opened = catch_unwind(AssertUnwindSafe(|| {
                let opened = Services::open(&self.services, &*self.index).map_err(|fault| fault.to_string());
                let (services, rows) = opened?;
                let mut settings = self.settings.clone();
                settings.heard.status_changes |= services.hears();
                let opened = Service::open_after(&settings, &self.ward, self.index.clone(), self.clock.moment());
                let (service, outs) = opened.map_err(|fault| fault.to_string())?;
                Ok(Opened { service, services, outs, rows })
            }));
            match opened {
                Ok(opened) => return opened,
                Err(panic) => {
                    if !self.lay(None, &said(&*panic), false) {
                        return Err("it panics whenever it is opened".to_owned());
                    }
                }
            }
        }
    }

    /// Lays a panic to somebody, and tells of it. `false` when there is no way on.
    fn lay(&mut self, service: Option<&Service>, because: &str, somebody_asked: bool) -> bool {
        self.metrics.panicked();
        let laid = match self.ward.lay(service.and_then(Service::last_turn), &*self.index, because) {
            Ok(laid) => laid,
            Err(fault) => {
                tracing::error!(%fault, because, "a panic, and nothing can be read");
                return false;
            }
        };
        let arn = match laid {
            Laid::To { execution, .. } => service.and_then(|service| service.arn_of(execution)),
            Laid::ToStart { .. } | Laid::ToNobody => None,
        };
        let arn: Text = arn.unwrap_or_default();
        tracing::error!(because, %laid, execution = &*arn, "a panic; opened again from what is durable. Please report this");
        self.blameless = if laid == Laid::ToNobody && !somebody_asked { self.blameless + 1 } else { 0 };
        self.blameless < BLAMELESS_MAX
    }
}

impl Shard {
    /// Opens the services again after a panic. `false` when that is not possible.
    pub(super) fn reopen(&mut self, panic: &(dyn Any + Send)) -> bool {
        let at_hand = std::mem::replace(&mut self.at_hand, AtHand::Own);
        // What was given to the writer counts, and only that.
        if !self.writer.settle() {
            return false;
        }
        if !self.ground.lay(Some(&self.service), &said(panic), at_hand != AtHand::Own) {
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
            // A worker's poll ends as it does after a minute without a task.
            let is_poll = action == Action::GetActivityTask && at_hand != AtHand::Call(id);
            caller.answer(match is_poll {
                true => Ok(Response::GetActivityTask(GetActivityTaskOutput { task_token: None, input: None })),
                false => Err(Refusal::silent(ProtocolError::InternalFailure)),
            });
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
