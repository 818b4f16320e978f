//! Every format, in pieces of every size, and gone on with behind every item.

use stepwell_items::{Format, ITEM_BYTES_MAX};

use crate::world::{csv, given, json, read, read_anew};

/// What a file gives, however it comes.
fn check(format: &Format, file: &str, expected: Result<&[&str], &str>) {
    let expected =
        expected.map(|items| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>()).map_err(str::to_owned);
    for piece in [1, 2, 3, 5, 7, 64, file.len()] {
        assert_eq!(read(format, file.as_bytes(), piece), expected, "{format:?} in {piece}s: {file:?}");
    }
    assert_eq!(read_anew(format, file.as_bytes()), expected, "{format:?} anew: {file:?}");
}

#[test]
fn rows_of_csv_are_objects_of_texts() {
    let first = csv(b',');
    // As recorded.
    check(
        &first,
        "Col1,Col2,Col3\nValue1,Value2,Value3\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   \n",
        Ok(&[
            r#"{"Col1":"Value1","Col2":"Value2","Col3":"Value3"}"#,
            r#"{"Col1":"","Col2":"","Col3":""}"#,
            r#"{"Col1":"true","Col2":"1","Col3":"'HelloWorld'"}"#,
            r#"{"Col1":"Null","Col2":"None","Col3":""}"#,
            r#"{"Col1":"   ","Col2":"","Col3":""}"#,
        ]),
    );
    check(
        &given(&["H1"]),
        "Value1,Value2\n,,,\nNull,\n",
        Ok(&[r#"{"H1":"Value1"}"#, r#"{"H1":""}"#, r#"{"H1":"Null"}"#]),
    );
    check(
        &first,
        "a,b\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n\r\n2",
        Ok(&[r#"{"a":"1","b":"x, \"y\"\r\nz"}"#, r#"{"a":"2","b":""}"#]),
    );
    check(&first, "\u{feff}a,b\n1,2\n", Ok(&[r#"{"a":"1","b":"2"}"#]));
    check(&first, "ä\nüß€\n", Ok(&[r#"{"ä":"üß€"}"#]));
    check(&csv(b'\t'), "a\tb\n1,5\t2", Ok(&[r#"{"a":"1,5","b":"2"}"#]));
    for file in ["", "\n\n", "a,b", "a,b\n", "\u{feff}"] {
        check(&first, file, Ok(&[]));
    }
    check(&first, "a\n\"x\n", Err("A value in quotes has no end."));
    check(&first, "a,b,a\n1,2,3\n", Err("CSV headers cannot contain duplicates."));
}

#[test]
fn lines_of_json_are_items() {
    check(&Format::JsonLines, "{\"a\":1}\n\n 2 \r\n\"x\"\nnull", Ok(&[r#"{"a":1}"#, "2", "\"x\"", "null"]));
    check(&Format::JsonLines, "\u{feff}1\n", Ok(&["1"]));
    check(&Format::JsonLines, "", Ok(&[]));
    let fault = read(&Format::JsonLines, b"1\nnope\n", 3).expect_err("no JSON");
    assert!(fault.starts_with("A line is not JSON: Unrecognized token 'nope'"), "{fault}");
}

#[test]
fn a_json_document_gives_what_is_in_its_array_or_object() {
    let whole = json("");
    check(
        &whole,
        r#" [ 1 , "a]b\"," , [2,[3]] ,{"k":"}"}, null] and more"#,
        Ok(&["1", r#""a]b\",""#, "[2,[3]]", r#"{"k":"}"}"#, "null"]),
    );
    check(&whole, r#"{"a": 1, "b" : [2], "ü": "x"}"#, Ok(&["a=1", "b=[2]", "ü=\"x\""]));
    check(&whole, "[]", Ok(&[]));
    check(&whole, "{ }", Ok(&[]));
    check(&whole, "7", Err("Attempting to map over non-iterable node."));
    check(&whole, "", Err("The file is not JSON: it ends too early."));
    check(&whole, "[1, 2", Err("The file is not JSON: it ends too early."));
    let nested = r#"{"x":{"a~/b":["no"]},"n":[0,{"a~/b":[1,2]},"]"],"after":[9]}"#;
    check(&json("/n/1/a~0~1b"), nested, Ok(&["1", "2"]));
    check(&json("/after"), nested, Ok(&["9"]));
    check(&json("/none"), nested, Err("ItemsPointer '/none' leads to nothing."));
    check(&json("/n/7"), nested, Err("ItemsPointer '/n/7' leads to nothing."));
    check(&json("/n/0/x"), nested, Err("ItemsPointer '/n/0/x' leads to nothing."));
    check(&json("/n/0"), nested, Err("Attempting to map over non-iterable node."));
}

#[test]
fn an_item_has_256_kib_at_most() {
    let long = "x".repeat(ITEM_BYTES_MAX);
    let short = "x".repeat(ITEM_BYTES_MAX - 64);
    for (format, file) in [
        (Format::JsonLines, format!("\"{long}\"\n")),
        (Format::JsonLines, long.repeat(3)),
        (json(""), format!("[\"{long}\"]")),
        (json(""), format!("[\"{}", long.repeat(3))),
        (given(&["a"]), format!("{long}\n")),
        (given(&["a"]), format!("\"{}", long.repeat(3))),
    ] {
        let fault = read(&format, file.as_bytes(), 100_000).expect_err("too long");
        assert!(fault.ends_with("has more than 262144 bytes."), "{format:?} {fault}");
    }
    assert_eq!(read(&given(&["a"]), short.as_bytes(), 100_000).map(|items| items.len()), Ok(1));
    let headers = format!("{}\n1\n", "h".repeat(11_000));
    let fault = read(&csv(b','), headers.as_bytes(), 1_000).expect_err("too long");
    assert_eq!(fault, "The line of headers has more than 10240 bytes.");
}
