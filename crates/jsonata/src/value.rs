//! What an expression computes with: leaves of the shared tree, sequences, records of functions, functions.
//!
//! A value that JSON can say stays a [`Json`] and is shared by pointer. A [`List`] is an array still being worked on:
//! a sequence, with the flags the language gives it, or an array of values that JSON cannot say. A [`Record`] is an
//! object with such values. Every compound value knows its depth, which is bounded where it is made, so that walking and
//! dropping one needs little stack.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::{Array, Json, Object, ObjectBuilder};

use crate::evaluate::Function;
use crate::number;
use crate::signature::type_letter;

/// A value. Cloning copies at most a pointer.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Undefined,
    Json(Json),
    /// A number just computed; may be infinite, which is an error only when it is used.
    Number(f64),
    List(List),
    Record(Rc<Record>),
    Function(Rc<Function>),
    /// The tuples of a path that binds variables, on the way to the path around it.
    Tuples(Rc<Vec<Tuple>>),
}

/// An array with what the language remembers about it. The items are shared, the flags are not.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) node: Rc<ListNode>,
    /// A sequence: of one item it is that item, of none it is undefined.
    pub(crate) sequence: bool,
    /// A sequence that stays an array with one item.
    pub(crate) keep_singleton: bool,
    /// Made by an array constructor in a path: not flattened into the sequence around it.
    pub(crate) cons: bool,
    /// The whole input, an array, as the one item of the outermost context.
    pub(crate) outer: bool,
}

/// The items of a list, with what is asked of them again and again. A list may hold another many times, and that one
/// a third: what walks them must not walk every way there is.
#[derive(Debug)]
pub(crate) struct ListNode {
    items: Items,
    depth: u32,
    weight: usize,
    is_json: bool,
    json: OnceCell<Json>,
}

enum Items {
    Values(Vec<Value>),
    /// The items of a shared array.
    Json(Array),
    /// `count` integers from `first`, not written out.
    Range {
        first: i64,
        count: usize,
    },
}

/// An object with members that JSON cannot say.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) members: Vec<(Arc<str>, Value)>,
    depth: u32,
    weight: usize,
    json: OnceCell<Json>,
}

/// An item of a path with the variables bound on the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Tuple {
    pub(crate) item: Value,
    pub(crate) bindings: Vec<(u32, Value)>,
}

/// Any array, for reading.
#[derive(Clone, Copy)]
pub(crate) enum ArrayRef<'a> {
    Json(&'a Array),
    Values(&'a [Value]),
    Tuples(&'a [Tuple]),
    Range { first: i64, count: usize },
}

impl<'a> ArrayRef<'a> {
    pub(crate) fn len(self) -> usize {
        match self {
            ArrayRef::Json(array) => array.len(),
            ArrayRef::Values(values) => values.len(),
            ArrayRef::Tuples(tuples) => tuples.len(),
            ArrayRef::Range { count, .. } => count,
        }
    }

    /// The item at this place, undefined beyond the end.
    pub(crate) fn get(self, place: usize) -> Value {
        match self {
            ArrayRef::Json(array) => array.get(place).map_or(Value::Undefined, |item| Value::Json(item.clone())),
            ArrayRef::Values(values) => values.get(place).cloned().unwrap_or(Value::Undefined),
            ArrayRef::Tuples(tuples) => tuples.get(place).map_or(Value::Undefined, |tuple| tuple.item.clone()),
            ArrayRef::Range { first, count } if place < count => Value::Number((first + place as i64) as f64),
            ArrayRef::Range { .. } => Value::Undefined,
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Value> + 'a {
        (0..self.len()).map(move |place| self.get(place))
    }

    /// Whether every item has this type letter.
    pub(crate) fn all_of_type(self, letter: u8) -> bool {
        match self {
            ArrayRef::Range { .. } => letter == b'n',
            ArrayRef::Json(array) => array.iter().all(|item| json_type_letter(item) == letter),
            ArrayRef::Values(_) | ArrayRef::Tuples(_) => self.iter().all(|item| type_letter(&item) == letter),
        }
    }

    /// The items as JSON.
    fn to_json(self) -> Json {
        match self {
            ArrayRef::Json(array) => Json::Array(array.clone()),
            ArrayRef::Values(values) => values.iter().map(Value::to_json).collect::<Array>().into(),
            ArrayRef::Tuples(_) | ArrayRef::Range { .. } => {
                self.iter().map(|item| item.to_json()).collect::<Array>().into()
            }
        }
    }
}

fn json_type_letter(json: &Json) -> u8 {
    match json {
        Json::Null => b'l',
        Json::Bool(_) => b'b',
        Json::Number(_) => b'n',
        Json::String(_) => b's',
        Json::Array(_) => b'a',
        Json::Object(_) => b'o',
    }
}

/// What an item weighs that is no text and holds nothing, in bytes.
const SCALAR_BYTES: usize = 8;

/// What an item of a range weighs once it is written out.
const RANGE_ITEM_BYTES: usize = 32;

impl List {
    pub(crate) fn new(items: Vec<Value>) -> List {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        let weight = items.iter().fold(2, |sum, item| usize::saturating_add(sum, 1 + item.weight()));
        let is_json = items.iter().all(Value::is_json);
        List::of(Items::Values(items), depth, weight, is_json)
    }

    pub(crate) fn range(first: i64, count: usize) -> List {
        let weight = count.saturating_mul(RANGE_ITEM_BYTES);
        List { sequence: true, ..List::of(Items::Range { first, count }, 1, weight, true) }
    }

    fn of(items: Items, depth: u32, weight: usize, is_json: bool) -> List {
        let node = Rc::new(ListNode { items, depth, weight, is_json, json: OnceCell::new() });
        List { node, sequence: false, keep_singleton: false, cons: false, outer: false }
    }

    pub(crate) fn array(&self) -> ArrayRef<'_> {
        match &self.node.items {
            Items::Values(values) => ArrayRef::Values(values),
            Items::Json(array) => ArrayRef::Json(array),
            Items::Range { first, count } => ArrayRef::Range { first: *first, count: *count },
        }
    }

    fn to_json(&self) -> Json {
        self.node.json.get_or_init(|| self.array().to_json()).clone()
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Items::Values(values) => f.debug_list().entries(values).finish(),
            Items::Json(array) => f.debug_list().entries(array.iter()).finish(),
            Items::Range { first, count } => write!(f, "[{count} from {first}]"),
        }
    }
}

impl Record {
    fn to_json(&self) -> Json {
        let members = || self.members.iter().filter(|(_, value)| !value.is_undefined());
        let json = || Json::object(members().map(|(key, value)| (key.clone(), value.to_json())));
        self.json.get_or_init(json).clone()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }
}

impl Value {
    pub(crate) fn bool(value: bool) -> Value {
        Value::Json(Json::Bool(value))
    }

    pub(crate) fn string(text: impl Into<Arc<str>>) -> Value {
        Value::Json(Json::String(text.into()))
    }

    /// A plain array.
    pub(crate) fn list(items: Vec<Value>) -> Value {
        Value::List(List::new(items))
    }

    /// A sequence.
    pub(crate) fn sequence(items: Vec<Value>) -> Value {
        Value::List(List { sequence: true, ..List::new(items) })
    }

    /// This array's items as a sequence, without copying them.
    pub(crate) fn into_sequence(self) -> Value {
        match self {
            Value::List(list) if list.sequence => Value::List(list),
            Value::List(list) => {
                Value::List(List { sequence: true, keep_singleton: false, cons: false, outer: false, ..list })
            }
            Value::Json(Json::Array(array)) => {
                let json = Json::Array(array.clone());
                let (depth, weight) = (json.depth(), json.serialized_bytes());
                Value::List(List { sequence: true, ..List::of(Items::Json(array), depth, weight, true) })
            }
            other => Value::sequence(vec![other]),
        }
    }

    /// An object: JSON if its members all are.
    pub(crate) fn object(members: Vec<(Arc<str>, Value)>) -> Value {
        if members.iter().all(|(_, value)| value.is_json()) {
            let mut builder = ObjectBuilder::with_capacity(members.len());
            for (key, value) in members {
                builder.insert(key, value.to_json());
            }
            return Value::Json(Json::Object(builder.build()));
        }
        let mut unique: Vec<(Arc<str>, Value)> = Vec::with_capacity(members.len());
        let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for (key, value) in members {
            match places.get(&key) {
                Some(place) => unique[*place].1 = value,
                None => {
                    places.insert(key.clone(), unique.len());
                    unique.push((key, value));
                }
            }
        }
        let depth = 1 + unique.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        let weigh = |sum: usize, (key, value): &(Arc<str>, Value)| sum.saturating_add(4 + key.len() + value.weight());
        let weight = unique.iter().fold(2, weigh);
        Value::Record(Rc::new(Record { members: unique, depth, weight, json: OnceCell::new() }))
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Value::Json(Json::Array(_)) | Value::List(_) | Value::Tuples(_))
    }

    /// Whether this is a sequence in the language's sense.
    pub(crate) fn is_sequence(&self) -> bool {
        match self {
            Value::List(list) => list.sequence,
            Value::Tuples(_) => true,
            _ => false,
        }
    }

    pub(crate) fn as_array(&self) -> Option<ArrayRef<'_>> {
        match self {
            Value::Json(Json::Array(array)) => Some(ArrayRef::Json(array)),
            Value::List(list) => Some(list.array()),
            Value::Tuples(tuples) => Some(ArrayRef::Tuples(tuples)),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Value::Json(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The number, finite or not.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Json(Json::Number(number)) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Json(Json::Object(object)) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn as_function(&self) -> Option<&Rc<Function>> {
        match self {
            Value::Function(function) => Some(function),
            _ => None,
        }
    }

    /// Members of an object of either kind, in order.
    pub(crate) fn members(&self) -> Option<Vec<(Arc<str>, Value)>> {
        match self {
            Value::Json(Json::Object(object)) => {
                Some(object.iter().map(|(key, value)| (key.clone(), Value::Json(value.clone()))).collect())
            }
            Value::Record(record) => Some(record.members.clone()),
            _ => None,
        }
    }

    /// Levels of nesting, 0 for a scalar. Known without walking.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Value::Undefined | Value::Number(_) => 0,
            Value::Json(json) => json.depth(),
            Value::List(list) => list.node.depth,
            Value::Record(record) => record.depth,
            Value::Function(function) => function.depth(),
            Value::Tuples(tuples) => 1 + tuples.iter().map(|tuple| tuple.item.depth()).max().unwrap_or(0),
        }
    }

    /// Whether JSON can say it: no function and no infinite number inside. Lists are looked through.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Value::Json(_) => true,
            Value::Number(number) => number.is_finite(),
            Value::List(list) => list.node.is_json,
            Value::Tuples(tuples) => tuples.iter().all(|tuple| tuple.item.is_json()),
            Value::Undefined | Value::Record(_) | Value::Function(_) => false,
        }
    }

    /// As JSON: functions become empty strings, undefined and infinite numbers `null`, as the reference writes them.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Value::Undefined => Json::Null,
            Value::Json(json) => json.clone(),
            Value::Number(number) => number::to_json(*number),
            Value::List(list) => list.to_json(),
            Value::Record(record) => record.to_json(),
            Value::Function(_) => Json::from(""),
            Value::Tuples(tuples) => ArrayRef::Tuples(tuples).to_json(),
        }
    }

    /// Bytes it would take written out, roughly, or the largest number. Known without walking.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Value::Undefined | Value::Number(_) | Value::Function(_) => SCALAR_BYTES,
            Value::Json(Json::String(text)) => text.len() + 2,
            Value::Json(Json::Null | Json::Bool(_) | Json::Number(_)) => SCALAR_BYTES,
            Value::Json(json @ (Json::Array(_) | Json::Object(_))) => json.serialized_bytes(),
            Value::List(list) => list.node.weight,
            Value::Record(record) => record.weight,
            Value::Tuples(tuples) => {
                tuples.iter().fold(0, |sum, tuple| usize::saturating_add(sum, tuple.item.weight()))
            }
        }
    }

    /// For error messages: a scalar as it is, anything else only if it is small.
    pub(crate) fn to_shown_json(&self) -> Option<Json> {
        match self {
            Value::Json(json) => Some(json.clone()),
            Value::Number(number) if !number.is_finite() => Some(Json::from(number::to_text(*number))),
            Value::Number(number) => Some(number::to_json(*number)),
            Value::List(list) if list.array().len() <= 16 => self.is_json().then(|| self.to_json()),
            _ => None,
        }
    }
}

/// Texts in the order of their UTF-16 units, as JavaScript compares them.
pub(crate) fn compare_texts(left: &str, right: &str) -> std::cmp::Ordering {
    // Bytes of UTF-8 order the same way, but for characters beyond U+FFFF beside those from U+E000 on.
    if left.bytes().chain(right.bytes()).all(|byte| byte < 0xee) {
        left.cmp(right)
    } else {
        left.encode_utf16().cmp(right.encode_utf16())
    }
}
