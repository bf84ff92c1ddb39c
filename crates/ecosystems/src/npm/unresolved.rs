//! The requirements of a `package.json` that has no lockfile.

use patchgate_model::{DependencyKind, Unresolved};

use super::requirement::target;
use crate::syntax::{self, Key, Node};
use crate::{Input, ParseError};

/// Files with the catalogs of a workspace: those of pnpm (<https://pnpm.io/catalogs>), yarn
/// (<https://yarnpkg.com/features/catalogs>) and bun (<https://bun.com/docs/pm/catalogs>).
const CATALOG_FILES: [&str; 3] = ["pnpm-workspace.yaml", ".yarnrc.yml", "package.json"];

/// Largest file that is read for its catalogs, in bytes. It is read again for each manifest.
const MAX_CATALOG_BYTES: usize = 256 * 1024;

/// Start of a requirement that refers to a catalog. The catalog's name follows, or nothing for the
/// default one.
const CATALOG: &str = "catalog:";

/// The dependencies of a manifest, except for those inside the repository. Peer dependencies are
/// left out: they are packages that it works with, not packages that it installs.
///
/// A dependency under another name has its registry's name. A reference to a catalog is replaced by
/// the catalog's requirement, if a workspace file has it.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let root = syntax::json(input.text()?)?;
    if !root.is_map() {
        return Err(ParseError::new(format!(
            "is not a manifest of npm: it is {}",
            root.describe()
        )));
    }
    let mut catalogs: Option<Vec<Node<'_>>> = None;
    let mut unresolved = Vec::new();
    for (section, kind) in [
        ("dependencies", DependencyKind::Runtime),
        ("devDependencies", DependencyKind::Development),
        ("optionalDependencies", DependencyKind::Optional),
    ] {
        for (name, value) in root.optional_map(section)? {
            let written = value.text().unwrap_or_default();
            let requirement = match written.strip_prefix(CATALOG) {
                Some(catalog) => catalogs
                    .get_or_insert_with(|| catalog_files(input))
                    .iter()
                    .find_map(|file| entry(file, catalog.trim(), &name.name))
                    .unwrap_or(written),
                None => written,
            };
            if is_inside(requirement) {
                continue;
            }

            let (package, requirement) = target(&name.name, requirement);
            unresolved.push(Unresolved {
                ecosystem: crate::npm::NAME,
                name: package.to_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: name.line,
            });
        }
    }

    for (key, value) in overrides(&root)? {
        let (package, requirement) =
            target(overridden(&key.name), value.text().unwrap_or_default());
        unresolved.push(Unresolved {
            ecosystem: crate::npm::NAME,
            name: package.to_owned(),
            requirement: requirement.to_owned(),
            kind: DependencyKind::Runtime,
            line: key.line,
        });
    }

    Ok(unresolved)
}

/// Whether a requirement names a package in the repository.
fn is_inside(requirement: &str) -> bool {
    ["workspace:", "file:", "link:", "portal:"]
        .iter()
        .any(|start| requirement.starts_with(start))
}

/// The entries that replace requirements, also those of dependencies: npm's `overrides`
/// (<https://docs.npmjs.com/cli/configuring-npm/package-json#overrides>), pnpm's
/// (<https://pnpm.io/settings#overrides>) and yarn's `resolutions`
/// (<https://yarnpkg.com/configuration/manifest#resolutions>). References to another requirement
/// (`$name`), removals (`-`) and packages in the repository are left out.
///
/// They are added to the requirements that they replace, because which manager installs the project,
/// and whether the file is the root of a workspace, is unknown.
fn overrides<'n, 't>(root: &'n Node<'t>) -> Result<Vec<(&'n Key<'t>, &'n Node<'t>)>, ParseError> {
    let mut next: Vec<&[(Key<'t>, Node<'t>)]> = vec![
        root.optional_map("resolutions")?,
        root.optional_map("overrides")?,
    ];
    if let Some(pnpm) = root.get("pnpm") {
        next.push(pnpm.optional_map("overrides")?);
    }

    let mut overrides = Vec::new();
    while let Some(entries) = next.pop() {
        for (key, value) in entries {
            // npm nests the overrides below a package, and its own requirement is under `.`.
            next.push(value.entries());
            let own = value.get(".").unwrap_or(value);
            let replaces = own
                .text()
                .is_some_and(|text| !text.starts_with('$') && text != "-" && !is_inside(text));
            if replaces && &*key.name != "." {
                overrides.push((key, own));
            }
        }
    }
    Ok(overrides)
}

/// The package that the key of an override names: `b` of `a/b`, `**/b`, `a>b`, `b@^1` and
/// `b@npm:^1`.
fn overridden(key: &str) -> &str {
    // A `>` after one of these belongs to a version: `b@>=1`.
    let is_version = |at: usize| {
        key.get(..at)
            .is_some_and(|before| before.ends_with([' ', '|', '@']))
    };
    let start = key
        .rmatch_indices('>')
        .find(|(at, _)| !is_version(*at))
        .map_or(0, |(at, _)| at + 1);
    let last = key.get(start..).unwrap_or(key).trim();

    // A scope begins with `@` too.
    let is_scope =
        |at: usize| at == 0 || last.get(..at).is_some_and(|before| before.ends_with('/'));
    let version = last
        .match_indices('@')
        .find(|(at, _)| !is_scope(*at))
        .map_or(last.len(), |(at, _)| at);
    let path = last.get(..version).unwrap_or(last);
    let Some((before, name)) = path.rsplit_once('/') else {
        return path;
    };
    let scope = before.rsplit('/').next().unwrap_or(before);
    match scope.starts_with('@') {
        true => path
            .get(path.len() - scope.len() - name.len() - 1..)
            .unwrap_or(path),
        false => name,
    }
}

/// The readable files that can have catalogs, from the manifest's directory upwards.
fn catalog_files<'i>(input: &Input<'i>) -> Vec<Node<'i>> {
    let mut files = Vec::new();
    let mut directory = input.path;
    loop {
        let above = directory.rsplit_once('/').map_or("", |(above, _)| above);
        for name in CATALOG_FILES {
            let path = match above {
                "" => name.to_owned(),
                above => format!("{above}/{name}"),
            };
            let text = input
                .siblings
                .get(&path)
                .filter(|bytes| bytes.len() <= MAX_CATALOG_BYTES)
                .and_then(|bytes| std::str::from_utf8(bytes).ok());
            let read = text.and_then(|text| match name {
                "package.json" => syntax::json(text).ok(),
                _ => syntax::yaml(text).ok(),
            });
            files.extend(read);
        }

        if above.is_empty() {
            return files;
        }
        directory = above;
    }
}

/// The requirement of a package in a catalog. bun's catalogs can be below `workspaces`.
fn entry<'f>(file: &'f Node<'_>, catalog: &str, name: &str) -> Option<&'f str> {
    let workspaces = file.get("workspaces").filter(|node| node.is_map());
    [Some(file), workspaces]
        .into_iter()
        .flatten()
        .find_map(|parent| {
            let default = parent
                .get("catalog")
                .filter(|_| matches!(catalog, "" | "default"));
            let named = parent.get("catalogs").and_then(|catalogs| {
                catalogs.get(if catalog.is_empty() {
                    "default"
                } else {
                    catalog
                })
            });
            [default, named]
                .into_iter()
                .flatten()
                .find_map(|catalog| catalog.get(name)?.text())
        })
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
            .map(|one| format!("{} `{}`", one.name, one.requirement))
            .collect()
    }

    #[test]
    fn another_kind_of_json_is_refused() {
        let siblings = Siblings::new();
        for text in ["[]", "42", "\"a\""] {
            let input = Input {
                path: "package.json",
                bytes: text.as_bytes(),
                siblings: &siblings,
            };
            let reason = unresolved(&input).unwrap_err().reason;
            assert!(
                reason.starts_with("is not a manifest of npm: it is "),
                "{reason}"
            );
        }
    }

    #[test]
    fn packages_have_the_name_of_the_registry() {
        let text = r#"{ "dependencies": {
            "a": "npm:real@^1", "b": "npm:@s/real@~2", "c": "npm:^3", "d": "npm:real", "e": "^4",
            "f": "workspace:^", "g": "latest", "h": "file:../h"
        } }"#;
        assert_eq!(
            read("package.json", text, &[]),
            [
                "real `^1`",
                "@s/real `~2`",
                "c `^3`",
                "real ``",
                "e `^4`",
                "g `latest`"
            ]
        );
    }

    const MEMBER: &str =
        r#"{ "dependencies": { "a": "catalog:", "b": "catalog:old", "c": "catalog:" } }"#;

    #[test]
    fn catalogs_of_the_workspace_state_the_requirement() {
        let yaml = "catalog:\n  a: ^1.2.0\ncatalogs:\n  old:\n    b: npm:real@^0.3.0\n";
        let bun = r#"{ "workspaces": { "packages": ["p/*"], "catalog": { "a": "^1.2.0" },
                       "catalogs": { "old": { "b": "npm:real@^0.3.0" } } } }"#;
        let expected = ["a `^1.2.0`", "real `^0.3.0`", "c `catalog:`"];
        for (file, content) in [
            ("pnpm-workspace.yaml", yaml),
            (".yarnrc.yml", yaml),
            ("package.json", bun),
        ] {
            let others = [(file, content)];
            assert_eq!(
                read("p/x/package.json", MEMBER, &others),
                expected,
                "{file}"
            );
        }

        let default = "catalogs: { default: { c: ^5 } }\n";
        let others = [("p/pnpm-workspace.yaml", default)];
        assert_eq!(
            read("p/x/package.json", MEMBER, &others),
            ["a `catalog:`", "b `catalog:old`", "c `^5`"]
        );
    }

    #[test]
    fn overrides_are_requirements_too() {
        let text = r#"{ "dependencies": { "a": "^2" },
            "resolutions": { "**/a": "1.0", "x/@s/b@npm:^1": "1.1", "q": "file:../q" },
            "overrides": { "c": { ".": "1.2", "d@^1": "1.3" }, "a": "$a" },
            "pnpm": { "overrides": { "x@1>@s/e": "npm:real@1.4", "f@>=1 <2": "1.5", "g": "-" } } }"#;
        let mut read = read("package.json", text, &[]);
        read.sort();
        assert_eq!(
            read,
            [
                "@s/b `1.1`",
                "a `1.0`",
                "a `^2`",
                "c `1.2`",
                "d `1.3`",
                "f `1.5`",
                "real `1.4`"
            ]
        );
    }

    #[test]
    fn a_catalog_that_is_not_found_is_not_decided() {
        use crate::Ecosystem as _;

        assert!(crate::npm::Npm.admitted_versions("catalog:").is_err());
        assert!(crate::npm::Npm.admitted_versions("catalog:old").is_err());
    }
}
