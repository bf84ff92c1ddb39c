//! The nested tree `dependencies` of npm's lockfiles: all of version 1, and the mirror of `packages`
//! in version 2, which npm 6 reads.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Differences;
use super::flags::FlagsOfGraph;
use super::npm::{FLAGS, Object, changed, flags, has_stronger_hash, is_set, list, object, text};
use super::npm_paths::is_normal;

/// Copies by install path.
type Copies<'a> = BTreeMap<String, &'a Object>;

/// Deepest nesting that is compared. The parser has its own, lower bound on install paths.
const MAX_DEPTH: usize = 200;

/// Compares the trees of two states, and the tree of the new state with its `packages`.
pub(super) fn compare(
    before: &Object,
    now: &Object,
    graph: &FlagsOfGraph<'_>,
    differences: &mut Differences,
) {
    let (Some(old_tree), Some(new_tree)) =
        (object(before, "dependencies"), object(now, "dependencies"))
    else {
        return;
    };
    let none = Map::new();
    let packages = |document| object(document, "packages").unwrap_or(&none);
    let (old, new) = (copies(old_tree), copies(new_tree));

    let has_mirror = now.contains_key("packages");
    for (path, copy) in &new {
        let was = old.get(path);
        if was.is_none() && !is_normal(path) {
            differences.certain(format!("`{path}` is not a path that npm writes"));
        }
        let same_version = was.is_some_and(|was| was.get("version") == copy.get("version"));
        if let Some(was) = was
            && same_version
        {
            let own = has_mirror.then(|| entry(packages(now), path));
            same_copy(path, was, copy, own, graph, differences);
        } else if is_set(copy, "bundled") && !has_new_parent(path, &old, &new) {
            differences.certain(format!(
                "`{path}` is said to be in the archive of a package that does not change"
            ));
        }

        if has_mirror {
            // Old versions of npm wrote trees that do not agree in every field.
            let agreed = was.is_none_or(|was| agrees(was, entry(packages(before), path)));
            if (agreed || !same_version) && !agrees(copy, entry(packages(now), path)) {
                differences.push(
                    format!("`{path}` is not the same in `dependencies` and in `packages`"),
                    agreed,
                );
            }
        }
    }

    if has_mirror {
        let lost = old.keys().filter(|path| {
            !new.contains_key(*path)
                && entry(packages(before), path).is_some()
                && entry(packages(now), path).is_some()
        });
        for path in lost {
            differences.certain(format!(
                "`{path}` is in `packages` and no longer in `dependencies`"
            ));
        }
    }
}

/// A copy whose version does not change. npm's versions differ in how they write `from`, the
/// requirement of a git dependency. Its flags must be those in `packages`, or in version 1
/// follow from the graph.
fn same_copy(
    path: &str,
    was: &Object,
    copy: &Object,
    own: Option<Option<&Object>>,
    graph: &FlagsOfGraph<'_>,
    differences: &mut Differences,
) {
    let (flags_changed, fields): (Vec<&str>, Vec<&str>) = changed(was, copy)
        .into_iter()
        .filter(|key| *key != "dependencies")
        .filter(|key| *key != "requires" || !(requires_nothing(was) && requires_nothing(copy)))
        .partition(|key| FLAGS.contains(key));
    if !fields.is_empty() {
        let text = format!(
            "`{path}` differs in {} in `dependencies`, though its version does not change",
            list(&fields)
        );
        let may_be_honest =
            |key: &&str| *key == "from" || (*key == "integrity" && has_stronger_hash(was, copy));
        differences.push(text, !fields.iter().all(may_be_honest));
    }

    let explained = match own {
        Some(entry) => entry.is_some_and(|entry| flags(entry) == flags(copy)),
        None => graph.explain(path, flags(copy)),
    };
    if !flags_changed.is_empty() && !explained {
        differences.unclear(format!(
            "`{path}` differs in {} in `dependencies`, which does not follow from what depends on it",
            list(&flags_changed)
        ));
    }
}

/// Whether a copy has no requirements. npm's versions differ in whether they write the empty object.
fn requires_nothing(copy: &Object) -> bool {
    copy.get("requires")
        .is_none_or(|requires| requires.as_object().is_some_and(Map::is_empty))
}

/// Whether a copy above a path in the tree is new there, or of another version than before.
fn has_new_parent(path: &str, old: &Copies<'_>, new: &Copies<'_>) -> bool {
    let version = |side: &Copies<'_>, path: &str| {
        let copy = side.get(path);
        copy.and_then(|copy| copy.get("version")).cloned()
    };
    let mut path = path;
    while let Some((above, _)) = path.rsplit_once("/node_modules/") {
        if version(old, above) != version(new, above) {
            return true;
        }
        path = above;
    }

    false
}

/// Whether a copy in the tree is the one in `packages`.
fn agrees(copy: &Object, entry: Option<&Object>) -> bool {
    let Some(entry) = entry else {
        return false;
    };
    let version = text(copy, "version").unwrap_or_default();
    let resolved = text(entry, "resolved");
    let locked = text(entry, "version");

    let same_version = if is_set(entry, "link") {
        version.strip_prefix("file:") == resolved
    } else {
        Some(version) == locked
            || Some(version) == resolved
            || version
                .strip_prefix("npm:")
                .is_some_and(|alias| alias.rsplit_once('@') == text(entry, "name").zip(locked))
    };

    // For git and addresses, `version` is the address.
    let same_address =
        copy.get("resolved").is_none() || copy.get("resolved") == entry.get("resolved");
    same_version
        && same_address
        && copy.get("integrity") == entry.get("integrity")
        && is_set(copy, "bundled") == is_set(entry, "inBundle")
        && requirements_agree(copy, entry)
}

/// Whether each requirement in `requires` is also in the entry in `packages`.
fn requirements_agree(copy: &Object, entry: &Object) -> bool {
    let Some(requires) = object(copy, "requires") else {
        return true;
    };
    requires.iter().all(|(name, requirement)| {
        ["dependencies", "optionalDependencies"]
            .iter()
            .any(|key| object(entry, key).and_then(|names| names.get(name)) == Some(requirement))
    })
}

/// The entry in `packages` for a path in the tree. In `packages`, a copy that is installed below a
/// link has a path below the target of the link.
fn entry<'a>(packages: &'a Object, path: &str) -> Option<&'a Object> {
    let mut at = String::new();
    let mut found = None;
    for name in path.split("node_modules/").skip(1) {
        if !at.is_empty() {
            at.push('/');
        }
        at.push_str("node_modules/");
        at.push_str(name.trim_end_matches('/'));

        let entry = packages.get(&at)?.as_object()?;
        if is_set(entry, "link") {
            text(entry, "resolved")?.clone_into(&mut at);
        }
        found = Some(entry);
    }

    found
}

/// The copies of a tree by install path.
fn copies(tree: &Object) -> Copies<'_> {
    let mut copies = BTreeMap::new();
    let mut queue = vec![(String::new(), tree, 0)];
    while let Some((above, tree, depth)) = queue.pop() {
        for (name, copy) in tree {
            let Some(copy) = copy.as_object() else {
                continue;
            };
            // A name that contains a path must not hide the copy at that path.
            let separator = if name.contains("node_modules/") {
                "//"
            } else {
                "/"
            };
            let path = format!("{above}node_modules{separator}{name}");
            if let Some(below) = copy.get("dependencies").and_then(Value::as_object)
                && depth < MAX_DEPTH
            {
                queue.push((format!("{path}/"), below, depth + 1));
            }
            copies.insert(path, copy);
        }
    }

    copies
}
