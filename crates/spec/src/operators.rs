//! The data tests of a Choice rule: 23 operators, 16 of which have a `…Path` twin, 39 names in all.
//!
//! Owns their names, the type of their operand and what they ask of the two sides. Knows nothing of how values are
//! compared; the combinators `And`, `Or` and `Not` are fields, not operators.

use std::fmt;

/// An operator of a data test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are AWS's and say what they do")]
pub enum Operator {
    StringEquals,
    StringLessThan,
    StringGreaterThan,
    StringLessThanEquals,
    StringGreaterThanEquals,
    StringMatches,
    NumericEquals,
    NumericLessThan,
    NumericGreaterThan,
    NumericLessThanEquals,
    NumericGreaterThanEquals,
    BooleanEquals,
    TimestampEquals,
    TimestampLessThan,
    TimestampGreaterThan,
    TimestampLessThanEquals,
    TimestampGreaterThanEquals,
    IsNull,
    IsPresent,
    IsNumeric,
    IsString,
    IsBoolean,
    IsTimestamp,
}

/// The type of the value that stands beside an operator. Ordered comparisons take a `Variable` of the same type only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandType {
    /// Any string.
    String,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A string that is an RFC 3339 time with `T` and `Z` or an offset.
    Timestamp,
}

/// What an operator asks of `Variable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It equals the operand.
    Equals,
    /// It is less than the operand.
    LessThan,
    /// It is greater than the operand.
    GreaterThan,
    /// It is less than or equals the operand.
    LessThanEquals,
    /// It is greater than or equals the operand.
    GreaterThanEquals,
    /// It matches the operand, in which `*` stands for any text and `\\` takes the next character literally.
    Matches,
    /// It is of a kind exactly when the operand is `true`.
    Is(Trait),
}

/// What an `Is…` operator looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trait {
    /// It is null.
    Null,
    /// There is a value at the path.
    Present,
    /// It is a number.
    Numeric,
    /// It is a string.
    String,
    /// It is a boolean.
    Boolean,
    /// It is a string that is an RFC 3339 time.
    Timestamp,
}

impl Operator {
    /// All operators, in the order of the reference.
    pub const ALL: [Operator; 23] = [
        Operator::StringEquals,
        Operator::StringLessThan,
        Operator::StringGreaterThan,
        Operator::StringLessThanEquals,
        Operator::StringGreaterThanEquals,
        Operator::StringMatches,
        Operator::NumericEquals,
        Operator::NumericLessThan,
        Operator::NumericGreaterThan,
        Operator::NumericLessThanEquals,
        Operator::NumericGreaterThanEquals,
        Operator::BooleanEquals,
        Operator::TimestampEquals,
        Operator::TimestampLessThan,
        Operator::TimestampGreaterThan,
        Operator::TimestampLessThanEquals,
        Operator::TimestampGreaterThanEquals,
        Operator::IsNull,
        Operator::IsPresent,
        Operator::IsNumeric,
        Operator::IsString,
        Operator::IsBoolean,
        Operator::IsTimestamp,
    ];

    /// Its name, without `Path`.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The name of its twin that takes the operand from a path, if it has one: `StringEqualsPath`.
    pub fn path_name(self) -> Option<&'static str> {
        self.row().1
    }

    /// The type of its operand.
    pub fn operand_type(self) -> OperandType {
        self.row().2
    }

    /// What it asks of `Variable`.
    pub fn relation(self) -> Relation {
        self.row().3
    }

    /// The operator of this field name, and whether the name is that of the `…Path` twin.
    pub fn parse(field: &str) -> Option<(Operator, bool)> {
        Operator::ALL.into_iter().find_map(|operator| {
            let (name, path_name, _, _) = operator.row();
            if name == field {
                Some((operator, false))
            } else if path_name == Some(field) {
                Some((operator, true))
            } else {
                None
            }
        })
    }

    #[rustfmt::skip]
    const fn row(self) -> (&'static str, Option<&'static str>, OperandType, Relation) {
        use OperandType::{Boolean, Number, String, Timestamp};
        use Relation::{Equals, GreaterThan, GreaterThanEquals, Is, LessThan, LessThanEquals, Matches};
        match self {
            Operator::StringEquals => ("StringEquals", Some("StringEqualsPath"), String, Equals),
            Operator::StringLessThan => ("StringLessThan", Some("StringLessThanPath"), String, LessThan),
            Operator::StringGreaterThan => ("StringGreaterThan", Some("StringGreaterThanPath"), String, GreaterThan),
            Operator::StringLessThanEquals => ("StringLessThanEquals", Some("StringLessThanEqualsPath"), String, LessThanEquals),
            Operator::StringGreaterThanEquals => ("StringGreaterThanEquals", Some("StringGreaterThanEqualsPath"), String, GreaterThanEquals),
            Operator::StringMatches => ("StringMatches", None, String, Matches),
            Operator::NumericEquals => ("NumericEquals", Some("NumericEqualsPath"), Number, Equals),
            Operator::NumericLessThan => ("NumericLessThan", Some("NumericLessThanPath"), Number, LessThan),
            Operator::NumericGreaterThan => ("NumericGreaterThan", Some("NumericGreaterThanPath"), Number, GreaterThan),
            Operator::NumericLessThanEquals => ("NumericLessThanEquals", Some("NumericLessThanEqualsPath"), Number, LessThanEquals),
            Operator::NumericGreaterThanEquals => ("NumericGreaterThanEquals", Some("NumericGreaterThanEqualsPath"), Number, GreaterThanEquals),
            Operator::BooleanEquals => ("BooleanEquals", Some("BooleanEqualsPath"), Boolean, Equals),
            Operator::TimestampEquals => ("TimestampEquals", Some("TimestampEqualsPath"), Timestamp, Equals),
            Operator::TimestampLessThan => ("TimestampLessThan", Some("TimestampLessThanPath"), Timestamp, LessThan),
            Operator::TimestampGreaterThan => ("TimestampGreaterThan", Some("TimestampGreaterThanPath"), Timestamp, GreaterThan),
            Operator::TimestampLessThanEquals => ("TimestampLessThanEquals", Some("TimestampLessThanEqualsPath"), Timestamp, LessThanEquals),
            Operator::TimestampGreaterThanEquals => ("TimestampGreaterThanEquals", Some("TimestampGreaterThanEqualsPath"), Timestamp, GreaterThanEquals),
            Operator::IsNull => ("IsNull", None, Boolean, Is(Trait::Null)),
            Operator::IsPresent => ("IsPresent", None, Boolean, Is(Trait::Present)),
            Operator::IsNumeric => ("IsNumeric", None, Boolean, Is(Trait::Numeric)),
            Operator::IsString => ("IsString", None, Boolean, Is(Trait::String)),
            Operator::IsBoolean => ("IsBoolean", None, Boolean, Is(Trait::Boolean)),
            Operator::IsTimestamp => ("IsTimestamp", None, Boolean, Is(Trait::Timestamp)),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_nine_names_find_their_operator() {
        let names: Vec<&str> = Operator::ALL
            .into_iter()
            .flat_map(|operator| [Some(operator.name()), operator.path_name()])
            .flatten()
            .collect();
        assert_eq!(names.len(), 39);
        for name in names {
            let (operator, is_path) = Operator::parse(name).expect("a name of the table");
            assert_eq!(is_path, name.ends_with("Path"), "{name}");
            assert_eq!(Some(name), if is_path { operator.path_name() } else { Some(operator.name()) });
            assert_eq!(name.trim_end_matches("Path"), operator.name());
        }
        assert_eq!(Operator::parse("StringMatchesPath"), None);
        assert_eq!(Operator::parse("And"), None);
    }

    #[test]
    fn rows_agree_with_the_names() {
        for operator in Operator::ALL {
            let start = match operator.operand_type() {
                OperandType::String => "String",
                OperandType::Number => "Numeric",
                OperandType::Boolean => {
                    if matches!(operator.relation(), Relation::Is(_)) {
                        "Is"
                    } else {
                        "Boolean"
                    }
                }
                OperandType::Timestamp => "Timestamp",
            };
            let rest = operator.name().strip_prefix(start).expect("the type's name comes first");
            match operator.relation() {
                Relation::Is(looked_for) => assert_eq!(rest, format!("{looked_for:?}")),
                relation => assert_eq!(rest, format!("{relation:?}")),
            }
        }
    }
}
