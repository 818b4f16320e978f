//! The functions on text.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use stepwell_json::Json;

use super::Arguments;
use crate::expression::Failure;
use crate::java_text::value_text;

/// Characters the functions for Base64 and hashes take. Source: AWS's documentation of these functions.
const CHARACTERS_MAX: usize = 10_000;
/// Text one function may make, in bytes: 16 times the largest payload, and little enough to make many at once.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// Java's decoder takes Base64 without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `holes` are where the `{}` to replace stand in the template; `None` for every `{}` in it.
pub(super) fn format(arguments: &Arguments<'_>, holes: Option<&[usize]>) -> Result<Json, Failure> {
    let template = arguments.text(0)?;
    let values = &arguments.0[1..];
    let found: Vec<usize>;
    let holes = match holes {
        Some(holes) => holes,
        None => {
            found = template.match_indices("{}").map(|(place, _)| place).collect();
            &found
        }
    };
    if holes.len() != values.len() {
        return Err(Failure::intrinsic(format!(
            "The template has {} occurrences of {{}}, but {} values are given",
            holes.len(),
            values.len()
        )));
    }
    let mut text = String::with_capacity(template.len());
    let mut copied = 0;
    for (hole, value) in holes.iter().zip(values) {
        text.push_str(&template[copied..*hole]);
        copied = hole + "{}".len();
        match value {
            Json::String(value) => text.push_str(value),
            other => {
                // Java's text of a value is not longer than its JSON by more than a few characters a number.
                if other.serialized_bytes() > TEXT_BYTES_MAX {
                    return Err(Failure::too_large(TEXT_BYTES_MAX));
                }
                text.push_str(&value_text(other));
            }
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(Failure::too_large(TEXT_BYTES_MAX));
        }
    }
    text.push_str(&template[copied..]);
    Ok(text.into())
}

pub(super) fn string_to_json(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    Json::parse(arguments.text(0)?).map_err(|error| Failure::intrinsic(format!("The text is not JSON: {error}")))
}

pub(super) fn json_to_string(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let value = arguments.value(0)?;
    if value.serialized_bytes() > TEXT_BYTES_MAX {
        return Err(Failure::too_large(TEXT_BYTES_MAX));
    }
    Ok(value.to_string().into())
}

/// Every character of the second text is a delimiter, and a run of them is one.
pub(super) fn split(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let (text, delimiters) = (arguments.text(0)?, arguments.text(1)?);
    let delimiters: std::collections::BTreeSet<char> = delimiters.chars().collect();
    let parts = text.split(|c| delimiters.contains(&c)).filter(|part| !part.is_empty());
    Ok(Json::array(parts.map(Json::from).collect()))
}

pub(super) fn base64_encode(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    Ok(STANDARD.encode(short_text(arguments)?).into())
}

pub(super) fn base64_decode(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    match LENIENT.decode(short_text(arguments)?) {
        // As Java does, bytes that are no UTF-8 become replacement characters.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned().into()),
        Err(error) => Err(Failure::intrinsic(format!("The text is not Base64: {error}"))),
    }
}

pub(super) fn hash(arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let text = short_text(arguments)?.as_bytes();
    let digits = match arguments.text(1)? {
        "MD5" => hexadecimal(&Md5::digest(text)),
        "SHA-1" => hexadecimal(&Sha1::digest(text)),
        "SHA-256" => hexadecimal(&Sha256::digest(text)),
        "SHA-384" => hexadecimal(&Sha384::digest(text)),
        "SHA-512" => hexadecimal(&Sha512::digest(text)),
        other => {
            return Err(Failure::intrinsic(format!(
                "The algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512, not {other}"
            )));
        }
    };
    Ok(digits.into())
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

/// The first argument, of at most as many characters as AWS takes.
fn short_text<'a>(arguments: &'a Arguments<'_>) -> Result<&'a str, Failure> {
    let text = arguments.text(0)?;
    if text.len() > CHARACTERS_MAX && text.encode_utf16().count() > CHARACTERS_MAX {
        return Err(Failure::intrinsic(format!("The text has more than {CHARACTERS_MAX} characters")));
    }
    Ok(text)
}
