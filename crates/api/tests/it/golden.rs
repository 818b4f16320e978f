//! Requests and what is said to them without knowing what exists.

use stepwell_spec::Action;

use crate::ask;

/// Three lines each: action and body, what comes of it, and an empty line. Line breaks and NUL inside are escaped.
/// `passes` is a request that only state can refuse; `answers` is followed by the response; other words are a refusal and
/// its message.
const CASES: &str = include_str!("golden.txt");

#[test]
fn requests_are_judged_as_written_down() {
    let mut count = 0;
    for case in CASES.split("\n\n").map(str::trim).filter(|case| !case.is_empty() && !case.starts_with('#')) {
        let (request, expected) = case.split_once('\n').expect(case);
        let (name, body) = request.split_once(' ').expect(case);
        let action = Action::of(name).expect(name);
        let said = match ask(action, body.as_bytes()) {
            Ok(None) => "passes".to_owned(),
            Ok(Some(response)) => format!("answers {}", response.to_json()),
            Err(refusal) => refusal.to_string(),
        };
        let said = said.replace('\n', "\\n").replace('\0', "\\0");
        assert_eq!(said, expected, "{request}");
        count += 1;
    }
    assert!(count >= 60, "{count}");
}

#[test]
fn every_action_has_a_case() {
    for action in Action::ALL {
        let start = format!("{} ", action.name());
        assert!(CASES.lines().any(|line| line.starts_with(&start)), "{}", action.name());
    }
}
