//! JSON building blocks of npm's parsers: borrowed strings, maps without duplicate keys, and error
//! texts.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ast, parse_to_ast};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::ParseError;
use crate::fast_hash::FastHashSet;

/// A string of the document, borrowed unless it has escapes.
///
/// An own type because serde's derive never borrows an `Option<Cow<str>>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// An object, in the order of the document. A duplicate key is an error: readers differ in which of
/// the two values they use, so the other one would be hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map<'a, V>(pub(super) Vec<(Cow<'a, str>, V)>);

impl<V> Default for Map<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Map<'_, V> {
    /// The value of a key. Takes linear time.
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }
}

/// Number of keys up to which comparing all pairs is faster than hashing.
const FEW_KEYS: usize = 16;

/// A [`Map`] while it is being read.
pub(super) struct Filling<'a, V> {
    entries: Vec<(Cow<'a, str>, V)>,
    /// All keys, once there are more than [`FEW_KEYS`].
    keys: FastHashSet<Cow<'a, str>>,
}

impl<V> Default for Filling<'_, V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            keys: FastHashSet::default(),
        }
    }
}

impl<'a, V> Filling<'a, V> {
    /// Records a key, and returns whether it is new.
    #[expect(clippy::ptr_arg, reason = "a borrowed key is kept without a copy")]
    fn is_new(&mut self, key: &Cow<'a, str>) -> bool {
        if self.entries.len() < FEW_KEYS {
            return self.entries.iter().all(|(name, _)| name != key);
        }
        if self.keys.is_empty() {
            self.keys
                .extend(self.entries.iter().map(|(name, _)| name.clone()));
        }
        self.keys.insert(key.clone())
    }

    /// Adds an entry; `None`, and no change, if its key is already present.
    pub(super) fn insert(&mut self, key: Cow<'a, str>, value: V) -> Option<()> {
        self.is_new(&key).then(|| self.entries.push((key, value)))
    }

    /// Ends the filling and returns the map, to which nothing can be added.
    pub(super) fn done(self) -> Map<'a, V> {
        Map(self.entries)
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Map<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<'a, V>(PhantomData<(&'a (), V)>);

        impl<'de: 'a, 'a, V: Deserialize<'de>> Visitor<'de> for MapVisitor<'a, V> {
            type Value = Map<'a, V>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut filling = Filling::default();
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    if !filling.is_new(&key) {
                        return Err(M::Error::custom(format_args!("duplicate key `{key}`")));
                    }
                    let value = map.next_value()?;
                    filling.entries.push((key, value));
                }

                Ok(filling.done())
            }
        }

        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

/// An object, read into `T`. Serde's derive also accepts an array, by position, so without this
/// type `[]` would be a valid lockfile.
#[derive(Debug, Clone, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// The error for a text that serde_json refused; `what` is the kind of file that was expected.
pub(super) fn unreadable(error: &serde_json::Error, what: &str) -> ParseError {
    let text = error.to_string();
    // serde_json appends the position to its message; the line is kept as a number instead.
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text)
        .replace("duplicate field", "duplicate key");
    let reason = match error.classify() {
        serde_json::error::Category::Eof => "is truncated: its JSON does not end".to_owned(),
        serde_json::error::Category::Data => format!("is not {what}: {text}"),
        _ => format!("is not valid JSON: {text}"),
    };

    match error.line() {
        0 => ParseError::new(reason),
        line => ParseError::new(reason).at_line(line),
    }
}

/// Parses JSON into a tree with the byte range of every value. All extensions of JSONC are refused.
pub(crate) fn strict_ast(text: &str) -> Result<ast::Value<'_>, String> {
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::Off,
        tokens: false,
    };
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &collect, &strict).map_err(|error| error.to_string())?;

    parsed.value.ok_or_else(|| "it is empty".to_owned())
}
