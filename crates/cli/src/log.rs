//! The log on stderr: a line of text or a JSON object for each event.
//!
//! What is logged is chosen where it happens, and is never what a client sent: no headers, no bodies, no messages of
//! refusals. The log events of a state machine are what its owner asked for, payloads included.

use std::fmt;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What is logged.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What broke.
    Error,
    /// And what may.
    Warn,
    /// And every request, log event and change of an execution's status.
    Info,
    /// And every connection that broke.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    fn filter(self) -> LevelFilter {
        match self {
            LogLevel::Off => LevelFilter::OFF,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }
    }
}

impl LogFormat {
    /// Begins to log. Once a process.
    pub(crate) fn start(self, level: LogLevel) {
        let log =
            tracing_subscriber::fmt().with_max_level(level.filter()).with_writer(std::io::stderr).with_ansi(false);
        match self {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.event_format(JsonLines).init(),
        }
    }

    /// Tells whoever started the command, whatever the level is.
    pub(crate) fn say(self, message: &str) {
        let text = match self {
            LogFormat::Text => format!("stepwell serve: {message}"),
            LogFormat::Json => line("INFO", "stepwell", |line| line.0.insert("message", message.into())).to_string(),
        };
        // Whoever closed it does not want to hear; that is no reason not to serve.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let facts = event.metadata();
        let line = line(facts.level().as_str(), facts.target(), |line| event.record(line));
        writeln!(writer, "{line}")
    }
}

/// The members of one line.
struct Line(ObjectBuilder);

fn line(level: &str, target: &str, fill: impl FnOnce(&mut Line)) -> Json {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
    let mut line = Line(ObjectBuilder::new());
    line.0.insert("time", now.to_string().into());
    line.0.insert("level", level.into());
    line.0.insert("target", target.into());
    fill(&mut line);
    Json::Object(line.0.build())
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), value.into());
    }
}
