//! Targets of rules.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Arn;

use super::{Events, Outcome, invalid, is_name, misnamed, page_of};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

const ID_MAX: usize = 64;

/// Targets of one rule. Source: EventBridge quotas.
const TARGETS_MAX: usize = 5;

/// Services whose resources get events here.
const SERVICES: [&str; 6] = ["sqs", "sns", "lambda", "states", "logs", "events"];

/// A target, as it was put: the members that say how it is reached and what it gets.
pub(super) struct Target(pub(super) Json);

impl Target {
    pub(super) fn arn(&self) -> Option<&str> {
        self.0.get("Arn").and_then(Json::as_str)
    }

    /// The queue for what does not reach it.
    pub(super) fn dead_letters(&self) -> Option<&str> {
        self.0.get("DeadLetterConfig").and_then(|config| config.get("Arn")).and_then(Json::as_str)
    }

    pub(super) fn group(&self) -> Option<Arc<str>> {
        let group = self.0.get("SqsParameters").and_then(|parameters| parameters.get("MessageGroupId"));
        group.and_then(Json::as_str).map(Arc::from)
    }
}

impl Events {
    pub(super) fn put_targets(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.rule_in(request, input, "Rule")?;
        let list = input.list("Targets")?.ok_or_else(|| Refusal::missing("Targets"))?;
        let mut targets = Vec::with_capacity(list.len());
        for target in list.iter() {
            let id = Input(target).required("Id")?;
            check(id, Input(target))?;
            targets.push((id.clone(), Target(target.clone())));
        }
        if let Some(rule) = self.rules.get_mut(&key) {
            let new = targets.iter().filter(|(id, _)| !rule.targets.contains_key(id)).count();
            if rule.targets.len() + new > TARGETS_MAX {
                let message = "The requested resource exceeds the maximum number allowed.";
                return Err(Refusal::new("LimitExceededException", message));
            }
            rule.targets.extend(targets);
        }
        Ok(Json::object([("FailedEntryCount", Json::from(0)), ("FailedEntries", Json::array(Vec::new()))]))
    }

    pub(super) fn remove_targets(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.rule_in(request, input, "Rule")?;
        let ids = input.texts("Ids")?;
        if let Some(rule) = self.rules.get_mut(&key) {
            rule.targets.retain(|id, _| !ids.contains(&id));
        }
        Ok(Json::object([("FailedEntryCount", Json::from(0)), ("FailedEntries", Json::array(Vec::new()))]))
    }

    pub(super) fn list_targets_by_rule(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.rule_in(request, input, "Rule")?;
        let targets = self.rules.get(&key).map(|rule| &rule.targets);
        let ids = targets.into_iter().flat_map(|targets| targets.keys()).map(|id| &**id);
        page_of("Targets", input, ids, |id| Some(targets?.get(id)?.0.clone()))
    }
}

fn check(id: &Arc<str>, target: Input<'_>) -> Result<(), Refusal> {
    if !is_name(id, ID_MAX) {
        return Err(misnamed("targets.1.member.id", id, ID_MAX));
    }
    let text = target.required("Arn")?;
    let arn = Arn::parse(text);
    let arn = arn.ok_or_else(|| {
        invalid(format!("Parameter {text} is not valid. Reason: Provided Arn is not in correct format."))
    })?;
    if !SERVICES.contains(&arn.service) {
        return Err(invalid(format!("Targets of {} are not available in the local service.", arn.service)));
    }
    let forms = ["Input", "InputPath", "InputTransformer"];
    if forms.iter().filter(|form| target.member(form).is_some()).count() > 1 {
        let message = format!("Only one of Input, InputPath, or InputTransformer must be provided for target {id}.");
        return Err(invalid(message));
    }
    if let Some(input) = target.text("Input")?
        && Json::parse(input).is_err()
    {
        return Err(invalid(format!("JSON syntax error in input for target {id}")));
    }
    if let Some(path) = target.text("InputPath")?
        && !path.starts_with('$')
    {
        return Err(invalid(format!("Invalid InputPath for target {id}.")));
    }
    if let Some(transformer) = target.member("InputTransformer") {
        Input(transformer).required("InputTemplate")?;
    }
    let has_group = target.member("SqsParameters").is_some_and(|sqs| sqs.get("MessageGroupId").is_some());
    if arn.service == "sqs" && arn.resource.ends_with(".fifo") && !has_group {
        return Err(invalid(format!("Parameter(s) SqsParameters must be specified for target: {id}.")));
    }
    Ok(())
}
