//! `DESCRIPTION`, the manifest of an R package ("Writing R Extensions", section 1.1.1, "The
//! DESCRIPTION file"): fields whose later lines begin with a space.

use patchgate_model::{DependencyKind, Unresolved};

use crate::ParseError;

/// The fields that ask for packages.
const FIELDS: [(&str, DependencyKind); 4] = [
    ("Depends", DependencyKind::Runtime),
    ("Imports", DependencyKind::Runtime),
    ("LinkingTo", DependencyKind::Build),
    ("Suggests", DependencyKind::Optional),
];

/// R itself and what comes with it, version and all.
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

/// Whether a package is a part of R and so in no lockfile.
pub(super) fn comes_with_r(name: &str) -> bool {
    WITH_R.contains(&name)
}

/// The kind of dependency that a field names.
pub(super) fn kind_of(field: &str) -> Option<DependencyKind> {
    let known = FIELDS.iter().find(|(name, _)| *name == field);
    known.map(|(_, kind)| *kind)
}

/// What the file asks for. A file of this name that describes no R package asks for nothing.
pub(super) fn requirements(text: &str) -> Result<Vec<Unresolved>, ParseError> {
    if !text
        .lines()
        .any(|line| line.starts_with("Package:") || line.starts_with("Type:"))
    {
        return Ok(Vec::new());
    }

    let mut asked = Vec::new();
    let mut kind = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let continues = line.starts_with([' ', '\t']);
        let value = if continues || line.trim().is_empty() {
            line
        } else {
            let (field, value) = line.split_once(':').ok_or_else(|| {
                ParseError::new("is not a DESCRIPTION: a line has no field")
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
            asked.push(Unresolved {
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: number,
            });
        }
    }

    Ok(asked)
}

/// Name and requirement of `name (>= 1.0)`; `None` for what comes with R, and for nothing.
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
