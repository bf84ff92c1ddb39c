//! Reader of `cabal.project.freeze`
//! (<https://cabal.readthedocs.io/en/stable/cabal-commands.html#cabal-freeze>): a project file with
//! a constraint for each package of the build.

use std::collections::HashSet;

use patchgate_model::{DependencyKind, FormatId, Lockfile, Package, Scope, Unresolved};

use super::version;
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a freeze file.
///
/// The file is truncated if it ends with a comma. If it ends within its constraints without a line
/// break, the last one may be cut. It is left out, since `==2.1` may have been `==2.1.2`.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut reader = Reader {
        lockfile: Lockfile {
            path: input.path.to_owned(),
            ecosystem: super::NAME,
            format: FormatId::new("cabal-freeze"),
            ..Lockfile::default()
        },
        seen: HashSet::new(),
        skipped: SkippedEntries::default(),
    };

    let is_open = !text.trim_end_matches([' ', '\t']).ends_with('\n');
    let last_line = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    let mut is_marked = false;
    let mut has_constraints = false;
    let mut in_constraints = false;
    let mut has_index_state = false;
    let mut last = (1, "");
    for (number, line) in (1_u32..).zip(text.lines()) {
        let content = line.trim();
        if content.is_empty() || content.starts_with("--") {
            continue;
        }

        let mut value = content;
        if !line.starts_with([' ', '\t']) {
            let (field, rest) = content.split_once(':').unwrap_or((content, ""));
            in_constraints = field.trim_end().eq_ignore_ascii_case("constraints");
            has_constraints |= in_constraints;
            has_index_state |= field.trim_end().eq_ignore_ascii_case("index-state");
            if !in_constraints {
                reader.not_after_a_comma(last)?;
            }
            value = rest.trim();
        }

        last = (number, "");
        if in_constraints {
            last.1 = value;
            for item in value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
            {
                if is_open && number == last_line && value.ends_with(item) {
                    salvage::lacks_line_break(&mut reader.skipped, number);
                    is_marked = true;
                    continue;
                }
                let Err(error) = reader.constraint(item, number) else {
                    continue;
                };
                // A constraint without a comma behind it that cannot be read may be truncated.
                if reader.lockfile.packages.len() >= limits::MAX_PACKAGES
                    || (!value.ends_with(',') && value.ends_with(item))
                {
                    return Err(error);
                }
                reader.skipped.package(number, error.reason);
            }
        }
    }

    reader.not_after_a_comma(last)?;
    // cabal writes the state of the package index last, also for a project without dependencies.
    if !has_constraints && !has_index_state {
        return Err(ParseError::new(
            "is not a cabal freeze file: it has neither `constraints` nor `index-state`",
        ));
    }

    if in_constraints && is_open && !is_marked {
        return Err(truncated().at_line(last.0 as usize));
    }

    // A package with an exact version needs none of its other constraints.
    let mut lockfile = reader.lockfile;
    let locked: HashSet<&str> = lockfile
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    lockfile
        .unresolved
        .retain(|open| !locked.contains(open.name.as_str()));

    salvage::finish(lockfile, reader.skipped)
}

fn truncated() -> ParseError {
    ParseError::new("is truncated: its constraints are not terminated")
        .with_hint("run `cabal freeze`")
}

/// A lockfile under construction.
struct Reader {
    lockfile: Lockfile,
    seen: HashSet<(String, String)>,
    skipped: SkippedEntries,
}

impl Reader {
    fn not_after_a_comma(&self, (line, value): (u32, &str)) -> Result<(), ParseError> {
        if value.ends_with(',') {
            return Err(truncated().at_line(line as usize));
        }
        Ok(())
    }

    /// Adds a constraint: `any.name ==1.2`, `name +flag -flag`, `any.name installed`.
    fn constraint(&mut self, item: &str, line: u32) -> Result<(), ParseError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        let end = item.find(|c| !is_name(c)).unwrap_or(item.len());
        let (qualified, rest) = item.split_at(end);
        let (name, of_setup) = unqualified(qualified);
        let rest = rest.trim();
        if name.is_empty() || rest.is_empty() {
            let short: String = item.chars().take(60).collect();
            let reason = format!("has `{short}` where a constraint is expected");
            return Err(ParseError::new(reason).at_line(line as usize));
        }

        let flags = rest
            .split_whitespace()
            .all(|word| word.starts_with(['+', '-']));
        if flags || matches!(rest, "source" | "test" | "bench") {
            return Ok(());
        }

        let kind = if of_setup {
            DependencyKind::Build
        } else {
            DependencyKind::Runtime
        };
        match exact(rest) {
            Some(versions) => {
                for version in versions {
                    self.package(name, version, kind.into(), line)?;
                }
            }
            None => self.lockfile.unresolved.push(Unresolved {
                ecosystem: crate::hackage::NAME,
                name: name.to_owned(),
                requirement: rest.to_owned(),
                kind,
                line,
            }),
        }

        Ok(())
    }

    fn package(
        &mut self,
        name: &str,
        version: &str,
        scope: Scope,
        line: u32,
    ) -> Result<(), ParseError> {
        if !self.seen.insert((name.to_owned(), version.to_owned())) {
            return Ok(());
        }
        if self.lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("contains too many packages").at_line(line as usize));
        }

        self.lockfile.packages.push(Package {
            line,
            scope,
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
        Ok(())
    }
}

/// The name without its qualifier (`any.`, `setup.`, `other:setup.`), and whether the qualifier
/// refers to the `Setup.hs` of a package
/// (<https://cabal.readthedocs.io/en/stable/cabal-project-description-file.html#cfg-field-constraints>).
fn unqualified(name: &str) -> (&str, bool) {
    if let Some((_, inner)) = name.split_once(":setup.") {
        return (inner, true);
    }
    match (name.strip_prefix("setup."), name.strip_prefix("any.")) {
        (Some(inner), _) => (inner, true),
        (None, Some(inner)) => (inner, false),
        (None, None) => (name, false),
    }
}

/// The versions of a range like `==1.2 || ==1.3`; `None` for any other range.
fn exact(range: &str) -> Option<Vec<&str>> {
    range
        .split("||")
        .map(|one| {
            let version = one.trim().strip_prefix("==")?.trim();
            version::parse(version).map(|_| version)
        })
        .collect()
}
