//! Manifests as their makers write them, and ones that are none.

use stepwell_asl::ReaderConfig;
use stepwell_items::{Format, ManifestKind};

fn config(input_type: Option<&str>, manifest_type: Option<&str>) -> ReaderConfig {
    ReaderConfig {
        input_type: input_type.map(Into::into),
        manifest_type: manifest_type.map(Into::into),
        ..ReaderConfig::default()
    }
}

/// What a manifest says, in short.
fn read(config: &ReaderConfig, text: &str) -> String {
    let kind = ManifestKind::of(config).expect("a manifest");
    match kind.read(config, text.as_bytes()) {
        Ok(manifest) => {
            let place =
                |file: &stepwell_items::DataFile| format!("{}/{}", file.bucket.as_deref().unwrap_or("-"), file.key);
            format!("{:?} {}", manifest.format, manifest.files.iter().map(place).collect::<Vec<_>>().join(" "))
        }
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn manifests_say_where_the_items_are() {
    let inventory = r#"{"sourceBucket":"s","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30","fileFormat":"CSV",
        "fileSchema":"Bucket, Key, Size","files":[{"key":"i/1.csv.gz","size":7,"MD5checksum":"x"},{"key":"i/2.csv.gz"}]}"#;
    for asked in [config(Some("MANIFEST"), None), config(None, Some("S3_INVENTORY"))] {
        let expected = r#"Csv { delimiter: 44, headers: Given(["Bucket", "Key", "Size"]) } d/i/1.csv.gz d/i/2.csv.gz"#;
        assert_eq!(read(&asked, inventory), expected);
    }
    let asked = config(None, Some("S3_INVENTORY"));
    assert!(read(&asked, &inventory.replace("CSV", "ORC")).contains("Only inventories in CSV can be read"));
    assert!(read(&asked, "{}").contains("has no text 'fileFormat'"));
    assert!(read(&asked, "[").contains("The manifest is not JSON"));

    let unloaded = config(Some("JSONL"), Some("ATHENA_DATA"));
    assert_eq!(read(&unloaded, "s3://b/u/1.gz\ns3://b/u/2.gz\n"), "JsonLines b/u/1.gz b/u/2.gz");
    assert_eq!(read(&unloaded, "nowhere"), "A line of the manifest is no s3://bucket/key: nowhere");
    let columns = config(Some("PARQUET"), Some("ATHENA_DATA"));
    assert_eq!(read(&columns, "s3://b/k"), "Files of the type PARQUET cannot be read here.");
}

#[test]
fn what_is_no_manifest_is_a_file() {
    for input_type in ["CSV", "JSON", "JSONL"] {
        assert_eq!(ManifestKind::of(&config(Some(input_type), None)), None);
    }
    let format = stepwell_items::format_of(&config(Some("JSONL"), None), None);
    assert_eq!(format, Ok(Format::JsonLines));
}
