//! Making a case small: pieces are taken out for as long as what was wrong stays wrong.

use stepwell_json::Json;

use crate::case::Case;

/// Cases tried at most. A case becomes small within a few hundred.
const TRIES: usize = 3_000;

/// The smallest case found that is still `wrong`.
pub fn reduce(case: &Case, wrong: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut small = case.clone();
    let mut tries = TRIES;
    loop {
        let expressions = small.expression.smaller().into_iter();
        let expressions = expressions.map(|expression| Case { expression, input: small.input.clone() });
        let inputs = smaller_json(&small.input).into_iter();
        let inputs = inputs.map(|input| Case { expression: small.expression.clone(), input });
        let mut better = None;
        for candidate in expressions.chain(inputs) {
            if tries == 0 {
                return small;
            }
            tries -= 1;
            if wrong(&candidate) {
                better = Some(candidate);
                break;
            }
        }
        match better {
            Some(better) => small = better,
            None => return small,
        }
    }
}

/// A document one step smaller.
fn smaller_json(json: &Json) -> Vec<Json> {
    let mut found = Vec::new();
    match json {
        Json::Array(items) => {
            found.extend(items.iter().cloned());
            for place in 0..items.len() {
                let mut fewer = items.to_vec();
                fewer.remove(place);
                found.push(Json::array(fewer));
            }
            for place in 0..items.len() {
                for smaller in smaller_json(&items[place]) {
                    let mut changed = items.to_vec();
                    changed[place] = smaller;
                    found.push(Json::array(changed));
                }
            }
        }
        Json::Object(object) => {
            found.extend(object.values().cloned());
            for gone in object.keys() {
                let kept = object.iter().filter(|(key, _)| *key != gone);
                found.push(Json::object(kept.map(|(key, value)| (key.clone(), value.clone()))));
            }
            for (key, value) in object {
                for smaller in smaller_json(value) {
                    found.push(Json::Object(object.with(key.clone(), smaller)));
                }
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::reduce;
    use crate::case::Case;

    #[test]
    fn what_is_wrong_stays_wrong() {
        let mut reduced = 0;
        for seed in 0..2_000 {
            let case = Case::of(seed);
            let mut wrong = |case: &Case| case.expression.to_string().contains("$sum(");
            if wrong(&case) {
                let small = reduce(&case, &mut wrong);
                assert_eq!(small.expression.to_string(), "$sum()", "seed {seed}");
                reduced += 1;
            }
        }
        assert!(reduced > 0, "no expression has a sum");
    }
}
