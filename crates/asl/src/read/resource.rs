//! What a Task calls: `Resource`, and whether it may be called in this way here.

use stepwell_json::{Span, SpannedMember};
use stepwell_spec::{Arn, ITEM_READERS, RESULT_WRITERS, SERVICES, sdk_service, sdk_services, service};

use super::object::Object;
use super::{Compiler, shared};
use crate::definition::{Integration, Pattern, Resource, ResourceKind};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

impl<'a> Compiler<'a> {
    /// `Resource` of a Task state.
    pub(crate) fn task_resource(&mut self, state: &Object<'a>) -> Option<Resource> {
        let (member, at, arn) = self.arn(state)?;
        let span = member.value.span;
        let kind = match resource_kind(&arn) {
            Ok(kind) => kind,
            Err(reason) => {
                let suggestion = self.resource_suggestion(&arn, &reason);
                self.unknown_resource(&arn, &reason, suggestion, span, at);
                return None;
            }
        };
        if self.here.is_express {
            self.express_resource(&kind, span, at);
        }
        Some(Resource { arn, kind })
    }

    /// `Resource` of an `ItemReader` or a `ResultWriter`: one of a few S3 actions.
    pub(crate) fn storage_resource(&mut self, object: &Object<'a>, allowed: &[&str]) -> Option<Resource> {
        let (member, at, arn) = self.arn(object)?;
        let named = integration_name(&arn);
        let is_allowed = named.is_some_and(|name| allowed.contains(&name));
        if !is_allowed {
            let near = self.suggester.nearest(named.unwrap_or_default(), allowed.iter().copied());
            let fault = Fault::new(
                Code::UnknownResource,
                at,
                member.value.span,
                format!("this can be {} only", allowed.join(" or ")),
            )
            .did_you_mean(near)
            .schema("The field 'Resource' does not match any of the allowed values");
            self.fault(fault);
            return None;
        }
        integration(named?).ok().map(|kind| Resource { arn, kind })
    }

    fn arn(&mut self, object: &Object<'a>) -> Option<(&'a SpannedMember, At, std::sync::Arc<str>)> {
        let member = object.get("Resource")?;
        let at = self.trail.key(object.at, "Resource");
        let Some(arn) = shared(&member.value) else {
            self.wrong_type(&member.value, at, "an ARN", "String");
            return None;
        };
        if Arn::parse(&arn).is_none() {
            let suggestion = if arn.contains("${") {
                "substitute the placeholder first".to_owned()
            } else if arn.starts_with("{%") {
                "a Resource cannot be an expression".to_owned()
            } else {
                "name a service integration, such as \"arn:aws:states:::lambda:invoke\", a Lambda function or an activity"
                    .to_owned()
            };
            let fault = Fault::new(Code::InvalidResource, at, member.value.span, format!("\"{arn}\" is not an ARN"))
                .suggest(Some(suggestion))
                .schema("Value is not a valid resource ARN");
            self.fault(fault);
            return None;
        }
        Some((member, at, arn))
    }

    fn unknown_resource(&mut self, arn: &str, reason: &Unknown, suggestion: Option<String>, span: Span, at: At) {
        let message = match reason {
            Unknown::NotCallable => format!("a Task cannot call \"{arn}\""),
            Unknown::Service(name) => format!("there is no service integration \"{name}\""),
            Unknown::Action(service, name) => format!("the integration of {service} has no action \"{name}\""),
            Unknown::SdkService(name) => format!("AWS has no service \"{name}\" for aws-sdk"),
            Unknown::SdkAction(service, name) => format!("the AWS SDK for {service} has no action \"{name}\""),
            Unknown::Pattern(name, suffix) => format!("{name} cannot be called with \"{suffix}\""),
        };
        let fault = Fault::new(Code::UnknownResource, at, span, message).suggest(suggestion).schema(format!(
            "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource is \
             not available in this region."
        ));
        self.fault(fault);
    }

    fn resource_suggestion(&mut self, arn: &str, reason: &Unknown) -> Option<String> {
        match reason {
            Unknown::NotCallable if arn.contains(":stateMachine:") => {
                Some("use \"arn:aws:states:::states:startExecution.sync:2\" and give it as StateMachineArn".to_owned())
            }
            Unknown::NotCallable => None,
            Unknown::Service(name) => {
                let near = self.suggester.nearest(name, SERVICES.iter().map(|row| row.name));
                Some(match near {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("as an AWS SDK integration it is \"aws-sdk:{name}:…\""),
                })
            }
            Unknown::Action(service_name, name) => {
                let row = service(service_name)?;
                let near = self.suggester.nearest(name, row.actions.iter().map(|action| action.name));
                match near {
                    Some(near) => Some(format!("did you mean \"{near}\"?")),
                    None => {
                        let sdk = sdk_services().iter().find(|sdk| sdk.botocore_name == service_name)?;
                        let has_action = sdk.has_action(name);
                        has_action.then(|| format!("as an AWS SDK integration it is \"aws-sdk:{}:{name}\"", sdk.name))
                    }
                }
            }
            Unknown::SdkService(name) => {
                // Who writes the command line's name means the service too.
                let name = name.to_lowercase();
                let other = sdk_services()
                    .iter()
                    .find(|service| service.botocore_name.replace('-', "") == name.replace('-', ""));
                let near = match other {
                    Some(other) => Some(other.name),
                    None => self.suggester.nearest(&name, sdk_services().iter().map(|service| service.name)),
                };
                near.map(|near| format!("did you mean \"{near}\"?"))
            }
            Unknown::SdkAction(service_name, name) => {
                let near = self.suggester.nearest(name, sdk_service(service_name)?.actions());
                near.map(|near| format!("did you mean \"{near}\"?"))
            }
            Unknown::Pattern(_, suffix) if *suffix == Pattern::Sync2.suffix() => {
                Some("only states:startExecution has \".sync:2\"".to_owned())
            }
            Unknown::Pattern(name, _) if name.starts_with("aws-sdk:") => {
                Some("an AWS SDK integration answers at once or waits for a task token".to_owned())
            }
            Unknown::Pattern(..) => None,
        }
    }

    fn express_resource(&mut self, kind: &ResourceKind, span: Span, at: At) {
        let (message, aws) = match kind {
            ResourceKind::LambdaFunction => return,
            ResourceKind::Activity => (
                "an Express workflow cannot wait for an activity".to_owned(),
                "Express state machine does not support Activity ARN".to_owned(),
            ),
            ResourceKind::Integration(integration) => {
                let suffix = match integration.pattern {
                    Pattern::RequestResponse => return,
                    Pattern::Sync | Pattern::Sync2 => Pattern::Sync.suffix(),
                    Pattern::WaitForTaskToken => Pattern::WaitForTaskToken.suffix(),
                };
                (
                    format!("an Express workflow cannot call with \"{suffix}\""),
                    // The service's text ends with a space.
                    format!("Express state machine does not support '{suffix}' service integration "),
                )
            }
        };
        let fault = Fault::new(Code::UnsupportedInExpress, at, span, message).schema(aws);
        self.fault(fault);
    }
}

impl Pattern {
    /// What `Resource` ends with: `.sync:2`; nothing for a plain call.
    pub fn suffix(self) -> &'static str {
        match self {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

/// Why an ARN names nothing a Task can call.
enum Unknown {
    NotCallable,
    Service(String),
    Action(String, String),
    SdkService(String),
    SdkAction(String, String),
    Pattern(String, &'static str),
}

/// `sqs:sendMessage` of `arn:aws:states:::sqs:sendMessage`.
fn integration_name(arn: &str) -> Option<&str> {
    Arn::parse(arn).filter(|arn| arn.service == "states").map(|arn| arn.resource)
}

fn resource_kind(text: &str) -> Result<ResourceKind, Unknown> {
    let arn = Arn::parse(text).ok_or(Unknown::NotCallable)?;
    match (arn.service, arn.resource.split_once(':')) {
        ("lambda", Some(("function", name))) if is_function_name(name) => Ok(ResourceKind::LambdaFunction),
        ("states", Some(("activity", name))) if !name.is_empty() && !arn.account.is_empty() => {
            Ok(ResourceKind::Activity)
        }
        ("states", Some(("stateMachine" | "execution" | "express" | "mapRun", _))) if !arn.account.is_empty() => {
            Err(Unknown::NotCallable)
        }
        ("states", Some(_)) => integration(arn.resource),
        _ => Err(Unknown::NotCallable),
    }
}

/// `name`, `name:alias` or `name:$LATEST`.
fn is_function_name(text: &str) -> bool {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match text.split_once(':') {
        None => is_word(text),
        Some((name, qualifier)) => is_word(name) && (qualifier == "$LATEST" || is_word(qualifier)),
    }
}

fn integration(resource: &str) -> Result<ResourceKind, Unknown> {
    let (rest, pattern) = [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken]
        .into_iter()
        .find_map(|pattern| resource.strip_suffix(pattern.suffix()).map(|rest| (rest, pattern)))
        .unwrap_or((resource, Pattern::RequestResponse));
    let Some((resource_type, action)) = rest.rsplit_once(':') else {
        return Err(Unknown::Service(rest.to_owned()));
    };
    if let Some(sdk) = resource_type.strip_prefix("aws-sdk:") {
        let known = sdk_service(sdk).ok_or_else(|| Unknown::SdkService(sdk.to_owned()))?;
        if !known.has_action(action) {
            return Err(Unknown::SdkAction(sdk.to_owned(), action.to_owned()));
        }
        if matches!(pattern, Pattern::Sync | Pattern::Sync2) {
            return Err(Unknown::Pattern(rest.to_owned(), pattern.suffix()));
        }
    } else if !(ITEM_READERS.contains(&resource) || RESULT_WRITERS.contains(&resource)) {
        let row = service(resource_type).ok_or_else(|| Unknown::Service(resource_type.to_owned()))?;
        let Some(action) = row.action(action) else {
            return Err(Unknown::Action(resource_type.to_owned(), action.to_owned()));
        };
        let is_supported = match pattern {
            Pattern::RequestResponse => true,
            Pattern::Sync => action.sync,
            Pattern::Sync2 => action.sync2,
            Pattern::WaitForTaskToken => action.token,
        };
        if !is_supported {
            return Err(Unknown::Pattern(rest.to_owned(), pattern.suffix()));
        }
    }
    Ok(ResourceKind::Integration(Integration {
        resource_type: resource_type.into(),
        resource: resource[resource_type.len() + 1..].into(),
        action: action.into(),
        pattern,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arn: &str) -> String {
        match resource_kind(arn) {
            Ok(ResourceKind::LambdaFunction) => "function".to_owned(),
            Ok(ResourceKind::Activity) => "activity".to_owned(),
            Ok(ResourceKind::Integration(Integration { resource_type, resource, action, pattern })) => {
                format!("{resource_type} {resource} {action} {pattern:?}")
            }
            Err(Unknown::NotCallable) => "not callable".to_owned(),
            Err(Unknown::Service(name)) => format!("no service {name}"),
            Err(Unknown::Action(service, name)) => format!("no action {service} {name}"),
            Err(Unknown::SdkService(name)) => format!("no sdk service {name}"),
            Err(Unknown::SdkAction(service, name)) => format!("no sdk action {service} {name}"),
            Err(Unknown::Pattern(name, suffix)) => format!("no pattern {name} {suffix}"),
        }
    }

    /// The suggestion for what a definition names.
    fn suggested(named: &str) -> Option<String> {
        let definition = format!(
            r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"arn:aws:states:::{named}","End":true}}}}}}"#
        );
        let compiled = crate::compile(&crate::Source::json(definition), &crate::Options::default());
        assert!(compiled.definition.is_none(), "{named}");
        let fault = compiled.diagnostics.first().expect("a fault");
        assert_eq!(fault.code, Code::UnknownResource, "{named}");
        fault.suggestion.clone()
    }

    #[test]
    fn what_was_meant_is_suggested() {
        let check = |named: &str, expected: Option<&str>| assert_eq!(suggested(named).as_deref(), expected, "{named}");
        check("lambda:invok", Some("did you mean \"invoke\"?"));
        check("lamda:invoke", Some("did you mean \"lambda\"?"));
        check("dynamodb:query", Some("as an AWS SDK integration it is \"aws-sdk:dynamodb:query\""));
        check("aws-sdk:dynamodbb:query", Some("did you mean \"dynamodb\"?"));
        check("aws-sdk:stepfunctions:startExecution", Some("did you mean \"sfn\"?"));
        check("aws-sdk:events:putEvents", Some("did you mean \"eventbridge\"?"));
        check("aws-sdk:sqs:sendMesage", Some("did you mean \"sendMessage\"?"));
        check("aws-sdk:sqs:sendmessage", Some("did you mean \"sendMessage\"?"));
        check("aws-sdk:unlikely:land", None);
        check(
            "aws-sdk:glue:startJobRun.sync",
            Some("an AWS SDK integration answers at once or waits for a task token"),
        );
        check("sqs:sendMessage.sync", None);
    }

    #[test]
    fn resources_are_told_apart() {
        let check = |arn: &str, expected: &str| assert_eq!(shown(arn), expected, "{arn}");
        check("arn:aws:lambda:eu-west-1:123456789012:function:f", "function");
        check("arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST", "function");
        check("arn:aws:lambda:eu-west-1:123456789012:function:f:live", "function");
        check("arn:aws:lambda:eu-west-1:123456789012:function:f:", "not callable");
        check("arn:aws:lambda:eu-west-1:123456789012:function:f:$*#$7485", "not callable");
        check("arn:aws:states:eu-west-1:123456789012:activity:a", "activity");
        check("arn:aws:states:eu-west-1:123456789012:stateMachine:m", "not callable");
        check("arn:aws:states:::sqs:sendMessage", "sqs sendMessage sendMessage RequestResponse");
        check(
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "sqs sendMessage.waitForTaskToken sendMessage WaitForTaskToken",
        );
        check("arn:aws:states:::states:startExecution.sync:2", "states startExecution.sync:2 startExecution Sync2");
        check("arn:aws-cn:states:::batch:submitJob.sync", "batch submitJob.sync submitJob Sync");
        check("arn:aws:states:::aws-sdk:dynamodb:query", "aws-sdk:dynamodb query query RequestResponse");
        check(
            "arn:aws:states:::aws-sdk:sfn:startExecution.waitForTaskToken",
            "aws-sdk:sfn startExecution.waitForTaskToken startExecution WaitForTaskToken",
        );
        check("arn:aws:states:::aws-sdk:sfn:startExecution.sync", "no pattern aws-sdk:sfn:startExecution .sync");
        check("arn:aws:states:::aws-sdk:DynamoDB:query", "no sdk service DynamoDB");
        check("arn:aws:states:::aws-sdk:dynamodb:Query", "aws-sdk:dynamodb Query Query RequestResponse");
        check("arn:aws:states:::aws-sdk:foo:bar", "no sdk service foo");
        check("arn:aws:states:::aws-sdk:dynamodb", "no service aws-sdk");
        // AWS has given it up; machines that call it still exist.
        check(
            "arn:aws:states:::aws-sdk:lookoutvision:startModel",
            "aws-sdk:lookoutvision startModel startModel RequestResponse",
        );
        check("arn:aws:states:::dynamodb:query", "no action dynamodb query");
        check("arn:aws:states:::sqs:sendMessage.sync", "no pattern sqs:sendMessage .sync");
        check("arn:aws:states:::batch:submitJob.sync:2", "no pattern batch:submitJob .sync:2");
        check("arn:aws:states:::moon:land", "no service moon");
        check("arn:aws:swf:us-east-1:123456789012:task:X", "not callable");
    }
}
