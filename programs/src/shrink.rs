//! Making a program small: states and fields are taken out for as long as what was wrong stays wrong.

use std::collections::BTreeSet;

use stepwell_json::Json;

use crate::program::Program;

/// Programs tried at most.
const TRIES: usize = 3_000;

/// The smallest program found that is still `wrong`.
///
/// Many of those tried are not valid: whoever says what is wrong says no to them.
pub fn shrink(program: &Program, wrong: &mut dyn FnMut(&Program) -> bool) -> Program {
    let mut small = program.clone();
    let mut tries = TRIES;
    loop {
        let better = candidates(&small).find(|candidate| {
            tries = tries.saturating_sub(1);
            tries > 0 && wrong(candidate)
        });
        match better {
            Some(better) => small = better,
            None => return small,
        }
    }
}

/// Programs one step smaller, those that lose most first.
fn candidates(program: &Program) -> impl Iterator<Item = Program> {
    let parse = |text: &str| Json::parse(text).unwrap_or(Json::Null);
    let (definition, input) = (parse(&program.definition), parse(&program.input));
    let mut definitions = simpler_states(&definition);
    definitions.extend(smaller(&definition));
    let (one, other) = (program.clone(), program.clone());
    let with_definition = move |definition: Json| {
        let definition = reachable(&definition).to_string();
        Program { seed: one.seed, definition, input: one.input.clone() }
    };
    let with_input =
        move |input: Json| Program { seed: other.seed, definition: other.definition.clone(), input: input.to_string() };
    definitions.into_iter().map(with_definition).chain(smaller(&input).into_iter().map(with_input))
}

/// Machines in which one state does nothing, or is not there.
fn simpler_states(value: &Json) -> Vec<Json> {
    let mut found = Vec::new();
    if let Some(states) = value.get("States").and_then(Json::as_object) {
        for (name, state) in states {
            let next = state.get("Next").or_else(|| state.get("Default"));
            if let Some(next) = next {
                found.push(redirect(&without(value, name), name, next));
            }
            if state.get("Type") != Some(&Json::from("Pass")) {
                let way = match next {
                    Some(next) => ("Next", next.clone()),
                    None => ("End", Json::from(true)),
                };
                let pass = Json::object([("Type", Json::from("Pass")), way]);
                found.push(with(value, "States", Json::Object(states.with(name.clone(), pass))));
            }
        }
    }
    found.extend(inside(value, &simpler_states));
    found
}

/// A workflow without the state of this name.
fn without(workflow: &Json, name: &str) -> Json {
    let states = workflow.get("States").and_then(Json::as_object);
    let kept = states.into_iter().flat_map(|states| states.iter()).filter(|(other, _)| &***other != name);
    with(workflow, "States", Json::object(kept.map(|(name, state)| (name.clone(), state.clone()))))
}

/// A machine in which what led to this state leads to another.
fn redirect(value: &Json, from: &str, to: &Json) -> Json {
    match value {
        Json::Object(members) => Json::object(members.iter().map(|(name, member)| {
            let leads = matches!(&**name, "Next" | "Default" | "StartAt") && member.as_str() == Some(from);
            (name.clone(), if leads { to.clone() } else { redirect(member, from, to) })
        })),
        Json::Array(items) => Json::array(items.iter().map(|item| redirect(item, from, to)).collect()),
        other => other.clone(),
    }
}

/// Values that lack one member or item anywhere.
fn smaller(value: &Json) -> Vec<Json> {
    let mut found = Vec::new();
    match value {
        Json::Object(members) => {
            for gone in members.keys() {
                let kept = members.iter().filter(|(name, _)| *name != gone);
                found.push(Json::object(kept.map(|(name, member)| (name.clone(), member.clone()))));
            }
        }
        Json::Array(items) => {
            for gone in 0..items.len() {
                let kept = items.iter().enumerate().filter(|(place, _)| *place != gone);
                found.push(Json::array(kept.map(|(_, item)| item.clone()).collect()));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    found.extend(inside(value, &smaller));
    found
}

/// This value with one of its parts made smaller.
fn inside(value: &Json, smaller: &dyn Fn(&Json) -> Vec<Json>) -> Vec<Json> {
    let mut found = Vec::new();
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                found.extend(smaller(member).into_iter().map(|less| Json::Object(members.with(name.clone(), less))));
            }
        }
        Json::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                for less in smaller(item) {
                    let mut changed = items.to_vec();
                    changed[place] = less;
                    found.push(Json::array(changed));
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    found
}

fn with(value: &Json, name: &str, member: Json) -> Json {
    value.as_object().map_or_else(|| value.clone(), |members| Json::Object(members.with(name, member)))
}

/// A machine without the states that nothing leads to.
fn reachable(value: &Json) -> Json {
    let Json::Object(members) = value else {
        return match value {
            Json::Array(items) => Json::array(items.iter().map(reachable).collect()),
            other => other.clone(),
        };
    };
    let states = members.get("States").and_then(Json::as_object);
    let (Some(start), Some(states)) = (members.get("StartAt").and_then(Json::as_str), states) else {
        return Json::object(members.iter().map(|(name, member)| (name.clone(), reachable(member))));
    };
    let mut reached = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(name) = open.pop() {
        if let Some(state) = states.get(&name)
            && reached.insert(name)
        {
            targets(state, &mut open);
        }
    }
    let kept = states.iter().filter(|(name, _)| reached.contains(&***name));
    with(value, "States", Json::object(kept.map(|(name, state)| (name.clone(), reachable(state)))))
}

/// The states of the same workflow a state leads to.
fn targets(state: &Json, found: &mut Vec<String>) {
    for name in ["Next", "Default"] {
        found.extend(state.get(name).and_then(Json::as_str).map(str::to_owned));
    }
    for list in ["Choices", "Catch"] {
        for one in state.get(list).and_then(Json::as_array).into_iter().flat_map(|list| list.iter()) {
            found.extend(one.get("Next").and_then(Json::as_str).map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shrink;
    use crate::program::Program;
    use crate::reference::{self, Outcome};

    /// Whether the program has a Parallel state and comes to its end: definitions that lost what they need are not run.
    fn is_wrong(program: &Program) -> bool {
        program.definition.contains(r#""Type":"Parallel""#) && program.definition.contains("StartAt")
    }

    #[test]
    fn what_is_wrong_stays_wrong_and_becomes_small() {
        let mut shrunk = 0;
        for seed in 0..20 {
            let program = Program::random(seed);
            if !is_wrong(&program) {
                continue;
            }
            let small = shrink(&program, &mut is_wrong);
            assert!(is_wrong(&small), "seed {seed}");
            assert!(small.definition.len() < 200, "seed {seed}: {}", small.definition);
            shrunk += 1;
        }
        assert!(shrunk > 2, "few programs have a Parallel state");
    }

    #[test]
    fn a_state_is_taken_out_and_the_way_goes_on() {
        let program = Program {
            seed: 0,
            definition: r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Wait","Seconds":1,"Next":"C"},"C":{"Type":"Fail","Error":"E"}}}"#.to_owned(),
            input: "{}".to_owned(),
        };
        let mut fails_with_e = |program: &Program| {
            let is_whole = ["\"StartAt\":", "\"States\":", "\"C\":{", "\"Type\":\"Fail\"", "\"Error\":\"E\""];
            let types = program.definition.matches("\"Type\":").count();
            let states = program.definition.matches("\":{\"").count();
            let is_whole = is_whole.iter().all(|part| program.definition.contains(part)) && states == types + 1;
            let leads = !program.definition.contains("\"A\":{\"Type\":\"Pass\"}");
            is_whole && leads && program.input == "{}" && {
                let verdict = std::panic::catch_unwind(|| reference::run(program));
                verdict.is_ok_and(|verdict| matches!(verdict.runs[0].outcome, Outcome::Failed { .. }))
            }
        };
        let small = shrink(&program, &mut fails_with_e);
        assert_eq!(small.definition, r#"{"StartAt":"C","States":{"C":{"Type":"Fail","Error":"E"}}}"#);
    }
}
