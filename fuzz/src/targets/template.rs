//! A payload template: compiled with all its faults, or evaluated on the sample.

use stepwell_json::Json;
use stepwell_jsonpath::Template;

use super::sample::SampleScope;
use crate::{Behaviour, gist, magnitude};

/// Pieces of templates.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "{", "}", "[", "]", "\"", ",", ":", ".$\":", "\"a.$\":\"$.items\"", "\"b.$\":\"$$.orderId\"",
    "\"c.$\":\"$customer.name\"", "\".$\":\"$\"", "\"d.$\":\"States.Format('{} {}', $.orderId, $.text)\"",
    "\"e.$\":\"States.Array($.items[*].sku)\"", "\"f.$\":\"States.UUID()\"", "\"g.$\":\"$..sku\"",
    "\"h.$\":\"$.items[?(@.price > 1)]\"", "\"i.$\":1", "null", "true", "1.0", "States.MathAdd(",
    "States.ArrayRange(1, 1000, 1)", "States.JsonMerge($.flags, $.customer, false)", "\\u0024", "\\\"",
];

/// Compiles, evaluates.
pub fn run(input: &[u8]) -> Behaviour {
    let Ok(text) = std::str::from_utf8(input) else { return Behaviour::of("no text") };
    let Ok(source) = Json::parse(text) else { return Behaviour::of("no JSON") };
    match Template::compile(&source) {
        Ok(template) => {
            if template.is_static() {
                assert!(template.variables().is_empty(), "a template without expressions reads no variable");
            }
            match template.evaluate(&SampleScope::new()) {
                Ok(value) => Behaviour::of((
                    value.kind().name(),
                    magnitude(value.serialized_bytes()),
                    template.variables().len(),
                )),
                Err(error) => {
                    assert!(!template.is_static(), "a template without expressions cannot fail");
                    Behaviour::of(format!("{:?}", error.kind))
                }
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "a refusal says why");
            for fault in &faults {
                assert!(fault.pointer.find(&source).is_some(), "a fault points into the template");
            }
            Behaviour::of((magnitude(faults.len()), gist(&faults[0].message)))
        }
    }
}
