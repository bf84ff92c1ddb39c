//! Construction of an inventory's report from the model's values.

use std::collections::BTreeSet;

use patchgate_model::{
    DependencyKind, Edge, Inventory, Lockfile, Origin, Package, Scope, without_credentials,
};

use super::chains::chains;
use super::*;
use crate::scan::scope_name;

/// The input of an inventory's report.
#[derive(Debug, Clone, Copy)]
pub struct InventoryInput<'a> {
    /// The lockfiles and manifests that were read.
    pub inventory: &'a Inventory,
    /// The package whose chains are requested: `name`, `name@version` or a package URL.
    pub why: Option<&'a str>,
    /// The exit code of the run.
    pub exit_code: u8,
}

impl InventoryReport {
    /// Makes the report. The same input always gives the same text.
    #[must_use]
    pub fn new(input: &InventoryInput<'_>) -> Self {
        let inventory = input.inventory;
        let mut packages = Vec::new();

        let mut roots = Vec::new();
        for lockfile in &inventory.lockfiles {
            let first = packages.len();
            let direct = direct(lockfile);
            for (index, package) in lockfile.packages.iter().enumerate() {
                let is_direct = direct.as_ref().map(|direct| direct.contains(&index));
                packages.push(entry(lockfile, package, first, first + index, is_direct));
            }

            roots.extend(lockfile.roots.iter().map(|root| InventoryRoot {
                name: root.name.clone(),
                lockfile: lockfile.path.clone(),
                manifest: root.manifest.clone(),
                depends_on: targets(&root.edges, first),
            }));
        }

        let unresolved = unresolved(inventory);
        let incomplete: Vec<_> = inventory
            .problems
            .iter()
            .map(IncompleteReport::from)
            .collect();

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: Tool::this(),
            summary: InventorySummary {
                lockfiles: crate::scan::different_files(&inventory.lockfiles),
                packages: crate::scan::different_packages(&inventory.lockfiles),
                unresolved: unresolved.len(),
                complete: incomplete.is_empty(),
                exit_code: input.exit_code,
            },
            packages,
            roots,
            unresolved,
            incomplete,
            lockfiles: inventory
                .lockfiles
                .iter()
                .map(LockfileReport::from)
                .collect(),
            why: input.why.map(|package| chains(inventory, package)),
        }
    }
}

/// The packages that roots require directly; `None` when no root lists its requirements.
fn direct(lockfile: &Lockfile) -> Option<BTreeSet<usize>> {
    let edges: Vec<&Edge> = lockfile.roots.iter().flat_map(|root| &root.edges).collect();
    (!edges.is_empty()).then(|| edges.iter().map(|edge| edge.to.0 as usize).collect())
}

fn targets(edges: &[Edge], first: usize) -> Vec<usize> {
    let unique: BTreeSet<usize> = edges
        .iter()
        .map(|edge| first + edge.to.0 as usize)
        .collect();
    unique.into_iter().collect()
}

fn entry(
    lockfile: &Lockfile,
    package: &Package,
    first: usize,
    id: usize,
    direct: Option<bool>,
) -> InventoryPackage {
    InventoryPackage {
        id,
        ecosystem: package.ecosystem.to_string(),
        distribution: package.distribution.clone(),
        name: package.name.clone(),
        version: package.version.clone(),
        purl: patchgate_ecosystems::purl(package),
        alias: package.alias.clone(),
        scope: scope_name(package.scope).to_owned(),
        groups: package.groups.clone(),
        direct,
        location: LocationReport {
            file: lockfile.path.clone(),
            line: package.line,
        },
        install_path: package.install_path.clone(),
        origin: origin(&package.origin),
        integrity: package
            .integrity
            .iter()
            .flat_map(|hashes| hashes.split_whitespace())
            .map(str::to_owned)
            .collect(),
        depends_on: targets(&package.edges, first),
    }
}

fn origin(origin: &Origin) -> OriginReport {
    let (kind, address, commit) = match origin {
        Origin::Registry(address) => ("registry", address.as_deref(), None),
        Origin::Git { url, commit } => ("git", Some(url.as_str()), commit.clone()),
        Origin::Path(path) => ("path", path.as_deref(), None),
        Origin::Url(url) => ("url", Some(url.as_str()), None),
    };
    OriginReport {
        kind: kind.to_owned(),
        address: address.map(|address| without_credentials(address).into_owned()),
        commit,
    }
}

fn unresolved(inventory: &Inventory) -> Vec<UnresolvedReport> {
    let locked = inventory
        .lockfiles
        .iter()
        .map(|file| (file.ecosystem, &file.path, &file.unresolved));
    let unlocked = inventory
        .unlocked
        .iter()
        .map(|file| (file.ecosystem, &file.path, &file.unresolved));

    locked
        .chain(unlocked)
        .flat_map(|(ecosystem, path, unresolved)| {
            unresolved.iter().map(move |one| UnresolvedReport {
                ecosystem: ecosystem.to_string(),
                name: one.name.clone(),
                requirement: one.requirement.clone(),
                scope: kind_name(one.kind).to_owned(),
                location: LocationReport {
                    file: path.clone(),
                    line: one.line,
                },
            })
        })
        .collect()
}

fn kind_name(kind: DependencyKind) -> &'static str {
    scope_name(Scope::from(kind))
}
