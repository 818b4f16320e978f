//! What can go wrong, with the reference's codes and a sentence for each.

use std::fmt;

use stepwell_json::Json;

/// A failed parse or evaluation.
///
/// Codes are those of the reference implementation: `S…` is syntax, `T…` a type, `D…` a value met while evaluating.
/// Ours are `D1013` (memory), `D3142` (text that base64 cannot take), `D3150` to `D3153` (Step Functions' own
/// functions), `S0303` and `S0304` (regular expressions) and `U1002` (an expression too long or nested too deeply).
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// Such as `T2001`.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// Where: UTF-16 units from the start of the expression to the end of the token concerned.
    pub position: usize,
    /// The operator, function or character concerned.
    pub token: Option<String>,
    /// The offending value, if JSON can say it and it is no longer than a line.
    pub value: Option<Json>,
    /// Which argument of a function, from 1.
    pub index: Option<usize>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// Values longer than this are left out of errors: they go into histories and logs.
const VALUE_BYTES_MAX: usize = 256;

/// An [`Error`] on its way up, where the position, the token and the message may still be missing.
#[derive(Debug)]
pub(crate) struct Fault {
    code: &'static str,
    message: Option<String>,
    position: Option<usize>,
    token: Option<String>,
    value: Option<Json>,
    other: Option<Json>,
    index: Option<usize>,
}

pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

impl Fault {
    /// A fault of this code; the rest is filled in by whoever knows it.
    #[cold]
    pub(crate) fn new(code: &'static str) -> Box<Fault> {
        let (message, position, token, value, other, index) = (None, None, None, None, None, None);
        Box::new(Fault { code, message, position, token, value, other, index })
    }

    pub(crate) fn at(mut self: Box<Self>, position: usize) -> Box<Fault> {
        self.position.get_or_insert(position);
        self
    }

    pub(crate) fn token(mut self: Box<Self>, token: impl Into<String>) -> Box<Fault> {
        self.token.get_or_insert_with(|| token.into());
        self
    }

    pub(crate) fn value(mut self: Box<Self>, value: Option<Json>) -> Box<Fault> {
        self.value = value.filter(|value| value.serialized_bytes() <= VALUE_BYTES_MAX);
        self
    }

    pub(crate) fn text(self: Box<Self>, text: &str) -> Box<Fault> {
        self.value(Some(Json::from(text)))
    }

    pub(crate) fn other(mut self: Box<Self>, value: Option<Json>) -> Box<Fault> {
        self.other = value.filter(|value| value.serialized_bytes() <= VALUE_BYTES_MAX);
        self
    }

    pub(crate) fn argument(mut self: Box<Self>, index: usize) -> Box<Fault> {
        self.index = Some(index);
        self
    }

    pub(crate) fn message(mut self: Box<Self>, message: impl Into<String>) -> Box<Fault> {
        self.message = Some(message.into());
        self
    }

    /// The finished error.
    pub(crate) fn into_error(self) -> Error {
        let message = match self.message {
            Some(message) => message,
            None => self.describe(),
        };
        Error {
            code: self.code,
            message,
            position: self.position.unwrap_or(0),
            token: self.token,
            value: self.value,
            index: self.index,
        }
    }

    /// The sentence of the code, with `{token}`, `{value}`, `{other}` and `{index}` filled in.
    fn describe(&self) -> String {
        let sentence = SENTENCES.iter().find(|(code, _)| *code == self.code).map_or("Evaluation failed", |row| row.1);
        let shown = |value: &Option<Json>| value.as_ref().map_or_else(|| "that value".to_owned(), Json::to_string);
        let mut message = sentence.to_owned();
        for (mark, text) in [
            ("{token}", self.token.clone().unwrap_or_else(|| "without a name".to_owned())),
            ("{value}", shown(&self.value)),
            ("{other}", shown(&self.other)),
            ("{index}", self.index.map_or_else(String::new, |index| index.to_string())),
        ] {
            if message.contains(mark) {
                message = message.replace(mark, &text);
            }
        }
        message
    }
}

/// One sentence per code.
const SENTENCES: &[(&str, &str)] = &[
    ("S0101", "String literal has no closing quote"),
    ("S0102", "Number out of range: {token}"),
    ("S0103", "Unsupported escape sequence: \\{token}"),
    ("S0104", "\\u must be followed by four hexadecimal digits"),
    ("S0105", "Quoted name has no closing backquote"),
    ("S0106", "Comment has no closing tag"),
    ("S0201", "Syntax error: {token}"),
    ("S0202", "Expected {value}, got {token}"),
    ("S0203", "Expected {value} before the end of the expression"),
    ("S0204", "Unknown operator: {token}"),
    ("S0207", "Unexpected end of expression"),
    ("S0208", "Parameter {index} of a function definition must be a variable name, starting with $"),
    ("S0209", "A predicate cannot follow a grouping expression in a step"),
    ("S0210", "Each step can have only one grouping expression"),
    ("S0211", "The symbol {token} cannot be used as a unary operator"),
    ("S0212", "The left side of := must be a variable name, starting with $"),
    ("S0213", "The literal value {value} cannot be used as a step of a path"),
    ("S0214", "The right side of {token} must be a variable name, starting with $"),
    ("S0215", "A context variable binding must precede any predicates on a step"),
    ("S0216", "A context variable binding must precede the order-by clause on a step"),
    ("S0217", "The object that the parent operator % means cannot be found"),
    ("S0301", "Empty regular expressions are not allowed"),
    ("S0302", "Regular expression has no closing /"),
    ("S0303", "Unsupported regular expression"),
    ("S0304", "The regular expression is too large"),
    ("S0401", "Type parameters can be applied only to functions and arrays"),
    ("S0402", "Choice groups of parameterized types are not supported"),
    ("T0410", "Argument {index} of function {token} does not match its signature"),
    ("T0411", "The context value does not have a type fit for argument {index} of function {token}"),
    ("T0412", "Argument {index} of function {token} must be an array of {other}"),
    ("D1001", "Number out of range: {value}"),
    ("D1002", "Cannot negate a value that is no number: {value}"),
    ("T1003", "A key of an object must evaluate to a string; got {value}"),
    ("D1004", "The regular expression matches a string of no length"),
    ("T1005", "Attempted to invoke something that is no function. Did you mean ${token}?"),
    ("T1006", "Attempted to invoke something that is no function"),
    ("T1007", "Attempted to partially apply something that is no function. Did you mean ${token}?"),
    ("T1008", "Attempted to partially apply something that is no function"),
    ("D1009", "Several key definitions evaluate to the same key: {value}"),
    ("T1010", "The matcher passed to function {token} does not return the right structure"),
    ("D1011", "The expression nests evaluations or values too deeply: check for recursion without an end"),
    ("D1012", "The expression takes too many steps: check for a loop without an end"),
    ("D1013", "The expression makes values that are too large"),
    ("T2001", "The left side of the {token} operator must evaluate to a number"),
    ("T2002", "The right side of the {token} operator must evaluate to a number"),
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("T2006", "The right side of the function application operator ~> must be a function"),
    ("T2007", "Values {value} and {other} of an order-by clause are of different types"),
    ("T2008", "The expressions of an order-by clause must evaluate to numbers or strings"),
    ("T2009", "The values {value} and {other} on either side of operator {token} must be of the same type"),
    ("T2010", "The expressions on either side of operator {token} must evaluate to numbers or strings"),
    ("T2011", "The update clause of a transform must evaluate to an object: {value}"),
    ("T2012", "The delete clause of a transform must evaluate to a string or an array of strings: {value}"),
    ("D2014", "The range operator (..) makes at most 1e7 items; asked for {value}"),
    ("D3001", "A number that is infinite or undefined has no text"),
    ("D3010", "The second argument of $replace must not be an empty string"),
    ("D3011", "The fourth argument of $replace must be a positive number"),
    ("D3012", "$replace can put only strings in the place of a match"),
    ("D3020", "The third argument of $split must be a positive number"),
    ("D3030", "Cannot cast to a number: {value}"),
    ("D3040", "The third argument of $match must be a positive number"),
    ("D3050", "The second argument of $reduce must be a function of at least two arguments"),
    ("D3060", "$sqrt of a negative number: {value}"),
    ("D3061", "$power gives a number that JSON cannot say: base {value}, exponent {other}"),
    ("D3070", "$sort of one argument takes an array of strings or an array of numbers; give a comparator for others"),
    ("D3080", "The picture must have at most two sub-pictures"),
    ("D3081", "A sub-picture must have at most one decimal separator"),
    ("D3082", "A sub-picture must have at most one percent sign"),
    ("D3083", "A sub-picture must have at most one per-mille sign"),
    ("D3084", "A sub-picture must not have both a percent and a per-mille sign"),
    ("D3085", "The mantissa of a sub-picture must have at least one digit sign"),
    ("D3086", "A sub-picture must not have a passive character between two active ones"),
    ("D3087", "A sub-picture must not have a grouping separator beside its decimal separator"),
    ("D3088", "The integer part of a sub-picture must not end in a grouping separator"),
    ("D3089", "A sub-picture must not have two grouping separators side by side"),
    ("D3090", "In the integer part of a sub-picture optional digits must come before mandatory ones"),
    ("D3091", "In the fractional part of a sub-picture optional digits must come after mandatory ones"),
    ("D3092", "A sub-picture with a percent or per-mille sign must not have an exponent"),
    ("D3093", "The exponent of a sub-picture must be one or more mandatory digits"),
    ("D3100", "The radix of $formatBase must be between 2 and 36, not {value}"),
    ("D3110", "$toMillis takes an ISO 8601 timestamp, not {value}"),
    ("D3130", "Numbering with a sequence that starts with {value} is not supported"),
    ("D3131", "All digits of a decimal pattern must be of the same family"),
    ("D3132", "Unknown component {value} in a date and time picture"),
    ("D3133", "The name modifier applies only to months and days, not to {value}"),
    ("D3134", "A timezone format must not have more than four digits"),
    ("D3135", "A date and time picture has no closing bracket ]"),
    ("D3136", "The date and time picture lacks components needed to read the timestamp"),
    ("D3137", "$error() function evaluated"),
    ("D3138", "$single() expects exactly one match, but there are more"),
    ("D3139", "$single() expects exactly one match, but there is none"),
    ("D3141", "$assert() statement failed"),
    ("D3142", "$base64encode takes characters up to U+00FF; encode others first, with $encodeUrlComponent"),
    ("D3150", "The size given to $partition must be a positive integer"),
    ("D3151", "The step given to $range must not be zero"),
    ("D3152", "Unknown hash algorithm: {value}. Use MD5, SHA-1, SHA-256, SHA-384 or SHA-512"),
    ("D3153", "$parse takes JSON text"),
    ("U1002", "The expression is too long or nested too deeply"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_filled_in_and_unique() {
        let error = Fault::new("T2009").token("<").value(Some(Json::from(1))).other(Some(Json::from("a"))).into_error();
        assert!(error.message.starts_with("The values 1 and \"a\" on either side of operator <"), "{error}");
        for (place, (code, _)) in SENTENCES.iter().enumerate() {
            assert!(SENTENCES[..place].iter().all(|(other, _)| other != code), "{code} twice");
        }
    }

    #[test]
    fn long_values_stay_out() {
        let error = Fault::new("D3030").value(Some(Json::from("x".repeat(1000)))).into_error();
        assert_eq!(error.value, None);
    }
}
