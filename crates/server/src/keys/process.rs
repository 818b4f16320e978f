//! Keys that a program of the user's prints: `credential_process`.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Process credential provider".

use std::process::Stdio;
use std::time::Duration;

use stepwell_json::Json;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{Found, answer};

/// How long it may take.
const TIME: Duration = Duration::from_secs(60);

/// What it may print.
const BYTES_MAX: u64 = 64 * 1024;

/// Runs the program and reads what it prints. What it says beside that may hold secrets, and is not looked at.
pub(super) async fn run(command: &str) -> Result<Found, String> {
    let running = async {
        let refused = |fault: std::io::Error| format!("credential_process cannot run: {fault}");
        let mut child = shell(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(refused)?;
        let mut printed = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(BYTES_MAX + 1).read_to_end(&mut printed).await.map_err(refused)?;
        }
        if printed.len() as u64 > BYTES_MAX {
            return Err(format!("credential_process printed more than {BYTES_MAX} bytes"));
        }
        let status = child.wait().await.map_err(refused)?;
        if !status.success() {
            return Err(format!("credential_process ended with {status}; run it by hand to see why"));
        }
        let version = std::str::from_utf8(&printed).ok().and_then(|text| Json::parse(text).ok());
        match version.as_ref().and_then(|document| document.get("Version")).and_then(Json::as_i64) {
            Some(1) => {}
            Some(other) => return Err(format!("credential_process printed version {other}, and 1 is known")),
            None => return Err("credential_process printed no JSON with a Version".to_owned()),
        }
        answer::of_document(&printed, "SessionToken").map_err(|reason| format!("credential_process ran, and {reason}"))
    };
    let ended = tokio::time::timeout(TIME, running).await;
    ended.unwrap_or_else(|_| Err(format!("credential_process did not end within {} seconds", TIME.as_secs())))
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd.exe");
    shell.args(["/C", command]);
    shell
}
