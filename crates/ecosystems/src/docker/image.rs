//! Image references: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`
//! (<https://github.com/distribution/reference>).

use patchgate_model::{
    DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Purl, Scope, Unresolved,
};

use crate::{ParseError, limits};

/// Adds an image to the packages of a file. An image without tag and digest has no version, because
/// its content can change every day. An image with a variable that is not set has none either.
pub(super) fn add(
    lockfile: &mut Lockfile,
    reference: &str,
    line: u32,
    kind: DependencyKind,
) -> Result<(), ParseError> {
    let reference = reference.trim();
    if reference.is_empty() {
        return Err(ParseError::new("names an image with an empty name").at_line(line as usize));
    }
    if lockfile.packages.len() + lockfile.unresolved.len() >= limits::MAX_PACKAGES {
        return Err(ParseError::new("names too many images").at_line(line as usize));
    }

    let (name, tag, digest) = split(reference);
    let version = match (tag, digest) {
        (Some(tag), Some(digest)) => Some(format!("{tag}@{digest}")),
        (Some(tag), None) => Some(tag.to_owned()),
        (None, Some(digest)) => Some(digest.to_owned()),
        (None, None) => None,
    };
    match version {
        Some(version) if !name.is_empty() && !reference.contains('$') => {
            let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
            for root in &mut lockfile.roots {
                root.edges.push(Edge {
                    to: PackageIndex(index),
                    name: name.into(),
                    requirement: None,
                    kind,
                });
            }

            lockfile.packages.push(Package {
                line,
                scope: Scope::from(kind),
                origin: Origin::Registry(host(name).map(str::to_owned)),
                integrity: digest.map(str::to_owned),
                ..Package::new(super::NAME, name.to_owned(), version)
            });
        }
        _ => lockfile.unresolved.push(Unresolved {
            ecosystem: crate::docker::NAME,
            name: name.to_owned(),
            requirement: reference.to_owned(),
            kind,
            line,
        }),
    }

    Ok(())
}

/// Splits a reference into name, tag and digest.
fn split(reference: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest).filter(|digest| !digest.is_empty())),
        None => (reference, None),
    };
    // A colon before the last slash belongs to a port.
    let path = rest.rfind('/').map_or(0, |slash| slash + 1);

    match rest.get(path..).and_then(|last| last.find(':')) {
        Some(colon) => {
            let (name, tag) = rest.split_at(path + colon);
            let tag = tag.trim_start_matches(':');
            (name, Some(tag).filter(|tag| !tag.is_empty()), digest)
        }
        None => (rest, None, digest),
    }
}

/// The host at the beginning of a name: its first part, if that looks like a host.
fn host(name: &str) -> Option<&str> {
    let (first, _) = name.split_once('/')?;
    (first.contains(['.', ':']) || first == "localhost").then_some(first)
}

/// The package URL. A host becomes a qualifier, as in the definition of the type
/// (<https://github.com/package-url/purl-spec/blob/main/types-doc/docker-definition.md>). If there
/// is a digest, it is the version.
pub(super) fn purl(name: &str, version: &str) -> String {
    let (host, path) = match host(name) {
        Some(host) => (Some(host), name.get(host.len() + 1..).unwrap_or_default()),
        None => (None, name),
    };
    let version = version
        .split_once('@')
        .map_or(version, |(_, digest)| digest);

    Purl::new("docker", path, version)
        .with_qualifier("repository_url", host.unwrap_or_default())
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_fall_into_their_parts() {
        assert_eq!(split("alpine"), ("alpine", None, None));
        assert_eq!(split("alpine:3.20"), ("alpine", Some("3.20"), None));
        assert_eq!(split("h:5000/a/b"), ("h:5000/a/b", None, None));
        assert_eq!(
            split("h:5000/a/b:1@sha256:0a"),
            ("h:5000/a/b", Some("1"), Some("sha256:0a"))
        );
    }

    #[test]
    fn package_urls() {
        assert_eq!(purl("alpine", "3.20"), "pkg:docker/alpine@3.20");
        assert_eq!(
            purl("images.invalid:5000/team/app", "1@sha256:0a"),
            "pkg:docker/team/app@sha256:0a?repository_url=images.invalid:5000"
        );
    }
}
