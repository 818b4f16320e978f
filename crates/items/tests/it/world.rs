//! Reading a file in every way there is.

use stepwell_items::{Decoder, Format, Headers};

/// The items as text, in a file that comes in pieces of this size, or why there are none.
pub(crate) fn read(format: &Format, file: &[u8], piece: usize) -> Result<Vec<String>, String> {
    let mut decoder = Decoder::new(format.clone());
    let mut items = Vec::new();
    let mut pieces = file.chunks(piece.max(1));
    loop {
        while let Some(item) = decoder.next_item().map_err(|fault| fault.to_string())? {
            items.push(shown(&item));
        }
        match pieces.next() {
            Some(piece) => decoder.feed(piece),
            None => break,
        }
    }
    decoder.end();
    while let Some(item) = decoder.next_item().map_err(|fault| fault.to_string())? {
        items.push(shown(&item));
    }
    Ok(items)
}

/// The same, by a decoder that is given up behind every item.
pub(crate) fn read_anew(format: &Format, file: &[u8]) -> Result<Vec<String>, String> {
    let mut items = Vec::new();
    let (mut place, mut state) = (0, None);
    loop {
        let mut decoder = Decoder::resumed(format.clone(), place as u64, state.as_ref());
        decoder.feed(&file[place..]);
        decoder.end();
        match decoder.next_item().map_err(|fault| fault.to_string())? {
            Some(item) => items.push(shown(&item)),
            None => return Ok(items),
        }
        place = decoder.place() as usize;
        state = decoder.state();
    }
}

fn shown(item: &stepwell_items::Item) -> String {
    match &item.key {
        Some(key) => format!("{key}={}", item.value),
        None => item.value.to_string(),
    }
}

pub(crate) fn json(pointer: &str) -> Format {
    Format::Json { pointer: pointer.into() }
}

pub(crate) fn csv(delimiter: u8) -> Format {
    Format::Csv { delimiter, headers: Headers::FirstRow }
}

pub(crate) fn given(names: &[&str]) -> Format {
    Format::Csv { delimiter: b',', headers: Headers::Given(names.iter().map(|name| (*name).into()).collect()) }
}
