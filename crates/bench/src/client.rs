//! A client of the API: actions asked and answers read.
//!
//! What is measured goes through [`Client::send`], which reads of an answer only what it must; what prepares and verifies
//! goes through [`Client::call`].

use std::sync::Arc;

use stepwell_json::Json;

use crate::connection::{Answer, Connection, Place, Prepared};
use crate::endpoint::Service;

/// How much of an answer that is an error is shown.
const SHOWN_CHARACTERS: usize = 300;

/// One client and its connection.
pub(crate) struct Client {
    place: Arc<Place>,
    connection: Connection,
}

impl Client {
    pub(crate) fn new(place: Arc<Place>) -> Client {
        Client { connection: Connection::new(place.clone()), place }
    }

    /// Connects before anything is measured.
    pub(crate) async fn open(&mut self, service: Service) -> Result<(), String> {
        self.connection.open(service).await
    }

    /// Sends a request. Any status but 200 is an error.
    pub(crate) async fn send(&mut self, prepared: &Prepared) -> Result<Answer, String> {
        let answer = self.connection.send(prepared).await?;
        if answer.status == 200 {
            return Ok(answer);
        }
        Err(refusal(prepared, &answer))
    }

    /// Asks Step Functions.
    pub(crate) async fn call(&mut self, action: &'static str, body: &Json) -> Result<Json, String> {
        self.call_of(Service::States, action, body).await
    }

    /// Asks a service.
    pub(crate) async fn call_of(
        &mut self,
        service: Service,
        action: &'static str,
        body: &Json,
    ) -> Result<Json, String> {
        let prepared = self.place.prepare(service, action, body.to_string())?;
        let answer = self.send(&prepared).await?;
        let text = answer.text();
        match text.is_empty() {
            true => Ok(Json::empty_object()),
            false => Json::parse(&text).map_err(|fault| format!("{action}: the answer is no JSON: {fault}")),
        }
    }
}

/// An answer that is an error, in one line.
fn refusal(prepared: &Prepared, answer: &Answer) -> String {
    let text = answer.text();
    let text: String = text.trim().chars().take(SHOWN_CHARACTERS).collect();
    format!("{}: status {}: {}", prepared.action(), answer.status, text.replace('\n', " "))
}

/// The text of a member that has to be there.
pub(crate) fn text(answer: &Json, member: &str) -> Result<String, String> {
    let found = answer.get(member).and_then(Json::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("the answer has no {member}: {}", shown(answer)))
}

/// The beginning of an answer.
pub(crate) fn shown(answer: &Json) -> String {
    answer.to_string().chars().take(SHOWN_CHARACTERS).collect()
}

/// The text after `"member":"` in an answer, without reading the rest of it. For members whose values hold no escapes, such
/// as ARNs, statuses and task tokens.
pub(crate) fn plain_text<'a>(answer: &'a [u8], member: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(at) = find(&answer[from..], member.as_bytes()) {
        let after = from + at + member.len();
        let opens = from + at > 0 && answer[from + at - 1] == b'"';
        if let Some(rest) = answer[after..].strip_prefix(b"\"").filter(|_| opens) {
            let rest = rest.trim_ascii_start();
            let rest = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
            if let Some(value) = rest.and_then(|rest| rest.strip_prefix(b"\"")) {
                let end = value.iter().position(|byte| *byte == b'"')?;
                return std::str::from_utf8(&value[..end]).ok();
            }
        }
        from = after;
    }
    None
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_without_reading_the_answer() {
        let check = |answer: &str, expected: Option<&str>| {
            assert_eq!(plain_text(answer.as_bytes(), "status"), expected, "{answer}");
        };
        check(r#"{"status":"SUCCEEDED"}"#, Some("SUCCEEDED"));
        check(r#"{"a": 1, "status" : "FAILED", "b": 2}"#, Some("FAILED"));
        check(r#"{"name":"status","status":"RUNNING"}"#, Some("RUNNING"));
        check(r#"{"xstatus":"A"}"#, None);
        check(r#"{"status":7}"#, None);
        check(r#"{"status":"cut"#, None);
        check("", None);
    }
}
