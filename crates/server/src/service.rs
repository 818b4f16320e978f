//! Stands where the service comes in: nothing exists, and every call is refused as unavailable.

use stepwell_api::{Call, Outs, Refusal};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Command, Moment};
use stepwell_spec::{ProtocolError, Timestamp};

pub(crate) struct ServiceSettings {
    #[allow(dead_code, reason = "seals page tokens, of which there are none yet")]
    pub(crate) key: [u8; 32],
}

pub(crate) struct Service;

impl Service {
    pub(crate) fn new(_: &ServiceSettings) -> Service {
        Service
    }

    pub(crate) fn call(&mut self, call: Call, _: Moment) -> Outs {
        let refusal = Refusal::silent(ProtocolError::ServiceUnavailableException);
        Outs { replies: vec![(call.id, Err(refusal))], ..Outs::default() }
    }

    pub(crate) fn complete(&mut self, _: ExecutionId, _: Command, _: Moment) -> Outs {
        Outs::default()
    }

    pub(crate) fn tick(&mut self, _: Moment) -> Outs {
        Outs::default()
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        None
    }

    pub(crate) fn is_idle(&self) -> bool {
        true
    }

    pub(crate) fn forget_call(&mut self, _: u64) {}
}
