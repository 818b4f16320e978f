//! Text against patterns: `$contains $match $split $replace`, with a regular expression, a text or a matcher function.

use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::Json;

use super::Args;
use crate::error::{Fault, Result};
use crate::evaluate::{Evaluator, Function, member};
use crate::regex::{Match, Regex};
use crate::value::Value;

/// One match; places are bytes of the text.
struct Found {
    text: Arc<str>,
    start: usize,
    end: usize,
    groups: Vec<Value>,
    source: Source,
}

/// Where a match comes from: what a function gets to see of it.
enum Source {
    Regex {
        regex: Arc<Regex>,
        text: Arc<str>,
        found: Match,
    },
    /// As the matcher function gave it.
    Custom(Value),
}

/// The matches of a pattern in a text, one after the other.
enum Matches {
    Regex {
        regex: Arc<Regex>,
        text: Arc<str>,
        from: usize,
        first: bool,
    },
    /// A matcher function and what it is called with next.
    Custom {
        next: Rc<Function>,
        arguments: Vec<Value>,
        text: Arc<str>,
    },
    Done,
}

impl Matches {
    fn of(pattern: &Value, text: &Arc<str>) -> Matches {
        match pattern.as_function() {
            None => Matches::Done,
            Some(function) => match &**function {
                Function::Regex(regex) => {
                    Matches::Regex { regex: regex.clone(), text: text.clone(), from: 0, first: true }
                }
                _ => {
                    let arguments = vec![Value::string(text.clone())];
                    Matches::Custom { next: function.clone(), arguments, text: text.clone() }
                }
            },
        }
    }

    /// The first match, unless none is wanted.
    fn first(&mut self, evaluator: &mut Evaluator<'_>, limit: Option<f64>) -> Result<Option<Found>> {
        if reached(limit, 0) { Ok(None) } else { self.next(evaluator) }
    }

    /// The next match. As in the reference it is looked for before a limit is, so its errors show behind the limit.
    fn next(&mut self, evaluator: &mut Evaluator<'_>) -> Result<Option<Found>> {
        match self {
            Matches::Done => Ok(None),
            Matches::Regex { regex, text, from, first } => {
                let found = match *first {
                    true => regex.find(evaluator, text, *from)?,
                    false => regex.find_behind(evaluator, text, *from)?,
                };
                let Some(found) = found else { return Ok(None) };
                (*from, *first) = (found.end, false);
                let part = |(start, end): (usize, usize)| Value::string(&text[start..end]);
                let groups: Vec<Value> =
                    found.groups.iter().map(|group| group.map_or(Value::Undefined, part)).collect();
                evaluator.allocate_text(2 * (found.end - found.start))?;
                let matched = text[found.start..found.end].into();
                let (start, end) = (found.start, found.end);
                let source = Source::Regex { regex: regex.clone(), text: text.clone(), found };
                Ok(Some(Found { text: matched, start, end, groups, source }))
            }
            Matches::Custom { next, arguments, text } => {
                let structure = evaluator.invoke(next, std::mem::take(arguments))?;
                if structure.is_undefined() {
                    return Ok(None);
                }
                let (start, end) = (member(&structure, "start"), member(&structure, "end"));
                let (groups, following) = (member(&structure, "groups"), member(&structure, "next"));
                if start.as_number().is_none() && !groups.is_array() && following.as_function().is_none() {
                    return Err(Fault::new("T1010"));
                }
                let matched = member(&structure, "match").as_text().cloned().unwrap_or_else(|| "".into());
                let start = byte_of(text, start.as_number().unwrap_or(0.0));
                let end = end.as_number().map_or(text.len(), |end| byte_of(text, end)).max(start);
                let groups = groups.as_array().map_or_else(Vec::new, |groups| groups.iter().collect());
                *self = match following {
                    Value::Function(next) => Matches::Custom { next, arguments: Vec::new(), text: text.clone() },
                    _ => Matches::Done,
                };
                Ok(Some(Found { text: matched, start, end, groups, source: Source::Custom(structure) }))
            }
        }
    }
}

/// The byte at which a search from a UTF-16 unit starts, as JavaScript takes it; `None` beyond the end.
pub(crate) fn search_start(text: &str, unit: f64) -> Option<usize> {
    let unit = unit.trunc();
    if unit > text.len() as f64 || unit > 0.0 && unit > text.encode_utf16().count() as f64 {
        return None;
    }
    Some(byte_of(text, unit))
}

/// The byte at which a UTF-16 unit of a text starts.
fn byte_of(text: &str, unit: f64) -> usize {
    let mut units = 0.0;
    for (byte, character) in text.char_indices() {
        if units >= unit {
            return byte;
        }
        units += character.len_utf16() as f64;
    }
    text.len()
}

/// The `limit` argument at a place, which must not be negative.
fn limit(args: &Args, place: usize, code: &'static str) -> Result<Option<f64>> {
    match args.number(place) {
        Some(limit) if limit < 0.0 => Err(Fault::new(code).argument(place + 1).value(args.get(place).to_shown_json())),
        limit => Ok(limit),
    }
}

fn reached(limit: Option<f64>, count: usize) -> bool {
    limit.is_some_and(|limit| count as f64 >= limit)
}

/// A search for a text costs by the length of the text searched.
fn charge_search(evaluator: &mut Evaluator<'_>, text: &str) -> Result<()> {
    evaluator.charge(1 + text.len() / 64)
}

pub(super) fn contains(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    if let Some(part) = args.text(1) {
        charge_search(evaluator, &text)?;
        return Ok(Value::bool(text.contains(&*part)));
    }
    if args.get(1).is_undefined() {
        return Ok(Value::Undefined);
    }
    Ok(Value::bool(Matches::of(args.get(1), &text).next(evaluator)?.is_some()))
}

pub(super) fn matches(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let limit = limit(&args, 2, "D3040")?;
    let mut matches = Matches::of(args.get(1), &text);
    let mut counted = Units::default();
    let mut results = Vec::new();
    let mut upcoming = matches.first(evaluator, limit)?;
    while let Some(found) = upcoming.filter(|_| !reached(limit, results.len())) {
        let groups = evaluator.list(found.groups)?;
        let members = vec![
            ("match".into(), Value::string(found.text)),
            ("index".into(), Value::Number(counted.at(&text, found.start))),
            ("groups".into(), groups),
        ];
        results.push(evaluator.object(members)?);
        upcoming = matches.next(evaluator)?;
    }
    evaluator.sequence(results)
}

/// Counts UTF-16 units while going forward through a text.
#[derive(Default)]
struct Units {
    byte: usize,
    units: usize,
}

impl Units {
    fn at(&mut self, text: &str, byte: usize) -> f64 {
        if byte >= self.byte {
            self.units += text[self.byte..byte].encode_utf16().count();
            self.byte = byte;
        }
        self.units as f64
    }
}

pub(super) fn split(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let limit = limit(&args, 2, "D3020")?;
    let mut parts: Vec<Value> = Vec::new();
    if let Some(separator) = args.text(1) {
        charge_search(evaluator, &text)?;
        let limit = limit.map_or(usize::MAX, |limit| limit.trunc() as usize);
        let pieces: Box<dyn Iterator<Item = String>> = if separator.is_empty() {
            Box::new(text.chars().map(String::from))
        } else {
            Box::new(text.split(&*separator).map(str::to_owned))
        };
        for piece in pieces.take(limit) {
            evaluator.step()?;
            parts.push(evaluator.text(piece)?);
        }
        return evaluator.list(parts);
    }
    let mut matches = Matches::of(args.get(1), &text);
    let mut from = 0;
    let mut upcoming = matches.first(evaluator, limit)?;
    while let Some(found) = upcoming.filter(|_| !reached(limit, parts.len())) {
        parts.push(evaluator.text(&text[from.min(found.start)..found.start])?);
        from = found.end;
        upcoming = matches.next(evaluator)?;
    }
    if !reached(limit, parts.len()) {
        parts.push(evaluator.text(&text[from..])?);
    }
    evaluator.list(parts)
}

/// A text being put together, counted as it grows.
struct Output(String);

impl Output {
    fn push(&mut self, evaluator: &mut Evaluator<'_>, part: &str) -> Result<()> {
        if self.0.len() + part.len() > evaluator.environment.limits.string_bytes {
            return Err(Fault::new("D1013"));
        }
        evaluator.allocate_text(part.len())?;
        self.0.push_str(part);
        Ok(())
    }
}

pub(super) fn replace(evaluator: &mut Evaluator<'_>, args: Args) -> Result<Value> {
    let Some(text) = args.text(0) else { return Ok(Value::Undefined) };
    let pattern = args.text(1);
    if pattern.as_ref().is_some_and(|pattern| pattern.is_empty()) {
        return Err(Fault::new("D3010").argument(2).text(""));
    }
    let limit = limit(&args, 3, "D3011")?;
    let mut output = Output(String::new());
    let mut from = 0;
    let mut count = 0;
    if let Some(pattern) = pattern {
        charge_search(evaluator, &text)?;
        // As in the reference, what is undefined is put there by that name; a function has no text.
        let instead = if args.get(2).is_undefined() { "undefined" } else { "" };
        let replacement = args.text(2).unwrap_or_else(|| instead.into());
        while !reached(limit, count) {
            let Some(place) = text[from..].find(&*pattern) else { break };
            evaluator.step()?;
            output.push(evaluator, &text[from..from + place])?;
            output.push(evaluator, &replacement)?;
            from += place + pattern.len();
            count += 1;
        }
    } else {
        let mut matches = Matches::of(args.get(1), &text);
        let mut upcoming = matches.first(evaluator, limit)?;
        while let Some(found) = upcoming.filter(|_| !reached(limit, count)) {
            output.push(evaluator, &text[from.min(found.start)..found.start])?;
            from = byte_floor(&text, found.start + found.text.len());
            let part = match (args.text(2), args.get(2).as_function()) {
                (Some(template), _) => substitute(&template, &found).into(),
                (None, Some(function)) => replacement(evaluator, function, found)?,
                (None, None) => return Err(Fault::new("D3012").value(args.get(2).to_shown_json())),
            };
            output.push(evaluator, &part)?;
            count += 1;
            upcoming = matches.next(evaluator)?;
        }
    }
    output.push(evaluator, &text[byte_floor(&text, from)..])?;
    Ok(Value::string(output.0))
}

/// The byte itself, or the start of the character it is in: a matcher function may say anything.
fn byte_floor(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte)
}

/// What a function makes of a match.
fn replacement(evaluator: &mut Evaluator<'_>, function: &Rc<Function>, found: Found) -> Result<Arc<str>> {
    let structure = match found.source {
        Source::Regex { regex, text, found } => evaluator.structure(&regex, &text, &found)?,
        Source::Custom(structure) => structure,
    };
    let value = evaluator.invoke(function, vec![structure])?;
    match &value {
        Value::Json(Json::String(text)) => Ok(text.clone()),
        other => Err(Fault::new("D3012").value(other.to_shown_json())),
    }
}

/// A replacement text with `$0` for the match, `$N` for a group and `$$` for a dollar.
///
/// `$N` takes as many digits as the number of groups has, or one less if there are not so many groups; a group that is
/// not there is empty; a `$` before anything else is itself.
fn substitute(template: &str, found: &Found) -> String {
    let mut output = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(place) = rest.find('$') {
        output.push_str(&rest[..place]);
        rest = &rest[place + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            output.push('$');
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('0') {
            output.push_str(&found.text);
            rest = after;
            continue;
        }
        let digits_max = found.groups.len().max(1).ilog10() as usize + 1;
        let digits = rest.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
        let number = |digits: usize| rest[..digits].parse::<usize>().ok();
        let Some(mut index) = number(digits) else {
            output.push('$');
            continue;
        };
        let mut taken = digits;
        if digits_max > 1 && digits == digits_max && index > found.groups.len() {
            taken = digits - 1;
            index = number(taken).unwrap_or(0);
        }
        if let Some(group) = index.checked_sub(1).and_then(|index| found.groups.get(index)).and_then(Value::as_text) {
            output.push_str(group);
        }
        rest = &rest[taken..];
    }
    output.push_str(rest);
    output
}
