//! The baseline: a server on the HTTP stack of `stepwell serve` that does nothing.
//!
//! It reads a request to its end and answers a constant, with the threads, the options and the answer's headers that the
//! real one has. What the same generator gets out of it in the same run is what this machine could answer at best, and what
//! the rates of workloads are held against.

use std::convert::Infallible;
use std::io::Write;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};

/// What begins the line that says where it listens.
pub(crate) const LISTENING: &str = "listening on http://";

/// As large as the answer to StartExecution.
const ANSWER: &[u8] = br#"{"executionArn":"arn:aws:states:us-east-1:000000000000:execution:bench-000000-chain:00000000-0000-4000-8000-000000000000","startDate":1767225600.000}"#;

/// The largest head of a request, as in the real server.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Listens on a free port of this machine, says on stdout where, and answers until its stdin is closed: it ends with
/// whoever started it, however that ends.
pub fn serve_baseline() -> Result<(), String> {
    let refused = |fault: std::io::Error| format!("cannot serve the baseline: {fault}");
    let workers = workers().map_err(refused)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{LISTENING}{address}").and_then(|()| stdout.flush()).map_err(refused)?;
        tokio::select! {
            outcome = accept(listener, &workers) => outcome.map_err(refused),
            () = end_of_stdin() => Ok(()),
        }
    })
}

async fn end_of_stdin() {
    // A thread of its own: the runtime has no other way to read stdin, and would wait for it at its end.
    let (over, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(over);
    });
    // The other half is dropped, which is all it says.
    let _ = ended.await;
}

/// A thread for each processor, with a runtime of its own, as long as the process is there.
fn workers() -> std::io::Result<Vec<Handle>> {
    let start = |_| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        std::thread::Builder::new().spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(handle)
    };
    (0..available_parallelism().map_or(1, NonZeroUsize::get)).map(start).collect()
}

async fn accept(listener: TcpListener, workers: &[Handle]) -> std::io::Result<()> {
    for worker in workers.iter().cycle() {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let stream = {
            let _of_this_worker = worker.enter();
            TcpStream::from_std(stream)?
        };
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_header_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service_fn(answer));
        // A client that is gone is no fault of the baseline.
        worker.spawn(async move { drop(connection.await) });
    }
    Ok(())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let mut answer = Response::new(Full::new(Bytes::from_static(ANSWER)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    headers.insert(
        HeaderName::from_static("x-amzn-requestid"),
        HeaderValue::from_static("00000000-0000-4000-8000-000000000000"),
    );
    Ok(answer)
}
