//! File systems of a few megabytes that can be filled, broken and copied: only for root, and gone with the value.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system.
pub(crate) struct Mount {
    path: PathBuf,
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A file that is being closed may still keep it busy; let go lazily then. The loop device goes with it.
        let path = self.path.to_string_lossy().into_owned();
        if run("umount", &[&path]).is_err()
            && let Err(fault) = run("umount", &["--lazy", &path])
        {
            eprintln!("stepwell-crash: {path} is left mounted: {fault}");
        }
    }
}

impl Mount {
    /// Memory as a file system of so many megabytes.
    pub(crate) fn memory(path: &Path, megabytes: u64) -> Result<Mount, String> {
        make(path)?;
        let (size, place) = (format!("size={megabytes}m"), path.to_string_lossy());
        run("mount", &["-t", "tmpfs", "-o", &size, "stepwell-crash", &place])?;
        Ok(Mount { path: path.to_owned() })
    }

    /// A new ext4 in a sparse file of so many megabytes.
    pub(crate) fn ext4(image: &Path, path: &Path, megabytes: u64) -> Result<Mount, String> {
        let made = File::create(image).and_then(|file| file.set_len(megabytes << 20));
        made.map_err(|error| format!("cannot make {}: {error}", image.display()))?;
        run("mkfs.ext4", &["-q", "-F", "-m", "0", &image.to_string_lossy()])?;
        Mount::image(image, path)
    }

    /// An ext4 that is there.
    pub(crate) fn image(image: &Path, path: &Path) -> Result<Mount, String> {
        make(path)?;
        run("mount", &["-o", "loop", &image.to_string_lossy(), &path.to_string_lossy()])?;
        Ok(Mount { path: path.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills what is free but for so many bytes, with a file of this name. Whoever removes the file makes room again.
    pub(crate) fn fill(&self, name: &str, but_for: u64) -> Result<Ballast, String> {
        let path = self.path.join(name);
        let cannot = |error: std::io::Error| format!("cannot fill {}: {error}", self.path.display());
        let mut file = File::create(&path).map_err(cannot)?;
        let piece = vec![0x5A; 64 * 1024];
        let mut bytes = 0;
        loop {
            match file.write(&piece) {
                Ok(count) => bytes += count as u64,
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                Err(error) => return Err(cannot(error)),
            }
        }
        file.set_len(bytes.saturating_sub(but_for)).map_err(cannot)?;
        Ok(Ballast { path })
    }
}

/// What fills a file system. It goes with the value.
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        // The file system may have gone first.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Unmounts what a run that was itself killed left mounted below a directory.
pub(crate) fn clean(directory: &Path) -> Result<(), String> {
    let Ok(directory) = directory.canonicalize() else { return Ok(()) };
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(Path::new);
    let left: Vec<&Path> = places.filter(|place| place.starts_with(&directory)).collect();
    // The last one mounted may stand on one before it.
    left.into_iter().rev().try_for_each(|place| run("umount", &["--lazy", &place.to_string_lossy()]))
}

/// Why nothing can be mounted here; nothing, when it can.
pub(crate) fn why_not(directory: &Path) -> Option<String> {
    let place = directory.join("mount-trial");
    let image = directory.join("mount-trial.img");
    let tried = Mount::ext4(&image, &place, 8).map(drop);
    let _ = std::fs::remove_file(&image);
    tried.err()
}

fn make(path: &Path) -> Result<(), String> {
    std::fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
}

/// Runs a program that says nothing when it does well.
pub(crate) fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let output =
        Command::new(program).args(words).output().map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
