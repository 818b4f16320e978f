//! How fast the local S3 is behind its door, without a network: puts and gets of 1 KB, and one object of a gigabyte.
//!
//! `cargo run --release -p stepwell-s3 --example speed -- FOLDER`

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use stepwell_protocol::{Answering, AwsCall, AwsError, Fault, Peers, Place};
use stepwell_s3::{S3, S3Settings};
use stepwell_spec::Timestamp;

const OBJECTS: usize = 4_000;
const CLIENTS: usize = 64;
const PIECE: usize = 256 * 1024;
const PIECES: usize = 4_096;

struct Nobody;

impl Peers for Nobody {
    fn ask(&self, _place: &Place, _call: AwsCall) -> Answering {
        Box::pin(async {
            Err(AwsError {
                code: "Nobody".into(),
                message: None,
                status: 400,
                fault: Fault::Client,
                request_id: "".into(),
                members: stepwell_json::Json::empty_object(),
            })
        })
    }
}

fn place() -> Place {
    Place { account: "111122223333".into(), region: "us-east-1".into() }
}

async fn ask(s3: &S3, method: &str, target: &str, body: Bytes) -> usize {
    let request = Request::builder().method(method).uri(target).body(Full::new(body)).expect("a request");
    let (parts, body) = s3.answer(&place(), request, Timestamp(1_772_366_400_000)).await.into_parts();
    assert!(parts.status.is_success(), "{method} {target}: {}", parts.status);
    body.collect().await.expect("a body").to_bytes().len()
}

async fn many(s3: &Arc<S3>, method: &'static str, clients: usize, objects: usize) -> f64 {
    let began = Instant::now();
    let work = (0..clients).map(|client| {
        let s3 = s3.clone();
        tokio::spawn(async move {
            for object in (client..objects).step_by(clients) {
                let body = if method == "PUT" { Bytes::from_static(&[7; 1024]) } else { Bytes::new() };
                ask(&s3, method, &format!("/bucket/{object:06}"), body).await;
            }
        })
    });
    for one in work.collect::<Vec<_>>() {
        one.await.expect("a client");
    }
    objects as f64 / began.elapsed().as_secs_f64()
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let settings = S3Settings {
        directory: Some(folder.into()),
        seed: [7; 32],
        peers: Arc::new(Nobody),
        pauses: Vec::new(),
        keys: None,
    };
    let s3 = Arc::new(S3::open(settings).expect("a local S3"));
    runtime.block_on(async {
        ask(&s3, "PUT", "/bucket", Bytes::new()).await;
        println!("puts of 1 KB, one client:   {:.0}/s", many(&s3, "PUT", 1, OBJECTS / 8).await);
        println!("puts of 1 KB, {CLIENTS} clients: {:.0}/s", many(&s3, "PUT", CLIENTS, OBJECTS).await);
        println!("gets of 1 KB, {CLIENTS} clients: {:.0}/s", many(&s3, "GET", CLIENTS, OBJECTS).await);
        let began = Instant::now();
        let pieces = (0..PIECES).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![7; PIECE]))));
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        let request = Request::put("/bucket/large").header("content-length", PIECE * PIECES).body(body);
        let told = s3.answer(&place(), request.expect("a request"), Timestamp(0)).await;
        assert!(told.status().is_success(), "{}", told.status());
        println!("put of 1 GB: {:.0} MB/s", 1073.7 / began.elapsed().as_secs_f64());
        let began = Instant::now();
        let request = Request::get("/bucket/large").body(Full::<Bytes>::default()).expect("a request");
        let mut body = s3.answer(&place(), request, Timestamp(0)).await.into_body();
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            read += frame.expect("a frame").data_ref().map_or(0, Bytes::len);
        }
        assert_eq!(read, PIECE * PIECES);
        println!("get of 1 GB: {:.0} MB/s", 1073.7 / began.elapsed().as_secs_f64());
        if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
            let peak = status.lines().find(|line| line.starts_with("VmHWM"));
            println!("most memory: {}", peak.unwrap_or_default());
        }
    });
}
