//! The value itself: six kinds, the two that nest behind a shared pointer.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::number::Number;
use crate::object::{Object, ObjectBuilder};

/// A JSON value. Cloning it never copies text, members or items.
///
/// Equality is JSON equality: numbers by value (`1` equals `1.0`), objects without regard to key order.
#[derive(Clone)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, with the text it was written in.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// An array.
    Array(Array),
    /// An object; key order is kept.
    Object(Object),
}

/// The kind of a value, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind's name as JSON Schema spells it: `null boolean number string array object`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

/// An immutable array. Dereferences to a slice of its items.
#[derive(Clone)]
pub struct Array(Arc<ArrayNode>);

struct ArrayNode {
    items: Vec<Json>,
    depth: u32,
    bytes: LazySize,
}

/// Serialized size of a node, counted when first asked for. Zero means "not counted yet": no node is empty text.
#[derive(Default)]
pub(crate) struct LazySize(AtomicUsize);

impl LazySize {
    pub(crate) fn get_or(&self, count: impl FnOnce() -> usize) -> usize {
        match self.0.load(Ordering::Relaxed) {
            0 => {
                let bytes = count();
                self.0.store(bytes, Ordering::Relaxed);
                bytes
            }
            bytes => bytes,
        }
    }
}

impl Array {
    /// An array of these items.
    pub fn new(items: Vec<Json>) -> Self {
        let depth = 1 + items.iter().map(Json::depth).max().unwrap_or(0);
        Array(Arc::new(ArrayNode { items, depth, bytes: LazySize::default() }))
    }

    /// Whether both are the very same shared array.
    pub fn is_same(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where the shared array stands in memory: its own as long as somebody holds it, the same for all who share it.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The items, moved out when nobody else holds the array and copied (by pointer) otherwise.
    pub fn into_items(self) -> Vec<Json> {
        match Arc::try_unwrap(self.0) {
            Ok(node) => node.items,
            Err(shared) => shared.items.clone(),
        }
    }

    pub(crate) fn depth(&self) -> u32 {
        self.0.depth
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.get_or(|| {
            let punctuation = 2 + self.len().saturating_sub(1);
            // A tree whose parts are shared can be larger when written out than any number says.
            self.iter().fold(punctuation, |sum, item| sum.saturating_add(item.serialized_bytes()))
        })
    }
}

impl Deref for Array {
    type Target = [Json];

    fn deref(&self) -> &[Json] {
        &self.0.items
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Array) -> bool {
        self.is_same(other) || **self == **other
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Json::Array(self.clone()))
    }
}

impl FromIterator<Json> for Array {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Array::new(items.into_iter().collect())
    }
}

impl Json {
    /// A string value.
    pub fn string(text: impl Into<Arc<str>>) -> Json {
        Json::String(text.into())
    }

    /// An array value.
    pub fn array(items: Vec<Json>) -> Json {
        Json::Array(Array::new(items))
    }

    /// An object value from members in order; of equal keys the last value stays, in the first one's place.
    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Json)>) -> Json {
        let mut builder = ObjectBuilder::new();
        for (key, value) in members {
            builder.insert(key.into(), value);
        }
        Json::Object(builder.build())
    }

    /// `{}`
    pub fn empty_object() -> Json {
        Json::Object(ObjectBuilder::new().build())
    }

    /// A number from a float, as JavaScript would print it: integral values below 2^53 become integers.
    /// `None` when the float is infinite or not a number, which JSON cannot say.
    pub fn from_f64(value: f64) -> Option<Json> {
        Number::from_f64(value).map(Json::Number)
    }

    /// The kind of this value.
    pub fn kind(&self) -> Kind {
        match self {
            Json::Null => Kind::Null,
            Json::Bool(_) => Kind::Bool,
            Json::Number(_) => Kind::Number,
            Json::String(_) => Kind::String,
            Json::Array(_) => Kind::Array,
            Json::Object(_) => Kind::Object,
        }
    }

    /// Levels of nesting: 0 for a scalar, 1 for `[]`, 2 for `[[]]`. Known without walking the tree.
    pub fn depth(&self) -> u32 {
        match self {
            Json::Array(array) => array.depth(),
            Json::Object(object) => object.depth(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
        }
    }

    /// Bytes of the compact serialization in UTF-8, or the largest number if they are more. Counted once per shared
    /// node, then remembered.
    pub fn serialized_bytes(&self) -> usize {
        match self {
            Json::Null => 4,
            Json::Bool(value) => 5 - usize::from(*value),
            Json::Number(number) => number.text_bytes(),
            Json::String(text) => crate::write::quoted_bytes(text),
            Json::Array(array) => array.bytes(),
            Json::Object(object) => object.bytes(),
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Json::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The number as a float, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::as_f64)
    }

    /// The number as an integer, if this is one written without fraction or exponent and in range.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The array, if this is one.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Json::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The member of this name, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.as_object().and_then(|object| object.get(key))
    }

    /// Equality to the letter: numbers by their text and object keys in their order.
    pub fn is_identical(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Number(a), Json::Number(b)) => a.to_string() == b.to_string(),
            (Json::Array(a), Json::Array(b)) => {
                a.is_same(b) || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.is_identical(b))
            }
            (Json::Object(a), Json::Object(b)) => {
                a.is_same(b)
                    || a.len() == b.len()
                        && a.iter().zip(b.iter()).all(|((ka, a), (kb, b))| ka == kb && a.is_identical(b))
            }
            _ => self == other,
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Number(a), Json::Number(b)) => a == b,
            (Json::String(a), Json::String(b)) => a == b,
            (Json::Array(a), Json::Array(b)) => a == b,
            (Json::Object(a), Json::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Number(Number::from(value))
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Json {
        Json::Number(Number::from(i64::from(value)))
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Json {
        Json::Number(Number::from(value))
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::String(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::String(text.into())
    }
}

impl From<Arc<str>> for Json {
    fn from(text: Arc<str>) -> Json {
        Json::String(text)
    }
}

impl From<Array> for Json {
    fn from(array: Array) -> Json {
        Json::Array(array)
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json {
        Json::parse(text).expect("test text is JSON")
    }

    #[test]
    fn cloning_shares_the_tree() {
        let tree = parse(r#"{"a":[1,2,{"b":null}]}"#);
        let copy = tree.clone();
        let (Json::Object(a), Json::Object(b)) = (&tree, &copy) else { panic!("objects") };
        assert!(a.is_same(b));
    }

    #[test]
    fn depth_and_size_are_those_of_the_text() {
        for (text, depth) in [
            ("1", 0),
            ("[]", 1),
            ("{}", 1),
            (r#"[1,[2,[3]],"é\n\u0001"]"#, 3),
            (r#"{"a":{"b":[true,false,null,1.50]}}"#, 3),
        ] {
            let tree = parse(text);
            assert_eq!(tree.depth(), depth, "{text}");
            assert_eq!(tree.serialized_bytes(), tree.to_string().len(), "{text}");
        }
    }

    #[test]
    fn sizes_beyond_any_number_are_the_largest_number() {
        let mut tree = parse(r#"[1,{"a":2}]"#);
        for _ in 0..100 {
            tree = Json::array(vec![tree.clone(), Json::object([("a", tree.clone()), ("b", tree)])]);
        }
        assert_eq!(tree.serialized_bytes(), usize::MAX);
    }

    #[test]
    fn equality_is_by_value_and_identity_by_letter() {
        assert_eq!(parse(r#"{"a":1,"b":[2.0]}"#), parse(r#"{"b":[2],"a":1.0}"#));
        assert_ne!(parse("[1,2]"), parse("[2,1]"));
        assert!(parse("[1]").is_identical(&parse("[1]")));
        assert!(!parse("[1]").is_identical(&parse("[1.0]")));
        assert!(!parse(r#"{"a":1,"b":2}"#).is_identical(&parse(r#"{"b":2,"a":1}"#)));
    }
}
