//! Requests and responses of the API: one row per member gives the Rust field, its JSON name, its constraints and both
//! directions of the encoding.
//!
//! Owns the facts of AWS's service model, kept as values of [`Shape`], and typed structures made of the same rows. Knows
//! no message: what AWS says to a value that breaks a constraint is composed by who answers requests.

mod activities;
pub(crate) mod declare;
mod executions;
mod map_runs;
pub(crate) mod scalars;
mod state_machines;
mod tags;
mod test_state;
mod versions;

use std::sync::Arc;

use stepwell_json::Json;

use crate::timestamp::Timestamp;

pub use activities::*;
pub use executions::*;
pub use map_runs::*;
pub use scalars::{Measure, Pattern};
pub use state_machines::*;
pub use tags::*;
pub use test_state::*;
pub use versions::*;

/// Text of requests and responses, shared by pointer.
pub type Text = Arc<str>;

/// A named type of AWS's service model.
#[derive(Debug, PartialEq)]
pub struct Shape {
    /// AWS's name: `PageSize`, `RoutingConfigurationListItem`.
    pub name: &'static str,
    /// What it is, with its constraints.
    pub kind: Kind,
    /// Whether values are kept out of messages and logs.
    pub sensitive: bool,
}

/// What a [`Shape`] is.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// A string.
    Text {
        /// Shortest allowed.
        min: Option<u64>,
        /// Longest allowed.
        max: Option<u64>,
        /// What the lengths count.
        measure: Measure,
        /// What the whole text must match.
        pattern: Option<Pattern>,
    },
    /// A string out of a closed set, in AWS's order.
    Choice(&'static [&'static str]),
    /// A whole number of 32 bits.
    Integer {
        /// Smallest allowed.
        min: Option<i64>,
        /// Largest allowed.
        max: Option<i64>,
    },
    /// A whole number of 64 bits.
    Long {
        /// Smallest allowed.
        min: Option<i64>,
    },
    /// A number.
    Float {
        /// Smallest allowed.
        min: f64,
        /// Largest allowed.
        max: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// A point in time: seconds since 1970, with a fraction.
    Timestamp,
    /// A list.
    List {
        /// What its items are.
        items: &'static Shape,
        /// Fewest allowed.
        min: Option<u64>,
        /// Most allowed.
        max: Option<u64>,
    },
    /// An object whose member names are data.
    Map {
        /// What its names are.
        names: &'static Shape,
        /// What its values are.
        values: &'static Shape,
    },
    /// An object of these members.
    Structure(&'static [Member]),
    /// An event of an execution's history. The table of events says what it holds.
    Event,
}

/// One member of a structure.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// Its JSON name.
    pub name: &'static str,
    /// What it holds.
    pub shape: &'static Shape,
    /// Whether it must be there.
    pub required: bool,
}

impl Shape {
    /// The members, if this is a structure.
    pub fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure(members) => members,
            _ => &[],
        }
    }

    /// The member of this JSON name, if this is a structure that has it.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

/// A structure of the API: both directions of its encoding.
pub trait Structure: Sized {
    /// Its row of AWS's model.
    const SHAPE: &'static Shape;

    /// Reads it. `None` when a member has the wrong JSON type or a required one is missing; constraints are not judged.
    /// Members nobody knows are passed over, and `null` stands for a member that is not there.
    fn from_json(json: &Json) -> Option<Self>;

    /// Writes it; members that are not there are left out.
    fn to_json(&self) -> Json;
}

/// A value of one JSON type.
pub(crate) trait Value: Sized {
    fn read(json: &Json) -> Option<Self>;
    fn write(&self) -> Json;
}

impl Value for Text {
    fn read(json: &Json) -> Option<Text> {
        match json {
            Json::String(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn write(&self) -> Json {
        Json::String(self.clone())
    }
}

impl Value for i64 {
    /// A fraction is cut off, as AWS's reader of numbers does.
    fn read(json: &Json) -> Option<i64> {
        let number = json.as_number()?;
        number.as_integral().or_else(|| {
            let whole = number.as_f64().trunc();
            (whole.abs() <= i64::MAX as f64).then_some(whole as i64)
        })
    }

    fn write(&self) -> Json {
        Json::from(*self)
    }
}

impl Value for f64 {
    fn read(json: &Json) -> Option<f64> {
        json.as_f64().filter(|value| value.is_finite())
    }

    /// Always with a fraction, as AWS writes floats: `5.0`. A value JSON cannot say is `null`.
    fn write(&self) -> Json {
        stepwell_json::Number::parse(&format!("{self:?}")).map_or(Json::Null, Json::Number)
    }
}

impl Value for bool {
    fn read(json: &Json) -> Option<bool> {
        json.as_bool()
    }

    fn write(&self) -> Json {
        Json::Bool(*self)
    }
}

impl Value for Timestamp {
    /// Rounded to the millisecond, of which the times of the engine are made.
    fn read(json: &Json) -> Option<Timestamp> {
        let ms = (json.as_f64()? * 1000.0).round();
        (ms.abs() <= i64::MAX as f64).then_some(Timestamp(ms as i64))
    }

    fn write(&self) -> Json {
        self.seconds().write()
    }
}

/// Values whose encoding is another crate's: history events.
impl Value for Json {
    fn read(json: &Json) -> Option<Json> {
        Some(json.clone())
    }

    fn write(&self) -> Json {
        self.clone()
    }
}

impl<V: Value> Value for Vec<V> {
    fn read(json: &Json) -> Option<Vec<V>> {
        json.as_array()?.iter().map(V::read).collect()
    }

    fn write(&self) -> Json {
        Json::array(self.iter().map(V::write).collect())
    }
}

impl<V: Value> Value for Vec<(Text, V)> {
    fn read(json: &Json) -> Option<Vec<(Text, V)>> {
        json.as_object()?.iter().map(|(name, value)| Some((name.clone(), V::read(value)?))).collect()
    }

    fn write(&self) -> Json {
        Json::object(self.iter().map(|(name, value)| (name.clone(), value.write())))
    }
}

/// A field of a structure: a value that must be there, or one that may.
pub(crate) trait Field: Sized {
    const REQUIRED: bool;
    fn read_member(json: Option<&Json>) -> Option<Self>;
    fn write_member(&self) -> Option<Json>;
}

impl<V: Value> Field for V {
    const REQUIRED: bool = true;

    fn read_member(json: Option<&Json>) -> Option<V> {
        V::read(json?)
    }

    fn write_member(&self) -> Option<Json> {
        Some(V::write(self))
    }
}

impl<V: Value> Field for Option<V> {
    const REQUIRED: bool = false;

    fn read_member(json: Option<&Json>) -> Option<Option<V>> {
        match json {
            None | Some(Json::Null) => Some(None),
            Some(json) => V::read(json).map(Some),
        }
    }

    fn write_member(&self) -> Option<Json> {
        self.as_ref().map(V::write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json {
        Json::parse(text).expect("test text is JSON")
    }

    #[test]
    fn numbers_and_times_are_written_as_aws_writes_them() {
        assert_eq!(Timestamp(1_700_000_000_123).write().to_string(), "1700000000.123");
        assert_eq!(Timestamp(1_700_000_000_000).write().to_string(), "1700000000.0");
        assert_eq!(Timestamp::read(&parse("1700000000.123")), Some(Timestamp(1_700_000_000_123)));
        assert_eq!(5.0.write().to_string(), "5.0");
        assert_eq!(f64::NAN.write(), Json::Null);
        assert_eq!(i64::read(&parse("10.9")), Some(10));
        assert_eq!(i64::read(&parse("1e400")), None);
        assert_eq!(Timestamp::read(&parse("1e400")), None);
    }

    #[test]
    fn null_stands_for_a_member_that_is_not_there() {
        let tag = Tag::from_json(&parse(r#"{"key":"a","value":null,"unknown":1}"#)).expect("a tag");
        assert_eq!((tag.key.as_deref(), tag.value.as_deref()), (Some("a"), None));
        assert_eq!(tag.to_json().to_string(), r#"{"key":"a"}"#);
        assert!(Tag::from_json(&parse(r#"{"key":1}"#)).is_none());
        assert!(Tag::from_json(&parse("[]")).is_none());
        assert!(DeleteActivityInput::from_json(&parse(r#"{"activityArn":null}"#)).is_none());
    }

    #[test]
    fn sensitive_values_stay_out_of_debugging_texts() {
        let request = parse(r#"{"taskToken":"secret","output":"{\"pin\":1234}"}"#);
        let request = SendTaskSuccessInput::from_json(&request).expect("a request");
        let text = format!("{request:?}");
        assert!(!text.contains("secret") && !text.contains("1234"), "{text}");
    }
}
