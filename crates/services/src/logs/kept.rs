//! What is kept of CloudWatch Logs: rows of groups, streams and events, and the next number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_store::{Index, RowChange};

use super::Logs;
use super::events::{Event, Events};
use super::groups::LogGroup;
use super::streams::LogStream;
use crate::answers::texts;
use crate::rows::{KeptError, RowReader, RowWriter, each_row, key, removal};
use crate::services::ServicesOuts;
use crate::shelf::{Kept, Shelf};

/// By number.
const EVENTS: &str = "logs_events";
/// One row: the next number.
const NEXT: &str = "logs_next";

impl Kept for LogGroup {
    const TABLE: &'static str = "logs_groups";

    fn write(&self, row: RowWriter) -> RowWriter {
        let row = row
            .text("name", &self.name)
            .time("created", self.created)
            .text("class", &self.class)
            .text_if_any("kms_key", self.kms_key.as_ref())
            .json("tags", texts(self.tags.iter().map(|(key, value)| (key.clone(), value.clone()))));
        match self.retention_days {
            Some(days) => row.number("retention_days", days),
            None => row,
        }
    }

    fn read(row: &RowReader<'_>) -> Result<LogGroup, KeptError> {
        Ok(LogGroup {
            name: row.text("name")?,
            created: row.time("created")?,
            retention_days: row.number_if_any("retention_days")?,
            class: row.text("class")?,
            kms_key: row.text_if_any("kms_key")?,
            tags: row.text_map("tags")?,
        })
    }
}

impl Kept for LogStream {
    const TABLE: &'static str = "logs_streams";

    fn write(&self, row: RowWriter) -> RowWriter {
        row.number("number", self.number)
            .text("group", &self.group)
            .text("name", &self.name)
            .time("created", self.created)
            .time_if_any("last_ingested", self.last_ingested)
    }

    fn read(row: &RowReader<'_>) -> Result<LogStream, KeptError> {
        Ok(LogStream {
            number: row.number("number")?,
            group: row.text("group")?,
            name: row.text("name")?,
            created: row.time("created")?,
            last_ingested: row.time_if_any("last_ingested")?,
            events: BTreeSet::new(),
        })
    }
}

pub(super) fn event_row(number: u64, event: &Event) -> RowChange {
    RowWriter::new()
        .number("stream", event.stream)
        .time("timestamp", event.timestamp)
        .time("ingested", event.ingested)
        .text("message", &event.message)
        .change(EVENTS, key([number]))
}

pub(super) fn gone_event(number: u64) -> RowChange {
    removal(EVENTS, key([number]))
}

impl Logs {
    /// Logs with everything that was kept.
    pub(crate) fn open(index: &dyn Index) -> Result<Logs, KeptError> {
        let mut logs = Logs {
            groups: Shelf::open(index)?,
            streams: Shelf::open(index)?,
            events: Events::default(),
            next: 1,
            next_kept: 1,
            rows: Vec::new(),
        };
        each_row(index, NEXT, |row| {
            logs.next = row.number("next")?;
            logs.next_kept = logs.next;
            Ok(())
        })?;
        let arns: BTreeMap<u64, Arc<str>> =
            logs.streams.iter().map(|(arn, stream)| (stream.number, arn.clone())).collect();
        let mut of_streams: BTreeMap<Arc<str>, BTreeSet<_>> = BTreeMap::new();
        each_row(index, EVENTS, |row| {
            let [number] = row.key_numbers()?;
            let event = Event {
                stream: row.number("stream")?,
                timestamp: row.time("timestamp")?,
                ingested: row.time("ingested")?,
                message: row.text("message")?,
            };
            let arn = arns.get(&event.stream).ok_or_else(|| row.broken("its stream is not there"))?;
            of_streams.entry(arn.clone()).or_default().insert((event.timestamp, number));
            logs.events.add(number, event);
            Ok(())
        })?;
        logs.streams.adopt(|arn, stream| stream.events = of_streams.remove(arn).unwrap_or_default());
        for (number, arn) in arns {
            logs.events.add_stream(number, arn);
        }
        Ok(logs)
    }

    /// Writes down what changed since the last time.
    pub(crate) fn write_rows(&mut self, outs: &mut ServicesOuts) {
        outs.rows.append(&mut self.rows);
        self.groups.write_rows(&mut outs.rows);
        self.streams.write_rows(&mut outs.rows);
        if self.next != self.next_kept {
            self.next_kept = self.next;
            outs.rows.push(RowWriter::new().number("next", self.next).change(NEXT, b"next".to_vec()));
        }
    }
}
