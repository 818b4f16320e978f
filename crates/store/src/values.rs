//! The distinct texts of one payload: each stands once, told first by its pointer and then by its letters.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Text;

use crate::bytes::put_number;

/// Texts in the order they first came.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// What is known by its address lives as long as that: another value must not come to stand in its place.
    held: Vec<Held>,
    text: String,
    ends: Vec<usize>,
    by_address: Places,
    by_text: Places,
}

/// A value that is kept alive.
#[derive(Debug)]
#[expect(dead_code, reason = "it is held, not read")]
enum Held {
    Text(Text),
    Json(Json),
}

impl Values {
    /// The place of a text.
    pub(crate) fn text(&mut self, text: &Text) -> u64 {
        let hold = || Held::Text(text.clone());
        self.place(Some((Arc::as_ptr(text).addr() as u64, &hold)), |out| out.push_str(text))
    }

    /// The place of a JSON value's compact text.
    pub(crate) fn json(&mut self, json: &Json) -> u64 {
        let address = match json {
            Json::Object(object) => Some(object.address() as u64),
            Json::Array(array) => Some(array.address() as u64),
            // The same letters are another text between quotes. Pointers are even, so that this is nobody else's.
            Json::String(text) => Some(Arc::as_ptr(text).addr() as u64 | 1),
            Json::Null | Json::Bool(_) | Json::Number(_) => None,
        };
        let hold = || Held::Json(json.clone());
        let address = address.map(|address| (address, &hold as &dyn Fn() -> Held));
        self.place(address, |out| write!(out, "{json}").expect("a String takes every write"))
    }

    /// Appends the table: count, lengths, texts.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.ends.len() as u64);
        for place in 0..self.ends.len() {
            put_number(out, self.range(place).len() as u64);
        }
        out.extend_from_slice(self.text.as_bytes());
    }

    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.text.clear();
        self.ends.clear();
        self.by_address.clear();
        self.by_text.clear();
    }

    /// `address` is where the value stands, and how to keep it there.
    fn place(&mut self, address: Option<(u64, &dyn Fn() -> Held)>, write: impl FnOnce(&mut String)) -> u64 {
        if let Some(place) = address.and_then(|(address, _)| self.by_address.find(address, |_| true)) {
            return u64::from(place);
        }
        let start = self.text.len();
        write(&mut self.text);
        let hash = (self.text.len() - start) as u64 | u64::from(crc32fast::hash(&self.text.as_bytes()[start..])) << 32;
        let known = self.by_text.find(hash, |place| self.text[self.range(place as usize)] == self.text[start..]);
        let place = match known {
            Some(place) => {
                self.text.truncate(start);
                place
            }
            None => {
                let place = self.ends.len() as u32;
                self.ends.push(self.text.len());
                self.by_text.insert(hash, place);
                place
            }
        };
        if let Some((address, hold)) = address {
            self.held.push(hold());
            self.by_address.insert(address, place);
        }
        u64::from(place)
    }

    fn range(&self, place: usize) -> Range<usize> {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        start..self.ends[place]
    }
}

/// Finds places by a number that nearly tells them apart. A table with open addressing, kept from frame to frame, so that
/// the usual frame allocates nothing.
#[derive(Debug, Default)]
struct Places {
    /// Number and place + 1; a zero there is an empty slot. A power of two of them, at most half of them taken.
    slots: Vec<(u64, u32)>,
    taken: usize,
}

/// So many slots are kept; the table of an unusually large frame is given back.
const SLOTS_KEPT: usize = 4_096;

/// After so many steps a search gives up, and a value is written twice: texts made to collide cannot make a frame slow.
const STEPS_MAX: usize = 32;

impl Places {
    fn find(&self, number: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        for slot in self.walk(number) {
            match self.slots[slot] {
                (_, 0) => return None,
                (found, above) if found == number && is_it(above - 1) => return Some(above - 1),
                _ => {}
            }
        }
        None
    }

    fn insert(&mut self, number: u64, place: u32) {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let free = self.walk(number).find(|&slot| self.slots[slot].1 == 0);
        if let Some(slot) = free {
            self.slots[slot] = (number, place + 1);
            self.taken += 1;
        }
    }

    fn clear(&mut self) {
        if self.slots.len() > SLOTS_KEPT {
            self.slots = Vec::new();
        } else if self.taken > 0 {
            self.slots.fill((0, 0));
        }
        self.taken = 0;
    }

    fn grow(&mut self) {
        let larger = (self.slots.len() * 2).max(64);
        let slots = std::mem::replace(&mut self.slots, vec![(0, 0); larger]);
        self.taken = 0;
        for (number, above) in slots.into_iter().filter(|slot| slot.1 > 0) {
            self.insert(number, above - 1);
        }
    }

    /// The slots a number may stand in, in the order they are tried.
    fn walk(&self, number: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        // Multiplying by 2^64 / golden ratio spreads neighbouring addresses over the high bits.
        let start = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        let steps = STEPS_MAX.min(self.slots.len());
        (0..steps).map(move |step| (start + step) & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_gone_lends_its_address_to_nobody() {
        let mut values = Values::default();
        // An allocator gives the room of one to the next.
        for number in 0..1_000_u64 {
            let value = Json::object([("number", Json::from(number))]);
            assert_eq!(values.json(&value), 2 * number, "{value}");
            let text: Text = format!("text {number}").into();
            assert_eq!(values.text(&text), 2 * number + 1, "{text}");
        }
    }

    #[test]
    fn equal_texts_share_a_place() {
        let mut values = Values::default();
        let text = Text::from("a");
        let object = Json::reread(r#"{"a":1}"#).expect("JSON");
        assert_eq!(values.text(&text), 0);
        assert_eq!(values.json(&Json::String(text.clone())), 1, "quoted it is another text");
        assert_eq!(values.json(&object), 2);
        assert_eq!(values.json(&object.clone()), 2, "by pointer");
        assert_eq!(values.text(&Text::from(r#"{"a":1}"#)), 2, "by letters");
        assert_eq!(values.text(&text), 0);
        assert_eq!(values.json(&Json::from(1)), 3);
        assert_eq!(values.json(&Json::reread("1.0").expect("JSON")), 4, "equal is not the same text");
        let mut out = Vec::new();
        values.write(&mut out);
        assert_eq!(out, b"\x05\x01\x03\x07\x01\x03a\"a\"{\"a\":1}11.0");
    }

    #[test]
    fn a_large_frame_finds_its_values_and_gives_the_table_back() {
        let mut values = Values::default();
        let texts: Vec<Text> = (0..10_000).map(|i| Text::from(format!("text {i}"))).collect();
        for round in 0..2 {
            let known = texts.iter().enumerate().filter(|(i, text)| values.text(text) == *i as u64).count();
            assert!(known >= 9_990, "round {round}: {known}");
        }
        values.clear();
        assert!(values.by_text.slots.capacity() <= SLOTS_KEPT);
        assert_eq!(values.text(&texts[7]), 0);
    }
}
