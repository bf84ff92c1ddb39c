//! The entry of a release, from the registry's description of it: the fields that arborist keeps
//! (`pkgMetaKeys` in its `lib/shrinkwrap.js`), after the changes that npm makes to every manifest
//! (`normalizeSteps` in `@npmcli/package-json`).

use patchgate_model::Lockfile;
use serde_json::{Map, Value, json};

use super::order;
use crate::npm::registry as documents;
use crate::npm::yarn::archive;
use crate::{Downloads, MetadataRequest, Release};

pub(super) type Entry = Map<String, Value>;

/// The fields that are copied. `license`, `bin`, `funding` and lists of bundled packages are changed
/// first.
const COPIED: [&str; 11] = [
    "dependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "optionalDependencies",
    "acceptDependencies",
    "engines",
    "os",
    "cpu",
    "libc",
    "deprecated",
    "workspaces",
];

/// The fields with requirements.
pub(super) const SECTIONS: [&str; 4] = [
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "devDependencies",
];

/// How a lockfile writes entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryStyle {
    /// Whether packages of a registry have their address: npm's `omit-lockfile-registry-resolved`
    /// leaves it out.
    pub(super) resolved: bool,
    /// Whether entries have licenses, which a registry's short documents lack.
    pub(super) license: bool,
}

/// The request for the whole description of a release, if the known one is the registry's short form.
/// npm reads the whole one, for the license. Its address follows from the archive's.
pub(super) fn download(name: &str, release: &Release) -> Option<MetadataRequest> {
    if release.document.as_ref()?.get("_id").is_some() {
        return None;
    }
    let tarball = release
        .document
        .as_ref()?
        .get("dist")?
        .get("tarball")?
        .as_str()?;
    let (base, _) = archive::split(tarball, name)?;
    let request = documents::request(base, name);
    Some(MetadataRequest {
        url: format!("{}/{}", request.url, release.version),
        accept: None,
    })
}

/// The fields of a release's document: of the whole one, where it was downloaded.
fn document(
    name: &str,
    release: &Release,
    style: EntryStyle,
    downloads: &Downloads,
) -> Result<Map<String, Value>, String> {
    let shown = format!("`{name} {}`", release.version);
    let Some(Value::Object(known)) = &release.document else {
        return Err(format!("{shown} is not described"));
    };
    let Some(request) = download(name, release) else {
        let is_short = !known.contains_key("_id");
        return match is_short && style.license && !known.contains_key("license") {
            true => Err(format!(
                "the registry does not state the license of {shown}"
            )),
            false => Ok(known.clone()),
        };
    };

    let Some(body) = downloads.get(&request.url) else {
        return match style.license && !known.contains_key("license") {
            true => Err(format!(
                "the registry does not state the license of {shown}"
            )),
            false => Ok(known.clone()),
        };
    };
    let whole = documents::parse_release(body).map_err(|error| format!("{shown} {error}"))?;
    let same = |field: &str| whole.get("dist").and_then(|dist| dist.get(field));
    let dist = |field: &str| known.get("dist").and_then(|dist| dist.get(field));
    let is_same = ["integrity", "shasum"]
        .iter()
        .all(|field| same(field) == dist(field))
        && whole.get("version").and_then(Value::as_str) == Some(&release.version)
        && SECTIONS
            .iter()
            .take(3)
            .all(|section| whole.get(*section) == known.get(*section));
    match is_same {
        true => Ok(Map::from_iter(
            // The archive's address stays that of the document that was read first.
            whole.into_iter().map(|(key, value)| match &*key {
                "dist" => (key, known.get("dist").cloned().unwrap_or(value)),
                _ => (key, value),
            }),
        )),
        false => Err(format!("the registry has two descriptions of {shown}")),
    }
}

/// The entry of a release under the name of its directory, without flags.
///
/// # Errors
/// What cannot be known without the archive, as a fragment.
pub(super) fn entry(
    lockfile: &Lockfile,
    name: &str,
    release: &Release,
    style: EntryStyle,
    downloads: &Downloads,
) -> Result<Entry, String> {
    let shown = format!("`{name} {}`", release.version);
    let fields = document(name, release, style, downloads)?;
    if !release.bundled.is_empty() {
        return Err(format!("{shown} has packages in its archive"));
    }
    if fields.get("_hasShrinkwrap").is_some_and(|has| *has == true) {
        return Err(format!("{shown} has a lockfile in its archive"));
    }

    let mut entry = Entry::new();
    entry.insert("version".to_owned(), json!(release.version));
    for field in COPIED {
        if let Some(value) = fields.get(field).filter(|value| is_kept(value)) {
            entry.insert(field.to_owned(), value.clone());
        }
    }
    without_repeated(&mut entry);
    if let Some(license) = fields.get("license").filter(|license| is_kept(license)) {
        let of_type = license.get("type").filter(|kind| is_kept(kind));
        let text = of_type.unwrap_or(license);
        entry.insert("license".to_owned(), text.clone());
    }
    if let Some(funding) = fields.get("funding").filter(|funding| is_kept(funding)) {
        let value = match funding {
            Value::String(url) => json!({ "url": url }),
            other => other.clone(),
        };
        entry.insert("funding".to_owned(), value);
    }
    if let Some(bin) = fields.get("bin").and_then(|bin| programs(name, bin)) {
        entry.insert("bin".to_owned(), bin);
    }
    if fields.get("hasInstallScript") == Some(&Value::Bool(true)) {
        entry.insert("hasInstallScript".to_owned(), Value::Bool(true));
    }

    let archive = archive::of_npm(lockfile, name, release)?;
    if style.resolved {
        entry.insert("resolved".to_owned(), json!(archive.resolved));
    }
    entry.insert("integrity".to_owned(), json!(archive.integrity));

    match check(&Value::Object(entry.clone())) {
        true => Ok(entry),
        false => Err(format!("{shown} is described in an unusual way")),
    }
}

/// Whether arborist keeps the value of a field.
fn is_kept(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) => true,
    }
}

/// Removes from `dependencies` what `optionalDependencies` repeat.
pub(super) fn without_repeated(entry: &mut Entry) {
    let optional: Vec<String> = match entry.get("optionalDependencies") {
        Some(Value::Object(optional)) => optional.keys().cloned().collect(),
        _ => return,
    };
    if let Some(Value::Object(runtime)) = entry.get_mut("dependencies") {
        for name in optional {
            runtime.remove(&name);
        }
        if runtime.is_empty() {
            entry.remove("dependencies");
        }
    }
}

/// Whether requirements are texts, and the order of all keys is known.
fn check(entry: &Value) -> bool {
    let texts = SECTIONS.iter().all(|section| match entry.get(section) {
        Some(Value::Object(listed)) => listed.values().all(Value::is_string),
        Some(_) => false,
        None => true,
    });
    texts && are_ordered(entry, 0)
}

fn are_ordered(value: &Value, depth: usize) -> bool {
    // JavaScript puts keys that are whole numbers before all others.
    let is_index = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    match value {
        Value::Object(fields) => fields.iter().all(|(key, value)| {
            order::is_ordered(key) && !is_index(key) && depth < 8 && are_ordered(value, depth + 1)
        }),
        Value::Array(items) => items
            .iter()
            .all(|item| depth < 8 && are_ordered(item, depth + 1)),
        _ => true,
    }
}

/// The programs of a package as an object of names and relative paths.
fn programs(name: &str, bin: &Value) -> Option<Value> {
    let listed: Vec<(String, Value)> = match bin {
        Value::String(path) if !path.is_empty() => vec![(name.to_owned(), bin.clone())],
        Value::Array(paths) => paths
            .iter()
            .filter_map(|path| Some((last(path.as_str()?).to_owned(), path.clone())))
            .collect(),
        Value::Object(listed) => listed
            .iter()
            .map(|(name, path)| (name.clone(), path.clone()))
            .collect(),
        _ => return None,
    };

    let mut programs = Entry::new();
    for (name, path) in listed {
        let name = inside(&name);
        let name = last(&name);
        let path = path.as_str().map(inside).unwrap_or_default();
        if !name.is_empty() && !path.is_empty() {
            programs.insert(name.to_owned(), json!(path));
        }
    }
    (!programs.is_empty()).then_some(Value::Object(programs))
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

/// A path without `.`, `..` and a leading slash, as a path that cannot leave its directory.
fn inside(path: &str) -> String {
    let path = path.replace(['\\', ':'], "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut inside = parts.join("/");
    if !inside.is_empty() && path.ends_with('/') {
        inside.push('/');
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_and_inside() {
        let all = |bin: Value| programs("@own/tool", &bin).unwrap_or_default();
        assert_eq!(all(json!("./cli.js")), json!({"tool": "cli.js"}));
        assert_eq!(
            all(json!({"@own/x": "../../a/./b.js", "y": "/c:d", "z": 1, "w": "./"})),
            json!({"x": "a/b.js", "y": "c/d"})
        );
        assert_eq!(all(json!(["bin/a.js"])), json!({"a.js": "bin/a.js"}));
        assert_eq!(all(json!("")), Value::Null);
        assert_eq!(all(json!({})), Value::Null);
    }
}
