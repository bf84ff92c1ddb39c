//! Reader of locked opam files (`opam lock --help`).

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    CommitId, DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Scope,
    Unresolved,
};

use super::file::{File, PackageRequirement};
use crate::{Input, ParseError, SkippedEntries, salvage};

/// Reads a lockfile, together with the opam file that it was made from.
///
/// The `depends` field of the lockfile lists every package with one version. Only the opam file
/// says which of them are direct.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = File::parse(input.text()?)?;
    let pins: HashMap<String, &str> = file
        .pins
        .iter()
        .map(|(package, address)| (package.clone(), address.as_str()))
        .collect();
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("opam-locked"),
        ..Lockfile::default()
    };

    let mut skipped = SkippedEntries::default();
    let mut indices = HashMap::new();
    for required in &file.requirements {
        let Some(version) = &required.version else {
            if required.kind == DependencyKind::Optional {
                continue;
            }

            lockfile.unresolved.push(Unresolved {
                ecosystem: crate::opam::NAME,
                name: required.name.clone(),
                requirement: required.requirement.clone(),
                kind: required.kind,
                line: required.line,
            });
            continue;
        };
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        if indices.insert(required.name.clone(), index).is_some() {
            skipped.edge(required.line, format!("locks `{}` twice", required.name));
        }

        lockfile.packages.push(package(required, version, &pins));
    }

    direct(input, &file, &indices, &mut lockfile);
    salvage::finish(lockfile, skipped)
}

fn package(required: &PackageRequirement, version: &str, pins: &HashMap<String, &str>) -> Package {
    let pin = pins.get(&format!("{}.{version}", required.name));
    Package {
        line: required.line,
        origin: pin.map_or(Origin::Registry(None), |address| origin(address)),
        scope: Scope::from(required.kind),
        groups: required.filters.clone(),
        ..Package::new(super::NAME, required.name.clone(), version.to_owned())
    }
}

/// The source of a pin: `git+https://…#revision`, an archive, or a directory.
fn origin(address: &str) -> Origin {
    let git = address.strip_prefix("git+");
    match git {
        None if !address.contains("://") => Origin::Path(Some(address.to_owned())),
        None if !address.starts_with("git://") => Origin::Url(address.to_owned()),
        stripped => {
            let address = stripped.unwrap_or(address);
            let (url, revision) = address.split_once('#').unwrap_or((address, ""));
            Origin::Git {
                url: url.to_owned(),
                commit: CommitId::parse(revision).map(Into::into),
            }
        }
    }
}

/// Adds the direct dependencies from the opam file as a root. Optional ones may be missing.
fn direct(
    input: &Input<'_>,
    file: &File,
    indices: &HashMap<String, PackageIndex>,
    lockfile: &mut Lockfile,
) {
    let Some(path) = input.path.strip_suffix(".locked") else {
        return;
    };
    let manifest = input
        .sibling(path)
        .and_then(|bytes| Input { bytes, ..*input }.text().ok())
        .and_then(|text| File::parse(text).ok());
    let Some(manifest) = manifest else { return };
    let open: HashSet<String> = lockfile
        .unresolved
        .iter()
        .map(|one| one.name.clone())
        .collect();

    let mut root = Root {
        name: file.name.clone(),
        manifest: Some(path.to_owned()),
        edges: Vec::new(),
    };
    for required in manifest.requirements {
        match indices.get(&required.name) {
            Some(to) => root.edges.push(Edge {
                to: *to,
                name: required.name.into(),
                requirement: (!required.requirement.is_empty())
                    .then_some(required.requirement)
                    .map(Into::into),
                kind: required.kind,
            }),
            // A filter can exclude a package on this machine. The lockfile does not contain the
            // package, so there is no better line.
            None if required.filters.is_empty()
                && required.kind == DependencyKind::Runtime
                && !open.contains(&required.name) =>
            {
                lockfile.unresolved.push(Unresolved {
                    ecosystem: crate::opam::NAME,
                    name: required.name,
                    requirement: required.requirement,
                    kind: required.kind,
                    line: 1,
                });
            }
            None => {}
        }
    }

    lockfile.roots.push(root);
}
