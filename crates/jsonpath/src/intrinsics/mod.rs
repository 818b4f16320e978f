//! The intrinsic functions: one table of what there is, and one file for each kind of them.
//!
//! Results follow what AWS was recorded to return; where nothing is recorded, AWS's documentation; the words of errors
//! are ours, since AWS's are not known.

mod chance;
mod invocation;
mod lists;
mod numbers;
mod texts;

use stepwell_json::{Array, Json};

use crate::expression::Failure;

pub(crate) use invocation::Invocation;

/// One intrinsic function.
#[derive(Debug)]
pub struct IntrinsicRow {
    /// `States.Format`
    pub name: &'static str,
    /// Names of its arguments, for signatures: `template, values...`.
    pub parameters: &'static str,
    /// Fewest arguments it takes.
    pub arguments_min: usize,
    /// Most arguments it takes; `None` where there is no such number.
    pub arguments_max: Option<usize>,
    /// Whether it can return a string, so that it may stand in a field that takes one, such as `CausePath`.
    pub may_return_string: bool,
    /// What it does, in a sentence.
    pub doc: &'static str,
    function: Intrinsic,
}

/// All intrinsic functions, sorted by name.
pub fn all() -> &'static [IntrinsicRow] {
    ROWS
}

/// The row of this name: `States.Format`.
pub fn find(name: &str) -> Option<&'static IntrinsicRow> {
    ROWS.iter().find(|row| row.name == name)
}

#[derive(Clone, Copy, Debug)]
enum Intrinsic {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

macro_rules! rows {
    ($($function:ident $name:literal ($parameters:literal) $min:literal..$max:expr, $string:literal, $doc:literal;)*) => {
        &[$(IntrinsicRow {
            name: concat!("States.", $name),
            parameters: $parameters,
            arguments_min: $min,
            arguments_max: $max,
            may_return_string: $string,
            doc: $doc,
            function: Intrinsic::$function,
        }),*]
    };
}

// function, name, parameters, number of arguments, may return a string, what it does
const ROWS: &[IntrinsicRow] = rows! {
    Array "Array" ("values...") 0..None, false, "An array of the arguments.";
    ArrayContains "ArrayContains" ("array, value") 2..Some(2), false, "Whether the array has an item equal to the value.";
    ArrayGetItem "ArrayGetItem" ("array, index") 2..Some(2), true, "The item at the index, counted from 0.";
    ArrayLength "ArrayLength" ("array") 1..Some(1), false, "The number of items.";
    ArrayPartition "ArrayPartition" ("array, size") 2..Some(2), false,
        "The items in arrays of this size; the last one may be smaller.";
    ArrayRange "ArrayRange" ("first, last, step") 3..Some(3), false,
        "The numbers from the first to the last one, both included, at most 1,000 of them.";
    ArrayUnique "ArrayUnique" ("array") 1..Some(1), false, "The items without those that came before.";
    Base64Decode "Base64Decode" ("text") 1..Some(1), true, "The text that at most 10,000 characters of Base64 stand for.";
    Base64Encode "Base64Encode" ("text") 1..Some(1), true, "The Base64 of at most 10,000 characters.";
    Format "Format" ("template, values...") 1..None, true, "The template with its {} replaced by the values.";
    Hash "Hash" ("text, algorithm") 2..Some(2), true,
        "The hash, in hexadecimal, of at most 10,000 characters by MD5, SHA-1, SHA-256, SHA-384 or SHA-512.";
    JsonMerge "JsonMerge" ("first, second, deep") 3..Some(3), false,
        "The members of both objects, those of the second winning; deep has to be false.";
    JsonToString "JsonToString" ("value") 1..Some(1), true, "The value as JSON text.";
    MathAdd "MathAdd" ("first, second") 2..Some(2), false, "The sum of two integers of 32 bits.";
    MathRandom "MathRandom" ("start, end, seed") 2..Some(3), false,
        "A random integer from the start, included, to the end, excluded; the same for the same seed.";
    StringSplit "StringSplit" ("text, delimiters") 2..Some(2), false,
        "The parts of the text between the delimiters, each a single character; empty parts are left out.";
    StringToJson "StringToJson" ("text") 1..Some(1), false, "The value that JSON text stands for.";
    Uuid "UUID" ("") 0..Some(0), true, "A random UUID of version 4.";
};

/// Evaluated arguments. Indices start at 0; messages count from 1.
struct Arguments<'a>(&'a [Json]);

impl Arguments<'_> {
    fn value(&self, index: usize) -> Result<&Json, Failure> {
        self.0.get(index).ok_or_else(|| Failure::intrinsic(format!("Argument {} is missing", index + 1)))
    }

    fn array(&self, index: usize) -> Result<&Array, Failure> {
        let value = self.value(index)?;
        value.as_array().ok_or_else(|| mismatch(index, "an array", value))
    }

    fn text(&self, index: usize) -> Result<&str, Failure> {
        let value = self.value(index)?;
        value.as_str().ok_or_else(|| mismatch(index, "a string", value))
    }

    /// A number rounded to the nearest integer, halves up, as Java's `Math.round` does: `-1.5` becomes `-1`.
    fn integer(&self, index: usize) -> Result<i64, Failure> {
        /// Integers up to this size are exact in a float.
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        let value = self.value(index)?;
        let number = value.as_number().ok_or_else(|| mismatch(index, "an integer", value))?;
        if let Some(integer) = number.as_i64() {
            return Ok(integer);
        }
        let rounded = (number.as_f64() + 0.5).floor();
        if rounded.abs() <= EXACT_MAX {
            Ok(rounded as i64)
        } else {
            Err(Failure::intrinsic(format!("Argument {} is out of range: {number}", index + 1)))
        }
    }
}

fn mismatch(index: usize, wanted: &str, value: &Json) -> Failure {
    Failure::intrinsic(format!("Argument {} must be {wanted}, but is of type {}", index + 1, value.kind().name()))
}

#[cfg(test)]
mod tests;
