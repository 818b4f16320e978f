//! `stepwell.toml`: what the command line would say, once for all.
//!
//! A table for each command, a line for each of its settings, under the names of the flags. There is no list of settings
//! here: a flag that has an environment variable is a setting, and its line is read by what reads the flag. What is asked
//! of one run alone, such as the expression to evaluate, is none. Flags go before environment variables and those before
//! the file.

use std::borrow::Cow;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::builder::ValueHint;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Unusable;
use crate::args::Stepwell;

/// The file that is read when it stands in the current folder.
const NAME: &str = "stepwell.toml";

/// The flag that names the file cannot stand in it.
const CONFIG: &str = "config";

/// The command line, with what it leaves open taken from the file. Ends the process over bad usage, as clap does.
pub(crate) fn parse() -> Result<Stepwell, Unusable> {
    let command = Stepwell::command();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let matches = command.clone().get_matches_from(&arguments);
    let command = match file(&matches) {
        Some(path) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|fault| Unusable(format!("cannot read {}: {fault}", path.display())))?;
            apply(command, &matches, &text, &path).map_err(|(at, reason)| {
                let (line, column) = place(&text, at);
                Unusable(format!("{}:{line}:{column}: {reason}", path.display()))
            })?
        }
        None => command,
    };
    let matches = command.get_matches_from(&arguments);
    Ok(Stepwell::from_arg_matches(&matches).unwrap_or_else(|fault| fault.exit()))
}

/// The file that was named, or the one that is there.
fn file(matches: &ArgMatches) -> Option<PathBuf> {
    let named = matches.get_one::<PathBuf>("config").cloned();
    named.or_else(|| Some(PathBuf::from(NAME)).filter(|path| path.exists()))
}

/// Where in the text something is wrong, and what.
type Fault = (usize, String);

/// Makes what the file says the defaults of the flags. A line that excludes what was said on the command line or in the
/// environment is left out: they go before it.
fn apply(mut command: Command, said: &ArgMatches, text: &str, path: &Path) -> Result<Command, Fault> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let document = DeTable::parse(text)
        .map_err(|fault| (fault.span().map_or(0, |span| span.start), fault.message().to_owned()))?;
    for (name, value) in document.get_ref().iter() {
        let Some(settings) = command.find_subcommand(&**name.get_ref()).cloned() else {
            return Err((name.span().start, unknown_table(&command, name.get_ref())));
        };
        let Some(lines) = value.get_ref().as_table() else {
            return Err((name.span().start, format!("'{0}' is a table, as in [{0}]", name.get_ref())));
        };
        let said = said.subcommand_matches(name.get_ref());
        let mut settings = settings;
        let mut before: Vec<Arg> = Vec::new();
        for (key, value) in in_order(lines) {
            let arg = setting(&settings, key.get_ref())
                .ok_or_else(|| (key.span().start, unknown_setting(&settings, name.get_ref(), key.get_ref())))?;
            let values = read(&arg, key.get_ref(), value, folder)?;
            if let Some(other) = before.iter().find(|other| exclude(&settings, &arg, other)) {
                let other = other.get_long().unwrap_or_default();
                return Err((key.span().start, format!("'{}' and '{other}' exclude one another", key.get_ref())));
            }
            before.push(arg.clone());
            let is_said = |other: &&Arg| said.is_some_and(|said| is_said(said, other));
            if self::settings(&settings).filter(is_said).any(|other| exclude(&settings, &arg, other)) {
                continue;
            }
            settings = settings.mut_arg(arg.get_id().clone(), |arg| arg.default_values(values));
        }
        command = command.mut_subcommand(&**name.get_ref(), |_| settings);
    }
    Ok(command)
}

/// The lines of a table as they stand in the file.
fn in_order<'t, 'i>(lines: &'t DeTable<'i>) -> Vec<(&'t Spanned<Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut lines: Vec<_> = lines.iter().collect();
    lines.sort_by_key(|(key, _)| key.span().start);
    lines
}

/// Whether a flag was given, or its variable set.
fn is_said(said: &ArgMatches, arg: &Arg) -> bool {
    matches!(said.value_source(arg.get_id().as_str()), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// Whether one of two flags was declared to be in conflict with the other.
fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let says = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|excluded| excluded.get_id() == other.get_id())
    };
    says(one, other) || says(other, one)
}

/// The flag of this name, if it is a setting.
fn setting(command: &Command, name: &str) -> Option<Arg> {
    settings(command).find(|arg| arg.get_long() == Some(name)).cloned()
}

fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_setting = |arg: &&Arg| arg.get_env().is_some() && arg.get_long().is_some_and(|long| long != CONFIG);
    command.get_arguments().filter(is_setting)
}

/// A line's value as the flag's text, which the flag takes.
fn read(arg: &Arg, key: &str, value: &Spanned<DeValue<'_>>, folder: &Path) -> Result<Vec<String>, Fault> {
    let at = |span: Range<usize>| span.start;
    let many = matches!(arg.get_action(), ArgAction::Append);
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let texts: Vec<String> = match (value.get_ref(), is_switch) {
        (DeValue::Boolean(is_on), true) => vec![is_on.to_string()],
        (_, true) => return Err((at(value.span()), format!("'{key}' is true or false"))),
        (DeValue::Array(items), false) if many => {
            let texts = items.iter().map(|item| {
                scalar(item.get_ref()).ok_or_else(|| (at(item.span()), format!("'{key}' is a list of texts")))
            });
            texts.collect::<Result<_, _>>()?
        }
        (value_, false) => match scalar(value_) {
            Some(text) => vec![text],
            None => {
                return Err((at(value.span()), format!("'{key}' is {}", if many { "a list" } else { "one value" })));
            }
        },
    };
    if is_switch {
        return Ok(texts);
    }
    let is_path = matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath);
    let texts: Vec<String> = match is_path {
        // A path stands beside the file it is written in.
        true => texts.iter().map(|text| folder.join(text).to_string_lossy().into_owned()).collect(),
        false => texts,
    };
    for text in &texts {
        let alone = Command::new("line").no_binary_name(true).arg(arg.clone().env(None::<&str>).required(false));
        alone
            .try_get_matches_from([format!("--{key}={text}")])
            .map_err(|fault| (at(value.span()), format!("'{key}' cannot be '{text}': {}", why(&fault))))?;
    }
    Ok(texts)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is) => Some(is.to_string()),
        DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// What clap has against a value, in a few words.
fn why(fault: &clap::Error) -> String {
    match (fault.kind(), fault.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidValue, Some(ContextValue::Strings(valid))) => format!("there are {}", valid.join(", ")),
        _ => match std::error::Error::source(fault) {
            Some(reason) => reason.to_string(),
            None => fault.kind().to_string(),
        },
    }
}

fn unknown_table(command: &Command, name: &str) -> String {
    let has_it = |command: &&Command| setting(command, name).is_some();
    let owners: Vec<String> = command.get_subcommands().filter(has_it).map(table).collect();
    if !owners.is_empty() {
        return format!("'{name}' stands outside of a table; it belongs below {}", owners.join(" or "));
    }
    let tables: Vec<String> =
        command.get_subcommands().filter(|known| settings(known).next().is_some()).map(table).collect();
    format!("there is no command '{name}'; there are {}", tables.join(", "))
}

fn table(command: &Command) -> String {
    format!("[{}]", command.get_name())
}

fn unknown_setting(command: &Command, table: &str, name: &str) -> String {
    // Clap itself knows which flag is most like this one.
    let alone = settings(command).cloned().map(|arg| arg.required(false).env(None::<&str>));
    let alone = Command::new("line").no_binary_name(true).disable_help_flag(true).args(alone);
    let fault = alone.try_get_matches_from([format!("--{name}")]).err();
    let suggested = fault.and_then(|fault| suggestion(&fault, ContextKind::SuggestedArg));
    match suggested {
        Some(meant) => {
            format!("[{table}] has no setting '{name}'; did you mean '{}'?", meant.trim_start_matches('-'))
        }
        None => {
            let names: Vec<&str> = settings(command).filter_map(Arg::get_long).collect();
            format!("[{table}] has no setting '{name}'; there are {}", names.join(", "))
        }
    }
}

fn suggestion(fault: &clap::Error, kind: ContextKind) -> Option<String> {
    match fault.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// Line and column of a byte, from 1, in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command as Asked;

    /// What the arguments and the file come to.
    fn parsed(arguments: &[&str], text: &str) -> Result<Stepwell, String> {
        let path = Path::new("/etc/stepwell/stepwell.toml");
        let said = Stepwell::command().try_get_matches_from(arguments).map_err(|fault| fault.to_string())?;
        let command = apply(Stepwell::command(), &said, text, path).map_err(|(at, reason)| {
            let (line, column) = place(text, at);
            format!("{line}:{column}: {reason}")
        })?;
        let matches = command.try_get_matches_from(arguments).map_err(|fault| fault.to_string())?;
        Stepwell::from_arg_matches(&matches).map_err(|fault| fault.to_string())
    }

    fn served(arguments: &[&str], text: &str) -> crate::args::ServeArgs {
        match parsed(arguments, text).expect("settings").command {
            Asked::Serve(args) => *args,
            Asked::Run(_) | Asked::Eval(_) | Asked::Validate(_) | Asked::Bench(_) | Asked::Baseline => {
                panic!("it serves")
            }
        }
    }

    #[test]
    fn the_file_says_what_flags_do_not() {
        let text = "[run]\ntime = 'real'\n[serve]\nlisten = \"localhost:8083\"\nmemory = true\nallow-host = ['a', 'b']\n\
                    account = 123456789012\ncredentials = 'keys'\nmocks = '/m.json'\nclock-skew = 15\n\
                    throttle = ['aws', 'StopExecution=1/2']\nendpoint = ['lambda=http://h:1/?a=b']\n";
        let args = served(&["stepwell", "serve"], text);
        assert_eq!(args.listen.to_string(), "127.0.0.1:8083");
        assert!(args.memory);
        assert_eq!(args.allow_host, ["a", "b"]);
        assert_eq!(args.account, "123456789012");
        // Beside the file, wherever the command was started.
        assert_eq!(args.credentials, Some(PathBuf::from("/etc/stepwell/keys")));
        assert_eq!(args.mocks, Some(PathBuf::from("/m.json")));
        assert_eq!((args.clock_skew, args.throttle.len()), (15, 2));
        assert_eq!(args.endpoint, [("lambda".to_owned(), "http://h:1/?a=b".to_owned())]);
        let args = served(&["stepwell", "serve", "--listen", "127.0.0.1:1", "--allow-host", "c"], text);
        assert_eq!(
            (args.listen.to_string().as_str(), args.allow_host.as_slice()),
            ("127.0.0.1:1", &["c".to_owned()][..])
        );
        assert!(!served(&["stepwell", "serve"], "[serve]\nmemory = false").memory);
        assert_eq!(served(&["stepwell", "serve"], "").listen.to_string(), "127.0.0.1:4566");
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_place() {
        let check = |text: &str, expected: &str| {
            let told = parsed(&["stepwell", "serve"], text).err().expect("refused");
            assert_eq!(told, expected, "{text}");
        };
        check(
            "[serve]\nlisten = '127.0.0.1:1'\n  lisen = 1",
            "3:3: [serve] has no setting 'lisen'; did you mean 'listen'?",
        );
        check("[serve]\nallow_host = 'a'", "2:1: [serve] has no setting 'allow_host'; did you mean 'allow-host'?");
        check("[serv]", "1:2: there is no command 'serv'; there are [run], [validate], [serve]");
        check("listen = 1", "1:1: 'listen' stands outside of a table; it belongs below [serve]");
        check("time = 1", "1:1: 'time' stands outside of a table; it belongs below [run] or [serve]");
        check("serve = 1", "1:1: 'serve' is a table, as in [serve]");
        check("[serve]\nmemory = 1", "2:10: 'memory' is true or false");
        check(
            "[serve]\nlisten = 'here'",
            "2:10: 'listen' cannot be 'here': give an IP address and a port, such as 127.0.0.1:4566 or [::1]:4566",
        );
        check("[serve]\ntime = 'fast'", "2:8: 'time' cannot be 'fast': there are skip, real");
        check(
            "[serve]\nendpoint = ['http://h:1']",
            "2:12: 'endpoint' cannot be 'http://h:1': give SERVICE=URL, such as lambda=http://127.0.0.1:3001",
        );
        check("[serve]\ntime = ['real']", "2:8: 'time' is one value");
        check("[serve]\nallow-host = [['a']]", "2:15: 'allow-host' is a list of texts");
        let told = parsed(&["stepwell", "serve"], "[serve]\nzzz = 1").err().expect("refused");
        assert!(told.starts_with("2:1: [serve] has no setting 'zzz'; there are listen, data, memory, "), "{told}");
        assert!(parsed(&["stepwell", "serve"], "[serve]\nconfig = 'x'").is_err());
        // What is asked once is no setting: it would go before another way to ask it.
        assert!(parsed(&["stepwell", "eval", "--jsonpath", "$"], "[eval]\njsonata = '1'").is_err());
        let told = parsed(&["stepwell", "serve"], "[serve]\nmemory = true\nmemory = true").err().expect("refused");
        assert!(told.starts_with("3:1: "), "{told}");
        assert!(parsed(&["stepwell", "serve"], "[serve\n").err().expect("refused").starts_with("1:"));
    }

    #[test]
    fn a_flag_goes_before_the_line_it_excludes() {
        let command = || {
            let keep = Arg::new("keep").long("keep").env("STEPWELL_TEST_KEEP");
            let forget = Arg::new("forget").long("forget").env("STEPWELL_TEST_FORGET");
            let forget = forget.action(ArgAction::SetTrue).conflicts_with("keep");
            Command::new("stepwell").subcommand(Command::new("serve").args([keep, forget]))
        };
        let check = |arguments: &[&str], text: &str, expected: Result<(Option<&str>, bool), &str>| {
            let arguments = [&["stepwell", "serve"], arguments].concat();
            let said = command().get_matches_from(&arguments);
            let told = apply(command(), &said, text, Path::new("stepwell.toml")).map(|command| {
                let matches = command.get_matches_from(&arguments);
                let matches = matches.subcommand_matches("serve").expect("it serves");
                (matches.get_one::<String>("keep").cloned(), matches.get_flag("forget"))
            });
            let told = told.as_ref().map(|(keep, forget)| (keep.as_deref(), *forget)).map_err(|(_, why)| why.as_str());
            assert_eq!(told, expected, "{arguments:?} {text}");
        };
        check(&[], "[serve]\nforget = true", Ok((None, true)));
        check(&["--keep", "here"], "[serve]\nforget = true", Ok((Some("here"), false)));
        check(&["--forget"], "[serve]\nkeep = 'there'", Ok((None, true)));
        check(&["--keep", "here"], "[serve]\nkeep = 'there'", Ok((Some("here"), false)));
        let both = Err("'forget' and 'keep' exclude one another");
        check(&[], "[serve]\nkeep = 'there'\nforget = true", both);
        check(&["--forget"], "[serve]\nkeep = 'there'\nforget = true", both);
    }
}
