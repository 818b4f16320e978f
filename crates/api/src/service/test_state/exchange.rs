//! The HTTP request of a tested HTTP Task and what came back, as TRACE shows them.
//!
//! What a connection adds is a secret: it is shown to who asks for it. Who made the request is not known here.

use stepwell_engine::ExecutionId;
use stepwell_spec::Text;
use stepwell_spec::shapes::{InspectionDataRequest, InspectionDataResponse};

use super::FIRST_ID;
use crate::service::Service;

/// A request that was made for a test, and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpExchange {
    /// `http` or `https`
    pub protocol: &'static str,
    /// As the task alone would make it.
    pub plain: HttpAsked,
    /// As it was made.
    pub revealed: HttpAsked,
    /// What came back, if anything did.
    pub answer: Option<HttpAnswered>,
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAsked {
    /// The verb.
    pub method: String,
    /// Where to, with its query.
    pub url: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// What was sent; may be empty.
    pub body: String,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswered {
    /// The status.
    pub status: u16,
    /// What it is called.
    pub status_text: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it is text.
    pub body: String,
}

/// Whether an execution is there only for a test, which may want to see what its task asked.
pub fn is_test(execution: ExecutionId) -> bool {
    execution.0 >= FIRST_ID
}

impl Service {
    /// Keeps what the task of a test asked, until its answer comes.
    pub fn exchanged(&mut self, execution: ExecutionId, exchange: HttpExchange) {
        // One that nobody waits for any more is gone.
        if let Some(waiting) = self.tests.waiting.get_mut(&execution) {
            waiting.exchange = Some(Box::new(exchange));
        }
    }
}

/// As `inspectionData` shows an exchange.
pub(super) fn shown(exchange: &HttpExchange, reveals: bool) -> (InspectionDataRequest, Option<InspectionDataResponse>) {
    let protocol = || Some(Text::from(exchange.protocol));
    let asked = if reveals { &exchange.revealed } else { &exchange.plain };
    let text = |text: &str| (!text.is_empty()).then(|| Text::from(text));
    let request = InspectionDataRequest {
        protocol: protocol(),
        method: text(&asked.method),
        url: text(&asked.url),
        headers: Some(listed(&asked.headers)),
        body: text(&asked.body),
    };
    let response = exchange.answer.as_ref().map(|answer| InspectionDataResponse {
        protocol: protocol(),
        status_code: Some(answer.status.to_string().into()),
        status_message: text(&answer.status_text),
        headers: Some(listed(&answer.headers)),
        body: text(&answer.body),
    });
    (request, response)
}

/// `[name: value, other: value]`
fn listed(headers: &[(String, String)]) -> Text {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("[{}]", headers.join(", ")).into()
}
