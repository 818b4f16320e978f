//! What a process writes: to the server's log line by line, and the end of it to whoever asks.

use std::collections::VecDeque;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use crate::function::Version;
use crate::names::Key;

/// What an answer shows of the log.
const TAIL_BYTES: usize = 4_096;

/// What one invocation may write to the server's log; what is beyond is counted and left out.
const INVOCATION_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A line is cut here.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// The log of one process.
pub(crate) struct Log {
    output: Option<Receiver>,
    function: String,
    version: String,
    request_id: String,
    /// The line that has no end yet.
    line: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: usize,
    piece: Vec<u8>,
}

impl Log {
    pub(crate) fn new(output: Receiver, key: &Key, version: &Version) -> Log {
        Log {
            output: Some(output),
            function: key.name.to_string(),
            version: version.name.to_string(),
            request_id: String::new(),
            line: Vec::new(),
            tail: VecDeque::new(),
            bytes: 0,
            piece: vec![0; 16 * 1024],
        }
    }

    /// An invocation begins.
    pub(crate) fn begin(&mut self, request_id: &str) {
        self.request_id = request_id.to_owned();
        self.bytes = 0;
        self.say(&format!("START RequestId: {request_id} Version: {}", self.version));
    }

    /// The invocation ends. Gives the last of what was logged.
    pub(crate) fn end(&mut self, report: &str) -> Vec<u8> {
        self.say(&format!("END RequestId: {}", self.request_id));
        self.say(report);
        if self.bytes > INVOCATION_BYTES_MAX {
            let left_out = self.bytes - INVOCATION_BYTES_MAX;
            tracing::warn!(target: "lambda", function = self.function, request_id = self.request_id, left_out, "log cut");
        }
        self.request_id.clear();
        std::mem::take(&mut self.tail).into()
    }

    /// A line of Lambda's own.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.write(text.as_bytes());
        self.write(b"\n");
    }

    /// Reads some of what the process wrote. Waits for ever when it can write no more.
    pub(crate) async fn read(&mut self) {
        let Some(output) = &mut self.output else { return std::future::pending().await };
        match output.read(&mut self.piece).await {
            Ok(0) | Err(_) => self.output = None,
            Ok(bytes) => self.take(bytes),
        }
    }

    /// Reads everything that has been written until now.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = &mut self.output {
            match output.try_read(&mut self.piece) {
                Ok(0) => self.output = None,
                Ok(bytes) => self.take(bytes),
                // Nothing more is there.
                Err(_) => return,
            }
            if self.bytes > INVOCATION_BYTES_MAX * 2 {
                // It writes faster than it is read.
                return;
            }
        }
    }

    fn take(&mut self, bytes: usize) {
        let piece = std::mem::take(&mut self.piece);
        self.write(piece.get(..bytes).unwrap_or_default());
        self.piece = piece;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        self.tail.extend(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let over = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..over);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
            self.line.extend(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.bytes <= INVOCATION_BYTES_MAX {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            let (function, version, request_id) = (&self.function, &self.version, &self.request_id);
            tracing::info!(target: "lambda", %function, %version, %request_id, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use stepwell_json::Json;
    use stepwell_protocol::Place;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::function::Code;

    /// Counts the bytes of what functions are told to have said.
    #[derive(Clone, Default)]
    struct Count(Arc<AtomicUsize>);

    impl Subscriber for Count {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "lambda"
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    impl Visit for Count {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.0.fetch_add(format!("{value:?}").len(), Ordering::Relaxed);
            }
        }
    }

    fn check(line: &[u8], lines: usize, logged_max: usize, logged_min: usize) {
        let version = Version {
            name: "$LATEST".into(),
            settings: Json::empty_object().as_object().expect("an object").clone(),
            code: Code::Elsewhere("".into()),
            revision: "".into(),
            modified: "".into(),
        };
        let key = Key { place: Place { account: "".into(), region: "".into() }, name: "f".into() };
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _inside = runtime.enter();
        let output = Receiver::from_owned_fd(OwnedFd::from(reader)).expect("a pipe");
        let count = Count::default();
        tracing::subscriber::with_default(count.clone(), || {
            let mut log = Log::new(output, &key, &version);
            log.begin("r");
            for _ in 0..lines {
                log.write(line);
            }
            let tail = log.end("REPORT");
            assert!(tail.len() <= TAIL_BYTES, "{} bytes", tail.len());
            assert!(tail.ends_with(b"END RequestId: r\nREPORT\n"));
            assert!(log.line.capacity() <= 2 * LINE_BYTES_MAX, "what is kept of a line has a bound");
        });
        let logged = count.0.load(Ordering::Relaxed);
        assert!((logged_min..=logged_max).contains(&logged), "{logged} bytes");
    }

    #[test]
    fn what_is_logged_of_an_invocation_has_a_bound() {
        check(b"a line\n", 10, 200, 70);
        // Fifty megabytes in lines, and in one that does not end.
        check(&[&[b'x'; 999][..], b"\n"].concat(), 50_000, INVOCATION_BYTES_MAX, INVOCATION_BYTES_MAX - 100_000);
        check(&[b'x'; 1000], 50_000, LINE_BYTES_MAX + 200, 0);
    }
}
