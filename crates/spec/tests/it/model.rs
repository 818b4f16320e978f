//! The tables of the API against AWS's service model.
//!
//! `model.txt` holds the facts of the model, one line per action, exception, event list and named type. `cargo xtask
//! model` writes it from the `botocore` package and says what has changed; this test holds the tables against it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stepwell_spec::shapes::{Kind, Member, Shape};
use stepwell_spec::{Action, EVENTS, Exception};

#[test]
fn the_tables_say_what_the_model_says() {
    let expected: Vec<&str> = include_str!("model.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let said = facts();
    let missing: Vec<_> = expected.iter().filter(|line| !said.contains(&line.to_string())).collect();
    let unknown: Vec<_> = said.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "only the model says:\n{missing:#?}\nonly we say:\n{unknown:#?}");
    assert_eq!(expected.len(), said.len(), "a line stands twice");
}

/// The facts of the tables, in the words of the file.
fn facts() -> Vec<String> {
    let mut lines = Vec::new();
    let mut shapes = BTreeMap::new();
    for action in Action::ALL.iter().map(|action| action.facts()) {
        let throws: Vec<&str> = action.throws.iter().map(|exception| exception.name()).collect();
        lines.push(format!(
            "action {} {} {} {}",
            action.name,
            if action.idempotent { "idempotent" } else { "-" },
            if action.host_prefix.is_empty() { "-" } else { action.host_prefix },
            throws.join(",")
        ));
        collect(action.request, &mut shapes);
        collect(action.response, &mut shapes);
    }
    for &exception in Exception::ALL {
        let mut line = format!("exception {} {}", exception.name(), exception.status());
        if let Some(member) = exception.member() {
            let _ = write!(line, " {}", in_structure(member));
            collect(member.shape, &mut shapes);
        }
        lines.push(line);
    }
    let mut events: Vec<&str> = EVENTS.iter().filter(|row| row.public).map(|row| row.name).collect();
    events.sort_unstable();
    lines.push(format!("events {}", events.join(",")));
    lines.extend(shapes.into_values());
    lines
}

fn collect(shape: &'static Shape, shapes: &mut BTreeMap<&'static str, String>) {
    if matches!(shape.kind, Kind::Event) {
        return;
    }
    let line = line_of(shape);
    if let Some(other) = shapes.insert(shape.name, line.clone()) {
        assert_eq!(other, line, "two shapes of one name");
    }
    match &shape.kind {
        Kind::List { items, .. } => collect(items, shapes),
        Kind::Map { names, values } => {
            collect(names, shapes);
            collect(values, shapes);
        }
        Kind::Structure(members) => members.iter().for_each(|member| collect(member.shape, shapes)),
        _ => {}
    }
}

fn line_of(shape: &Shape) -> String {
    let sensitive = if shape.sensitive { " sensitive" } else { "" };
    let what = match &shape.kind {
        // What lengths count is not in the model.
        Kind::Text { min, max, measure: _, pattern } => {
            let pattern = pattern.map_or_else(|| "-".to_owned(), |pattern| pattern.text().to_owned());
            format!("text {} {} {pattern}", limit(*min), limit(*max))
        }
        Kind::Choice(texts) => format!("choice {}", texts.join(",")),
        Kind::Integer { min, max } => format!("integer {} {}", limit(*min), limit(*max)),
        Kind::Long { min } => format!("long {} -", limit(*min)),
        Kind::Float { min, max } => format!("float {min} {max}"),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::List { items, min, max } => format!("list {} {} {}", items.name, limit(*min), limit(*max)),
        Kind::Map { names, values } => format!("map {} {}", names.name, values.name),
        Kind::Structure(members) => {
            let members: Vec<String> = members.iter().map(in_structure).collect();
            format!("structure {}", members.join(","))
        }
        Kind::Event => "event".to_owned(),
    };
    format!("{} {what}{sensitive}", shape.name)
}

fn limit<T: ToString>(limit: Option<T>) -> String {
    limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string())
}

fn in_structure(member: &Member) -> String {
    let required = if member.required { "!" } else { "" };
    format!("{}:{}{required}", member.name, member.shape.name)
}
