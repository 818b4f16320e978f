//! YAML into the same tree as JSON.
//!
//! Takes YAML 1.2 with the core schema, one document. Aliases are followed within a bound, so that a small text cannot
//! become a large tree. What JSON cannot say is a fault: tags of other schemas, infinities, keys that are no scalars.
//! Knows nothing of states.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use stepwell_json::{DEPTH_MAX, Json, Number, Span, Spanned, SpannedMember, SpannedValue};

/// Values that aliases may add to a document. A thousand states that share one Retry list of ten entries need far less.
const ALIASED_VALUES_MAX: usize = 200_000;

/// What is wrong with a YAML text, and where.
#[derive(Clone, Debug)]
pub(crate) struct YamlFault {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
    /// Whether the text is YAML, but of a kind that cannot stand for JSON.
    pub(crate) is_unsupported: bool,
}

impl YamlFault {
    fn syntax(span: Span, message: impl Into<String>) -> YamlFault {
        YamlFault { span, message: message.into(), suggestion: None, is_unsupported: false }
    }

    fn unsupported(span: Span, message: impl Into<String>) -> YamlFault {
        YamlFault { span, message: message.into(), suggestion: None, is_unsupported: true }
    }
}

/// Reads one document. Also answers the tags that were left unresolved: the values below them are as they were written.
pub(crate) fn read(text: &str) -> Result<(Spanned, Vec<YamlFault>), YamlFault> {
    let mut loader = Loader {
        offsets: Offsets::new(text),
        text,
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        aliased_values: 0,
        tagged: Vec::new(),
    };
    let tree = loader.document()?;
    Ok((tree, loader.tagged))
}

struct Loader<'t> {
    text: &'t str,
    offsets: Offsets,
    parser: Parser<'t, StrInput<'t>>,
    /// Finished anchored values with the number of values in them and their depth.
    anchors: BTreeMap<usize, (Spanned, usize, u32)>,
    aliased_values: usize,
    tagged: Vec<YamlFault>,
}

/// A collection that is being read.
struct Open {
    span: Span,
    anchor: usize,
    /// Values in it so far, itself included.
    values: usize,
    depth_below: u32,
    content: Content,
}

enum Content {
    Sequence(Vec<Spanned>),
    Mapping { members: Vec<SpannedMember>, names: BTreeMap<Arc<str>, ()>, key: Option<(Arc<str>, Span)> },
}

impl Loader<'_> {
    fn document(&mut self) -> Result<Spanned, YamlFault> {
        let mut open: Vec<Open> = Vec::new();
        let mut root: Option<Spanned> = None;
        loop {
            let (event, span) = match self.parser.next_event() {
                None => break,
                Some(Err(error)) => {
                    let at = self.offsets.byte(error.marker().index(), self.text.len());
                    return Err(YamlFault::syntax(Span::new(at, at), error.info()));
                }
                Some(Ok((event, span))) => {
                    let start = self.offsets.byte(span.start.index(), self.text.len());
                    (event, Span::new(start, self.offsets.byte(span.end.index(), self.text.len()).max(start)))
                }
            };
            let (value, values, depth) = match event {
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => continue,
                Event::StreamEnd => break,
                Event::DocumentStart(_) => {
                    if root.is_some() {
                        return Err(YamlFault::unsupported(
                            span,
                            "a definition is one YAML document, here starts another",
                        ));
                    }
                    continue;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.note_tag(tag.as_deref(), &["seq"], span);
                    push(&mut open, span, anchor, Content::Sequence(Vec::new()))?;
                    continue;
                }
                Event::MappingStart(anchor, tag) => {
                    self.note_tag(tag.as_deref(), &["map"], span);
                    let content = Content::Mapping { members: Vec::new(), names: BTreeMap::new(), key: None };
                    push(&mut open, span, anchor, content)?;
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(ended) = open.pop() else { continue };
                    let whole = Span::new(ended.span.start, self.trimmed_end(ended.span.start, span.end));
                    let value = match ended.content {
                        Content::Sequence(items) => SpannedValue::Array(items),
                        Content::Mapping { members, .. } => SpannedValue::Object(members),
                    };
                    let value = Spanned { span: whole, value };
                    self.anchor(ended.anchor, &value, ended.values, ended.depth_below + 1);
                    (value, ended.values, ended.depth_below + 1)
                }
                Event::Alias(anchor) => {
                    let Some((value, values, depth)) = self.anchors.get(&anchor) else {
                        return Err(YamlFault::unsupported(span, "this alias stands inside the value it names"));
                    };
                    let too_deep = open.len() as u32 + depth > DEPTH_MAX;
                    self.aliased_values += values;
                    if self.aliased_values > ALIASED_VALUES_MAX || too_deep {
                        return Err(YamlFault::unsupported(
                            span,
                            "the aliases of this document stand for too many values",
                        ));
                    }
                    (value.clone(), *values, *depth)
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let expects_key =
                        matches!(open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }));
                    let value = if expects_key {
                        self.note_tag(tag.as_deref(), &["str", "int", "bool", "float", "null"], span);
                        Json::string(&*text)
                    } else {
                        self.scalar(&text, style, tag.as_deref(), span)?
                    };
                    let value = Spanned { span, value: SpannedValue::Scalar(value) };
                    self.anchor(anchor, &value, 1, 0);
                    (value, 1, 0)
                }
            };
            match open.last_mut() {
                None => root = Some(value),
                Some(parent) => {
                    parent.values += values;
                    parent.depth_below = parent.depth_below.max(depth);
                    place(parent, value)?;
                }
            }
        }
        root.ok_or_else(|| YamlFault::syntax(Span::new(self.text.len(), self.text.len()), "there is no value"))
    }

    fn anchor(&mut self, anchor: usize, value: &Spanned, values: usize, depth: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), values, depth));
        }
    }

    /// The end of a block collection without the blank lines and comments that YAML counts in.
    fn trimmed_end(&self, start: usize, end: usize) -> usize {
        start + self.text[start..end.max(start)].trim_end().len()
    }

    /// Remembers a tag that the core schema does not know, or does not know here.
    fn note_tag(&mut self, tag: Option<&Tag>, known: &[&str], span: Span) {
        let Some(tag) = tag else { return };
        if (tag.is_yaml_core_schema() && known.contains(&tag.suffix.as_str())) || tag.suffix.is_empty() {
            return;
        }
        let is_cloudformation = tag.handle == "!" && tag.suffix.starts_with(|letter: char| letter.is_ascii_uppercase());
        let mut fault = YamlFault::unsupported(span, format!("the tag {tag} has no meaning in a definition"));
        if is_cloudformation {
            fault.message = format!("CloudFormation's {tag} cannot be resolved here");
            fault.suggestion = Some("write ${Name} and substitute it, or the value itself".to_owned());
        }
        self.tagged.push(fault);
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Json, YamlFault> {
        if let Some(tag) = tag.filter(|tag| tag.is_yaml_core_schema()) {
            let resolved = resolve(text);
            let fits = match tag.suffix.as_str() {
                "str" => return Ok(Json::string(text)),
                "null" => matches!(resolved, Plain::Json(Json::Null)),
                "bool" => matches!(resolved, Plain::Json(Json::Bool(_))),
                "int" | "float" => matches!(resolved, Plain::Json(Json::Number(_))),
                _ => {
                    self.note_tag(Some(tag), &[], span);
                    return Ok(Json::string(text));
                }
            };
            return match resolved {
                Plain::Json(value) if fits => Ok(value),
                _ => Err(YamlFault::syntax(span, format!("{text:?} is no !!{}", tag.suffix))),
            };
        }
        self.note_tag(tag, &[], span);
        if style != ScalarStyle::Plain || tag.is_some() {
            return Ok(Json::string(text));
        }
        match resolve(text) {
            Plain::Json(value) => Ok(value),
            Plain::Text => Ok(Json::string(text)),
            Plain::NotJson => Err(YamlFault::unsupported(span, format!("JSON has no number {text}"))),
        }
    }
}

fn push(open: &mut Vec<Open>, span: Span, anchor: usize, content: Content) -> Result<(), YamlFault> {
    if open.len() >= DEPTH_MAX as usize {
        return Err(YamlFault::unsupported(span, format!("values may nest {DEPTH_MAX} deep at most")));
    }
    open.push(Open { span, anchor, values: 1, depth_below: 0, content });
    Ok(())
}

/// Puts a value where it belongs in the collection around it.
fn place(parent: &mut Open, value: Spanned) -> Result<(), YamlFault> {
    match &mut parent.content {
        Content::Sequence(items) => items.push(value),
        Content::Mapping { members, names, key } => match key.take() {
            Some((name, key_span)) => members.push(SpannedMember { key: name, key_span, value }),
            None => {
                let Some(name) = value.as_str() else {
                    return Err(YamlFault::unsupported(value.span, "a key must be text"));
                };
                if name == "<<" {
                    let mut fault = YamlFault::unsupported(value.span, "YAML 1.2 has no merge keys");
                    fault.suggestion = Some("alias the whole value instead, or write the members out".to_owned());
                    return Err(fault);
                }
                let name: Arc<str> = name.into();
                if names.insert(name.clone(), ()).is_some() {
                    return Err(YamlFault::syntax(value.span, format!("the key {name:?} stands here twice")));
                }
                *key = Some((name, value.span));
            }
        },
    }
    Ok(())
}

/// What a plain scalar stands for in the core schema.
enum Plain {
    Json(Json),
    Text,
    /// An infinity, or no number at all.
    NotJson,
}

fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Json(Json::Null),
        "true" | "True" | "TRUE" => return Plain::Json(Json::Bool(true)),
        "false" | "False" | "FALSE" => return Plain::Json(Json::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Plain::NotJson;
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return match i64::from_str_radix(digits, radix) {
                Ok(value) => Plain::Json(Json::from(value)),
                Err(_) => Plain::NotJson,
            };
        }
    }
    match decimal(text) {
        Some(number) => Number::parse(&number).map_or(Plain::NotJson, |number| Plain::Json(Json::Number(number))),
        None => Plain::Text,
    }
}

/// A number of the core schema as JSON writes it: `+.5` is `0.5`, `007` is `7`.
fn decimal(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_none_or(str::is_empty)) || !is_digits(whole) || !fraction.is_none_or(is_digits)
    {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let mut number = format!("{sign}{}", if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !is_digits(digits) {
            return None;
        }
        number.push('e');
        number.push_str(exponent);
    }
    Some(number)
}

/// From the parser's characters to bytes.
struct Offsets {
    /// The byte of every character; empty for ASCII, where they are the same.
    bytes: Vec<u32>,
}

impl Offsets {
    fn new(text: &str) -> Offsets {
        // A definition has a megabyte at most, checked before.
        let bytes =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(byte, _)| byte as u32).collect() };
        Offsets { bytes }
    }

    fn byte(&self, character: usize, length: usize) -> usize {
        let byte = if self.bytes.is_empty() {
            character
        } else {
            self.bytes.get(character).map_or(length, |byte| *byte as usize)
        };
        byte.min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        match read(text) {
            Ok((tree, tagged)) if tagged.is_empty() => tree.to_json().to_string(),
            Ok((_, tagged)) => format!("tag: {}", tagged[0].message),
            Err(fault) => format!("{}: {}", fault.span.start, fault.message),
        }
    }

    #[test]
    fn documents_become_the_json_they_stand_for() {
        let check = |text: &str, expected: &str| assert_eq!(json(text), expected, "{text}");
        check("a: 1\nb: [x, 'y', \"z\"]\n", r#"{"a":1,"b":["x","y","z"]}"#);
        check("- ~\n- null\n- true\n- False\n- yes\n", r#"[null,null,true,false,"yes"]"#);
        check("[1, -2, +3, 007, 0x1F, 0o17, 1.5, .5, 2., 1e3, -1.5E-3]", "[1,-2,3,7,31,15,1.5,0.5,2.0,1e3,-1.5e-3]");
        check(
            "[1_000, 0x, 1e, '1', \"2\", 12:30, 2016-08-18T17:33:00Z]",
            r#"["1_000","0x","1e","1","2","12:30","2016-08-18T17:33:00Z"]"#,
        );
        check("text: |\n  one\n  two\nfolded: >\n  one\n  two\n", r#"{"text":"one\ntwo\n","folded":"one two\n"}"#);
        check(
            "retry: &r\n  - a: 1\nfirst: *r\nsecond: *r\n",
            r#"{"retry":[{"a":1}],"first":[{"a":1}],"second":[{"a":1}]}"#,
        );
        check("1: a\ntrue: b\n", r#"{"1":"a","true":"b"}"#);
        check("--- !!map\na: !!str 12\nb: !!int \"7\"\n", r#"{"a":"12","b":7}"#);
        check("a: # empty\nb:\n", r#"{"a":null,"b":null}"#);
        check("{}", "{}");
        check("é: ü # ä\nx: {y: ö}", r#"{"é":"ü","x":{"y":"ö"}}"#);
    }

    #[test]
    fn what_json_cannot_say_is_a_fault() {
        let check = |text: &str, expected: &str| assert!(json(text).contains(expected), "{text}: {}", json(text));
        check("", "there is no value");
        check("a: 1\na: 2\n", "5: the key \"a\" stands here twice");
        check("a: .inf", "3: JSON has no number .inf");
        check("? [a]\n: b\n", "a key must be text");
        check("a: 1\n---\nb: 2\n", "here starts another");
        check("a: &x [*x]", "inside the value it names");
        check("a: &x {b: 1}\nc:\n  <<: *x\n", "no merge keys");
        check("a: !Sub '${X}'", "CloudFormation's !Sub");
        check("a: !GetAtt X.Arn", "CloudFormation's !GetAtt");
        check("a: !Join ['', [b]]", "CloudFormation's !Join");
        check("a: !foo b", "the tag !foo has no meaning");
        check("a: !!int x", "is no !!int");
        check("a: 'x", "");
        check("\ta: b", "");
        check(&"[".repeat(10_000), "limit");
        check(&"- ".repeat(10_000), "512 deep");
    }

    #[test]
    fn a_bomb_of_aliases_does_not_go_off() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let above = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{above}"); 10].join(", ")));
        }
        assert!(json(&bomb).contains("too many values"));
        let mut deep = String::from("a0: &a0 [x]\n");
        for level in 1..600 {
            deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        assert!(json(&deep).contains("too many values"));
    }

    #[test]
    fn spans_are_in_bytes_and_without_trailing_space() {
        let text = "é:\n  a: ü\n  b: 1\n\n# end\nx: 2\n";
        let (tree, _) = read(text).expect("YAML");
        let member = tree.get("é").expect("there");
        assert_eq!(&text[member.key_span.start..member.key_span.end], "é");
        assert!(text[member.value.span.start..member.value.span.end].starts_with("a: ü\n  b: 1"));
        let last = tree.get("x").expect("there");
        assert_eq!(&text[last.value.span.start..last.value.span.end], "2");
    }
}
