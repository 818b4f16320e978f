//! A JSON document: the items are those of one array, or the members of one object, somewhere in it.
//!
//! ```text
//! Seeking --(the value that ItemsPointer names)--> Among --(its end)--> Over
//!    ^ '--(a value that is not on the way)--> Skipping
//!    '----------(its end)-----------------------'
//! ```
//!
//! What stands before the items is passed over and what stands behind them is not looked at. Each item is read as a value
//! of its own, so the document as a whole is never there.

use std::sync::Arc;

use stepwell_json::Json;

use crate::decoder::{Pieces, text};
use crate::fault::ItemsFault;
use crate::{ITEM_BYTES_MAX, Item};

/// What AWS says when the items are neither an array nor an object. No recording shows it.
const NOT_ITERABLE: &str = "Attempting to map over non-iterable node.";

#[derive(Debug)]
pub(crate) struct Values {
    pointer: Arc<str>,
    /// The names on the way to the items.
    way: Vec<String>,
    /// How many of them are behind.
    passed: usize,
    at: At,
}

#[derive(Clone, Debug)]
enum At {
    /// Before a value that is on the way.
    Seeking,
    /// Between the parts of a container on the way; how many of them are behind.
    Between { closes_with: u8, passed: usize },
    /// In a part that is not on the way.
    Skipping { skip: Skip, closes_with: u8, passed: usize },
    /// Between the items.
    Among { closes_with: u8, is_first: bool },
    /// Behind the last one.
    Over,
}

/// How far a value that nobody wants is passed over.
#[derive(Clone, Debug, Default)]
struct Skip {
    depth: u32,
    in_text: bool,
    is_escaped: bool,
    has_begun: bool,
}

impl Values {
    /// `state` is what [`Values::state`] was.
    pub(crate) fn new(pointer: &Arc<str>, state: Option<&Json>) -> Values {
        let way = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        let at = match state.and_then(Json::as_str) {
            Some("]") => At::Among { closes_with: b']', is_first: false },
            Some("}") => At::Among { closes_with: b'}', is_first: false },
            Some(_) | None => At::Seeking,
        };
        Values { pointer: pointer.clone(), way, passed: 0, at }
    }

    /// What the items are in; only behind an item.
    pub(crate) fn state(&self) -> Option<Json> {
        match self.at {
            At::Among { closes_with: b']', .. } => Some(Json::from("]")),
            At::Among { .. } => Some(Json::from("}")),
            At::Seeking | At::Between { .. } | At::Skipping { .. } | At::Over => None,
        }
    }

    /// Whether the last item was given.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.at, At::Over)
    }

    pub(crate) fn next(&mut self, pieces: &mut Pieces) -> Result<Option<Item>, ItemsFault> {
        loop {
            if let At::Skipping { skip, closes_with, passed } = &mut self.at {
                let (bytes, is_over) = skip.pass(pieces.rest());
                pieces.skip(bytes);
                if !is_over {
                    return self.wait(pieces);
                }
                self.at = At::Between { closes_with: *closes_with, passed: *passed };
            }
            if matches!(self.at, At::Over) {
                return Ok(None);
            }
            let blank = pieces.rest().iter().take_while(|byte| is_blank(**byte)).count();
            pieces.skip(blank);
            let Some(next) = pieces.rest().first().copied() else { return self.wait(pieces) };
            match self.at.clone() {
                At::Seeking => self.open(pieces, next)?,
                At::Between { closes_with, .. } if next == closes_with => return Err(self.leads_to_nothing()),
                At::Between { closes_with, passed } => {
                    if !self.part(pieces, closes_with, passed)? {
                        return self.wait(pieces);
                    }
                }
                At::Among { closes_with, .. } if next == closes_with => self.at = At::Over,
                At::Among { closes_with, is_first } => {
                    return match item(pieces, closes_with, is_first)? {
                        Some(item) => {
                            self.at = At::Among { closes_with, is_first: false };
                            Ok(Some(item))
                        }
                        None => self.wait(pieces),
                    };
                }
                At::Skipping { .. } | At::Over => {}
            }
        }
    }

    /// The pieces so far are not enough.
    fn wait(&self, pieces: &Pieces) -> Result<Option<Item>, ItemsFault> {
        match pieces.is_whole {
            true => Err(ItemsFault::new("The file is not JSON: it ends too early.")),
            false => Ok(None),
        }
    }

    /// A value on the way begins.
    fn open(&mut self, pieces: &mut Pieces, first: u8) -> Result<(), ItemsFault> {
        let closes_with = match first {
            b'[' => b']',
            b'{' => b'}',
            _ if self.passed < self.way.len() => return Err(self.leads_to_nothing()),
            b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => return Err(ItemsFault::new(NOT_ITERABLE)),
            _ => return Err(not_json(pieces.rest())),
        };
        pieces.skip(1);
        self.at = match self.passed == self.way.len() {
            true => At::Among { closes_with, is_first: true },
            false => At::Between { closes_with, passed: 0 },
        };
        Ok(())
    }

    /// Passes a comma and a name: then the value is sought or skipped. `false` when they are not all there.
    fn part(&mut self, pieces: &mut Pieces, closes_with: u8, passed: usize) -> Result<bool, ItemsFault> {
        let Some((name, bytes)) = begin(pieces, closes_with, passed == 0)? else { return Ok(false) };
        let wanted = &self.way[self.passed];
        let is_wanted = match &name {
            Some(name) => **name == **wanted,
            None => *wanted == passed.to_string(),
        };
        pieces.skip(bytes);
        self.at = match is_wanted {
            true => {
                self.passed += 1;
                At::Seeking
            }
            false => At::Skipping { skip: Skip::default(), closes_with, passed: passed + 1 },
        };
        Ok(true)
    }

    fn leads_to_nothing(&self) -> ItemsFault {
        ItemsFault::new(format!("ItemsPointer '{}' leads to nothing.", self.pointer))
    }
}

impl Skip {
    /// How much of this belongs to the value, and whether the value ends there.
    fn pass(&mut self, rest: &[u8]) -> (usize, bool) {
        for (at, byte) in rest.iter().enumerate() {
            if self.in_text {
                self.in_text = self.is_escaped || *byte != b'"';
                self.is_escaped = !self.is_escaped && *byte == b'\\';
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' if self.depth > 0 => self.depth -= 1,
                    // What ends a number or a word is not part of it.
                    b']' | b'}' | b',' if self.depth == 0 => return (at, true),
                    byte if self.depth == 0 && is_blank(*byte) && self.has_begun => return (at, true),
                    byte if self.depth == 0 && !is_blank(*byte) => {
                        self.has_begun = true;
                        continue;
                    }
                    _ => continue,
                }
            }
            self.has_begun = true;
            if self.depth == 0 && !self.in_text {
                return (at + 1, true);
            }
        }
        (rest.len(), false)
    }
}

/// The item that begins here; `None` when it is not all there.
fn item(pieces: &mut Pieces, closes_with: u8, is_first: bool) -> Result<Option<Item>, ItemsFault> {
    let begun = begin(pieces, closes_with, is_first)?;
    let rest = pieces.rest();
    let found = begun.and_then(|(key, start)| {
        let start = start + blank_bytes(&rest[start..]);
        let end = start + value_bytes(&rest[start..])?;
        Some((key, start, end))
    });
    let Some((key, start, end)) = found else {
        return match rest.len() > 2 * ITEM_BYTES_MAX {
            true => Err(ItemsFault::too_large("An item", ITEM_BYTES_MAX)),
            false => Ok(None),
        };
    };
    if end - start > ITEM_BYTES_MAX {
        return Err(ItemsFault::too_large("An item", ITEM_BYTES_MAX));
    }
    let value = text(&rest[start..end])?;
    let value = Json::parse(value)
        .map_err(|fault| ItemsFault::new(format!("The file is not JSON: {}", fault.in_jackson_words(value).what)))?;
    pieces.skip(end);
    Ok(Some(Item { key, value }))
}

/// A member's name, if it has one, and the bytes before its value.
type Begun = (Option<Arc<str>>, usize);

/// The comma before a part of a container, and in an object its name; `None` when they are not all there.
fn begin(pieces: &Pieces, closes_with: u8, is_first: bool) -> Result<Option<Begun>, ItemsFault> {
    let rest = pieces.rest();
    let mut at = 0;
    if !is_first {
        match rest.first() {
            Some(b',') => at += 1,
            Some(_) => return Err(not_json(rest)),
            None => return Ok(None),
        }
    }
    at += blank_bytes(&rest[at..]);
    if closes_with == b']' {
        return Ok(rest.get(at).map(|_| (None, at)));
    }
    match rest.get(at) {
        Some(b'"') => {}
        Some(_) => return Err(not_json(&rest[at..])),
        None => return Ok(None),
    }
    let Some(bytes) = value_bytes(&rest[at..]) else {
        return match rest.len() > 2 * ITEM_BYTES_MAX {
            true => Err(ItemsFault::too_large("A name", ITEM_BYTES_MAX)),
            false => Ok(None),
        };
    };
    let name = Json::parse(text(&rest[at..at + bytes])?).map_err(|_| not_json(&rest[at..]))?;
    let name = name.as_str().map(Arc::from);
    at += bytes;
    at += blank_bytes(&rest[at..]);
    match rest.get(at) {
        Some(b':') => Ok(Some((name, at + 1))),
        Some(_) => Err(not_json(&rest[at..])),
        None => Ok(None),
    }
}

/// How long the value is that begins here; `None` when its end is not there.
fn value_bytes(rest: &[u8]) -> Option<usize> {
    match Skip::default().pass(rest) {
        (bytes, true) => Some(bytes),
        (_, false) => None,
    }
}

fn blank_bytes(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| is_blank(**byte)).count()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn not_json(rest: &[u8]) -> ItemsFault {
    let shown: String = String::from_utf8_lossy(&rest[..rest.len().min(40)]).chars().take(20).collect();
    ItemsFault::new(format!("The file is not JSON: unexpected '{shown}'."))
}
