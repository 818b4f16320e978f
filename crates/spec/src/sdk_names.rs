//! AWS SDK integrations: what `arn:aws:states:::aws-sdk:SERVICE:ACTION` may name.
//!
//! Every action of every service, spelled as `Resource` spells it: the service as the package of AWS's SDK for Java 2 has it,
//! the action with a small first letter. Made from AWS's service models by `cargo xtask model`; services AWS has given up
//! stay, because definitions that name them still exist. Names alone: what an action takes is elsewhere.

use std::sync::OnceLock;

/// A line for each service: its name, botocore's name for it, its actions.
static LINES: &str = include_str!("sdk_names.txt");

/// A service that can be called as an AWS SDK integration.
#[derive(Clone, Copy, Debug)]
pub struct SdkService {
    /// As `Resource` spells it: `eventbridge`.
    pub name: &'static str,
    /// As botocore and the AWS command line spell it: `events`.
    pub botocore_name: &'static str,
    actions: &'static str,
}

impl SdkService {
    /// What can be called, as `Resource` spells it.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.actions.split(' ')
    }

    /// Whether it has an action of this name. The first letter may be a capital, as the API spells it: published
    /// definitions have both.
    pub fn has_action(&self, name: &str) -> bool {
        let Some((first, rest)) = name.split_at_checked(1) else { return false };
        let is_it = |action: &str| {
            action.split_at_checked(1).is_some_and(|(own, end)| own.eq_ignore_ascii_case(first) && end == rest)
        };
        self.actions().any(is_it)
    }
}

/// Every service, by name.
pub fn sdk_services() -> &'static [SdkService] {
    static SERVICES: OnceLock<Vec<SdkService>> = OnceLock::new();
    SERVICES.get_or_init(|| LINES.lines().filter_map(read).collect())
}

/// The service of `aws-sdk:NAME`.
pub fn sdk_service(name: &str) -> Option<&'static SdkService> {
    let services = sdk_services();
    let place = services.binary_search_by(|service| service.name.cmp(name)).ok()?;
    services.get(place)
}

/// The service of a line; a comment has none.
fn read(line: &'static str) -> Option<SdkService> {
    let (name, rest) = line.split_once(' ').filter(|(name, _)| *name != "#")?;
    let (botocore_name, actions) = rest.split_once(' ')?;
    Some(SdkService { name, botocore_name, actions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_service_with_actions() {
        let services = sdk_services();
        assert_eq!(services.len() + 1, LINES.lines().count());
        assert!(services.is_sorted_by(|one, other| one.name < other.name));
        for service in services {
            assert!(service.actions().all(|action| action.starts_with(|first: char| first.is_ascii_lowercase())));
        }
    }

    #[test]
    fn actions_are_found_by_the_names_tasks_use() {
        for (service, action, expected) in [
            ("sfn", "startExecution", true),
            ("rds", "describeDBInstances", true),
            ("rds", "describeDbInstances", false),
            ("rds", "DescribeDBInstances", true),
            ("rds", "", false),
            // AWS has given these up.
            ("iotanalytics", "createDataset", true),
            ("lookoutvision", "startModel", true),
        ] {
            let found = sdk_service(service).is_some_and(|service| service.has_action(action));
            assert_eq!(found, expected, "{service}:{action}");
        }
        assert!(sdk_service("stepfunctions").is_none());
        assert_eq!(sdk_service("eventbridge").map(|service| service.botocore_name), Some("events"));
    }
}
