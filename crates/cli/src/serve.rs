//! `stepwell serve`: the API over HTTP, until it is asked to end.

use std::ffi::OsString;
use std::process::ExitCode;

use stepwell_server::{Egress, Endpoints, Server, Settings, StartError, Throttling};

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
        endpoints: endpoints(std::env::vars_os(), &args.endpoint).map_err(Unusable)?,
        ca_bundle: args.ca_bundle,
        egress: Egress::allowing(args.egress_allow),
        account: args.account,
        region: args.region,
        allowed_hosts: args.allow_host,
        insecure: args.insecure,
        credentials: args.credentials,
        clock_skew_minutes: args.clock_skew,
        throttling: throttling(&args.throttle),
        functions: args.function.into_iter().chain(args.function_url).collect(),
        function_sandbox: args.function_sandbox.is_on(),
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

/// Variables that say where a service is, as Step Functions Local has them.
const ENDPOINT_VARIABLES: &[(&str, &str)] = &[
    ("ATHENA_ENDPOINT", "athena"),
    ("BATCH_ENDPOINT", "batch"),
    ("DYNAMODB_ENDPOINT", "dynamodb"),
    ("ECS_ENDPOINT", "ecs"),
    ("EVENTBRIDGE_ENDPOINT", "events"),
    ("EVENTS_ENDPOINT", "events"),
    ("GLUE_ENDPOINT", "glue"),
    ("LAMBDA_ENDPOINT", "lambda"),
    ("SAGE_MAKER_ENDPOINT", "sagemaker"),
    ("SNS_ENDPOINT", "sns"),
    ("SQS_ENDPOINT", "sqs"),
];

/// What our own variables begin with; the rest is the service.
const ENDPOINT_PREFIX: &str = "STEPWELL_ENDPOINT_";

/// Where services are: what was said goes before our own variables, and those before the ones of Step Functions Local.
fn endpoints(
    variables: impl Iterator<Item = (OsString, OsString)>,
    said: &[(String, String)],
) -> Result<Endpoints, String> {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for (name, url) in variables {
        let Some(name) = name.to_str() else { continue };
        let url = || match url.to_str() {
            Some(url) => Ok(url.to_owned()),
            None => Err(format!("{name} is no URL")),
        };
        if let Some((_, service)) = ENDPOINT_VARIABLES.iter().find(|(of, _)| *of == name) {
            theirs.push(((*service).to_owned(), url()?));
        } else if let Some(service) = name.strip_prefix(ENDPOINT_PREFIX) {
            ours.push((service.to_ascii_lowercase().replace('_', "-"), url()?));
        }
    }
    let mut endpoints = Endpoints::default();
    // One that is set to nothing is as good as unset.
    for (service, url) in theirs.iter().chain(&ours).chain(said).filter(|(_, url)| !url.is_empty()) {
        endpoints.set(service, url)?;
    }
    Ok(endpoints)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_said_in_three_ways() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned())).collect()
        };
        let read = |variables: &[(&str, &str)], said: &[(&str, &str)]| {
            let variables = pairs(variables).into_iter().map(|(name, url)| (name.into(), url.into()));
            endpoints(variables, &pairs(said))
        };
        let expected = |all: &[(&str, &str)]| {
            let mut endpoints = Endpoints::default();
            for (service, url) in all {
                endpoints.set(service, url).expect("a URL");
            }
            Ok(endpoints)
        };
        let (one, two, three) = ("http://h:1", "http://h:2", "http://h:3");
        assert_eq!(read(&[("LAMBDA_ENDPOINT", one), ("HOME", "/")], &[]), expected(&[("lambda", one)]));
        assert_eq!(
            read(&[("STEPWELL_ENDPOINT_LAMBDA", two), ("LAMBDA_ENDPOINT", one), ("SQS_ENDPOINT", "")], &[]),
            expected(&[("lambda", two)])
        );
        assert_eq!(
            read(&[("STEPWELL_ENDPOINT_LAMBDA", two), ("STEPWELL_ENDPOINT_RDS_DATA", one)], &[("lambda", three)]),
            expected(&[("lambda", three), ("rds-data", one)])
        );
        let fault = read(&[("LAMBDA_ENDPOINT", "here")], &[]).expect_err("no URL");
        assert!(fault.starts_with("the endpoint of lambda cannot be 'here': "), "{fault}");
    }
}
