//! What a lockfile's entry keeps of a package's manifest, and how.
//!
//! npm writes these fields when it places a package and believes them ever after: it does not read
//! the manifest again for a package that it finds locked (seen with npm 11.19). An entry that is
//! moved to another release must therefore carry that release's fields, or a licence, a platform
//! or an optional peer of the old one stays for good.

use serde_json::{Map, Value};

/// The fields, as npm names them in a manifest and, without the `_`, in an entry.
const FIELDS: [&str; 17] = [
    "acceptDependencies",
    "bin",
    "bundleDependencies",
    "cpu",
    "dependencies",
    "deprecated",
    "engines",
    "funding",
    "hasInstallScript",
    "_hasShrinkwrap",
    "libc",
    "license",
    "optionalDependencies",
    "os",
    "peerDependencies",
    "peerDependenciesMeta",
    "workspaces",
];

/// Whether a field of a manifest is looked at here.
pub(super) fn is_read(field: &str) -> bool {
    FIELDS.contains(&field) || matches!(field, "bundledDependencies" | "scripts")
}

/// Whether a value counts as given: JavaScript's truth.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// The fields of an entry for the manifest of `name`.
pub(super) fn of_manifest(name: &str, manifest: &Map<String, Value>) -> Map<String, Value> {
    let mut entry = Map::new();
    for field in FIELDS {
        let value = match field {
            "hasInstallScript" => runs_at_install(manifest).then_some(Value::Bool(true)),
            "bin" => manifest.get(field).and_then(|bin| commands(name, bin)),
            "bundleDependencies" => bundled(manifest),
            "license" => manifest
                .get(field)
                .map(|license| match license.get("type") {
                    Some(kind) if is_set(kind) => kind.clone(),
                    _ => license.clone(),
                }),
            _ => manifest.get(field).cloned(),
        };
        if let Some(value) = value.filter(is_kept) {
            entry.insert(field.trim_start_matches('_').to_owned(), value);
        }
    }
    without_optional(&mut entry);
    entry
}

/// npm leaves out empty objects and lists.
fn is_kept(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        value => is_set(value),
    }
}

fn runs_at_install(manifest: &Map<String, Value>) -> bool {
    let scripts = manifest.get("scripts");
    manifest.get("hasInstallScript").is_some_and(is_set)
        || ["preinstall", "install", "postinstall"]
            .iter()
            .any(|script| {
                scripts
                    .and_then(|scripts| scripts.get(script))
                    .is_some_and(is_set)
            })
}

/// `bin` as an object from command to path; one path alone is the command with the package's name.
fn commands(name: &str, bin: &Value) -> Option<Value> {
    let plain = |path: &str| Value::from(path.trim_start_matches("./"));
    match bin {
        Value::String(path) => {
            let command = name.rsplit_once('/').map_or(name, |(_, command)| command);
            let mut commands = Map::new();
            commands.insert(command.to_owned(), plain(path));
            Some(Value::Object(commands))
        }
        Value::Object(paths) => Some(Value::Object(
            paths
                .iter()
                .filter_map(|(command, path)| Some((command.clone(), plain(path.as_str()?))))
                .collect(),
        )),
        _ => None,
    }
}

/// Old manifests spell it `bundledDependencies`; `true` stands for all dependencies.
fn bundled(manifest: &Map<String, Value>) -> Option<Value> {
    let value = manifest
        .get("bundleDependencies")
        .or_else(|| manifest.get("bundledDependencies"))?;
    match value {
        Value::Bool(true) => {
            let names = manifest.get("dependencies")?.as_object()?;
            Some(names.keys().map(String::as_str).collect())
        }
        Value::Array(_) => Some(value.clone()),
        _ => None,
    }
}

/// Registries repeat optional dependencies among the others; entries do not.
fn without_optional(entry: &mut Map<String, Value>) {
    let Some(Value::Object(optional)) = entry.get("optionalDependencies").cloned() else {
        return;
    };
    if let Some(Value::Object(dependencies)) = entry.get_mut("dependencies") {
        dependencies.retain(|name, _| !optional.contains_key(name));
        if dependencies.is_empty() {
            entry.remove("dependencies");
        }
    }
}
