//! Pages of a list that is in order. The token is the last key that was shown, so that a page skips nothing and repeats
//! nothing when something is created or deleted between two of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Up to `limit` of the keys after the token's, and the token of the next page. None when the token is none of ours.
pub(crate) fn page<'a>(
    keys: impl Iterator<Item = &'a str>,
    token: Option<&str>,
    limit: usize,
) -> Option<(Vec<&'a str>, Option<String>)> {
    let past = match token {
        None => None,
        Some(token) => Some(String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?),
    };
    let mut shown: Vec<&str> = Vec::new();
    for key in keys.filter(|key| past.as_deref().is_none_or(|past| *key > past)) {
        if shown.len() == limit {
            let next = shown.last().map(|last| URL_SAFE_NO_PAD.encode(last));
            return Some((shown, next));
        }
        shown.push(key);
    }
    Some((shown, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_continues_after_what_was_shown() {
        let keys = ["a", "b", "c"];
        let (first, token) = page(keys.into_iter(), None, 2).expect("a page");
        assert_eq!(first, ["a", "b"]);
        // `b` is gone meanwhile.
        let (second, end) = page(["a", "c"].into_iter(), token.as_deref(), 2).expect("a page");
        assert_eq!((second, end), (vec!["c"], None));
        assert_eq!(page(keys.into_iter(), Some("!"), 2), None);
    }
}
