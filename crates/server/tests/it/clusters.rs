//! Clusters: the Kubernetes API of one of EKS, and the groups of one of EMR, which are found by their names.

use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_json::Json;
use stepwell_protocol::blob_text;
use stepwell_server::{Endpoints, Settings, Time};

use crate::Running;
use crate::executions::text;
use crate::outward::{Fake, answer, certificate, failure, json, own_machine, run};

fn settings() -> Settings {
    let mut endpoints = Endpoints::default();
    // Somebody stands in for EKS, so that the keys are the ones emulators take; nobody asks it.
    endpoints.set("eks", "http://127.0.0.1:9").expect("a URL");
    Settings { endpoints, egress: own_machine(), time: Time::Skip, ..Settings::default() }
}

/// What a task says of the cluster whose API this is.
fn cluster(fake: &Fake) -> String {
    let authority = std::fs::read(certificate("authority.pem")).expect("an authority");
    format!(
        r#""ClusterName":"c","CertificateAuthority":"{}","Endpoint":"https://localhost:{}""#,
        blob_text(&authority),
        fake.address.port()
    )
}

#[test]
fn a_job_of_kubernetes_is_begun_asked_for_and_its_logs_read() {
    let questions = AtomicUsize::new(0);
    let fake = Fake::secure(move |request| {
        let line = request.lines().next().unwrap_or_default();
        match line.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", "/apis/batch/v1/namespaces/n/jobs"] => {
                answer("201 Created", "", r#"{"kind":"Job","metadata":{"name":"j"}}"#)
            }
            ["GET", "/apis/batch/v1/namespaces/n/jobs/j"] => match questions.fetch_add(1, Ordering::Relaxed) {
                0 => json(r#"{"metadata":{"name":"j"},"status":{}}"#),
                _ => json(r#"{"metadata":{"name":"j"},"status":{"conditions":[{"type":"Complete","status":"True"}]}}"#),
            },
            ["GET", "/api/v1/namespaces/n/pods?labelSelector=job-name%3Dj"] => {
                json(r#"{"items":[{"metadata":{"name":"p"},"spec":{"containers":[{"name":"pi"}]}}]}"#)
            }
            ["GET", "/api/v1/namespaces/n/pods/p/log?container=pi"] => answer("200 OK", "", r#"{"pi":3.14}"#),
            _ => answer("404 Not Found", "", ""),
        }
    });
    let server = Running::with(settings());
    let parameters = format!(
        r#"{{{},"Namespace":"n","Job":{{"metadata":{{"name":"j"}}}},"LogOptions":{{"RetrieveLogs":true}}}}"#,
        cluster(&fake)
    );
    let ended = run(&server, "m", "eks:runJob.sync", &parameters);
    let expected = r#"{"metadata":{"name":"j"},"status":{"conditions":[{"type":"Complete","status":"True"}]},"logs":{"pods":{"p":{"containers":{"pi":{"log":{"pi":3.14}}}}}}}"#;
    assert_eq!(text(&ended, "output"), expected);
    let asked = fake.next();
    assert!(asked.contains("authorization: bearer k8s-aws-v1."), "{asked}");
    assert!(
        asked.contains("content-type: application/json") && asked.ends_with(r#"{"metadata":{"name":"j"}}"#),
        "{asked}"
    );
    let asked = [fake.next(), fake.next(), fake.next(), fake.next()];
    assert!(asked.iter().all(|request| request.contains("authorization: bearer k8s-aws-v1.")), "{asked:?}");
    fake.was_not_asked();
}

#[test]
fn a_clusters_refusal_has_its_status() {
    let fake = Fake::secure(|_| answer("409 Conflict", "", r#"{"kind":"Status","code":409}"#));
    let server = Running::with(settings());
    let parameters =
        format!(r#"{{{},"Method":"POST","Path":"/api/v1/namespaces","RequestBody":{{}}}}"#, cluster(&fake));
    let expected = r#"EKS.409: {"ResponseBody":{"kind":"Status","code":409},"StatusCode":409,"StatusText":"Conflict"}"#;
    assert_eq!(failure(&run(&server, "m", "eks:call", &parameters)), expected);
}

#[test]
fn a_cluster_is_trusted_by_its_own_authority_alone_and_not_reached_in_private_networks() {
    let fake = Fake::secure(|_| json("{}"));
    // What the server trusts does not count.
    let mut settings = Settings { ca_bundle: Some(certificate("authority.pem")), ..settings() };
    let server = Running::with(settings.clone());
    let other = blob_text(&std::fs::read(certificate("server.key")).expect("a file"));
    let call = |authority: &str| {
        let port = fake.address.port();
        format!(
            r#"{{"ClusterName":"c","CertificateAuthority":"{authority}","Endpoint":"https://localhost:{port}","Method":"GET","Path":"/p"}}"#
        )
    };
    let said = failure(&run(&server, "m", "eks:call", &call(&other)));
    assert!(
        said.starts_with("States.TaskFailed: CertificateAuthority cannot be used: it has no certificate"),
        "{said}"
    );
    let strange = blob_text(STRANGER.as_bytes());
    let said = failure(&run(&server, "n", "eks:call", &call(&strange)));
    assert!(said.starts_with("EKS.SdkClientException: Connect to localhost:"), "{said}");
    fake.was_not_asked();
    settings.egress = stepwell_server::Egress::default();
    let closed = Running::with(settings);
    let said = failure(&run(&closed, "m", "eks:call", &call(&strange)));
    assert!(said.contains("start the server with --egress-allow"), "{said}");
}

/// An authority that has signed nothing here.
const STRANGER: &str = include_str!("certificates/stranger.pem");

#[test]
fn a_group_of_instances_is_found_by_its_name_and_changed() {
    let fake = Fake::start(|request| match request.contains("x-amz-target: elasticmapreduce.listinstancegroups") {
        true => json(r#"{"InstanceGroups":[{"Id":"ig-1","Name":"master"},{"Id":"ig-2","Name":"core"}]}"#),
        false => answer("200 OK", "Content-Type: application/x-amz-json-1.1\r\n", ""),
    });
    let mut endpoints = Endpoints::default();
    endpoints.set("emr", &format!("http://{}", fake.address)).expect("a URL");
    let server = Running::with(Settings { endpoints, ..Settings::default() });
    let group = |name: &str| {
        format!(r#"{{"ClusterId":"j-1","InstanceGroupName":"{name}","InstanceGroup":{{"InstanceCount":8}}}}"#)
    };
    let resource = "elasticmapreduce:modifyInstanceGroupByName";
    let ended = run(&server, "m", resource, &group("core"));
    assert_eq!(text(&ended, "status"), "SUCCEEDED", "{ended}");
    let output = Json::parse(&text(&ended, "output")).expect("JSON");
    assert!(output.get("SdkHttpMetadata").is_some(), "{output}");
    assert!(fake.next().ends_with(r#"{"ClusterId":"j-1"}"#));
    let asked = fake.next();
    let expected = r#"{"ClusterId":"j-1","InstanceGroups":[{"InstanceCount":8,"InstanceGroupId":"ig-2"}]}"#;
    assert!(asked.ends_with(expected), "{asked}");
    let said = failure(&run(&server, "n", resource, &group("none")));
    assert!(said.contains("InstanceGroupName \"none\" is not one of the cluster's InstanceGroups"), "{said}");
}
