//! JSON as a form: `application/x-www-form-urlencoded`, with the ways an HTTP Task may write arrays.

use stepwell_json::Json;

/// How an array stands in a form: `RequestEncodingOptions.ArrayFormat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrayFormat {
    /// `a[0]=1&a[1]=2`
    #[default]
    Indices,
    /// `a=1&a=2`
    Repeat,
    /// `a=1,2`
    Commas,
    /// `a[]=1&a[]=2`
    Brackets,
}

impl ArrayFormat {
    /// The format of this name.
    pub(crate) fn of(name: &str) -> Option<ArrayFormat> {
        Some(match name {
            "INDICES" => ArrayFormat::Indices,
            "REPEAT" => ArrayFormat::Repeat,
            "COMMAS" => ArrayFormat::Commas,
            "BRACKETS" => ArrayFormat::Brackets,
            _ => return None,
        })
    }
}

/// The form of an object. Text stays as it is.
pub(crate) fn form_of(value: &Json, format: ArrayFormat) -> String {
    let Json::Object(members) = value else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let mut pairs = Vec::new();
    for (name, value) in members {
        gather(name, value, format, &mut pairs);
    }
    let pairs = pairs.into_iter().map(|(name, value)| format!("{}={}", encode(&name), encode(&value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn gather(name: &str, value: &Json, format: ArrayFormat, pairs: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) => {
            for (member, value) in members {
                gather(&format!("{name}[{member}]"), value, format, pairs);
            }
        }
        Json::Array(values) => match format {
            ArrayFormat::Commas if values.iter().all(is_plain) => {
                let values: Vec<String> = values.iter().map(text).collect();
                pairs.push((name.to_owned(), values.join(",")));
            }
            ArrayFormat::Indices | ArrayFormat::Commas => {
                for (index, value) in values.iter().enumerate() {
                    gather(&format!("{name}[{index}]"), value, format, pairs);
                }
            }
            ArrayFormat::Repeat => values.iter().for_each(|value| gather(name, value, format, pairs)),
            ArrayFormat::Brackets => values.iter().for_each(|value| gather(&format!("{name}[]"), value, format, pairs)),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => pairs.push((name.to_owned(), text(value))),
    }
}

fn is_plain(value: &Json) -> bool {
    !matches!(value, Json::Object(_) | Json::Array(_))
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// As AWS shows it: a space is `%20`, and brackets are escaped too.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~*".contains(&byte) => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_escaped_as_documented() {
        let value = r#"{"description":"Monthly subscription","metadata":{"order_details":"monthly report data"},"customer":"1234567890"}"#;
        let value = Json::parse(value).expect("JSON");
        let expected = "description=Monthly%20subscription&metadata%5Border_details%5D=monthly%20report%20data&customer=1234567890";
        assert_eq!(form_of(&value, ArrayFormat::Indices), expected);
    }

    #[test]
    fn arrays_are_written_as_asked() {
        let value = Json::parse(r#"{"a":[1,"b c"],"o":{"k":true,"n":null}}"#).expect("JSON");
        for (name, expected) in [
            ("INDICES", "a%5B0%5D=1&a%5B1%5D=b%20c&o%5Bk%5D=true&o%5Bn%5D="),
            ("REPEAT", "a=1&a=b%20c&o%5Bk%5D=true&o%5Bn%5D="),
            ("COMMAS", "a=1%2Cb%20c&o%5Bk%5D=true&o%5Bn%5D="),
            ("BRACKETS", "a%5B%5D=1&a%5B%5D=b%20c&o%5Bk%5D=true&o%5Bn%5D="),
        ] {
            assert_eq!(form_of(&value, ArrayFormat::of(name).expect("a format")), expected);
        }
        assert!(ArrayFormat::of("indices").is_none());
        assert_eq!(form_of(&Json::from("as=is"), ArrayFormat::Indices), "as=is");
    }
}
