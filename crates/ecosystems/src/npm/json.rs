//! What the parsers share about JSON: borrowed text, maps without duplicate keys, error text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ast, parse_to_ast};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::ParseError;
use crate::fast_hash::FastHashSet;

/// A string of the document, borrowed unless it holds escapes.
///
/// (`Option<Cow<str>>` never borrows with serde's derive; this does.)
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

/// An object in the document's order. A key that stands there twice is an error: readers differ on
/// which of the two counts, so one of them would be hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map<'a, V>(pub(super) Vec<(Cow<'a, str>, V)>);

impl<V> Default for Map<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Map<'_, V> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }
}

/// Up to this many keys, comparing each with each is faster than hashing.
const FEW_KEYS: usize = 16;

/// A map that is being read.
pub(super) struct Filling<'a, V> {
    entries: Vec<(Cow<'a, str>, V)>,
    /// The keys, once they are many.
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
    /// Notes a key; whether it stands there for the first time.
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

    /// Adds an entry, or does nothing when its key stands there.
    pub(super) fn insert(&mut self, key: Cow<'a, str>, value: V) -> Option<()> {
        self.is_new(&key).then(|| self.entries.push((key, value)))
    }

    /// What was read.
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

/// An object read into `T`. Serde's derive reads an array too, by position, which would make a
/// lockfile of `[]`.
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

/// The error for a text that serde_json refused; `what` says what it should have been.
pub(super) fn unreadable(error: &serde_json::Error, what: &str) -> ParseError {
    let text = error.to_string();
    // serde_json puts the position at the end of its text; it is kept as a number instead.
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

/// The tree of a JSON text with the place of every value, without the liberties that JSONC takes.
pub(super) fn strict_ast(text: &str) -> Result<ast::Value<'_>, String> {
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
