//! The affected symbols that records name.
//!
//! Records of the Go vulnerability database name the affected packages of a module, each with symbols
//! (<https://go.dev/doc/security/vuln/database#schema>). Records of RustSec name functions by their
//! paths.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Affected, Finding};
use serde_json::Value;

/// Most symbols of one finding.
const MAX_SYMBOLS: usize = 10_000;

/// What the records of a finding name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Symbols {
    /// Symbols by module: for Go the path of a package, with `Function` and `Type.Method`; for Rust the
    /// path of a module, with `function` and `Type::method`. A module without symbols is affected as a
    /// whole.
    pub(crate) by_module: BTreeMap<String, BTreeSet<String>>,
}

impl Symbols {
    /// The symbols that the records of a finding name for its package.
    pub(crate) fn of(finding: &Finding) -> Self {
        let mut symbols = Self::default();
        let package = &finding.package;
        let entries = finding
            .advisories
            .iter()
            .flat_map(|advisory| &advisory.affected)
            .filter(|entry| {
                entry.name == package.name && entry.ecosystem == package.ecosystem.as_str()
            });
        for entry in entries {
            symbols.add(entry);
        }

        symbols
    }

    /// Number of the symbols.
    pub(crate) fn count(&self) -> usize {
        self.by_module.values().map(BTreeSet::len).sum()
    }

    fn add(&mut self, entry: &Affected) {
        let text = entry.ecosystem_specific.as_deref().unwrap_or_default();
        let Ok(specific) = serde_json::from_str::<Value>(text) else {
            return;
        };
        for import in list(specific.get("imports")) {
            let Some(path) = import.get("path").and_then(Value::as_str) else {
                continue;
            };
            let names = list(import.get("symbols")).iter().filter_map(Value::as_str);
            let known = self.by_module.entry(path.to_owned()).or_default();
            known.extend(names.take(MAX_SYMBOLS).map(str::to_owned));
        }

        let affects = specific.get("affects");
        let functions = list(affects.and_then(|affects| affects.get("functions")));
        for path in functions.iter().filter_map(Value::as_str).take(MAX_SYMBOLS) {
            if let Some((module, name)) = rust_path(path) {
                self.by_module.entry(module).or_default().insert(name);
            }
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The module and the name of a path: `a::b` and `Type::method` of `a::b::Type::method`.
fn rust_path(path: &str) -> Option<(String, String)> {
    // Some records write generic arguments or a pair of parentheses.
    let end = path.find(['(', '<', ' ']).unwrap_or(path.len());
    let parts: Vec<&str> = path.get(..end)?.split("::").collect();
    let is_type = |part: &&str| part.starts_with(char::is_uppercase);
    let at = parts
        .iter()
        .position(is_type)
        .unwrap_or(parts.len().saturating_sub(1));
    let module = parts.get(..at).filter(|module| !module.is_empty())?;
    Some((module.join("::"), parts.get(at..)?.join("::")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_before_their_type() {
        let split = |path| rust_path(path).map(|(a, b)| format!("{a} {b}"));
        assert_eq!(split("a::f").as_deref(), Some("a f"));
        assert_eq!(split("a::b::T::m").as_deref(), Some("a::b T::m"));
        assert_eq!(split("a::T").as_deref(), Some("a T"));
        assert_eq!(split("a::f(x::y)").as_deref(), Some("a f"));
        assert_eq!(split("f"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn fields_of_another_type_name_nothing() {
        for text in [
            "",
            "{",
            "[]",
            "{\"imports\":3}",
            "{\"imports\":[{\"path\":1}]}",
            "{\"affects\":{\"functions\":[{}]}}",
            "{\"affects\":[]}",
        ] {
            let mut symbols = Symbols::default();
            symbols.add(&Affected {
                ecosystem: "Go".into(),
                distribution: None,
                name: "a".into(),
                ranges: Vec::new(),
                versions: Vec::new(),
                severity: Vec::new(),
                ecosystem_specific: Some(text.to_owned()),
                database_specific: None,
            });
            assert_eq!(symbols, Symbols::default(), "{text}");
        }
    }
}
