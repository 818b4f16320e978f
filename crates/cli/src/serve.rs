//! `stepwell serve`: the API over HTTP, until it is asked to end.

use std::process::ExitCode;

use stepwell_server::{Server, Settings, StartError, Throttling};

use crate::Unusable;
use crate::args::{ServeArgs, Throttle, Time};
use crate::log::LogFormat;

pub(crate) fn serve(args: ServeArgs) -> Result<ExitCode, Unusable> {
    args.log_format.start(args.log);
    let settings = Settings {
        listen: args.listen,
        data: (!args.memory).then_some(args.data),
        time: match args.time {
            Time::Real => stepwell_server::Time::Real,
            Time::Skip => stepwell_server::Time::Skip,
        },
        // The name Step Functions Local has for it.
        mocks: args.mocks.or_else(|| std::env::var_os("SFN_MOCK_CONFIG").map(Into::into)),
        account: args.account,
        region: args.region,
        allowed_hosts: args.allow_host,
        insecure: args.insecure,
        credentials: args.credentials,
        clock_skew_minutes: args.clock_skew,
        throttling: throttling(&args.throttle),
    };
    match listen(settings, args.log_format) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(StartError::Unusable(reason)) => Err(Unusable(reason)),
        Err(StartError::Refused(reason)) => {
            eprintln!("stepwell: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn listen(settings: Settings, log: LogFormat) -> Result<(), StartError> {
    let is_open = !settings.listen.ip().is_loopback();
    let kept = match &settings.data {
        Some(directory) => format!("kept in {}", directory.display()),
        None => "in memory; nothing is kept when it stops".to_owned(),
    };
    let server = Server::bind(settings)?;
    log.say(&format!("listening on http://{} ({kept})", server.address()));
    match (server.keys(), is_open) {
        (None, false) => log.say("any credentials are accepted; --credentials FILE asks for signatures"),
        (None, true) => log.say("any credentials are accepted, from every machine that can reach this address"),
        (Some(_), true) => log.say("requests must be signed; what they say is not encrypted on its way here"),
        (Some(_), false) => log.say("requests must be signed"),
    }
    server.run()
}

/// What the words come to, the later ones before the earlier.
fn throttling(words: &[Throttle]) -> Throttling {
    let mut throttling = Throttling::default();
    for word in words {
        match word {
            Throttle::Off => throttling = Throttling::default(),
            Throttle::Aws => throttling.aws = true,
            Throttle::Action(action, bucket) => {
                throttling.actions.insert(*action, *bucket);
            }
        }
    }
    throttling
}
