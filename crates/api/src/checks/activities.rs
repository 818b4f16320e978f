//! Activities, and what workers report.

use stepwell_json::Json;
use stepwell_spec::Exception;
use stepwell_spec::shapes::CreateActivityInput;

use super::executions::check_payload;
use super::state_machines::check_encryption;
use super::{check_name, check_tags};
use crate::refusal::Refusal;

pub(super) fn check_create(request: &CreateActivityInput) -> Result<(), Refusal> {
    check_name(&request.name)?;
    request.encryption_configuration.as_ref().map_or(Ok(()), check_encryption)?;
    check_tags(request.tags.as_deref().unwrap_or_default(), "")
}

/// The output of a task as a tree. Refuses with `InvalidOutput` what is not JSON.
pub fn task_output(text: &str) -> Result<Json, Refusal> {
    check_payload(text).map_err(|why| Refusal::new(Exception::InvalidOutput, format!("Invalid Output: '{why}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_json() {
        assert_eq!(task_output("[1]").map(|output| output.to_string()), Ok("[1]".to_owned()));
        let refusal = task_output("{oops}").expect_err("no JSON");
        assert_eq!(
            refusal.to_string(),
            "InvalidOutput: Invalid Output: 'Unexpected character ('o' (code 111)): was expecting double-quote to start \
             field name'"
        );
    }
}
