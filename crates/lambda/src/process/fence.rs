//! A control group for each process, where the system lets this one make them: nothing that is in one leaves it, so its number of
//! processes has a bound, its memory has one that the kernel holds, and its end is everybody's end.
//!
//! Both versions of control groups are used, in whatever mixture the machine has them. Groups are named after the directory of
//! the functions, so that a server finds those that one before it could not end any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::function::Version;
use crate::process::limits;

/// Processes and threads of one function at a time, as on Lambda.
pub(crate) const PROCESSES_MAX: u64 = 1024;

/// How the names of all groups begin.
const FAMILY: &str = "stepwell";

/// Who may be in a group, as a file.
const MEMBERS: &str = "cgroup.procs";

/// How often those that are left are looked for, and how long it is waited in between.
const ROUNDS: u32 = 200;
const ROUNDS_IN_PASSING: u32 = 3;
const PAUSE: Duration = Duration::from_millis(5);

/// The groups that groups of functions are made in: those this process is in. None where they cannot be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fences {
    parents: Vec<PathBuf>,
    /// How the names of groups of this directory begin.
    prefix: String,
}

/// The groups one process is in.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    groups: Vec<PathBuf>,
}

impl Fences {
    /// Looks where groups can be made, and ends what is left in those of a server before this one.
    pub(crate) fn open(scratch: &Path) -> Fences {
        let digest = clock::hex(&Sha256::digest(scratch.as_os_str().as_encoded_bytes()));
        let prefix = format!("{FAMILY}-{}-", digest.get(..12).unwrap_or_default());
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let mut parents = parents(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        for parent in &parents {
            for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with(&prefix) {
                    Fence { groups: vec![entry.path()] }.end();
                } else if is_left(&name) {
                    // An empty one goes; one that somebody is in stays, and is for the server on its directory.
                    let _ = fs::remove_dir(entry.path());
                }
            }
        }
        parents.retain(|parent| is_open(parent, &prefix));
        Fences { parents, prefix }
    }

    /// Whether what a process starts cannot get out of its group.
    pub(crate) fn hold(&self) -> bool {
        !self.parents.is_empty()
    }

    /// Groups for a process that is to be started.
    pub(crate) fn make(&self, version: &Version) -> Fence {
        let name = format!("{}{}-{}", self.prefix, std::process::id(), clock::hex(&clock::random::<8>()));
        let mut groups = Vec::new();
        for parent in &self.parents {
            let group = parent.join(&name);
            if let Err(error) = fs::create_dir(&group) {
                tracing::warn!(%error, group = %group.display(), "a control group could not be made");
                continue;
            }
            let memory = limits::resident_bytes_max(version);
            let bounds = [
                ("pids.max", PROCESSES_MAX),
                ("memory.max", memory),
                ("memory.limit_in_bytes", memory),
                ("memory.swap.max", 0),
            ];
            for (file, bound) in bounds {
                // A group has the files of what its parent hands on; the rest is held otherwise.
                let _ = set(&group, file, &bound.to_string());
            }
            groups.push(group);
        }
        Fence { groups }
    }
}

impl Fence {
    /// Whether who is in it cannot start more and more.
    pub(crate) fn has_bound(&self) -> bool {
        self.groups.iter().any(|group| group.join("pids.max").exists())
    }

    /// Puts a process in. It must not have started another one.
    pub(crate) fn take(&self, process: u32) {
        for group in &self.groups {
            if let Err(error) = fs::write(group.join(MEMBERS), process.to_string())
                // One that ended meanwhile is in none.
                && error.raw_os_error() != Some(rustix::io::Errno::SRCH.raw_os_error())
            {
                tracing::warn!(%error, group = %group.display(), "a process could not be put into its control group");
            }
        }
    }

    /// Ends everybody who is in it, and it.
    pub(crate) fn end(mut self) {
        self.clear(ROUNDS);
        if !self.groups.is_empty() {
            tracing::warn!(groups = ?std::mem::take(&mut self.groups), "control groups of functions stay");
        }
    }

    fn clear(&mut self, rounds: u32) {
        for round in 0..rounds {
            for group in &self.groups {
                // Not every version has each of these, and who is left is looked at anyway.
                for (file, text) in [("pids.max", "0"), ("cgroup.kill", "1")] {
                    let _ = set(group, file, text);
                }
                let members = fs::read_to_string(group.join(MEMBERS)).unwrap_or_default();
                for member in members.lines().filter_map(|member| Pid::from_raw(member.parse().ok()?)) {
                    // Gone is what it should be.
                    let _ = kill_process(member, Signal::KILL);
                }
            }
            self.groups
                .retain(|group| fs::remove_dir(group).is_err_and(|error| error.kind() != io::ErrorKind::NotFound));
            if self.groups.is_empty() {
                return;
            }
            if round + 1 < rounds {
                std::thread::sleep(PAUSE);
            }
        }
    }
}

impl Drop for Fence {
    /// Where nobody came to end it in order.
    fn drop(&mut self) {
        self.clear(ROUNDS_IN_PASSING);
    }
}

/// Writes to a file of a group that is there.
fn set(group: &Path, file: &str, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(group.join(file))?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Whether a group's name is that of a server's that is gone: the directory's digest, the server's number, chance.
fn is_left(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [FAMILY, _, server, _] = parts[..] else { return false };
    server.parse::<u32>().is_ok_and(|server| !Path::new(&format!("/proc/{server}")).exists())
}

/// Whether groups can be made in a group, and processes of this one put into them.
fn is_open(parent: &Path, prefix: &str) -> bool {
    let probe = parent.join(format!("{prefix}probe"));
    let members = fs::OpenOptions::new().write(true).open(parent.join(MEMBERS));
    members.and_then(|_| fs::create_dir(&probe)).and_then(|()| fs::remove_dir(&probe)).is_ok()
}

/// What groups are used for, beside their being a group. All of one's processes together get as much of the processor as one of this
/// process's threads, when there is not enough.
const CONTROLLERS: [&str; 3] = ["pids", "memory", "cpu"];

/// Where the groups of a process are, from what the system tells of its groups and of what is mounted.
fn parents(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut parents = Vec::new();
    for group in groups.lines() {
        let mut parts = group.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let is_used =
            controllers.is_empty() || controllers.split(',').any(|controller| CONTROLLERS.contains(&controller));
        if !is_used {
            continue;
        }
        let place = mounts.lines().find_map(|mount| place_below(mount, controllers, path));
        parents.extend(place.filter(|place| !parents.contains(place)));
    }
    parents
}

/// Where a group is, when a line of `mountinfo` is the mount of its controllers.
fn place_below(mount: &str, controllers: &str, path: &str) -> Option<PathBuf> {
    let (about, kind) = mount.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let (system, options) = (kind.next()?, kind.nth(1)?);
    let mut about = about.split(' ').skip(3);
    let (root, point) = (about.next()?, about.next()?);
    let is_it = match controllers {
        "" => system == "cgroup2",
        controllers => {
            system == "cgroup" && controllers.split(',').all(|one| options.split(',').any(|option| option == one))
        }
    };
    let below = Path::new(path).strip_prefix(root).ok().filter(|_| is_it && !path.contains(".."))?;
    Some(Path::new(point).join(below))
}

#[cfg(test)]
mod tests {
    use super::{is_left, parents};

    fn check(groups: &str, mounts: &str, expected: &[&str]) {
        let found: Vec<String> = parents(groups, mounts).iter().map(|path| path.display().to_string()).collect();
        let found: Vec<&str> = found.iter().map(|path| path.trim_end_matches('/')).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_server_left_that_is_gone_is_known_by_its_name() {
        let here = std::process::id();
        // Numbers of processes end at four millions.
        assert!(is_left("stepwell-0123456789ab-4194305-0123456789abcdef"));
        assert!(!is_left(&format!("stepwell-0123456789ab-{here}-0123456789abcdef")));
        for other in ["stepwell-crash-4194305", "stepwell-0123456789ab-x-y", "other-0123456789ab-4194305-0", ""] {
            assert!(!is_left(other), "{other}");
        }
    }

    #[test]
    fn groups_are_found_in_every_mixture() {
        let second = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        check("0::/user.slice/app.scope\n", second, &["/sys/fs/cgroup/user.slice/app.scope"]);
        let inside = "30 23 0:26 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup rw";
        check("0::/docker/ab/job\n", inside, &["/sys/fs/cgroup/job"]);
        // What is outside of the name space cannot be reached.
        check("0::/../other\n", second, &[]);
        let mixture = "40 23 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                       41 23 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                       42 23 0:32 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n\
                       43 23 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        check(
            "8:pids:/\n4:memory:/jobs/1\n1:blkio:/\n0::/\n",
            mixture,
            &["/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory/jobs/1", "/sys/fs/cgroup/unified"],
        );
        check("", "", &[]);
    }
}
