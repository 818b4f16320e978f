//! A disk that fails as disks do: it tears writes at any byte, loses what was not synced, forgets names, has no room,
//! and reports a failed sync once and success ever after. Everything by a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use stepwell_store::{Disk, DiskFile};

const SECTOR: usize = 512;

/// A generator of chance from a seed: xorshift with a multiplication.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.draw() >> 33) as usize % bound.max(1)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies in the middle of it.
    Dies,
    /// A write fails after some of its bytes; a sync fails and makes some of what was written durable.
    Fails,
    /// There is no room: a write is cut short.
    NoRoom,
}

/// The disk, shared by its files.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Mutex<World>>);

struct World {
    random: Random,
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Names as they were after each change since they were last synced.
    names_since: Vec<BTreeMap<String, usize>>,
    /// Counts writes, syncs and changes of names.
    operations: usize,
    /// What is going to happen, and when.
    faults: Vec<(usize, Fault)>,
    /// The process is dead: every operation fails.
    is_dead: bool,
    /// Handles of an earlier process write nothing.
    process: u64,
    /// So many more bytes may be added to files.
    room: Option<usize>,
    syncs: usize,
    /// By file.
    bytes_read: BTreeMap<usize, usize>,
}

#[derive(Clone, Default)]
struct File {
    visible: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last sync, which are marked by their number, and the writes in their order.
    dirty: Vec<usize>,
    is_dirty: Vec<bool>,
    writes: Vec<(usize, Vec<u8>)>,
    was_cut: bool,
}

struct Handle {
    world: Arc<Mutex<World>>,
    file: usize,
    process: u64,
}

impl SimDisk {
    pub(crate) fn new(seed: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(World {
            random: Random::new(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            names_since: Vec::new(),
            operations: 0,
            faults: Vec::new(),
            is_dead: false,
            process: 0,
            room: None,
            syncs: 0,
            bytes_read: BTreeMap::new(),
        })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test panics with the disk in hand")
    }

    /// Lets something go wrong so many operations from now.
    pub(crate) fn plan(&self, after: usize, fault: Fault) {
        let mut world = self.world();
        let at = world.operations + after;
        world.faults.push((at, fault));
    }

    pub(crate) fn forget_plan(&self) {
        self.world().faults.clear();
    }

    /// Leaves room for so many bytes, or as many as anybody wants.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.world().room = room;
    }

    /// Syncs of files and names so far.
    pub(crate) fn syncs(&self) -> usize {
        self.world().syncs
    }

    /// Bytes read so far from files whose names end like this.
    pub(crate) fn bytes_read(&self, ending: &str) -> usize {
        let world = self.world();
        let files = world.names.iter().filter(|(name, _)| name.ends_with(ending));
        files.filter_map(|(_, file)| world.bytes_read.get(file)).sum()
    }

    /// A new process: the system and its memory lived on.
    pub(crate) fn restart_process(&self) {
        let mut world = self.world();
        world.is_dead = false;
        world.faults.clear();
        world.process += 1;
    }

    /// The power failed: of what was not synced anything may be there, and a new process starts.
    pub(crate) fn lose_power(&self) {
        self.restart_process();
        let world = &mut *self.world();
        let kept = world.random.below(world.names_since.len() + 1);
        if kept > 0 {
            world.durable_names = world.names_since[kept - 1].clone();
        }
        world.names_since.clear();
        world.names = world.durable_names.clone();
        let random = &mut world.random;
        world.files.iter_mut().for_each(|file| file.lose_power(random));
    }

    /// The bytes of a file as a process sees them.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let world = self.world();
        world.files[world.names[name]].visible.clone()
    }

    /// Sets a file's bytes behind everybody's back, on the disk itself.
    pub(crate) fn set_bytes(&self, name: &str, bytes: &[u8]) {
        let world = &mut *self.world();
        let file = match world.names.get(name) {
            Some(&file) => file,
            None => {
                world.files.push(File::default());
                world.names.insert(name.to_owned(), world.files.len() - 1);
                world.durable_names = world.names.clone();
                world.files.len() - 1
            }
        };
        let (visible, durable) = (bytes.to_vec(), bytes.to_vec());
        world.files[file] = File { visible, durable, ..File::default() };
    }

    pub(crate) fn remove_file(&self, name: &str) {
        let world = &mut *self.world();
        world.names.remove(name);
        world.durable_names = world.names.clone();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.world().names.keys().cloned().collect()
    }

    /// Names that end like this, in order.
    pub(crate) fn names_ending(&self, ending: &str) -> Vec<String> {
        self.names().into_iter().filter(|name| name.ends_with(ending)).collect()
    }

    /// Another disk with what a process sees on this one, and chances of its own.
    pub(crate) fn copy(&self, seed: u64) -> SimDisk {
        let copy = SimDisk::new(seed);
        for name in self.names() {
            copy.set_bytes(&name, &self.bytes(&name));
        }
        copy
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimDisk")
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl World {
    /// Counts an operation. Answers what goes wrong with it.
    fn begin(&mut self) -> io::Result<Option<Fault>> {
        if self.is_dead {
            return Err(dead());
        }
        self.operations += 1;
        let Some(due) = self.faults.iter().position(|(at, _)| *at <= self.operations) else { return Ok(None) };
        let (_, fault) = self.faults.remove(due);
        self.is_dead = fault == Fault::Dies;
        Ok(Some(fault))
    }

    fn change_names(&mut self, change: impl FnOnce(&mut World) -> io::Result<()>) -> io::Result<()> {
        let fault = self.begin()?;
        // A change of names is there or not; a process that dies in it does not know.
        if fault == Some(Fault::Dies) && self.random.once_in(2) {
            return Err(dead());
        }
        if let Some(fault @ (Fault::Fails | Fault::NoRoom)) = fault {
            return Err(fault.error());
        }
        change(self)?;
        self.names_since.push(self.names.clone());
        if fault.is_some() { Err(dead()) } else { Ok(()) }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Fault::Dies => dead(),
            Fault::Fails => io::Error::other("the disk failed"),
            Fault::NoRoom => io::ErrorKind::StorageFull.into(),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

impl File {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
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

    fn set_length(&mut self, length: usize) {
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

    fn sync(&mut self) {
        let dirty = self.take_dirty();
        self.persist(dirty.into_iter());
        self.durable.resize(self.visible.len(), 0);
        self.writes.clear();
        self.was_cut = false;
    }

    /// The sync failed: some sectors are durable, and the system takes all of them for clean.
    fn fail_sync(&mut self, random: &mut Random) {
        let dirty = self.take_dirty();
        self.persist(dirty.into_iter().filter(|_| random.once_in(2)));
        self.writes.clear();
    }

    fn lose_power(&mut self, random: &mut Random) {
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
        self.visible.clone_from(&self.durable);
        self.take_dirty();
        (self.writes, self.was_cut) = (Vec::new(), false);
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let world = self.world();
        if world.is_dead { Err(dead()) } else { Ok(world.names.keys().cloned().collect()) }
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world();
        world.change_names(|world| {
            if world.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            world.files.push(File::default());
            world.names.insert(name.to_owned(), world.files.len() - 1);
            Ok(())
        })?;
        Ok(Arc::new(Handle { world: self.0.clone(), file: world.files.len() - 1, process: world.process }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let world = self.world();
        if world.is_dead {
            return Err(dead());
        }
        let file = *world.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Handle { world: self.0.clone(), file, process: world.process }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.world().change_names(|world| {
            let file = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            world.names.insert(to.to_owned(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.world().change_names(|world| match world.names.remove(name) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        })
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut world = self.world();
        world.syncs += 1;
        match world.begin()? {
            None => {
                world.durable_names = world.names.clone();
                world.names_since.clear();
                Ok(())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn describe(&self, name: &str) -> String {
        format!("disk/{name}")
    }
}

impl Handle {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics with the disk in hand")
    }

    fn change(&self) -> io::Result<(MutexGuard<'_, World>, Option<Fault>)> {
        let mut world = self.world();
        if world.process != self.process {
            return Err(dead());
        }
        let fault = world.begin()?;
        Ok((world, fault))
    }
}

impl DiskFile for Handle {
    fn length(&self) -> io::Result<u64> {
        let world = self.world();
        if world.is_dead { Err(dead()) } else { Ok(world.files[self.file].visible.len() as u64) }
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut world = self.world();
        if world.is_dead {
            return Err(dead());
        }
        *world.bytes_read.entry(self.file).or_default() += bytes.len();
        let offset = offset as usize;
        let end = offset + bytes.len();
        let found = world.files[self.file].visible.get(offset..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut world, fault) = self.change()?;
        let world = &mut *world;
        let file = &mut world.files[self.file];
        let offset = offset as usize;
        let growth = (offset + bytes.len()).saturating_sub(file.visible.len());
        if let Some(room) = &mut world.room {
            if growth > *room {
                let fits = bytes.len() - (growth - *room).min(bytes.len());
                file.write(offset, &bytes[..fits]);
                *room = 0;
                return Err(Fault::NoRoom.error());
            }
            *room -= growth;
        }
        match fault {
            None => {
                file.write(offset, bytes);
                Ok(())
            }
            Some(fault) => {
                // Often all of it: the worst that a failure can leave behind.
                let written = if world.random.once_in(4) { bytes.len() } else { world.random.below(bytes.len() + 1) };
                file.write(offset, &bytes[..written]);
                Err(fault.error())
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        let (mut world, fault) = self.change()?;
        let world = &mut *world;
        world.syncs += 1;
        let file = &mut world.files[self.file];
        match fault {
            None => {
                file.sync();
                Ok(())
            }
            Some(Fault::Dies) => Err(dead()),
            Some(fault) => {
                file.fail_sync(&mut world.random);
                Err(fault.error())
            }
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let (mut world, fault) = self.change()?;
        match fault {
            None => {
                world.files[self.file].set_length(length as usize);
                Ok(())
            }
            Some(fault) => Err(fault.error()),
        }
    }
}
