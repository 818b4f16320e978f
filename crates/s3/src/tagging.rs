//! Tags of objects and buckets: how they are written, and which there may be.

use s3s::dto::Tag;

use crate::refusal::{INVALID_TAG, Refusal};

pub(crate) const TAGS_OF_AN_OBJECT_MAX: usize = 10;
pub(crate) const TAGS_OF_A_BUCKET_MAX: usize = 50;
const NAME_MAX: usize = 128;
const VALUE_MAX: usize = 256;

type Tags = Vec<(String, String)>;

/// Tags as a header has them: `a=1&b=2`.
pub(crate) fn of_header(text: Option<&str>) -> Result<Tags, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Tags::new()) };
    let mistaken = || {
        let sentence = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        Refusal::argument("x-amz-tagging", text, sentence)
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let tags: Option<Tags> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect();
    let tags = tags.ok_or_else(mistaken)?;
    check(&tags, TAGS_OF_AN_OBJECT_MAX, "Object").map_err(|refusal| match refusal.message.contains("multiple") {
        true => mistaken(),
        false => refusal,
    })?;
    Ok(tags)
}

pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Tags as a body has them.
pub(crate) fn of_set(set: Vec<Tag>, most: usize, of: &str) -> Result<Tags, Refusal> {
    let tags: Tags = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    check(&tags, most, of)?;
    Ok(tags)
}

pub(crate) fn to_set(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn check(tags: &[(String, String)], most: usize, of: &str) -> Result<(), Refusal> {
    if tags.len() > most {
        let sentence = format!("{of} tags cannot be greater than {most}");
        return Err(Refusal::of(("BadRequest", 400, "")).saying(sentence));
    }
    let allowed =
        |text: &str| text.chars().all(|one| one.is_alphanumeric() || one.is_whitespace() || "_.:/=+-@".contains(one));
    for (at, (name, value)) in tags.iter().enumerate() {
        let sentence = if name.is_empty() || name.chars().count() > NAME_MAX || !allowed(name) {
            "The TagKey you have provided is invalid"
        } else if value.chars().count() > VALUE_MAX || !allowed(value) {
            "The TagValue you have provided is invalid"
        } else if name.starts_with("aws:") {
            "System tags cannot be added/updated by requester"
        } else if tags[..at].iter().any(|(known, _)| known == name) {
            "Cannot provide multiple Tags with the same key"
        } else {
            continue;
        };
        let mut refusal = Refusal::of(INVALID_TAG).saying(sentence);
        if !name.is_empty() {
            refusal = refusal.with("TagKey", name);
        }
        return Err(refusal);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::of_header;

    #[test]
    fn tags_of_a_header() {
        let check = |text: &str, expected: Result<&[(&str, &str)], &str>| {
            let tags = of_header(Some(text));
            let tags = tags
                .as_ref()
                .map(|tags| tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>());
            assert_eq!(tags.as_deref().map_err(|refusal| refusal.code), expected, "{text}");
        };
        check("", Ok(&[]));
        check("a=1&b=x%20y+z", Ok(&[("a", "1"), ("b", "x y z")]));
        check("a", Ok(&[("a", "")]));
        check("a=1&a=2", Err("InvalidArgument"));
        check("a=%zz", Err("InvalidArgument"));
        check("aws:a=1", Err("InvalidTag"));
        check("=1", Err("InvalidTag"));
        check("a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1", Err("BadRequest"));
    }
}
