//! The canonical form of JSON by RFC 8785 <https://www.rfc-editor.org/rfc/rfc8785>.
//!
//! A record is written and read in this form only, so it decides how long the check of a large log
//! takes. Objects, texts and exact integers are written here in one pass. A number of another kind is
//! rare, and `serde_jcs` writes the whole value then.

use serde::Serialize;
use serde_json::{Map, Value};

/// The largest integer that JSON keeps exactly: 2^53 - 1 (RFC 8785, appendix D).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// The canonical bytes of a value.
///
/// # Errors
/// When the value has no JSON form.
pub(crate) fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    of_value(&serde_json::to_value(value)?)
}

/// The canonical bytes of a JSON value.
///
/// # Errors
/// When it has a number that JSON cannot keep.
fn of_value(value: &Value) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(1_024);
    match write(value, &mut bytes)? {
        Written::Whole => Ok(bytes),
        Written::NotExact => serde_jcs::to_vec(value),
    }
}

/// Whether a value was written.
#[derive(PartialEq)]
enum Written {
    Whole,
    /// It has a number that is not an exact integer.
    NotExact,
}

fn write(value: &Value, bytes: &mut Vec<u8>) -> Result<Written, serde_json::Error> {
    match value {
        Value::Object(fields) => return object(fields, bytes),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                bytes.push(if index == 0 { b'[' } else { b',' });
                if write(value, bytes)? == Written::NotExact {
                    return Ok(Written::NotExact);
                }
            }
            bytes.extend(if values.is_empty() { "[]" } else { "]" }.bytes());
        }
        Value::Number(number) => {
            let size = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs));
            if size.is_none_or(|size| size > MAX_EXACT) {
                return Ok(Written::NotExact);
            }
            serde_json::to_writer(bytes, number)?;
        }
        // serde_json escapes as little as RFC 8785 asks for, and in the same way.
        Value::Null | Value::Bool(_) | Value::String(_) => serde_json::to_writer(bytes, value)?,
    }
    Ok(Written::Whole)
}

/// Writes an object with its keys in the order of their UTF-16 code units.
fn object(fields: &Map<String, Value>, bytes: &mut Vec<u8>) -> Result<Written, serde_json::Error> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| match a.is_ascii() && b.is_ascii() {
        true => a.cmp(b),
        false => a.encode_utf16().cmp(b.encode_utf16()),
    });

    for (index, (key, value)) in sorted.iter().enumerate() {
        bytes.push(if index == 0 { b'{' } else { b',' });
        serde_json::to_writer(&mut *bytes, key)?;
        bytes.push(b':');
        if write(value, bytes)? == Written::NotExact {
            return Ok(Written::NotExact);
        }
    }
    bytes.extend(if sorted.is_empty() { "{}" } else { "}" }.bytes());
    Ok(Written::Whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-9_007_199_254_740_993_i64..=9_007_199_254_740_993).prop_map(Value::from),
            any::<f64>()
                .prop_filter("finite", |number| number.is_finite())
                .prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x7f]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let key = prop_oneof![any::<String>(), "[a-c\u{e000}\u{ffff}\u{10000}]{0,2}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// `serde_jcs` is another implementation of the same specification.
        #[test]
        fn it_writes_what_another_implementation_writes(value in any_value()) {
            let other = serde_jcs::to_vec(&value).ok();
            prop_assert_eq!(of_value(&value).ok(), other);
        }
    }

    /// The example of RFC 8785, section 3.2.3.
    #[test]
    fn keys_are_in_the_order_of_utf_16() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let text = String::from_utf8(of_value(&value).unwrap()).unwrap();
        let order: Vec<usize> = [
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ]
        .map(|name| text.find(name).unwrap())
        .into();
        assert!(order.is_sorted(), "{text}");
    }

    /// The escapes of RFC 8785, section 3.2.2.2.
    #[test]
    fn texts_are_escaped_as_little_as_possible() {
        let text = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}");
        let text = String::from_utf8(of_value(&text).unwrap()).unwrap();
        assert_eq!(text, "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"");
    }
}
