//! The payload of a frame: the records of one input as compact bytes, and back.
//!
//! ```text
//! payload  version 1 | base time | values | entry*
//! values   count | length* | the texts, one after the other
//! entry    length | execution | tag x 2, or a note's kind x 2 + 1 | fields
//! record   id | previous event id | time - base | thread | fields of the event, as `spec` orders them
//! ```
//!
//! Counts, lengths and ids are numbers of variable length. Texts and JSON values stand once in `values`, however often
//! the frame's entries hold them; an entry refers to them by their place. JSON is kept as its compact text, which a
//! history shows as it is. What an event's tag means is the affair of `stepwell-spec`; what a note means is its
//! writer's. This file knows neither executions nor files.

use std::fmt;

use stepwell_json::{Json, REREAD_DEPTH_MAX, SyntaxError};
use stepwell_spec::{Event, FieldSink, FieldSource, Record, Stored, Text, Timestamp};

use crate::bytes::{fold_sign, put_number, take, take_counted, take_number, unfold_sign};
use crate::values::Values;

/// The version written. A reader of this version refuses newer ones.
const VERSION: u8 = 1;

/// A JSON value nests deeper than it could be read back: [`REREAD_DEPTH_MAX`] levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDeep(pub u32);

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value nests {} levels deep; what is kept may nest {REREAD_DEPTH_MAX}", self.0)
    }
}

impl std::error::Error for TooDeep {}

/// Why bytes are not a payload of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A version this program does not know.
    UnknownVersion(u8),
    /// An event whose storage tag is not in the table.
    UnknownEvent(u16),
    /// The bytes end inside of something.
    Truncated,
    /// An event has more fields than this program knows.
    UnknownFields(u16),
    /// A text that is not UTF-8.
    NotText,
    /// A reference to a value that is not there.
    NoValue(u64),
    /// A value that should be JSON and is not.
    NotJson(SyntaxError),
    /// A number that cannot stand where it was found.
    OutOfRange(u64),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownVersion(version) => {
                write!(f, "records of version {version}, and this program knows versions up to {VERSION}")
            }
            DecodeError::UnknownEvent(tag) => write!(f, "an event with the storage tag {tag}, which is not known here"),
            DecodeError::Truncated => f.write_str("the records end too early"),
            DecodeError::UnknownFields(tag) => {
                write!(f, "an event with the storage tag {tag} and more fields than are known here")
            }
            DecodeError::NotText => f.write_str("a text that is not UTF-8"),
            DecodeError::NoValue(place) => write!(f, "a reference to value {place}, which is not there"),
            DecodeError::NotJson(error) => write!(f, "a value that is not JSON: {error}"),
            DecodeError::OutOfRange(value) => write!(f, "the number {value} where it cannot stand"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Makes payloads. Keep one and use it for every frame: its buffers are kept too.
///
/// ```
/// use stepwell_store::Encoder;
/// # use stepwell_spec::{Event, Record, Timestamp};
/// # let record = Record { id: 1, previous_event_id: 0, timestamp: Timestamp(0), thread: 0, event: Event::MapRunSucceeded };
/// let mut encoder = Encoder::new();
/// encoder.record(7, &record)?;
/// let payload = encoder.finish();
/// assert_eq!(stepwell_store::decode(payload.bytes)?, [(7, record)]);
/// assert_eq!(payload.executions, [7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Encoder {
    base: Option<Timestamp>,
    values: Values,
    entries: Vec<u8>,
    entry: Vec<u8>,
    executions: Vec<u64>,
    too_deep: Option<TooDeep>,
    is_finished: bool,
    payload: Vec<u8>,
}

/// A finished payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// The executions it has entries of, each once, in the order they came.
    pub executions: &'a [u64],
}

impl Encoder {
    /// An empty one.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Adds a record of an execution's log.
    ///
    /// After a failure the payload is unfinished business: [`Encoder::clear`] it.
    pub fn record(&mut self, execution: u64, record: &Record) -> Result<(), TooDeep> {
        self.begin_entry(execution, u64::from(record.event.tag()) << 1);
        self.number(record.id);
        self.number(record.previous_event_id);
        self.time(record.timestamp);
        self.number(u64::from(record.thread));
        record.event.store(self);
        self.end_entry()
    }

    /// Adds something that is no event: `kind` is the writer's word for what it is.
    ///
    /// Fails as [`Encoder::record`] does.
    pub fn note(&mut self, execution: u64, kind: u16, note: &impl Stored) -> Result<(), TooDeep> {
        self.begin_entry(execution, u64::from(kind) << 1 | 1);
        note.store(self);
        self.end_entry()
    }

    /// The payload. The next entry begins a new one.
    pub fn finish(&mut self) -> Encoded<'_> {
        self.payload.clear();
        self.payload.push(VERSION);
        put_number(&mut self.payload, fold_sign(self.base.unwrap_or_default().0));
        self.values.write(&mut self.payload);
        self.payload.extend_from_slice(&self.entries);
        self.is_finished = true;
        Encoded { bytes: &self.payload, executions: &self.executions }
    }

    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.base = None;
        self.values.clear();
        self.entries.clear();
        self.executions.clear();
        self.too_deep = None;
        self.is_finished = false;
    }

    fn begin_entry(&mut self, execution: u64, kind: u64) {
        if self.is_finished {
            self.clear();
        }
        if self.executions.last() != Some(&execution) && !self.executions.contains(&execution) {
            self.executions.push(execution);
        }
        self.entry.clear();
        put_number(&mut self.entry, execution);
        put_number(&mut self.entry, kind);
    }

    fn end_entry(&mut self) -> Result<(), TooDeep> {
        put_number(&mut self.entries, self.entry.len() as u64);
        self.entries.extend_from_slice(&self.entry);
        self.too_deep.map_or(Ok(()), Err)
    }
}

impl FieldSink for Encoder {
    fn number(&mut self, value: u64) {
        put_number(&mut self.entry, value);
    }

    fn float(&mut self, value: f64) {
        self.entry.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    fn time(&mut self, value: Timestamp) {
        let base = *self.base.get_or_insert(value);
        put_number(&mut self.entry, fold_sign(value.0.wrapping_sub(base.0)));
    }

    fn text(&mut self, value: &Text) {
        let place = self.values.text(value);
        put_number(&mut self.entry, place);
    }

    fn json(&mut self, value: &Json) {
        if value.depth() > REREAD_DEPTH_MAX {
            self.too_deep = Some(TooDeep(value.depth()));
            return;
        }
        let place = self.values.json(value);
        put_number(&mut self.entry, place);
    }
}

/// The records of a payload, each with its execution. Notes are passed over.
pub fn decode(payload: &[u8]) -> Result<Vec<(u64, Record)>, DecodeError> {
    let mut decoder = Decoder::new(payload)?;
    let mut records = Vec::new();
    while let Some(entry) = decoder.next_entry()? {
        if let Kind::Event(_) = entry.kind {
            records.push((entry.execution, entry.record()?));
        }
    }
    Ok(records)
}

/// Reads a payload entry by entry. What is not asked for is not decoded.
#[derive(Debug)]
pub struct Decoder<'p> {
    base: Timestamp,
    values: Vec<Value<'p>>,
    rest: &'p [u8],
}

/// A text of a payload, and what was made of it: made once, then shared.
#[derive(Debug)]
struct Value<'p> {
    bytes: &'p [u8],
    text: Option<Text>,
    json: Option<Json>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event, by its storage tag.
    Event(u16),
    /// Something its writer calls by this number.
    Note(u16),
}

/// One entry of a payload, not decoded yet.
#[derive(Debug)]
pub struct Entry<'d, 'p> {
    /// The execution it belongs to.
    pub execution: u64,
    /// What it is.
    pub kind: Kind,
    fields: &'p [u8],
    decoder: &'d mut Decoder<'p>,
}

impl<'p> Decoder<'p> {
    /// Begins to read.
    pub fn new(payload: &'p [u8]) -> Result<Decoder<'p>, DecodeError> {
        let (&version, mut rest) = payload.split_first().ok_or(DecodeError::Truncated)?;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        let base = Timestamp(unfold_sign(number(&mut rest)?));
        let count = number(&mut rest)?;
        // A value takes at least the byte of its length: no more of them than bytes are believed.
        let room = usize::try_from(count).unwrap_or(usize::MAX).min(rest.len());
        let mut lengths = Vec::with_capacity(room);
        for _ in 0..count {
            lengths.push(usize::try_from(number(&mut rest)?).map_err(|_| DecodeError::Truncated)?);
        }
        let mut values = Vec::with_capacity(lengths.len());
        for length in lengths {
            let bytes = take(&mut rest, length).ok_or(DecodeError::Truncated)?;
            values.push(Value { bytes, text: None, json: None });
        }
        Ok(Decoder { base, values, rest })
    }

    /// The next entry, `None` after the last one.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_, 'p>>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut fields = take_counted(&mut self.rest).ok_or(DecodeError::Truncated)?;
        let execution = number(&mut fields)?;
        let kind = number(&mut fields)?;
        let name = u16::try_from(kind >> 1).map_err(|_| DecodeError::OutOfRange(kind))?;
        let kind = if kind & 1 == 0 { Kind::Event(name) } else { Kind::Note(name) };
        Ok(Some(Entry { execution, kind, fields, decoder: self }))
    }

    fn value(&mut self, place: u64) -> Result<&mut Value<'p>, DecodeError> {
        let index = usize::try_from(place).map_err(|_| DecodeError::NoValue(place))?;
        self.values.get_mut(index).ok_or(DecodeError::NoValue(place))
    }
}

impl Value<'_> {
    fn str(&self) -> Result<&str, DecodeError> {
        std::str::from_utf8(self.bytes).map_err(|_| DecodeError::NotText)
    }

    fn text(&mut self) -> Result<Text, DecodeError> {
        if let Some(text) = &self.text {
            return Ok(text.clone());
        }
        let text = Text::from(self.str()?);
        self.text = Some(text.clone());
        Ok(text)
    }

    fn json(&mut self) -> Result<Json, DecodeError> {
        if let Some(json) = &self.json {
            return Ok(json.clone());
        }
        let json = Json::reread(self.str()?).map_err(DecodeError::NotJson)?;
        self.json = Some(json.clone());
        Ok(json)
    }
}

impl Entry<'_, '_> {
    /// The record, if this is one; a note is an event that is not known.
    pub fn record(mut self) -> Result<Record, DecodeError> {
        let (Kind::Event(tag) | Kind::Note(tag)) = self.kind;
        if let Kind::Note(_) = self.kind {
            return Err(DecodeError::UnknownEvent(tag));
        }
        let id = self.number()?;
        let previous_event_id = self.number()?;
        let timestamp = self.time()?;
        let thread = u32::restore(&mut self)?;
        let event = Event::restore(tag, &mut self)?;
        self.end()?;
        Ok(Record { id, previous_event_id, timestamp, thread, event })
    }

    /// The note, as the type it was made of.
    pub fn note<T: Stored>(mut self) -> Result<T, DecodeError> {
        let note = T::restore(&mut self)?;
        self.end()?;
        Ok(note)
    }

    fn end(&self) -> Result<(), DecodeError> {
        let (Kind::Event(tag) | Kind::Note(tag)) = self.kind;
        if self.fields.is_empty() { Ok(()) } else { Err(DecodeError::UnknownFields(tag)) }
    }
}

impl FieldSource for Entry<'_, '_> {
    type Error = DecodeError;

    fn number(&mut self) -> Result<u64, DecodeError> {
        number(&mut self.fields)
    }

    fn float(&mut self) -> Result<f64, DecodeError> {
        let bits = take(&mut self.fields, 8).and_then(|bytes| bytes.try_into().ok());
        bits.map(|bits| f64::from_bits(u64::from_le_bytes(bits))).ok_or(DecodeError::Truncated)
    }

    fn time(&mut self) -> Result<Timestamp, DecodeError> {
        let since_base = unfold_sign(self.number()?);
        Ok(Timestamp(self.decoder.base.0.wrapping_add(since_base)))
    }

    fn text(&mut self) -> Result<Text, DecodeError> {
        let place = self.number()?;
        self.decoder.value(place)?.text()
    }

    fn json(&mut self) -> Result<Json, DecodeError> {
        let place = self.number()?;
        self.decoder.value(place)?.json()
    }

    fn is_at_end(&self) -> bool {
        self.fields.is_empty()
    }

    fn out_of_range(&self, value: u64) -> DecodeError {
        DecodeError::OutOfRange(value)
    }

    fn unknown_event(&self, tag: u16) -> DecodeError {
        DecodeError::UnknownEvent(tag)
    }
}

fn number(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
    take_number(bytes).ok_or(DecodeError::Truncated)
}
