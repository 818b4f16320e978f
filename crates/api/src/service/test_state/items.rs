//! What `ItemReader` makes of data in its original form: JSON, JSON Lines or CSV.
//!
//! Source: Developer Guide, "ItemReader". Faults of the data are told in our own words; AWS's are not recorded.

use stepwell_asl::{ItemReader, ReaderConfig, State};
use stepwell_items::{Decoder, ItemsFault, format_of};
use stepwell_json::{Json, Pointer};

use crate::refusal::Refusal;

/// Items, and what was seen on the way to them.
#[derive(Default)]
pub(super) struct ItemsRead {
    /// An array, or an object whose members are the items.
    pub(super) items: Option<Json>,
    /// What `ItemsPointer` led to.
    pub(super) after_pointer: Option<Json>,
}

/// Reads the data as the state's `ItemReader` would.
pub(super) fn read_items(state: &State, data: &str) -> Result<ItemsRead, Refusal> {
    let reader = item_reader(state)
        .ok_or_else(|| refused(format!("the state '{}' has no ItemReader that would read it", state.name)))?;
    let config = &reader.config;
    match config.input_type.as_deref() {
        // A listing has no type of its own; what it gives is JSON.
        None | Some("JSON") => read_json(config, data),
        Some(_) => read_all(config, data),
    }
}

fn item_reader(state: &State) -> Option<&ItemReader> {
    state.kind.distributed_map()?.1.item_reader.as_ref()
}

fn read_json(config: &ReaderConfig, data: &str) -> Result<ItemsRead, Refusal> {
    let document = Json::parse(data).map_err(|fault| refused(format!("it is not JSON: {fault}")))?;
    let found = config.items_pointer.as_deref().map(|pointer| {
        let found = Pointer::from(pointer).find(&document).cloned();
        found.ok_or_else(|| refused(format!("ItemsPointer '{pointer}' leads to nothing")))
    });
    let after_pointer = found.transpose()?;
    let items = after_pointer.clone().unwrap_or(document);
    match items {
        Json::Array(_) | Json::Object(_) => Ok(ItemsRead { items: Some(items), after_pointer }),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            Err(refused("the items are neither an array nor an object".to_owned()))
        }
    }
}

/// Reads what is not one document.
fn read_all(config: &ReaderConfig, data: &str) -> Result<ItemsRead, Refusal> {
    let fault = |fault: ItemsFault| refused(fault.to_string());
    let mut decoder = Decoder::new(format_of(config, None).map_err(fault)?);
    decoder.feed(data.as_bytes());
    decoder.end();
    let mut items = Vec::new();
    while let Some(item) = decoder.next_item().map_err(fault)? {
        items.push(item.value);
    }
    Ok(ItemsRead { items: Some(Json::array(items)), after_pointer: None })
}

fn refused(why: String) -> Refusal {
    Refusal::invalid_request(format!("mapItemReaderData cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_asl::{Options, Source, StateId, compile_state};

    /// The items as text, or why there are none.
    fn read(config: &str, data: &str) -> String {
        let text = format!(
            r#"{{"Type":"Map","ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config},
            "Parameters":{{"Bucket":"b","Key":"k"}}}},"ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED",
            "ExecutionType":"STANDARD"}},"StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}},"End":true}}"#
        );
        let compilation = compile_state(&Source::json(&*text), "M", &Options::default());
        let definition = compilation.definition.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics));
        match read_items(definition.state(StateId(0)), data) {
            Ok(read) => read.items.map(|items| items.to_string()).unwrap_or_default(),
            Err(refusal) => refusal.message().unwrap_or_default().replace("mapItemReaderData cannot be used: ", ""),
        }
    }

    #[test]
    fn each_type_of_data_becomes_items() {
        for (config, data, expected) in [
            (r#"{"InputType":"JSON"}"#, "[1, 2]", "[1,2]"),
            (r#"{"InputType":"JSON"}"#, r#"{"a": 1}"#, r#"{"a":1}"#),
            (r#"{"InputType":"JSON","ItemsPointer":"/a/b"}"#, r#"{"a":{"b":[3]}}"#, "[3]"),
            (r#"{"InputType":"JSON","ItemsPointer":"/c"}"#, r#"{"a":1}"#, "ItemsPointer '/c' leads to nothing"),
            (r#"{"InputType":"JSON"}"#, "7", "the items are neither an array nor an object"),
            (r#"{"InputType":"JSONL"}"#, "{\"a\":1}\n\n{\"a\":2}\n", r#"[{"a":1},{"a":2}]"#),
            (
                r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#,
                "a,b\r\n1,\"x, \"\"y\"\"\nz\"\n\n2\n",
                r#"[{"a":"1","b":"x, \"y\"\nz"},{"a":"2","b":""}]"#,
            ),
            (
                r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],"CSVDelimiter":"TAB"}"#,
                "1\t2",
                r#"[{"a":"1","b":"2"}]"#,
            ),
            (r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#, "a\n\"x", "A value in quotes has no end."),
            (r#"{"InputType":"PARQUET"}"#, "PAR1", "Files of the type PARQUET cannot be read here."),
        ] {
            assert_eq!(read(config, data), expected, "{config} {data}");
        }
        assert!(read(r#"{"InputType":"JSON"}"#, "[1").starts_with("it is not JSON"));
        assert!(read(r#"{"InputType":"JSONL"}"#, "1\n[").starts_with("A line is not JSON"));
    }
}
