//! Edits of a lockfile's entries, which npm then completes.

use serde_json::{Map, Value};

/// A lockfile as JSON.
type Object = Map<String, Value>;

/// One installed copy that gets another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyMove {
    /// Directory that npm installs the copy in: `node_modules/a/node_modules/b`.
    pub(super) install_path: String,
    /// Name of the package in its registry.
    pub(super) name: String,
    /// The version in the lockfile.
    pub(super) from: String,
    /// The version that the copy should get.
    pub(super) to: String,
}

/// The `packages` of a lockfile of version 2 or 3.
pub(super) fn packages(lockfile: &Value) -> Option<&Object> {
    lockfile.get("packages")?.as_object()
}

/// Version of a lockfile's format; files of npm 4 and before have none and count as 1.
pub(super) fn format(lockfile: &Value) -> u64 {
    lockfile
        .get("lockfileVersion")
        .and_then(Value::as_u64)
        .unwrap_or(1)
}

/// The entry that npm wrote for a package, and those of the packages inside its archive, by path
/// below the package.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    entry: Object,
    shipped: Vec<(String, Value)>,
}

/// Takes the entry for `key` out of a lockfile that npm wrote.
pub(super) fn written(lockfile: &Value, key: &str) -> Option<Written> {
    let packages = packages(lockfile)?;
    let path = format!("node_modules/{key}");
    let mut entry = packages.get(&path)?.as_object()?.clone();

    // It was asked for under another name.
    entry.remove("name");
    let below = format!("{path}/");
    let shipped = packages
        .iter()
        .filter_map(|(other, value)| {
            let rest = other.strip_prefix(&below)?;
            let inside = value.get("inBundle").and_then(Value::as_bool) == Some(true);
            inside.then(|| (rest.to_owned(), value.clone()))
        })
        .collect();

    Some(Written { entry, shipped })
}

/// Replaces the entry of a copy by the one that npm wrote, except for the keys that say why the
/// copy is installed.
///
/// Returns false when the lockfile has no such copy.
pub(super) fn paste(lockfile: &mut Value, step: &CopyMove, written: &Written) -> bool {
    if format(lockfile) < 2 {
        return paste_v1(lockfile, step, written);
    }
    let Some(packages) = lockfile.get_mut("packages").and_then(Value::as_object_mut) else {
        return false;
    };
    let Some(before) = packages.get(&step.install_path).and_then(Value::as_object) else {
        return false;
    };

    let mut entry = written.entry.clone();
    for key in [
        "name",
        "dev",
        "optional",
        "devOptional",
        "peer",
        "extraneous",
    ] {
        match before.get(key) {
            Some(value) => entry.insert(key.to_owned(), value.clone()),
            None => entry.remove(key),
        };
    }

    let flags: Vec<(String, Value)> = ["dev", "optional", "devOptional", "peer"]
        .into_iter()
        .filter_map(|key| before.get(key).map(|value| (key.to_owned(), value.clone())))
        .collect();
    let below = format!("{}/", step.install_path);
    packages.retain(|path, value| {
        !(path.starts_with(&below) && value.get("inBundle").and_then(Value::as_bool) == Some(true))
    });
    packages.insert(step.install_path.clone(), Value::Object(entry));

    for (path, value) in &written.shipped {
        let mut value = value.clone();
        if let Some(entry) = value.as_object_mut() {
            entry.extend(flags.iter().cloned());
        }
        packages.insert(format!("{below}{path}"), value);
    }

    true
}

/// In version 1 npm reads an entry's dependencies from the registry: version and hash are enough.
fn paste_v1(lockfile: &mut Value, step: &CopyMove, written: &Written) -> bool {
    let Some(before) = entry_v1(lockfile, &step.install_path) else {
        return false;
    };
    let alias = before
        .get("version")
        .and_then(Value::as_str)
        .is_some_and(|version| version.starts_with("npm:"));
    let version = if alias {
        format!("npm:{}@{}", step.name, step.to)
    } else {
        step.to.clone()
    };
    before.insert("version".to_owned(), Value::String(version));

    for key in ["resolved", "integrity"] {
        match written.entry.get(key) {
            Some(value) => before.insert(key.to_owned(), value.clone()),
            None => before.remove(key),
        };
    }

    let mut needs = Object::new();
    for key in ["dependencies", "optionalDependencies"] {
        if let Some(more) = written.entry.get(key).and_then(Value::as_object) {
            needs.extend(more.clone());
        }
    }

    if needs.is_empty() {
        before.remove("requires");
    } else {
        before.insert("requires".to_owned(), Value::Object(needs));
    }

    true
}

fn entry_v1<'a>(lockfile: &'a mut Value, install_path: &str) -> Option<&'a mut Object> {
    let mut at = lockfile.as_object_mut()?;
    for name in install_path.split("node_modules/").skip(1) {
        at = at
            .get_mut("dependencies")?
            .as_object_mut()?
            .get_mut(name.trim_end_matches('/'))?
            .as_object_mut()?;
    }

    Some(at)
}

/// Removes a copy and everything installed below it from a lockfile of version 2 or 3, so that npm
/// chooses it again.
pub(super) fn remove(lockfile: &mut Value, install_path: &str) {
    let below = format!("{install_path}/");
    if let Some(packages) = lockfile.get_mut("packages").and_then(Value::as_object_mut) {
        packages.retain(|path, _| path != install_path && !path.starts_with(&below));
    }
}

/// The version of the copy at an install path, if there is one.
pub(super) fn version_at(lockfile: &Value, install_path: &str) -> Option<String> {
    if format(lockfile) >= 2 {
        let entry = packages(lockfile)?.get(install_path)?;
        return Some(entry.get("version")?.as_str()?.to_owned());
    }

    let mut at = lockfile;
    for name in install_path.split("node_modules/").skip(1) {
        at = at.get("dependencies")?.get(name.trim_end_matches('/'))?;
    }

    let version = at.get("version")?.as_str()?;
    // `npm:real@1.2.3` for an alias.
    Some(match version.strip_prefix("npm:") {
        Some(alias) => alias.rsplit_once('@')?.1.to_owned(),
        None => version.to_owned(),
    })
}

/// True when some entry says where its archive is.
pub(super) fn says_resolved(text: &[u8]) -> bool {
    // A link has the key too; archives are recognised by their extension.
    String::from_utf8_lossy(text)
        .lines()
        .any(|line| line.contains("\"resolved\":") && line.contains(".tgz"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(path: &str) -> CopyMove {
        CopyMove {
            install_path: path.into(),
            name: "parent".into(),
            from: "1.0.0".into(),
            to: "1.0.1".into(),
        }
    }

    #[test]
    fn an_entry_moves_with_what_it_ships_and_keeps_why_it_is_there() {
        let mut lockfile = json!({"lockfileVersion": 3, "packages": {
            "node_modules/parent": {"version": "1.0.0", "integrity": "old", "dev": true},
            "node_modules/parent/node_modules/old": {"version": "1.0.0", "inBundle": true},
            "node_modules/parent/node_modules/own": {"version": "1.0.0"},
        }});
        let by_npm = json!({"packages": {
            "node_modules/p0": {"name": "parent", "version": "1.0.1", "integrity": "new"},
            "node_modules/p0/node_modules/new": {"version": "2.0.0", "inBundle": true},
            "node_modules/p0/node_modules/other": {"version": "2.0.0"},
        }});
        let written = written(&by_npm, "p0").unwrap();

        assert!(paste(&mut lockfile, &step("node_modules/parent"), &written));
        assert_eq!(
            lockfile["packages"],
            json!({
                "node_modules/parent": {"version": "1.0.1", "integrity": "new", "dev": true},
                "node_modules/parent/node_modules/new": {"version": "2.0.0", "inBundle": true, "dev": true},
                "node_modules/parent/node_modules/own": {"version": "1.0.0"},
            })
        );
        assert_eq!(
            version_at(&lockfile, "node_modules/parent").as_deref(),
            Some("1.0.1")
        );
    }

    #[test]
    fn a_nested_entry_of_version_1_moves() {
        let mut lockfile = json!({"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "dependencies": {
                "@s/parent": {"version": "1.0.0", "resolved": "old", "integrity": "old", "requires": {"x": "1"}},
            }},
        }});
        let by_npm = json!({"packages": {
            "node_modules/p0": {"version": "1.0.1", "integrity": "new", "dependencies": {"y": "^1.0.0"}},
        }});
        let written = written(&by_npm, "p0").unwrap();
        let path = "node_modules/a/node_modules/@s/parent";

        assert!(paste(&mut lockfile, &step(path), &written));
        assert_eq!(
            lockfile["dependencies"]["a"]["dependencies"]["@s/parent"],
            json!({"version": "1.0.1", "integrity": "new", "requires": {"y": "^1.0.0"}})
        );
        assert_eq!(version_at(&lockfile, path).as_deref(), Some("1.0.1"));
        assert!(!paste(&mut lockfile, &step("node_modules/none"), &written));
    }
}
