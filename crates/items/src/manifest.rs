//! Manifests: files that say which files the items are in.
//!
//! ```text
//! S3 Inventory   manifest.json: fileFormat, fileSchema, destinationBucket, files[].key; data is CSV, mostly packed
//! Athena UNLOAD  one `s3://bucket/key` in each line; the data has the format of the query's UNLOAD
//! ```

use std::sync::Arc;

use stepwell_asl::ReaderConfig;
use stepwell_json::Json;

use crate::decoder::text;
use crate::fault::ItemsFault;
use crate::format::{Format, Headers, format_of};

/// Whose manifest a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestKind {
    /// Of S3 Inventory.
    Inventory,
    /// Of Athena's UNLOAD.
    Athena,
}

/// One file with items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is; `None` for the manifest's own bucket.
    pub bucket: Option<Arc<str>>,
    /// Its key.
    pub key: Arc<str>,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The format of all its files.
    pub format: Format,
    /// Its files.
    pub files: Vec<DataFile>,
}

impl ManifestKind {
    /// The kind that a configuration asks for, if it asks for one.
    pub fn of(config: &ReaderConfig) -> Option<ManifestKind> {
        match (config.manifest_type.as_deref(), config.input_type.as_deref()) {
            (Some("ATHENA_DATA"), _) => Some(ManifestKind::Athena),
            (Some(_), _) | (None, Some("MANIFEST")) => Some(ManifestKind::Inventory),
            (None, Some(_) | None) => None,
        }
    }

    /// Reads a whole manifest.
    pub fn read(self, config: &ReaderConfig, bytes: &[u8]) -> Result<Manifest, ItemsFault> {
        let text = text(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))?;
        match self {
            ManifestKind::Inventory => inventory(text),
            ManifestKind::Athena => athena(config, text),
        }
    }
}

fn inventory(text: &str) -> Result<Manifest, ItemsFault> {
    let manifest = Json::parse(text).map_err(|fault| ItemsFault::new(format!("The manifest is not JSON: {fault}")))?;
    let field = |name: &str| {
        let missing = || ItemsFault::new(format!("The manifest of an S3 inventory has no text '{name}'."));
        manifest.get(name).and_then(Json::as_str).ok_or_else(missing)
    };
    let file_format = field("fileFormat")?;
    if file_format != "CSV" {
        return Err(ItemsFault::new(format!(
            "The files of the inventory are {file_format}. Only inventories in CSV can be read."
        )));
    }
    let names = field("fileSchema")?.split(',').map(|name| name.trim().into()).collect();
    let bucket = field("destinationBucket")?;
    let bucket: Arc<str> = bucket.rsplit(':').next().unwrap_or(bucket).into();
    let files = manifest.get("files").and_then(Json::as_array);
    let files = files.ok_or_else(|| ItemsFault::new("The manifest of an S3 inventory has no list 'files'."))?;
    let file = |file: &Json| {
        let key = file.get("key").and_then(Json::as_str).map(Arc::from);
        let key = key.ok_or_else(|| ItemsFault::new("A file of the manifest has no text 'key'."))?;
        Ok(DataFile { bucket: Some(bucket.clone()), key })
    };
    Ok(Manifest {
        format: Format::Csv { delimiter: b',', headers: Headers::given(names)? },
        files: files.iter().map(file).collect::<Result<_, _>>()?,
    })
}

fn athena(config: &ReaderConfig, text: &str) -> Result<Manifest, ItemsFault> {
    let input_type = config.input_type.as_deref().filter(|name| *name != "MANIFEST");
    let lines = text.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty());
    let file = |line: &str| {
        let place = line.strip_prefix("s3://").and_then(|place| place.split_once('/'));
        let (bucket, key) = place.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()).ok_or_else(|| {
            let shown: String = line.chars().take(100).collect();
            ItemsFault::new(format!("A line of the manifest is no s3://bucket/key: {shown}"))
        })?;
        Ok(DataFile { bucket: Some(bucket.into()), key: key.into() })
    };
    Ok(Manifest {
        format: format_of(config, input_type.or(Some("CSV")))?,
        files: lines.map(file).collect::<Result<_, _>>()?,
    })
}
