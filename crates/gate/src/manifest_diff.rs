//! Changes of a manifest that are not changes of version requirements.
//!
//! A manifest also contains scripts and build settings, so a changed manifest is trusted only when
//! every change in it is one of a requirement.

use patchgate_ecosystems::{Upgradable, manifest_of};
use serde_json::{Map, Value};

/// Deepest nesting that is compared.
const MAX_DEPTH: usize = 64;

/// The other changes; empty when only requirements change.
///
/// # Errors
/// When one side cannot be read; a fragment that follows the file's name.
pub(crate) fn other_changes(path: &str, base: &[u8], head: &[u8]) -> Result<Vec<String>, String> {
    let Some(ecosystem) = manifest_of(path).and_then(|(ecosystem, _)| ecosystem.upgradable())
    else {
        return Err("has a format that is not compared".to_owned());
    };
    let read = if path.ends_with(".json") {
        read_json
    } else if path.ends_with(".toml") {
        read_toml
    } else {
        return Err("has a format that is not compared".to_owned());
    };
    let (base, head) = (read(base)?, read(head)?);
    let mut changes = Vec::new();
    compare(ecosystem, &mut Vec::new(), &base, &head, &mut changes);

    Ok(changes)
}

fn read_json(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| format!("cannot be read: {error}"))
}

fn read_toml(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| format!("cannot be read: {}", error.message()))?;
    Ok(table(document.as_table()))
}

fn table(table: &dyn toml_edit::TableLike) -> Value {
    Value::Object(
        table
            .iter()
            .map(|(key, item)| (key.to_owned(), item_value(item)))
            .collect::<Map<_, _>>(),
    )
}

fn item_value(item: &toml_edit::Item) -> Value {
    match item {
        toml_edit::Item::None => Value::Null,
        toml_edit::Item::Value(value) => toml_value(value),
        toml_edit::Item::Table(inner) => table(inner),
        toml_edit::Item::ArrayOfTables(tables) => {
            Value::Array(tables.iter().map(|inner| table(inner)).collect())
        }
    }
}

fn toml_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Boolean(flag) => Value::Bool(*flag.value()),
        toml_edit::Value::Array(values) => Value::Array(values.iter().map(toml_value).collect()),
        toml_edit::Value::InlineTable(inner) => table(inner),
        // Numbers and dates are not requirements: their text is enough to compare them.
        other => Value::String(format!("={}", other.to_string().trim())),
    }
}

fn compare<'a>(
    ecosystem: &dyn Upgradable,
    path: &mut Vec<&'a str>,
    base: &'a Value,
    head: &'a Value,
    changes: &mut Vec<String>,
) {
    if path.len() > MAX_DEPTH {
        changes.push(format!("`{}` is nested too deeply", path[..3].join(".")));
        return;
    }

    match (base, head) {
        (Value::Object(base), Value::Object(head)) => {
            for (key, before) in base {
                path.push(key);
                match head.get(key) {
                    Some(after) => compare(ecosystem, path, before, after, changes),
                    None => changes.push(format!("`{}` is gone", path.join("."))),
                }
                path.pop();
            }

            for key in head.keys().filter(|key| !base.contains_key(*key)) {
                path.push(key);
                changes.push(format!("`{}` is new", path.join(".")));
                path.pop();
            }
        }
        (Value::String(before), Value::String(after))
            if before == after || is_requirement_raised(ecosystem, path, before, after) => {}
        (before, after) if before != after => {
            changes.push(format!("`{}` changes", path.join(".")));
        }
        _ => {}
    }
}

/// Whether the change of a value is one that a fix makes: a requirement that is raised to a version.
/// Any other change of a requirement (`=1.6.0` to `*`) admits versions that were excluded.
fn is_requirement_raised(
    ecosystem: &dyn Upgradable,
    path: &[&str],
    before: &str,
    after: &str,
) -> bool {
    let is_raised = |version: String| {
        ecosystem
            .raise_requirement(before, &version)
            .is_ok_and(|raised| raised == after)
    };
    ecosystem.is_requirement_key(path)
        && is_plain(before)
        && is_plain(after)
        && after
            .split(['^', '~', '=', '<', '>', '*', '|', ',', ' '])
            .filter_map(smallest_version)
            .any(is_raised)
}

/// The smallest version of a requirement's part: `1.2.0` for `1.2` and for `1.2.x`.
fn smallest_version(part: &str) -> Option<String> {
    let end = part.find(['-', '+']).unwrap_or(part.len());
    let (numbers, rest) = part.split_at(end);
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut numbers: Vec<&str> = numbers.split('.').take_while(is_number).collect();
    if numbers.is_empty() {
        return None;
    }

    numbers.resize(3, "0");
    Some(format!("{}{rest}", numbers.join(".")))
}

/// Whether a requirement consists of versions and operators: no tag, address, path or alias.
fn is_plain(requirement: &str) -> bool {
    requirement.chars().any(|c| c.is_ascii_digit() || c == '*')
        && requirement.len() <= 256
        && requirement.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || matches!(
                    c,
                    '.' | '-' | '+' | '^' | '~' | '=' | '<' | '>' | '*' | '|' | ',' | ' '
                )
        })
}

#[cfg(test)]
mod tests {
    use super::other_changes;

    fn json(base: &str, head: &str) -> Vec<String> {
        other_changes("a/package.json", base.as_bytes(), head.as_bytes()).unwrap()
    }

    fn toml(base: &str, head: &str) -> Vec<String> {
        other_changes("Cargo.toml", base.as_bytes(), head.as_bytes()).unwrap()
    }

    #[test]
    fn a_raised_requirement_is_not_another_change() {
        assert!(
            json(
                r#"{"scripts":{"a":"b"},"dependencies":{"qs":"^6.5.2"}}"#,
                r#"{"scripts":{"a":"b"},"dependencies":{"qs":"^6.5.3"}}"#
            )
            .is_empty()
        );
        assert!(toml(
            "[dependencies]\na = \"1\"\nb = { version = \"=1.2\", features = [\"x\"] }\n[target.'cfg(unix)'.dependencies.c]\nversion = \"1\"\n[workspace.dependencies]\nd = \"1\"",
            "[dependencies]\na = \"2\"\nb = { version = \"=1.3\", features = [\"x\"] }\n[target.'cfg(unix)'.dependencies.c]\nversion = \"1.1\"\n[workspace.dependencies]\nd = \"1.0.4\"",
        )
        .is_empty());
    }

    #[test]
    fn a_requirement_is_only_raised() {
        for (before, after) in [
            ("^6.5.0", "^6.5.3"),
            ("~1.2.0", "~1.2.9"),
            ("1.x", "2.x"),
            ("=1.6.0", "=1.6.1"),
            (">=1.0.0 <2.0.0", ">=1.4.2 <2.0.0"),
            ("^1.0.0 || ^2.0.0", "^2.0.1"),
            ("1.0.0-rc.1", "1.0.0-rc.2"),
        ] {
            let manifest = |text: &str| format!(r#"{{"dependencies":{{"qs":"{text}"}}}}"#);
            assert!(
                json(&manifest(before), &manifest(after)).is_empty(),
                "{before} {after}"
            );
        }
        for (before, after) in [
            ("=1.6.0", "*"),
            ("1.0.200", ">=0.0.1"),
            ("^6.5.0", "beta1"),
            ("^6.5.0", ">=6.5.3"),
            ("~1.2.0", "^1.2.9"),
            ("^6.5.3", "^6.5.0"),
            ("^6.5.0", "^6.5.3 || *"),
        ] {
            let manifest = |text: &str| format!(r#"{{"dependencies":{{"qs":"{text}"}}}}"#);
            assert_eq!(
                json(&manifest(before), &manifest(after)),
                ["`dependencies.qs` changes"],
                "{before} {after}"
            );
            let manifest = |text: &str| format!("[dependencies]\nqs = \"{text}\"\n");
            assert_eq!(
                toml(&manifest(before), &manifest(after)).len(),
                1,
                "{before} {after}"
            );
        }
    }

    #[test]
    fn everything_else_is() {
        assert_eq!(
            json(
                r#"{"scripts":{"a":"b"},"dependencies":{"qs":"^6.5.2"}}"#,
                r#"{"scripts":{"a":"c","postinstall":"x"},"dependencies":{"qs":"file:../qs1","z":"1"}}"#
            ),
            [
                "`dependencies.qs` changes",
                "`dependencies.z` is new",
                "`scripts.a` changes",
                "`scripts.postinstall` is new"
            ]
        );
        assert_eq!(
            json(
                r#"{"config":{"dependencies":{"a":"1"}}}"#,
                r#"{"config":{"dependencies":{"a":"2"}}}"#
            ),
            ["`config.dependencies.a` changes"]
        );

        assert_eq!(
            toml(
                "[package]\nversion = \"1.0.0\"\n[dependencies]\nb = { version = \"1\", features = [\"x\"] }\n[profile.release]\nlto = true",
                "[package]\nversion = \"1.0.1\"\n[dependencies]\nb = { version = \"1\", features = [\"y\"], git = \"https://e.invalid/b\" }\n[profile.release]\nlto = false",
            ),
            [
                "`dependencies.b.features` changes",
                "`dependencies.b.git` is new",
                "`package.version` changes",
                "`profile.release.lto` changes"
            ]
        );
    }

    #[test]
    fn an_unreadable_manifest_is_reported() {
        assert!(other_changes("package.json", b"{", b"{}").is_err());
        assert!(other_changes("Cargo.toml", b"a = ", b"").is_err());
        assert!(other_changes("Cargo.toml", b"\xff", b"").is_err());
        assert!(other_changes("setup.py", b"", b"").is_err());
    }
}
