//! Unpacking a zip into a directory: everything is looked at before anything is written.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::archive::inflate::unpacked;
use crate::archive::listing::{Entry, EntryKind, entries};
use crate::archive::{RATIO_FREE_BYTES, RATIO_MAX, UNPACKED_BYTES_MAX, ZipFault, paths};

/// The longest path a link may hold.
const LINK_BYTES_MAX: u64 = 4_096;

/// Unpacks a zip into a directory that is there and empty. What it leaves behind when it fails is all below it.
pub(crate) fn unpack(zip: &[u8], into: &Path) -> Result<(), ZipFault> {
    let entries = entries(zip)?;
    let unpacked_bytes: u64 = entries.iter().map(|entry| entry.unpacked_bytes).sum();
    if unpacked_bytes > UNPACKED_BYTES_MAX {
        return Err(ZipFault::TooLarge);
    }
    if unpacked_bytes > RATIO_FREE_BYTES && unpacked_bytes / RATIO_MAX > zip.len() as u64 {
        return Err(ZipFault::Bomb);
    }
    let named: Vec<(Vec<&str>, &Entry<'_>)> =
        entries.iter().map(|entry| Ok((paths::parts(entry.name)?, entry))).collect::<Result<_, ZipFault>>()?;
    let is_link = |entry: &Entry<'_>| entry.kind == EntryKind::Link;
    let links: BTreeSet<PathBuf> =
        named.iter().filter(|(_, entry)| is_link(entry)).map(|(parts, _)| paths::joined(parts)).collect();
    for (parts, entry) in &named {
        // Nothing is written through a link, and nothing stands where one does.
        let own = if is_link(entry) { parts.len() - 1 } else { parts.len() };
        if paths::goes_through(&parts[..own], &links) {
            return Err(ZipFault::Outside(entry.name.to_owned()));
        }
    }
    let mut targets = Vec::new();
    for (parts, entry) in named.iter().filter(|(_, entry)| is_link(entry)) {
        targets.push((parts, link_target(parts, entry)?));
    }
    for (parts, entry) in &named {
        write(&into.join(paths::joined(parts)), entry)?;
    }
    // Links come last, so that no file can be written through one.
    for (parts, target) in targets {
        let path = into.join(paths::joined(parts));
        make_parent(&path)?;
        symlink(target, path).map_err(disk)?;
    }
    Ok(())
}

fn link_target(parts: &[&str], entry: &Entry<'_>) -> Result<String, ZipFault> {
    if entry.unpacked_bytes > LINK_BYTES_MAX {
        return Err(ZipFault::Outside(entry.name.to_owned()));
    }
    let mut target = Vec::new();
    unpacked(entry, |piece| {
        target.extend_from_slice(piece);
        Ok(())
    })?;
    match String::from_utf8(target) {
        Ok(target) if paths::is_inside(parts, &target) => Ok(target),
        Ok(_) | Err(_) => Err(ZipFault::Outside(entry.name.to_owned())),
    }
}

fn write(path: &Path, entry: &Entry<'_>) -> Result<(), ZipFault> {
    let executable = match entry.kind {
        EntryKind::Directory => return create_dir_all(path).map_err(disk),
        EntryKind::Link => return Ok(()),
        EntryKind::File { executable } => executable,
    };
    make_parent(path)?;
    // Of two entries of one name the later one counts, as with every unpacker.
    let mode = if executable { 0o755 } else { 0o644 };
    let mut file: File =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path).map_err(disk)?;
    unpacked(entry, |piece| file.write_all(piece).map_err(disk))
}

fn make_parent(path: &Path) -> Result<(), ZipFault> {
    path.parent().map_or(Ok(()), create_dir_all).map_err(disk)
}

fn disk(error: std::io::Error) -> ZipFault {
    match error.kind() {
        // One name is a file and a directory.
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            ZipFault::Unreadable("two entries are in each other's way")
        }
        _ => ZipFault::Disk(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::unpack;
    use crate::archive::ZipFault;

    /// A directory that goes away, inside another in which nothing else may appear.
    struct Room(PathBuf);

    impl Room {
        fn new() -> Room {
            let room = std::env::temp_dir().join(format!("stepwell-zip-{}", crate::clock::uuid()));
            fs::create_dir_all(room.join("in")).expect("a directory");
            Room(room)
        }

        fn inside(&self) -> PathBuf {
            self.0.join("in")
        }

        fn holds_only_inside(&self) -> bool {
            fs::read_dir(&self.0).expect("a directory").count() == 1
        }
    }

    impl Drop for Room {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A zip of stored entries: name, Unix mode, content, and what it says of its size.
    fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let (mut body, mut directory) = (Vec::new(), Vec::new());
        for (name, mode, content) in entries {
            let offset = body.len() as u32;
            let mut hash = crc32fast::Hasher::new();
            hash.update(content);
            let (crc, size) = (hash.finalize(), content.len() as u32);
            let shared = |out: &mut Vec<u8>| {
                out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                out.extend(crc.to_le_bytes());
                out.extend(size.to_le_bytes());
                out.extend(size.to_le_bytes());
                out.extend((name.len() as u16).to_le_bytes());
                out.extend([0, 0]);
            };
            body.extend(*b"PK\x03\x04");
            shared(&mut body);
            body.extend(name.as_bytes());
            body.extend(*content);
            directory.extend(*b"PK\x01\x02\x14\x03");
            shared(&mut directory);
            directory.extend([0; 6]);
            directory.extend((mode << 16).to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (start, bytes) = (body.len() as u32, directory.len() as u32);
        body.extend(directory);
        body.extend(*b"PK\x05\x06\0\0\0\0");
        body.extend((entries.len() as u16).to_le_bytes());
        body.extend((entries.len() as u16).to_le_bytes());
        body.extend(bytes.to_le_bytes());
        body.extend(start.to_le_bytes());
        body.extend([0, 0]);
        body
    }

    const FILE: u32 = 0o100_644;
    const LINK: u32 = 0o120_777;

    #[test]
    fn files_directories_and_links_come_out() {
        let room = Room::new();
        let zip = zip(&[
            ("d/", 0o040_755, b""),
            ("d/app.py", FILE, b"x = 1\n"),
            ("bootstrap", 0o100_755, b"#!/bin/sh\n"),
            ("d/l", LINK, b"../bootstrap"),
        ]);
        unpack(&zip, &room.inside()).expect("a good zip");
        assert_eq!(fs::read(room.inside().join("d/app.py")).expect("a file"), b"x = 1\n");
        assert_eq!(fs::read(room.inside().join("d/l")).expect("a link"), b"#!/bin/sh\n");
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(room.inside().join(name)).expect("a file").permissions().mode() & 0o111;
        assert_eq!((mode("bootstrap") != 0, mode("d/app.py")), (true, 0));
    }

    #[test]
    fn nothing_is_written_outside() {
        for entries in [
            &[("../evil", FILE, &b"x"[..])][..],
            &[("a/../../evil", FILE, b"x")],
            &[("/tmp/stepwell-evil", FILE, b"x")],
            &[("a\0b", FILE, b"x")],
            &[("..\\evil", FILE, b"x")],
            &[("l", LINK, b"..")],
            &[("l", LINK, b"/etc")],
            &[("d/l", LINK, b"../../x")],
            // Through a link that stays inside, and through one that is replaced.
            &[("l", LINK, b"d"), ("l/f", FILE, b"x")],
            &[("f", FILE, b"x"), ("f", LINK, b"..")],
            &[("l", LINK, b"d"), ("l", FILE, b"x")],
            &[("d/p", LINK, b".."), ("q", LINK, b"d/p/../..")],
        ] {
            let room = Room::new();
            let fault = unpack(&zip(entries), &room.inside()).expect_err("refused");
            assert!(matches!(fault, ZipFault::Outside(_)), "{entries:?}: {fault}");
            assert!(room.holds_only_inside(), "{entries:?}");
            assert!(fs::read_dir(room.inside()).expect("a directory").next().is_none(), "{entries:?}");
        }
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        let good = zip(&[("f", FILE, b"content")]);
        let room = Room::new();
        assert_eq!(unpack(b"", &room.inside()), Err(ZipFault::Empty));
        assert_eq!(unpack(&zip(&[]), &room.inside()), Err(ZipFault::Empty));
        for length in 1..good.len() {
            assert!(unpack(&good[..length], &Room::new().inside()).is_err(), "{length} bytes of it");
        }
        // Every byte once another: refused, or unpacked, but never outside and never a panic.
        for place in 0..good.len() {
            let mut damaged = good.clone();
            damaged[place] ^= 0x55;
            let room = Room::new();
            let _ = unpack(&damaged, &room.inside());
            assert!(room.holds_only_inside(), "byte {place}");
        }
    }

    #[test]
    fn bombs_are_refused_before_they_go_off() {
        let mut large = zip(&[("f", FILE, b"x")]);
        let announced = |zip: &mut Vec<u8>, bytes: u32| {
            let directory = zip.windows(4).position(|part| part == b"PK\x01\x02").expect("a directory");
            zip[directory + 24..directory + 28].copy_from_slice(&bytes.to_le_bytes());
        };
        announced(&mut large, 262_144_001);
        assert_eq!(unpack(&large, &Room::new().inside()), Err(ZipFault::TooLarge));
        announced(&mut large, 200_000_000);
        assert_eq!(unpack(&large, &Room::new().inside()), Err(ZipFault::Bomb));
        // Zeros, a thousand to one, that say they are fewer.
        let zeros = miniz_oxide::deflate::compress_to_vec(&vec![0; 20_000_000], 9);
        let mut lying = zip(&[("f", FILE, &zeros)]);
        let directory = lying.windows(4).position(|part| part == b"PK\x01\x02").expect("a directory");
        lying[directory + 10] = 8;
        announced(&mut lying, 1_000);
        assert_eq!(unpack(&lying, &Room::new().inside()), Err(ZipFault::Unreadable("an entry is larger than it says")));
    }
}
