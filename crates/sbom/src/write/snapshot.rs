//! The packages of a repository as a snapshot for GitHub's dependency graph
//! (<https://docs.github.com/rest/dependency-graph/dependency-submission>).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patchgate_model::{Inventory, Lockfile, Origin, Package, Purl, Scope};
use serde_json::{Value, json};

/// The run and the commit that a snapshot is of.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotOptions<'a> {
    /// Id of the commit.
    pub commit: &'a str,
    /// Ref of the commit, such as `refs/heads/main`.
    pub git_ref: &'a str,
    /// Id of the job. GitHub shows it.
    pub job: &'a str,
    /// Name that successive snapshots share: a newer one replaces an older one of the same name.
    pub correlator: &'a str,
    /// Address of the detector, which GitHub requires.
    pub detector_url: &'a str,
    /// Version of Patchgate.
    pub tool_version: &'a str,
    /// Time of the scan.
    pub timestamp: Timestamp,
}

/// Most characters of a commit's id that GitHub accepts.
const MAX_COMMIT: usize = 64;

/// Writes the snapshot. Packages of the repository itself, and those without a package URL, are left
/// out. `incomplete` in its metadata says that packages may be missing.
///
/// GitHub refuses a snapshot whose commit and ref it cannot read; [`is_commit`] and [`is_ref`] check
/// them.
#[must_use]
pub fn github_snapshot(inventory: &Inventory, options: &SnapshotOptions<'_>) -> String {
    let mut manifests: BTreeMap<&str, BTreeMap<String, Entry>> = BTreeMap::new();
    for lockfile in &inventory.lockfiles {
        let entries = manifests.entry(&lockfile.path).or_default();
        add(lockfile, entries);
    }

    let manifests: BTreeMap<&str, Value> = manifests
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(path, entries)| {
            let resolved: BTreeMap<String, Value> = entries
                .into_iter()
                .map(|(purl, entry)| {
                    let value = entry.json(&purl);
                    (purl, value)
                })
                .collect();
            let manifest = json!({
                "name": path,
                "file": { "source_location": path },
                "resolved": resolved,
            });
            (path, manifest)
        })
        .collect();
    let partial = |file: &Lockfile| file.direct_only || !file.missing.is_empty();
    let incomplete = !inventory.problems.is_empty() || inventory.lockfiles.iter().any(partial);

    let snapshot = json!({
        "version": 0,
        "job": { "id": options.job, "correlator": options.correlator },
        "sha": options.commit,
        "ref": options.git_ref,
        "detector": {
            "name": "patchgate",
            "version": options.tool_version,
            "url": options.detector_url,
        },
        "scanned": options.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "metadata": { "incomplete": incomplete },
        "manifests": manifests,
    });
    format!("{snapshot:#}\n")
}

/// Whether GitHub accepts a text as the id of a commit.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    (40..=MAX_COMMIT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether GitHub accepts a text as a ref.
#[must_use]
pub fn is_ref(text: &str) -> bool {
    text.starts_with("refs/")
}

/// A package of a file, with all its copies.
#[derive(Default)]
struct Entry {
    is_direct: bool,
    is_runtime: bool,
    dependencies: BTreeSet<String>,
}

impl Entry {
    fn json(&self, purl: &str) -> Value {
        json!({
            "package_url": purl,
            "relationship": if self.is_direct { "direct" } else { "indirect" },
            "scope": if self.is_runtime { "runtime" } else { "development" },
            "dependencies": self.dependencies,
        })
    }
}

/// Adds the packages of a file by their package URLs.
fn add(lockfile: &Lockfile, entries: &mut BTreeMap<String, Entry>) {
    let purls: Vec<Option<String>> = lockfile.packages.iter().map(purl).collect();
    let direct: BTreeSet<usize> = lockfile
        .roots
        .iter()
        .flat_map(|root| root.edges.iter().map(|edge| edge.to.0 as usize))
        .collect();

    for (index, package) in lockfile.packages.iter().enumerate() {
        let Some(Some(purl)) = purls.get(index) else {
            continue;
        };
        let entry = entries.entry(purl.clone()).or_default();
        entry.is_direct |= direct.contains(&index);
        entry.is_runtime |= matches!(
            package.scope,
            Scope::Runtime | Scope::Peer | Scope::Optional
        );
        let targets = package.edges.iter().filter_map(|edge| {
            let target = purls.get(edge.to.0 as usize)?;
            target.clone().filter(|target| target != purl)
        });
        entry.dependencies.extend(targets);
    }
}

/// The package URL; `None` for a package of the repository itself, and for one without a valid URL.
fn purl(package: &Package) -> Option<String> {
    if matches!(package.origin, Origin::Path(_)) {
        return None;
    }
    let known =
        patchgate_ecosystems::by_name(package.ecosystem).is_some() || package.purl.is_some();
    let purl = known.then(|| patchgate_ecosystems::purl(package))?;
    Purl::parse(&purl).is_some().then_some(purl)
}
