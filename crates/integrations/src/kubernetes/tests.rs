//! Calls and jobs of Kubernetes, from arguments to requests and from answers to results.

use stepwell_interpreter::Command;
use stepwell_protocol::{Keys, blob_bytes};

use super::*;
use crate::connection::Authorization;
use crate::jobs::{Progress, Question, Reply, poll_of, progress_of, stop_of, waits_for_job};
use crate::task::tests::{identity, json, request as task_of};
use crate::web::{web_call_of, web_outcome_of};

const CLUSTER: &str = r#""ClusterName":"c","CertificateAuthority":"PEM=","Endpoint":"https://k.example/base/""#;

/// `METHOD host/path?query TYPE BODY` of a call.
fn shown_call(call: &WebCall) -> String {
    let sent = call.request(&Authorization::default()).expect("a request");
    let kind = call.headers.iter().find(|(name, _)| name == "Content-Type").map_or("-", |(_, kind)| kind.as_str());
    format!(
        "{} {}{} {kind} {}",
        sent.method,
        call.address.authority,
        sent.target(),
        String::from_utf8_lossy(&sent.body)
    )
}

fn asked(resource: &str, arguments: &str) -> String {
    let request = task_of(&format!("arn:aws:states:::{resource}"), &format!("{{{CLUSTER}{arguments}}}"));
    match web_call_of(Task { request: &request, execution: &identity() }).expect("an address is asked") {
        Ok(call) => {
            let cluster = call.cluster.as_ref().expect("a cluster");
            assert_eq!((cluster.name.as_str(), cluster.certificate_authority.as_str()), ("c", "PEM="));
            shown_call(&call)
        }
        Err(failure) => failure.cause.as_deref().unwrap_or_default().to_owned(),
    }
}

fn answer(status: u16, text: &str, body: &str) -> WebAnswer {
    Ok(WebOutput { status, status_text: text.to_owned(), headers: Vec::new(), body: body.as_bytes().to_vec() })
}

fn told(command: Command) -> String {
    match command {
        Command::TaskSubmitted { output, .. } => format!("submitted {output}"),
        Command::TaskSucceeded { output, .. } => output.to_string(),
        Command::TaskFailed { error, cause, .. } => {
            format!("{}: {}", error.as_deref().unwrap_or("-"), cause.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn a_call_is_a_request_of_the_clusters_api() {
    for (arguments, expected) in [
        (
            r#","Method":"GET","Path":"/api/v1/pods","QueryParameters":{"labelSelector":["job-name=a,b"]}"#,
            "GET k.example/base/api/v1/pods?labelSelector=job-name%3Da%2Cb - ",
        ),
        (
            r#","Method":"POST","Path":"api/v1/x y","RequestBody":{"kind":"Pod","n":null}"#,
            r#"POST k.example/base/api/v1/x%20y application/json {"kind":"Pod","n":null}"#,
        ),
        (
            r#","Method":"POST","Path":"/p","RequestBody":"{\"kind\":1}""#,
            r#"POST k.example/base/p application/json {"kind":1}"#,
        ),
        (
            r#","Method":"PATCH","Path":"/p","RequestBody":{"a":1}"#,
            r#"PATCH k.example/base/p application/merge-patch+json {"a":1}"#,
        ),
        (
            r#","Method":"PATCH","Path":"/p","RequestBody":[1]"#,
            "PATCH k.example/base/p application/json-patch+json [1]",
        ),
        (r#","Method":"get","Path":"/p""#, "'get' is no method of the Kubernetes API"),
        (r#","Method":"GET""#, "Path is missing"),
        (r#","Method":"GET","Path":"/p?x=1""#, "Path holds a query; give it as QueryParameters"),
        (r#","Method":"GET","Path":"/p","Endpoint":"https://u@h""#, "Endpoint cannot be 'https://u@h': it must not"),
        (r#","Method":"GET","Path":"/p","CertificateAuthority":"""#, "CertificateAuthority is missing"),
    ] {
        let said = asked("eks:call", arguments);
        assert!(said.starts_with(expected) && (said == expected || expected.contains("it must")), "{said}");
    }
}

#[test]
fn results_and_failures_have_the_published_form() {
    let request = task_of("arn:aws:states:::eks:call", "{}");
    let told = |answer: WebAnswer| told(web_outcome_of(Task { request: &request, execution: &identity() }, answer));
    assert_eq!(
        told(answer(200, "OK", r#"{"items":[]}"#)),
        r#"{"ResponseBody":{"items":[]},"StatusCode":200,"StatusText":"OK"}"#
    );
    assert_eq!(
        told(answer(401, "Unauthorized", r#"{"kind":"Status","code":401}"#)),
        r#"EKS.401: {"ResponseBody":{"kind":"Status","code":401},"StatusCode":401,"StatusText":"Unauthorized"}"#
    );
    assert_eq!(told(answer(500, "", "no")), r#"EKS.500: {"ResponseBody":"no","StatusCode":500,"StatusText":""}"#);
    assert_eq!(told(Err(WebFault::Socket("Nobody.".to_owned()))), "EKS.SdkClientException: Nobody.");
    assert!(told(Err(WebFault::TooLarge)).starts_with("States.DataLimitExceeded: "));
}

#[test]
fn a_job_is_begun_in_its_namespace() {
    let job = r#","Job":{"metadata":{"name":"j"}}"#;
    let expected =
        r#"POST k.example/base/apis/batch/v1/namespaces/default/jobs application/json {"metadata":{"name":"j"}}"#;
    assert_eq!(asked("eks:runJob", job), expected);
    let said = asked("eks:runJob.sync", &format!(r#"{job},"Namespace":"a/b""#));
    assert!(said.contains("/namespaces/a%2Fb/jobs "), "{said}");
    assert_eq!(asked("eks:runJob", ""), "Job is missing");
    let request = task_of("arn:aws:states:::eks:runJob", "{}");
    let task = Task { request: &request, execution: &identity() };
    assert!(!waits_for_job(task));
    assert!(told(web_outcome_of(task, answer(201, "Created", "{}"))).starts_with(r#"{"ResponseBody""#));
}

/// A job that ended in this way, and its pods: what the execution is told in the end, and the questions asked for it.
fn ended(arguments: &str, condition: &str, answers: &[(&str, WebAnswer)]) -> String {
    let arguments = format!(r#"{{{CLUSTER},"Job":{{}}{arguments}}}"#);
    let request = task_of("arn:aws:states:::eks:runJob.sync", &arguments);
    let task = Task { request: &request, execution: &identity() };
    assert!(waits_for_job(task));
    let begun = web_outcome_of(task, answer(201, "Created", r#"{"metadata":{"name":"j-1"}}"#));
    let Command::TaskSubmitted { output: submitted, .. } = begun else { panic!("{begun:?}") };
    let shown = |question: Option<Question>| match question {
        Some(Question::Address(call)) => shown_call(&call),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(poll_of(task, &submitted)), "GET k.example/base/apis/batch/v1/namespaces/default/jobs/j-1 - ");
    let stop = "DELETE k.example/base/apis/batch/v1/namespaces/default/jobs/j-1?propagationPolicy=Background - ";
    assert_eq!(shown(stop_of(task, &submitted)), stop);
    let job = format!(
        r#"{{"metadata":{{"name":"j-1"}},"status":{{"conditions":[{{"type":"Suspended","status":"False"}},{{"type":"{condition}","status":"True"}}]}}}}"#
    );
    match progress_of(task, &submitted, Reply::Address(answer(200, "OK", &job))) {
        Progress::Running => "running".to_owned(),
        Progress::Over(command) => told(command),
        Progress::Collects(mut collecting) => {
            let mut answers = answers.iter();
            while let Some(call) = collecting.next_call(task) {
                let (asked, given) = answers.next().expect("no more is asked");
                assert_eq!(shown_call(&call), format!("GET k.example/base/api/v1/namespaces/default/pods{asked} - "));
                collecting.take(given.clone());
            }
            assert_eq!(answers.count(), 0, "all is asked");
            told(collecting.told())
        }
    }
}

#[test]
fn a_job_is_over_when_it_says_so() {
    let job = |condition: &str| {
        format!(
            r#"{{"metadata":{{"name":"j-1"}},"status":{{"conditions":[{{"type":"Suspended","status":"False"}},{{"type":"{condition}","status":"True"}}]}}}}"#
        )
    };
    assert_eq!(ended("", "Suspended", &[]), "running");
    assert_eq!(ended("", "Complete", &[]), job("Complete"));
    assert_eq!(ended("", "Failed", &[]), format!("States.TaskFailed: {}", job("Failed")));
}

#[test]
fn logs_are_read_as_far_as_they_can_be() {
    let pods = r#"{"items":[{"metadata":{"name":"p-1"},"spec":{"containers":[{"name":"a"},{"name":"b"}]}},
                   {"metadata":{"name":"p-2"},"spec":{"containers":[{"name":"a"}]}}]}"#;
    let answers = [
        ("?labelSelector=job-name%3Dj-1", answer(200, "OK", pods)),
        ("/p-1/log?container=a&tailLines=6", answer(200, "OK", r#"{"pi":3.14}"#)),
        ("/p-1/log?container=b&tailLines=6", answer(200, "OK", "said\n")),
        ("/p-2/log?container=a&tailLines=6", answer(404, "Not Found", "gone")),
    ];
    let options = r#","LogOptions":{"RetrieveLogs":true,"LogParameters":{"tailLines":["6"],"container":["x"]}}"#;
    let logs = |ended: String| json(&ended).get("logs").expect("logs").to_string();
    assert_eq!(
        logs(ended(options, "Complete", &answers)),
        r#"{"pods":{"p-1":{"containers":{"a":{"log":{"pi":3.14}},"b":{"log":"said\n"}}},"p-2":{"containers":{"a":{"error":"EKS.404","cause":"{\"ResponseBody\":\"gone\",\"StatusCode\":404,\"StatusText\":\"Not Found\"}"}}}}}"#
    );
    let raw = r#","LogOptions":{"RetrieveLogs":true,"RawLogs":true}"#;
    let one = r#"{"items":[{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}]}}]}"#;
    let answers = [
        ("?labelSelector=job-name%3Dj-1", answer(200, "OK", one)),
        ("/p/log?container=a", answer(200, "OK", r#"{"pi":3.14}"#)),
    ];
    assert_eq!(
        logs(ended(raw, "Complete", &answers)),
        r#"{"pods":{"p":{"containers":{"a":{"log":"{\"pi\":3.14}"}}}}}"#
    );
    let unlisted = [("?labelSelector=job-name%3Dj-1", Err(WebFault::Socket("Nobody.".to_owned())))];
    let said = ended(raw, "Failed", &unlisted);
    assert!(
        said.starts_with("States.TaskFailed: ") && said.contains(r#""logs":{"error":"EKS.SdkClientException""#),
        "{said}"
    );
}

#[test]
fn a_job_that_cannot_be_asked_for_now_is_asked_for_again() {
    let request = task_of("arn:aws:states:::eks:runJob.sync", &format!(r#"{{{CLUSTER},"Job":{{}}}}"#));
    let task = Task { request: &request, execution: &identity() };
    let progress = |answer: WebAnswer| match progress_of(task, &json("{}"), Reply::Address(answer)) {
        Progress::Over(command) => told(command),
        other => format!("{other:?}"),
    };
    assert_eq!(progress(Err(WebFault::Socket("Nobody.".to_owned()))), "Running");
    assert_eq!(progress(answer(503, "", "")), "Running");
    assert_eq!(progress(answer(429, "", "")), "Running");
    assert!(progress(answer(404, "Not Found", "")).starts_with("EKS.404: "));
    assert!(progress(Err(WebFault::Refused("No.".to_owned()))).starts_with("States.TaskFailed: No."));
    assert!(poll_of(task, &json("{}")).is_none(), "nobody knows which job");
}

#[test]
fn a_token_is_a_signed_question_for_one_cluster() {
    let keys = Keys {
        access_key_id: "AKID".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: Some("to/ken".to_owned()),
    };
    let token = bearer_token("my-cluster", "eu-west-1", &keys, "20261121T000000Z");
    let bare = token.strip_prefix("k8s-aws-v1.").expect("its kind");
    assert!(!bare.contains(['+', '/', '=']), "{bare}");
    let padded = format!("{}{}", bare.replace('-', "+").replace('_', "/"), "=".repeat((4 - bare.len() % 4) % 4));
    let url = String::from_utf8(blob_bytes(&padded).expect("base64")).expect("text");
    let (url, signature) = url.split_once("&X-Amz-Signature=").expect("a signature");
    assert_eq!(
        url,
        "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential=AKID%2F20261121%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20261121T000000Z&X-Amz-Expires=60&\
         X-Amz-Security-Token=to%2Fken&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"
    );
    assert_eq!(signature, "82c2d1a65a72075e3cdaac43a7499d9ab87c0d19f03e1228e1278add2bb7bf26", "as botocore has it");
}
