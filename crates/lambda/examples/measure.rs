//! What invocations cost: cold and warm, one at a time and a thousand at once, for each kind of runtime that this machine has; in
//! the sandbox and out of it.
//! `cargo run --release -p stepwell-lambda --example measure`, after the example `echo_runtime` was built the same way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_lambda::{Lambda, LambdaSettings};
use stepwell_protocol::{Answering, AwsCall, AwsError, Fault, Peers, Place, blob_text};
use stepwell_spec::Timestamp;

const WARM: usize = 2_000;
const AT_ONCE: usize = 1_000;

/// Nobody else is there.
struct Nobody;

impl Peers for Nobody {
    fn ask(&self, _: &Place, _: AwsCall) -> Answering {
        let nobody = AwsError {
            code: "None".into(),
            message: None,
            status: 400,
            fault: Fault::Client,
            request_id: "".into(),
            members: Json::empty_object(),
        };
        Box::pin(async { Err(nobody) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for sandbox in [true, false] {
        println!("{} the sandbox:", if sandbox { "in" } else { "out of" });
        measure(LambdaSettings { sandbox, control_groups: sandbox, ..LambdaSettings::default() }).await?;
    }
    Ok(())
}

async fn measure(settings: LambdaSettings) -> Result<(), Box<dyn std::error::Error>> {
    let home = std::env::temp_dir().join(format!("stepwell-measure-{}", std::process::id()));
    let place = Place { account: "123456789012".into(), region: "us-east-1".into() };
    let lambda = Arc::new(Lambda::open(Some(&home.join("lambda")), settings, Arc::new(Nobody))?);
    let runtime = std::env::current_exe()?.with_file_name("echo_runtime");
    for (name, file, text) in [
        ("python", "app.py", "def handler(event, context):\n    return event\n"),
        ("node", "index.mjs", "export const handler = async (event) => event;\n"),
        ("rust", "bootstrap", ""),
    ] {
        let directory = home.join(name);
        std::fs::create_dir_all(&directory)?;
        match file {
            "bootstrap" => drop(std::fs::copy(&runtime, directory.join(file))?),
            file => std::fs::write(directory.join(file), text)?,
        }
        if let Err(fault) = lambda.register_directory(&place, name, &directory, None).await {
            println!("{name}: {fault}");
            continue;
        }
        let cold = timed(&lambda, &place, name).await?;
        let mut warm = Vec::with_capacity(WARM);
        for _ in 0..WARM {
            warm.push(timed(&lambda, &place, name).await?);
        }
        warm.sort();
        let began = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (lambda, place, name) = (lambda.clone(), place.clone(), name.to_owned());
            calls.spawn(async move { timed(&lambda, &place, &name).await.map_err(|fault| fault.to_string()) });
        }
        while let Some(call) = calls.join_next().await {
            call??;
        }
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{name}: cold {:.1} ms; warm p50 {:.2} ms, p99 {:.2} ms; {AT_ONCE} at once {:.0} ms on {} processes of {}",
            milliseconds(cold),
            milliseconds(warm[WARM / 2]),
            milliseconds(warm[WARM * 99 / 100]),
            milliseconds(began.elapsed()),
            lambda.processes(),
            LambdaSettings::default().processes_max,
        );
    }
    lambda.shut_down().await;
    println!("processes left: {}", left_below(&home));
    std::fs::remove_dir_all(&home)?;
    Ok(())
}

/// How long one invocation takes.
async fn timed(lambda: &Lambda, place: &Place, name: &str) -> Result<Duration, String> {
    let payload = blob_text(br#"{"order":17,"items":["pen","ink"]}"#);
    let input = Json::object([("FunctionName", Json::from(name)), ("Payload", Json::from(payload))]);
    let call = AwsCall { service: "lambda".into(), action: "Invoke".into(), input };
    let began = Instant::now();
    let answer = lambda.call(place, call, Timestamp(0)).await.map_err(|error| error.code.to_string())?;
    match answer.output.get("FunctionError") {
        None => Ok(began.elapsed()),
        Some(_) => Err(format!("{name} failed: {}", answer.output)),
    }
}

fn left_below(home: &Path) -> usize {
    let home = home.to_string_lossy().into_owned();
    let processes: Vec<PathBuf> =
        std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|one| one.path()).collect();
    let names = |process: &&PathBuf| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&home)
    };
    processes.iter().filter(names).count()
}
