//! Printing diagnostics: for people, for programs, for GitHub.

use std::io::IsTerminal;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};
use stepwell_asl::{Diagnostic, Severity};
use stepwell_json::{Json, ObjectBuilder, Position};

use crate::args::Format;
use crate::files::DefinitionFile;

/// Prints the diagnostics of one file. People's go to stderr, programs' to stdout.
pub(crate) fn print(file: &DefinitionFile, diagnostics: &[Diagnostic], format: Format) {
    match format {
        Format::Human => print_for_people(file, diagnostics),
        Format::Json => diagnostics.iter().for_each(|diagnostic| println!("{}", to_json(file, diagnostic))),
        Format::Github => diagnostics.iter().for_each(|diagnostic| println!("{}", to_github(file, diagnostic))),
    }
}

/// Number of errors, warnings not counted.
pub(crate) fn count_errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

/// Longer lines are not shown: an excerpt of a machine's one-line JSON helps nobody, and drawing it takes its time.
const LINE_BYTES_MAX: usize = 400;

fn print_for_people(file: &DefinitionFile, diagnostics: &[Diagnostic]) {
    let text = file.source.text();
    if text.lines().any(|line| line.len() > LINE_BYTES_MAX) {
        diagnostics.iter().for_each(|diagnostic| print_without_excerpt(file, diagnostic));
    } else {
        print_with_excerpts(file, text, diagnostics);
    }
}

fn print_without_excerpt(file: &DefinitionFile, diagnostic: &Diagnostic) {
    let (severity, code) = (severity_name(diagnostic.severity), diagnostic.code);
    let Position { line, column } = diagnostic.position;
    eprintln!("[{code}] {severity}: {}\n  at {}:{line}:{column} {}", diagnostic.message, file.name, diagnostic.pointer);
    if let Some(suggestion) = &diagnostic.suggestion {
        eprintln!("  {suggestion}");
    }
}

fn print_with_excerpts(file: &DefinitionFile, text: &str, diagnostics: &[Diagnostic]) {
    let colours = std::io::stderr().is_terminal();
    let mut source = (file.name.as_str(), Source::from(text));
    for diagnostic in diagnostics {
        let (kind, colour) = match diagnostic.severity {
            Severity::Error => (ReportKind::Error, Color::Red),
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let span = (file.name.as_str(), diagnostic.span.start..diagnostic.span.end);
        let label = diagnostic.suggestion.clone().unwrap_or_else(|| "here".to_owned());
        let mut report = Report::build(kind, span.clone())
            .with_config(Config::default().with_color(colours).with_index_type(IndexType::Byte))
            .with_code(diagnostic.code)
            .with_message(&diagnostic.message)
            .with_label(Label::new(span).with_message(label).with_color(colour));
        if !diagnostic.pointer.as_str().is_empty() {
            report = report.with_note(format!("at {}", diagnostic.pointer));
        }
        if let Err(fault) = report.finish().eprint(&mut source) {
            eprintln!("{}: {} ({fault})", file.name, diagnostic.message);
        }
    }
}

fn to_json(file: &DefinitionFile, diagnostic: &Diagnostic) -> Json {
    let mut out = ObjectBuilder::new();
    out.insert("file", Json::from(file.name.as_str()));
    out.insert("line", Json::from(diagnostic.position.line as u64));
    out.insert("column", Json::from(diagnostic.position.column as u64));
    out.insert("severity", Json::from(severity_name(diagnostic.severity)));
    out.insert("code", Json::from(diagnostic.code.to_string()));
    out.insert("pointer", Json::from(diagnostic.pointer.as_str()));
    out.insert("message", Json::from(diagnostic.message.as_str()));
    if let Some(suggestion) = &diagnostic.suggestion {
        out.insert("suggestion", Json::from(suggestion.as_str()));
    }
    Json::Object(out.build())
}

/// `::error file=…,line=…,col=…,title=CODE::message`, escaped as the runner wants it.
fn to_github(file: &DefinitionFile, diagnostic: &Diagnostic) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let message = match &diagnostic.suggestion {
        Some(suggestion) => format!("{}: {suggestion}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    format!(
        "::{} file={},line={},col={},title={}::{}",
        severity_name(diagnostic.severity),
        property(&file.name),
        diagnostic.position.line,
        diagnostic.position.column,
        property(&diagnostic.code.to_string()),
        escape(&message)
    )
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
