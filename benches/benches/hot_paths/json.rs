//! Payload text to tree and back.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use stepwell_benches::{compact_states, large_payload};
use stepwell_json::{Json, Spanned};

fn payload(name: &str) -> String {
    match name {
        "1 KB" => compact_states(),
        _ => large_payload(),
    }
}

#[divan::bench(args = ["1 KB", "240 KB"])]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let text = payload(name);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| Json::parse(black_box(&text)));
}

#[divan::bench(args = ["1 KB", "240 KB"])]
fn parse_with_spans(bencher: Bencher<'_, '_>, name: &str) {
    let text = payload(name);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| Spanned::parse(black_box(&text)));
}

#[divan::bench(args = ["1 KB", "240 KB"])]
fn write(bencher: Bencher<'_, '_>, name: &str) {
    let text = payload(name);
    let value = Json::parse(&text).expect("the payload is JSON");
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| black_box(&value).to_string());
}
