//! One connection that speaks AWS JSON, and asks again as AWS's own clients do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use stepwell_json::Json;

/// How long to wait for an answer. A poll for an activity waits a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// How long to wait for a word on whether it is ready. A connection that is cut silently is given up soon.
const READY: Duration = Duration::from_secs(5);

/// How long to wait for a connection that nobody takes.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a client insists. Past it the server is as good as gone, and the run is over.
const INSISTENCE: Duration = Duration::from_secs(180);

/// What clients were told to ask again for, by its name.
static TOLD_TO_ASK_AGAIN: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// What all clients were told to ask again for since this was asked last.
pub(crate) fn take_told_to_ask_again() -> BTreeMap<String, u64> {
    std::mem::take(&mut TOLD_TO_ASK_AGAIN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn told_to_ask_again(name: &str) {
    *TOLD_TO_ASK_AGAIN.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// It was done.
    Yes(Json),
    /// It was refused: the exception's name.
    No(String),
    /// It is to be asked again, by this name of an exception: it may have been done or not.
    Again(String),
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

    /// One page of the server's own.
    pub(crate) fn page(&mut self, page: &str) -> Option<String> {
        let head = format!("GET /_stepwell/{page} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let said = self.exchange(head.as_bytes(), b"");
        if said.is_none() {
            self.stream = None;
        }
        said.filter(|(status, _)| *status == 200).map(|(_, text)| text)
    }

    /// A number of the metrics page.
    pub(crate) fn metric(&mut self, name: &str) -> Option<u64> {
        let page = self.page("metrics")?;
        page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Opens the connection, and leaves it be.
    pub(crate) fn connect(&mut self) -> bool {
        let address = self.address.parse().ok();
        let stream = address.and_then(|address| TcpStream::connect_timeout(&address, CONNECT).ok());
        self.stream = stream.map(BufReader::new);
        self.stream.is_some()
    }

    /// Whether the server serves.
    pub(crate) fn is_ready(&mut self) -> bool {
        let head = format!("GET /_stepwell/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        if !self.connect() {
            return false;
        }
        let limited = self.stream.as_ref().is_some_and(|stream| stream.get_ref().set_read_timeout(Some(READY)).is_ok());
        let said = self.exchange(head.as_bytes(), b"");
        self.stream = None;
        limited && said.is_some_and(|(status, _)| status == 200)
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
        let name = name.rsplit('#').next().unwrap_or(name).to_owned();
        if status >= 500 || name == "ThrottlingException" {
            told_to_ask_again(&name);
            return Said::Again(name);
        }
        Said::No(name)
    }

    /// Asks until there is an answer. Only for what may be asked twice.
    pub(crate) fn insist(&mut self, action: &str, body: &Json) -> Result<Json, String> {
        self.insist_of("AWSStepFunctions", action, body)
    }

    /// Asks another service until there is an answer.
    pub(crate) fn insist_of(&mut self, service: &str, action: &str, body: &Json) -> Result<Json, String> {
        let began = Instant::now();
        loop {
            let why = match self.ask_of(service, action, body) {
                Said::Yes(answer) => return Ok(answer),
                Said::No(name) => return Err(name),
                Said::Again(name) => name,
                Said::Nothing => "no answer".to_owned(),
            };
            if began.elapsed() > INSISTENCE {
                return Err(format!("{why} for {} s", INSISTENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(20));
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
        let status = said.map(|(status, _)| status);
        status.filter(|status| *status < 500).or_else(|| {
            status.into_iter().for_each(|status| told_to_ask_again(&status.to_string()));
            None
        })
    }

    /// Reads an object until there is an answer; nothing when it is not there.
    pub(crate) fn get_object(&mut self, path: &str) -> Option<String> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let began = Instant::now();
        loop {
            match self.exchange(head.as_bytes(), b"") {
                Some((status, body)) if status < 500 => return (status == 200).then_some(body),
                _ if began.elapsed() > INSISTENCE => return None,
                _ => self.stream = None,
            }
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
