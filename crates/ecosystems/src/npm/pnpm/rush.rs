//! Lockfiles of Rush (<https://rushjs.io/pages/maintainer/package_managers/>). Rush commits them
//! below `common/config` and installs in `common/temp`, from where they name the projects.

use std::collections::BTreeMap;

use patchgate_model::{Package, Root};

use crate::npm::lockfile::joined;
use crate::syntax::{Node, jsonc};
use crate::{Input, limits};

/// Rush's list of projects, at the root of the repository.
pub(in crate::npm) const PROJECTS: &str = "rush.json";

/// Scope of the package that represents a project in a lockfile without workspaces.
const STAND_IN: &str = "@rush-temp/";

/// The directory of the repository with `common/`, and the path in it where pnpm uses the
/// lockfile; `None` for a lockfile of any other repository.
fn located(path: &str) -> Option<(&str, String)> {
    let split = |directory: &str| {
        let at = path.find(directory)?;
        let before = path.get(..at)?;
        let is_whole = before.is_empty() || before.ends_with('/');
        is_whole.then_some((before, path.get(at + directory.len()..)?))
    };
    if let Some((root, file)) = split("common/config/rush/") {
        return Some((root, format!("{root}common/temp/{file}")));
    }
    let (root, file) = split("common/config/subspaces/")?;
    Some((root, format!("{root}common/temp/{file}")))
}

/// The path from which a lockfile names its projects.
pub(super) fn path_of_use(path: &str) -> Option<String> {
    located(path).map(|(_, path)| path)
}

/// The projects of a lockfile without workspaces: in it, each is a package `@rush-temp/name` with
/// the project's dependencies. `rush.json` says which directory has the name.
pub(super) fn projects(input: &Input<'_>, packages: &[Package]) -> Vec<Root> {
    let Some((root, _)) = located(input.path) else {
        return Vec::new();
    };
    let Some(bytes) = input.sibling(&format!("{root}{PROJECTS}")) else {
        return Vec::new();
    };

    let directories = directories(bytes).unwrap_or_default();
    packages
        .iter()
        .filter_map(|package| {
            let name = package.name.strip_prefix(STAND_IN)?;
            let (name, directory) = directories.get(name)?;
            let manifest = joined(root, directory, "package.json")?;
            input.sibling(&manifest)?;
            Some(Root {
                name: name.clone(),
                manifest: Some(manifest),
                edges: package.edges.clone(),
            })
        })
        .collect()
}

/// The name and the directory of each project, by the name without its scope. A second project with
/// the same name gets a number, in the order of the list. `None` for a file that is no list of
/// projects: then the manifests of the projects count as unlocked.
fn directories(bytes: &[u8]) -> Option<BTreeMap<String, (String, String)>> {
    let siblings = BTreeMap::new();
    let input = Input {
        path: PROJECTS,
        bytes,
        siblings: &siblings,
    };
    let document = jsonc(input.text().ok()?).ok()?;
    let mut directories = BTreeMap::new();
    for project in document
        .get("projects")?
        .items()
        .iter()
        .take(limits::MAX_PACKAGES)
    {
        let text = |name: &str| project.get(name).and_then(Node::text);
        let (Some(name), Some(directory)) = (text("packageName"), text("projectFolder")) else {
            continue;
        };

        let plain = name.rsplit('/').next().unwrap_or(name);
        let free = std::iter::once(plain.to_owned())
            .chain((2..1_000).map(|number| format!("{plain}-{number}")))
            .find(|name| !directories.contains_key(name))?;
        directories.insert(free, (name.to_owned(), directory.to_owned()));
    }

    Some(directories)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    /// The manifests of the projects that a lockfile locks, with their direct dependencies.
    fn locked(path: &str, text: &str, others: &[(&str, &str)]) -> Vec<String> {
        let siblings: Siblings = others
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let lockfile = super::super::parse(&Input {
            path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        })
        .unwrap();
        assert_eq!(lockfile.path, path);
        let line = |root: &Root| {
            let names: Vec<&str> = root.edges.iter().map(|edge| edge.name.as_str()).collect();
            let manifest = root.manifest.as_deref()?;
            Some(format!("{manifest} {}", names.join(" ")))
        };
        lockfile.roots.iter().filter_map(line).collect()
    }

    const MANIFEST: &str = r#"{ "name": "app", "dependencies": { "a": "^1.0.0" } }"#;

    fn workspace(directory: &str) -> String {
        format!(
            "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {{}}\n\n  {directory}:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0\n\npackages:\n\n  a@1.0.0:\n    resolution: {{integrity: sha512-AAAA}}\n\nsnapshots:\n\n  a@1.0.0: {{}}\n"
        )
    }

    #[test]
    fn projects_are_named_from_the_directory_of_installation() {
        for (path, directory) in [
            ("common/config/rush/pnpm-lock.yaml", "../../apps/app"),
            (
                "common/config/subspaces/x/pnpm-lock.yaml",
                "../../../apps/app",
            ),
        ] {
            let found = locked(
                path,
                &workspace(directory),
                &[("apps/app/package.json", MANIFEST)],
            );
            assert_eq!(found, ["apps/app/package.json a"], "{path}");

            let path = format!("js/{path}");
            let manifest = [("js/apps/app/package.json", MANIFEST)];
            let found = locked(&path, &workspace(directory), &manifest);
            assert_eq!(found, ["js/apps/app/package.json a"], "{path}");
        }
    }

    #[test]
    fn other_directories_are_as_they_are() {
        let text = workspace("../../apps/app");
        let found = locked(
            "x/uncommon/config/rush/pnpm-lock.yaml",
            &text,
            &[("apps/app/package.json", MANIFEST)],
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn without_workspaces_a_package_stands_for_a_project() {
        let text = "lockfileVersion: 5.3\n\nspecifiers:\n  '@rush-temp/app': file:./projects/app.tgz\n  '@rush-temp/app-2': file:./projects/app-2.tgz\n\ndependencies:\n  '@rush-temp/app': file:projects/app.tgz\n  '@rush-temp/app-2': file:projects/app-2.tgz\n\npackages:\n\n  /a/1.0.0:\n    resolution: {integrity: sha512-AAAA}\n    dev: false\n\n  file:projects/app-2.tgz:\n    resolution: {integrity: sha512-AAAA, tarball: file:projects/app-2.tgz}\n    name: '@rush-temp/app-2'\n    version: 0.0.0\n    dev: false\n\n  file:projects/app.tgz:\n    resolution: {integrity: sha512-AAAA, tarball: file:projects/app.tgz}\n    name: '@rush-temp/app'\n    version: 0.0.0\n    dependencies:\n      a: 1.0.0\n    dev: false\n";
        let rush = "{\n  // comment\n  \"projects\": [\n    { \"packageName\": \"@s/app\", \"projectFolder\": \"apps/app\" }, /* another */\n    { \"packageName\": \"@t/app\", \"projectFolder\": \"apps/other\" },\n    { \"packageName\": \"absent\", \"projectFolder\": \"../../../etc\" },\n  ],\n}\n";
        let path = "common/config/rush/pnpm-lock.yaml";
        let manifests = [
            ("apps/app/package.json", MANIFEST),
            ("apps/other/package.json", MANIFEST),
        ];
        assert!(locked(path, text, &manifests).is_empty());

        let [app, other] = manifests;
        let found = locked(path, text, &[app, other, (PROJECTS, rush)]);
        assert_eq!(
            found,
            ["apps/other/package.json ", "apps/app/package.json a"]
        );
    }
}
