//! How often AWS lets an account call each action: token buckets, per account and region.

use crate::actions::Action;

/// A token bucket: calls take one token each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Tokens it holds when it is full.
    pub size: u32,
    /// Tokens it gets back each second.
    pub refill_per_second: u32,
}

/// One action's buckets.
#[derive(Clone, Copy, Debug)]
pub struct ThrottleRow {
    /// The action.
    pub action: Action,
    /// In the regions of [`LARGE_REGIONS`].
    pub large: Bucket,
    /// In all others.
    pub other: Bucket,
}

/// The regions with larger buckets: N. Virginia, Oregon and Ireland.
pub const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

const fn bucket(size: u32, refill_per_second: u32) -> Bucket {
    Bucket { size, refill_per_second }
}

const fn row(action: Action, size: u32, refill_per_second: u32) -> ThrottleRow {
    let everywhere = bucket(size, refill_per_second);
    ThrottleRow { action, large: everywhere, other: everywhere }
}

const fn two(action: Action, large: Bucket, other: Bucket) -> ThrottleRow {
    ThrottleRow { action, large, other }
}

/// Every action AWS gives a bucket.
///
/// `StartExecution` has the numbers of Standard workflows; those of Express ones are 6,000 and 6,000. `StartSyncExecution`
/// has none: AWS says that capacity is found on demand.
///
/// Source: Developer Guide, Service quotas, "Quotas related to API action throttling".
pub const THROTTLES: &[ThrottleRow] = &[
    row(Action::CreateActivity, 100, 1),
    row(Action::CreateStateMachine, 100, 1),
    row(Action::CreateStateMachineAlias, 100, 1),
    row(Action::DeleteActivity, 100, 1),
    row(Action::DeleteStateMachine, 100, 1),
    row(Action::DeleteStateMachineAlias, 100, 1),
    row(Action::DeleteStateMachineVersion, 100, 1),
    row(Action::DescribeActivity, 200, 1),
    two(Action::DescribeExecution, bucket(300, 15), bucket(250, 10)),
    row(Action::DescribeMapRun, 200, 1),
    row(Action::DescribeStateMachine, 200, 20),
    row(Action::DescribeStateMachineAlias, 200, 1),
    row(Action::DescribeStateMachineForExecution, 200, 1),
    two(Action::GetActivityTask, bucket(3_000, 500), bucket(1_500, 300)),
    row(Action::GetExecutionHistory, 400, 20),
    two(Action::ListActivities, bucket(100, 10), bucket(100, 5)),
    two(Action::ListExecutions, bucket(200, 5), bucket(100, 2)),
    row(Action::ListMapRuns, 100, 1),
    row(Action::ListStateMachineAliases, 100, 1),
    row(Action::ListStateMachines, 100, 5),
    row(Action::ListStateMachineVersions, 100, 1),
    row(Action::ListTagsForResource, 100, 1),
    row(Action::PublishStateMachineVersion, 100, 1),
    two(Action::RedriveExecution, bucket(1_300, 300), bucket(800, 150)),
    two(Action::SendTaskFailure, bucket(3_000, 500), bucket(1_500, 300)),
    two(Action::SendTaskHeartbeat, bucket(3_000, 500), bucket(1_500, 300)),
    two(Action::SendTaskSuccess, bucket(3_000, 500), bucket(1_500, 300)),
    two(Action::StartExecution, bucket(1_300, 300), bucket(800, 150)),
    two(Action::StopExecution, bucket(1_000, 200), bucket(500, 25)),
    row(Action::TagResource, 200, 1),
    row(Action::TestState, 50, 10),
    row(Action::UntagResource, 200, 1),
    row(Action::UpdateMapRun, 100, 1),
    row(Action::UpdateStateMachine, 100, 1),
    row(Action::UpdateStateMachineAlias, 100, 1),
    row(Action::ValidateStateMachineDefinition, 100, 1),
];

impl Bucket {
    /// AWS's bucket for this action in this region; none when AWS sets no number.
    pub fn of(action: Action, region: &str) -> Option<Bucket> {
        let row = THROTTLES.iter().find(|row| row.action == action)?;
        Some(if LARGE_REGIONS.contains(&region) { row.large } else { row.other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_row_but_the_one_without_a_number() {
        for &action in Action::ALL {
            let rows = THROTTLES.iter().filter(|row| row.action == action).count();
            assert_eq!(rows, usize::from(action != Action::StartSyncExecution), "{}", action.facts().name);
        }
        assert!(THROTTLES.iter().all(|row| row.large.size >= row.other.size && row.other.refill_per_second > 0));
    }

    #[test]
    fn large_regions_have_larger_buckets() {
        let check = |action: Action, region: &str, expected: Option<Bucket>| {
            assert_eq!(Bucket::of(action, region), expected, "{region}");
        };
        check(Action::StartExecution, "us-east-1", Some(bucket(1_300, 300)));
        check(Action::StartExecution, "eu-central-1", Some(bucket(800, 150)));
        check(Action::CreateActivity, "eu-central-1", Some(bucket(100, 1)));
        check(Action::StartSyncExecution, "us-east-1", None);
    }
}
