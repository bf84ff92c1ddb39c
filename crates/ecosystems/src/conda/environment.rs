//! Reader of `environment.yml`
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html>).

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use super::match_spec::MatchSpec;
use crate::pypi::{Pinned, pinned};
use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits};

/// Reads an environment. Only requirements with an exact version become packages.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = yaml(input.text()?)?;
    let Some(listed) = file.get("dependencies") else {
        return Err(
            ParseError::new("is not a conda environment: it lacks `dependencies`")
                .with_hint("exclude a file of another kind with `--exclude`"),
        );
    };
    if !listed.is_list() {
        return Err(listed.unexpected("dependencies", "a list"));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("conda-environment"),
        ..Lockfile::default()
    };
    let mut skipped = SkippedEntries::default();
    for (number, item) in (1..).zip(listed.items()) {
        let read = if item.is_map() {
            item.optional_list("pip").and_then(|listed| {
                let mut all = listed.iter();
                all.try_for_each(|wanted| add_pip(&mut lockfile, wanted))
            })
        } else {
            add_conda(&mut lockfile, item)
        };
        // The file may end in the last item.
        if number == listed.items().len() {
            read?;
        } else {
            skipped.recover(Loss::Package, item.line, read);
        }

        if lockfile.packages.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new("contains too many packages").at_line(item.line as usize));
        }
    }

    // The lockfile has the versions of all open requirements.
    if is_locked(input) {
        lockfile.unresolved.clear();
    }

    let edges = (0u32..)
        .zip(&lockfile.packages)
        .map(|(index, package)| Edge {
            to: PackageIndex(index),
            name: package.name.as_str().into(),
            requirement: Some(format!("=={}", package.version).into()),
            kind: DependencyKind::Runtime,
        });
    let root = Root {
        name: file.optional_text("name")?.unwrap_or_default().to_owned(),
        manifest: input.sibling(input.path).map(|_| input.path.to_owned()),
        edges: edges.collect(),
    };
    lockfile.roots.push(root);
    lockfile.skipped = skipped.into_entries();

    Ok(lockfile)
}

/// Whether a `conda-lock.yml` next to the environment names it as a source.
fn is_locked(input: &Input<'_>) -> bool {
    let name = input.path.rsplit('/').next().unwrap_or(input.path);
    input
        .sibling(&input.beside("conda-lock.yml"))
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| yaml(text).ok())
        .is_some_and(|lock| {
            let sources = lock
                .get("metadata")
                .and_then(|metadata| metadata.get("sources"));
            sources.is_some_and(|sources| {
                sources
                    .items()
                    .iter()
                    .any(|source| source.text().is_some_and(|path| path.ends_with(name)))
            })
        })
}

fn add_conda(lockfile: &mut Lockfile, item: &Node<'_>) -> Result<(), ParseError> {
    let wrong = || item.unexpected("dependencies", "a requirement");
    let text = item.text().ok_or_else(wrong)?;
    let spec = MatchSpec::parse(text).ok_or_else(wrong)?;
    match spec.exact_version() {
        Some(version) => lockfile.packages.push(Package {
            line: item.line,
            origin: Origin::Registry(spec.channel.map(str::to_owned)),
            ..Package::new(super::NAME, spec.name.to_owned(), version.to_owned())
        }),
        None => lockfile.unresolved.push(Unresolved {
            ecosystem: crate::conda::NAME,
            name: spec.name.to_owned(),
            requirement: spec.versions.to_owned(),
            kind: DependencyKind::Runtime,
            line: item.line,
        }),
    }

    Ok(())
}

/// Adds a pip requirement, which has the syntax of a line in a requirements file.
fn add_pip(lockfile: &mut Lockfile, item: &Node<'_>) -> Result<(), ParseError> {
    let wrong = || item.unexpected("pip", "a requirement");
    match pinned(item.text().ok_or_else(wrong)?).ok_or_else(wrong)? {
        Pinned::Package(package) => lockfile.packages.push(Package {
            line: item.line,
            ..*package
        }),
        Pinned::Open { name, requirement } => lockfile.unresolved.push(Unresolved {
            ecosystem: crate::pypi::NAME,
            name,
            requirement,
            kind: DependencyKind::Runtime,
            line: item.line,
        }),
        Pinned::Nothing => {}
    }

    Ok(())
}
