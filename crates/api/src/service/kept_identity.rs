//! Who an execution is, as it is written down: its name, and what else does not follow from the revision of the state
//! machine that it was started from. Most executions have nothing else, and there are many of them.

use stepwell_interpreter::Identity;
use stepwell_spec::{FieldSink, FieldSource, Stored, Text};

use super::registry::MachineRow;

/// An identity without what its revision says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptIdentity {
    name: Text,
    /// Of the Map state whose child it is, with the slash before it; empty for an execution of the state machine itself.
    label: Text,
    /// Unless it is `…:execution:MACHINE:NAME`, with the label.
    arn: Option<Text>,
    pub(super) version_arn: Option<Text>,
    pub(super) alias_arn: Option<Text>,
}

impl KeptIdentity {
    /// Of an execution of this revision.
    pub(super) fn of(identity: &Identity, machine: &MachineRow) -> KeptIdentity {
        let label = identity.state_machine_arn.strip_prefix(&*machine.arn).unwrap_or_default();
        let arn = Some(&identity.arn).filter(|arn| !is_usual(arn, &identity.state_machine_arn, &identity.name));
        let kept = KeptIdentity {
            name: identity.name.clone(),
            label: label.into(),
            arn: arn.cloned(),
            version_arn: identity.state_machine_version_arn.clone(),
            alias_arn: identity.state_machine_alias_arn.clone(),
        };
        debug_assert_eq!(kept.clone().whole(machine), *identity);
        kept
    }

    /// The ARN of the state machine, or of the Map state whose child it is.
    pub(super) fn state_machine_arn(&self, machine: &MachineRow) -> Text {
        if self.label.is_empty() { machine.arn.clone() } else { format!("{}{}", machine.arn, self.label).into() }
    }

    /// The execution's own.
    pub(super) fn arn(&self, machine: &MachineRow) -> Text {
        match &self.arn {
            Some(arn) => arn.clone(),
            None => {
                let (before, after) = split(&machine.arn);
                format!("{before}{EXECUTION}{after}{}:{}", self.label, self.name).into()
            }
        }
    }

    /// All of it, by the revision it was kept with.
    pub(super) fn whole(self, machine: &MachineRow) -> Identity {
        Identity {
            arn: self.arn(machine),
            state_machine_arn: self.state_machine_arn(machine),
            state_machine_name: match self.label.is_empty() {
                true => machine.name.clone(),
                false => format!("{}{}", machine.name, self.label).into(),
            },
            name: self.name,
            role_arn: machine.role_arn.clone(),
            state_machine_version_arn: self.version_arn,
            state_machine_alias_arn: self.alias_arn,
            region: machine.arn.split(':').nth(3).unwrap_or_default().into(),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &Text {
        &self.name
    }
}

const MACHINE: &str = ":stateMachine:";
const EXECUTION: &str = ":execution:";

/// What stands before and behind the type of resource in a state machine's ARN.
fn split(machine_arn: &str) -> (&str, &str) {
    machine_arn.split_once(MACHINE).unwrap_or((machine_arn, ""))
}

fn is_usual(arn: &str, machine_arn: &str, name: &str) -> bool {
    let (before, after) = split(machine_arn);
    let rest = arn.strip_prefix(before).and_then(|rest| rest.strip_prefix(EXECUTION));
    let rest = rest.and_then(|rest| rest.strip_prefix(after)).and_then(|rest| rest.strip_prefix(':'));
    rest == Some(name)
}

impl Stored for KeptIdentity {
    fn store(&self, sink: &mut impl FieldSink) {
        let KeptIdentity { name, label, arn, version_arn, alias_arn } = self;
        name.store(sink);
        label.store(sink);
        for text in [arn, version_arn, alias_arn] {
            text.store(sink);
        }
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(KeptIdentity {
            name: source.text()?,
            label: source.text()?,
            arn: Option::restore(source)?,
            version_arn: Option::restore(source)?,
            alias_arn: Option::restore(source)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use stepwell_spec::Timestamp;
    use stepwell_store::{Decoder, Encoder};

    use super::*;

    fn machine() -> MachineRow {
        MachineRow {
            number: 7,
            arn: "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m".into(),
            name: "m".into(),
            definition_text: "{}".into(),
            definition: OnceLock::new(),
            role_arn: "arn:aws-cn:iam::123456789012:role/r".into(),
            express: false,
            logging_configuration: None,
            tracing_configuration: None,
            encryption_configuration: None,
            revision_id: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn identity(resource: &str, label: &str, name: &str) -> Identity {
        let machine = machine();
        Identity {
            arn: format!("arn:aws-cn:states:cn-north-1:123456789012:{resource}").into(),
            name: name.into(),
            role_arn: machine.role_arn,
            state_machine_arn: format!("{}{label}", machine.arn).into(),
            state_machine_name: format!("m{label}").into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: "cn-north-1".into(),
        }
    }

    #[test]
    fn an_identity_comes_back_whole() {
        let machine = machine();
        let versioned = Identity {
            state_machine_version_arn: Some(format!("{}:3", machine.arn).into()),
            state_machine_alias_arn: Some(format!("{}:live", machine.arn).into()),
            ..identity("execution:m:e", "", "e")
        };
        for (identity, is_usual) in [
            (identity("execution:m:e", "", "e"), true),
            (identity("execution:m/label:child", "/label", "child"), true),
            (identity("express:m:e:0a1b", "", "e"), false),
            (versioned, true),
        ] {
            let kept = KeptIdentity::of(&identity, &machine);
            assert_eq!(kept.arn.is_none(), is_usual, "{kept:?}");
            let mut encoder = Encoder::default();
            encoder.note(0, 1, &kept).expect("no deep value");
            let encoded = encoder.finish();
            let mut decoder = Decoder::new(encoded.bytes).expect("a payload");
            let restored: KeptIdentity =
                decoder.next_entry().expect("readable").expect("an entry").note().expect("an identity");
            assert_eq!(restored.whole(&machine), identity);
        }
    }
}
