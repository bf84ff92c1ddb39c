//! Reader of `Package.resolved`, which Swift Package Manager and Xcode write
//! (<https://docs.swift.org/swiftpm/documentation/packagemanagerdocs/resolvingpackageversions/>):
//! one pin per package, identified by its repository. The file contains no graph.

use std::collections::HashSet;

use patchgate_model::{FormatId, Lockfile, Loss, Origin, Package};

use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};
use patchgate_model::without_credentials;

/// Reads the pins as packages without edges.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    // Only the first version has the pins in an `object`.
    let object = document.get("object");
    let (format, parent) = match document.get("version").and_then(Node::scalar) {
        Some("1") => (FormatId::new("swift-resolved-v1"), object),
        Some("2") => (FormatId::new("swift-resolved-v2"), Some(&document)),
        Some("3") => (FormatId::new("swift-resolved-v3"), Some(&document)),
        Some(other) => {
            salvage::other_version(&mut skipped, document.line, other, "versions 1 to 3 are");
            (FormatId::new("swift-resolved"), object.or(Some(&document)))
        }
        None => {
            skipped.package(document.line, "lacks its format `version`");
            (FormatId::new("swift-resolved"), object.or(Some(&document)))
        }
    };

    let pins = parent
        .and_then(|parent| parent.get("pins"))
        .filter(|pins| pins.is_list())
        .ok_or_else(|| ParseError::new("lacks the list `pins`"))?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        ..Lockfile::default()
    };

    let mut seen = HashSet::new();
    for pin in pins.items() {
        let package = package(pin, pin.get("repositoryURL").is_some());
        let Some(package) = skipped.recover(Loss::Package, pin.line, package) else {
            continue;
        };
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("pins too many packages").at_line(pin.line as usize));
        }
        if !seen.insert(package.name.to_ascii_lowercase()) {
            skipped.detail(pin.line, format!("pins `{}` twice", package.name));
        }

        lockfile.packages.push(package);
    }

    salvage::finish(lockfile, skipped)
}

/// A pinned package. A pin to a branch or a commit uses the commit as its version.
fn package(pin: &Node<'_>, is_first_format: bool) -> Result<Package, ParseError> {
    let failed = |reason: String| ParseError::new(reason).at_line(pin.line as usize);
    let state = pin
        .get("state")
        .filter(|state| state.is_map())
        .ok_or_else(|| failed("has a pin without `state`".to_owned()))?;
    let (identity, location) = if is_first_format {
        let identity = pin.optional_text("package")?.unwrap_or_default();
        (identity, pin.need_text("repositoryURL")?)
    } else {
        let location = pin.optional_text("location")?.unwrap_or_default();
        (pin.need_text("identity")?, location)
    };

    let revision = state.optional_text("revision")?;
    let (name, origin) = match pin.optional_text("kind")? {
        Some("registry") => (
            identity.to_owned(),
            Origin::Registry(
                (!location.is_empty()).then(|| without_credentials(location).into_owned()),
            ),
        ),
        Some("localSourceControl" | "fileSystem") => {
            (identity.to_owned(), Origin::Path(Some(location.to_owned())))
        }
        // The first version of the format has no kinds. Swift writes a directory as its path.
        None if is_first_format && location.starts_with('/') => {
            (identity.to_owned(), Origin::Path(Some(location.to_owned())))
        }
        _ => {
            let url = without_credentials(location).into_owned();
            let commit = revision.map(str::to_owned);
            (name_of(&url), Origin::Git { url, commit })
        }
    };
    if name.is_empty() {
        return Err(failed("has a pin without a name".to_owned()));
    }

    let version = state
        .optional_text("version")?
        .or(revision)
        .filter(|version| !version.is_empty())
        .ok_or_else(|| {
            failed(format!(
                "pins `{name}` neither at a version nor at a revision"
            ))
        })?;

    Ok(Package {
        line: pin.line,
        origin,
        ..Package::new(super::NAME, name, version.to_owned())
    })
}

/// A repository's address in the form of OSV and package URLs: host and path, without scheme, user,
/// port and `.git`.
fn name_of(url: &str) -> String {
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        // An address such as `git@github.com:apple/swift-nio.git`.
        None => match url.split_once(':') {
            Some((authority, path)) if !authority.contains('/') => (authority, path),
            _ => ("", url),
        },
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);

    match (host.to_ascii_lowercase().as_str(), path) {
        ("", path) => path.to_owned(),
        (host, "") => host.to_owned(),
        (host, path) => format!("{host}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn addresses_become_names() {
        for url in [
            "https://github.com/apple/swift-nio.git",
            "https://github.com/apple/swift-nio",
            "https://GitHub.com/apple/swift-nio/",
            "git@github.com:apple/swift-nio.git",
            "ssh://git@github.com:22/apple/swift-nio.git",
            "git://github.com/apple/swift-nio",
        ] {
            assert_eq!(name_of(url), "github.com/apple/swift-nio", "{url}");
        }

        assert_eq!(name_of("../nio"), "../nio");
        assert_eq!(name_of("https://host.invalid"), "host.invalid");
    }
}
