//! Text in other clothes: base64 and the percent-encoding of URLs.

use stepwell_json::Json;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::Evaluator;
use crate::value::Value;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Each character is a byte, so only those up to U+00FF can be encoded.
pub(super) fn base64_encode(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    evaluator.charge(text.len() / 4)?;
    evaluator.allocate_text(text.len().saturating_mul(2))?;
    let bytes: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character as u32).ok()).collect();
    let Some(bytes) = bytes else { return Err(Fault::new("D3142").argument(1)) };
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * place)) as usize & 63];
            encoded.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    Ok(Value::string(encoded))
}

/// Each byte becomes the character of that code. Both alphabets are read; other characters are passed over.
pub(super) fn base64_decode(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    evaluator.charge(text.len() / 4)?;
    evaluator.allocate_text(text.len())?;
    let mut decoded = String::new();
    let (mut group, mut bits) = (0u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let plain = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let Some(digit) = ALPHABET.iter().position(|letter| *letter == plain) else { continue };
        group = group << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push(char::from((group >> bits) as u8));
        }
    }
    Ok(Value::string(decoded))
}

/// Characters that stay as they are in any part of a URL.
const UNRESERVED: &str = "-_.!~*'()";
/// Characters that have a meaning in a whole URL.
const RESERVED: &str = ";/?:@&=+$,#";

fn encode(evaluator: &mut Evaluator<'_>, args: &Args, plain: &[&str]) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    evaluator.charge(text.len() / 4)?;
    evaluator.allocate_text(text.len().saturating_mul(3))?;
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || plain.iter().any(|set| set.contains(character)) {
            encoded.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    Ok(Value::string(encoded))
}

pub(super) fn encode_url(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    encode(evaluator, &args, &[UNRESERVED, RESERVED])
}

pub(super) fn encode_url_component(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    encode(evaluator, &args, &[UNRESERVED])
}

pub(super) fn decode_url(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    decode(evaluator, &args, RESERVED, "decodeUrl")
}

pub(super) fn decode_url_component(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    decode(evaluator, &args, "", "decodeUrlComponent")
}

/// Escapes of characters in `kept` stay escapes.
fn decode(evaluator: &mut Evaluator<'_>, args: &Args, kept: &str, function: &str) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    evaluator.allocate_text(text.len())?;
    match decode_text(&text, kept) {
        Some(decoded) => Ok(Value::string(decoded)),
        None => {
            let shown = Json::String(text);
            let message = format!("Malformed URL passed to ${function}(): {shown}");
            Err(Fault::new("D3140").message(message).value(Some(shown)))
        }
    }
}

fn decode_text(text: &str, kept: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('%') {
        decoded.push_str(&rest[..place]);
        rest = &rest[place..];
        let first = escaped_byte(rest)?;
        let length = match first {
            0..0x80 => 1,
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf5 => 4,
            _ => return None,
        };
        let bytes: Vec<u8> =
            (0..length).map(|place| rest.get(3 * place..).and_then(escaped_byte)).collect::<Option<_>>()?;
        let character = std::str::from_utf8(&bytes).ok()?;
        if kept.contains(character) {
            decoded.push_str(&rest[..3 * length]);
        } else {
            decoded.push_str(character);
        }
        rest = &rest[3 * length..];
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// The byte of an escape such as `%2F` at the start of a text.
fn escaped_byte(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
}
