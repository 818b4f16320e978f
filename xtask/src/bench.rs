//! The benches, and the reference JSONata beside them.

use crate::Outcome;
use crate::options::Options;
use crate::run::{program, root, show_and_run};

pub(crate) fn command(options: &mut Options) -> Outcome {
    let reference = options.flag("--reference");
    let filter = options.word();
    options.done()?;
    let mut words = vec!["bench", "--package", "stepwell-benches"];
    if let Some(filter) = &filter {
        words.extend(["--", filter]);
    }
    show_and_run(program("cargo", &words))?;
    if reference { measure_reference() } else { Ok(()) }
}

fn measure_reference() -> Outcome {
    let folder = root().join("benches/jsonata-reference");
    let mut install = program("npm", &["ci", "--no-audit", "--no-fund"]);
    install.current_dir(&folder);
    show_and_run(install)?;
    let mut measure = program("node", &["measure.mjs"]);
    measure.current_dir(&folder);
    show_and_run(measure)
}
