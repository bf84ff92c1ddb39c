//! The file of a module in a release
//! (<https://nodejs.org/api/packages.html#package-entry-points>).

use serde_json::Value;

use crate::Files;

/// Ends that a path may lack, for programs and for declarations of types.
const PROGRAMS: [&str; 7] = [
    "",
    ".js",
    ".mjs",
    ".cjs",
    "/index.js",
    "/index.mjs",
    "/index.cjs",
];
const TYPES: [&str; 5] = [".d.ts", "", ".d.mts", ".d.cts", "/index.d.ts"];

/// Conditions of `exports` in the order in which they are taken.
const PROGRAM_CONDITIONS: [&str; 5] = ["node", "import", "module", "require", "default"];
const TYPE_CONDITIONS: [&str; 4] = ["types", "import", "default", "require"];

/// Deepest nesting of conditions.
const MAX_DEPTH: usize = 8;

/// The file with the program of a module.
pub(super) fn program(package: &str, module: &str, files: &Files) -> Option<String> {
    let manifest = manifest(files);
    let inside = inside(package, module)?;
    let stated = match inside {
        "" => entry(&manifest, ".", &PROGRAM_CONDITIONS)
            .or_else(|| text(&manifest, "module"))
            .or_else(|| text(&manifest, "main"))
            .unwrap_or_else(|| "index".to_owned()),
        inside => entry(&manifest, &format!("./{inside}"), &PROGRAM_CONDITIONS)
            .unwrap_or_else(|| inside.to_owned()),
    };

    with_end(files, &stated, &PROGRAMS).filter(|file| !file.ends_with(".json"))
}

/// The file with the declarations of types of a module.
pub(super) fn types(package: &str, module: &str, files: &Files) -> Option<String> {
    let manifest = manifest(files);
    let inside = inside(package, module)?;
    let stated = match inside {
        "" => entry(&manifest, ".", &TYPE_CONDITIONS)
            .filter(|file| is_declaration(file))
            .or_else(|| text(&manifest, "types"))
            .or_else(|| text(&manifest, "typings"))
            .or_else(|| text(&manifest, "main").map(|main| without_end(&main)))
            .unwrap_or_else(|| "index".to_owned()),
        inside => entry(&manifest, &format!("./{inside}"), &TYPE_CONDITIONS)
            .filter(|file| is_declaration(file))
            .unwrap_or_else(|| without_end(inside)),
    };

    with_end(files, &stated, &TYPES).filter(|file| is_declaration(file))
}

/// The file that an import in a file leads to.
pub(super) fn relative(files: &Files, from: &str, to: &str) -> Option<String> {
    let path = crate::exports::relative(from, to)?;
    let found = if is_declaration(from) {
        with_end(files, &without_end(&path), &TYPES).filter(|file| is_declaration(file))
    } else {
        with_end(files, &path, &PROGRAMS)
    };
    found.filter(|file| !file.ends_with(".json"))
}

fn is_declaration(file: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"]
        .iter()
        .any(|end| file.ends_with(end))
}

/// A path of a program without its end: the declarations are next to it.
fn without_end(path: &str) -> String {
    let ends = [".js", ".mjs", ".cjs"];
    let stem = ends.iter().find_map(|end| path.strip_suffix(end));
    stem.unwrap_or(path).to_owned()
}

fn inside<'m>(package: &str, module: &'m str) -> Option<&'m str> {
    let rest = module.strip_prefix(package)?;
    match rest.strip_prefix('/') {
        Some(inside) => Some(inside),
        None => rest.is_empty().then_some(""),
    }
}

fn manifest(files: &Files) -> Value {
    let bytes = files.get("package.json").map(Vec::as_slice);
    bytes
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default()
}

fn text(manifest: &Value, field: &str) -> Option<String> {
    let text = manifest.get(field)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// What `exports` states for an entry. Patterns with `*` are not resolved.
fn entry(manifest: &Value, name: &str, conditions: &[&str]) -> Option<String> {
    let exports = manifest.get("exports")?;
    let has_entries = exports
        .as_object()
        .is_some_and(|object| object.keys().any(|key| key.starts_with('.')));
    let mut stated = match (has_entries, name) {
        (true, name) => exports.get(name)?,
        (false, ".") => exports,
        (false, _) => return None,
    };
    for _ in 0..MAX_DEPTH {
        match stated {
            Value::String(path) => return Some(path.clone()),
            Value::Object(object) => {
                stated = conditions.iter().find_map(|name| object.get(*name))?;
            }
            Value::Array(list) => stated = list.first()?,
            _ => return None,
        }
    }

    None
}

fn with_end(files: &Files, path: &str, ends: &[&str]) -> Option<String> {
    let path = crate::exports::relative("", path)?;
    ends.iter()
        .map(|end| format!("{path}{end}"))
        .find(|file| files.contains_key(file))
}
