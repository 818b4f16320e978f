//! Creating and changing state machines.

use stepwell_spec::shapes::{
    CreateStateMachineInput, EncryptionConfiguration, EncryptionType, LogLevel, LoggingConfiguration,
    UpdateStateMachineInput,
};
use stepwell_spec::{Arn, Exception};

use super::{check_name, check_tags};
use crate::arns::{MachineRef, check_role_arn};
use crate::refusal::Refusal;

pub(super) fn check_create(request: &CreateStateMachineInput) -> Result<(), Refusal> {
    check_name(&request.name)?;
    check_role_arn(&request.role_arn)?;
    check_configurations(request.logging_configuration.as_ref(), request.encryption_configuration.as_ref())?;
    check_version_description(request.publish, request.version_description.is_some())?;
    check_tags(request.tags.as_deref().unwrap_or_default(), "")
}

pub(super) fn check_update(request: &UpdateStateMachineInput) -> Result<(), Refusal> {
    MachineRef::parse_unqualified(&request.state_machine_arn)?;
    let changes_something = request.definition.is_some()
        || request.role_arn.is_some()
        || request.logging_configuration.is_some()
        || request.tracing_configuration.is_some()
        || request.encryption_configuration.is_some()
        || request.publish == Some(true);
    if !changes_something {
        let message = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified";
        return Err(Refusal::new(Exception::MissingRequiredParameter, message));
    }
    request.role_arn.as_deref().map_or(Ok(()), check_role_arn)?;
    check_configurations(request.logging_configuration.as_ref(), request.encryption_configuration.as_ref())?;
    check_version_description(request.publish, request.version_description.is_some())
}

fn check_configurations(
    logging: Option<&LoggingConfiguration>,
    encryption: Option<&EncryptionConfiguration>,
) -> Result<(), Refusal> {
    logging.map_or(Ok(()), check_logging)?;
    encryption.map_or(Ok(()), check_encryption)
}

/// Logs go to exactly one log group, unless there are none.
fn check_logging(configuration: &LoggingConfiguration) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        let message = format!("Invalid Logging Configuration: {why}");
        Err(Refusal::new(Exception::InvalidLoggingConfiguration, message))
    };
    let destinations = configuration.destinations.as_deref().unwrap_or_default();
    let logs = configuration.level.is_some_and(|level| level != LogLevel::Off);
    if destinations.len() > 1 || logs && destinations.is_empty() {
        return refuse("Must specify exactly one Log Destination.");
    }
    for destination in destinations {
        let group = destination.cloud_watch_logs_log_group.as_ref();
        let Some(arn) = group.and_then(|group| group.log_group_arn.as_deref()) else {
            return refuse("Must specify exactly one Log Destination.");
        };
        let is_group = |arn: &Arn<'_>| arn.service == "logs" && arn.resource.starts_with("log-group:");
        if !Arn::parse(arn).as_ref().is_some_and(is_group) {
            return refuse("Log Destination must be the ARN of a CloudWatch log group.");
        }
        if !arn.ends_with(":*") {
            return refuse("Log Group ARN must be provided with '*' qualifier.");
        }
    }
    Ok(())
}

/// A key of one's own needs an id, and only that kind takes one. The texts are ours: AWS's are not recorded.
pub(super) fn check_encryption(configuration: &EncryptionConfiguration) -> Result<(), Refusal> {
    let why = match (configuration.kind, &configuration.kms_key_id, configuration.kms_data_key_reuse_period_seconds) {
        (EncryptionType::CustomerManagedKmsKey, None, _) => "kmsKeyId is required for CUSTOMER_MANAGED_KMS_KEY",
        (EncryptionType::AwsOwnedKey, Some(_), _) => "kmsKeyId is only allowed for CUSTOMER_MANAGED_KMS_KEY",
        (EncryptionType::AwsOwnedKey, None, Some(_)) => {
            "kmsDataKeyReusePeriodSeconds is only allowed for CUSTOMER_MANAGED_KMS_KEY"
        }
        (EncryptionType::CustomerManagedKmsKey, Some(_), _) | (EncryptionType::AwsOwnedKey, None, None) => {
            return Ok(());
        }
    };
    Err(Refusal::new(Exception::InvalidEncryptionConfiguration, format!("Invalid Encryption Configuration: {why}")))
}

/// Source: API reference, `versionDescription`; the text is ours.
fn check_version_description(publish: Option<bool>, is_described: bool) -> Result<(), Refusal> {
    match is_described && publish != Some(true) {
        true => Err(Refusal::invalid_request("Version description can only be set when publish is true")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_json::Json;
    use stepwell_spec::shapes::Structure;

    fn told(result: Result<(), Refusal>) -> String {
        result.err().map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    #[test]
    fn logs_go_to_one_log_group() {
        let check = |text: &str, expected: &str| {
            let configuration = LoggingConfiguration::from_json(&Json::parse(text).expect(text)).expect(text);
            let expected = match expected {
                "" => String::new(),
                why => format!("InvalidLoggingConfiguration: Invalid Logging Configuration: {why}"),
            };
            assert_eq!(told(check_logging(&configuration)), expected, "{text}");
        };
        let destination = |arn: &str| format!(r#"{{"cloudWatchLogsLogGroup":{{"logGroupArn":"{arn}"}}}}"#);
        let good = destination("arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/x:*");
        let one = "Must specify exactly one Log Destination.";
        check("{}", "");
        check(r#"{"destinations":[]}"#, "");
        check(r#"{"level":"OFF"}"#, "");
        check(r#"{"level":"ALL"}"#, one);
        check(&format!(r#"{{"level":"ALL","destinations":[{good}]}}"#), "");
        check(&format!(r#"{{"level":"OFF","destinations":[{good}]}}"#), "");
        check(&format!(r#"{{"level":"ALL","destinations":[{good},{good}]}}"#), one);
        check(r#"{"level":"ALL","destinations":[{}]}"#, one);
        let bare = destination("arn:aws:logs:us-east-1:123456789012:log-group:x");
        check(
            &format!(r#"{{"level":"ALL","destinations":[{bare}]}}"#),
            "Log Group ARN must be provided with '*' qualifier.",
        );
        let other = destination("arn:aws:s3:::bucket");
        check(
            &format!(r#"{{"level":"ERROR","destinations":[{other}]}}"#),
            "Log Destination must be the ARN of a CloudWatch log group.",
        );
    }

    #[test]
    fn a_key_of_ones_own_needs_an_id() {
        let check = |text: &str, is_fine: bool| {
            let configuration = EncryptionConfiguration::from_json(&Json::parse(text).expect(text)).expect(text);
            assert_eq!(check_encryption(&configuration).is_ok(), is_fine, "{text}");
        };
        check(r#"{"type":"AWS_OWNED_KEY"}"#, true);
        check(r#"{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":60}"#, true);
        check(r#"{"type":"CUSTOMER_MANAGED_KMS_KEY"}"#, false);
        check(r#"{"type":"AWS_OWNED_KEY","kmsKeyId":"k"}"#, false);
        check(r#"{"type":"AWS_OWNED_KEY","kmsDataKeyReusePeriodSeconds":60}"#, false);
    }
}
