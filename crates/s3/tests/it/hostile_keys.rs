//! SEC-51: a key is a name and never a path, whatever stands in it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::house::{Folder, House, encoded};

/// More than stands in the database: each such object is a file.
const LARGE: usize = 20_000;

const PIECES: &[&str] = &[
    "..", "/", "\\", "%2e%2e", "%2f", "\0", "C:", "~", ".", "a", "A", "é", "\u{202e}", "con", "\n", " ", "*", "|",
    "\u{ff0f}", "$HOME",
];

fn keys() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 1..12).prop_map(|pieces| pieces.concat());
    let traversal = Just("../../../../../../tmp/stepwell-was-here".to_owned());
    let long = prop::sample::select(PIECES).prop_map(|piece| piece.repeat(1024 / piece.len()));
    prop_oneof![6 => pieces, 2 => any::<String>(), 1 => traversal, 1 => long]
        .prop_filter("S3's own rule", |key| !key.is_empty() && key.len() <= 1024)
}

#[test]
fn nothing_is_written_but_numbered_files() {
    let outer = Folder::new("hostile");
    let inner = outer.path().join("data");
    let house = House::open(Some(&inner), None);
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    runtime.block_on(house.must("PUT", "/bucket", ""));
    let mut kept = std::collections::BTreeMap::new();
    let mut runner = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    let kept_ref = std::cell::RefCell::new(&mut kept);
    runner
        .run(&(keys(), any::<u8>(), any::<bool>()), |(key, fill, large)| {
            let body = vec![fill; if large { LARGE } else { 3 }];
            runtime.block_on(async {
                let target = format!("/bucket/{}", encoded(key.as_bytes()));
                let told = house.ask("PUT", &target, body.clone()).await;
                prop_assert!(told.status.is_success(), "{key:?}: {}", told.text());
                let told = house.ask("GET", &target, "").await;
                prop_assert!(told.body == body, "{key:?} gives something else");
                Ok(())
            })?;
            kept_ref.borrow_mut().insert(key, body);
            Ok(())
        })
        .expect("every key is a name");
    for (key, body) in &kept {
        let told = runtime.block_on(house.must("GET", &format!("/bucket/{}", encoded(key.as_bytes())), ""));
        assert!(told.body == *body, "{key:?} was another's");
    }
    let large = kept.values().filter(|body| body.len() == LARGE).count();
    let files = outer.files();
    let is_ours = |name: &str| {
        name == "data/metadata.redb"
            || name.strip_prefix("data/bodies/").is_some_and(|rest| {
                rest.len() == 25 && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'/')
            })
    };
    for (name, _) in &files {
        assert!(is_ours(name), "{name} is not one of our files");
    }
    assert_eq!(files.len(), large + 1, "a file for each large object, and the database");
    assert!(!std::path::Path::new("/tmp/stepwell-was-here").exists());
}

#[tokio::test]
async fn keys_that_are_no_text_are_refused() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    for (key, code) in
        [(&b"\xff\xfe"[..], "InvalidURI"), (b"a\xc0\xaf", "InvalidURI"), (&[b'x'; 1025], "KeyTooLongError")]
    {
        let told = house.ask("PUT", &format!("/bucket/{}", encoded(key)), "x").await;
        assert_eq!((told.status.as_u16(), told.code().as_str()), (400, code), "{key:?}");
    }
    assert!(house.must("GET", "/bucket?list-type=2", "").await.text().contains("<KeyCount>0</KeyCount>"));
}
