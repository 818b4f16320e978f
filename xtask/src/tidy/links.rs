//! Links in Markdown that lead nowhere: to a file that is not there, or to a heading its page does not have.

use super::Fault;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for (path, text) in tree.ending(".md") {
        for (line, target) in targets(text) {
            if let Some(reason) = broken(tree, path, target) {
                faults.push(Fault::at(path, line, format!("link to `{target}`: {reason}")));
            }
        }
    }
}

/// Where the links of a page lead, with their lines; code is no link.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        // Every second piece between back-ticks is code.
        for piece in prose.split('`').step_by(2) {
            found.extend(piece.match_indices("](").filter_map(|(at, _)| {
                let target = piece[at + 2..].split(')').next()?;
                Some((line, target.split(' ').next().unwrap_or(target)))
            }));
        }
        // A link whose text is code stands between pieces: `[`text`](target)`.
        found.extend(prose.match_indices("`](").filter_map(|(at, _)| Some((line, prose[at + 3..].split(')').next()?))));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The lines outside of fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((index + 1, line))
    })
}

fn broken(tree: &Tree, page: &str, target: &str) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { page.to_owned() } else { resolve(page, file)? };
    if !tree.holds(&file) {
        return Some("no such file");
    }
    match tree.text(&file) {
        Some(text) if !heading.is_empty() && file.ends_with(".md") => {
            let there = prose(text).filter_map(|(_, line)| heading_anchor(line)).any(|anchor| anchor == heading);
            (!there).then_some("no such heading")
        }
        Some(_) | None => None,
    }
}

/// The path a relative link means, from the root; a link out of the repository is nobody's.
fn resolve(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchor a heading gets: lower case, spaces to dashes, everything else but letters, digits, `-` and `_` dropped.
fn heading_anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;

    fn check(markdown: &str, expected: &[&str]) {
        let tree = Tree::of(&[
            ("docs/page.md", markdown),
            ("docs/other.md", "# Other page\n\n## `run`, and then?\n"),
            ("README.md", "# Stepwell\n"),
        ]);
        let mut faults = Vec::new();
        super::check(&tree, &mut faults);
        let told: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.line, fault.says)).collect();
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{told} does not begin with {expected}");
        }
    }

    #[test]
    fn links_lead_somewhere() {
        check("[a](other.md) [b](../README.md) [c](https://example.com/x) [d](#here)\n\n# Here\n", &[]);
        check("[a](other.md#run-and-then) [`code`](other.md)\n", &[]);
        check("[a](gone.md)\n\n[b](other.md#gone)\n", &["1 link to `gone.md`", "3 link to `other.md#gone`"]);
        check("[`code`](gone.md)\n", &["1 link to `gone.md`"]);
        check("```text\n[a](gone.md)\n```\n`[b](gone.md)`\n", &[]);
    }
}
