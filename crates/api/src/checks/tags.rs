//! Tags of one request.

use stepwell_spec::shapes::Tag;
use stepwell_spec::{Exception, quota};

use crate::refusal::Refusal;

/// Refuses more tags than a resource may have, tags without a key, keys that are reserved, and characters a tag must not
/// have. `resource` is the ARN the tags are for, or empty while it does not exist.
///
/// The texts of these refusals are ours: AWS's are not recorded.
pub fn check_tags(tags: &[Tag], resource: &str) -> Result<(), Refusal> {
    if tags.len() > quota::RESOURCE_TAGS_MAX {
        let message = format!("A resource may have {} tags, {} were given", quota::RESOURCE_TAGS_MAX, tags.len());
        let refusal = Refusal::new(Exception::TooManyTags, message);
        return Err(if resource.is_empty() { refusal } else { refusal.about(resource) });
    }
    for (place, tag) in tags.iter().enumerate() {
        let Some(key) = tag.key.as_deref() else {
            return Err(Refusal::invalid_request(format!("Tag {} has no key", place + 1)));
        };
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(Refusal::invalid_request(format!("Tag keys must not begin with 'aws:': '{key}'")));
        }
        if let Some(bad) = [Some(key), tag.value.as_deref()].into_iter().flatten().find(|text| !is_tag_text(text)) {
            let message =
                "Tags may only contain Unicode letters, digits, white space, or these symbols: _ . : / = + - @";
            return Err(Refusal::invalid_request(format!("{message}: '{bad}'")));
        }
    }
    Ok(())
}

fn is_tag_text(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_judged_by_number_and_characters() {
        let check = |tags: Vec<(Option<&str>, Option<&str>)>| {
            let text = |text: &str| text.into();
            let tags: Vec<Tag> =
                tags.iter().map(|(key, value)| Tag { key: key.map(text), value: value.map(text) }).collect();
            check_tags(&tags, "arn").err().map(|refusal| refusal.name())
        };
        assert_eq!(check(vec![]), None);
        assert_eq!(check(vec![(Some("key 1"), Some("é_.:/=+-@")), (Some("k"), None), (Some("k"), Some(""))]), None);
        assert_eq!(check(vec![(Some("k"), None); 51]), Some("TooManyTags"));
        assert_eq!(check(vec![(None, Some("v"))]), Some("ValidationException"));
        assert_eq!(check(vec![(Some("AWS:x"), None)]), Some("ValidationException"));
        assert_eq!(check(vec![(Some("k"), Some("a<b"))]), Some("ValidationException"));
    }
}
