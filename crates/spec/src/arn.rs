//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! Owns the split into parts and the partitions. Knows nothing of which resources exist, and does not judge regions or
//! accounts: people write placeholders there, and AWS looks at them only when it calls the service.

use std::fmt;

/// The groups of regions AWS keeps apart; the first is the one everybody means.
pub const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// How the names of regions begin outside of the first partition.
///
/// Source: the endpoint rules of AWS's SDKs.
const REGIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// The partition a region belongs to; of a region nobody knows it is the first.
pub fn partition_of(region: &str) -> &'static str {
    REGIONS.iter().find(|(start, _)| region.starts_with(start)).map_or(PARTITIONS[0], |(_, partition)| partition)
}

/// An ARN, split. Region and account may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// One of [`PARTITIONS`].
    pub partition: &'a str,
    /// `lambda`, `states`, `iam`.
    pub service: &'a str,
    /// `eu-west-1`, or empty.
    pub region: &'a str,
    /// The account's twelve digits, or empty.
    pub account: &'a str,
    /// Everything after the account, colons included: `function:name:alias`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN. None when there are fewer than six parts, the partition is unknown, or service or resource is
    /// empty.
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let arn = Arn {
            partition: parts.next().filter(|partition| PARTITIONS.contains(partition))?,
            service: parts.next().filter(|service| !service.is_empty())?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next().filter(|resource| !resource.is_empty())?,
        };
        Some(arn)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arn { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_belong_to_one_partition() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("eu-west-1", "aws"),
            ("", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition_of(region), partition, "{region}");
        }
        assert!(REGIONS.iter().all(|(_, partition)| PARTITIONS.contains(partition)));
    }

    #[test]
    fn arns_are_split_and_put_together_again() {
        for text in [
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:name:alias",
            "arn:aws-us-gov:states:us-gov-west-1:123456789012:activity:name",
        ] {
            assert_eq!(Arn::parse(text).expect(text).to_string(), text);
        }
        let arn = Arn::parse("arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST").expect("an ARN");
        assert_eq!((arn.service, arn.region, arn.resource), ("lambda", "eu-west-1", "function:f:$LATEST"));
        for text in
            ["", "arn", "foo:bar", "arn:aws:lambda", "arn:aws::eu:1:x", "arn:moon:lambda:r:a:f", "arn:aws:lambda:r:a:"]
        {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
