//! Starting other programs: shown before they run, from the root of the repository, failing with a line that says which.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A program started in the repository's root; `cargo` is the cargo that runs us.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let name = match name {
        "cargo" => std::env::var_os("CARGO").unwrap_or_else(|| name.into()),
        other => other.into(),
    };
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Prints the command line, runs it with our terminal, and fails unless it succeeds.
pub(crate) fn show_and_run(mut command: Command) -> Result<(), String> {
    let line = line_of(&command);
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed ({status})")),
        Err(error) => Err(format!("`{line}` did not start: {error}")),
    }
}

/// What a finished program wrote on its standard output; its errors went to our terminal.
pub(crate) struct Captured {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
}

/// Prints the command line, runs it, and keeps what it writes.
pub(crate) fn capture(mut command: Command) -> Result<Captured, String> {
    let line = line_of(&command);
    eprintln!("$ {line}");
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("`{line}` did not start: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Captured { succeeded: output.status.success(), stdout })
}

fn line_of(command: &Command) -> String {
    let settings = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
    });
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    settings.chain(words).collect::<Vec<_>>().join(" ")
}
