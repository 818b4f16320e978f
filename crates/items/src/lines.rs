//! JSON Lines: a JSON value in each line. Lines without anything are no items.

use stepwell_json::Json;

use crate::decoder::{Pieces, text};
use crate::fault::ItemsFault;
use crate::{ITEM_BYTES_MAX, Item};

#[derive(Debug)]
pub(crate) struct Lines;

impl Lines {
    pub(crate) fn next(&mut self, pieces: &mut Pieces) -> Result<Option<Item>, ItemsFault> {
        loop {
            let rest = pieces.rest();
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, bytes) = match end {
                Some(end) => (&rest[..end], end + 1),
                None if pieces.is_whole && !rest.is_empty() => (rest, rest.len()),
                None if rest.len() > ITEM_BYTES_MAX => {
                    return Err(ItemsFault::too_large("A line", ITEM_BYTES_MAX));
                }
                None => return Ok(None),
            };
            let line = text(line)?.trim_matches([' ', '\t', '\r']);
            if line.len() > ITEM_BYTES_MAX {
                return Err(ItemsFault::too_large("A line", ITEM_BYTES_MAX));
            }
            let item = match line.is_empty() {
                true => None,
                false => Some(Json::parse(line).map_err(|fault| {
                    ItemsFault::new(format!("A line is not JSON: {}", fault.in_jackson_words(line).what))
                })?),
            };
            pieces.skip(bytes);
            if let Some(item) = item {
                return Ok(Some(Item::plain(item)));
            }
        }
    }
}
