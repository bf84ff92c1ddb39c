//! `Cargo.lock`, versions 1 to 4
//! (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>).
//!
//! A truncated file is an error if the cut is inside a string, a list or an entry, or if a
//! dependency has lost its package. Cargo sorts packages, so that a package is lost to a cut only if it
//! belongs after the last one; a missing package that belongs before it was removed by other means,
//! and only the dependency on it is skipped. A cut exactly between two entries cannot be detected
//! when no remaining package depends on a lost one; Cargo accepts such a file too.

mod raw;
mod resolve;
mod scan;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Unresolved,
};

use self::raw::{RawLock, RawPackage};
use self::resolve::{Problem, Resolver};
use super::manifest;
use super::roots;
use crate::{Input, ParseError, SkippedEntries, limits};

const REGENERATE: &str =
    "restore the file from version control or re-create it with `cargo generate-lockfile`";

/// Reads a lockfile, together with the manifests in its directory and below.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut skipped = SkippedEntries::default();
    let mut raw = match scan::scan(text) {
        Some(raw) => raw,
        None => raw::parse(text, &mut skipped)?,
    };
    let root = raw.root.take();
    let first_sorted = usize::from(root.is_some());
    if let Some(root) = root {
        raw.packages.insert(0, root);
    }

    check(text, &raw)?;
    skip_invalid_names(&mut raw, &mut skipped)?;
    let format = format(&raw, &mut skipped);

    // Dependencies become edges.
    let names: String = raw.packages.iter().map(|package| &*package.name).collect();
    let resolver = Resolver::new(&raw, &names, &mut skipped);
    let sorted = raw.packages.get(first_sorted..).unwrap_or_default();
    let mut reader = Reader {
        raw: &raw,
        last_name: sorted.last().map(|package| &*package.name),
        resolver: &resolver,
        skipped,
        unresolved: Vec::new(),
    };
    let packages = raw
        .packages
        .iter()
        .map(|package| reader.locked(package))
        .collect::<Result<Vec<_>, _>>()?;

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        packages,
        unresolved: reader.unresolved,
        ..Lockfile::default()
    };

    lockfile.skipped = reader.skipped.into_entries();
    let workspace = manifest::Workspace::read(input);
    roots::attach(&mut lockfile, workspace.as_ref());

    Ok(lockfile)
}

/// Checks limits and truncation before dependencies are resolved.
fn check(text: &str, raw: &RawLock<'_>) -> Result<(), ParseError> {
    let Some(last) = raw.packages.last() else {
        // Cargo writes such a file for a workspace without members.
        if raw.version.is_some() && text.ends_with('\n') {
            return Ok(());
        }
        return Err(ParseError::new("locks no packages").with_hint(REGENERATE));
    };
    if raw.packages.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new(format!(
            "locks more than {} packages",
            limits::MAX_PACKAGES
        )));
    }

    let edges: usize = raw.packages.iter().map(|p| p.dependencies.len()).sum();
    if edges > limits::MAX_EDGES {
        return Err(ParseError::new(format!(
            "has more than {} dependencies",
            limits::MAX_EDGES
        )));
    }
    if ends_inside(text, raw, last) {
        return Err(ParseError::new("ends in the middle of a package")
            .at_line(last.line)
            .with_hint(REGENERATE));
    }

    Ok(())
}

/// Skips the packages whose names Cargo does not allow.
///
/// # Errors
/// When no package is left.
fn skip_invalid_names(
    raw: &mut RawLock<'_>,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let mut first = None;
    raw.packages.retain(|package| match check_name(package) {
        Ok(()) => true,
        Err(error) => {
            skipped.package(line_of(package), error.reason.clone());
            first.get_or_insert(error);
            false
        }
    });

    match first {
        Some(error) if raw.packages.is_empty() => Err(error),
        _ => Ok(()),
    }
}

fn line_of(package: &RawPackage<'_>) -> u32 {
    u32::try_from(package.line).unwrap_or(u32::MAX)
}

/// Whether the last entry is incomplete. Cargo ends the file with a line end, and writes a checksum
/// either for every registry package or for none, in the entry or in `[metadata]`, which comes last.
fn ends_inside(text: &str, raw: &RawLock<'_>, last: &RawPackage<'_>) -> bool {
    let from_registry = |package: &RawPackage<'_>| {
        package
            .source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    };
    let lacks_checksum = from_registry(last)
        && raw.metadata.is_empty()
        && last.checksum.is_none()
        && raw
            .packages
            .iter()
            .any(|package| package.checksum.is_some());
    let bare = last.source.is_none() && last.dependencies.is_empty() && !text.ends_with('\n');

    lacks_checksum || bare
}

/// Cargo's rule for the characters of a package name, without its rule for the first character
/// (<https://doc.rust-lang.org/cargo/reference/manifest.html#the-name-field>). Names become parts
/// of addresses and paths, so all other characters are refused.
fn check_name(package: &RawPackage<'_>) -> Result<(), ParseError> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().count() <= 256
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    if is_name(&package.name) {
        return Ok(());
    }

    Err(ParseError::new(format!(
        "has a package with the name {:?}, which Cargo does not allow",
        shortened(&package.name)
    ))
    .at_line(package.line))
}

/// At most 120 characters of a text from the file, for a message.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The name of the format. Files of versions 1 and 2 have no version number. Like Cargo, this
/// assumes version 2 if a package entry has a checksum or a dependency omits version and source. A
/// file of a later version is read as far as it has the known form.
fn format(raw: &RawLock<'_>, skipped: &mut SkippedEntries) -> FormatId {
    match raw.version {
        Some(3) => FormatId::new("cargo-lock-v3"),
        Some(4) => FormatId::new("cargo-lock-v4"),
        Some(other) => {
            skipped.package(
                1,
                format!(
                    "has the unknown format version {other}, read as version 4: packages may be missing"
                ),
            );
            FormatId::new("cargo-lock")
        }
        None => {
            let abbreviated = raw.packages.iter().any(|package| {
                package.checksum.is_some()
                    || package.dependencies.iter().any(|name| !name.contains(' '))
            });
            if abbreviated {
                FormatId::new("cargo-lock-v2")
            } else {
                FormatId::new("cargo-lock-v1")
            }
        }
    }
}

/// Converts the entries of a file to packages.
struct Reader<'r, 'a> {
    raw: &'r RawLock<'a>,
    /// Name of the last entry. `[root]` is not one of the sorted entries.
    last_name: Option<&'r str>,
    resolver: &'r Resolver<'r>,
    skipped: SkippedEntries,
    unresolved: Vec<Unresolved>,
}

impl Reader<'_, '_> {
    /// The package of one entry, with an edge for each dependency.
    fn locked(&mut self, package: &RawPackage<'_>) -> Result<Package, ParseError> {
        let mut edges = Vec::with_capacity(package.dependencies.len());
        for dependency in package.dependencies.iter().chain(&package.replace) {
            match self.resolver.find(dependency) {
                Ok((name, to)) => edges.push(Edge {
                    to: PackageIndex(to),
                    name: name.into(),
                    requirement: None,
                    kind: DependencyKind::Runtime,
                }),
                Err(problem) => self.dangling(package, dependency, problem)?,
            }
        }

        Ok(Package {
            origin: self.origin(package),
            line: line_of(package),
            integrity: checksum(package, self.raw),
            edges,
            ..Package::new(
                super::NAME,
                package.name.to_string(),
                package.version.to_string(),
            )
        })
    }

    /// Skips a dependency without a package. The missing package is reported as a requirement, so
    /// that it is judged like one that no lockfile pins.
    ///
    /// # Errors
    /// When the package would come after the last one: the file is truncated.
    fn dangling(
        &mut self,
        package: &RawPackage<'_>,
        dependency: &str,
        problem: Problem,
    ) -> Result<(), ParseError> {
        let reason = format!(
            "package `{}` depends on `{}`, which {problem}",
            package.name,
            shortened(dependency)
        );
        let (name, rest) = dependency.split_once(' ').unwrap_or((dependency, ""));
        if problem == Problem::Missing && self.last_name.is_none_or(|last| name >= last) {
            return Err(ParseError::new(reason)
                .at_line(package.line)
                .with_hint(REGENERATE));
        }

        self.skipped.edge(
            line_of(package),
            format!("has an edge to nothing: {reason}"),
        );
        if problem != Problem::Ambiguous {
            let version = rest.split(' ').next().unwrap_or_default();
            self.unresolved.push(Unresolved {
                ecosystem: super::NAME,
                name: shortened(name),
                requirement: match version {
                    "" => String::new(),
                    version => format!("={}", shortened(version)),
                },
                kind: DependencyKind::Runtime,
                line: line_of(package),
            });
        }

        Ok(())
    }

    fn origin(&mut self, package: &RawPackage<'_>) -> Origin {
        let Some(source) = package.source.as_deref() else {
            return Origin::Path(None);
        };
        if let Some(url) = source
            .strip_prefix("registry+")
            .or_else(|| source.strip_prefix("sparse+"))
        {
            return Origin::Registry(Some(url.to_owned()));
        }

        if let Some(address) = source.strip_prefix("git+") {
            let (url, commit) = match address.rsplit_once('#') {
                Some((url, commit)) => (url, Some(commit.to_owned())),
                None => (address, None),
            };
            return Origin::Git {
                url: url.to_owned(),
                commit,
            };
        }

        // Cargo writes these kinds for vendored and local registries, and for paths given as a URL.
        match source.split_once('+') {
            Some(("path", path)) => Origin::Path(Some(path.to_owned())),
            Some(("local-registry" | "directory", url)) => Origin::Registry(Some(url.to_owned())),
            // As of a registry, so that advisories still apply.
            _ => {
                self.skipped.detail(
                    line_of(package),
                    format!(
                        "has package `{}` from a source of an unknown kind",
                        package.name
                    ),
                );
                Origin::Registry(Some(source.to_owned()))
            }
        }
    }
}

/// The checksum: a key of the entry, or in version 1 a key of `[metadata]`, in which `<none>` means
/// that the package has no checksum.
fn checksum(package: &RawPackage<'_>, raw: &RawLock<'_>) -> Option<String> {
    if let Some(checksum) = &package.checksum {
        return Some(checksum.to_string());
    }
    if raw.metadata.is_empty() {
        return None;
    }

    let source = package.source.as_deref()?;
    let key = format!("checksum {} {} ({source})", package.name, package.version);

    raw.metadata
        .get(key.as_str())
        .filter(|checksum| *checksum != "<none>")
        .map(ToString::to_string)
}

#[cfg(test)]
mod tests;
