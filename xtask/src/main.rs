//! `cargo xtask`: everything a developer of Stepwell runs, under one roof.
//!
//! This file owns the list of commands and what `--help` says. What a command does stands in the file named after its
//! idea. Nothing here depends on another crate, so that the first command of a newcomer builds at once.

mod bench;
mod check;
mod conformance;
mod corpus;
mod crash;
mod fuzz;
mod generate;
mod model;
mod options;
mod python;
mod run;
mod sdk;
mod server;
mod services;
mod sim;
mod tidy;

use std::process::ExitCode;

use options::Options;

/// What a command gives back: nothing, or the line that says why it failed.
type Outcome = Result<(), String>;

struct Command {
    name: &'static str,
    options: &'static str,
    summary: &'static str,
    /// What `cargo xtask NAME --help` adds: when to use it, what it reads and writes.
    teaches: &'static str,
    run: fn(&mut Options) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "check",
        options: "",
        summary: "before a commit: format, lints, tidy, fast tests",
        teaches: "Runs `cargo fmt --check`, `cargo clippy` with warnings denied, `tidy`, and the tests of the default\n\
                  members, and stops at the first that fails.",
        run: check::check,
    },
    Command {
        name: "tidy",
        options: "",
        summary: "the rules of the house that no compiler knows",
        teaches: "Dependency arrows, crates allowed below the engine, purity, file headers, file names, dead files, file\n\
                  lengths, unfinished code, links in Markdown, and the drawing of the arrows in docs/ARCHITECTURE.md.\n\
                  Prints every fault as file:line and exits 1 when there is one. Also runs as a test of this crate.",
        run: tidy::command,
    },
    Command {
        name: "test",
        options: "[-- CARGO-TEST-ARGUMENTS]",
        summary: "every test of the workspace",
        teaches: "The same as `cargo test --workspace`; what follows `--` goes to cargo:\n\
                  `cargo xtask test -- -p stepwell-asl choice`.",
        run: check::test,
    },
    Command {
        name: "doc",
        options: "[--open]",
        summary: "API documentation of our crates, with warnings denied",
        teaches: "Broken links between items fail here. `--open` shows the result in a browser.",
        run: check::doc,
    },
    Command {
        name: "golden",
        options: "[--update]",
        summary: "the golden cases: definition, input, scripted tasks, expected history",
        teaches: "Runs every case below golden/. With `--update` it writes what the engine does now into the cases;\n\
                  then read the difference like code, because that is what it is.",
        run: generate::golden,
    },
    Command {
        name: "codegen",
        options: "[--check]",
        summary: "write the generated reference pages from the tables",
        teaches: "Writes docs/reference/ from the tables of crates/spec, and the drawing of the arrows in\n\
                  docs/ARCHITECTURE.md. On a clean tree it changes nothing; `--check` fails when it would.",
        run: generate::codegen,
    },
    Command {
        name: "corpus",
        options: "[--corpus DIR]",
        summary: "how much of the corpus passes: five numbers, held against their floor",
        teaches: "The corpus is not part of the repository. It is looked for in DIR, in $STEPWELL_CORPUS, and in\n\
                  ../shared/corpus. The readers are tests named `corpus` in crates/jsonata, crates/jsonpath and crates/asl,\n\
                  and the tour of golden/tour in crates/cli.\n\
                  Exits 1 when a number is below the one in xtask/corpus-floor.txt; raise the floor when the number rises.",
        run: corpus::command,
    },
    Command {
        name: "model",
        options: "[--update]",
        summary: "hold the API's tables against AWS's service model",
        teaches: "Takes the model from PyPI's `botocore` (needs python3 and a network; the package goes into a virtual\n\
                  environment below the target directory), prints what differs from crates/spec/tests/it/model.txt, and\n\
                  exits 1 when something does. So it does with what services answer (crates/spec/src/results) and with the\n\
                  packed table of all services (crates/protocol/models). With `--update` it writes the files. Then runs\n\
                  the tests that hold crates/spec and crates/protocol against them; those alone need no network.",
        run: model::command,
    },
    Command {
        name: "conformance",
        options: "[--cases DIR] [--filter TEXT]",
        summary: "conversations recorded from AWS, held against our server",
        teaches: "Starts `stepwell serve --memory`, runs DIR/run.py (default ../shared/conformance) against it with the AWS SDK\n\
                  for Python from PyPI, and prints how many conversations agree that need no service but Step Functions, or\n\
                  Lambda, which run.py stands in for.\n\
                  Exits 1 when fewer agree than xtask/conformance-floor.txt says.",
        run: conformance::command,
    },
    Command {
        name: "sdk",
        options: "[--with NAME] [--skip-missing]",
        summary: "every action driven by boto3, the AWS CLI and the AWS SDK for JavaScript",
        teaches: "Installs boto3 and awscli from PyPI and @aws-sdk/client-sfn from npm below the target directory, starts\n\
                  `stepwell serve` with a data directory and keys, and runs the programs of xtask/sdk/ against it, all\n\
                  at once; every signature is checked.\n\
                  Exits 1 when one gets a wrong answer, or leaves out an action of crates/spec/tests/it/model.txt.\n\
                  `--with` runs one of `boto3`, `cli` and `node`; with `--skip-missing`, what cannot be installed is\n\
                  said and passed over.",
        run: sdk::command,
    },
    Command {
        name: "services",
        options: "[--service NAME,…] [--moto] [--url URL]",
        summary: "every action of the local services driven by boto3, against our server or moto's",
        teaches: "Starts `stepwell serve --memory`, and runs the tests of xtask/services/ against it with boto3 from PyPI; prints\n\
                  a line for each service, and exits 1 when a test failed. `--service sqs,sns` runs those alone.\n\
                  `--moto` starts moto's server from PyPI instead: the tests say what AWS does, so they hold there as well,\n\
                  but for what a test says moto does otherwise. `--url` takes a server that runs already.",
        run: services::command,
    },
    Command {
        name: "crash",
        options: "[--list] [--only NAME,…] [--smoke] [--kills N] [--waiting N] [--times N] [--count N] [--clients N] [--seed N] [--binary FILE]",
        summary: "faults on the real server: kills, power loss, full and failing disks, limits, storms, panics",
        teaches: "Builds a release server and crash/, which starts it over a data directory, has clients start, stop and\n\
                  complete executions, and makes faults: `--list` names them. In the end every execution must have ended, with the\n\
                  output its input asks for, with an unbroken history, and each task completed once. Each fault prints one line.\n\
                  `--only` takes some of them, `--smoke` all of them in two to three minutes; `--times` says how often and `--count`\n\
                  how many, where a fault is about that. `--kills N` is `--only kills --times N`, `--waiting N` is `--only waiting\n\
                  --count N`: the memory of N executions that wait, and how soon a killed server is ready again. `--binary` takes a\n\
                  server that is built already. What needs root is skipped without it.\n\
                  Exits 1 when something did not hold, with what, where and how to see it again; the data is left in target/crash.",
        run: crash::command,
    },
    Command {
        name: "sim",
        options: "[--seed N] [--minutes M] [--seeds K] [--threads T] [--trace] [--planted] [--bug NAME]",
        summary: "the service and its store under virtual time, seeded chance and injected faults",
        teaches: "Runs seed after seed, from N (default 1) on, for M minutes (default 1) or until K are done. Each is a course of events\n\
                  of its own: clients, workers, a clock that jumps, a disk that fails, and crashes, most of all between the write of a\n\
                  batch and its sync. What must hold is checked all the way. The first seed in which something does not is printed\n\
                  with its last steps (`--trace`: more of them); `--seed N --seeds 1` shows it again.\n\
                  With `--planted`, bugs are planted one after the other, and a table says which seed finds each; a bug that no seed\n\
                  of 1,000 finds fails the command. docs/reliability.md says what is checked.",
        run: sim::command,
    },
    Command {
        name: "fuzz",
        options: "[TARGET…] [--seconds N] [--seed N]",
        summary: "every fuzz target for N seconds (default 60)",
        teaches: "Mutates the seeds in fuzz/seeds/ and looks for panics, hangs and unbounded memory. The same seed gives\n\
                  the same inputs. With a nightly toolchain, `cargo +nightly fuzz run TARGET --features libfuzzer` drives\n\
                  the same targets by coverage; see fuzz/README.md.",
        run: fuzz::command,
    },
    Command {
        name: "bench",
        options: "[FILTER] [--reference]",
        summary: "time and allocations of the hot paths",
        teaches: "FILTER is a part of a bench's name: `cargo xtask bench jsonata`. `--reference` then measures the same\n\
                  expressions with the reference JSONata on Node (needs node and npm; see benches/README.md).",
        run: bench::command,
    },
];

fn main() -> ExitCode {
    let mut options = Options::new(std::env::args().skip(1));
    let name = options.word();
    let outcome = match name.as_deref() {
        None | Some("help" | "--help" | "-h") => {
            print!("{}", overview());
            return ExitCode::SUCCESS;
        }
        Some(name) => match COMMANDS.iter().find(|command| command.name == name) {
            None => Err(format!("there is no command `{name}`; `cargo xtask --help` lists them")),
            Some(command) if options.flag("--help") || options.flag("-h") => {
                print!("{}", page(command));
                return ExitCode::SUCCESS;
            }
            Some(command) => (command.run)(&mut options),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn overview() -> String {
    let mut text = String::from("What a developer of Stepwell runs.\n\nusage: cargo xtask COMMAND [--help]\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<8}  {}\n", command.name, command.summary));
    }
    text.push_str("\nBefore a commit: `cargo xtask check`. What CI runs: `.ci/run`.\n");
    text
}

fn page(command: &Command) -> String {
    let Command { name, options, summary, teaches, .. } = command;
    format!("{summary}\n\nusage: cargo xtask {}\n\n{teaches}\n", format!("{name} {options}").trim_end())
}
