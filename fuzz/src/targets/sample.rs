//! The document that fuzzed paths and expressions are evaluated on: small, with something of everything.

use std::cell::Cell;

use stepwell_json::Json;
use stepwell_jsonpath::Scope;

const INPUT: &str = r#"{
    "orderId": "A-1042",
    "customer": { "name": "Ada", "tier": "gold", "tags": ["a", "b", "c"], "address": null },
    "items": [
        { "sku": "LAMP", "price": 34.5, "qty": 2, "tags": ["x"], "when": "2026-11-02T10:15:00Z" },
        { "sku": "DESK", "price": 189, "qty": 1, "tags": [] },
        { "sku": "PEN", "price": 0.99, "qty": 12, "nested": { "sku": { "sku": [1, [2, [3]]] } } }
    ],
    "flags": { "paid": true, "sent": false },
    "text": "the quick brown 🦊 fox",
    "numbers": [0, -1, 1.5, 1e10, 12345678901234567890, -0.0],
    "empty": { "object": {}, "array": [], "string": "" }
}"#;

/// The sample, parsed.
pub(crate) fn input() -> Json {
    Json::parse(INPUT).expect("the sample is JSON")
}

/// What a path sees while it is fuzzed: the sample three times, and counted chance.
pub(crate) struct SampleScope {
    document: Json,
    drawn: Cell<u64>,
}

impl SampleScope {
    pub(crate) fn new() -> SampleScope {
        SampleScope { document: input(), drawn: Cell::new(0) }
    }
}

impl Scope for SampleScope {
    fn input(&self) -> &Json {
        &self.document
    }

    fn context(&self) -> Json {
        self.document.clone()
    }

    fn variable(&self, name: &str) -> Option<Json> {
        self.document.get(name).cloned()
    }

    fn draw(&self) -> u64 {
        self.drawn.set(self.drawn.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        self.drawn.get()
    }
}
