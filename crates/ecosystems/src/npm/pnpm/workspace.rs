//! `pnpm-workspace.yaml` (<https://pnpm.io/pnpm-workspace_yaml>): the edit of one value, and where a
//! project has its overrides.

use serde_json::Value as Json;

use super::scalar::block;
use crate::npm::json_set;
use crate::syntax::{Node, Value, yaml_settings};
use crate::{EditError, RequirementEdit, Siblings};

/// Name of the file.
pub(in crate::npm) const WORKSPACE: &str = "pnpm-workspace.yaml";

/// The first version of pnpm that reads overrides from the file, and the first that reads them from
/// nowhere else.
const READS_WORKSPACE: (u64, u64) = (10, 5);
const READS_NO_MANIFEST: (u64, u64) = (11, 0);

/// The path of a file next to the lockfile.
pub(super) fn next_to(lockfile: &str, name: &str) -> String {
    match lockfile.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

/// The overrides of a project, as written: from `pnpm-workspace.yaml`, else from `package.json`.
pub(super) fn overrides(lockfile: &str, siblings: &Siblings) -> Vec<(String, String)> {
    let text = |name| {
        let bytes = siblings.get(&next_to(lockfile, name))?;
        std::str::from_utf8(bytes).ok()
    };
    let settings = text(WORKSPACE).and_then(|text| yaml_settings(text).ok().flatten());
    let listed = settings
        .as_ref()
        .and_then(|settings| settings.get("overrides"));
    if let Some(listed) = listed {
        let entries = listed.entries().iter();
        return entries
            .filter_map(|(key, value)| Some((key.name.to_string(), value.scalar()?.to_owned())))
            .collect();
    }

    let manifest: Option<Json> =
        text("package.json").and_then(|text| serde_json::from_str(unmarked(text)).ok());
    let listed = manifest
        .as_ref()
        .and_then(|manifest| manifest.get("pnpm")?.get("overrides")?.as_object().cloned());
    let entries = listed.into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect()
}

/// Whether the workspace's settings have overrides.
pub(super) fn has_overrides(lockfile: &str, siblings: &Siblings) -> bool {
    let bytes = siblings.get(&next_to(lockfile, WORKSPACE));
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let settings = text.and_then(|text| yaml_settings(text).ok().flatten());
    settings.is_some_and(|settings| settings.get("overrides").is_some())
}

/// The selectors of `packageExtensions`, as written.
pub(super) fn extended(lockfile: &str, siblings: &Siblings) -> Vec<String> {
    let text = |name| {
        let bytes = siblings.get(&next_to(lockfile, name))?;
        std::str::from_utf8(bytes).ok()
    };
    let mut selectors = Vec::new();
    if let Some(settings) = text(WORKSPACE).and_then(|text| yaml_settings(text).ok().flatten()) {
        let listed = settings.get("packageExtensions").map(Node::entries);
        let keys = listed.unwrap_or_default().iter();
        selectors.extend(keys.map(|(key, _)| key.name.to_string()));
    }
    let manifest: Option<Json> =
        text("package.json").and_then(|text| serde_json::from_str(unmarked(text)).ok());
    if let Some(manifest) = manifest {
        let listed = manifest
            .get("pnpm")
            .and_then(|pnpm| pnpm.get("packageExtensions"))
            .and_then(Json::as_object);
        selectors.extend(listed.into_iter().flat_map(|listed| listed.keys().cloned()));
    }
    selectors
}

/// The file with an override that gives a package a version everywhere.
///
/// pnpm reads overrides from `pnpm-workspace.yaml` since version 10.5, and since version 11 from
/// nowhere else (<https://pnpm.io/settings#overrides>). A project that says nothing of its version
/// gets it there, if it has the file.
pub(super) fn write_override(
    lockfile: &str,
    manifests: &Siblings,
    name: &str,
    version: &str,
) -> Result<(String, String), EditError> {
    let read = |file: &str| {
        let path = next_to(lockfile, file);
        let text = manifests
            .get(&path)
            .map(|bytes| std::str::from_utf8(bytes))
            .transpose()
            .map_err(|_| EditError::Unreadable("it is not UTF-8".to_owned()))?;
        Ok::<_, EditError>((path, text))
    };
    let (manifest_path, manifest) = read("package.json")?;
    let (workspace_path, workspace) = read(WORKSPACE)?;
    for (pattern, value) in overrides(lockfile, manifests) {
        if about(&pattern) == name && pattern != name {
            return Err(EditError::Refused(format!(
                "its overrides have `{name}` for some dependents or versions"
            )));
        }
        if pattern == name && (value.starts_with('$') || value.starts_with("catalog:")) {
            return Err(EditError::Refused(format!(
                "the override of `{name}` is defined elsewhere"
            )));
        }
    }

    let settings = yaml_settings(workspace.unwrap_or_default())
        .map_err(|error| EditError::Unreadable(error.reason))?;
    let is_in_workspace = settings
        .as_ref()
        .is_some_and(|settings| settings.get("overrides").is_some());
    let json: Option<Json> = manifest
        .map(|text| serde_json::from_str(unmarked(text)))
        .transpose()
        .map_err(|error| EditError::Unreadable(error.to_string()))?;
    let pnpm = json.as_ref().and_then(|json| json.get("pnpm"));
    let is_in_manifest = pnpm.is_some_and(|pnpm| pnpm.get("overrides").is_some());
    let used = json.as_ref().and_then(used_version);

    let goes_to_manifest = match used {
        _ if is_in_workspace => false,
        Some(used) => used < READS_WORKSPACE || (is_in_manifest && used < READS_NO_MANIFEST),
        None => pnpm.is_some(),
    };
    if !goes_to_manifest {
        // A plan changes files that exist.
        let workspace = workspace.ok_or_else(|| {
            EditError::Refused(format!(
                "overrides of pnpm belong into `{workspace_path}`, which is missing"
            ))
        })?;
        return Ok((workspace_path, with_override(workspace, name, version)?));
    }
    let manifest =
        manifest.ok_or_else(|| EditError::Unreadable(format!("`{manifest_path}` is missing")))?;
    let after = json_set::set(manifest, &["pnpm", "overrides", name], version)?;
    Ok((manifest_path, after))
}

/// The package that an override is about: `b` in `a>b`, `b@1`, `@s/a@^1>b@2`.
pub(super) fn about(pattern: &str) -> &str {
    // A `>` after a blank or an `@` is a part of a range.
    let mut start = 0;
    for (at, _) in pattern.match_indices('>') {
        let before = pattern
            .get(..at)
            .and_then(|before| before.chars().next_back());
        let after = pattern.get(at + 1..).unwrap_or_default();
        let is_range =
            before.is_none_or(|before| before == '@' || before == ' ') || after.starts_with('=');
        if !is_range {
            start = at + 1;
        }
    }
    let last = pattern.get(start..).unwrap_or(pattern);
    let end = last
        .char_indices()
        .find(|(at, character)| *at > 0 && *character == '@')
        .map_or(last.len(), |(at, _)| at);
    last.get(..end).unwrap_or(last)
}

/// The major and minor version of pnpm that a manifest names.
fn used_version(manifest: &Json) -> Option<(u64, u64)> {
    let stated = manifest.get("packageManager")?.as_str()?;
    let mut parts = stated.strip_prefix("pnpm@")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The file with a requirement of a catalog changed.
///
/// # Errors
/// If no catalog has the requirement, or several have it.
pub(in crate::npm) fn edit(text: &str, edit: &RequirementEdit) -> Result<String, EditError> {
    let settings = yaml_settings(text).map_err(|error| EditError::Unreadable(error.reason))?;
    let mut paths: Vec<Vec<&str>> = vec![vec!["catalog", &edit.name]];
    let named = settings
        .as_ref()
        .and_then(|settings| settings.get("catalogs"));
    for (catalog, _) in named.map(Node::entries).unwrap_or_default() {
        paths.push(vec!["catalogs", &catalog.name, &edit.name]);
    }
    paths.retain(|path| {
        let value = settings.as_ref().and_then(|settings| at(settings, path));
        value.and_then(Node::scalar) == Some(&edit.from)
    });
    match &paths[..] {
        [] => Err(EditError::NotFound {
            name: edit.name.clone(),
            requirement: edit.from.clone(),
        }),
        [path] => replaced(text, path, &edit.to),
        _ => Err(EditError::Refused(format!(
            "several catalogs have `{}` as `{}`",
            edit.name, edit.from
        ))),
    }
}

fn with_override(text: &str, name: &str, version: &str) -> Result<String, EditError> {
    let path = ["overrides", name];
    let settings = yaml_settings(text).map_err(|error| EditError::Unreadable(error.reason))?;
    let root = settings.as_ref();
    if root.is_some_and(|root| at(root, &path).is_some()) {
        return replaced(text, &path, version);
    }

    let refused = || EditError::Refused("its overrides have an unusual form".to_owned());
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let key = block(name).ok_or_else(refused)?;
    let value = block(version).ok_or_else(refused)?;
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut()
        && !last.ends_with('\n')
    {
        last.push_str(line_end);
    }
    match root.and_then(|root| root.get("overrides")) {
        None => {
            let gap = match lines.last().is_none_or(|last| last.trim().is_empty()) {
                true => "",
                false => line_end,
            };
            lines.push(format!(
                "{gap}overrides:{line_end}  {key}: {value}{line_end}"
            ));
        }
        Some(overrides) => {
            let (last, node) = overrides.entries().last().ok_or_else(refused)?;
            let is_block = last.line == node.line && last.column > 1;
            let at = last.line as usize;
            let indent = " ".repeat((last.column as usize).saturating_sub(1));
            let line = lines.get(at.saturating_sub(1)).ok_or_else(refused)?;
            if !is_block || !line.starts_with(&indent) || line.trim_end().ends_with(['}', ',']) {
                return Err(refused());
            }
            lines.insert(at, format!("{indent}{key}: {value}{line_end}"));
        }
    }

    let after = lines.concat();
    checked(settings.as_ref(), &after, &path, version)?;
    Ok(after)
}

/// The value at a path of keys.
fn at<'n, 't>(root: &'n Node<'t>, path: &[&str]) -> Option<&'n Node<'t>> {
    path.iter().try_fold(root, |node, key| node.get(key))
}

/// The text with another value at a path of keys. The value must be a text on one line.
fn replaced(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let refused = || EditError::Refused(format!("`{}` has an unusual form", path.join(".")));
    let settings = yaml_settings(text).map_err(|error| EditError::Unreadable(error.reason))?;
    let node = settings
        .as_ref()
        .and_then(|settings| at(settings, path))
        .ok_or_else(refused)?;
    let old = node.scalar().ok_or_else(refused)?;

    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let line = lines
        .get_mut((node.line as usize).saturating_sub(1))
        .ok_or_else(refused)?;
    let start = (node.column as usize).saturating_sub(1);
    let rest = line.get(start..).ok_or_else(refused)?;
    let (length, quoted) = match rest.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let inner = rest.get(1..).and_then(|rest| rest.find(quote));
            let length = inner.ok_or_else(refused)? + 2;
            let plain = value.contains(['\'', '"', '\\']);
            (length, (!plain).then(|| format!("{quote}{value}{quote}")))
        }
        _ if rest.starts_with(old) => (old.len(), block(value)),
        _ => return Err(refused()),
    };
    let quoted = quoted.ok_or_else(refused)?;
    line.replace_range(start..start + length, &quoted);
    let after = lines.concat();
    checked(settings.as_ref(), &after, path, value)?;
    Ok(after)
}

/// Checks that nothing but the value at a path differs.
fn checked(
    before: Option<&Node<'_>>,
    after: &str,
    path: &[&str],
    value: &str,
) -> Result<(), EditError> {
    let refused = || EditError::Refused("it would also change something else".to_owned());
    let after = yaml_settings(after)
        .map_err(|_| refused())?
        .ok_or_else(refused)?;
    let mut others: Vec<(Vec<String>, String)> = Vec::new();
    let mut now: Vec<(Vec<String>, String)> = Vec::new();
    if let Some(before) = before {
        leaves(before, &mut Vec::new(), &mut others);
    }
    leaves(&after, &mut Vec::new(), &mut now);
    others.retain(|(at, _)| at != path);
    let is_set = at(&after, path).and_then(Node::scalar) == Some(value);
    now.retain(|(at, _)| at != path);

    match is_set && others == now {
        true => Ok(()),
        false => Err(refused()),
    }
}

/// The values of a tree by their paths.
fn leaves(node: &Node<'_>, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let items = node.items().iter().enumerate();
    let items = items.map(|(number, item)| (number.to_string(), item));
    let entries = node.entries().iter();
    let entries = entries.map(|(key, value)| (key.name.to_string(), value));
    for (name, inner) in items.chain(entries) {
        path.push(name);
        leaves(inner, path, found);
        path.pop();
    }
    if !node.is_map() && !node.is_list() {
        let text = match &node.value {
            Value::Bool(value) => value.to_string(),
            _ => node.scalar().unwrap_or_default().to_owned(),
        };
        found.push((path.clone(), text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(workspace: &str, manifest: &str) -> Result<(String, String), EditError> {
        let siblings = Siblings::from([
            (format!("a/{WORKSPACE}"), workspace.as_bytes().to_vec()),
            ("a/package.json".to_owned(), manifest.as_bytes().to_vec()),
        ]);
        write_override("a/pnpm-lock.yaml", &siblings, "ms", "2.1.3")
    }

    #[test]
    fn overrides_are_added_where_pnpm_reads_them() {
        let workspace = |text: &str| (format!("a/{WORKSPACE}"), text.to_owned());
        let manifest = |text: &str| ("a/package.json".to_owned(), text.to_owned());
        assert_eq!(
            with("packages:\n  - a", "{}").unwrap(),
            workspace("packages:\n  - a\n\noverrides:\n  ms: 2.1.3\n")
        );
        assert_eq!(
            with("overrides:\n    a: '1' # x\n# y\n", "{}").unwrap(),
            workspace("overrides:\n    a: '1' # x\n    ms: 2.1.3\n# y\n")
        );
        assert_eq!(
            with("overrides:\r\n  ms: \"1\"\r\n", "{}").unwrap(),
            workspace("overrides:\r\n  ms: \"2.1.3\"\r\n")
        );
        assert_eq!(
            with("", r#"{ "packageManager": "pnpm@9.15.0" }"#).unwrap(),
            manifest(
                r#"{ "packageManager": "pnpm@9.15.0", "pnpm": { "overrides": { "ms": "2.1.3" } } }"#
            )
        );
        assert_eq!(
            with("", r#"{ "packageManager": "pnpm@12.1.0", "pnpm": {} }"#).unwrap(),
            workspace("overrides:\n  ms: 2.1.3\n")
        );
        for workspace in [
            "overrides: { a: 1.0.0 }",
            "overrides:\n  x>ms: 1.0.0\n",
            "overrides:\n  ms@1: 1.0.0\n",
            "overrides:\n  ms: $ms\n",
            "overrides: [",
        ] {
            assert!(with(workspace, "{}").is_err(), "{workspace}");
        }
    }

    #[test]
    fn an_override_is_about_the_last_package() {
        for (pattern, name) in [
            ("a", "a"),
            ("a@1", "a"),
            ("@s/a@>=1 <2", "@s/a"),
            ("b@>1>a", "a"),
            ("b>@s/a@^1", "@s/a"),
        ] {
            assert_eq!(about(pattern), name, "{pattern}");
        }
    }

    #[test]
    fn a_requirement_of_a_catalog_is_raised() {
        let change = RequirementEdit {
            name: "ms".to_owned(),
            from: "^2.0.0".to_owned(),
            to: "^2.1.3".to_owned(),
        };
        assert_eq!(
            edit("catalog:\n  ms: ^2.0.0 # why\n  a: 1\n", &change).unwrap(),
            "catalog:\n  ms: ^2.1.3 # why\n  a: 1\n"
        );
        assert_eq!(
            edit("catalogs: { old: { 'ms': '^2.0.0', a: 1 } }", &change).unwrap(),
            "catalogs: { old: { 'ms': '^2.1.3', a: 1 } }"
        );
        for text in [
            "",
            "catalog:\n  ms: ^1\n",
            "catalog: { ms: ^2.0.0 }\ncatalogs: { old: { ms: ^2.0.0 } }",
        ] {
            assert!(edit(text, &change).is_err(), "{text}");
        }
    }
}
