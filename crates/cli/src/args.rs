//! The command line: the public contract, with help that teaches.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stepwell_server::{Cidr, FunctionSource, NamedFunction};
use stepwell_spec::{Action, Bucket};

use crate::log::{LogFormat, LogLevel};

/// AWS Step Functions, anywhere: run and check Amazon States Language workflows.
///
/// Every flag that has an environment variable may also stand in stepwell.toml: --listen of `stepwell serve` is the line
/// `listen = "127.0.0.1:4566"` in the table of `serve`. Flags go before environment variables, and those before the file.
#[derive(Parser)]
#[command(name = "stepwell", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Stepwell {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The file of settings, instead of stepwell.toml in the current folder.
    #[arg(long, global = true, value_name = "FILE", env = "STEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
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
  stepwell run order.asl.json --function charge-card=./functions/charge
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
    /// Be a Step Functions on this machine: the AWS API over HTTP, for every AWS SDK and the aws command.
    ///
    /// Lambda, SQS, SNS, DynamoDB, S3, EventBridge, CloudWatch Logs, Secrets Manager, IAM and STS are on the same port, for
    /// clients and for tasks; --endpoint sends a service's tasks elsewhere, or to AWS.
    ///
    /// Point a client at it with --endpoint-url, or with AWS_ENDPOINT_URL for all of them. Any credentials are taken,
    /// so it listens to its own machine only. The account is the access key id when that has twelve digits, or what the key id
    /// says, as one of AWS's does; the region is the client's.
    ///
    /// What it says was done is on disk, and goes on where it stood when the server is started again.
    ///
    /// With --credentials every request must be signed with a key of that file, which has the format of ~/.aws/credentials;
    /// `aws_account_id` in a profile says whose resources its key is for. Only its owner may be able to read the file.
    ///
    /// GET /_stepwell/health answers 200 as soon as it serves; GET /_stepwell/metrics is for Prometheus. SIGTERM and Ctrl-C
    /// end it: what is being answered has five seconds.
    ///
    /// Exit status: 0 when it was asked to end, 1 when it cannot listen or open its data, 2 when its settings or its mocks cannot be used.
    #[command(after_help = "Examples:
  stepwell serve
  stepwell serve --memory --time skip --mocks mocks.json

  export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws stepfunctions create-state-machine --name hello --definition file://hello.asl.json \\
      --role-arn arn:aws:iam::000000000000:role/hello

  # stepwell.toml
  [serve]
  memory = true
  listen = \"127.0.0.1:8083\"
  credentials = \"keys\"
  throttle = [\"aws\", \"StartExecution=1000/500\"]

  An execution started on \"<state machine's ARN>#CASE\" gets its answers from that case of --mocks.")]
    Serve(Box<ServeArgs>),
    /// Measure: this server or any other Step Functions endpoint, under the published workloads.
    ///
    /// Without --endpoint each measurement starts a server of its own (`stepwell serve`, durable as it is by default) with an
    /// empty data directory in the folder of --data, and ends and removes it afterwards. Beside it runs the baseline: a server
    /// on the same HTTP stack that reads a request and answers a constant. The same clients ask it before and after each
    /// measurement, and rates are also told as a part of what it answered.
    ///
    /// Clients keep their connection and ask again as soon as they are answered. An execution counts when it was seen to have
    /// succeeded; an answer that is an error is an error and never work.
    ///
    /// A table goes to stdout, progress to stderr; --json gives a line of JSON for each measurement. docs/benchmarks.md says
    /// what the numbers mean.
    ///
    /// On AWS every request and transition is charged for: nothing is done there without --accept-charges and --role-arn.
    /// What a run makes at an endpoint begins with its own prefix, `bench-` and eight digits, and is deleted at its end.
    ///
    /// Exit status: 0 when everything was done without an error, 1 when anything erred, 2 when the settings cannot be used,
    /// 130 when Ctrl-C or SIGTERM ended it before it was over.
    #[command(after_help = bench_help())]
    Bench(Box<BenchArgs>),
    /// What rates are held against: reads requests and answers a constant until its stdin is closed.
    #[command(name = stepwell_bench::BASELINE_COMMAND, hide = true)]
    Baseline,
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
    /// A function made of a directory's files, which tasks call by its name or any ARN with it; may be given several times.
    /// Without FILE.FUNCTION it follows from the files: lambda_function.py, app.py, index.mjs, index.js, bootstrap. Time
    /// stands still while it works.
    #[cfg(feature = "lambda")]
    #[arg(long, value_name = "NAME=DIR[:FILE.FUNCTION]", env = "STEPWELL_FUNCTION", value_delimiter = ',', value_parser = function)]
    pub(crate) function: Vec<NamedFunction>,
    /// Whether functions are kept from other processes and from writing outside of their temporary directory and /tmp, where the
    /// system can.
    #[cfg(feature = "lambda")]
    #[arg(long, value_enum, default_value_t = FunctionSandbox::On, env = "STEPWELL_FUNCTION_SANDBOX")]
    pub(crate) function_sandbox: FunctionSandbox,
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

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4566", env = "STEPWELL_LISTEN", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// The directory everything is kept in; made when it is not there. One server at a time may use it.
    #[arg(long, value_name = "DIR", default_value = ".stepwell", env = "STEPWELL_DATA")]
    pub(crate) data: PathBuf,
    /// Keep everything in memory, and nothing when the server stops.
    #[arg(long, env = "STEPWELL_MEMORY", conflicts_with = "data")]
    pub(crate) memory: bool,
    /// Whether waits, retries and timeouts take their real time, or none whenever nothing runs.
    #[arg(long, value_enum, default_value_t = Time::Real, env = "STEPWELL_TIME")]
    pub(crate) time: Time,
    /// Answers for Task states, in the mock configuration format of Step Functions Local; read again when it changes.
    /// Without it, the file SFN_MOCK_CONFIG names.
    #[arg(long, value_name = "FILE", env = "STEPWELL_MOCKS")]
    pub(crate) mocks: Option<PathBuf>,
    /// Where tasks reach a service, as in lambda=http://127.0.0.1:3001, sqs=local for the one of this server, or athena=aws
    /// for AWS's own in the region of the execution; may be given several times. Without it for a service, the URL in STEPWELL_ENDPOINT_LAMBDA or in LAMBDA_ENDPOINT, and
    /// likewise for the others; without these, this server's own, if it has one.
    #[arg(long, value_name = "SERVICE=URL", env = "STEPWELL_ENDPOINT", value_delimiter = ',', value_parser = endpoint)]
    pub(crate) endpoint: Vec<(String, String)>,
    /// Authorities to trust beside those of this machine where tasks reach a service or an address by https, as PEM.
    #[arg(long, value_name = "FILE", env = "STEPWELL_CA_BUNDLE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Addresses that HTTP Tasks and deliveries of topics may ask although they are not public, as in 127.0.0.0/8; without
    /// TLS too. May be given several times.
    #[arg(long, value_name = "CIDR", env = "STEPWELL_EGRESS_ALLOW", value_delimiter = ',')]
    pub(crate) egress_allow: Vec<Cidr>,
    /// A function made of a directory's files, read again when they change; may be given several times. Without
    /// FILE.FUNCTION it follows from the files: lambda_function.py, app.py, index.mjs, index.js, bootstrap.
    #[arg(long, value_name = "NAME=DIR[:FILE.FUNCTION]", env = "STEPWELL_FUNCTION", value_delimiter = ',', value_parser = function)]
    pub(crate) function: Vec<NamedFunction>,
    /// A function that is served elsewhere: each event is posted to the URL, and the answer is the result. May be given
    /// several times.
    #[arg(long, value_name = "NAME=URL", env = "STEPWELL_FUNCTION_URL", value_delimiter = ',', value_parser = function_url)]
    pub(crate) function_url: Vec<NamedFunction>,
    /// Whether functions are kept from the data directory, from other processes and from writing outside of their temporary
    /// directory and /tmp, where the system can.
    #[arg(long, value_enum, default_value_t = FunctionSandbox::On, env = "STEPWELL_FUNCTION_SANDBOX")]
    pub(crate) function_sandbox: FunctionSandbox,
    /// The account of callers whose access key id is none.
    #[arg(long, value_name = "ID", default_value = "000000000000", env = "STEPWELL_ACCOUNT", value_parser = account_id)]
    pub(crate) account: String,
    /// The region of callers that name none.
    #[arg(long, value_name = "REGION", default_value = "us-east-1", env = "STEPWELL_REGION")]
    pub(crate) region: String,
    /// A further name clients may call the server by, such as a container's; may be given several times.
    #[arg(long, value_name = "NAME", env = "STEPWELL_ALLOW_HOST", value_delimiter = ',')]
    pub(crate) allow_host: Vec<String>,
    /// Let other machines in although nothing is encrypted and, without --credentials, nobody has to prove who they are.
    #[arg(long, alias = "insecure-i-know", env = "STEPWELL_INSECURE")]
    pub(crate) insecure: bool,
    /// The keys requests must be signed with, in the format of ~/.aws/credentials; mode 0600.
    #[arg(long, value_name = "FILE", env = "STEPWELL_CREDENTIALS")]
    pub(crate) credentials: Option<PathBuf>,
    /// How far the clock of whoever signs may be from this machine's, at most 15.
    #[arg(long, value_name = "MINUTES", default_value_t = 5, env = "STEPWELL_CLOCK_SKEW", value_parser = clap::value_parser!(u64).range(1..=15))]
    pub(crate) clock_skew: u64,
    /// How often an account may call each action: off, aws for AWS's quotas, ACTION=BURST/RATE for calls at once and calls
    /// a second; may be given several times.
    #[arg(long, value_name = "off|aws|ACTION=BURST/RATE", env = "STEPWELL_THROTTLE", value_delimiter = ',', value_parser = throttle)]
    pub(crate) throttle: Vec<Throttle>,
    /// What is logged to stderr.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Warn, env = "STEPWELL_LOG", ignore_case = true)]
    pub(crate) log: LogLevel,
    /// How the log is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "STEPWELL_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// What to measure; everything that can be measured here when nothing is named.
    #[arg(value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    /// Where to send the load, as in http://127.0.0.1:8083; without it, a server of the run's own.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// How many clients ask at a time: one measurement for each number.
    #[arg(long, value_name = "NUMBERS", default_value = "1,16,64", value_delimiter = ',')]
    pub(crate) clients: Vec<usize>,
    /// How long each measurement takes. The published numbers are those of a minute.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Where a line of JSON for each measurement goes: a file, or - for stdout instead of the table.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) json: Option<PathBuf>,
    /// The folder whose disk is measured: servers of the run's own have their data in it while they run.
    #[arg(long, value_name = "DIR", default_value = ".", alias = "data-dir")]
    pub(crate) data: PathBuf,
    /// Do also what takes minutes and gigabytes.
    #[arg(long)]
    pub(crate) long: bool,
    /// The process behind the endpoint, when it is on this machine: its processor time and memory are told.
    #[arg(long, value_name = "PID", requires = "endpoint")]
    pub(crate) pid: Option<u32>,
    /// The region requests are for.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// The role of the state machines that are created. AWS asks for one that exists.
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,
    /// Sign each request with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which costs the clients time; requests to AWS are
    /// always signed.
    #[arg(long)]
    pub(crate) sign: bool,
    /// Let AWS charge for what is done.
    #[arg(long)]
    pub(crate) accept_charges: bool,
}

/// The workloads and some examples.
fn bench_help() -> String {
    let mut text = String::from("Workloads:\n");
    for (name, about) in stepwell_bench::workloads() {
        text.push_str(&format!("  {name:<12} {about}\n"));
    }
    text.push_str(
        "\nExamples:
  stepwell bench
  stepwell bench chain express --clients 64 --seconds 60 --json results.jsonl
  stepwell bench chain --endpoint http://127.0.0.1:8083 --clients 1,16",
    );
    text
}

/// Whether functions have walls around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FunctionSandbox {
    On,
    Off,
}

impl FunctionSandbox {
    pub(crate) fn is_on(self) -> bool {
        self == FunctionSandbox::On
    }
}

/// One word about how often callers may call. The last one about an action holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttle {
    /// As often as they like.
    Off,
    /// As often as on AWS.
    Aws,
    /// This action as often as this.
    Action(Action, Bucket),
}

fn throttle(text: &str) -> Result<Throttle, String> {
    match text {
        "off" => return Ok(Throttle::Off),
        "aws" => return Ok(Throttle::Aws),
        _ => {}
    }
    let form = || "give off, aws, or ACTION=BURST/RATE such as StartExecution=1300/300".to_owned();
    let (name, numbers) = text.split_once('=').ok_or_else(form)?;
    let action = Action::of(name).ok_or_else(|| format!("there is no action '{name}'"))?;
    let (size, rate) = numbers.split_once('/').ok_or_else(form)?;
    let number = |text: &str| text.parse().ok().filter(|number: &u32| *number > 0).ok_or_else(form);
    Ok(Throttle::Action(action, Bucket { size: number(size)?, refill_per_second: number(rate)? }))
}

/// A service and its URL, which is judged where all of them are.
fn endpoint(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((service, url)) if !service.is_empty() && !url.is_empty() => Ok((service.to_owned(), url.to_owned())),
        _ => Err("give SERVICE=URL, such as lambda=http://127.0.0.1:3001".to_owned()),
    }
}

/// A function and its directory, with its entry behind a colon.
fn function(text: &str) -> Result<NamedFunction, String> {
    let Some((name, place)) = text.split_once('=').filter(|(name, place)| !name.is_empty() && !place.is_empty()) else {
        return Err("give NAME=DIR or NAME=DIR:FILE.FUNCTION, such as charge=./charge:app.handler".to_owned());
    };
    // An entry is no path that begins anew, so that a colon in a directory's name is left alone.
    let entry =
        place.rsplit_once(':').filter(|(path, entry)| !path.is_empty() && entry.contains('.') && !entry.contains('\\'));
    let (path, entry) = match entry {
        Some((path, entry)) => (path, Some(entry.to_owned())),
        None => (place, None),
    };
    Ok(NamedFunction { name: name.to_owned(), runs: FunctionSource::Directory { path: path.into(), entry } })
}

/// A function and where it is served.
fn function_url(text: &str) -> Result<NamedFunction, String> {
    match text.split_once('=') {
        Some((name, url)) if !name.is_empty() && !url.is_empty() => {
            Ok(NamedFunction { name: name.to_owned(), runs: FunctionSource::Url(url.to_owned()) })
        }
        _ => Err("give NAME=URL, such as charge=http://127.0.0.1:9000/charge".to_owned()),
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| "give an IP address and a port, such as 127.0.0.1:4566 or [::1]:4566".to_owned())
}

fn account_id(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account id has twelve digits".to_owned()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_directories_or_urls() {
        let directory = |path: &str, entry: Option<&str>| FunctionSource::Directory {
            path: path.into(),
            entry: entry.map(str::to_owned),
        };
        for (text, expected) in [
            ("f=./dir", Some(directory("./dir", None))),
            ("f=./dir:app.handler", Some(directory("./dir", Some("app.handler")))),
            ("f=/a:b/dir", Some(directory("/a:b/dir", None))),
            ("f=dir:src/app.handler", Some(directory("dir", Some("src/app.handler")))),
            ("f=", None),
            ("=dir", None),
            ("dir", None),
        ] {
            let told = function(text).ok();
            assert_eq!(told.as_ref().map(|function| &function.runs), expected.as_ref(), "{text}");
            assert!(told.is_none_or(|function| function.name == "f"), "{text}");
        }
        let told = function_url("f=http://h/p?a=b").expect("a URL");
        assert_eq!(told.runs, FunctionSource::Url("http://h/p?a=b".to_owned()));
        assert!(function_url("http://h").is_err());
    }

    #[test]
    fn throttles_are_words_or_numbers() {
        let check = |text: &str, expected: Result<Throttle, &str>| match (throttle(text), expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{text}"),
            (Err(told), Err(expected)) => assert!(told.contains(expected), "{text}: {told}"),
            (told, _) => panic!("{text}: {told:?}"),
        };
        check("off", Ok(Throttle::Off));
        check("aws", Ok(Throttle::Aws));
        let bucket = Bucket { size: 10, refill_per_second: 2 };
        check("StopExecution=10/2", Ok(Throttle::Action(Action::StopExecution, bucket)));
        check("stopExecution=10/2", Err("there is no action 'stopExecution'"));
        for wrong in ["", "on", "StopExecution", "StopExecution=10", "StopExecution=0/1", "StopExecution=1/0"] {
            check(wrong, Err("give off, aws, or ACTION=BURST/RATE"));
        }
    }
}
