//! One answer of every exception, to the byte.

use stepwell_api::{Encoding, Refusal, reply};
use stepwell_json::Json;
use stepwell_spec::{Exception, KmsKeyState, ProtocolError, ValidationExceptionReason};

/// Exception or error, status, what follows the type in the body. The messages are examples where they tell more than a
/// name.
const ANSWERS: &str = include_str!("exceptions.txt");

#[test]
fn every_exception_is_answered_to_the_byte() {
    let answers: Vec<(&str, &str, &str)> = ANSWERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, rest) = line.split_once(' ').expect(line);
            let (status, body) = rest.split_once(' ').expect(line);
            (name, status, body)
        })
        .collect();
    let names = Exception::ALL.iter().map(|row| row.name()).chain(ProtocolError::ALL.iter().map(|row| row.name()));
    for name in names {
        assert!(answers.iter().any(|(of, _, _)| *of == name), "{name} has no answer");
    }
    for (name, status, body) in answers {
        let answer = reply(&Err(refusal(name, body)), Encoding::Json10, "00000000-0000-4000-8000-000000000000");
        assert_eq!((answer.status.to_string().as_str(), answer.body.as_str()), (status, body), "{name}");
    }
}

/// The refusal that is to be answered with this body.
fn refusal(name: &str, body: &str) -> Refusal {
    let body = Json::parse(body).expect(body);
    let text = |member: &str| body.get(member).and_then(Json::as_str);
    let message = text("message").or(text("Message"));
    if let Some(&error) = ProtocolError::ALL.iter().find(|error| error.name() == name) {
        return message.map_or_else(|| Refusal::silent(error), |message| Refusal::protocol(error, message));
    }
    let exception = *Exception::ALL.iter().find(|exception| exception.name() == name).expect(name);
    let mut refusal = Refusal::new(exception, message.expect("a message"));
    if let Some(reason) = text("reason").and_then(ValidationExceptionReason::of) {
        refusal = refusal.because(reason);
    }
    if let Some(resource) = text("resourceName") {
        refusal = refusal.about(resource);
    }
    if let Some(state) = text("kmsKeyState").and_then(KmsKeyState::of) {
        refusal = refusal.in_state(state);
    }
    refusal
}
