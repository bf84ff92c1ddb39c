//! How long planning takes for 1,500 packages with 100 findings, when a registry answers at once.
//!
//! The graph is made up, by a generator with a fixed seed. A package needs up to five others, has
//! forty releases in four major versions, and a new major version needs the same one of a quarter of the
//! packages that it needs. A
//! third of the findings is fixed by a patch, a third by a minor step and a third by a major one. The
//! project requires every 25th package, and those that no package needs.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use divan::Bencher;
use patchgate_ecosystems::{Release, Requirement, Upgradable, by_name};
use patchgate_model::{
    Bump, DependencyKind, EcosystemName, Edge, Lockfile, Package, PackageIndex, Root,
};
use patchgate_upgrade::{Judged, Memory, PlanOptions, Planned, Releases, Request, Target, plan_on};

const PACKAGES: u64 = 1_500;
const FINDINGS: u64 = 100;
const PROJECT_NEEDS: u64 = 60;

/// A generator of numbers that is the same on every machine (SplitMix64, public domain, by
/// Sebastiano Vigna).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

fn main() {
    divan::main();
}

/// One question with all its facts.
struct World {
    ecosystem: &'static dyn Upgradable,
    lockfile: Lockfile,
    releases: Releases,
    /// The first version without the finding, by package.
    fixed: BTreeMap<String, String>,
}

fn name(package: u64) -> String {
    format!("package-{package}")
}

/// The `release`th release: ten of each major version.
fn version(release: u64) -> String {
    format!("{}.{}.{}", 1 + release / 10, release % 10 / 2, release % 2)
}

/// The major version of a package that a release of another one needs.
fn needed_major(package: u64, needed: u64, release: u64) -> u64 {
    let moves_with_it = (package + needed).is_multiple_of(4);
    if moves_with_it { 1 + release / 10 } else { 1 }
}

fn world(ecosystem: &str) -> World {
    let ecosystem = by_name(ecosystem).unwrap().upgradable().unwrap();
    let mut numbers = Numbers(7);
    let mut releases = Releases::default();
    let mut packages = Vec::new();
    let mut required = BTreeSet::new();
    for package in 0..PACKAGES {
        let needs: BTreeSet<u64> = (0..numbers.next(6))
            .map(|_| package + 1 + numbers.next(40))
            .filter(|needed| *needed < PACKAGES)
            .collect();
        required.extend(needs.iter().copied());
        let list = (0..40).map(|release| Release {
            version: version(release),
            requirements: needs
                .iter()
                .map(|needed| Requirement {
                    name: name(*needed),
                    requirement: format!("^{}.0.0", needed_major(package, *needed, release)),
                    ..Requirement::default()
                })
                .collect(),
            ..Release::default()
        });
        releases.insert(ecosystem, &name(package), Ok(list.collect()));

        let mut locked = Package::new(ecosystem.name(), name(package), version(3));
        locked.install_path = Some(format!("node_modules/{}", name(package)));
        locked.edges = needs.iter().map(|needed| edge(*needed)).collect();
        packages.push(locked);
    }

    let fixed = (0..FINDINGS).map(|finding| {
        let package = finding * (PACKAGES / FINDINGS) + numbers.next(PACKAGES / FINDINGS);
        let release = [4, 8, 15][usize::try_from(finding % 3).unwrap()];
        (name(package), version(release))
    });
    let root = Root {
        name: "project".into(),
        manifest: Some("package.json".into()),
        edges: (0..PACKAGES)
            .filter(|package| {
                package % (PACKAGES / PROJECT_NEEDS) == 0 || !required.contains(package)
            })
            .map(edge)
            .collect(),
    };

    World {
        ecosystem,
        fixed: fixed.collect(),
        lockfile: Lockfile {
            ecosystem: EcosystemName::new("npm"),
            packages,
            roots: vec![root],
            ..Lockfile::default()
        },
        releases,
    }
}

fn edge(needed: u64) -> Edge {
    Edge {
        to: PackageIndex(u32::try_from(needed).unwrap()),
        name: name(needed).into(),
        requirement: Some("^1.0.0".into()),
        kind: DependencyKind::Runtime,
    }
}

impl World {
    fn judge(&self, name: &str, version: &str) -> Judged {
        let has_finding = self.fixed.get(name).is_some_and(|fixed| {
            let order = self.ecosystem.compare_versions(version, fixed);
            order.unwrap().is_lt()
        });
        Judged {
            vulnerabilities: has_finding
                .then(|| format!("{name}-1"))
                .into_iter()
                .collect(),
            ..Judged::default()
        }
    }

    /// The number of findings that the plan fixes.
    fn plan(&self) -> usize {
        let findings: BTreeMap<PackageIndex, Judged> = self
            .lockfile
            .indexed()
            .map(|(copy, package)| (copy, self.judge(&package.name, &package.version)))
            .filter(|(_, judged)| !judged.vulnerabilities.is_empty())
            .collect();
        let targets: Vec<Target> = findings
            .iter()
            .flat_map(|(copy, judged)| judged.vulnerabilities.iter().map(|id| (*copy, id.clone())))
            .map(|(copy, id)| Target {
                copy,
                id,
                is_notice: false,
            })
            .collect();

        let mut known = Releases::default();
        let mut memory = Memory::default();
        loop {
            let request = Request {
                lockfile: &self.lockfile,
                ecosystem: self.ecosystem,
                findings: &findings,
                targets: &targets,
                releases: &known,
                judge: &|name, version| Some(self.judge(name, version)),
                usable: &|_, _| Ok(()),
                max_bump: &|_| Bump::Major,
                asked: &BTreeMap::new(),
                refused: &BTreeMap::new(),
                frozen: &BTreeMap::new(),
                yanked_installable: true,
                options: PlanOptions::default(),
            };
            let facts = match plan_on(&request, &mut memory) {
                Planned::Missing(facts) => facts,
                Planned::Ready(proposal) => {
                    return proposal.moves.iter().map(|step| step.fixes.len()).sum();
                }
            };
            for name in facts.packages {
                let answer = self.releases.releases(self.ecosystem, &name).unwrap();
                let releases = answer.map(<[Release]>::to_vec).map_err(str::to_owned);
                known.insert(self.ecosystem, &name, releases);
            }
        }
    }
}

#[divan::bench(args = ["npm", "crates.io", "PyPI"])]
fn plans(bencher: Bencher<'_, '_>, ecosystem: &str) {
    let world = world(ecosystem);
    assert!(world.plan() > 0, "nothing is fixed");
    bencher.bench(|| world.plan());
}
