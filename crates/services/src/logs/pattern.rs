//! Filter patterns: terms, phrases, and conditions on the fields of messages that are JSON.
//!
//! Patterns of columns (`[ip, user, …]`) and regular expressions (`%…%`) are refused.
//!
//! Source: CloudWatch Logs' user guide, "Filter pattern syntax".

use std::iter::Peekable;
use std::str::Chars;

use stepwell_json::Json;

/// Parentheses within each other, at most.
const DEPTH_MAX: u32 = 32;

/// A pattern that can be one.
#[derive(Debug, PartialEq)]
pub(super) enum FilterPattern {
    Terms(Terms),
    Fields(Condition),
}

/// Texts in a message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Terms {
    /// All of them are in it,
    all: Vec<String>,
    /// or, when nothing else is asked, one of these,
    any: Vec<String>,
    /// and none of these.
    none: Vec<String>,
}

/// What holds of a message's JSON.
#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Field(Vec<Step>, Test),
}

/// A step of a path.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Name(String),
    Place(usize),
    /// Any place of an array.
    Every,
}

#[derive(Debug, PartialEq)]
pub(super) enum Test {
    /// A text with `*` for anything, and whether it is to be so.
    Text(String, bool),
    Number(Comparison, f64),
    Is(bool),
    IsNull,
    NotExists,
    Exists,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer ones before those they begin with.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl FilterPattern {
    pub(super) fn parse(text: &str) -> Result<FilterPattern, String> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{') {
            let inner = inner.strip_suffix('}').ok_or("Invalid filter pattern: it has no } at its end")?;
            let mut reader = Reader { left: inner };
            let condition = reader.any(0)?;
            reader.skip_space();
            if !reader.left.is_empty() {
                return Err(format!("Invalid filter pattern: {} is too much", reader.left));
            }
            return Ok(FilterPattern::Fields(condition));
        }
        if text.starts_with('[') {
            return Err("Invalid filter pattern: patterns of columns are not available in the local service".to_owned());
        }
        if text.starts_with('%') {
            return Err("Invalid filter pattern: regular expressions are not available in the local service".to_owned());
        }
        terms(text).map(FilterPattern::Terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            FilterPattern::Terms(terms) => terms.matches(message),
            FilterPattern::Fields(condition) => Json::parse(message).is_ok_and(|json| condition.holds(&json)),
        }
    }
}

fn terms(text: &str) -> Result<Terms, String> {
    let mut terms = Terms::default();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|character| character.is_whitespace()).is_some() {}
        let Some(first) = characters.peek() else { return Ok(terms) };
        let list = match first {
            '?' => &mut terms.any,
            '-' => &mut terms.none,
            _ => &mut terms.all,
        };
        characters.next_if(|character| matches!(character, '?' | '-'));
        let term = term(&mut characters)?;
        if !term.is_empty() {
            list.push(term);
        }
    }
}

fn term(characters: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut term = String::new();
    if characters.next_if_eq(&'"').is_some() {
        loop {
            match characters.next() {
                None => return Err("Invalid filter pattern: a quote is not closed".to_owned()),
                Some('"') => return Ok(term),
                Some('\\') => term.extend(characters.next()),
                Some(other) => term.push(other),
            }
        }
    }
    while let Some(character) = characters.next_if(|character| !character.is_whitespace()) {
        term.push(character);
    }
    Ok(term)
}

impl Terms {
    fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        // Terms of which one is enough are passed over beside others.
        let is_any = self.any.is_empty() || !self.all.is_empty() || !self.none.is_empty() || self.any.iter().any(has);
        self.all.iter().all(has) && is_any && !self.none.iter().any(has)
    }
}

/// Reads conditions.
struct Reader<'a> {
    left: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.left = self.left.trim_start();
    }

    fn takes(&mut self, word: &str) -> bool {
        self.skip_space();
        match self.left.strip_prefix(word) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn any(&mut self, depth: u32) -> Result<Condition, String> {
        let mut conditions = vec![self.all(depth)?];
        while self.takes("||") {
            conditions.push(self.all(depth)?);
        }
        Ok(one_or(conditions, Condition::Any))
    }

    fn all(&mut self, depth: u32) -> Result<Condition, String> {
        let mut conditions = vec![self.condition(depth)?];
        while self.takes("&&") {
            conditions.push(self.condition(depth)?);
        }
        Ok(one_or(conditions, Condition::All))
    }

    fn condition(&mut self, depth: u32) -> Result<Condition, String> {
        if depth > DEPTH_MAX {
            return Err("Invalid filter pattern: its parentheses are too deep".to_owned());
        }
        if self.takes("(") {
            let inner = self.any(depth + 1)?;
            return if self.takes(")") { Ok(inner) } else { Err(self.unexpected("a )")) };
        }
        let path = self.path()?;
        for (words, test) in [
            (&["IS", "NULL"], Test::IsNull),
            (&["IS", "TRUE"], Test::Is(true)),
            (&["IS", "FALSE"], Test::Is(false)),
            (&["NOT", "EXISTS"], Test::NotExists),
        ] {
            let before = self.left;
            if words.iter().all(|word| self.takes(word)) {
                return Ok(Condition::Field(path, test));
            }
            self.left = before;
        }
        if self.takes("EXISTS") {
            return Ok(Condition::Field(path, Test::Exists));
        }
        let comparison = COMPARISONS.iter().find(|(sign, _)| self.takes(sign));
        let Some((_, comparison)) = comparison else { return Err(self.unexpected("a comparison")) };
        let (value, is_quoted) = self.value()?;
        let number = value.parse::<f64>().ok().filter(|number| !is_quoted && number.is_finite());
        match (number, comparison) {
            (Some(number), comparison) => Ok(Condition::Field(path, Test::Number(*comparison, number))),
            (None, Comparison::Equal) => Ok(Condition::Field(path, Test::Text(value, true))),
            (None, Comparison::NotEqual) => Ok(Condition::Field(path, Test::Text(value, false))),
            (None, _) => Err(format!("Invalid filter pattern: {value} is no number")),
        }
    }

    /// `$.a.b[0]["c d"]`
    fn path(&mut self) -> Result<Vec<Step>, String> {
        if !self.takes("$") {
            return Err(self.unexpected("a field, as $.name"));
        }
        let mut steps = Vec::new();
        loop {
            if let Some(left) = self.left.strip_prefix('.') {
                let ends = |character: char| character.is_whitespace() || ".[]()=!<>&|".contains(character);
                let (name, left) = left.split_at(left.find(ends).unwrap_or(left.len()));
                if name.is_empty() {
                    return Err(self.unexpected("a name"));
                }
                steps.push(Step::Name(name.to_owned()));
                self.left = left;
            } else if let Some(left) = self.left.strip_prefix('[') {
                let Some((inside, left)) = left.split_once(']') else { return Err(self.unexpected("a ]")) };
                let name = inside.strip_prefix(['"', '\'']).and_then(|name| name.strip_suffix(['"', '\'']));
                steps.push(match (inside, name) {
                    ("*", _) => Step::Every,
                    (_, Some(name)) => Step::Name(name.to_owned()),
                    (place, None) => Step::Place(place.trim().parse().map_err(|_| self.unexpected("a place"))?),
                });
                self.left = left;
            } else {
                return Ok(steps);
            }
        }
    }

    /// A value, and whether it stands in quotes.
    fn value(&mut self) -> Result<(String, bool), String> {
        self.skip_space();
        if self.left.starts_with('%') {
            return Err("Invalid filter pattern: regular expressions are not available in the local service".to_owned());
        }
        if self.left.starts_with('"') {
            let mut characters = self.left.chars().peekable();
            let value = term(&mut characters)?;
            self.left = &self.left[self.left.len() - characters.map(char::len_utf8).sum::<usize>()..];
            return Ok((value, true));
        }
        let ends = |character: char| character.is_whitespace() || "()&|".contains(character);
        let (value, left) = self.left.split_at(self.left.find(ends).unwrap_or(self.left.len()));
        if value.is_empty() {
            return Err(self.unexpected("a value"));
        }
        self.left = left;
        Ok((value.to_owned(), false))
    }

    fn unexpected(&self, expected: &str) -> String {
        format!("Invalid filter pattern: {expected} is expected before `{}`", self.left)
    }
}

fn one_or(mut conditions: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => many(conditions),
    }
}

impl Condition {
    fn holds(&self, json: &Json) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(json)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(json)),
            Condition::Field(path, Test::NotExists) => found(json, path).is_empty(),
            Condition::Field(path, test) => found(json, path).into_iter().any(|value| test.holds(value)),
        }
    }
}

/// The values a path leads to.
fn found<'a>(json: &'a Json, path: &[Step]) -> Vec<&'a Json> {
    let mut values = vec![json];
    for step in path {
        values = values
            .into_iter()
            .flat_map(|value| match step {
                Step::Name(name) => value.get(name).into_iter().collect::<Vec<_>>(),
                Step::Place(place) => value.as_array().and_then(|items| items.get(*place)).into_iter().collect(),
                Step::Every => value.as_array().map(|items| items.iter().collect()).unwrap_or_default(),
            })
            .collect();
    }
    values
}

impl Test {
    fn holds(&self, value: &Json) -> bool {
        match self {
            Test::Text(pattern, is) => {
                let text = match value {
                    Json::String(text) => text.to_string(),
                    Json::Number(_) | Json::Bool(_) => value.to_string(),
                    _ => return false,
                };
                crate::wildcards::matches(pattern, &text) == *is
            }
            Test::Number(comparison, bound) => value.as_f64().is_some_and(|number| comparison.holds(number, *bound)),
            Test::Is(is) => value.as_bool() == Some(*is),
            Test::IsNull => value.is_null(),
            Test::Exists => true,
            Test::NotExists => false,
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Comparison::Equal => number == bound,
            Comparison::NotEqual => number != bound,
            Comparison::Less => number < bound,
            Comparison::LessOrEqual => number <= bound,
            Comparison::Greater => number > bound,
            Comparison::GreaterOrEqual => number >= bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, message: &str, expected: bool) {
        let parsed = FilterPattern::parse(pattern).unwrap_or_else(|what| panic!("{pattern}: {what}"));
        assert_eq!(parsed.matches(message), expected, "{pattern} on {message}");
    }

    #[test]
    fn terms_are_found_in_messages() {
        for (pattern, message, expected) in [
            ("", "anything", true),
            ("ERROR", "[ERROR] 401", true),
            ("ERROR", "an error", false),
            ("ERROR 401", "[ERROR] 400", false),
            ("ERROR 401", "401 is an ERROR", true),
            ("?ERROR ?WARN", "WARN", true),
            ("?ERROR ?WARN", "INFO", false),
            ("INFO ?ERROR", "INFO", true),
            ("ERROR -401", "ERROR 401", false),
            ("ERROR -401", "ERROR 402", true),
            (r#""an error""#, "this is an error", true),
            (r#""an error""#, "an other error", false),
            (r#""say \"no\"""#, r#"they say "no""#, true),
            (r#"-"not this""#, "not that", true),
        ] {
            check(pattern, message, expected);
        }
    }

    #[test]
    fn conditions_hold_of_fields() {
        let message =
            r#"{"type":"Task","code":404,"user":{"name":"ann b"},"list":[{"n":1},{"n":5}],"ok":true,"gone":null}"#;
        for (pattern, expected) in [
            (r#"{ $.type = "Task" }"#, true),
            ("{ $.type = Task }", true),
            ("{$.type=T*}", true),
            (r#"{ $.type != "Task" }"#, false),
            ("{ $.none != Task }", false),
            ("{ $.code = 404 }", true),
            ("{ $.code >= 405 }", false),
            ("{ $.code = 4* }", true),
            (r#"{ $.user.name = "ann b" }"#, true),
            (r#"{ $["user"].name = "*b" }"#, true),
            ("{ $.list[1].n = 5 }", true),
            ("{ $.list[*].n > 4 }", true),
            ("{ $.ok IS TRUE }", true),
            ("{ $.gone IS NULL }", true),
            ("{ $.none NOT EXISTS }", true),
            ("{ $.code NOT EXISTS }", false),
            ("{ $.code = 404 && $.type = x }", false),
            ("{ $.code = 1 || ($.type = Task && $.ok IS TRUE) }", true),
        ] {
            check(pattern, message, expected);
        }
        check("{ $.a = 1 }", "no JSON", false);
    }

    #[test]
    fn what_cannot_be_a_pattern_is_refused() {
        for pattern in [
            r#""open"#,
            "{ $.a = 1",
            "{ a = 1 }",
            "{ $.a }",
            "{ $.a > x }",
            "{ $.a = 1 extra }",
            "{ ($.a = 1 }",
            "{ $.a[x] = 1 }",
            "[a, b]",
            "%x%",
            "{ $.a = %x% }",
        ] {
            assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(FilterPattern::parse(&deep).is_err());
    }
}
