//! The command line: the public contract, with help that teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// AWS Step Functions, anywhere: run and check Amazon States Language workflows.
#[derive(Parser)]
#[command(name = "stepwell", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Stepwell {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a workflow from a file and print its output.
    ///
    /// The output JSON alone goes to stdout; on a terminal, stderr shows the states as they are entered and left.
    /// Time is skipped: a one-year Wait ends at once, with every timestamp as if it had passed.
    ///
    /// Exit status: 0 when the execution succeeded, 1 when it failed, timed out or was aborted (error and cause on
    /// stderr), 2 when the definition, the input or the mocks cannot be used.
    #[command(after_help = "Examples:
  stepwell run order.asl.json --input '{\"id\": 7}'
  stepwell run order.asl.yaml --input @order.json --mocks mocks.json#HappyPath
  echo '{\"id\": 7}' | stepwell run order.asl.json --input - --history")]
    Run(RunArgs),
    /// Evaluate one JSONata expression, JSONPath or intrinsic call and print the result.
    ///
    /// Prints nothing when the result is undefined. A failed expression prints its code and position on stderr and
    /// exits with 1.
    #[command(after_help = "Examples:
  stepwell eval --jsonata '$sum(items.(price * qty))' --input @order.json
  stepwell eval --jsonpath '$.items[?(@.qty > 1)].sku' --input @order.json
  stepwell eval --intrinsic \"States.Format('Order {}', $.id)\" --input '{\"id\": 7}'")]
    Eval(EvalArgs),
    /// Check definitions and print every fault with its place, and how to mend it.
    ///
    /// Exit status: 0 when no definition has an error (warnings are allowed), 1 when one has, 2 when a file cannot be
    /// read.
    #[command(after_help = "Examples:
  stepwell validate order.asl.json
  stepwell validate --format github workflows/*.asl.json")]
    Validate(ValidateArgs),
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The definition: .asl.json, .json, .asl.yaml, .yaml or .yml.
    pub(crate) file: PathBuf,
    /// The execution's input: JSON, @FILE to read a file, or - for stdin.
    #[arg(short, long, value_name = "JSON|@FILE|-", default_value = "{}", env = "STEPWELL_INPUT")]
    pub(crate) input: String,
    /// The type of the state machine.
    #[arg(long = "type", value_enum, default_value_t = MachineType::Standard, env = "STEPWELL_TYPE")]
    pub(crate) machine_type: MachineType,
    /// Answers for Task states, in the mock configuration format of Step Functions Local; #CASE picks the test case.
    #[arg(long, value_name = "FILE[#CASE]", env = "STEPWELL_MOCKS")]
    pub(crate) mocks: Option<String>,
    /// Whether waits, retries and timeouts take no time or their real time.
    #[arg(long, value_enum, default_value_t = Time::Skip, env = "STEPWELL_TIME")]
    pub(crate) time: Time,
    /// Print the execution's history, as GetExecutionHistory answers it, instead of the output.
    #[arg(long)]
    pub(crate) history: bool,
    /// Make chance repeatable: the same seed draws the same jitter, UUIDs and random numbers.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

#[derive(Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) expression: ExpressionArgs,
    /// What the expression works on ($): JSON, @FILE to read a file, or - for stdin.
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    pub(crate) input: Option<String>,
    /// Variables as one JSON object; each member becomes $name.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) variables: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ExpressionArgs {
    /// A JSONata expression, without {% %}.
    #[arg(long, value_name = "EXPR")]
    pub(crate) jsonata: Option<String>,
    /// A JSONPath such as $.a.b, or $name.a for a variable.
    #[arg(long, value_name = "PATH")]
    pub(crate) jsonpath: Option<String>,
    /// An intrinsic function call such as States.UUID().
    #[arg(long, value_name = "EXPR")]
    pub(crate) intrinsic: Option<String>,
}

#[derive(Args)]
pub(crate) struct ValidateArgs {
    /// The definitions to check.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The type the state machines will have: EXPRESS allows less.
    #[arg(long = "type", value_enum, default_value_t = MachineType::Standard, env = "STEPWELL_TYPE")]
    pub(crate) machine_type: MachineType,
    /// How to print diagnostics.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MachineType {
    /// Durable, up to a year.
    Standard,
    /// Fast, up to five minutes.
    Express,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Time {
    /// Jump to the next timer whenever nothing runs.
    Skip,
    /// Wait as long as the workflow says.
    Real,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: the source around each fault.
    Human,
    /// For programs: one JSON object a line.
    Json,
    /// Annotations for GitHub Actions.
    Github,
}
