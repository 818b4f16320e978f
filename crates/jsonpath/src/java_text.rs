//! Texts as Java writes them: the service prints some values through Java's own `toString`, and users see it.

use std::fmt::Write as _;

use stepwell_json::{Json, Number};

/// A float as `Double.toString` writes it: `110.0`, `1.0E7`, `1.0E-4`.
pub(crate) fn double_text(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// A float as a JSON number that prints as Java would print it; `null` where JSON has no such number.
pub(crate) fn double(value: f64) -> Json {
    Number::parse(&double_text(value)).map_or(Json::Null, Json::Number)
}

/// A number as Java prints it after reading it from JSON: integers as written, everything else as a double.
pub(crate) fn number_text(number: &Number) -> String {
    let value = number.as_f64();
    if number.is_integer_text() || !value.is_finite() { number.to_string() } else { double_text(value) }
}

/// A value as `toString` writes it: text bare, `{Arg1=1, Arg2=[a, b]}`.
pub(crate) fn value_text(value: &Json) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => write!(out, "{value}").expect("a String takes every write"),
        Json::Number(number) => out.push_str(&number_text(number)),
        Json::String(text) => out.push_str(text),
        Json::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                out.push_str(name);
                out.push('=');
                write_value(member, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_java_prints_them() {
        for (value, text) in [
            (110.0, "110.0"),
            (0.0, "0.0"),
            (-2.5, "-2.5"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (9_999_999.0, "9999999.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (2.872_281_323_269_014_3, "2.8722813232690143"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn values_print_as_java_prints_them() {
        for (json, text) in [
            (r#"{"Arg1": 1, "Arg2": []}"#, "{Arg1=1, Arg2=[]}"),
            (r#"["a", null, true, 1.50, 1e3, {"k":{"l":"m"}}]"#, "[a, null, true, 1.5, 1000.0, {k={l=m}}]"),
            (r#""plain""#, "plain"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(value_text(&Json::parse(json).expect("JSON")), text);
        }
    }
}
