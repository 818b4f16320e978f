//! How many there may be of everything, and what is told to those who want more.
//!
//! The numbers are AWS's. Which exception it is, the model says; the texts are ours, for no recording shows them.

use std::collections::BTreeMap;

use stepwell_spec::{Exception, Text, quota};

use super::{ActivityRow, Machine, kept_in};
use crate::refusal::Refusal;
use crate::service::Place;

/// The quotas a registry keeps to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) state_machines: usize,
    pub(super) activities: usize,
    pub(super) versions: usize,
    pub(super) aliases: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            state_machines: quota::STATE_MACHINES_MAX,
            activities: quota::ACTIVITIES_MAX,
            versions: quota::VERSIONS_MAX,
            aliases: quota::ALIASES_MAX,
        }
    }
}

impl Limits {
    /// Refuses one state machine more in this place.
    pub(super) fn check_state_machines(
        &self,
        machines: &BTreeMap<Text, Machine>,
        place: &Place,
    ) -> Result<(), Refusal> {
        match is_full(machines, place, "stateMachine:", self.state_machines) {
            false => Ok(()),
            true => {
                let message = format!("State Machine Limit Exceeded: '{}'", self.state_machines);
                Err(Refusal::new(Exception::StateMachineLimitExceeded, message))
            }
        }
    }

    /// Refuses one activity more in this place.
    pub(super) fn check_activities(
        &self,
        activities: &BTreeMap<Text, ActivityRow>,
        place: &Place,
    ) -> Result<(), Refusal> {
        match is_full(activities, place, "activity:", self.activities) {
            false => Ok(()),
            true => {
                let message = format!("Activity Limit Exceeded: '{}'", self.activities);
                Err(Refusal::new(Exception::ActivityLimitExceeded, message))
            }
        }
    }

    /// Refuses one version more of this state machine.
    pub(super) fn check_versions(&self, machine: &Machine) -> Result<(), Refusal> {
        check_count(machine.versions.len(), self.versions, "versions")
    }

    /// Refuses one alias more of this state machine.
    pub(super) fn check_aliases(&self, machine: &Machine) -> Result<(), Refusal> {
        check_count(machine.aliases.len(), self.aliases, "aliases")
    }
}

fn check_count(count: usize, max: usize, what: &str) -> Result<(), Refusal> {
    match count < max {
        true => Ok(()),
        false => {
            let message = format!("A state machine may have {max} {what} at most");
            Err(Refusal::new(Exception::ServiceQuotaExceededException, message))
        }
    }
}

/// Those of one place are only counted when all places together have as many.
fn is_full<R>(rows: &BTreeMap<Text, R>, place: &Place, kind: &str, max: usize) -> bool {
    rows.len() >= max && kept_in(rows, place, kind).count() >= max
}
