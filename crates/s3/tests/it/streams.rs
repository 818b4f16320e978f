//! What every answer has, and bodies that break off.

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;

use crate::house::{Folder, House, NOW, at, place};

#[tokio::test]
async fn every_answer_has_both_ids() {
    let house = House::in_memory();
    for (method, target) in
        [("PUT", "/bucket"), ("GET", "/bucket"), ("GET", "/none/k"), ("HEAD", "/none"), ("GET", "/a b")]
    {
        let target = target.replace(' ', "%20");
        let told = house.ask(method, &target, "").await;
        for header in ["x-amz-request-id", "x-amz-id-2"] {
            assert!(told.headers.contains_key(header), "{method} {target} has no {header}");
        }
        if told.status.is_client_error() && method != "HEAD" {
            let id = told.headers["x-amz-request-id"].to_str().expect("text");
            assert!(told.text().contains(&format!("<RequestId>{id}</RequestId>")), "{}", told.text());
        }
    }
}

#[tokio::test]
async fn time_is_the_callers() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    house.must("PUT", "/bucket/k", "hello").await;
    let told = house.must("GET", "/bucket/k", "").await;
    assert_eq!(told.headers["last-modified"], "Sun, 01 Mar 2026 12:00:00 GMT");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let folder = Folder::new("broken");
    let house = House::open(Some(folder.path()), None);
    house.must("PUT", "/bucket", "").await;
    let pieces = [Ok(Frame::data(Bytes::from(vec![1; 3_000_000]))), Err(std::io::Error::other("gone"))];
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let request = Request::put("/bucket/k").header("content-length", 6_000_000).body(body).expect("a request");
    let told = house.s3.answer(&place(), request, at(NOW)).await;
    assert_eq!(told.status(), 400);
    let short = StreamBody::new(futures_util::stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from("hel")))]));
    let request = Request::put("/bucket/k").header("content-length", 5).body(short).expect("a request");
    assert_eq!(house.s3.answer(&place(), request, at(NOW)).await.status(), 400);
    assert_eq!(house.ask("GET", "/bucket/k", "").await.code(), "NoSuchKey");
    assert_eq!(folder.files().len(), 1, "the database alone");
}

#[tokio::test]
async fn actions_that_are_not_done_are_named() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    for (method, target, action) in [
        ("PUT", "/bucket?replication", "PutBucketReplication"),
        ("DELETE", "/bucket?metadataConfiguration", "DeleteBucketMetadataConfiguration"),
        ("PUT", "/bucket/k?legal-hold", "PutObjectLegalHold"),
        ("POST", "/bucket/k?select&select-type=2", "SelectObjectContent"),
    ] {
        let told = house.ask(method, target, "").await;
        assert_eq!((told.status.as_u16(), told.code().as_str()), (501, "NotImplemented"), "{method} {target}");
        assert!(told.text().contains(action), "{}", told.text());
    }
    house.must("HEAD", "/bucket", "").await;
}
