//! Function signatures, such as `<s-nn?:s>`: which arguments fit, and what is made of them.

use crate::error::{Fault, Result};
use crate::value::Value;

/// A parsed signature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signature {
    parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
struct Parameter {
    /// Type letters that fit; `m` (a missing value) always does, except for functions.
    accepts: Vec<u8>,
    repeat: Repeat,
    /// `-`: the context value stands in for a missing argument.
    context: bool,
    array: bool,
    /// `a<n>`: the letters between the angle brackets.
    items: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    One,
    Optional,
    OneOrMore,
    ZeroOrMore,
}

/// The letter of a value's type: `s n b l a o f`, or `m` for undefined.
pub(crate) fn type_letter(value: &Value) -> u8 {
    use stepwell_json::Json;
    match value {
        Value::Undefined => b'm',
        Value::Number(_) | Value::Json(Json::Number(_)) => b'n',
        Value::Json(Json::String(_)) => b's',
        Value::Json(Json::Bool(_)) => b'b',
        Value::Json(Json::Null) => b'l',
        Value::Json(Json::Array(_)) | Value::List(_) | Value::Tuples(_) => b'a',
        Value::Json(Json::Object(_)) | Value::Record(_) => b'o',
        Value::Function(_) => b'f',
    }
}

/// What an array's item letter is called in messages.
fn plural(letter: u8) -> &'static str {
    match letter {
        b'a' => "arrays",
        b'b' => "booleans",
        b'f' => "functions",
        b'n' => "numbers",
        b'o' => "objects",
        b's' => "strings",
        _ => "values of one type",
    }
}

/// Just past the bracket that closes the one at `open`, or the end.
fn closing(text: &[u8], open: usize) -> usize {
    let (opening, closing) = if text[open] == b'(' { (b'(', b')') } else { (b'<', b'>') };
    let mut depth = 0usize;
    for (offset, byte) in text[open..].iter().enumerate() {
        if *byte == opening {
            depth += 1;
        } else if *byte == closing {
            depth -= 1;
            if depth == 0 {
                return open + offset;
            }
        }
    }
    text.len()
}

impl Signature {
    /// Parses `<...>`. Fails with a code and the offset of the fault.
    pub(crate) fn parse(signature: &str) -> std::result::Result<Signature, (&'static str, usize)> {
        let text = signature.as_bytes();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while at < text.len() && text[at] != b':' {
            let letter = text[at];
            let accepts: Option<Vec<u8>> = match letter {
                b's' | b'n' | b'b' | b'l' | b'o' => Some(vec![letter, b'm']),
                b'a' | b'x' => Some(b"asnblfom".to_vec()),
                b'j' => Some(b"asnblom".to_vec()),
                b'f' => Some(vec![b'f']),
                b'(' => {
                    let end = closing(text, at);
                    let choice = &text[at + 1..end];
                    if choice.contains(&b'<') {
                        return Err(("S0402", at));
                    }
                    at = end;
                    let mut letters = choice.to_vec();
                    letters.push(b'm');
                    Some(letters)
                }
                _ => None,
            };
            if let Some(accepts) = accepts {
                let array = letter == b'a';
                parameters.push(Parameter { accepts, repeat: Repeat::One, context: false, array, items: None });
            } else if let Some(parameter) = parameters.last_mut() {
                match letter {
                    b'-' => {
                        parameter.context = true;
                        parameter.repeat = optional(parameter.repeat);
                    }
                    b'?' => parameter.repeat = optional(parameter.repeat),
                    b'+' => parameter.repeat = Repeat::OneOrMore,
                    b'<' => {
                        if !parameter.array && parameter.accepts != b"f" {
                            return Err(("S0401", at));
                        }
                        let end = closing(text, at);
                        parameter.items = parameter.array.then(|| text[at + 1..end].to_vec());
                        at = end;
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        Ok(Signature { parameters })
    }

    /// How many arguments each parameter takes, if all of them fit.
    fn distribute(&self, letters: &[u8], exact: bool, upto: usize) -> Option<Vec<usize>> {
        let mut counts = Vec::with_capacity(upto);
        // Signatures are short and letters few, so trying out is cheap; the bound keeps made-up ones cheap as well.
        let mut tries = 10_000;
        self.try_from(letters, exact, upto, &mut counts, &mut tries).then_some(counts)
    }

    fn try_from(&self, letters: &[u8], exact: bool, upto: usize, counts: &mut Vec<usize>, tries: &mut usize) -> bool {
        let Some(parameter) = self.parameters[..upto].get(counts.len()) else {
            return !exact || letters.is_empty();
        };
        if *tries == 0 {
            return false;
        }
        *tries -= 1;
        let fitting = letters.iter().take_while(|letter| parameter.accepts.contains(letter)).count();
        let (least, most) = match parameter.repeat {
            Repeat::One => (1, 1),
            Repeat::Optional => (0, 1),
            Repeat::OneOrMore => (1, usize::MAX),
            Repeat::ZeroOrMore => (0, usize::MAX),
        };
        for count in (least..=fitting.min(most)).rev() {
            counts.push(count);
            if self.try_from(&letters[count..], exact, upto, counts, tries) {
                return true;
            }
            counts.pop();
        }
        false
    }

    /// The arguments as the function takes them: the context in the place of missing ones, arrays around single values.
    pub(crate) fn validate(&self, arguments: Vec<Value>, context: &Value) -> Result<Vec<Value>> {
        // Nearly every call gives as many arguments as there are parameters, each of its plain type.
        if arguments.len() == self.parameters.len()
            && self.parameters.iter().zip(&arguments).all(|(parameter, argument)| {
                parameter.accepts.contains(&type_letter(argument))
                    && (!parameter.array || is_untyped_array(parameter, argument))
            })
        {
            return Ok(arguments);
        }
        let letters: Vec<u8> = arguments.iter().map(type_letter).collect();
        let Some(counts) = self.distribute(&letters, true, self.parameters.len()) else {
            let index = self.first_misfit(&letters);
            let value = arguments.get(index).and_then(Value::to_shown_json);
            return Err(Fault::new("T0410").argument(index + 1).value(value));
        };
        let mut validated = Vec::with_capacity(self.parameters.len());
        let mut given = arguments.into_iter();
        let mut index = 0;
        for (parameter, count) in self.parameters.iter().zip(counts) {
            if count == 0 {
                if parameter.context {
                    if !parameter.accepts.contains(&type_letter(context)) {
                        return Err(Fault::new("T0411").argument(index + 1).value(context.to_shown_json()));
                    }
                    validated.push(context.clone());
                } else {
                    validated.push(given.next().unwrap_or(Value::Undefined));
                    index += 1;
                }
            }
            let group = &letters[index.min(letters.len())..(index + count).min(letters.len())];
            for _ in 0..count {
                let argument = given.next().unwrap_or(Value::Undefined);
                validated.push(if parameter.array { as_array(parameter, argument, group, index)? } else { argument });
                index += 1;
            }
        }
        Ok(validated)
    }

    /// Place of the argument at which fitting fails.
    fn first_misfit(&self, letters: &[u8]) -> usize {
        let mut good = 0;
        for upto in 1..=self.parameters.len() {
            match self.distribute(letters, false, upto) {
                Some(counts) => good = counts.iter().sum(),
                None => break,
            }
        }
        good
    }
}

fn optional(repeat: Repeat) -> Repeat {
    match repeat {
        Repeat::One | Repeat::Optional => Repeat::Optional,
        Repeat::OneOrMore | Repeat::ZeroOrMore => Repeat::ZeroOrMore,
    }
}

fn is_untyped_array(parameter: &Parameter, argument: &Value) -> bool {
    parameter.items.is_none() && argument.is_array()
}

/// The argument as an array of the items the parameter asks for.
fn as_array(parameter: &Parameter, argument: Value, group: &[u8], index: usize) -> Result<Value> {
    if matches!(argument, Value::Undefined) {
        return Ok(argument);
    }
    let Some(items) = &parameter.items else {
        return Ok(if argument.is_array() { argument } else { Value::list(vec![argument]) });
    };
    let wanted = items.first().copied().unwrap_or(b'x');
    let fits = match argument.as_array() {
        Some(array) => array.all_of_type(wanted),
        None => group == items.as_slice(),
    };
    if !fits {
        let kind = stepwell_json::Json::from(plural(wanted));
        return Err(Fault::new("T0412").argument(index + 1).value(argument.to_shown_json()).other(Some(kind)));
    }
    Ok(if argument.is_array() { argument } else { Value::list(vec![argument]) })
}
