//! The requirements of a `Cargo.toml` that has no lockfile.

use patchgate_model::{DependencyKind, Unresolved};

use super::manifest::{DEPENDENCY_TABLES, directory, manifest_in};
use crate::syntax::join;
use crate::syntax::{self, Node};
use crate::{Input, ParseError};

/// The requirement of a dependency whose workspace does not state it.
const INHERITED: &str = "workspace = true";

/// Largest manifest of a workspace that is read, in bytes. It is read again for each member.
const MAX_ROOT_BYTES: usize = 256 * 1024;

/// The dependencies of a manifest, except for path dependencies. One that is inherited has the
/// package and the requirement of the workspace, or the text `workspace = true` if the workspace is
/// not in the repository.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let root = syntax::toml(input.text()?)?;
    let workspace = workspace(input, &root);
    let shared = workspace
        .as_ref()
        .unwrap_or(&root)
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    let targets = root.get("target").map(Node::entries).unwrap_or_default();

    let mut unresolved = Vec::new();
    for table in std::iter::once(&root).chain(targets.iter().map(|(_, target)| target)) {
        for (key, kind) in DEPENDENCY_TABLES {
            for (name, value) in table.optional_map(key)? {
                let is_inherited = value.get("workspace").and_then(Node::bool) == Some(true);
                let stated = match is_inherited {
                    true => shared.and_then(|shared| shared.get(&name.name)),
                    false => Some(value),
                };
                if stated.is_some_and(|stated| stated.get("path").is_some()) {
                    continue;
                }

                unresolved.push(Unresolved {
                    ecosystem: crate::cargo::NAME,
                    name: stated
                        .and_then(|stated| stated.get("package")?.text())
                        .unwrap_or(&name.name)
                        .to_owned(),
                    requirement: stated.map_or(INHERITED, requirement).to_owned(),
                    kind: match value.get("optional").and_then(Node::bool) {
                        Some(true) if kind == DependencyKind::Runtime => DependencyKind::Optional,
                        _ => kind,
                    },
                    line: name.line,
                });
            }
        }
    }

    Ok(unresolved)
}

/// The requirement of a dependency: the text itself, its `version`, or the address of its
/// repository.
fn requirement<'t>(value: &'t Node<'_>) -> &'t str {
    ["version", "git"]
        .iter()
        .find_map(|key| value.get(key)?.text())
        .or(value.text())
        .unwrap_or_default()
}

/// The manifest of the workspace that a package belongs to: the one that it names, or the nearest
/// above it. `None` if the manifest has a workspace itself, or if there is none.
fn workspace<'i>(input: &Input<'i>, manifest: &Node<'_>) -> Option<Node<'i>> {
    if manifest.get("workspace").is_some() {
        return None;
    }

    let named = manifest
        .get("package")
        .and_then(|package| package.get("workspace")?.text());
    let own = directory(input.path);
    if let Some(named) = named {
        return root_in(input, &join(own, named)?);
    }
    let mut above = own;
    while !above.is_empty() {
        above = directory(above);
        if let Some(root) = root_in(input, above) {
            return Some(root);
        }
    }
    None
}

/// The manifest in a directory, if it has a workspace.
fn root_in<'i>(input: &Input<'i>, directory: &str) -> Option<Node<'i>> {
    let path = manifest_in(directory);
    let bytes = input.siblings.get(&path)?;
    if bytes.len() > MAX_ROOT_BYTES {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let root = syntax::toml(text).ok()?;
    root.get("workspace").is_some().then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    fn read(path: &str, text: &str, others: &[(&str, &str)]) -> Vec<String> {
        let siblings: Siblings = others
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let input = Input {
            path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        unresolved(&input)
            .unwrap()
            .iter()
            .map(|one| format!("{} {} `{}`", one.line, one.name, one.requirement))
            .collect()
    }

    const MEMBER: &str = "[dependencies]\na.workspace = true\nb = { workspace = true }\n\
                          c = { package = \"real-c\", version = \"1\" }\nd.workspace = true\n\
                          own.workspace = true\n";
    const ROOT: &str = "[workspace.dependencies]\na = \"1.2\"\n\
                        b = { package = \"real-b\", version = \"0.3\" }\n\
                        own = { path = \"own\" }\n";

    #[test]
    fn inherited_requirements_come_from_the_workspace() {
        let expected = [
            "2 a `1.2`",
            "3 real-b `0.3`",
            "4 real-c `1`",
            "5 d `workspace = true`",
        ];
        let others = [("Cargo.toml", ROOT), ("crates/Cargo.toml", "[package]\n")];
        assert_eq!(read("crates/m/Cargo.toml", MEMBER, &others), expected);

        let named = format!("{MEMBER}[package]\nworkspace = \"../root\"\n");
        assert_eq!(
            read("m/Cargo.toml", &named, &[("root/Cargo.toml", ROOT)]),
            expected
        );

        let own = format!("{MEMBER}{ROOT}");
        assert_eq!(read("Cargo.toml", &own, &[]), expected);
    }

    #[test]
    fn a_requirement_without_its_workspace_is_not_decided() {
        use crate::Ecosystem as _;

        let alone = read("m/Cargo.toml", MEMBER, &[]);
        assert_eq!(alone[0], "2 a `workspace = true`");
        assert!(crate::cargo::Cargo.admitted_versions(INHERITED).is_err());
    }
}
