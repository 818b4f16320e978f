//! `stepwell validate`: every fault of every definition.

use std::process::ExitCode;

use stepwell_asl::{Options, compile};

use crate::Unusable;
use crate::args::{Format, ValidateArgs};
use crate::files::read_definition;
use crate::report;
use crate::run::asl_machine_type;

pub(crate) fn validate(args: &ValidateArgs) -> Result<ExitCode, Unusable> {
    let files: Vec<_> = args.files.iter().map(|path| read_definition(path)).collect::<Result<_, _>>()?;
    let options = Options { machine_type: asl_machine_type(args.machine_type) };
    let (mut errors, mut warnings) = (0, 0);
    for file in &files {
        let compilation = compile(&file.source, &options);
        report::print(file, &compilation.diagnostics, args.format);
        let own = report::count_errors(&compilation.diagnostics);
        errors += own;
        warnings += compilation.diagnostics.len() - own;
    }
    if args.format == Format::Human {
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        eprintln!("{}: {}, {}", count(files.len(), "definition"), count(errors, "error"), count(warnings, "warning"));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
