//! Reader of `paket.dependencies` (<https://fsprojects.github.io/Paket/dependencies-file.html>).

use patchgate_model::{DependencyKind, Unresolved};

use super::check_name;
use crate::{Input, ParseError, limits};

/// Name of the default group, which has no heading.
pub(super) const MAIN: &str = "Main";

/// A package that the file requires.
#[derive(Debug)]
pub(super) struct PaketRequirement {
    pub(super) group: String,
    pub(super) name: String,
    /// As written, without the options after it: `~> 1.2`, `1.2.3`.
    pub(super) requirement: String,
    line: u32,
}

/// The requirements of a file that has no lockfile.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    Ok(requirements(input)?
        .into_iter()
        .map(|requested| Unresolved {
            ecosystem: crate::nuget::NAME,
            name: requested.name,
            // A version alone is exact for Paket, and a lower bound for NuGet.
            requirement: match requested
                .requirement
                .starts_with(|c: char| c.is_ascii_digit())
            {
                true => format!("= {}", requested.requirement),
                false => requested.requirement,
            },
            kind: DependencyKind::Runtime,
            line: requested.line,
        })
        .collect())
}

/// The NuGet packages that the file requires. Entries of other sources are not packages.
pub(super) fn requirements(input: &Input<'_>) -> Result<Vec<PaketRequirement>, ParseError> {
    let mut group = MAIN.to_owned();
    let mut requested = Vec::new();
    for (line, content) in (1u32..).zip(input.text()?.lines()) {
        let Some((word, rest)) = content.trim().split_once([' ', '\t']) else {
            continue;
        };
        let rest = rest.trim();
        match word.to_ascii_lowercase().as_str() {
            "group" => rest.clone_into(&mut group),
            "nuget" | "clitool" => {
                let (name, requirement) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
                check_name(name, line)?;
                requested.push(PaketRequirement {
                    group: group.clone(),
                    name: name.to_owned(),
                    requirement: without_options(requirement).to_owned(),
                    line,
                });
            }
            _ => {}
        }

        if requested.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "asks for more than {} packages",
                limits::MAX_PACKAGES
            )));
        }
    }

    Ok(requested)
}

/// Cuts off the options after a requirement, such as `framework: net8.0`, or a comment.
fn without_options(text: &str) -> &str {
    let mut end = 0;
    for word in text.split(' ') {
        if word.ends_with(':') || word.starts_with("//") || word.starts_with('#') {
            break;
        }
        end += word.len() + 1;
    }
    text.get(..end.min(text.len())).unwrap_or_default().trim()
}
