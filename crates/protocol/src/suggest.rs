//! Names that look like a misspelled one.

/// How many are suggested.
const SUGGESTIONS_MAX: usize = 3;

/// The meanings of the names nearest to this one: within a third of its length, nearest first, each once.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let name: Vec<char> = name.chars().take(100).collect();
    let limit = (name.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = known
        .filter(|(spelling, _)| spelling.len().abs_diff(name.len()) <= limit)
        .map(|(spelling, meaning)| (distance(&name, spelling), meaning))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    found.sort();
    let mut meanings: Vec<&str> = Vec::new();
    for (_, meaning) in found {
        if !meanings.contains(&meaning) && meanings.len() < SUGGESTIONS_MAX {
            meanings.push(meaning);
        }
    }
    meanings
}

/// How many letters must be put in, taken out or changed; the case of a letter does not count.
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (line, letter) in other.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, own) in one.iter().enumerate() {
            let changed = diagonal + usize::from(!own.eq_ignore_ascii_case(&letter));
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[one.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_comes_first() {
        let known = ["sns", "sqs", "sts", "lambda"].map(|name| (name, name));
        assert_eq!(nearest("sqss", known.into_iter()), ["sqs"]);
        assert_eq!(nearest("lamda", known.into_iter()), ["lambda"]);
        assert!(nearest("", known.into_iter()).is_empty());
    }
}
