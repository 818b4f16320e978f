//! `events:putEvents`.

use stepwell_asl::Integration;
use stepwell_interpreter::{Failure, Identity};
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, AwsOutput};

use crate::failures::Words;
use crate::task::{ServiceIntegration, Task, aws_call, with_text};

const WORDS: Words = Words {
    prefix: "EventBridge",
    service: "AmazonEventBridge",
    otherwise: "AmazonEventBridgeException",
    modelled: &["Internal", "OperationDisabled"],
};

pub(crate) struct Events;

impl ServiceIntegration for Events {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let arguments = &task.request.input;
        let input = match (arguments, arguments.get("Entries").and_then(Json::as_array)) {
            (Json::Object(members), Some(entries)) => {
                let entries = entries.iter().map(|entry| entry_of(entry, task.execution)).collect();
                Json::Object(members.with("Entries", Json::array(entries)))
            }
            _ => arguments.clone(),
        };
        Ok(aws_call("events", integration, input))
    }

    /// An answer that tells of entries which were not taken is a failure.
    fn output(&self, _: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        match answer.output.get("FailedEntryCount").and_then(Json::as_i64) {
            None | Some(0) => Ok(answer.output),
            Some(_) => Err(Failure::new("EventBridge.FailedEntry", answer.output.to_string())),
        }
    }

    fn failure(&self, _: &Integration, fault: &AwsError) -> Failure {
        WORDS.failure(fault)
    }
}

/// An entry with `Detail` as text, and who sends it among its resources.
fn entry_of(entry: &Json, execution: &Identity) -> Json {
    let entry = with_text(entry, "Detail");
    let Json::Object(members) = &entry else { return entry };
    let given = members.get("Resources").and_then(Json::as_array).map_or(&[][..], |given| &given[..]);
    let own = [&execution.state_machine_arn, &execution.arn].map(|arn| Json::String(arn.clone()));
    let resources = given.iter().cloned().chain(own).collect();
    Json::Object(members.with("Resources", Json::array(resources)))
}

#[cfg(test)]
mod tests {
    use crate::task::tests::{answer, asked, told};

    const PUT: &str = "arn:aws:states:::events:putEvents";

    #[test]
    fn entries_name_who_sends_them() {
        let own = "\"arn:aws:states:us-east-1:000000000000:stateMachine:m\",\"arn:aws:states:us-east-1:000000000000:execution:m:e\"";
        for (entry, expected) in [
            (r#"{"Detail":{"a":1}}"#, format!(r#"{{"Detail":"{{\"a\":1}}","Resources":[{own}]}}"#)),
            (r#"{"Resources":["r"],"Detail":"{}"}"#, format!(r#"{{"Resources":["r",{own}],"Detail":"{{}}"}}"#)),
        ] {
            let arguments = format!(r#"{{"Entries":[{entry}]}}"#);
            assert_eq!(asked(PUT, &arguments), format!(r#"events.PutEvents {{"Entries":[{expected}]}}"#));
        }
        assert_eq!(asked(PUT, "{}"), "events.PutEvents {}");
    }

    #[test]
    fn entries_that_were_not_taken_fail_the_task() {
        let taken = r#"{"Entries":[{"EventId":"1"}],"FailedEntryCount":0}"#;
        assert_eq!(told(PUT, answer(taken, &[])), taken);
        let failed = r#"{"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."}],"FailedEntryCount":1}"#;
        assert_eq!(told(PUT, answer(failed, &[])), format!("EventBridge.FailedEntry: {failed}"));
    }
}
