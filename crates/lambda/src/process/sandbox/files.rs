//! Which files a function may read and write, by Landlock, and whom it may reach beside them: no process outside may be
//! signalled, traced or called by an abstract name.
//!
//! Landlock can allow and cannot forbid, and what is allowed of a directory is allowed of everything in it. So what is hidden
//! is walked around: of each directory on the way to it every other entry is allowed, and the directory itself is not.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};

use super::Ground;

/// What is asked of the system; a kernel that has less gives less.
const WANTED: ABI = ABI::V6;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{Execute | ReadFile | ReadDir});

const DEVICE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});

/// Every file there is begins here.
const ROOT: &str = "/";

/// Has disks as files beside what programs need.
const DEVICES: &str = "/dev";

const HARMLESS_DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Where code that was written for Lambda writes by name.
const TEMPORARY: &str = "/tmp";

/// Restricts the thread that calls this.
pub(super) fn restrict(hidden: &[PathBuf], ground: &Ground, limits: &mut Vec<String>) -> io::Result<()> {
    let everything = AccessFs::from_all(WANTED);
    let ruleset = Ruleset::default()
        .handle_access(everything)
        .and_then(|ruleset| ruleset.scope(BitFlags::from(Scope::AbstractUnixSocket) | Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    // No device is made, whoever the server's user is.
    let write = everything & !make_bitflags!(AccessFs::{MakeChar | MakeBlock});
    let mut hidden = hidden.to_vec();
    hidden.push(PathBuf::from(DEVICES));
    let mut rules = Rules { ruleset, hidden: &hidden };
    rules.allow_around(Path::new(ROOT), READ, write)?;
    if rules.is_on_the_way(Path::new(TEMPORARY)) {
        limits.push(format!(
            "let them make files right in {TEMPORARY}, for what is hidden from them is below it; TMPDIR is where they can"
        ));
    }
    for device in HARMLESS_DEVICES {
        rules.allow(Path::new(device), DEVICE)?;
    }
    // A directory that has the hidden one in it can be listed, or nothing could be imported from it.
    let task = if rules.is_on_the_way(&ground.task) { AccessFs::ReadDir.into() } else { READ };
    rules.allow(&ground.task, task)?;
    rules.allow(&ground.runtime, READ)?;
    rules.allow(&ground.temporary, write)?;
    let status = rules.ruleset.restrict_self().map_err(io::Error::other)?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced, _) => {}
        (RulesetStatus::PartiallyEnforced, LandlockStatus::Available { effective_abi, .. }) => limits.push(format!(
            "keep them from signals to other processes, abstract sockets or truncation: this kernel has version {} of Landlock, and it takes {}",
            effective_abi as i32, WANTED as i32
        )),
        (_, LandlockStatus::NotEnabled) => limits.push(no_landlock("has Landlock turned off")),
        (_, _) => limits.push(no_landlock("has no Landlock")),
    }
    Ok(())
}

fn no_landlock(why: &str) -> String {
    format!("keep them from what the server's user can read and write, the data directory included: this kernel {why}")
}

struct Rules<'a> {
    ruleset: RulesetCreated,
    hidden: &'a [PathBuf],
}

impl Rules<'_> {
    /// Whether something hidden is in a directory.
    fn is_on_the_way(&self, path: &Path) -> bool {
        self.hidden.iter().any(|hidden| hidden.starts_with(path))
    }

    /// Allows everything below a directory but what is hidden: these rights, and the others where anybody writes.
    fn allow_around(&mut self, path: &Path, rights: BitFlags<AccessFs>, there: BitFlags<AccessFs>) -> io::Result<()> {
        if self.hidden.iter().any(|hidden| path.starts_with(hidden)) {
            return Ok(());
        }
        let rights = if path == Path::new(TEMPORARY) { there } else { rights };
        if !self.is_on_the_way(path) {
            return self.allow(path, rights);
        }
        // What cannot be listed cannot be allowed piece by piece.
        let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
        for entry in entries.flatten() {
            self.allow_around(&entry.path(), rights, there)?;
        }
        Ok(())
    }

    /// Allows what is at a path; a symbolic link is not followed, for what it leads to is allowed where it is, or is hidden.
    fn allow(&mut self, path: &Path, rights: BitFlags<AccessFs>) -> io::Result<()> {
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        // What cannot be opened, or is gone, cannot be allowed, and the function will be told so.
        let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else { return Ok(()) };
        let Some(rights) = rights_on(&file, rights) else { return Ok(()) };
        (&mut self.ruleset).add_rule(PathBeneath::new(file, rights)).map_err(io::Error::other)?;
        Ok(())
    }
}

/// What of these rights there is on something; none on a link.
fn rights_on(file: &File, rights: BitFlags<AccessFs>) -> Option<BitFlags<AccessFs>> {
    let kind = file.metadata().ok()?.file_type();
    let rights = if kind.is_dir() { rights } else { rights & AccessFs::from_file(WANTED) };
    (!kind.is_symlink() && !rights.is_empty()).then_some(rights)
}
