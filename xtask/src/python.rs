//! A Python with packages from PyPI, in a virtual environment below the target directory.

use std::path::PathBuf;

use crate::run::{program, root, show_and_run};

/// A folder below the target directory.
pub(crate) fn target(name: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join(name)
}

/// The Python of an environment that has these packages, made when it is not there yet.
pub(crate) fn python_with(packages: &[&str]) -> Result<PathBuf, String> {
    let folder = target(&format!("{}-venv", packages.join("-")));
    let python = folder.join("bin/python");
    if !python.exists() {
        show_and_run(program("python3", &["-m", "venv", &folder.to_string_lossy()]))?;
    }
    let mut words = vec!["-m", "pip", "install", "--quiet", "--upgrade"];
    words.extend(packages);
    show_and_run(program(&python.to_string_lossy(), &words))?;
    Ok(python)
}
