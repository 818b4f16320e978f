//! Files packed with gzip, as inventories and query results are: unpacked piece by piece, and no further than they may be.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use crate::fault::ItemsFault;

/// How many times larger a file may become: what people pack becomes a tenth or a twentieth.
const RATIO_MAX: u64 = 100;

/// What a file may unpack to in any case, so that a short one with many equal lines is not refused.
const FREE_BYTES: u64 = 1024 * 1024;

/// Bytes that are unpacked at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Bytes of a header with its name and comment at most.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Bytes behind a member: its checksum and its length.
const TRAILER_BYTES: usize = 8;

/// One packed file on its way.
pub struct Unpacking {
    stage: Stage,
    /// Came in and is not read.
    input: Vec<u8>,
    packed: u64,
    unpacked: u64,
}

enum Stage {
    Header,
    Member { inflate: Box<InflateState>, checksum: crc32fast::Hasher, bytes: u32 },
    Trailer { checksum: u32, bytes: u32 },
}

impl std::fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unpacking({} bytes of {})", self.unpacked, self.packed)
    }
}

impl Default for Unpacking {
    fn default() -> Unpacking {
        Unpacking { stage: Stage::Header, input: Vec::new(), packed: 0, unpacked: 0 }
    }
}

impl Unpacking {
    /// Whether a file that begins like this is packed.
    pub fn is_packed(beginning: &[u8]) -> bool {
        beginning.starts_with(&[0x1f, 0x8b])
    }

    /// Takes a piece of the packed file; gives what it unpacks to, a part at a time.
    pub fn take(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), ItemsFault>,
    ) -> Result<(), ItemsFault> {
        self.input.extend_from_slice(piece);
        self.packed += piece.len() as u64;
        let mut output = vec![0; PIECE_BYTES];
        // Output that found no room comes without further input.
        let mut has_more = false;
        loop {
            match &mut self.stage {
                Stage::Header => {
                    // Zeros behind the last member are filling.
                    let filling = self.input.iter().take_while(|byte| **byte == 0).count();
                    self.input.drain(..filling);
                    let Some(bytes) = header_bytes(&self.input)? else { return Ok(()) };
                    self.input.drain(..bytes);
                    let inflate = InflateState::new_boxed(DataFormat::Raw);
                    self.stage = Stage::Member { inflate, checksum: crc32fast::Hasher::new(), bytes: 0 };
                }
                Stage::Member { .. } if self.input.is_empty() && !has_more => return Ok(()),
                Stage::Member { inflate: state, checksum, bytes } => {
                    let result = inflate(state, &self.input, &mut output, MZFlush::None);
                    self.input.drain(..result.bytes_consumed);
                    let unpacked = &output[..result.bytes_written];
                    has_more = unpacked.len() == PIECE_BYTES;
                    checksum.update(unpacked);
                    *bytes = bytes.wrapping_add(unpacked.len() as u32);
                    self.unpacked += unpacked.len() as u64;
                    if self.unpacked > FREE_BYTES + RATIO_MAX * self.packed {
                        return Err(ItemsFault::new(format!(
                            "The packed file unpacks to more than {RATIO_MAX} times its size."
                        )));
                    }
                    each(unpacked)?;
                    match result.status {
                        Ok(MZStatus::StreamEnd) => {
                            let (checksum, bytes) = (checksum.clone().finalize(), *bytes);
                            self.stage = Stage::Trailer { checksum, bytes };
                        }
                        Ok(_) | Err(MZError::Buf) if self.input.is_empty() => {}
                        Ok(_) if result.bytes_written + result.bytes_consumed > 0 => {}
                        Ok(_) | Err(_) => return Err(broken()),
                    }
                }
                Stage::Trailer { checksum, bytes } => {
                    let Some((trailer, rest)) = self.input.split_first_chunk::<TRAILER_BYTES>() else {
                        return Ok(());
                    };
                    let expected = u64::from(*checksum) | u64::from(*bytes) << 32;
                    if u64::from_le_bytes(*trailer) != expected {
                        return Err(broken());
                    }
                    self.input = rest.to_vec();
                    self.stage = Stage::Header;
                }
            }
        }
    }

    /// Refuses a file that ends in the middle.
    pub fn end(&self) -> Result<(), ItemsFault> {
        match self.stage {
            Stage::Header if self.input.is_empty() => Ok(()),
            Stage::Header | Stage::Member { .. } | Stage::Trailer { .. } => Err(broken()),
        }
    }
}

fn broken() -> ItemsFault {
    ItemsFault::new("The packed file is broken.")
}

/// How long the header of a member is; `None` while it is not all there.
///
/// Source: RFC 1952, section 2.3.
fn header_bytes(input: &[u8]) -> Result<Option<usize>, ItemsFault> {
    const FIXED: usize = 10;
    if !input.is_empty() && !b"\x1f\x8b\x08".starts_with(&input[..input.len().min(3)]) {
        return Err(broken());
    }
    let Some(flags) = input.get(3).filter(|_| input.len() >= FIXED) else { return Ok(None) };
    let (has_checksum, has_extra, has_name, has_comment) =
        (flags & 2 != 0, flags & 4 != 0, flags & 8 != 0, flags & 16 != 0);
    let mut at = FIXED;
    if has_extra {
        let Some(length) = input.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(length[0]) + 256 * usize::from(length[1]);
    }
    for _ in 0..u8::from(has_name) + u8::from(has_comment) {
        let Some(length) = input.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) else {
            return if input.len() > HEADER_BYTES_MAX + FIXED { Err(broken()) } else { Ok(None) };
        };
        at += length + 1;
    }
    at += 2 * usize::from(has_checksum);
    Ok((input.len() >= at).then_some(at))
}
