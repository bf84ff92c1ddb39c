//! Locked opam files (`opam lock --help`).

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    CommitId, DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope,
    Unresolved,
};

use super::file::{Asked, File};
use crate::{Input, ParseError};

/// Reads the lockfile.
///
/// Its `depends` names every package with one version; which ones are direct is in the opam file
/// that it is a copy of.
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
        format: "opam-locked",
        ..Lockfile::default()
    };

    let mut places = HashMap::new();
    for asked in &file.asked {
        let Some(version) = &asked.version else {
            if asked.kind == DependencyKind::Optional {
                continue;
            }

            lockfile.unresolved.push(Unresolved {
                name: asked.name.clone(),
                requirement: asked.requirement.clone(),
                kind: asked.kind,
                line: asked.line,
            });
            continue;
        };
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        if places.insert(asked.name.clone(), index).is_some() {
            let reason = format!("locks `{}` twice", asked.name);
            return Err(ParseError::new(reason).at_line(asked.line as usize));
        }

        lockfile.packages.push(package(asked, version, &pins));
    }

    direct(input, &file, &places, &mut lockfile);
    Ok(lockfile)
}

fn package(asked: &Asked, version: &str, pins: &HashMap<String, &str>) -> Package {
    let pin = pins.get(&format!("{}.{version}", asked.name));
    Package {
        line: asked.line,
        origin: pin.map_or(Origin::Registry(None), |address| origin(address)),
        scope: Scope::from(asked.kind),
        groups: asked.filters.clone(),
        ..Package::new(super::NAME, asked.name.clone(), version.to_owned())
    }
}

/// The source that a pin names: `git+https://…#revision`, an archive, a folder.
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

/// The dependencies that the opam file names itself. Optional ones need not be there.
fn direct(
    input: &Input<'_>,
    file: &File,
    places: &HashMap<String, PackageIndex>,
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
    for asked in manifest.asked {
        match places.get(&asked.name) {
            Some(to) => root.edges.push(Edge {
                to: *to,
                name: asked.name.into(),
                requirement: (!asked.requirement.is_empty())
                    .then_some(asked.requirement)
                    .map(Into::into),
                kind: asked.kind,
            }),
            // A filter may leave a package out on this machine. The line is one of the lockfile,
            // which does not name the package.
            None if asked.filters.is_empty()
                && asked.kind == DependencyKind::Runtime
                && !open.contains(&asked.name) =>
            {
                lockfile.unresolved.push(Unresolved {
                    name: asked.name,
                    requirement: asked.requirement,
                    kind: asked.kind,
                    line: 1,
                });
            }
            None => {}
        }
    }

    lockfile.roots.push(root);
}
