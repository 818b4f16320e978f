//! A message: what was sent, and where its receives stand.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stepwell_json::{Json, Object, ObjectBuilder};
use stepwell_spec::Timestamp;

use super::invalid_value;
use crate::answers::Refusal;
use crate::input::Input;

/// Attributes a message may have.
const ATTRIBUTES_MAX: usize = 10;

/// Bytes of an attribute's name or type.
const NAME_BYTES_MAX: usize = 256;

const TRACE_HEADER: &str = "AWSTraceHeader";

/// A message of a queue.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) id: Arc<str>,
    pub(super) body: Arc<str>,
    pub(super) attributes: Object,
    pub(super) trace_header: Option<Arc<str>>,
    pub(super) sender: Arc<str>,
    pub(super) sent_at: Timestamp,
    pub(super) group: Option<Arc<str>>,
    pub(super) deduplication: Option<Arc<str>>,
    /// The queue it came from as a dead letter.
    pub(super) dead_letter_source: Option<Arc<str>>,
    pub(super) seen: Seen,
}

/// Where a message's receives stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) visible_at: Timestamp,
    pub(super) receives: u64,
    pub(super) first_received_at: Option<Timestamp>,
    /// When it was received last. None when it is as if it was not.
    pub(super) received_at: Option<Timestamp>,
}

impl Seen {
    pub(super) fn not_yet(visible_at: Timestamp) -> Seen {
        Seen { visible_at, receives: 0, first_received_at: None, received_at: None }
    }
}

/// A message on its way into a queue, checked as far as no queue is needed for it.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) body: Arc<str>,
    pub(crate) attributes: Object,
    pub(crate) trace_header: Option<Arc<str>>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) deduplication: Option<Arc<str>>,
    pub(crate) delay_seconds: Option<i64>,
}

impl Draft {
    pub(super) fn read(input: Input<'_>) -> Result<Draft, Refusal> {
        let body = input.required("MessageBody")?;
        if body.is_empty() {
            return Err(Refusal::missing("MessageBody"));
        }
        check_characters(body)?;
        let attributes = input.object("MessageAttributes")?.cloned().unwrap_or_else(|| ObjectBuilder::new().build());
        check_attributes(&attributes)?;
        let draft = Draft {
            body: body.clone(),
            attributes,
            trace_header: trace_header(input)?,
            group: input.text("MessageGroupId")?.cloned(),
            deduplication: input.text("MessageDeduplicationId")?.cloned(),
            delay_seconds: input.integer("DelaySeconds")?,
        };
        for (name, id) in [("MessageGroupId", &draft.group), ("MessageDeduplicationId", &draft.deduplication)] {
            if let Some(id) = id {
                check_id(name, id)?;
            }
        }
        if let Some(seconds) = draft.delay_seconds
            && !(0..=900).contains(&seconds)
        {
            let reason = "DelaySeconds must be >= 0 and <= 900.";
            return Err(invalid_value(&seconds.to_string(), "DelaySeconds", reason));
        }
        Ok(draft)
    }

    /// Bytes that count: the body, and every name, type and value of an attribute.
    pub(super) fn bytes(&self) -> usize {
        let of_attribute = |(name, value): (&Arc<str>, &Json)| {
            let text = |name: &str| value.get(name).and_then(Json::as_str);
            let binary = text("BinaryValue").map_or(0, |encoded| decoded(encoded).map_or(0, |bytes| bytes.len()));
            name.len() + text("DataType").map_or(0, str::len) + text("StringValue").map_or(0, str::len) + binary
        };
        self.body.len() + self.attributes.iter().map(of_attribute).sum::<usize>()
    }
}

fn decoded(encoded: &str) -> Option<Vec<u8>> {
    STANDARD.decode(encoded).ok()
}

/// Source: SQS's API reference, SendMessage, `MessageBody`.
fn check_characters(body: &str) -> Result<(), Refusal> {
    let is_allowed =
        |c: char| matches!(c, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
    match body.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => Err(Refusal::new(
            "InvalidMessageContents",
            format!(
                "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is #x9 | \
                 #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                u32::from(c)
            ),
        )),
    }
}

/// Letters, digits and punctuation, up to 128 of them.
fn check_id(name: &str, id: &str) -> Result<(), Refusal> {
    if (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let reason = format!("{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(invalid_value(id, name, &reason))
}

/// Source: SQS's developer guide, "Message metadata".
fn check_attributes(attributes: &Object) -> Result<(), Refusal> {
    let invalid = |message: String| Refusal::new("InvalidParameterValueException", message);
    if attributes.len() > ATTRIBUTES_MAX {
        let count = attributes.len();
        return Err(invalid(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{ATTRIBUTES_MAX}]."
        )));
    }
    for (name, value) in attributes.iter() {
        let lower = name.to_ascii_lowercase();
        let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
        let is_spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.contains("..");
        if name.is_empty() || name.len() > NAME_BYTES_MAX || is_reserved || !is_spelled {
            return Err(invalid(format!(
                "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore, \
                 hyphen, and period; it must not start with 'AWS.' or 'Amazon.'."
            )));
        }
        check_attribute(name, Input(value))?;
    }
    Ok(())
}

fn check_attribute(name: &str, value: Input<'_>) -> Result<(), Refusal> {
    let invalid = |message: String| Refusal::new("InvalidParameterValueException", message);
    if value.member("StringListValues").or(value.member("BinaryListValues")).is_some_and(|list| !is_empty(list)) {
        return Err(Refusal::new(
            "UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let data_type = value.text("DataType")?.filter(|data_type| !data_type.is_empty());
    let Some(data_type) = data_type else {
        return Err(invalid(format!("The message attribute '{name}' must contain non-empty message attribute type.")));
    };
    let kind = data_type.split('.').next().unwrap_or_default();
    let (text, binary) = (value.text("StringValue")?, value.text("BinaryValue")?);
    let is_there = match kind {
        "String" | "Number" => binary.is_none() && text.is_some_and(|text| !text.is_empty()),
        "Binary" => text.is_none() && binary.is_some_and(|text| decoded(text).is_some_and(|bytes| !bytes.is_empty())),
        _ => {
            return Err(invalid(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
                 is Binary, Number, and String."
            )));
        }
    };
    if data_type.len() > NAME_BYTES_MAX {
        return Err(invalid(format!("The type of message attribute '{name}' is longer than {NAME_BYTES_MAX} bytes.")));
    }
    if !is_there {
        return Err(invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{kind}'."
        )));
    }
    if kind == "Number" && !text.is_some_and(|text| text.trim().parse::<f64>().is_ok_and(f64::is_finite)) {
        let text = text.map(|text| &**text).unwrap_or_default();
        return Err(invalid(format!("Can't cast the value of message (user) attribute '{name}' to a number: {text}.")));
    }
    if let Some(text) = text {
        check_characters(text)?;
    }
    Ok(())
}

fn is_empty(list: &Json) -> bool {
    list.as_array().is_some_and(|list| list.is_empty())
}

/// The only attribute of the system that may be sent.
fn trace_header(input: Input<'_>) -> Result<Option<Arc<str>>, Refusal> {
    let Some(attributes) = input.object("MessageSystemAttributes")? else { return Ok(None) };
    for (name, value) in attributes.iter() {
        if &**name != TRACE_HEADER {
            return Err(invalid_value(name, "MessageSystemAttributes", "Only AWSTraceHeader can be sent."));
        }
        check_attribute(name, Input(value))?;
    }
    attributes.get(TRACE_HEADER).map_or(Ok(None), |value| Ok(Input(value).text("StringValue")?.cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code a message with this input is refused with.
    fn check(input: &str, expected: Option<&str>) {
        let input = Json::parse(input).expect("an input");
        let refused = Draft::read(Input(&input)).err().map(|refusal| refusal.code);
        assert_eq!(refused, expected, "{input:?}");
    }

    #[test]
    fn messages_are_checked() {
        const VALUE: Option<&str> = Some("InvalidParameterValueException");
        let attribute =
            |name: &str, value: &str| format!(r#"{{"MessageBody":"b","MessageAttributes":{{"{name}":{value}}}}}"#);
        check(r#"{"MessageBody":"b"}"#, None);
        check("{}", Some("MissingRequiredParameterException"));
        check(r#"{"MessageBody":""}"#, Some("MissingRequiredParameterException"));
        check(r#"{"MessageBody":7}"#, Some("SerializationException"));
        check(r#"{"MessageBody":"\u0001"}"#, Some("InvalidMessageContents"));
        check(r#"{"MessageBody":"b","DelaySeconds":900}"#, None);
        check(r#"{"MessageBody":"b","DelaySeconds":901}"#, VALUE);
        check(r#"{"MessageBody":"b","MessageGroupId":"with space"}"#, VALUE);
        check(&attribute("a", r#"{"DataType":"String","StringValue":"v"}"#), None);
        check(&attribute("a", r#"{"DataType":"Number.int","StringValue":"7"}"#), None);
        check(&attribute("a", r#"{"DataType":"Number","StringValue":"x"}"#), VALUE);
        check(&attribute("a", r#"{"DataType":"String","StringValue":""}"#), VALUE);
        check(&attribute("a", r#"{"DataType":"Binary","BinaryValue":"AQI="}"#), None);
        check(&attribute("a", r#"{"DataType":"Binary","StringValue":"x"}"#), VALUE);
        check(&attribute("a", r#"{"DataType":"Text","StringValue":"x"}"#), VALUE);
        check(&attribute("a", r#"{"StringValue":"x"}"#), VALUE);
        check(&attribute("AWS.a", r#"{"DataType":"String","StringValue":"v"}"#), VALUE);
        check(&attribute("a..b", r#"{"DataType":"String","StringValue":"v"}"#), VALUE);
        check(
            r#"{"MessageBody":"b","MessageSystemAttributes":{"Other":{"DataType":"String","StringValue":"v"}}}"#,
            VALUE,
        );
    }
}
