//! What is measured: the payloads and expressions, the same for our benches and for the reference on Node.

use stepwell_json::Json;

/// A `$states` of about 1.1 KB, as a Task state of an order workflow would see it.
pub const STATES: &str = include_str!("../jsonata-reference/states.json");

const EXPRESSIONS: &str = include_str!("../jsonata-reference/expressions.json");

/// [`STATES`] as compact text, as payloads come.
pub fn compact_states() -> String {
    states().to_string()
}

/// [`STATES`], parsed.
pub fn states() -> Json {
    Json::parse(STATES).expect("states.json is JSON")
}

/// The JSONata expressions: name and text, in the order of the file.
pub fn expressions() -> Vec<(String, String)> {
    let file = Json::parse(EXPRESSIONS).expect("expressions.json is JSON");
    let members = file.as_object().expect("expressions.json is an object").iter();
    members.map(|(name, text)| (name.to_string(), text.as_str().expect("an expression is text").to_owned())).collect()
}

/// A payload near the quota of 256 KiB: many items of the kind [`STATES`] holds.
pub fn large_payload() -> String {
    let items = states().get("input").and_then(|input| input.get("items")).cloned().expect("states.json has items");
    let item = items.as_array().and_then(|items| items.first().cloned()).expect("states.json has an item");
    let count = (240 << 10) / (item.serialized_bytes() + 1);
    Json::object([("items", Json::array(vec![item; count]))]).to_string()
}

#[cfg(test)]
mod tests {
    use super::{compact_states, expressions, large_payload};

    #[test]
    fn the_workload_has_the_size_it_claims() {
        let states = compact_states();
        assert!((1000..1250).contains(&states.len()), "{}", states.len());
        let large = large_payload();
        assert!((220 << 10..256 << 10).contains(&large.len()), "{}", large.len());
        assert_eq!(expressions().len(), 9);
    }
}
