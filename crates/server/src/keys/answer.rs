//! Keys as services write them down: STS in its answers, and containers, instances and programs in a document.

use stepwell_json::Json;
use stepwell_protocol::Keys;
use stepwell_spec::Timestamp;

use super::{Found, Lasts};

/// The keys in an answer of STS.
pub(super) fn of_sts(answer: &Json) -> Result<Found, String> {
    let given = answer.get("Credentials");
    let text = |name: &str| {
        let value = given.and_then(|given| given.get(name)).and_then(Json::as_str);
        value.map(str::to_owned).ok_or_else(|| format!("STS answered without {name}"))
    };
    let until = given.and_then(|given| given.get("Expiration")).and_then(Json::as_f64);
    let until = until.ok_or("STS answered without Expiration")?;
    Ok(Found {
        keys: Keys {
            access_key_id: text("AccessKeyId")?,
            secret_access_key: text("SecretAccessKey")?,
            session_token: Some(text("SessionToken")?),
        },
        lasts: Lasts::Until(Timestamp((until * 1000.0) as i64)),
    })
}

/// The keys in a document, whose token has this name. Refuses one that lacks a part of them, without repeating it.
pub(super) fn of_document(document: &[u8], token: &str) -> Result<Found, String> {
    let document = std::str::from_utf8(document).ok().and_then(|text| Json::parse(text).ok());
    let document = document.filter(|document| document.as_object().is_some()).ok_or("it did not answer with JSON")?;
    let text = |name: &str| document.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    if let Some(code) = text("Code").filter(|code| *code != "Success") {
        let message = text("Message").unwrap_or_default();
        return Err(format!("it answered {code}: {message}"));
    }
    let needed = |name: &str| text(name).map(str::to_owned).ok_or_else(|| format!("its answer has no {name}"));
    let lasts = match text("Expiration") {
        Some(end) => Lasts::Until(Timestamp::parse(end).map_err(|_| "its answer has an Expiration that is no moment")?),
        None => Lasts::Always,
    };
    Ok(Found {
        keys: Keys {
            access_key_id: needed("AccessKeyId")?,
            secret_access_key: needed("SecretAccessKey")?,
            session_token: text(token).map(str::to_owned),
        },
        lasts,
    })
}
