//! Reading definitions, inputs and variables from where the command line says.

use std::io::Read;
use std::path::Path;

use stepwell_asl::Source;
use stepwell_json::Json;

use crate::Unusable;

/// A definition's file.
pub(crate) struct DefinitionFile {
    /// Its path as given, for messages.
    pub(crate) name: String,
    /// Its text.
    pub(crate) source: Source,
}

/// Reads a definition; its name's ending says whether it is YAML.
pub(crate) fn read_definition(path: &Path) -> Result<DefinitionFile, Unusable> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let source = if is_yaml { Source::yaml(text) } else { Source::json(text) };
    Ok(DefinitionFile { name, source })
}

/// A JSON value and the text it was read from.
pub(crate) struct JsonText {
    pub(crate) value: Json,
    pub(crate) text: String,
}

/// Reads a JSON value given outright, as `@FILE`, or as `-` for stdin. `what` names it in messages.
pub(crate) fn read_json(given: &str, what: &str) -> Result<JsonText, Unusable> {
    let (text, place) = match given {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|fault| Unusable(format!("cannot read stdin: {fault}")))?;
            (utf8(bytes, "stdin")?, "stdin".to_owned())
        }
        given => match given.strip_prefix('@') {
            Some(path) => (read_text(Path::new(path))?, path.to_owned()),
            None => (given.to_owned(), what.to_owned()),
        },
    };
    let value = Json::parse(&text).map_err(|fault| Unusable(format!("{place} is not JSON: {fault}")))?;
    Ok(JsonText { value, text })
}

/// Reads a whole file of UTF-8 text.
pub(crate) fn read_text(path: &Path) -> Result<String, Unusable> {
    let bytes = std::fs::read(path).map_err(|fault| Unusable(format!("cannot read {}: {fault}", path.display())))?;
    utf8(bytes, &path.display().to_string())
}

fn utf8(bytes: Vec<u8>, place: &str) -> Result<String, Unusable> {
    String::from_utf8(bytes).map_err(|fault| {
        Unusable(format!("{place} is not UTF-8 text: byte {} is not", fault.utf8_error().valid_up_to() + 1))
    })
}
