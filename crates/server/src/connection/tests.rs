//! Clients that are slow in every way, under a clock that skips.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A connection whose answers have so many bytes and take so long to make. What is in flight has room for 1,000 bytes.
fn connect(answer_bytes: usize, answer_time: Duration) -> DuplexStream {
    let (client, stream) = tokio::io::duplex(1_000);
    let turn = Turn::new();
    let patient = Patient::new(stream, Patience::USUAL, turn.clone());
    let answering = service_fn(move |_| {
        let turn = turn.clone();
        async move {
            turn.begin_answer();
            tokio::time::sleep(answer_time).await;
            turn.end_answer();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![b'x'; answer_bytes]))))
        }
    });
    let connection = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(patient), answering);
    tokio::spawn(connection);
    client
}

/// Reads one small answer.
async fn answer(client: &mut DuplexStream) {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\nx") {
        assert!(client.read_buf(&mut text).await.expect("an answer") > 0, "{text:?}");
    }
}

/// Seconds until the server ends the connection.
async fn seconds_left(client: &mut DuplexStream) -> u64 {
    let began = Instant::now();
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(1_000), client.read_to_end(&mut rest)).await;
    end.expect("it ends at all").expect("an end");
    assert!(rest.is_empty(), "{rest:?}");
    began.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_ended() {
    assert_eq!(seconds_left(&mut connect(1, Duration::ZERO)).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_ten_seconds_from_its_first_byte() {
    let mut client = connect(1, Duration::ZERO);
    client.write_all(&REQUEST[..20]).await.expect("a beginning");
    tokio::time::sleep(Duration::from_secs(9)).await;
    // Another byte is no new beginning.
    client.write_all(&REQUEST[20..21]).await.expect("a byte");
    assert_eq!(seconds_left(&mut client).await, 1);

    let mut client = connect(1, Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(9)).await;
    client.write_all(&REQUEST[..1]).await.expect("a byte");
    tokio::time::sleep(Duration::from_secs(9)).await;
    client.write_all(&REQUEST[1..]).await.expect("the rest");
    answer(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lives_for_two_minutes_after_each_answer() {
    let mut client = connect(1, Duration::ZERO);
    for _ in 0..3 {
        client.write_all(REQUEST).await.expect("a request");
        answer(&mut client).await;
        tokio::time::sleep(Duration::from_secs(119)).await;
    }
    client.write_all(REQUEST).await.expect("a request");
    answer(&mut client).await;
    assert_eq!(seconds_left(&mut client).await, 120);
}

#[tokio::test(start_paused = true)]
async fn a_second_head_has_ten_seconds_too() {
    let mut client = connect(1, Duration::ZERO);
    client.write_all(REQUEST).await.expect("a request");
    answer(&mut client).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    client.write_all(&REQUEST[..20]).await.expect("a beginning");
    assert_eq!(seconds_left(&mut client).await, 10);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_answer_may_wait_long() {
    let mut client = connect(1, Duration::from_secs(300));
    client.write_all(REQUEST).await.expect("a request");
    answer(&mut client).await;
    assert_eq!(seconds_left(&mut client).await, 120);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_taken_slowly_but_not_never() {
    let mut client = connect(10_000, Duration::ZERO);
    client.write_all(REQUEST).await.expect("a request");
    let mut taken = 0;
    // Ten parts, fifty seconds apart: longer in all than a connection may be idle.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        let mut part = [0; 900];
        taken += client.read_exact(&mut part).await.expect("a part");
    }
    assert_eq!(taken, 9_000);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("an end");
    assert!(taken + rest.len() < 10_000 + 100, "{}", rest.len());
}
