//! The content of an entry, a piece at a time: never more than was announced, and no piece larger than a window.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use crate::archive::ZipFault;
use crate::archive::listing::{Entry, Packing};

const PIECE_BYTES: usize = 64 * 1024;

/// Gives an entry's content to `take`, and holds it against its announced size and checksum.
pub(crate) fn unpacked(entry: &Entry<'_>, mut take: impl FnMut(&[u8]) -> Result<(), ZipFault>) -> Result<(), ZipFault> {
    let mut check = crc32fast::Hasher::new();
    let mut bytes = 0_u64;
    let mut keep = |piece: &[u8]| {
        bytes += piece.len() as u64;
        if bytes > entry.unpacked_bytes {
            return Err(ZipFault::Unreadable("an entry is larger than it says"));
        }
        check.update(piece);
        take(piece)
    };
    match entry.packing {
        Packing::Stored => entry.packed.chunks(PIECE_BYTES).try_for_each(&mut keep)?,
        Packing::Deflated => inflated(entry.packed, &mut keep)?,
    }
    match bytes == entry.unpacked_bytes && check.finalize() == entry.crc {
        true => Ok(()),
        false => Err(ZipFault::Unreadable("an entry is not what its checksum says")),
    }
}

fn inflated(mut packed: &[u8], keep: &mut impl FnMut(&[u8]) -> Result<(), ZipFault>) -> Result<(), ZipFault> {
    let damaged = ZipFault::Unreadable("an entry is damaged");
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let step = inflate(&mut state, packed, &mut piece, MZFlush::None);
        packed = packed.get(step.bytes_consumed..).unwrap_or_default();
        keep(piece.get(..step.bytes_written).unwrap_or_default())?;
        match step.status {
            Ok(MZStatus::StreamEnd) => return Ok(()),
            Ok(MZStatus::Ok) if step.bytes_consumed + step.bytes_written > 0 => {}
            // Nothing went in and nothing came out: the end is missing.
            Ok(MZStatus::Ok | MZStatus::NeedDict) | Err(MZError::Buf) => return Err(damaged),
            Err(_) => return Err(damaged),
        }
    }
}
