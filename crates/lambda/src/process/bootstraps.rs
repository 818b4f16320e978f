//! What reads events for functions of interpreters, as files for the interpreters.

use std::fs;
use std::io;
use std::path::Path;

use crate::clock;
use crate::code::make_private;

const FILES: [(&str, &str); 2] = [
    ("bootstrap.py", include_str!("../bootstraps/bootstrap.py")),
    ("bootstrap.mjs", include_str!("../bootstraps/bootstrap.mjs")),
];

/// Writes those into a directory that are not there. Only when a process needs them: a disk without room for them keeps
/// nobody from reading functions.
pub(crate) fn ensure(directory: &Path) -> io::Result<()> {
    make_private(directory)?;
    FILES.iter().filter(|(name, _)| !directory.join(name).exists()).try_for_each(|(name, text)| {
        // Others may be writing the same, and nobody may read a half.
        let half = directory.join(format!("{name}.{}", clock::hex(&clock::random::<8>())));
        let written = fs::write(&half, text).and_then(|()| fs::rename(&half, directory.join(name)));
        if written.is_err() {
            // It goes with the scratch directory at the latest.
            let _ = fs::remove_file(&half);
        }
        written
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_not_there_are_written() {
        let directory = std::env::temp_dir().join(format!("stepwell-bootstraps-{}", clock::hex(&clock::random::<8>())));
        let read = |name| fs::read_to_string(directory.join(name)).expect(name);
        ensure(&directory).expect("both are written");
        assert_eq!(FILES.map(|(name, _)| read(name)), FILES.map(|(_, text)| text));
        let [(kept, _), (missing, text)] = FILES;
        fs::write(directory.join(kept), "kept").expect("a file");
        fs::remove_file(directory.join(missing)).expect("it is there");
        ensure(&directory).expect("one is written");
        assert_eq!([kept, missing].map(read), ["kept", text]);
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), FILES.len());
        fs::remove_dir_all(&directory).expect("it is taken away");
    }
}
