//! What a topic tells endpoints outside: again when they are not well, and not for longer than the server lives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_server::{Settings, Time};

use crate::outward::{Fake, answer, json, own_machine};
use crate::{Answer, Running};

fn sns(server: &Running, form: &str) -> Answer {
    let headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask("POST", "/", &headers, form.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Subscribes an endpoint to a new topic, which asks it to confirm.
fn subscribe(server: &Running, protocol: &str, endpoint: &str) {
    sns(server, "Action=CreateTopic&Version=2010-03-31&Name=t");
    let topic = "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At";
    let endpoint = endpoint.replace(':', "%3A").replace('/', "%2F");
    let form = format!("Action=Subscribe&Version=2010-03-31&TopicArn={topic}&Protocol={protocol}&Endpoint={endpoint}");
    sns(server, &form);
}

#[test]
fn an_endpoint_that_is_not_well_is_told_again() {
    let times = AtomicUsize::new(0);
    let fake = Fake::start(move |_| match times.fetch_add(1, Ordering::Relaxed) {
        0 => answer("503 Service Unavailable", "", ""),
        1 => answer("429 Too Many Requests", "", ""),
        2 => answer("500 Internal Server Error", "", ""),
        _ => json("{}"),
    });
    let server = Running::with(Settings { egress: own_machine(), time: Time::Skip, ..Settings::default() });
    subscribe(&server, "http", &format!("http://{}/hook", fake.address));
    let asked = [fake.next(), fake.next(), fake.next(), fake.next()];
    assert!(asked.iter().all(|request| request.starts_with("POST /hook HTTP/1.1")), "{asked:?}");
    let (_, body) = asked[0].split_once("\r\n\r\n").expect("a body");
    let kind = Json::parse(body).expect("JSON").get("Type").and_then(Json::as_str).map(str::to_owned);
    assert_eq!(kind.as_deref(), Some("SubscriptionConfirmation"));
    assert!(asked.iter().all(|request| request.ends_with(body)), "the same each time: {asked:?}");
    drop(server);
    fake.was_not_asked();
}

#[test]
fn what_an_endpoint_refuses_is_not_told_again() {
    let fake = Fake::start(|request| match request.starts_with("POST /first ") {
        true => answer("404 Not Found", "", ""),
        false => json("{}"),
    });
    let server = Running::with(Settings { egress: own_machine(), time: Time::Skip, ..Settings::default() });
    subscribe(&server, "http", &format!("http://{}/first", fake.address));
    subscribe(&server, "http", &format!("http://{}/second", fake.address));
    let mut asked = [fake.next(), fake.next()];
    asked.sort();
    assert!(asked[0].starts_with("POST /first ") && asked[1].starts_with("POST /second "), "{asked:?}");
    drop(server);
    fake.was_not_asked();
}

#[test]
fn endpoints_are_asked_over_tls_by_who_is_trusted() {
    let fake = Fake::secure(|_| json("{}"));
    let ca_bundle = Some(crate::outward::certificate("authority.pem"));
    let server = Running::with(Settings { egress: own_machine(), ca_bundle, ..Settings::default() });
    subscribe(&server, "https", &format!("https://localhost:{}/hook", fake.address.port()));
    assert!(fake.next().starts_with("POST /hook HTTP/1.1"));
}

#[test]
fn a_server_ends_without_waiting_for_what_is_to_be_told_again() {
    let fake = Fake::start(|_| answer("503 Service Unavailable", "", ""));
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    subscribe(&server, "http", &format!("http://{}/", fake.address));
    // Three times at once; then it waits.
    let _ = [fake.next(), fake.next(), fake.next(), fake.next()];
    let began = Instant::now();
    server.end().expect("it ends well");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
