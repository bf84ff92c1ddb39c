//! Reader of `DESCRIPTION`, the manifest of an R package ("Writing R Extensions", section 1.1.1,
//! "The DESCRIPTION file"): fields whose continuation lines begin with a space.

use patchgate_model::{DependencyKind, Unresolved};

use crate::ParseError;

/// Fields that contain requirements, with their kind.
const FIELDS: [(&str, DependencyKind); 4] = [
    ("Depends", DependencyKind::Runtime),
    ("Imports", DependencyKind::Runtime),
    ("LinkingTo", DependencyKind::Build),
    ("Suggests", DependencyKind::Optional),
];

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
    let mut kind = None;
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
            value
        };

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

    Ok(requirements)
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
    fn other_files_of_this_name_ask_for_nothing() {
        assert_eq!(requirements("A plain text.\nImports: x\n").unwrap(), []);
        let broken = requirements("Package: a\nbroken\n").unwrap_err();
        assert_eq!(broken.line, Some(2));
    }
}
