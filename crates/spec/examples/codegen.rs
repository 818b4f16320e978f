//! Writes the reference pages that are made of tables: `cargo run -p stepwell-spec --example codegen -- docs/reference`.
//!
//! Owns the pages' layout. Every fact in them comes from a table of the crate; a page is never edited by hand.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use stepwell_spec::shapes::LogLevel;
use stepwell_spec::{
    Action, Bucket, Dialect, ERRORS, EVENTS, Exception, FieldType, GroupRule, LARGE_REGIONS, OperandType, Operator,
    Place, ProtocolError, QUOTAS, Relation, SERVICES, THROTTLES, fields_of, groups_of,
};

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "docs/reference".to_owned());
    let pages = [
        ("asl-fields.md", asl_fields()),
        ("choice-operators.md", choice_operators()),
        ("service-integrations.md", service_integrations()),
        ("history-events.md", history_events()),
        ("error-names.md", error_names()),
        ("quotas.md", quotas()),
        ("api.md", api()),
    ];
    for (name, page) in pages {
        fs::write(Path::new(&folder).join(name), page)?;
    }
    Ok(())
}

fn heading(title: &str, introduction: &str) -> String {
    format!(
        "<!-- Generated from the tables of crates/spec by its example `codegen`. Do not edit. -->\n\n# {title}\n\n{introduction}\n"
    )
}

fn asl_fields() -> String {
    let mut page = heading(
        "Fields of the Amazon States Language",
        "Every field, by the object it stands in. **J** is for JSONPath only, **N** for JSONata only. A value marked `{% … %}` may be\ngiven as a JSONata expression in a JSONata state. The operators of Choice rules have [their own page](choice-operators.md).",
    );
    for place in Place::ALL {
        let title = place.phrase().trim_start_matches("an ").trim_start_matches("a ");
        let _ = write!(page, "\n## {}{}\n\n", title[..1].to_uppercase(), &title[1..]);
        page.push_str("| field | | takes | |\n| --- | --- | --- | --- |\n");
        for field in fields_of(place) {
            let mut takes = takes_phrase(field.takes);
            if field.expression {
                takes.push_str(", or `{% … %}`");
            }
            let required = if field.required { " **Required.**" } else { "" };
            let dialect = dialect_letter(field.dialect);
            let _ = writeln!(page, "| `{}` | {dialect} | {takes} | {}{required} |", field.name, field.doc);
        }
        let groups: Vec<String> = groups_of(place)
            .map(|group| {
                let names: Vec<String> = group.fields.iter().map(|name| format!("`{name}`")).collect();
                let count = match group.rule {
                    GroupRule::AtMostOne => "At most one of",
                    GroupRule::ExactlyOne => "Exactly one of",
                    GroupRule::AtLeastOne => "At least one of",
                };
                format!("- {count} {}.\n", names.join(", "))
            })
            .collect();
        if !groups.is_empty() {
            let _ = write!(page, "\n{}", groups.concat());
        }
    }
    page
}

fn dialect_letter(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Both => "",
        Dialect::JsonPath => "J",
        Dialect::Jsonata => "N",
    }
}

fn takes_phrase(takes: FieldType) -> String {
    match takes {
        FieldType::Text => "text".to_owned(),
        FieldType::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        FieldType::Boolean => "`true` or `false`".to_owned(),
        FieldType::Integer(min, max) => format!("whole number, {min} to {max}"),
        FieldType::Number(min, f64::MAX) => format!("number, at least {min:?}"),
        FieldType::Number(min, max) => format!("number, {min:?} to {max:?}"),
        FieldType::Timestamp => "RFC 3339 time".to_owned(),
        FieldType::StateName => "name of a state of the same workflow".to_owned(),
        FieldType::Resource => "ARN".to_owned(),
        FieldType::NullablePath => "path, or `null`".to_owned(),
        FieldType::ReferencePath => "reference path".to_owned(),
        FieldType::ItemsPath => "reference path, or path into the context object".to_owned(),
        FieldType::ResultPath => "reference path into the input, or `null`".to_owned(),
        FieldType::ComparedPath => "path".to_owned(),
        FieldType::TextExpression => "path, or intrinsic function that returns text".to_owned(),
        FieldType::Template => "payload template".to_owned(),
        FieldType::JsonataValue => "JSON with `{% … %}` in it".to_owned(),
        FieldType::JsonataObject => "object with `{% … %}` in it, or `{% … %}`".to_owned(),
        FieldType::JsonataItems => "array or object, or `{% … %}`".to_owned(),
        FieldType::Payload => "payload template, or JSON with `{% … %}` in it".to_owned(),
        FieldType::Assignments => "object of variables and values".to_owned(),
        FieldType::Condition => "`true`, `false` or `{% … %}`".to_owned(),
        FieldType::Json => "any JSON".to_owned(),
        FieldType::ErrorNames => "list of error names".to_owned(),
        FieldType::TextList => "list of text".to_owned(),
        FieldType::JsonPointer => "JSON Pointer".to_owned(),
        FieldType::States => "object of states by name".to_owned(),
        FieldType::Object(place) => place.phrase().to_owned(),
        FieldType::List(place) => format!("list, each {}", place.phrase()),
    }
}

fn choice_operators() -> String {
    let mut page = heading(
        "Choice operators",
        "What a JSONPath Choice rule can ask of `Variable`. An operator with a twin takes its operand from the path given under\nthe twin's name.",
    );
    page.push_str("\n| operator | twin | operand | holds when `Variable` |\n| --- | --- | --- | --- |\n");
    for operator in Operator::ALL {
        let twin = operator.path_name().map(|name| format!("`{name}`")).unwrap_or_default();
        let operand = match operator.operand_type() {
            OperandType::String => "text",
            OperandType::Number => "number",
            OperandType::Boolean => "`true` or `false`",
            OperandType::Timestamp => "RFC 3339 time",
        };
        let holds = match operator.relation() {
            Relation::Equals => "equals it".to_owned(),
            Relation::LessThan => "is less".to_owned(),
            Relation::GreaterThan => "is greater".to_owned(),
            Relation::LessThanEquals => "is less or equal".to_owned(),
            Relation::GreaterThanEquals => "is greater or equal".to_owned(),
            Relation::Matches => "matches it; `*` stands for any text, `\\\\*` for an asterisk".to_owned(),
            Relation::Is(looked_for) => {
                format!("is {} (or is not, for `false`)", format!("{looked_for:?}").to_lowercase())
            }
        };
        let _ = writeln!(page, "| `{}` | {twin} | {operand} | {holds} |", operator.name());
    }
    page
}

fn service_integrations() -> String {
    let mut page = heading(
        "Optimized service integrations",
        "What a Task's `Resource` may name as `arn:aws:states:::SERVICE:ACTION`, and which suffixes it takes: `.sync` waits for the\njob that was started, `.waitForTaskToken` until the task's token is sent back. Express workflows take no suffix.\nAWS SDK integrations, `arn:aws:states:::aws-sdk:SERVICE:ACTION`, take `.waitForTaskToken` only.",
    );
    page.push_str("\n| service | action | `.sync` | `.waitForTaskToken` |\n| --- | --- | --- | --- |\n");
    for service in SERVICES {
        for action in service.actions {
            let sync = match (action.sync, action.sync2) {
                (_, true) => "yes, also `.sync:2`",
                (true, false) => "yes",
                (false, false) => "",
            };
            let token = if action.token { "yes" } else { "" };
            let _ = writeln!(page, "| {} | `{}:{}` | {sync} | {token} |", service.title, service.name, action.name);
        }
    }
    page
}

fn history_events() -> String {
    let mut page = heading(
        "History events",
        "Every type of event that `GetExecutionHistory` shows, what consoles call it, and which levels of a logging \
             configuration write it to CloudWatch Logs.",
    );
    page.push_str("\n| type | label | logged |\n| --- | --- | --- |\n");
    for row in EVENTS {
        let levels = match row.logged_at {
            Some(LogLevel::All) => "`ALL`",
            Some(LogLevel::Error) => "`ALL`, `ERROR`",
            Some(LogLevel::Fatal) => "`ALL`, `ERROR`, `FATAL`",
            Some(LogLevel::Off) | None => continue,
        };
        let _ = writeln!(page, "| `{}` | {} | {levels} |", row.name, row.label);
    }
    page
}

fn error_names() -> String {
    let mut page = heading(
        "Error names",
        "The names the language itself reports or reserves. A task may fail with any other name; both wildcards stand for those.",
    );
    page.push_str("\n| name | `States.ALL` | `States.TaskFailed` | when |\n| --- | --- | --- | --- |\n");
    let yes = |stands: bool| if stands { "yes" } else { "no" };
    for row in ERRORS {
        let _ =
            writeln!(page, "| `{}` | {} | {} | {} |", row.name, yes(row.in_all), yes(row.in_task_failed), row.meaning);
    }
    page
}

fn quotas() -> String {
    let mut page = heading("Quotas", "AWS's limits, which are ours as well.");
    page.push_str("\n| what | limit | source |\n| --- | --- | --- |\n");
    for row in QUOTAS {
        let _ = writeln!(page, "| {} | {} {} | {} |", row.name, row.value, row.unit, row.source);
    }
    page.push_str(
        "\n## Throttles\n\nHow often an account may call each action in one region: calls at once / calls a second from then on. \
         They hold with\n`stepwell serve --throttle aws`; past them the answer is `ThrottlingException`.\n\n",
    );
    let _ = writeln!(page, "| action | {} | other regions |\n| --- | --- | --- |", LARGE_REGIONS.join(", "));
    for row in THROTTLES {
        let show = |bucket: Bucket| format!("{} / {}", bucket.size, bucket.refill_per_second);
        let _ = writeln!(page, "| `{}` | {} | {} |", row.action.facts().name, show(row.large), show(row.other));
    }
    page
}

fn api() -> String {
    let mut page = heading(
        "The API",
        "Every action of AWS Step Functions, asked for over AWS JSON 1.0 as `X-Amz-Target: AWSStepFunctions.ACTION`. Members,\nlengths, ranges and patterns are those of AWS's service model; `cargo xtask model` holds them against it.",
    );
    page.push_str("\n## Actions\n\n| action | | throws |\n| --- | --- | --- |\n");
    for action in Action::ALL.iter().map(|action| action.facts()) {
        let throws: Vec<String> = action.throws.iter().map(|exception| format!("`{}`", exception.name())).collect();
        let mut notes = action.summary.to_owned();
        if action.is_paginated() {
            notes.push_str(" In pages.");
        }
        if action.idempotent {
            notes.push_str(" Idempotent.");
        }
        if !action.host_prefix.is_empty() {
            let _ = write!(notes, " SDKs put `{}` before the host's name.", action.host_prefix);
        }
        let _ = writeln!(page, "| `{}` | {notes} | {} |", action.name, throws.join(", "));
    }
    page.push_str("\n## Exceptions\n\n| exception | HTTP status | when |\n| --- | --- | --- |\n");
    for exception in Exception::ALL {
        let carries = exception.member().map(|member| format!(" Carries `{}`.", member.name)).unwrap_or_default();
        let _ =
            writeln!(page, "| `{}` | {} | {}{carries} |", exception.name(), exception.status(), exception.meaning());
    }
    page.push_str("\nBeside these, any action may answer:\n\n| error | HTTP status | when |\n| --- | --- | --- |\n");
    for error in ProtocolError::ALL {
        let _ = writeln!(page, "| `{}` | {} | {} |", error.name(), error.status(), error.meaning());
    }
    page
}
