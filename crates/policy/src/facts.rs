//! The values of the fields.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::fields::{FIELDS, FieldType, find, nearest};

/// Longest list of texts that is kept. A longer one makes the facts incomplete.
const MAX_TEXTS: usize = 20_000;

/// Why a value is not one of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// There is no such field.
    #[error("unknown field `{name}`{}", hint(.nearest))]
    Unknown {
        /// The name.
        name: String,
        /// A field with a similar name.
        nearest: Option<&'static str>,
    },
    /// The value has another type.
    #[error("`{name}` must be {expected}")]
    Type {
        /// The name of the field.
        name: &'static str,
        /// The type that it has.
        expected: &'static str,
    },
    /// The list is too long.
    #[error("`{name}` has more than {MAX_TEXTS} entries")]
    TooLong {
        /// The name of the field.
        name: &'static str,
    },
}

fn hint(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

/// A value for every field.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts(BTreeMap<&'static str, Value>);

impl Default for Facts {
    /// Every number is 0, every text and list is empty.
    fn default() -> Self {
        let empty = |kind| match kind {
            FieldType::Bool => json!(false),
            FieldType::Int => json!(0),
            FieldType::Double => json!(0.0),
            FieldType::Text => json!(""),
            FieldType::Texts => json!([]),
        };
        Self(
            FIELDS
                .iter()
                .map(|field| (field.name, empty(field.kind)))
                .collect(),
        )
    }
}

impl Facts {
    /// Sets the value of a field.
    ///
    /// # Errors
    /// When there is no such field, or the value has another type.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), FactsError> {
        let field = find(name).ok_or_else(|| FactsError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name),
        })?;
        let is_of_type = match field.kind {
            FieldType::Bool => value.is_boolean(),
            FieldType::Int => value.is_i64(),
            FieldType::Double => value.is_f64(),
            FieldType::Text => value.is_string(),
            FieldType::Texts => value
                .as_array()
                .is_some_and(|texts| texts.iter().all(Value::is_string)),
        };
        if !is_of_type {
            return Err(FactsError::Type {
                name: field.name,
                expected: field.kind.word(),
            });
        }
        if value
            .as_array()
            .is_some_and(|texts| texts.len() > MAX_TEXTS)
        {
            return Err(FactsError::TooLong { name: field.name });
        }
        self.0.insert(field.name, value);
        Ok(())
    }

    /// The groups of fields, by name, as values of CEL. Whole numbers are signed: CEL compares an
    /// unsigned number with a signed literal as unequal.
    pub(crate) fn groups(&self) -> HashMap<String, HashMap<String, cel::Value>> {
        let mut groups: HashMap<String, HashMap<String, cel::Value>> = HashMap::new();
        for (name, value) in &self.0 {
            if let Some((group, name)) = name.split_once('.') {
                let fields = groups.entry(group.to_owned()).or_default();
                fields.insert(name.to_owned(), cel_value(value));
            }
        }
        groups
    }
}

fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(texts) => {
            let texts = texts.iter().filter_map(Value::as_str);
            cel::Value::from(texts.map(str::to_owned).collect::<Vec<String>>())
        }
        Value::Number(number) => match number.as_i64() {
            Some(number) => cel::Value::Int(number),
            None => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        // No field has such a value.
        Value::Null | Value::Object(_) => cel::Value::Null,
    }
}
