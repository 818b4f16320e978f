//! `stepwell serve`: the API over HTTP, until it is asked to end.

use std::process::ExitCode;

use stepwell_server::{Server, Settings, StartError};
use tracing_subscriber::filter::LevelFilter;

use crate::Unusable;
use crate::args::{ServeArgs, Time};

/// What is logged when `STEPWELL_LOG` does not say.
const LOG_LEVEL: LevelFilter = LevelFilter::WARN;

pub(crate) fn serve(args: ServeArgs) -> Result<ExitCode, Unusable> {
    start_log()?;
    let settings = Settings {
        listen: args.listen,
        data: (!args.memory).then_some(args.data),
        time: match args.time {
            Time::Real => stepwell_server::Time::Real,
            Time::Skip => stepwell_server::Time::Skip,
        },
        mocks: args.mocks,
        account: args.account,
        region: args.region,
        allowed_hosts: args.allow_host,
        insecure: args.insecure,
    };
    match listen(settings) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(StartError::Unusable(reason)) => Err(Unusable(reason)),
        Err(StartError::Refused(reason)) => {
            eprintln!("stepwell: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn listen(settings: Settings) -> Result<(), StartError> {
    let is_open = !settings.listen.ip().is_loopback();
    let kept = match &settings.data {
        Some(directory) => format!("kept in {}", directory.display()),
        None => "in memory; nothing is kept when it stops".to_owned(),
    };
    let server = Server::bind(settings)?;
    eprintln!("stepwell serve: listening on http://{} ({kept})", server.address());
    if is_open {
        eprintln!("stepwell serve: any credentials are accepted, from every machine that can reach this address");
    }
    server.run()
}

/// Logs go to stderr, from the level `STEPWELL_LOG` names: error, warn, info, debug, trace or off.
fn start_log() -> Result<(), Unusable> {
    let level = match std::env::var("STEPWELL_LOG") {
        Ok(text) => text
            .parse()
            .map_err(|_| Unusable(format!("STEPWELL_LOG is '{text}', not off, error, warn, info, debug or trace")))?,
        Err(_) => LOG_LEVEL,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}
