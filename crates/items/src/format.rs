//! What is in a file, as `ReaderConfig` says it.

use std::sync::Arc;

use stepwell_asl::ReaderConfig;

use crate::fault::ItemsFault;

/// The format of a file with items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON document: an array, or an object whose members are the items.
    Json {
        /// `ItemsPointer`: where in the document they are. Empty for the document itself.
        pointer: Arc<str>,
    },
    /// A JSON value in each line.
    JsonLines,
    /// Rows of text.
    Csv {
        /// What stands between the values of a row.
        delimiter: u8,
        /// What the values are called.
        headers: Headers,
    },
}

/// What the values of a CSV row are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headers {
    /// As the file's first row says.
    FirstRow,
    /// As given, or as a first row has said before.
    Given(Vec<Arc<str>>),
}

/// The format that a configuration names; `input_type` stands in for its own.
pub fn format_of(config: &ReaderConfig, input_type: Option<&str>) -> Result<Format, ItemsFault> {
    match input_type.or(config.input_type.as_deref()) {
        None | Some("JSON") => Ok(Format::Json { pointer: config.items_pointer.clone().unwrap_or_else(|| "".into()) }),
        Some("JSONL") => Ok(Format::JsonLines),
        Some("CSV") => Ok(Format::Csv {
            delimiter: delimiter(config.csv_delimiter.as_deref()),
            headers: match config.csv_header_location.as_deref() {
                Some("GIVEN") => Headers::given(config.csv_headers.clone())?,
                Some(_) | None => Headers::FirstRow,
            },
        }),
        Some(other) => Err(ItemsFault::new(format!("Files of the type {other} cannot be read here."))),
    }
}

impl Headers {
    /// Refuses names that are there twice. AWS does, in words that no recording shows.
    pub(crate) fn given(names: Vec<Arc<str>>) -> Result<Headers, ItemsFault> {
        let mut sorted: Vec<&str> = names.iter().map(|name| &**name).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ItemsFault::new("CSV headers cannot contain duplicates."));
        }
        Ok(Headers::Given(names))
    }
}

fn delimiter(name: Option<&str>) -> u8 {
    match name {
        Some("PIPE") => b'|',
        Some("SEMICOLON") => b';',
        Some("SPACE") => b' ',
        Some("TAB") => b'\t',
        Some(_) | None => b',',
    }
}
