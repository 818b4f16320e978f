//! CSV: each row becomes an object of texts, named by the first row or by given headers.
//!
//! Seen on AWS: values beyond the headers are left out, missing ones are empty, and white space is kept. Rows without
//! anything are no items.

use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use stepwell_json::{Json, ObjectBuilder};

use crate::decoder::{Pieces, text};
use crate::fault::ItemsFault;
use crate::format::Headers;
use crate::{CSV_HEADER_BYTES_MAX, ITEM_BYTES_MAX, Item};

/// Room for a row at first; it grows as far as a row may.
const ROW_BYTES: usize = 4 * 1024;

/// Values of a row at most: each takes a byte of the file at least.
const VALUES_MAX: usize = ITEM_BYTES_MAX;

pub(crate) struct Rows {
    headers: Headers,
    reader: Reader,
    /// The values of the row that is being read, one behind the other.
    values: Vec<u8>,
    written: usize,
    /// Where each of them ends.
    ends: Vec<usize>,
    ended: usize,
    /// Bytes of the pieces that the reader has seen of a row which is not complete.
    seen: usize,
    is_over: bool,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({:?})", self.headers)
    }
}

impl Rows {
    /// `state` is what the headers were, when they were read before.
    pub(crate) fn new(delimiter: u8, headers: Headers, state: Option<&Json>) -> Rows {
        let before = state
            .and_then(Json::as_array)
            .map(|names| Headers::Given(names.iter().filter_map(Json::as_str).map(Arc::from).collect()));
        Rows {
            headers: before.unwrap_or(headers),
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            values: vec![0; ROW_BYTES],
            written: 0,
            ends: vec![0; 64],
            ended: 0,
            seen: 0,
            is_over: false,
        }
    }

    pub(crate) fn state(&self) -> Option<Json> {
        match &self.headers {
            Headers::FirstRow => None,
            Headers::Given(names) => Some(Json::array(names.iter().cloned().map(Json::String).collect())),
        }
    }

    pub(crate) fn next(&mut self, pieces: &mut Pieces) -> Result<Option<Item>, ItemsFault> {
        while self.row(pieces)? {
            let row = self.take()?;
            match &self.headers {
                Headers::Given(names) => return Ok(Some(Item::plain(item(names, &row)))),
                Headers::FirstRow => {
                    if row.iter().map(|name| name.len() + 1).sum::<usize>() > CSV_HEADER_BYTES_MAX + 1 {
                        return Err(ItemsFault::too_large("The line of headers", CSV_HEADER_BYTES_MAX));
                    }
                    self.headers = Headers::given(row)?;
                }
            }
        }
        Ok(None)
    }

    /// Reads on to the end of the row. `false` when it is not there yet, or there is no other row.
    fn row(&mut self, pieces: &mut Pieces) -> Result<bool, ItemsFault> {
        while !self.is_over {
            let input = &pieces.rest()[self.seen..];
            // An empty input tells the reader that the file ends: it must only see it when that is so.
            if input.is_empty() && !pieces.is_whole {
                return Ok(false);
            }
            let is_last = input.is_empty();
            let (result, read, written, ended) = match is_last {
                false => self.step(input),
                // Whoever is not inside quotes ends the row with this line's end; then there is nothing left to end.
                true => match self.step(b"\n") {
                    (ReadRecordResult::InputEmpty, ..) => {
                        self.is_over = true;
                        match self.step(b"") {
                            (ReadRecordResult::End, ..) => return Ok(false),
                            _ => return Err(ItemsFault::new("A value in quotes has no end.")),
                        }
                    }
                    (result, _, written, ended) => (result, 0, written, ended),
                },
            };
            self.seen += read;
            self.written += written;
            self.ended += ended;
            if self.written > ITEM_BYTES_MAX || self.ended > VALUES_MAX {
                return Err(ItemsFault::too_large("A row", ITEM_BYTES_MAX));
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.values.resize(self.values.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    pieces.skip(std::mem::take(&mut self.seen));
                    self.is_over = is_last;
                    return Ok(true);
                }
                ReadRecordResult::End => self.is_over = true,
            }
        }
        Ok(false)
    }

    fn step(&mut self, input: &[u8]) -> (ReadRecordResult, usize, usize, usize) {
        self.reader.read_record(input, &mut self.values[self.written..], &mut self.ends[self.ended..])
    }

    /// The values of the row that was read.
    fn take(&mut self) -> Result<Vec<Arc<str>>, ItemsFault> {
        let (values, ends) = (text(&self.values[..self.written])?, &self.ends[..self.ended]);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let row = starts.zip(ends).map(|(start, end)| values.get(start..*end).map(Arc::from)).collect();
        (self.written, self.ended) = (0, 0);
        // A value that ends inside of a character would be half of one.
        Option::ok_or_else(row, || ItemsFault::new("The file is not UTF-8."))
    }
}

fn item(names: &[Arc<str>], row: &[Arc<str>]) -> Json {
    let empty: Arc<str> = "".into();
    let mut item = ObjectBuilder::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        item.insert(name.clone(), Json::String(row.get(place).unwrap_or(&empty).clone()));
    }
    Json::Object(item.build())
}
