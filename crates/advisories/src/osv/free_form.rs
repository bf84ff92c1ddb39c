//! Values from `database_specific`, for which the schema defines no structure. A value of an
//! unexpected type is skipped and never an error.

use patchgate_model::SmolStr;
use serde_json::Value;
use serde_json::value::RawValue;

/// The values that Patchgate reads from a `database_specific`.
#[derive(Debug, Default)]
pub(super) struct FreeForm {
    /// Weakness ids, from the shapes in use: `cwe_ids: ["CWE-79"]` (GitHub),
    /// `cwes: [{"cweId": "CWE-506"}]` (malicious packages), `cwes: ["CWE-79"]`.
    pub(super) cwes: Vec<SmolStr>,
    /// Severity as a word, from `severity: "HIGH"` (GitHub).
    pub(super) severity_word: Option<SmolStr>,
    /// Kind of a notice, from `informational: "unmaintained"` (RustSec).
    pub(super) informational: Option<SmolStr>,
}

impl FreeForm {
    pub(super) fn read(raw: Option<&RawValue>) -> Self {
        let Some(raw) = raw else {
            return Self::default();
        };
        // Most records have none of the values, and a text search is cheaper than parsing.
        let text = raw.get();
        if !["\"cwe", "\"severity\"", "\"informational\""]
            .iter()
            .any(|key| text.contains(key))
        {
            return Self::default();
        }

        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return Self::default();
        };
        let mut cwes = Vec::new();
        for key in ["cwe_ids", "cwes"] {
            for entry in object
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let id = entry
                    .as_str()
                    .or_else(|| entry.get("cweId").and_then(Value::as_str))
                    .or_else(|| entry.get("cwe_id").and_then(Value::as_str))
                    .or_else(|| entry.get("id").and_then(Value::as_str));
                cwes.extend(id.map(SmolStr::new));
            }
        }

        let text = |key: &str| {
            object
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(SmolStr::new)
        };

        Self {
            cwes,
            severity_word: text("severity"),
            informational: text("informational"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::FreeForm;

    fn read(text: &str) -> FreeForm {
        FreeForm::read(Some(&RawValue::from_string(text.to_owned()).unwrap()))
    }

    #[test]
    fn reads_the_shapes_in_use() {
        let github = read(r#"{"cwe_ids": ["CWE-79", "CWE-80"], "severity": "HIGH"}"#);
        assert_eq!(github.cwes, ["CWE-79", "CWE-80"]);
        assert_eq!(github.severity_word.as_deref(), Some("HIGH"));
        assert_eq!(
            read(r#"{"cwes": [{"cweId": "CWE-506", "name": "a"}]}"#).cwes,
            ["CWE-506"]
        );

        let rust = read(r#"{"informational": "unsound", "cvss": null}"#);
        assert_eq!(rust.informational.as_deref(), Some("unsound"));
    }

    #[test]
    fn passes_over_other_shapes() {
        for text in [
            "null",
            "7",
            "[]",
            r#"{"cwes": 7}"#,
            r#"{"cwe_ids": [null, {}, []]}"#,
        ] {
            assert!(read(text).cwes.is_empty(), "{text}");
        }

        assert_eq!(
            read(r#"{"informational": null, "severity": ""}"#).informational,
            None
        );
    }
}
