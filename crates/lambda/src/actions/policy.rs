//! Who else may use a function, as it was said. It is kept and shown; the local Lambda asks nobody for permission.

use std::sync::Arc;

use stepwell_json::{Json, Object};

use crate::actions::Request;
use crate::core::Core;
use crate::function::{Function, without};
use crate::input::members;
use crate::names::Target;
use crate::refusal::Refusal;

fn statements(function: &Function, qualifier: &str) -> Vec<Json> {
    function.policies.get(qualifier).and_then(Json::as_array).map(|items| items.to_vec()).unwrap_or_default()
}

fn sid(statement: &Json) -> &str {
    statement.get("Sid").and_then(Json::as_str).unwrap_or_default()
}

/// The function of a call, with a version or an alias that is there.
fn checked<'a>(function: &Function, target: &'a Target) -> Result<&'a str, Refusal> {
    let Some(qualifier) = target.qualifier.as_deref() else { return Ok("") };
    match function.alias(qualifier).is_some() || function.version(qualifier).is_some() {
        true => Ok(qualifier),
        false => Err(Refusal::function_not_found(&target.to_string())),
    }
}

fn statement(target: &Target, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let principal = input.required("Principal")?;
    let is_account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
    let principal = match &**principal {
        "*" => Json::from("*"),
        account if is_account => {
            let partition = target.key.arn().split(':').nth(1).unwrap_or("aws").to_owned();
            members([("AWS", Some(Json::from(format!("arn:{partition}:iam::{account}:root"))))])
        }
        arn if arn.starts_with("arn:") => members([("AWS", Some(Json::from(arn)))]),
        service => members([("Service", Some(Json::from(service)))]),
    };
    let condition = |name, member| -> Result<Option<Json>, Refusal> {
        Ok(input.text(member)?.map(|value| Json::object([(name, Json::from(value.clone()))])))
    };
    let source = condition("AWS:SourceArn", "SourceArn")?;
    let mut equals: Vec<(&str, Json)> = Vec::new();
    for (name, member) in [
        ("AWS:SourceAccount", "SourceAccount"),
        ("aws:PrincipalOrgID", "PrincipalOrgID"),
        ("lambda:EventSourceToken", "EventSourceToken"),
        ("lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ] {
        if let Some(value) = input.text(member)? {
            equals.push((name, Json::from(value.clone())));
        }
    }
    let equals = (!equals.is_empty()).then(|| Json::object(equals));
    let conditions =
        (source.is_some() || equals.is_some()).then(|| members([("StringEquals", equals), ("ArnLike", source)]));
    Ok(members([
        ("Sid", Some(Json::from(input.required("StatementId")?.clone()))),
        ("Effect", Some(Json::from("Allow"))),
        ("Principal", Some(principal)),
        ("Action", Some(Json::from(input.required("Action")?.clone()))),
        ("Resource", Some(Json::from(target.to_string()))),
        ("Condition", conditions),
    ]))
}

fn check_revision(request: Request<'_>, function: &Function) -> Result<(), Refusal> {
    match request.input.text("RevisionId")? {
        Some(revision) if *revision != function.latest.revision => Err(Refusal::stale()),
        Some(_) | None => Ok(()),
    }
}

pub(crate) async fn add(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let statement = statement(&target, request)?;
    core.book
        .edit(&target, |function| {
            check_revision(request, function)?;
            let qualifier = checked(function, &target)?;
            let mut all = statements(function, qualifier);
            if all.iter().any(|known| sid(known) == sid(&statement)) {
                return Err(Refusal::conflict(format!(
                    "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                     existing statement.",
                    sid(&statement)
                )));
            }
            all.push(statement.clone());
            function.policies = function.policies.with(qualifier, Json::array(all));
            Ok(members([("Statement", Some(Json::from(statement.to_string())))]))
        })
        .await
}

pub(crate) async fn remove(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let id = request.input.required("StatementId")?;
    core.book
        .edit(&target, |function| {
            check_revision(request, function)?;
            let qualifier = checked(function, &target)?;
            let before = statements(function, qualifier);
            let after: Vec<Json> = before.iter().filter(|known| *sid(known) != **id).cloned().collect();
            if after.len() == before.len() {
                return Err(match before.is_empty() {
                    true => Refusal::missing("No policy is associated with the given resource."),
                    false => Refusal::missing(format!("Statement {id} is not found in resource policy.")),
                });
            }
            let policies: Object = function.policies.clone();
            function.policies = match after.is_empty() {
                true => without(&policies, qualifier),
                false => policies.with(qualifier, Json::array(after)),
            };
            Ok(Json::empty_object())
        })
        .await
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let function = core.book.function(&target)?;
    let qualifier = checked(&function, &target)?;
    let statements = statements(&function, qualifier);
    if statements.is_empty() {
        return Err(Refusal::missing("The resource you requested does not exist."));
    }
    let policy = members([
        ("Version", Some(Json::from("2012-10-17"))),
        ("Id", Some(Json::from("default"))),
        ("Statement", Some(Json::array(statements))),
    ]);
    Ok(members([
        ("Policy", Some(Json::from(policy.to_string()))),
        ("RevisionId", Some(Json::string(function.latest.revision.clone()))),
    ]))
}
