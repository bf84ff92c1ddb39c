//! Reader of `vendor/composer/installed.json`, Composer's record of the installed packages: a list
//! (Composer 1), or a map with that list and the names of the development packages (Composer 2).

use std::collections::HashSet;

use patchgate_model::{FormatId, Lockfile, Scope};

use super::manifest;
use super::package::Packages;
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, scope};

/// Reads the list, together with the `composer.json` of its project.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let (format, entries) = match document.get("packages") {
        Some(list) if list.is_list() => ("composer-installed-v2", list.items()),
        None if document.is_list() => ("composer-installed-v1", document.items()),
        _ => {
            return Err(ParseError::new(
                "is not Composer's list of installed packages: it lacks `packages`",
            ));
        }
    };

    let mut development = HashSet::new();
    for name in document.optional_list("dev-package-names")? {
        let text = name.text();
        development.insert(text.ok_or_else(|| name.unexpected("dev-package-names", "texts"))?);
    }

    let mut packages = Packages::new(input, FormatId::new(format));
    packages.skipped = skipped;
    for entry in entries {
        let scope = match entry.get("name").and_then(Node::text) {
            Some(name) if development.contains(name) => Scope::Development,
            _ => Scope::Runtime,
        };
        packages.add(entry, scope)?;
    }

    packages.link()?;
    // `vendor/composer/installed.json` is two directories below the project.
    let project = input
        .path
        .strip_suffix("composer/installed.json")
        .and_then(|vendor| vendor.strip_suffix('/'))
        .map(|vendor| vendor.rsplit_once('/').map_or("", |(parent, _)| parent));
    if let Some(directory) = project {
        let path = match directory {
            "" => "composer.json".to_owned(),
            directory => format!("{directory}/composer.json"),
        };
        let root = manifest::root(input, &path, &packages);
        packages.lockfile.roots.extend(root);
    }
    // Composer 1 does not mark development packages, so their scope follows from the manifest.
    if format == "composer-installed-v1" {
        scope::from_roots(&mut packages.lockfile);
    }

    packages.finish()
}
