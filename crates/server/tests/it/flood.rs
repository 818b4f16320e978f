//! Bad requests of every action over HTTP: each is answered as AWS would, and the server goes on.
//!
//! What is wrong with them is the API's own table; the API's tests send many more, without the socket.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use stepwell_json::Json;
use stepwell_spec::Action;

use crate::Running;
use crate::bad_requests::{Draft, Stock, Tally};
use crate::chance::Chance;

/// For each action.
const REQUESTS: usize = 200;

/// After so many there is a new server, so that what they deleted, stopped and answered is there again.
const REQUESTS_PER_SERVER: usize = 50;

/// A poll of an activity that has no task waits for a minute; after this it is seen to wait.
const POLL: Duration = Duration::from_millis(100);

#[test]
fn bad_requests_of_every_action_are_answered_and_the_server_goes_on() {
    let mut tally = Tally::default();
    for (place, &action) in Action::ALL.iter().enumerate() {
        let mut chance = Chance::new(place as u64 + 3_001);
        for _ in 0..REQUESTS / REQUESTS_PER_SERVER {
            flood(action, &mut chance, &mut tally);
        }
    }
    tally.close();
}

fn flood(action: Action, chance: &mut Chance, tally: &mut Tally) {
    let server = Running::start();
    let stock = Stock::new(&mut |action, body| {
        let answer = server.call(action, body);
        assert_eq!(answer.status, 200, "{action} {body}: {answer:?}");
        Json::parse(&answer.body).expect("JSON")
    });
    let requests = stock.requests(action);
    for _ in 0..REQUESTS_PER_SERVER {
        let draft = Draft::wrong(action, chance.pick(&requests), chance);
        if let Some((status, body)) = send(&server, &draft) {
            tally.count(&draft, &draft.judge(status, &body));
        }
    }
    assert_eq!(server.get("/_stepwell/health").status, 200);
    assert_eq!(server.end(), Ok(()), "{} ended the server", action.name());
}

/// Status and body; nothing, when it is a poll that waits.
fn send(server: &Running, draft: &Draft) -> Option<(u16, String)> {
    let may_wait = draft.target.ends_with("GetActivityTask");
    let mut stream = server.connect();
    if may_wait {
        stream.set_read_timeout(Some(POLL)).expect("a timeout");
    }
    let head = format!(
        "{} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {}\r\nX-Amz-Target: {}\r\nContent-Length: {}\r\n\r\n",
        draft.method,
        draft.content_type,
        draft.target,
        draft.body.len()
    );
    stream.write_all(head.as_bytes()).expect("the head is taken");
    stream.write_all(&draft.body).expect("the body is taken");
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => {}
        Err(fault) if may_wait && matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
        Err(fault) => panic!("{draft}: {fault}"),
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{draft} is not answered: {text}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Some((status, body.to_owned()))
}
