//! Bytes in, items out: what all formats have in common.

use stepwell_json::Json;

use crate::csv::Rows;
use crate::fault::ItemsFault;
use crate::format::Format;
use crate::json::Values;
use crate::lines::Lines;
use crate::{ITEM_BYTES_MAX, Item};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Takes a file apart, from its beginning or from the place behind any of its items.
#[derive(Debug)]
pub struct Decoder {
    reader: Reader,
    pieces: Pieces,
}

#[derive(Debug)]
enum Reader {
    Json(Values),
    Lines(Lines),
    Csv(Box<Rows>),
}

/// What has come of the file and is not read yet.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    /// How much of `bytes` is read.
    read: usize,
    /// Where in the file `bytes` begins.
    base: u64,
    /// Whether nothing more will come.
    pub(crate) is_whole: bool,
}

impl Decoder {
    /// Reads a file from its beginning.
    pub fn new(format: Format) -> Decoder {
        Decoder::resumed(format, 0, None)
    }

    /// Goes on behind an item: with the place there and what [`Decoder::state`] was.
    pub fn resumed(format: Format, place: u64, state: Option<&Json>) -> Decoder {
        let reader = match format {
            Format::Json { pointer } => Reader::Json(Values::new(&pointer, state)),
            Format::JsonLines => Reader::Lines(Lines),
            Format::Csv { delimiter, headers } => Reader::Csv(Box::new(Rows::new(delimiter, headers, state))),
        };
        Decoder { reader, pieces: Pieces { base: place, ..Pieces::default() } }
    }

    /// Takes the next piece of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pieces.bytes.drain(..self.pieces.read);
        self.pieces.base += self.pieces.read as u64;
        self.pieces.read = 0;
        self.pieces.bytes.extend_from_slice(bytes);
    }

    /// Nothing more will come.
    pub fn end(&mut self) {
        self.pieces.is_whole = true;
    }

    /// The next item. `None` when the pieces so far have no other one: more are needed, or after the last piece there are
    /// no more items.
    pub fn next_item(&mut self) -> Result<Option<Item>, ItemsFault> {
        let pieces = &mut self.pieces;
        if pieces.place() == 0 && !pieces.is_whole && pieces.rest().len() < BYTE_ORDER_MARK.len() {
            return Ok(None);
        }
        if pieces.place() == 0 && pieces.rest().starts_with(BYTE_ORDER_MARK) {
            pieces.skip(BYTE_ORDER_MARK.len());
        }
        let item = match &mut self.reader {
            Reader::Json(values) => values.next(pieces)?,
            Reader::Lines(lines) => lines.next(pieces)?,
            Reader::Csv(rows) => rows.next(pieces)?,
        };
        // What an item is read from is bounded already; this bounds what the formats add to it.
        match &item {
            Some(item) if item.value.serialized_bytes() > ITEM_BYTES_MAX => {
                Err(ItemsFault::too_large("An item", ITEM_BYTES_MAX))
            }
            Some(_) | None => Ok(item),
        }
    }

    /// Whether there are no more items whatever else comes of the file.
    pub fn is_over(&self) -> bool {
        match &self.reader {
            Reader::Json(values) => values.is_over(),
            Reader::Lines(_) | Reader::Csv(_) => false,
        }
    }

    /// The place in the file behind the last item.
    pub fn place(&self) -> u64 {
        self.pieces.place()
    }

    /// What else one has to know to go on from that place.
    pub fn state(&self) -> Option<Json> {
        match &self.reader {
            Reader::Json(values) => values.state(),
            Reader::Lines(_) => None,
            Reader::Csv(rows) => rows.state(),
        }
    }
}

impl Pieces {
    /// What is there and not read.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.read += bytes;
    }

    pub(crate) fn place(&self) -> u64 {
        self.base + self.read as u64
    }
}

/// Bytes as text, which every format is.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, ItemsFault> {
    std::str::from_utf8(bytes).map_err(|_| ItemsFault::new("The file is not UTF-8."))
}
