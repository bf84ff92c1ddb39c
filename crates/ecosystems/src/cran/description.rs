//! Reader of `DESCRIPTION`, the manifest of an R package ("Writing R Extensions", section 1.1.1,
//! "The DESCRIPTION file"): fields whose continuation lines begin with a space.

use std::collections::HashMap;

use patchgate_model::{DependencyKind, Unresolved, without_credentials};

use crate::ParseError;

/// Fields that contain requirements, with their kind.
const FIELDS: [(&str, DependencyKind); 4] = [
    ("Depends", DependencyKind::Runtime),
    ("Imports", DependencyKind::Runtime),
    ("LinkingTo", DependencyKind::Build),
    ("Suggests", DependencyKind::Optional),
];

/// Field with the repositories of packages, by the convention of the package remotes
/// (<https://remotes.r-lib.org/articles/dependencies.html>).
const REMOTES: &str = "Remotes";

/// R itself, and the packages that are part of it and have its version.
const WITH_R: [&str; 15] = [
    "R",
    "base",
    "compiler",
    "datasets",
    "grDevices",
    "graphics",
    "grid",
    "methods",
    "parallel",
    "splines",
    "stats",
    "stats4",
    "tcltk",
    "tools",
    "utils",
];

/// Whether a package is part of R, and therefore in no lockfile.
pub(super) fn comes_with_r(name: &str) -> bool {
    WITH_R.contains(&name)
}

/// The kind of the dependencies in a field; `None` for other fields.
pub(super) fn kind_of(field: &str) -> Option<DependencyKind> {
    let known = FIELDS.iter().find(|(name, _)| *name == field);
    known.map(|(_, kind)| *kind)
}

/// The requirements of a manifest. A file of this name that does not describe an R package has
/// none.
pub(super) fn requirements(text: &str) -> Result<Vec<Unresolved>, ParseError> {
    if !text
        .lines()
        .any(|line| line.starts_with("Package:") || line.starts_with("Type:"))
    {
        return Ok(Vec::new());
    }

    let mut requirements = Vec::new();
    let mut remotes = HashMap::new();
    let mut kind = None;
    let mut in_remotes = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let continues = line.starts_with([' ', '\t']);
        let value = if continues || line.trim().is_empty() {
            line
        } else {
            let (field, value) = line.split_once(':').ok_or_else(|| {
                ParseError::new("is not a DESCRIPTION file: a line belongs to no field")
                    .at_line(number as usize)
            })?;
            kind = kind_of(field);
            in_remotes = field == REMOTES;
            value
        };

        if in_remotes {
            remotes.extend(value.split(',').filter_map(remote));
        }
        let Some(kind) = kind else { continue };

        for item in value.split(',') {
            let Some((name, requirement)) = item_of(item) else {
                continue;
            };
            requirements.push(Unresolved {
                ecosystem: crate::cran::NAME,
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: number,
            });
        }
    }

    // The version of a repository is unknown, whatever the requirement next to it says.
    for required in &mut requirements {
        if let Some(address) = remotes.get(required.name.as_str()) {
            required.requirement = format!("remote:{}", without_credentials(address));
        }
    }

    Ok(requirements)
}

/// An item of `Remotes`, such as `github::owner/name@ref`: the package, which is named first
/// (`name=owner/repository`) or named after the repository, and the item.
fn remote(item: &str) -> Option<(&str, &str)> {
    let item = item.trim();
    if let Some((name, _)) = item.split_once('=')
        && !name.contains(['/', ':'])
    {
        return Some((name.trim(), item));
    }

    // An address may have an `@` before its host, and a reference may have a `/`.
    let name = match item.contains("://") {
        true => item.rsplit('/').next()?.split(['@', '#']).next()?,
        false => item.split(['@', '#']).next()?.rsplit(['/', ':']).next()?,
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!name.is_empty()).then_some((name, item))
}

/// Splits `name (>= 1.0)` into name and requirement; `None` for an empty item and for parts of R.
pub(super) fn item_of(item: &str) -> Option<(&str, &str)> {
    let item = item.trim();
    let (name, requirement) = item.split_once('(').unwrap_or((item, ""));
    let (name, requirement) = (name.trim(), requirement.trim_end_matches(')').trim());
    (!name.is_empty() && !comes_with_r(name)).then_some((name, requirement))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_on_over_lines() {
        let text = "Package: app\nVersion: 0.1\nDepends: R (>= 4.1)\nImports:\n    cli (>= 3.0),\n    R6,\n    utils\nSuggests: testthat (>= 3.0.0), knitr\nURL: a, b\n";
        let read: Vec<String> = requirements(text)
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {} `{}` {:?}",
                    one.line, one.name, one.requirement, one.kind
                )
            })
            .collect();

        assert_eq!(
            read,
            [
                "5 cli `>= 3.0` Runtime",
                "6 R6 `` Runtime",
                "8 testthat `>= 3.0.0` Optional",
                "8 knitr `` Optional"
            ]
        );
    }

    #[test]
    fn a_package_of_a_repository_names_no_versions() {
        let text = "Package: app\nImports: cli (>= 3.0), R6, rlang\nRemotes: r-lib/cli@main,\n    own=gitlab::a/b,\n    git::https://u:p@h.invalid/x/R6.git\n";
        let read = requirements(text).unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|one| (one.name.as_str(), one.requirement.as_str()))
            .collect();

        assert_eq!(
            read,
            [
                ("cli", "remote:r-lib/cli@main"),
                ("R6", "remote:git::https://h.invalid/x/R6.git"),
                ("rlang", "")
            ]
        );
        assert_eq!(remote("own=gitlab::a/b"), Some(("own", "own=gitlab::a/b")));
    }

    #[test]
    fn other_files_of_this_name_ask_for_nothing() {
        assert_eq!(requirements("A plain text.\nImports: x\n").unwrap(), []);
        let broken = requirements("Package: a\nbroken\n").unwrap_err();
        assert_eq!(broken.line, Some(2));
    }
}
