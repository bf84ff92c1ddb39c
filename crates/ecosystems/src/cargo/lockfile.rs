//! `Cargo.lock`, versions 1 to 4
//! (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>).
//!
//! A truncated file is an error if the cut is inside a string, a list or an entry, or if a
//! dependency has lost its package. A cut exactly between two entries cannot be detected when no
//! remaining package depends on a lost one; Cargo accepts such a file too.

mod raw;
mod resolve;
mod scan;

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex};

use self::raw::{RawLock, RawPackage};
use self::resolve::Resolver;
use super::manifest;
use super::roots;
use crate::{Input, ParseError, limits};

const REGENERATE: &str =
    "restore the file from version control or re-create it with `cargo generate-lockfile`";

/// Reads a lockfile, together with the manifests in its directory and below.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut raw = match scan::scan(text) {
        Some(raw) => raw,
        None => raw::parse(text)?,
    };
    if let Some(root) = raw.root.take() {
        raw.packages.insert(0, root);
    }

    check(text, &raw)?;
    let format = format(&raw)?;

    // Dependencies become edges.
    let names: String = raw.packages.iter().map(|package| &*package.name).collect();
    let resolver = Resolver::new(&raw, &names)?;
    let packages = raw
        .packages
        .iter()
        .map(|package| locked(package, &raw, &resolver))
        .collect::<Result<Vec<_>, _>>()?;

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        packages,
        ..Lockfile::default()
    };

    let workspace = manifest::Workspace::read(input);
    roots::attach(&mut lockfile, workspace.as_ref());

    Ok(lockfile)
}

/// Checks limits, truncation and package names before dependencies are resolved.
fn check(text: &str, raw: &RawLock<'_>) -> Result<(), ParseError> {
    let Some(last) = raw.packages.last() else {
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

    for package in &raw.packages {
        check_name(package)?;
    }

    Ok(())
}

/// Whether the last entry is incomplete. Cargo ends the file with a line end, and writes a checksum
/// either for every registry package or for none.
fn ends_inside(text: &str, raw: &RawLock<'_>, last: &RawPackage<'_>) -> bool {
    let from_registry = |package: &RawPackage<'_>| {
        package
            .source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    };
    let lacks_checksum = from_registry(last)
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
/// assumes version 2 if a package entry has a checksum or a dependency omits version and source.
fn format(raw: &RawLock<'_>) -> Result<FormatId, ParseError> {
    match raw.version {
        Some(3) => Ok(FormatId::new("cargo-lock-v3")),
        Some(4) => Ok(FormatId::new("cargo-lock-v4")),
        Some(other) => Err(
            ParseError::new(format!("has the unknown format version {other}"))
                .with_hint("versions 1 to 4 are read; a newer Patchgate may read this one"),
        ),
        None => {
            let abbreviated = raw.packages.iter().any(|package| {
                package.checksum.is_some()
                    || package.dependencies.iter().any(|name| !name.contains(' '))
            });
            Ok(if abbreviated {
                FormatId::new("cargo-lock-v2")
            } else {
                FormatId::new("cargo-lock-v1")
            })
        }
    }
}

/// The package of one entry, with an edge for each dependency.
fn locked(
    package: &RawPackage<'_>,
    raw: &RawLock<'_>,
    resolver: &Resolver<'_>,
) -> Result<Package, ParseError> {
    let mut edges = Vec::with_capacity(package.dependencies.len());
    for dependency in package.dependencies.iter().chain(&package.replace) {
        let (name, to) = resolver.find(dependency).map_err(|problem| {
            ParseError::new(format!(
                "package `{}` depends on `{}`, which {problem}",
                package.name,
                shortened(dependency)
            ))
            .at_line(package.line)
            .with_hint(REGENERATE)
        })?;
        edges.push(Edge {
            to: PackageIndex(to),
            name: name.into(),
            requirement: None,
            kind: DependencyKind::Runtime,
        });
    }

    Ok(Package {
        origin: origin(package)?,
        line: u32::try_from(package.line).unwrap_or(u32::MAX),
        integrity: checksum(package, raw),
        edges,
        ..Package::new(
            super::NAME,
            package.name.to_string(),
            package.version.to_string(),
        )
    })
}

fn origin(package: &RawPackage<'_>) -> Result<Origin, ParseError> {
    let Some(source) = package.source.as_deref() else {
        return Ok(Origin::Path(None));
    };
    if let Some(url) = source
        .strip_prefix("registry+")
        .or_else(|| source.strip_prefix("sparse+"))
    {
        return Ok(Origin::Registry(Some(url.to_owned())));
    }

    if let Some(address) = source.strip_prefix("git+") {
        let (url, commit) = match address.rsplit_once('#') {
            Some((url, commit)) => (url, Some(commit.to_owned())),
            None => (address, None),
        };
        return Ok(Origin::Git {
            url: url.to_owned(),
            commit,
        });
    }

    // Cargo writes these kinds for vendored and local registries, and for paths given as a URL.
    match source.split_once('+') {
        Some(("path", path)) => Ok(Origin::Path(Some(path.to_owned()))),
        Some(("local-registry" | "directory", url)) => Ok(Origin::Registry(Some(url.to_owned()))),
        _ => Err(ParseError::new(format!(
            "has package `{}` from a source of an unknown kind",
            package.name
        ))
        .at_line(package.line)),
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
