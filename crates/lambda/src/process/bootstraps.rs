//! What reads events for functions of interpreters, as files for the interpreters.

use std::io;
use std::path::Path;

use crate::code::make_private;
use crate::process::launch::runtime_directory;

const FILES: [(&str, &str); 2] = [
    ("bootstrap.py", include_str!("../bootstraps/bootstrap.py")),
    ("bootstrap.mjs", include_str!("../bootstraps/bootstrap.mjs")),
];

/// Writes them below a scratch directory.
pub(crate) fn write(scratch: &Path) -> io::Result<()> {
    let directory = runtime_directory(scratch);
    make_private(&directory)?;
    FILES.iter().try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
}
