//! One connection that speaks AWS JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use stepwell_json::Json;

/// How long to wait for an answer. A poll for an activity waits a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// What came of a call.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// It was done.
    Yes(Json),
    /// It was refused: the exception's name.
    No(String),
    /// Nobody knows: the connection broke.
    Nothing,
}

/// A client of one server.
pub(crate) struct Client {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: &str) -> Client {
        Client { address: address.to_owned(), stream: None }
    }

    /// Whether the server serves.
    pub(crate) fn is_ready(&mut self) -> bool {
        let head = format!("GET /_stepwell/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        self.exchange(head.as_bytes(), b"").is_some_and(|(status, _)| status == 200)
    }

    /// Asks once.
    pub(crate) fn ask(&mut self, action: &str, body: &Json) -> Said {
        self.ask_of("AWSStepFunctions", action, body)
    }

    /// Asks another service once.
    pub(crate) fn ask_of(&mut self, service: &str, action: &str, body: &Json) -> Said {
        let body = body.to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: {service}.{action}\r\n\
             Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let Some((status, text)) = self.exchange(head.as_bytes(), body.as_bytes()) else {
            self.stream = None;
            return Said::Nothing;
        };
        let Ok(answer) = Json::parse(&text) else { return Said::No(format!("{status} without JSON: {text}")) };
        if status == 200 {
            return Said::Yes(answer);
        }
        let name = answer.get("__type").and_then(Json::as_str).unwrap_or("?");
        Said::No(name.rsplit('#').next().unwrap_or(name).to_owned())
    }

    /// Asks until there is an answer. Only for what may be asked twice.
    pub(crate) fn insist(&mut self, action: &str, body: &Json) -> Result<Json, String> {
        self.insist_of("AWSStepFunctions", action, body)
    }

    /// Asks another service until there is an answer.
    pub(crate) fn insist_of(&mut self, service: &str, action: &str, body: &Json) -> Result<Json, String> {
        loop {
            match self.ask_of(service, action, body) {
                Said::Yes(answer) => return Ok(answer),
                Said::No(name) => return Err(name),
                Said::Nothing => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Puts a bucket or an object once; answers the status, or nothing when nobody knows.
    pub(crate) fn put_object(&mut self, path: &str, body: &str) -> Option<u16> {
        let (address, length) = (&self.address, body.len());
        let head = format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
        let said = self.exchange(head.as_bytes(), body.as_bytes());
        if said.is_none() {
            self.stream = None;
        }
        said.map(|(status, _)| status)
    }

    /// Reads an object until there is an answer; nothing when it is not there.
    pub(crate) fn get_object(&mut self, path: &str) -> Option<String> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        loop {
            if let Some((status, body)) = self.exchange(head.as_bytes(), b"") {
                return (status == 200).then_some(body);
            }
            self.stream = None;
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn exchange(&mut self, head: &[u8], body: &[u8]) -> Option<(u16, String)> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).ok()?;
            stream.set_nodelay(true).ok()?;
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            self.stream = Some(BufReader::new(stream));
        }
        let stream = self.stream.as_mut()?;
        stream.get_mut().write_all(&[head, body].concat()).ok()?;
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let status: u16 = line.split(' ').nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).ok()?;
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut text = vec![0; length];
        stream.read_exact(&mut text).ok()?;
        Some((status, String::from_utf8(text).ok()?))
    }
}

/// A JSON object of texts.
pub(crate) fn object(members: &[(&str, &str)]) -> Json {
    Json::object(members.iter().map(|(key, value)| (*key, Json::from(*value))))
}
