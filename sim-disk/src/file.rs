//! One file of the disk: what a process sees of it, and what of that would outlive the power.

use crate::random::Random;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A file.
#[derive(Clone, Default)]
pub(crate) struct File {
    visible: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last sync, which are marked by their number, and the writes in their order.
    dirty: Vec<usize>,
    is_dirty: Vec<bool>,
    writes: Vec<(usize, Vec<u8>)>,
    was_cut: bool,
    /// Bytes from here on may differ between the two, beside dirty sectors: a sync failed.
    has_lied: bool,
}

impl File {
    /// A file that is on the disk as it is.
    pub(crate) fn durable(bytes: &[u8]) -> File {
        File { visible: bytes.to_vec(), durable: bytes.to_vec(), ..File::default() }
    }

    /// The bytes as a process sees them.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.visible
    }

    /// Whether it is a segment: the database beside them begins with other letters.
    pub(crate) fn is_plain(&self) -> bool {
        self.visible.starts_with(b"STEPWELL")
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.visible.len() < end {
            self.visible.resize(end, 0);
        }
        self.visible[offset..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.is_dirty.resize(self.visible.len().div_ceil(SECTOR).max(self.is_dirty.len()), false);
            for sector in offset / SECTOR..=(end - 1) / SECTOR {
                if !std::mem::replace(&mut self.is_dirty[sector], true) {
                    self.dirty.push(sector);
                }
            }
            self.writes.push((offset, bytes.to_vec()));
        }
    }

    pub(crate) fn set_length(&mut self, length: usize) {
        self.was_cut |= length < self.visible.len();
        self.visible.resize(length, 0);
    }

    /// Makes these sectors durable as they are seen.
    fn persist(&mut self, sectors: impl Iterator<Item = usize>) {
        for sector in sectors {
            let start = sector * SECTOR;
            let end = (start + SECTOR).min(self.visible.len());
            if start < end {
                if self.durable.len() < end {
                    self.durable.resize(end, 0);
                }
                self.durable[start..end].copy_from_slice(&self.visible[start..end]);
            }
        }
    }

    fn take_dirty(&mut self) -> Vec<usize> {
        let dirty = std::mem::take(&mut self.dirty);
        for &sector in &dirty {
            self.is_dirty[sector] = false;
        }
        dirty
    }

    pub(crate) fn sync(&mut self) {
        let dirty = self.take_dirty();
        self.persist(dirty.into_iter());
        self.durable.resize(self.visible.len(), 0);
        self.writes.clear();
        self.was_cut = false;
    }

    /// The sync failed: some sectors are durable, and the system takes all of them for clean.
    pub(crate) fn fail_sync(&mut self, random: &mut Random) {
        let dirty = self.take_dirty();
        let percent = [0, 50, 90][random.below(3)];
        self.persist(dirty.into_iter().filter(|_| random.percent(percent)));
        self.writes.clear();
        self.has_lied = true;
    }

    /// What is there afterwards. Answers whether something that was seen is not.
    pub(crate) fn lose_power(&mut self, random: &mut Random) -> bool {
        let is_clean = self.writes.is_empty() && !self.was_cut && !self.has_lied;
        if is_clean && self.durable.len() == self.visible.len() {
            return false;
        }
        match random.below(4) {
            0 => {}
            1 => {
                let dirty = self.take_dirty();
                self.persist(dirty.into_iter());
            }
            // Any sectors, in any order.
            2 => {
                let dirty = self.take_dirty();
                self.persist(dirty.into_iter().filter(|_| random.once_in(2)));
            }
            // The writes in their order, up to any byte.
            _ => {
                let total: usize = self.writes.iter().map(|(_, bytes)| bytes.len()).sum();
                let mut left = random.below(total + 1);
                for (offset, bytes) in &self.writes {
                    let end = offset + bytes.len().min(left);
                    if self.durable.len() < end {
                        self.durable.resize(end, 0);
                    }
                    self.durable[*offset..end].copy_from_slice(&bytes[..end - offset]);
                    left -= end - offset;
                }
            }
        }
        if (self.was_cut || self.durable.len() < self.visible.len()) && random.once_in(2) {
            self.durable.resize(self.visible.len(), 0);
        }
        let has_lost = self.visible != self.durable;
        self.visible.clone_from(&self.durable);
        self.take_dirty();
        (self.writes, self.was_cut, self.has_lied) = (Vec::new(), false, false);
        has_lost
    }
}
