//! Changes of a manifest that are not changes of version requirements.
//!
//! A manifest also contains scripts and build settings, so a changed manifest is trusted only when
//! every change in it is one of a requirement.

use patchgate_ecosystems::{Upgradable, manifest_of};
use serde_json::{Map, Value};

/// Deepest nesting that is compared.
const MAX_DEPTH: usize = 64;

/// What a manifest changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ManifestChanges {
    /// Requirements that are raised.
    pub(crate) raised: Vec<RaisedRequirement>,
    /// Everything else, as text.
    pub(crate) other: Vec<String>,
}

/// A requirement that is raised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RaisedRequirement {
    /// Keys of the requirement in the file, with dots.
    pub(crate) key: String,
    /// Name of the package.
    pub(crate) package: String,
    /// The version that it is raised to.
    pub(crate) version: String,
}

/// The changes of a manifest.
///
/// # Errors
/// When one side cannot be read; a fragment that follows the file's name.
pub(crate) fn changes(path: &str, base: &[u8], head: &[u8]) -> Result<ManifestChanges, String> {
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
    let mut changes = ManifestChanges::default();
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
    changes: &mut ManifestChanges,
) {
    if path.len() > MAX_DEPTH {
        let start = path[..3].join(".");
        changes
            .other
            .push(format!("`{start}` is nested too deeply"));
        return;
    }

    match (base, head) {
        (Value::Object(base), Value::Object(head)) => {
            for (key, before) in base {
                path.push(key);
                match head.get(key) {
                    Some(after) => {
                        compare(ecosystem, path, before, after, changes);
                    }
                    None => changes.other.push(format!("`{}` is gone", path.join("."))),
                }
                path.pop();
            }

            for key in head.keys().filter(|key| !base.contains_key(*key)) {
                path.push(key);
                changes.other.push(format!("`{}` is new", path.join(".")));
                path.pop();
            }

            // Cargo's renames: the key is the name in the sources, and `package` that of the registry.
            if let Some(Value::String(package)) = head.get("package") {
                let key = format!("{}.version", path.join("."));
                let mut raised = changes.raised.iter_mut();
                if let Some(requirement) = raised.find(|requirement| requirement.key == key) {
                    requirement.package.clone_from(package);
                }
            }
        }
        (Value::String(before), Value::String(after)) if before == after => {}
        (before, after) if before != after => match raised_to(ecosystem, path, before, after) {
            Some(version) => changes.raised.push(RaisedRequirement {
                key: path.join("."),
                package: package_of(path).to_owned(),
                version,
            }),
            None => changes.other.push(format!("`{}` changes", path.join("."))),
        },
        _ => {}
    }
}

/// The package that the keys of a requirement name: `qs` in `dependencies.qs`, and in
/// `dependencies.qs.version`.
fn package_of<'a>(path: &[&'a str]) -> &'a str {
    match path {
        [.., package, "version"] if path.len() > 2 => package,
        [.., package] => package,
        [] => "",
    }
}

/// The version to which a requirement is raised, when the change of a value is one that a fix makes.
/// Any other change of a requirement (`=1.6.0` to `*`) admits versions that were excluded.
fn raised_to(
    ecosystem: &dyn Upgradable,
    path: &[&str],
    before: &Value,
    after: &Value,
) -> Option<String> {
    let (before, after) = (before.as_str()?, after.as_str()?);
    if !(ecosystem.is_requirement_key(path) && is_plain(before) && is_plain(after)) {
        return None;
    }
    let is_raised = |version: &String| {
        ecosystem
            .raise_requirement(before, version)
            .is_ok_and(|raised| raised == after)
    };
    after
        .split(['^', '~', '=', '<', '>', '*', '|', ',', ' '])
        .filter_map(smallest_version)
        .find(is_raised)
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
    use super::changes;

    fn json(base: &str, head: &str) -> Vec<String> {
        changes("a/package.json", base.as_bytes(), head.as_bytes())
            .unwrap()
            .other
    }

    fn toml(base: &str, head: &str) -> Vec<String> {
        changes("Cargo.toml", base.as_bytes(), head.as_bytes())
            .unwrap()
            .other
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
    fn a_raised_requirement_names_its_package_and_version() {
        let manifest = |a: &str, b: &str, c: &str| {
            format!(
                "[dependencies]\na = \"{a}\"\nb = {{ version = \"{b}\" }}\n\
                 [dependencies.c]\npackage = \"real-c\"\nversion = \"{c}\"\n"
            )
        };
        let (before, after) = (
            manifest("1.0", "=1.2.0", "1"),
            manifest("1.3", "=1.2.4", "2"),
        );
        let found = changes("Cargo.toml", before.as_bytes(), after.as_bytes()).unwrap();
        let mut raised: Vec<(&str, &str)> = found
            .raised
            .iter()
            .map(|raised| (raised.package.as_str(), raised.version.as_str()))
            .collect();
        raised.sort_unstable();
        assert_eq!(
            raised,
            [("a", "1.3.0"), ("b", "1.2.4"), ("real-c", "2.0.0")]
        );
        assert!(found.other.is_empty());
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
        assert!(changes("package.json", b"{", b"{}").is_err());
        assert!(changes("Cargo.toml", b"a = ", b"").is_err());
        assert!(changes("Cargo.toml", b"\xff", b"").is_err());
        assert!(changes("setup.py", b"", b"").is_err());
    }
}
