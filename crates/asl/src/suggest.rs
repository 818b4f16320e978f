//! "Did you mean": the nearest of the names that would have been right.

/// How much comparing one compilation may do, in cells of the distance table. A definition full of faults must not cost
/// more than a right one of the same size.
const WORK_MAX: usize = 20_000_000;

/// Finds near names until its allowance is used up.
pub(crate) struct Suggester {
    work_left: usize,
}

impl Suggester {
    pub(crate) fn new() -> Suggester {
        Suggester { work_left: WORK_MAX }
    }

    /// The candidate most like `name`, if one is like it enough to be meant.
    pub(crate) fn nearest<'c>(&mut self, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        // Of a name of one or two letters any other is near: only its case may differ.
        let allowed = (wanted.len() / 3).min(4);
        let mut best: Option<(usize, &'c str)> = None;
        for candidate in candidates {
            let length = candidate.chars().count();
            if length.abs_diff(wanted.len()) > allowed {
                continue;
            }
            let work = (length + 1) * (wanted.len() + 1);
            if work > self.work_left {
                return None;
            }
            self.work_left -= work;
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let distance = distance(&wanted, &letters);
            if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

/// Letters to insert, leave out, replace or swap with their neighbour to make one word of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before = vec![0; other.len() + 1];
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1; other.len() + 1];
        for (column, against) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != against);
            current[column + 1] = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *against;
            if swapped {
                current[column + 1] = current[column + 1].min(before[column - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, current);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["Next", "End", "Retry", "ResultPath", "ResultSelector", "TimeoutSeconds"];
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(Suggester::new().nearest(name, names), expected, "{name}");
        };
        check("Nxet", Some("Next"));
        check("next", Some("Next"));
        check("ResultPaht", Some("ResultPath"));
        check("TimeOutSecond", Some("TimeoutSeconds"));
        check("Retrys", Some("Retry"));
        check("Colour", None);
        check("", None);
        check("X", None);
        check("eND", Some("End"));
        check("Result", None);
    }

    #[test]
    fn comparing_ends_when_the_allowance_is_used_up() {
        let long = "x".repeat(4_000);
        let other = format!("{long}y");
        let mut suggester = Suggester::new();
        let answers = (0..3).filter(|_| suggester.nearest(&long, [other.as_str()]).is_some()).count();
        assert_eq!(answers, 1);
    }
}
