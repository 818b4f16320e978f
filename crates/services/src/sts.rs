//! STS: who somebody is, and credentials that do not last.
//!
//! Keeps nothing: the account of temporary credentials stands in their access key id. Any role may be assumed, there or not;
//! where callers prove who they are, one of another account only by whom its trust policy names.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::account_of_access_key;
use stepwell_spec::{Arn, Timestamp, partition_of};

use crate::answers::{Refusal, answer, texts};
use crate::iam::{Iam, unique_id};
use crate::input::Input;
use crate::services::{Request, ServicesOuts};

type Outcome = Result<Json, Refusal>;
type Action = fn(&Iam, &Request<'_>, Input<'_>) -> Outcome;

const ACTIONS: &[(&str, Action)] = &[
    ("AssumeRole", assume_role),
    ("GetAccessKeyInfo", get_access_key_info),
    ("GetCallerIdentity", get_caller_identity),
    ("GetSessionToken", get_session_token),
];

/// How long credentials last, in seconds. Source: STS's API reference, AssumeRole and GetSessionToken, `DurationSeconds`.
const SECONDS_MIN: u64 = 900;
const ROLE_SECONDS: u64 = 3_600;
const ROLE_SECONDS_MAX: u64 = 43_200;
const SESSION_SECONDS: u64 = 43_200;
const SESSION_SECONDS_MAX: u64 = 129_600;

pub(crate) fn call(iam: &Iam, request: &Request<'_>, outs: &mut ServicesOuts) {
    let found = ACTIONS.iter().find(|(action, _)| *action == &*request.call.action);
    let outcome = match found {
        Some((_, action)) => action(iam, request, Input(&request.call.input)),
        None => Err(Refusal::unknown_action("sts", &request.call.action)),
    };
    let outcome = outcome.map_err(|refusal| {
        refusal.named(&["MissingRequiredParameterException", "SerializationException"], "ValidationError")
    });
    outs.replies.push((request.id, answer(outcome, request.chance)));
}

/// The account's root: a call comes here with its account, and not with the key that signed it.
fn get_caller_identity(_: &Iam, request: &Request<'_>, _: Input<'_>) -> Outcome {
    let account = &request.place.account;
    let arn = format!("arn:{}:iam::{account}:root", partition_of(&request.place.region));
    Ok(texts([("UserId", account.clone()), ("Account", account.clone()), ("Arn", arn.into())]))
}

fn assume_role(iam: &Iam, request: &Request<'_>, input: Input<'_>) -> Outcome {
    let (role_arn, session) = (input.required("RoleArn")?, input.required("RoleSessionName")?);
    let arn = Arn::parse(role_arn).filter(|arn| arn.service == "iam");
    let name = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("role/")?.rsplit('/').next());
    let (Some(arn), Some(name)) = (arn.as_ref(), name.filter(|name| !name.is_empty())) else {
        return Err(Refusal::new("ValidationError", format!("{role_arn} is invalid")));
    };
    let is_spelled = session.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if !is_spelled || !(2..=64).contains(&session.len()) {
        return Err(constrained("roleSessionName", session, r"satisfy regular expression pattern: [\w+=,.@-]{2,64}"));
    }
    let caller = &request.place.account;
    if !iam.may_assume(caller, arn.account, name) {
        let who = format!("arn:{}:iam::{caller}:root", arn.partition);
        let message = format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        return Err(Refusal::new("AccessDenied", message).with_status(403));
    }
    let role = iam.role(arn.account, name);
    let seconds = seconds(input, ROLE_SECONDS, ROLE_SECONDS_MAX)?;
    if role.as_ref().is_some_and(|(_, most)| seconds > *most) {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::new("ValidationError", message));
    }
    let id = role.map_or_else(|| unique_id("AROA", request.chance), |(id, _)| id);
    let assumed = format!("arn:{}:sts::{}:assumed-role/{name}/{session}", arn.partition, arn.account);
    let user = texts([("AssumedRoleId", format!("{id}:{session}")), ("Arn", assumed)]);
    Ok(Json::object([("Credentials", credentials(iam, arn.account, request, seconds)?), ("AssumedRoleUser", user)]))
}

fn get_session_token(iam: &Iam, request: &Request<'_>, input: Input<'_>) -> Outcome {
    let seconds = seconds(input, SESSION_SECONDS, SESSION_SECONDS_MAX)?;
    Ok(Json::object([("Credentials", credentials(iam, &request.place.account, request, seconds)?)]))
}

fn get_access_key_info(_: &Iam, request: &Request<'_>, input: Input<'_>) -> Outcome {
    let id = input.required("AccessKeyId")?;
    if id.len() < 16 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(constrained("accessKeyId", id, r"satisfy regular expression pattern: [\w]{16,128}"));
    }
    // An id that says nothing is taken to be one of the caller's.
    let account = account_of_access_key(id).map_or_else(|| request.place.account.clone(), Arc::from);
    Ok(texts([("Account", account)]))
}

fn credentials(iam: &Iam, account: &str, request: &Request<'_>, seconds: u64) -> Outcome {
    let invalid = || Refusal::new("ValidationError", format!("The account {account} has no twelve digits."));
    let until: Timestamp = request.now.plus_ms(seconds * 1_000);
    let until = Timestamp(until.0.div_euclid(1_000) * 1_000);
    let given = iam.mint().session(account, until, request.chance.draw()).ok_or_else(invalid)?;
    Ok(Json::object([
        ("AccessKeyId", Json::from(given.access_key_id)),
        ("SecretAccessKey", Json::from(given.secret_access_key)),
        ("SessionToken", Json::from(given.session_token)),
        ("Expiration", Json::from_f64(until.seconds()).unwrap_or(Json::Null)),
    ]))
}

fn seconds(input: Input<'_>, unless_said: u64, most: u64) -> Result<u64, Refusal> {
    let Some(said) = input.integer("DurationSeconds")? else { return Ok(unless_said) };
    match u64::try_from(said) {
        Ok(seconds) if (SECONDS_MIN..=most).contains(&seconds) => Ok(seconds),
        Ok(seconds) if seconds > most => {
            Err(constrained("durationSeconds", &said.to_string(), &format!("have value less than or equal to {most}")))
        }
        _ => {
            let least = format!("have value greater than or equal to {SECONDS_MIN}");
            Err(constrained("durationSeconds", &said.to_string(), &least))
        }
    }
}

fn constrained(name: &str, value: &str, constraint: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must {constraint}"
    );
    Refusal::new("ValidationError", message)
}
