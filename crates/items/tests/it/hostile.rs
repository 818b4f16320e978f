//! Files that were made to do harm: whatever comes, there is an end, and no more is kept than an item may have.

use miniz_oxide::deflate::compress_to_vec;
use stepwell_items::{Format, Unpacking};

use crate::world::{csv, given, json, read, read_anew};

/// A member of a gzip file.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(bytes);
    let mut file = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    file.extend_from_slice(b"name.csv\0");
    file.extend(compress_to_vec(bytes, 6));
    file.extend(checksum.finalize().to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// What a packed file that comes in pieces of this size unpacks to, or why it does not, and the most it gave.
fn unpack(file: &[u8], piece: usize) -> (Result<Vec<u8>, String>, u64) {
    let (mut unpacking, mut all, mut given) = (Unpacking::default(), Vec::new(), 0);
    for piece in file.chunks(piece) {
        let taken = unpacking.take(piece, |part| {
            given += part.len() as u64;
            if all.len() < 1_000_000 {
                all.extend_from_slice(part);
            }
            Ok(())
        });
        if let Err(fault) = taken {
            return (Err(fault.to_string()), given);
        }
    }
    (unpacking.end().map(|()| all).map_err(|fault| fault.to_string()), given)
}

#[test]
fn packed_files_unpack_however_they_come() {
    let rows: String = (0..5_000).map(|row| format!("row {row},{}\n", row * 7919 % 1009)).collect();
    let mut file = packed(rows.as_bytes());
    assert!(Unpacking::is_packed(&file));
    for piece in [1, 7, 1_000, file.len()] {
        assert!(unpack(&file, piece).0.as_deref() == Ok(rows.as_bytes()), "in {piece}s");
    }
    file.extend(packed(b"and more"));
    file.extend([0; 100]);
    assert!(unpack(&file, 64).0.as_deref() == Ok([rows.as_bytes(), b"and more"].concat().as_slice()));
}

#[test]
fn broken_files_are_refused() {
    let file = packed(b"some rows, and some others");
    for end in 1..file.len() {
        assert_eq!(unpack(&file[..end], 5).0, Err("The packed file is broken.".to_owned()), "up to {end}");
    }
    for at in [0, 1, 2, 22, file.len() - 6, file.len() - 1] {
        let mut broken = file.clone();
        broken[at] ^= 0x55;
        assert!(unpack(&broken, 5).0.is_err(), "changed at {at}");
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let bomb = packed(&vec![b'\n'; 200_000_000]);
    let (outcome, given) = unpack(&bomb, 4_096);
    assert_eq!(outcome, Err("The packed file unpacks to more than 100 times its size.".to_owned()));
    assert!(given < 2_000_000 + 100 * bomb.len() as u64, "{given}");
}

/// Any bytes: valid files with changes, and nothing but noise. Whatever it says, it says so in the same way in any pieces.
#[test]
fn noise_gives_items_or_a_fault() {
    let files: [&[u8]; 4] = [
        b"a,b\n1,\"x\"\"y\"\n2,\"\n\"\r\n",
        b"{\"a\":{\"b\":[1,\"\\\"]\",{\"c\":[]}]}}",
        b"[1,2,[3,{\"x\":\"y\"}],\"\\u00e4\"]",
        b"{\"a\":1}\n[2]\n\n\"x\"\n",
    ];
    let formats = [csv(b','), given(&["x", "y"]), json(""), json("/a/b"), json("/a/0"), Format::JsonLines];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    const LETTERS: &[u8] = b"\"\\,:[]{}\n\r 01a\xff\xc3\xa4\x00\xef\xbb\xbf";
    for round in 0..4_000 {
        let mut file = files[draw(files.len())].to_vec();
        for _ in 0..draw(6) {
            let at = draw(file.len());
            match draw(3) {
                0 => file[at] = LETTERS[draw(LETTERS.len())],
                1 => file.insert(at, LETTERS[draw(LETTERS.len())]),
                _ => drop(file.remove(at)),
            }
        }
        for format in &formats {
            let whole = read(format, &file, file.len());
            let in_pieces = read(format, &file, 1 + draw(4));
            assert_eq!(whole.as_ref().ok(), in_pieces.as_ref().ok(), "round {round}: {format:?} {file:?}");
            if whole.is_ok() {
                assert_eq!(whole, read_anew(format, &file), "round {round}: {format:?} {file:?}");
            }
        }
    }
}
