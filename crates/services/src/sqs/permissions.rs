//! AddPermission and RemovePermission: statements of a queue's policy. Nothing is enforced by them.

use stepwell_json::Json;

use super::attributes::POLICY;
use super::{Done, Sqs, invalid_value};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

/// Actions one permission may name.
const ACTIONS_MAX: usize = 7;

impl Sqs {
    pub(super) fn add_permission(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let label = input.required("Label")?;
        let (accounts, actions) = (input.texts("AWSAccountIds")?, input.texts("Actions")?);
        if accounts.is_empty() {
            return Err(Refusal::missing("AWSAccountIds"));
        }
        if actions.is_empty() {
            return Err(Refusal::missing("Actions"));
        }
        if actions.len() > ACTIONS_MAX {
            let message = format!("{} Actions were found, maximum allowed is {ACTIONS_MAX}.", actions.len());
            return Err(Refusal::new("OverLimit", message).with_status(403));
        }
        let queue = self.queue(number)?;
        let (mut statements, id) = statements(queue.attributes.get(POLICY).map(|text| &**text), &queue.arn);
        if statements.iter().any(|statement| is_labelled(statement, label)) {
            return Err(invalid_value(label, "Label", "Already exists."));
        }
        let principals = accounts.iter().map(|account| Json::string(format!("arn:aws:iam::{account}:root")));
        let actions = actions.iter().map(|action| Json::string(format!("SQS:{action}")));
        statements.push(Json::object([
            ("Sid", Json::String(label.clone())),
            ("Effect", Json::from("Allow")),
            ("Principal", Json::object([("AWS", one_or_all(principals.collect()))])),
            ("Action", one_or_all(actions.collect())),
            ("Resource", Json::String(queue.arn.clone())),
        ]));
        self.set_policy(number, statements, id, request);
        Ok(Done::Output(Json::empty_object()))
    }

    pub(super) fn remove_permission(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let label = input.required("Label")?;
        let queue = self.queue(number)?;
        let (mut statements, id) = statements(queue.attributes.get(POLICY).map(|text| &**text), &queue.arn);
        let before = statements.len();
        statements.retain(|statement| !is_labelled(statement, label));
        if statements.len() == before {
            return Err(invalid_value(label, "Label", "can't find label on existing policy."));
        }
        self.set_policy(number, statements, id, request);
        Ok(Done::Output(Json::empty_object()))
    }

    fn set_policy(&mut self, number: u64, statements: Vec<Json>, id: Json, request: &Request<'_>) {
        let Some(queue) = self.queue_mut(number) else { return };
        if statements.is_empty() {
            queue.attributes.remove(POLICY);
        } else {
            let policy = Json::object([
                ("Version", Json::from("2012-10-17")),
                ("Id", id),
                ("Statement", Json::array(statements)),
            ]);
            queue.attributes.insert(POLICY.into(), policy.to_string().into());
        }
        queue.modified_at = request.now;
        queue.about_changed();
    }
}

/// The statements of a policy, and its id.
fn statements(policy: Option<&str>, arn: &str) -> (Vec<Json>, Json) {
    let policy = policy.and_then(|text| Json::parse(text).ok()).unwrap_or(Json::Null);
    let statements = match policy.get("Statement") {
        Some(Json::Array(list)) => list.iter().cloned().collect(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let id = policy.get("Id").cloned();
    (statements, id.unwrap_or_else(|| Json::string(format!("{arn}/SQSDefaultPolicy"))))
}

fn is_labelled(statement: &Json, label: &str) -> bool {
    statement.get("Sid").and_then(Json::as_str) == Some(label)
}

/// A policy writes one value without brackets.
fn one_or_all(mut values: Vec<Json>) -> Json {
    match values.len() {
        1 => values.remove(0),
        _ => Json::array(values),
    }
}
