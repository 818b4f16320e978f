//! The two macros that turn rows into types: structures, and strings out of a closed set.

use std::fmt;

/// Stands for a sensitive value in a debugging text.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// `field: Type = "jsonName" SHAPE,` per member; the word `sensitive` behind the name hides the whole. An `Option` is a member that may be missing.
macro_rules! structures {
    ($( $(#[$doc:meta])* $name:ident $($sensitive:ident)? {
        $( $(#[$field_doc:meta])* $field:ident: $type:ty = $json:literal $shape:expr, )*
    } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq)]
            pub struct $name {
                $( $(#[$field_doc])* #[doc = concat!("`", $json, "`")] pub $field: $type, )*
            }

            impl $crate::shapes::Structure for $name {
                const SHAPE: &'static $crate::shapes::Shape = &$crate::shapes::Shape {
                    name: stringify!($name),
                    kind: $crate::shapes::Kind::Structure(&[ $( $crate::shapes::Member {
                        name: $json,
                        shape: $shape,
                        required: <$type as $crate::shapes::Field>::REQUIRED,
                    }, )* ]),
                    sensitive: !stringify!($($sensitive)?).is_empty(),
                };

                fn from_json(json: &stepwell_json::Json) -> Option<Self> {
                    #[allow(unused_variables, reason = "structures without members read none")]
                    let members = json.as_object()?;
                    Some($name { $( $field: $crate::shapes::Field::read_member(members.get($json))?, )* })
                }

                fn to_json(&self) -> stepwell_json::Json {
                    #[allow(unused_mut, reason = "structures without members stay empty")]
                    let mut out = stepwell_json::ObjectBuilder::new();
                    $( if let Some(value) = $crate::shapes::Field::write_member(&self.$field) {
                        out.insert($json, value);
                    } )*
                    stepwell_json::Json::Object(out.build())
                }
            }

            impl $crate::shapes::Value for $name {
                fn read(json: &stepwell_json::Json) -> Option<Self> {
                    $crate::shapes::Structure::from_json(json)
                }

                fn write(&self) -> stepwell_json::Json {
                    $crate::shapes::Structure::to_json(self)
                }
            }

            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    let mut out = f.debug_struct(stringify!($name));
                    $( match $shape.sensitive {
                        true => out.field(stringify!($field), &$crate::shapes::declare::Hidden),
                        false => out.field(stringify!($field), &self.$field),
                    }; )*
                    out.finish()
                }
            }
        )*
    };
}

/// `Variant = "TEXT",` per value, in AWS's order.
macro_rules! choices {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal, )* } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub enum $name {
                $( $(#[$variant_doc])* #[doc = concat!("`", $text, "`")] $variant, )*
            }

            impl $name {
                /// Its row of AWS's model.
                pub const SHAPE: &'static $crate::shapes::Shape = &$crate::shapes::Shape {
                    name: stringify!($name),
                    kind: $crate::shapes::Kind::Choice(&[ $( $text, )* ]),
                    sensitive: false,
                };

                /// Every value, in AWS's order.
                pub const ALL: &'static [$name] = &[ $( $name::$variant, )* ];

                /// AWS's text.
                pub fn text(self) -> &'static str {
                    match self {
                        $( $name::$variant => $text, )*
                    }
                }

                /// The value of this text.
                pub fn of(text: &str) -> Option<$name> {
                    match text {
                        $( $text => Some($name::$variant), )*
                        _ => None,
                    }
                }
            }

            impl $crate::shapes::Value for $name {
                fn read(json: &stepwell_json::Json) -> Option<Self> {
                    $name::of(json.as_str()?)
                }

                fn write(&self) -> stepwell_json::Json {
                    stepwell_json::Json::from(self.text())
                }
            }
        )*
    };
}

pub(crate) use {choices, structures};
