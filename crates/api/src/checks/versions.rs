//! Aliases: where they route to.

use stepwell_spec::ValidationExceptionReason;
use stepwell_spec::shapes::{CreateStateMachineAliasInput, RoutingConfigurationListItem, UpdateStateMachineAliasInput};

use crate::arns::MachineRef;
use crate::refusal::Refusal;

pub(super) fn check_create_alias(request: &CreateStateMachineAliasInput) -> Result<(), Refusal> {
    check_routing(&request.routing_configuration).map(drop)
}

pub(super) fn check_update_alias(request: &UpdateStateMachineAliasInput) -> Result<(), Refusal> {
    let (alias, _) = MachineRef::parse_alias(&request.state_machine_alias_arn)?;
    match &request.routing_configuration {
        Some(routes) => {
            let machine = check_routing(routes)?;
            let is_same =
                (&machine.name, &machine.account, &machine.region) == (&alias.name, &alias.account, &alias.region);
            if is_same { Ok(()) } else { Err(refuse("Routing configuration must be of the alias's state machine")) }
        }
        None if request.description.is_none() => {
            let message = "Either the description or the routing configuration must be specified";
            Err(Refusal::invalid_request(message).because(ValidationExceptionReason::MissingRequiredParameter))
        }
        None => Ok(()),
    }
}

/// Refuses routes that are not to distinct versions of one state machine with weights that sum to 100; answers which
/// state machine that is.
fn check_routing(routes: &[RoutingConfigurationListItem]) -> Result<MachineRef, Refusal> {
    let arns: Vec<&str> = routes.iter().map(|route| &*route.state_machine_version_arn).collect();
    let received = || format!("Received: [{}]", arns.join(", "));
    let mut machines = Vec::new();
    for arn in &arns {
        let machine = MachineRef::parse(arn)?;
        if MachineRef::parse_version(arn).is_err() {
            return Err(refuse(&format!(
                "Routing configuration must contain state machine version ARNs. {}",
                received()
            )));
        }
        machines.push(MachineRef { qualifier: None, ..machine });
    }
    if arns.iter().enumerate().any(|(place, arn)| arns[..place].contains(arn)) {
        return Err(refuse(&format!(
            "Routing configuration must contain distinct state machine version ARNs. {}",
            received()
        )));
    }
    let weights: Vec<i64> = routes.iter().map(|route| route.weight).collect();
    if weights.iter().sum::<i64>() != 100 {
        return Err(refuse(&format!("Sum of routing configuration weights must equal 100. Received: {weights:?}")));
    }
    let first = machines.first().cloned().ok_or_else(|| refuse("Routing configuration must not be empty"))?;
    match machines.iter().all(|machine| *machine == first) {
        true => Ok(first),
        false => Err(refuse(&format!(
            "Routing configuration must contain versions of the same state machine. {}",
            received()
        ))),
    }
}

fn refuse(message: &str) -> Refusal {
    Refusal::invalid_request(message).because(ValidationExceptionReason::InvalidRoutingConfiguration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(routes: &[(&str, i64)]) -> String {
        let routes: Vec<_> = routes
            .iter()
            .map(|(arn, weight)| RoutingConfigurationListItem {
                state_machine_version_arn: format!("arn:aws:states:us-east-1:123456789012:stateMachine:{arn}").into(),
                weight: *weight,
            })
            .collect();
        let told = check_routing(&routes).err().and_then(|refusal| refusal.message().map(str::to_owned));
        told.unwrap_or_default().replace("arn:aws:states:us-east-1:123456789012:stateMachine:", "")
    }

    #[test]
    fn routes_lead_to_versions_of_one_machine_and_sum_to_100() {
        assert_eq!(told(&[("m:1", 100)]), "");
        assert_eq!(told(&[("m:1", 70), ("m:2", 30)]), "");
        assert_eq!(
            told(&[("m:1", 70), ("m:2", 29)]),
            "Sum of routing configuration weights must equal 100. Received: [70, 29]"
        );
        assert_eq!(
            told(&[("m:1", 70), ("m:2", 31)]),
            "Sum of routing configuration weights must equal 100. Received: [70, 31]"
        );
        assert_eq!(
            told(&[("m", 70), ("m:2", 30)]),
            "Routing configuration must contain state machine version ARNs. Received: [m, m:2]"
        );
        assert_eq!(told(&[("m", 100)]), "Routing configuration must contain state machine version ARNs. Received: [m]");
        assert_eq!(
            told(&[("m:1", 50), ("m:1", 50)]),
            "Routing configuration must contain distinct state machine version ARNs. Received: [m:1, m:1]"
        );
        assert!(told(&[("m:1", 50), ("n:1", 50)]).contains("same state machine"));
        assert!(!told(&[]).is_empty());
    }

    #[test]
    fn an_alias_changes_something_of_its_own_machine() {
        let arn = |resource: &str| format!("arn:aws:states:us-east-1:123456789012:stateMachine:{resource}");
        let check = |description: Option<&str>, route: Option<&str>| {
            check_update_alias(&UpdateStateMachineAliasInput {
                state_machine_alias_arn: arn("m:PROD").into(),
                description: description.map(Into::into),
                routing_configuration: route.map(|route| {
                    vec![RoutingConfigurationListItem { state_machine_version_arn: arn(route).into(), weight: 100 }]
                }),
            })
            .is_ok()
        };
        assert!(check(Some("d"), None) && check(None, Some("m:1")));
        assert!(!check(None, None) && !check(None, Some("n:1")));
    }
}
