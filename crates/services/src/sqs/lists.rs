//! GetQueueUrl and ListQueues.

use stepwell_json::Json;
use stepwell_protocol::Place;

use super::{Done, Sqs, invalid_value, no_queue};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::paging;
use crate::services::Request;

/// Queues of a list that is not asked for in pages.
const QUEUES_MAX: usize = 1_000;

impl Sqs {
    pub(super) fn get_queue_url(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let name = input.required("QueueName")?;
        let owner = input.text("QueueOwnerAWSAccountId")?.unwrap_or(&request.place.account);
        let place = Place { account: owner.clone(), region: request.place.region.clone() };
        let number = self.names.get(&(place, name.clone())).ok_or_else(no_queue)?;
        Ok(Done::Output(Json::object([("QueueUrl", Json::from(self.url_of(self.queue(*number)?)))])))
    }

    pub(super) fn list_queues(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let prefix = input.text("QueueNamePrefix")?.map(|prefix| &**prefix).unwrap_or_default();
        let token = input.text("NextToken")?.map(|token| &**token);
        let (limit, is_paged) = match input.integer("MaxResults")? {
            Some(_) => (page_limit(input, 1_000)?, true),
            None => (QUEUES_MAX, token.is_some()),
        };
        let names = self.names.keys().filter(|(place, name)| place == request.place && name.starts_with(prefix));
        let (shown, next) = paging::page(names.map(|(_, name)| &**name), token, limit).ok_or_else(bad_token)?;
        let url = |name: &&str| Json::string(format!("{}/{}/{name}", self.endpoint, request.place.account));
        let urls = (!shown.is_empty()).then(|| Json::array(shown.iter().map(url).collect()));
        Ok(Done::Output(members([("QueueUrls", urls), ("NextToken", next.filter(|_| is_paged).map(Json::from))])))
    }
}

/// How many a page has: 1 to 1,000.
pub(super) fn page_limit(input: Input<'_>, default: i64) -> Result<usize, Refusal> {
    let asked = input.integer("MaxResults")?.unwrap_or(default);
    match usize::try_from(asked) {
        Ok(limit) if (1..=1_000).contains(&limit) => Ok(limit),
        _ => Err(invalid_value(&asked.to_string(), "MaxResults", "Must be >= 1 and <= 1000, if provided.")),
    }
}

pub(super) fn bad_token() -> Refusal {
    Refusal::new("InvalidParameterValueException", "Invalid or expired next token.")
}
