//! The results of a Map Run, on their way to Amazon S3.
//!
//! ```text
//! PREFIX/MAP-RUN-ID/SUCCEEDED_0.json   what ended well, and so on with 1, 2, …
//! PREFIX/MAP-RUN-ID/FAILED_0.json      what did not
//! PREFIX/MAP-RUN-ID/PENDING_0.json     what was not started
//! PREFIX/MAP-RUN-ID/manifest.json      which of these files there are; it comes last
//! ```
//!
//! Whether the place can be written to is tried before the first child starts: with a manifest that names no files. Writing is
//! the same each time, so after a crash it is done once more from the beginning.

use std::collections::VecDeque;

use stepwell_interpreter::{ChildResult, Failure, ResultKind, ResultsRequest, result_key};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall, blob_text};
use stepwell_spec::error;

use crate::items::{s3_call, words_of};

/// Bytes of a file, past which the next one begins: each is in memory while it is written.
const FILE_BYTES: usize = 8 * 1024 * 1024;

const MANIFEST: &str = "manifest.json";

/// The lists of files, in the manifest's order.
const KINDS: &[(ResultKind, &str)] =
    &[(ResultKind::Failed, "FAILED"), (ResultKind::Pending, "PENDING"), (ResultKind::Succeeded, "SUCCEEDED")];

/// Results that are being written, one file at a time.
#[derive(Debug)]
pub struct Writing {
    request: ResultsRequest,
    /// Those that are not written, list by list.
    left: Vec<VecDeque<ChildResult>>,
    /// The files of each list: key and size.
    written: Vec<Vec<(String, usize)>>,
    /// The list of the file that is being written; the manifest comes behind the last.
    list: usize,
    /// Its key and size.
    file: (String, usize),
    is_over: bool,
}

impl Writing {
    /// Writes these, or tries whether any could be written.
    pub fn new(request: ResultsRequest, results: Vec<ChildResult>) -> Writing {
        let mut left: Vec<VecDeque<ChildResult>> = KINDS.iter().map(|_| VecDeque::new()).collect();
        for result in results {
            if let Some(list) = KINDS.iter().position(|(kind, _)| *kind == result.kind) {
                left[list].push_back(result);
            }
        }
        let written = KINDS.iter().map(|_| Vec::new()).collect();
        Writing { request, left, written, list: 0, file: (String::new(), 0), is_over: false }
    }

    /// The call that writes the next file; none when all of them are written.
    pub fn next_call(&mut self) -> Option<AwsCall> {
        if self.is_over {
            return None;
        }
        while self.left.get(self.list).is_some_and(VecDeque::is_empty) {
            self.list += 1;
        }
        let (name, body) = match (self.left.get_mut(self.list), KINDS.get(self.list)) {
            (Some(left), Some((_, name))) => {
                let place = self.written[self.list].len();
                (format!("{name}_{place}.json"), body(left, self.request.as_lines))
            }
            _ => (MANIFEST.to_owned(), self.manifest()),
        };
        self.file = (result_key(&self.request, &name), body.len());
        let members = [
            ("Key", Json::from(self.file.0.as_str())),
            ("Body", Json::from(blob_text(body.as_bytes()))),
            ("ContentType", Json::from("application/json")),
        ];
        let arguments = match &self.request.task.input {
            Json::Object(given) => {
                let given = given.iter().filter(|(name, _)| ***name != *"Prefix");
                Json::object(given.map(|(name, value)| (name.clone(), value.clone())))
            }
            other => other.clone(),
        };
        Some(s3_call("PutObject", &arguments, &members))
    }

    /// Takes the answer to what was asked.
    pub fn take(&mut self, answer: AwsAnswer) -> Result<(), Failure> {
        if let Err(fault) = answer {
            let advice = match fault.status {
                403 => {
                    "Access denied. Ensure the correct permissions are added to your state machine's execution role. | "
                }
                _ => "",
            };
            let cause = format!("{advice}Message from S3: {}", words_of(&fault));
            return Err(Failure::new(error::RESULT_WRITER_FAILED, cause));
        }
        match self.written.get_mut(self.list) {
            Some(written) => written.push(std::mem::take(&mut self.file)),
            None => self.is_over = true,
        }
        Ok(())
    }

    fn manifest(&self) -> String {
        let files = |list: &Vec<(String, usize)>| {
            let file = |(key, size): &(String, usize)| {
                Json::object([("Key", Json::from(key.as_str())), ("Size", Json::from(*size as u64))])
            };
            Json::array(list.iter().map(file).collect())
        };
        let lists = KINDS.iter().zip(&self.written).map(|((_, name), list)| (*name, files(list)));
        let mut manifest = ObjectBuilder::with_capacity(3);
        manifest.insert("DestinationBucket", self.request.task.input.get("Bucket").cloned().unwrap_or(Json::Null));
        manifest.insert("MapRunArn", Json::String(self.request.map_run_arn.clone()));
        manifest.insert("ResultFiles", Json::object(lists));
        Json::Object(manifest.build()).to_string()
    }
}

/// The next file: an array, or lines.
fn body(left: &mut VecDeque<ChildResult>, as_lines: bool) -> String {
    let mut body = String::new();
    while body.len() < FILE_BYTES
        && let Some(result) = left.pop_front()
    {
        if !as_lines {
            body.push(if body.is_empty() { '[' } else { ',' });
        }
        body.push_str(&result.value.to_string());
        if as_lines {
            body.push('\n');
        }
    }
    if !as_lines {
        body.push(']');
    }
    body
}

#[cfg(test)]
mod tests {
    use stepwell_asl::{Resource, ResourceKind};
    use stepwell_interpreter::{TaskKey, TaskRequest, ThreadId};
    use stepwell_protocol::{AwsError, AwsOutput, Fault, blob_bytes};

    use super::*;

    fn request(arguments: &str, as_lines: bool) -> ResultsRequest {
        ResultsRequest {
            task: TaskRequest {
                key: TaskKey { thread: ThreadId::ROOT, scheduled_event_id: 4 },
                state_name: "M".into(),
                resource: Resource { arn: "arn:aws:states:::s3:putObject".into(), kind: ResourceKind::LambdaFunction },
                input: Json::parse(arguments).expect("JSON"),
                token: None,
                role_arn: None,
                retry_count: 0,
                taken: false,
                submitted: None,
            },
            map_run_arn: "arn:aws:states:us-east-1:000000000000:mapRun:m/L:run-1".into(),
            as_lines,
            is_trial: false,
            redrive_count: 0,
        }
    }

    fn result(kind: ResultKind, value: Json) -> ChildResult {
        ChildResult { kind, value }
    }

    /// Every file that is written: its bucket, key and text.
    fn written(mut writing: Writing) -> Vec<(String, String)> {
        let mut files = Vec::new();
        while let Some(call) = writing.next_call() {
            assert_eq!((&*call.service, &*call.action), ("s3", "PutObject"));
            assert!(call.input.get("Prefix").is_none());
            let text = |name: &str| call.input.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
            let body = String::from_utf8(blob_bytes(&text("Body")).expect("base64")).expect("text");
            files.push((format!("{}/{}", text("Bucket"), text("Key")), body));
            let done =
                AwsOutput { output: Json::empty_object(), status: 200, request_id: "id".into(), headers: Vec::new() };
            writing.take(Ok(done)).expect("written");
        }
        files
    }

    #[test]
    fn each_list_has_its_files_and_the_manifest_names_them() {
        let results = vec![
            result(ResultKind::Succeeded, Json::from(1_i64)),
            result(ResultKind::Failed, Json::from("no")),
            result(ResultKind::Succeeded, Json::from(2_i64)),
        ];
        let of = |prefix: &str| request(&format!(r#"{{"Bucket":"b","Prefix":"{prefix}"}}"#), false);
        let files = written(Writing::new(of("p/q"), results.clone()));
        let expected = [
            ("b/p/q/run-1/FAILED_0.json", r#"["no"]"#),
            ("b/p/q/run-1/SUCCEEDED_0.json", "[1,2]"),
            (
                "b/p/q/run-1/manifest.json",
                concat!(
                    r#"{"DestinationBucket":"b","MapRunArn":"arn:aws:states:us-east-1:000000000000:mapRun:m/L:run-1","#,
                    r#""ResultFiles":{"FAILED":[{"Key":"p/q/run-1/FAILED_0.json","Size":6}],"PENDING":[],"#,
                    r#""SUCCEEDED":[{"Key":"p/q/run-1/SUCCEEDED_0.json","Size":5}]}}"#
                ),
            ),
        ];
        let expected: Vec<_> = expected.iter().map(|(key, body)| ((*key).to_owned(), (*body).to_owned())).collect();
        assert_eq!(files, expected);
        let lines = written(Writing::new(request(r#"{"Bucket":"b"}"#, true), results));
        assert_eq!(lines[1], ("b/run-1/SUCCEEDED_0.json".to_owned(), "1\n2\n".to_owned()));
        let trial = written(Writing::new(of("p/"), Vec::new()));
        assert_eq!(trial.len(), 1);
        assert!(trial[0].0 == "b/p/run-1/manifest.json" && trial[0].1.contains(r#""SUCCEEDED":[]"#), "{trial:?}");
    }

    #[test]
    fn many_results_are_many_files() {
        let long = Json::from("x".repeat(200_000));
        let results = (0..100).map(|_| result(ResultKind::Pending, long.clone())).collect();
        let files = written(Writing::new(request(r#"{"Bucket":"b"}"#, false), results));
        assert_eq!(files.len(), 4);
        assert!(files[2].0.ends_with("PENDING_2.json") && files.iter().all(|(_, body)| body.len() < 9_000_000));
    }

    #[test]
    fn a_refusal_is_told_as_it_was_said() {
        let mut writing = Writing::new(request(r#"{"Bucket":"b"}"#, false), Vec::new());
        let fault = |status, message: &str| AwsError {
            code: "E".into(),
            message: Some(message.into()),
            status,
            fault: Fault::Client,
            request_id: "id".into(),
            members: Json::empty_object(),
        };
        let failure = writing.take(Err(fault(404, "The specified bucket does not exist"))).expect_err("refused");
        assert_eq!(failure.error.as_deref(), Some("States.ResultWriterFailed"));
        let expected =
            "Message from S3: The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: id)";
        assert_eq!(failure.cause.as_deref(), Some(expected));
        let failure = writing.take(Err(fault(403, "Access Denied"))).expect_err("refused");
        assert!(failure.cause.is_some_and(|cause| cause.starts_with("Access denied. Ensure the correct permissions")));
    }
}
