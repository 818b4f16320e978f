//! The ARNs of Step Functions, taken apart.
//!
//! Owns their forms and what AWS says to a text that has none of them. Knows nothing of what exists.
//!
//! ```text
//! stateMachine:NAME            stateMachine:NAME:VERSION-OR-ALIAS    stateMachine:NAME/LABEL
//! execution:NAME:EXECUTION     execution:NAME/LABEL:EXECUTION        express:NAME:EXECUTION:ID
//! mapRun:NAME/LABEL:ID         activity:NAME
//! ```

use std::fmt;

use stepwell_spec::{Arn, ValidationExceptionReason, partition_of};

use crate::refusal::Refusal;

/// A state machine, or what stands for one: a version, an alias, the machine inside a distributed Map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineRef {
    /// The region it is said to be in.
    pub region: String,
    /// The account it is said to belong to.
    pub account: String,
    /// The state machine's name.
    pub name: String,
    /// The version or alias.
    pub qualifier: Option<Qualifier>,
    /// The label of the distributed Map whose item processor is meant.
    pub label: Option<String>,
    /// The case of a mock file that answers the execution's service calls: `NAME#CASE`.
    pub test_case: Option<String>,
}

/// Which version of a state machine is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qualifier {
    /// A version, from 1.
    Version(u64),
    /// An alias.
    Alias(String),
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Qualifier::Version(version) => write!(f, "{version}"),
            Qualifier::Alias(alias) => f.write_str(alias),
        }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecutionRef {
    /// The region it is said to be in.
    pub region: String,
    /// The account it is said to belong to.
    pub account: String,
    /// The state machine's name.
    pub machine: String,
    /// The label of the distributed Map it is a child of.
    pub label: Option<String>,
    /// Its own name.
    pub name: String,
    /// What tells Express executions of one name apart; only they have it, and children of a Map have none.
    pub express_id: Option<String>,
    /// Whether it is an Express execution.
    pub is_express: bool,
}

/// A Map Run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MapRunRef {
    /// The region it is said to be in.
    pub region: String,
    /// The account it is said to belong to.
    pub account: String,
    /// The state machine's name.
    pub machine: String,
    /// The Map state's label.
    pub label: String,
    /// What tells the runs of one Map state apart.
    pub id: String,
}

/// An activity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityRef {
    /// The region it is said to be in.
    pub region: String,
    /// The account it is said to belong to.
    pub account: String,
    /// Its name.
    pub name: String,
}

/// What can carry tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaggedRef {
    /// A state machine.
    Machine(MachineRef),
    /// An activity.
    Activity(ActivityRef),
}

/// The ARN of a resource of Step Functions, in the partition of its region: `stateMachine:NAME`.
pub(crate) fn states_arn(region: &str, account: &str, resource: impl fmt::Display) -> String {
    format!("arn:{}:states:{region}:{account}:{resource}", partition_of(region))
}

/// An ARN of Step Functions, up to the type of what it names.
struct StatesArn<'a> {
    text: &'a str,
    region: &'a str,
    account: &'a str,
    resource_type: &'a str,
    /// What stands behind the type, its colons included.
    rest: &'a str,
}

impl<'a> StatesArn<'a> {
    /// The partition must be the region's, so that every resource has one ARN.
    fn parse(text: &'a str) -> Result<StatesArn<'a>, Refusal> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "states" && !arn.region.is_empty());
        let arn = arn.filter(|arn| arn.partition == partition_of(arn.region));
        let arn = arn.filter(|arn| !arn.account.is_empty()).ok_or_else(|| Refusal::invalid_arn(text))?;
        let (resource_type, rest) = arn.resource.split_once(':').ok_or_else(|| Refusal::invalid_arn(text))?;
        Ok(StatesArn { text, region: arn.region, account: arn.account, resource_type, rest })
    }

    fn expect(text: &'a str, resource_type: &str) -> Result<StatesArn<'a>, Refusal> {
        let arn = StatesArn::parse(text)?;
        match arn.resource_type == resource_type {
            true => Ok(arn),
            false => Err(Refusal::wrong_resource_type(arn.resource_type)),
        }
    }

    fn invalid(&self) -> Refusal {
        Refusal::invalid_arn(self.text)
    }

    /// Parts between colons; none may be empty.
    fn parts(&self) -> Result<Vec<&'a str>, Refusal> {
        let parts: Vec<&str> = self.rest.split(':').collect();
        if parts.iter().any(|part| part.is_empty()) { Err(self.invalid()) } else { Ok(parts) }
    }

    /// `NAME` or `NAME/LABEL`
    fn machine_and_label(&self, text: &str) -> Result<(String, Option<String>), Refusal> {
        match text.split_once('/') {
            None => Ok((text.to_owned(), None)),
            Some((name, label)) if !name.is_empty() && !label.is_empty() => {
                Ok((name.to_owned(), Some(label.to_owned())))
            }
            Some(_) => Err(self.invalid()),
        }
    }
}

impl MachineRef {
    /// Any ARN of a state machine. Refuses other texts with `InvalidArn`.
    pub fn parse(text: &str) -> Result<MachineRef, Refusal> {
        let arn = StatesArn::expect(text, "stateMachine")?;
        let parts = arn.parts()?;
        let (named, qualifier) = match parts[..] {
            [name] => (name, None),
            [name, qualifier] => (name, Some(read_qualifier(qualifier))),
            _ => return Err(arn.invalid()),
        };
        let (named, test_case) = match named.split_once('#') {
            Some((name, case)) if !name.is_empty() && !case.is_empty() => (name, Some(case.to_owned())),
            Some(_) => return Err(arn.invalid()),
            None => (named, None),
        };
        let (name, label) = arn.machine_and_label(named)?;
        let (region, account) = (arn.region.to_owned(), arn.account.to_owned());
        Ok(MachineRef { region, account, name, qualifier, label, test_case })
    }

    /// An ARN without the case of a mock file, which says how to start an execution and is part of no name.
    fn parse_stored(text: &str) -> Result<MachineRef, Refusal> {
        let machine = MachineRef::parse(text)?;
        if machine.test_case.is_some() { Err(Refusal::invalid_arn(text)) } else { Ok(machine) }
    }

    /// The ARN of the state machine itself, for actions that are about neither versions nor the inside of a Map.
    pub fn parse_unqualified(text: &str) -> Result<MachineRef, Refusal> {
        let machine = MachineRef::parse_stored(text)?;
        machine.refuse_label(text)?;
        match machine.qualifier {
            None => Ok(machine),
            Some(_) => Err(Refusal::invalid_request(format!(
                "Operation is not supported for a qualified state machine ARN: '{text}'"
            ))),
        }
    }

    /// The ARN of a version.
    pub fn parse_version(text: &str) -> Result<(MachineRef, u64), Refusal> {
        let machine = MachineRef::parse_stored(text)?;
        match machine.qualifier {
            Some(Qualifier::Version(version)) if machine.label.is_none() => Ok((machine, version)),
            _ => Err(Refusal::invalid_request(format!("'{text}' is not the ARN of a state machine version"))),
        }
    }

    /// The ARN of an alias.
    pub fn parse_alias(text: &str) -> Result<(MachineRef, String), Refusal> {
        let machine = MachineRef::parse_stored(text)?;
        match &machine.qualifier {
            Some(Qualifier::Alias(alias)) if machine.label.is_none() => {
                let alias = alias.clone();
                Ok((machine, alias))
            }
            _ => Err(Refusal::invalid_request(format!("'{text}' is not the ARN of a state machine alias"))),
        }
    }

    /// Refuses the machine inside a distributed Map, which can only be shown and listed.
    pub fn refuse_label(&self, text: &str) -> Result<(), Refusal> {
        match self.label {
            None => Ok(()),
            Some(_) => {
                let message = format!("Operation is not supported for a labelled state machine ARN: '{text}'");
                let reason = ValidationExceptionReason::ApiDoesNotSupportLabeledArns;
                Err(Refusal::invalid_request(message).because(reason))
            }
        }
    }
}

/// A version is a whole number without leading zeros; every other text is an alias.
fn read_qualifier(text: &str) -> Qualifier {
    let is_number = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(version) if is_number => Qualifier::Version(version),
        _ => Qualifier::Alias(text.to_owned()),
    }
}

impl ExecutionRef {
    /// An execution whose history is kept: Standard ones only.
    ///
    /// Express executions are refused with `InvalidArn`, as AWS does.
    pub fn parse(text: &str) -> Result<ExecutionRef, Refusal> {
        let execution = ExecutionRef::parse_any(text)?;
        if execution.is_express { Err(Refusal::wrong_resource_type("express")) } else { Ok(execution) }
    }

    /// An execution that can be shown: a Standard one, or an Express child of a distributed Map.
    pub fn parse_shown(text: &str) -> Result<ExecutionRef, Refusal> {
        let execution = ExecutionRef::parse_any(text)?;
        let is_shown = !execution.is_express || execution.label.is_some();
        if is_shown { Ok(execution) } else { Err(Refusal::wrong_resource_type("express")) }
    }

    /// An execution of either type.
    pub fn parse_any(text: &str) -> Result<ExecutionRef, Refusal> {
        let arn = StatesArn::parse(text)?;
        let is_express = match arn.resource_type {
            "execution" => false,
            "express" => true,
            other => return Err(Refusal::wrong_resource_type(other)),
        };
        let parts = arn.parts()?;
        let (named, name, express_id) = match parts[..] {
            [named, name] => (named, name, None),
            [named, name, id] if is_express => (named, name, Some(id.to_owned())),
            _ => return Err(arn.invalid()),
        };
        let (machine, label) = arn.machine_and_label(named)?;
        Ok(ExecutionRef {
            region: arn.region.to_owned(),
            account: arn.account.to_owned(),
            machine,
            label,
            name: name.to_owned(),
            express_id,
            is_express,
        })
    }
}

impl MapRunRef {
    /// The ARN of a Map Run. Refuses other texts with `InvalidArn`.
    pub fn parse(text: &str) -> Result<MapRunRef, Refusal> {
        let arn = StatesArn::expect(text, "mapRun")?;
        let parts = arn.parts()?;
        let [named, id] = parts[..] else { return Err(arn.invalid()) };
        let (machine, Some(label)) = arn.machine_and_label(named)? else { return Err(arn.invalid()) };
        let (region, account) = (arn.region.to_owned(), arn.account.to_owned());
        Ok(MapRunRef { region, account, machine, label, id: id.to_owned() })
    }
}

impl ActivityRef {
    /// The ARN of an activity. Refuses other texts with `InvalidArn`.
    pub fn parse(text: &str) -> Result<ActivityRef, Refusal> {
        ActivityRef::of(&StatesArn::expect(text, "activity")?)
    }

    fn of(arn: &StatesArn<'_>) -> Result<ActivityRef, Refusal> {
        let parts = arn.parts()?;
        let [name] = parts[..] else { return Err(arn.invalid()) };
        let (region, account) = (arn.region.to_owned(), arn.account.to_owned());
        Ok(ActivityRef { region, account, name: name.to_owned() })
    }
}

impl TaggedRef {
    /// The ARN of what can carry tags. Refuses other texts with `InvalidArn`.
    pub fn parse(text: &str) -> Result<TaggedRef, Refusal> {
        let arn = StatesArn::parse(text)?;
        match arn.resource_type {
            "activity" => ActivityRef::of(&arn).map(TaggedRef::Activity),
            "stateMachine" => MachineRef::parse_unqualified(text).map(TaggedRef::Machine),
            other => Err(Refusal::wrong_resource_type(other)),
        }
    }
}

/// Refuses what is not the ARN of an IAM role.
pub(crate) fn check_role_arn(text: &str) -> Result<(), Refusal> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty());
    let is_role = |arn: &Arn<'_>| {
        let name = arn.resource.strip_prefix("role/");
        arn.account.len() == 12
            && arn.account.bytes().all(|byte| byte.is_ascii_digit())
            && name.is_some_and(|name| !name.is_empty())
    };
    if arn.as_ref().is_some_and(is_role) { Ok(()) } else { Err(Refusal::invalid_role_arn(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "arn:aws:states:us-east-1:123456789012";

    fn told<T>(result: Result<T, Refusal>) -> String {
        result.err().map(|refusal| refusal.message().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    #[test]
    fn machines_are_taken_apart() {
        let check = |resource: &str, qualifier: Option<Qualifier>, label: Option<&str>, case: Option<&str>| {
            let machine = MachineRef::parse(&format!("{HERE}:stateMachine:{resource}")).expect(resource);
            assert_eq!((machine.region.as_str(), machine.account.as_str()), ("us-east-1", "123456789012"));
            assert_eq!(machine.name, "N.a-me", "{resource}");
            assert_eq!(machine.qualifier, qualifier, "{resource}");
            assert_eq!((machine.label.as_deref(), machine.test_case.as_deref()), (label, case), "{resource}");
        };
        check("N.a-me", None, None, None);
        check("N.a-me:7", Some(Qualifier::Version(7)), None, None);
        check("N.a-me:PROD", Some(Qualifier::Alias("PROD".into())), None, None);
        check("N.a-me:07", Some(Qualifier::Alias("07".into())), None, None);
        check("N.a-me/label", None, Some("label"), None);
        check("N.a-me#Case", None, None, Some("Case"));
    }

    #[test]
    fn arns_that_are_made_are_in_their_regions_partition() {
        for (region, arn) in [
            ("eu-west-1", "arn:aws:states:eu-west-1:123456789012:stateMachine:n"),
            ("cn-north-1", "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:n"),
        ] {
            assert_eq!(states_arn(region, "123456789012", "stateMachine:n"), arn);
            assert_eq!(MachineRef::parse(arn).expect(arn).region, region);
        }
    }

    #[test]
    fn other_texts_are_refused_in_awss_words() {
        for text in [
            "",
            "not_a_valid_arn",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:moon:states:us-east-1:123456789012:stateMachine:n",
            "arn:aws-cn:states:us-east-1:123456789012:stateMachine:n",
            "arn:aws:states:cn-north-1:123456789012:stateMachine:n",
            "arn:aws:states::123456789012:stateMachine:n",
            "arn:aws:states:us-east-1::stateMachine:n",
            "arn:aws:states:us-east-1:123456789012:stateMachine",
            "arn:aws:states:us-east-1:123456789012:stateMachine:",
            "arn:aws:states:us-east-1:123456789012:stateMachine:n:",
            "arn:aws:states:us-east-1:123456789012:stateMachine:n:1:2",
            "arn:aws:states:us-east-1:123456789012:stateMachine:n/",
            "arn:aws:states:us-east-1:123456789012:stateMachine:#",
        ] {
            assert_eq!(told(MachineRef::parse(text)), format!("Invalid Arn: 'Invalid ARN prefix: {text}'"));
        }
        let wrong =
            |resource_type: &str| format!("Invalid Arn: 'Resource type not valid in this context: {resource_type}'");
        assert_eq!(told(MachineRef::parse(&format!("{HERE}:execution:n:e"))), wrong("execution"));
        assert_eq!(told(ExecutionRef::parse(&format!("{HERE}:express:n:e:id"))), wrong("express"));
        assert_eq!(told(ExecutionRef::parse(&format!("{HERE}:stateMachine:n"))), wrong("stateMachine"));
        assert_eq!(told(ActivityRef::parse(&format!("{HERE}:stateMachine:n"))), wrong("stateMachine"));
        assert_eq!(told(MapRunRef::parse(&format!("{HERE}:activity:n"))), wrong("activity"));
        assert_eq!(told(TaggedRef::parse(&format!("{HERE}:execution:n:e"))), wrong("execution"));
    }

    #[test]
    fn executions_runs_and_activities_are_taken_apart() {
        let execution = ExecutionRef::parse(&format!("{HERE}:execution:m/label:e")).expect("a child");
        assert_eq!((execution.machine.as_str(), execution.label.as_deref()), ("m", Some("label")));
        let express = ExecutionRef::parse_any(&format!("{HERE}:express:m:e:id")).expect("express");
        assert_eq!((express.name.as_str(), express.express_id.as_deref()), ("e", Some("id")));
        assert!(ExecutionRef::parse_shown(&format!("{HERE}:express:m:e:id")).is_err());
        assert!(ExecutionRef::parse_shown(&format!("{HERE}:express:m/label:e")).is_ok());
        assert!(ExecutionRef::parse(&format!("{HERE}:execution:m:e:id")).is_err());
        assert_eq!(MapRunRef::parse(&format!("{HERE}:mapRun:m/label:id")).map(|run| run.label), Ok("label".to_owned()));
        assert!(MapRunRef::parse(&format!("{HERE}:mapRun:m:id")).is_err());
        assert_eq!(ActivityRef::parse(&format!("{HERE}:activity:a")).map(|activity| activity.name), Ok("a".to_owned()));
        assert!(matches!(TaggedRef::parse(&format!("{HERE}:activity:a")), Ok(TaggedRef::Activity(_))));
    }

    #[test]
    fn actions_take_only_what_they_are_about() {
        let arn = |resource: &str| format!("{HERE}:stateMachine:{resource}");
        assert!(MachineRef::parse_unqualified(&arn("n")).is_ok());
        assert!(MachineRef::parse_unqualified(&arn("n:1")).is_err());
        let labelled = MachineRef::parse_unqualified(&arn("n/label")).expect_err("labelled").to_json();
        assert_eq!(
            labelled.get("reason").and_then(|reason| reason.as_str()),
            Some("API_DOES_NOT_SUPPORT_LABELED_ARNS")
        );
        assert_eq!(MachineRef::parse_version(&arn("n:12")).map(|(_, version)| version), Ok(12));
        assert!(MachineRef::parse_version(&arn("n:PROD")).is_err());
        assert_eq!(MachineRef::parse_alias(&arn("n:PROD")).map(|(_, alias)| alias), Ok("PROD".to_owned()));
        assert!(MachineRef::parse_alias(&arn("n")).is_err());
        let refused = [
            MachineRef::parse_unqualified(&arn("n#Case")).map(drop),
            MachineRef::parse_version(&arn("n#Case:1")).map(drop),
            MachineRef::parse_alias(&arn("n#Case:PROD")).map(drop),
        ];
        for refused in refused {
            assert_eq!(refused.map_err(|refusal| refusal.name()), Err("InvalidArn"));
        }
    }

    #[test]
    fn roles_are_arns_of_iam() {
        for good in ["arn:aws:iam::123456789012:role/r", "arn:aws-cn:iam::123456789012:role/path/r"] {
            assert_eq!(check_role_arn(good), Ok(()));
        }
        for bad in
            ["r", "arn:aws:iam::123456789012:user/u", "arn:aws:iam::12:role/r", "arn:aws:iam::123456789012:role/"]
        {
            assert_eq!(told(check_role_arn(bad)), format!("Invalid Role Arn: '{bad}'"));
        }
    }
}
