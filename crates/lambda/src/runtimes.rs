//! Which runtimes there are, and which program of this machine runs each.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::refusal::Refusal;

/// What runs a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Python,
    Node,
    /// The function brings `bootstrap`, which is run as it is.
    Provided,
}

/// How a runtime's name begins, and who runs it.
const FAMILIES: &[(&str, Option<Family>)] = &[
    ("python3.", Some(Family::Python)),
    ("nodejs", Some(Family::Node)),
    ("provided", Some(Family::Provided)),
    ("java", None),
    ("dotnet", None),
    ("ruby", None),
    ("go1.x", None),
    ("python2", None),
];

/// How long a program may take to say where it is.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Who runs a runtime, or why nobody does.
pub(crate) fn family(runtime: &str) -> Result<Family, Refusal> {
    match FAMILIES.iter().find(|(prefix, _)| runtime.starts_with(prefix)) {
        Some((_, Some(family))) => Ok(*family),
        Some((_, None)) => Err(Refusal::invalid(format!(
            "The runtime {runtime} is not available in the local Lambda, which runs python3.x, nodejsNN.x and provided.*. \
             A function of another language runs as `provided.al2023` with an executable `bootstrap` that speaks the \
             Runtime API, or wherever it is served: `--function-url NAME=URL` passes its events to that URL."
        ))),
        None => {
            let known = "[nodejs18.x, nodejs20.x, nodejs22.x, nodejs24.x, provided.al2, provided.al2023, python3.9, \
                         python3.10, python3.11, python3.12, python3.13, python3.14]";
            Err(Refusal::invalid(format!(
                "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: {known} \
                 or be a valid ARN"
            )))
        }
    }
}

/// Programs that were looked for and found, by the name they were looked for.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    found: Mutex<Vec<(String, PathBuf)>>,
}

impl Programs {
    /// The program that runs a runtime; none for one that brings its own.
    pub(crate) async fn of(&self, runtime: &str) -> Result<Option<PathBuf>, Refusal> {
        let (names, script): (Vec<&str>, &str) = match family(runtime)? {
            Family::Provided => return Ok(None),
            Family::Python => (vec![runtime, "python3"], "import sys; print(sys.executable)"),
            Family::Node => (vec!["node"], "console.log(process.execPath)"),
        };
        for name in &names {
            if let Some(path) = self.find(name, script).await {
                return Ok(Some(path));
            }
        }
        Err(Refusal::invalid(format!(
            "The runtime {runtime} needs the program {} on this machine, and it was not found on the PATH of the server.",
            names.last().unwrap_or(&runtime)
        )))
    }

    async fn find(&self, name: &str, script: &str) -> Option<PathBuf> {
        let mut found = self.found.lock().await;
        if let Some((_, path)) = found.iter().find(|(known, _)| known == name) {
            return Some(path.clone());
        }
        let path = std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|directory| directory.join(name))
            .find(|path| is_executable(path))?;
        // What is on the PATH may be a script that picks one of several, and takes longer than the program itself. One that
        // answers nothing is none: some leave a script behind for versions that are not there.
        let flag = if name == "node" { "-e" } else { "-c" };
        let asked = tokio::process::Command::new(&path)
            .args([flag, script])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let told = tokio::time::timeout(ANSWER_TIME, asked).await.ok()?.ok()?;
        let told = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
        let path = is_executable(&told).then_some(told)?;
        found.push((name.to_owned(), path.clone()));
        Some(path)
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::{Family, family};

    #[test]
    fn each_runtime_has_a_family_or_an_explanation() {
        for (runtime, expected) in
            [("python3.12", Family::Python), ("nodejs22.x", Family::Node), ("provided.al2023", Family::Provided)]
        {
            assert_eq!(family(runtime), Ok(expected), "{runtime}");
        }
        for runtime in ["java21", "dotnet8", "ruby3.4"] {
            let refusal = family(runtime).expect_err(runtime);
            assert!(refusal.message.contains("bootstrap") && refusal.message.contains(runtime), "{}", refusal.message);
        }
        assert!(family("cobol85").expect_err("none").message.contains("enum value set"));
    }
}
