//! The mock file as a setting of the server.

use std::path::Path;

use stepwell_server::{MockFile, Server, Settings, StartError};

#[test]
fn a_file_that_cannot_be_used_is_refused_at_the_start() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let check = |name: &str, text: Option<&str>, says: &str| {
        let file = folder.join(name);
        if let Some(text) = text {
            std::fs::write(&file, text).expect("a file");
        }
        let settings =
            Settings { listen: "127.0.0.1:0".parse().expect("an address"), mocks: Some(file), ..Settings::default() };
        match Server::bind(settings) {
            Err(StartError::Unusable(reason)) => assert!(reason.contains(says), "{reason}"),
            other => panic!("{other:?}"),
        }
    };
    check("not-there.json", None, "cannot read");
    check("no-json.json", Some("{"), "is not JSON");
    check("no-machines.json", Some("{}"), "there is no object \"StateMachines\"");
}

#[test]
fn cases_are_found_by_name() {
    let text = r#"{"StateMachines":{"m":{"TestCases":{"a":{"T":"R"}}}},"MockedResponses":{"R":{"0":{"Return":1}}}}"#;
    let file = MockFile::parse("mocks.json", text).expect("a mock file");
    let names = |name: &str| [name.to_owned()];
    assert!(file.case(&names("m"), "a").is_ok());
    assert!(file.clear_case(&names("other"), None).is_ok());
    let fault = file.case(&names("other"), "a").expect_err("no such machine");
    assert_eq!(fault, "mocks.json: there is no state machine named 'other': there are 'm'");
    let fault = file.case(&names("m"), "b").expect_err("no such case");
    assert_eq!(fault, "mocks.json: there is no test case named 'b': there are 'a'");
}
