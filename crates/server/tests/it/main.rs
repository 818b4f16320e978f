//! The server as a client meets it: bytes into a socket, bytes out of it.

#[path = "../../../api/tests/it/alterations.rs"]
mod alterations;
#[path = "../../../api/tests/it/bad_requests/mod.rs"]
mod bad_requests;
#[path = "../../../api/tests/it/chance.rs"]
mod chance;
mod clusters;
mod credentials;
mod deliveries;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod executions;
mod flood;
#[cfg(feature = "lambda")]
mod functions;
mod given_keys;
mod items;
mod jobs;
mod local;
mod mocks;
mod notices;
mod outward;
mod poison;
mod refusals;
mod services;
mod serving;
mod signing;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_server::{Listener, Server, Settings, StartError};
use tokio::sync::oneshot;

/// A server on a port of its own, ended when the value is.
struct Running {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), StartError>>>,
}

impl Running {
    fn start() -> Running {
        Running::with(Settings::default())
    }

    fn with(settings: Settings) -> Running {
        Running::listened_to(settings, None)
    }

    fn listened_to(settings: Settings, listener: Option<Box<dyn Listener>>) -> Running {
        let listen = SocketAddr::new(settings.listen.ip(), 0);
        let mut server = Server::bind(Settings { listen, ..settings }).expect("a free port");
        listener.into_iter().for_each(|listener| server.tell(listener));
        let address = server.address();
        let (end, asked) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            server.run_until(async {
                let _ = asked.await;
            })
        });
        Running { address, end: Some(end), thread: Some(thread) }
    }

    /// Ends it and says how it ended.
    fn end(mut self) -> Result<(), StartError> {
        self.end.take();
        self.thread.take().expect("a thread").join().expect("no panic")
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        stream
    }

    /// One request on a connection of its own.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).expect("the head is taken");
        stream.write_all(body).expect("the body is taken");
        Answer::read(stream)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("Host", "localhost")], b"")
    }

    /// A request of the API.
    fn call(&self, action: &str, body: &str) -> Answer {
        let target = format!("AWSStepFunctions.{action}");
        let headers =
            [("Host", "localhost"), ("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target.as_str())];
        self.ask("POST", "/", &headers, body.as_bytes())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// Everything before the body.
    head: String,
    body: String,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Answer {
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).filter_map(|line| line.split_once(": ")).find(|(of, _)| *of == name).map(|(_, v)| v)
    }
}
