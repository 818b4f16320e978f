//! A disk that fails as disks do: what was not synced is lost, torn at any byte or there in any order of sectors; syncs fail
//! once and succeed ever after; names get lost; there is no room; reads fail; old bytes rot or come to stand elsewhere.
//!
//! Owns what is on the disk and what goes wrong when it is told to. Knows nothing of what the bytes mean.

mod file;
mod random;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_store::{Disk, DiskFile};

use file::File;

pub use random::Random;

/// What goes wrong at an operation that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies in the middle of it.
    Dies,
    /// A write fails after some of its bytes; a sync fails, and some of what was written is durable.
    Fails,
    /// There is no room: a write is cut short.
    NoRoom,
}

/// What has gone wrong so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskTally {
    /// Faults that happened because they were planned.
    pub planned: u64,
    /// Losses of power.
    pub power_losses: u64,
    /// Losses of power that took or tore something that was not synced.
    pub lost_or_torn: u64,
    /// Reads that failed.
    pub failed_reads: u64,
    /// Writes for which there was no room.
    pub no_room: u64,
}

/// The disk, shared by its files.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<World>>);

struct World {
    random: Random,
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Names as they were after each change since they were last synced.
    names_since: Vec<BTreeMap<String, usize>>,
    /// Counts writes, syncs and changes of names.
    operations: u64,
    /// What is going to happen, and when.
    plan: Vec<(u64, Fault)>,
    /// The next read of a log fails.
    read_fails: bool,
    /// The process is dead: every operation fails.
    is_dead: bool,
    /// Handles of an earlier process change nothing.
    process: u64,
    /// So many more bytes may be added to files.
    room: Option<usize>,
    syncs: u64,
    /// By file.
    bytes_read: BTreeMap<usize, usize>,
    tally: DiskTally,
}

struct Handle {
    world: Arc<Mutex<World>>,
    file: usize,
    process: u64,
}

impl SimDisk {
    /// An empty disk, whose failures are drawn from here.
    pub fn new(random: Random) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(World {
            random,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            names_since: Vec::new(),
            operations: 0,
            plan: Vec::new(),
            read_fails: false,
            is_dead: false,
            process: 0,
            room: None,
            syncs: 0,
            bytes_read: BTreeMap::new(),
            tally: DiskTally::default(),
        })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something go wrong so many operations from now, beside whatever was planned.
    pub fn plan(&self, after: u64, fault: Fault) {
        let mut world = self.world();
        let at = world.operations + after;
        world.plan.push((at, fault));
    }

    /// As [`SimDisk::plan`], instead of whatever was planned.
    pub fn plan_instead(&self, after: u64, fault: Fault) {
        self.world().plan.clear();
        self.plan(after, fault);
    }

    /// Nothing goes wrong but what has.
    pub fn forget_plan(&self) {
        let mut world = self.world();
        world.plan.clear();
        world.read_fails = false;
    }

    /// The next read of a segment fails.
    pub fn fail_next_read(&self) {
        self.world().read_fails = true;
    }

    /// Leaves room for so many bytes, or as many as anybody wants.
    pub fn set_room(&self, room: Option<usize>) {
        self.world().room = room;
    }

    /// Syncs of files and names so far.
    pub fn syncs(&self) -> u64 {
        self.world().syncs
    }

    /// Bytes read so far from files whose names end like this.
    pub fn bytes_read(&self, ending: &str) -> usize {
        let world = self.world();
        let files = world.names.iter().filter(|(name, _)| name.ends_with(ending));
        files.filter_map(|(_, file)| world.bytes_read.get(file)).sum()
    }

    /// Whether the process died in an operation.
    pub fn has_died(&self) -> bool {
        self.world().is_dead
    }

    /// What has gone wrong so far.
    pub fn tally(&self) -> DiskTally {
        self.world().tally
    }

    /// A new process: the system and its memory lived on.
    pub fn restart_process(&self) {
        let mut world = self.world();
        (world.is_dead, world.read_fails) = (false, false);
        world.plan.clear();
        world.process += 1;
    }

    /// The power failed: of what was not synced anything may be there, and a new process starts.
    pub fn lose_power(&self) {
        self.restart_process();
        let world = &mut *self.world();
        let kept = world.random.below(world.names_since.len() + 1);
        if kept > 0 {
            world.durable_names = world.names_since[kept - 1].clone();
        }
        world.names_since.clear();
        world.names = world.durable_names.clone();
        world.tally.power_losses += 1;
        let random = &mut world.random;
        let lost = world.files.iter_mut().map(|file| file.lose_power(random)).fold(false, |any, lost| any | lost);
        world.tally.lost_or_torn += u64::from(lost);
    }

    /// Names that end like this, in order.
    pub fn names_ending(&self, ending: &str) -> Vec<String> {
        self.world().names.keys().filter(|name| name.ends_with(ending)).cloned().collect()
    }

    /// The bytes of a file as a process sees them.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let world = self.world();
        world.names.get(name).map(|file| world.files[*file].seen().to_vec()).unwrap_or_default()
    }

    /// Sets a file's bytes behind everybody's back, on the disk itself.
    pub fn set_bytes(&self, name: &str, bytes: &[u8]) {
        let world = &mut *self.world();
        let file = match world.names.get(name) {
            Some(&file) => file,
            None => {
                world.files.push(File::default());
                world.names.insert(name.to_owned(), world.files.len() - 1);
                world.files.len() - 1
            }
        };
        world.durable_names = world.names.clone();
        world.files[file] = File::durable(bytes);
    }

    /// Takes a file away for good.
    pub fn remove_file(&self, name: &str) {
        let world = &mut *self.world();
        world.names.remove(name);
        world.durable_names = world.names.clone();
    }

    /// Another disk with what a process sees on this one.
    pub fn copy(&self, random: Random) -> SimDisk {
        let copy = SimDisk::new(random);
        for name in self.names_ending("") {
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
        let Some(due) = self.plan.iter().position(|(at, _)| *at <= self.operations) else { return Ok(None) };
        let (_, fault) = self.plan.remove(due);
        self.is_dead = fault == Fault::Dies;
        self.tally.planned += 1;
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
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
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
        if world.is_dead { Err(dead()) } else { Ok(world.files[self.file].seen().len() as u64) }
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut world = self.world();
        if world.is_dead {
            return Err(dead());
        }
        if world.read_fails && world.files[self.file].is_plain() {
            world.read_fails = false;
            world.tally.failed_reads += 1;
            return Err(Fault::Fails.error());
        }
        *world.bytes_read.entry(self.file).or_default() += bytes.len();
        let offset = offset as usize;
        let found = world.files[self.file].seen().get(offset..offset + bytes.len());
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut world, fault) = self.change()?;
        let world = &mut *world;
        let file = &mut world.files[self.file];
        let offset = offset as usize;
        let growth = (offset + bytes.len()).saturating_sub(file.seen().len());
        if let Some(room) = &mut world.room {
            if growth > *room {
                let fits = bytes.len() - (growth - *room).min(bytes.len());
                file.write(offset, &bytes[..fits]);
                *room = 0;
                world.tally.no_room += 1;
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
