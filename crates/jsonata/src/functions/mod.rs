//! The function table: one row per function of the language, with its signature, arity and body.

mod arrays;
mod aws;
mod dates;
mod encoding;
mod higher_order;
mod matching;
mod numbers;
mod objects;
mod strings;

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::signature::Signature;
use crate::value::Value;

/// A function of the language.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    signature: &'static str,
    /// How many arguments it takes when called by `$map` and its kind.
    pub(crate) arity: usize,
    pub(crate) body: Body,
    parsed: LazyLock<Signature, fn() -> Signature>,
}

pub(crate) type Body = fn(&mut Evaluator<'_>, Args) -> Result<Value>;

impl Builtin {
    pub(crate) fn signature(&self) -> &Signature {
        &self.parsed
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}{}", self.name, self.signature)
    }
}

/// The arguments of a call, as the signature made them.
pub(crate) struct Args(pub(crate) Vec<Value>);

impl Args {
    /// The argument at this place, moved out; undefined if it was not given.
    pub(crate) fn take(&mut self, place: usize) -> Value {
        self.0.get_mut(place).map_or(Value::Undefined, |value| std::mem::replace(value, Value::Undefined))
    }

    pub(crate) fn get(&self, place: usize) -> &Value {
        self.0.get(place).unwrap_or(&Value::Undefined)
    }

    pub(crate) fn text(&self, place: usize) -> Option<Arc<str>> {
        self.get(place).as_text().cloned()
    }

    pub(crate) fn number(&self, place: usize) -> Option<f64> {
        self.get(place).as_number()
    }
}

pub(crate) use matching::search_start;

/// The function of this name, without its `$`.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    FUNCTIONS.binary_search_by(|builtin| builtin.name.cmp(name)).ok().map(|place| &FUNCTIONS[place])
}

/// The names of all functions, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|builtin| builtin.name)
}

macro_rules! functions {
    ($($name:literal $signature:literal $arity:literal $body:path;)*) => {
        /// Sorted by name. `$eval` is left out on purpose: Step Functions has none.
        static FUNCTIONS: [Builtin; [$($name),*].len()] = [$(Builtin {
            name: $name,
            signature: $signature,
            arity: $arity,
            body: $body,
            parsed: LazyLock::new(|| match Signature::parse($signature) {
                Ok(signature) => signature,
                Err(_) => panic!("the signature of a function of the language does not parse"),
            }),
        }),*];
    };
}

functions! {
    "abs" "<n-:n>" 1 numbers::abs;
    "append" "<xx:a>" 2 arrays::append;
    "assert" "<bs?:x>" 2 objects::assert;
    "average" "<a<n>:n>" 1 numbers::average;
    "base64decode" "<s-:s>" 1 encoding::base64_decode;
    "base64encode" "<s-:s>" 1 encoding::base64_encode;
    "boolean" "<x-:b>" 1 objects::boolean;
    "ceil" "<n-:n>" 1 numbers::ceil;
    "clone" "<(oa)-:o>" 1 objects::clone;
    "contains" "<s-(sf):b>" 2 matching::contains;
    "count" "<a:n>" 1 arrays::count;
    "decodeUrl" "<s-:s>" 1 encoding::decode_url;
    "decodeUrlComponent" "<s-:s>" 1 encoding::decode_url_component;
    "distinct" "<x:x>" 1 arrays::distinct;
    "each" "<o-f:a>" 2 higher_order::each;
    "encodeUrl" "<s-:s>" 1 encoding::encode_url;
    "encodeUrlComponent" "<s-:s>" 1 encoding::encode_url_component;
    "error" "<s?:x>" 1 objects::error;
    "exists" "<x:b>" 1 objects::exists;
    "filter" "<af>" 2 higher_order::filter;
    "floor" "<n-:n>" 1 numbers::floor;
    "formatBase" "<n-n?:s>" 2 numbers::format_base;
    "formatInteger" "<n-s:s>" 2 numbers::format_integer;
    "formatNumber" "<n-so?:s>" 3 numbers::format_number;
    "fromMillis" "<n-s?s?:s>" 3 dates::from_millis;
    "hash" "<s-s:s>" 2 aws::hash;
    "join" "<a<s>s?:s>" 2 strings::join;
    "keys" "<x-:a<s>>" 1 objects::keys;
    "length" "<s-:n>" 1 strings::length;
    "lookup" "<x-s:x>" 2 objects::lookup;
    "lowercase" "<s-:s>" 1 strings::lowercase;
    "map" "<af>" 2 higher_order::map;
    "match" "<s-f<s:o>n?:a<o>>" 3 matching::matches;
    "max" "<a<n>:n>" 1 numbers::max;
    "merge" "<a<o>:o>" 1 objects::merge;
    "millis" "<:n>" 0 dates::millis;
    "min" "<a<n>:n>" 1 numbers::min;
    "not" "<x-:b>" 1 objects::not;
    "now" "<s?s?:s>" 2 dates::now;
    "number" "<(nsb)-:n>" 1 numbers::number;
    "pad" "<s-ns?:s>" 3 strings::pad;
    "parse" "<s-:x>" 1 aws::parse;
    "parseInteger" "<s-s:n>" 2 numbers::parse_integer;
    "partition" "<an:a<a>>" 2 aws::partition;
    "power" "<n-n:n>" 2 numbers::power;
    "random" "<n?:n>" 0 aws::random;
    "range" "<nnn:a<n>>" 3 aws::range;
    "reduce" "<afj?:j>" 3 higher_order::reduce;
    "replace" "<s-(sf)(sf)n?:s>" 4 matching::replace;
    "reverse" "<a:a>" 1 arrays::reverse;
    "round" "<n-n?:n>" 2 numbers::round;
    "shuffle" "<a:a>" 1 arrays::shuffle;
    "sift" "<o-f?:o>" 2 higher_order::sift;
    "single" "<af?>" 2 higher_order::single;
    "sort" "<af?:a>" 2 higher_order::sort;
    "split" "<s-(sf)n?:a<s>>" 3 matching::split;
    "spread" "<x-:a<o>>" 1 objects::spread;
    "sqrt" "<n-:n>" 1 numbers::sqrt;
    "string" "<x-b?:s>" 1 strings::string;
    "substring" "<s-nn?:s>" 3 strings::substring;
    "substringAfter" "<s-s:s>" 2 strings::substring_after;
    "substringBefore" "<s-s:s>" 2 strings::substring_before;
    "sum" "<a<n>:n>" 1 numbers::sum;
    "toMillis" "<s-s?:n>" 2 dates::to_millis;
    "trim" "<s-:s>" 1 strings::trim;
    "type" "<x:s>" 1 objects::type_name;
    "uppercase" "<s-:s>" 1 strings::uppercase;
    "uuid" "<:s>" 0 aws::uuid;
    "zip" "<a+>" 0 arrays::zip;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_their_signatures_parse() {
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for builtin in &FUNCTIONS {
            assert_eq!(Signature::parse(builtin.signature).as_ref(), Ok(builtin.signature()), "{builtin:?}");
        }
    }
}
