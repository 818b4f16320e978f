//! `kill -9` on the real server, again and again, under load.

use crate::Outcome;
use crate::options::Options;
use crate::python::target;
use crate::run::{program, show_and_run};

pub(crate) fn command(options: &mut Options) -> Outcome {
    let kills = options.value("--kills")?.unwrap_or_else(|| "200".to_owned());
    let clients = options.value("--clients")?.unwrap_or_else(|| "12".to_owned());
    let seed = options.value("--seed")?.unwrap_or_else(|| "1".to_owned());
    let waiting = options.value("--waiting")?;
    options.done()?;
    let packages = ["--package", "stepwell-cli", "--package", "stepwell-crash"];
    show_and_run(program("cargo", &[&["build", "--quiet", "--release"][..], &packages].concat()))?;
    let data = target("crash");
    match std::fs::remove_dir_all(&data) {
        Ok(()) => {}
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {}
        Err(fault) => return Err(format!("cannot empty {}: {fault}", data.display())),
    }
    let (harness, binary) = (target("release/stepwell-crash"), target("release/stepwell"));
    let words = [
        "--binary",
        &*binary.to_string_lossy(),
        "--data",
        &*data.to_string_lossy(),
        "--kills",
        &kills,
        "--clients",
        &clients,
        "--seed",
        &seed,
        "--waiting",
        waiting.as_deref().unwrap_or("0"),
    ];
    show_and_run(program(&harness.to_string_lossy(), &words))
}
