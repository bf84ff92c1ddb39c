//! Downgrades: which dependent gets an older version of something than before.
//!
//! The measure is the edge: one dependent, one name that it asks for, and the version that it gets.
//! The set of versions in a tree is not a measure: when the only package that required the larger
//! version no longer does, that version goes away, and no dependent got less.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Finding, Lockfile, Origin, Package};

/// One dependent that gets an older version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downgrade {
    /// The change as a fragment: ``it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0` ``.
    pub text: String,
    /// Name of the package of which the dependent gets an older version.
    pub package: String,
    /// Version that the dependent got before.
    pub from: String,
    /// The older version that it gets now.
    pub to: String,
    /// Packages of the new lockfile that are involved, as name and version: first the older
    /// version, then the dependent unless it is a project.
    pub packages: Vec<(String, String)>,
    /// Why the older version is acceptable. `None` for a downgrade without any reason.
    pub excuse: Option<Excuse>,
}

/// Why an older version for one dependent is not a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excuse {
    /// The dependent now uses a version that was in the tree before, because the larger one left.
    FellBack,
    /// The dependent itself changed its version and asks for something else.
    DependentChanged,
    /// As [`Excuse::DependentChanged`], but the dependent was also installed somewhere else before,
    /// so that its earlier version is a guess.
    DependentRelocated,
    /// Both ends are shipped inside one archive, whose maker chose them.
    Bundled,
}

/// Downgrades without an excuse.
///
/// An edge is looked at when its dependent is there before and after in the same version, as every
/// project of the repository is: a dependent that changed its version may ask for something else,
/// and one that is gone asks for nothing. In npm's trees the copy at the same path is the same
/// dependent; a copy that npm placed elsewhere is compared with the least that any copy of its
/// version got.
///
/// A smaller version than before is a downgrade, except
///
/// 1. when a package, not a project, falls back on a copy that the tree had before
///    ([`Excuse::FellBack`]): its requirement admits it (a requirement that is not met is reported
///    elsewhere), the larger version is gone from the whole tree because nothing requires it any
///    more, and the smaller one has no finding that the larger one did not have;
/// 2. when both ends are shipped inside one archive ([`Excuse::Bundled`]): its maker chose them, and
///    a finding that this brings is reported separately from downgrades.
///
/// A dependent that changed its version ([`Excuse::DependentChanged`]) must meet one condition: the
/// smaller version that it now gets has no finding that the larger one did not have, even when the
/// tree had that finding elsewhere.
///
/// ```
/// use patchgate_ecosystems::by_name;
/// use patchgate_lockfile_diff::downgrades;
/// use patchgate_model::Lockfile;
///
/// let npm = by_name("npm").and_then(|ecosystem| ecosystem.upgradable());
/// let lockfile = Lockfile::default();
/// if let Some(npm) = npm {
///     assert!(downgrades(npm, (&lockfile, &[]), (&lockfile, &[])).is_empty());
/// }
/// ```
#[must_use]
pub fn downgrades(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
) -> Vec<Downgrade> {
    let mut falls = falls(ecosystem, before, after);
    falls.retain(|fall| fall.excuse.is_none());
    falls
}

/// Every edge that leads to an older version than before, also those with an excuse.
pub(crate) fn falls(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
) -> Vec<Downgrade> {
    let (old, new) = (Side::new(before), Side::new(after));
    let smaller = |a: &str, b: &str| ecosystem.compare_versions(a, b) == Ok(Ordering::Less);

    let gone = old.gone(&new);

    let mut found: BTreeMap<String, Downgrade> = BTreeMap::new();
    for (dependent, wants) in &new.wants {
        let Some((had, identity)) = old.same(dependent, &new, &gone) else {
            continue;
        };

        for (name, gets) in wants {
            let Some(got) = had.get(name) else {
                continue;
            };

            for (larger, less) in fallen(got, gets, &smaller) {
                let worse = new
                    .findings_of(less)
                    .difference(&old.findings_of(larger))
                    .next()
                    .cloned();
                let fell_back = !dependent.is_project() && old.has(less) && !new.has(larger);
                let excuse = match (identity, &worse) {
                    (Identity::Relocated, _) => Some(Excuse::DependentRelocated),
                    (_, Some(_)) => None,
                    (Identity::Changed, None) => Some(Excuse::DependentChanged),
                    (Identity::Same, None) if fell_back => Some(Excuse::FellBack),
                    (Identity::Same, None) if less.bundled_with(dependent) => Some(Excuse::Bundled),
                    (Identity::Same, None) => None,
                };

                let downgrade = downgrade(dependent, larger, less, worse, excuse);
                let known = found.get(&downgrade.text);
                if known.is_none_or(|known| known.excuse.is_some()) {
                    found.insert(downgrade.text.clone(), downgrade);
                }
            }
        }
    }

    found.into_values().collect()
}

fn downgrade(
    dependent: &Dependent<'_>,
    larger: &Target<'_>,
    less: &Target<'_>,
    worse: Option<String>,
    excuse: Option<Excuse>,
) -> Downgrade {
    let whom = match dependent {
        Dependent::Project("") => "the project".to_owned(),
        Dependent::Project(name) => format!("`{name}`"),
        Dependent::Package { name, version, .. } => format!("`{name} {version}`"),
    };
    let with = worse.map_or_else(String::new, |id| format!(", which has {id}"));

    let mut packages = vec![(less.name.to_owned(), less.version.to_owned())];
    if let Dependent::Package { name, version, .. } = dependent {
        packages.push(((*name).to_owned(), (*version).to_owned()));
    }

    Downgrade {
        text: format!(
            "it moves `{} {}` down to {} for {whom}{with}",
            larger.name, larger.version, less.version
        ),
        package: less.name.to_owned(),
        from: larger.version.to_owned(),
        to: less.version.to_owned(),
        packages,
        excuse,
    }
}

/// How a dependent of the new lockfile relates to the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// It was there in the same version.
    Same,
    /// Another version was there in its stead.
    Changed,
    /// Another version of it was there, at another path, and is gone.
    Relocated,
}

/// The source of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dependent<'a> {
    /// A project of the repository, by its manifest or else its name.
    Project(&'a str),
    /// A locked copy of a package.
    Package {
        name: &'a str,
        version: &'a str,
        /// Install path, in npm's trees.
        path: Option<&'a str>,
        bundled: bool,
    },
}

impl Dependent<'_> {
    fn is_project(&self) -> bool {
        matches!(self, Self::Project(_))
    }
}

/// The target of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target<'a> {
    name: &'a str,
    version: &'a str,
    bundled: bool,
}

impl Target<'_> {
    fn bundled_with(&self, dependent: &Dependent<'_>) -> bool {
        self.bundled && matches!(dependent, Dependent::Package { bundled: true, .. })
    }
}

/// The targets of one dependent, by the name that it asks for.
type Wants<'a> = BTreeMap<&'a str, BTreeSet<Target<'a>>>;

/// One lockfile as its edges.
struct Side<'a> {
    wants: BTreeMap<Dependent<'a>, Wants<'a>>,
    /// The targets of all copies of a package, by its name and version.
    copies: BTreeMap<(&'a str, &'a str), Wants<'a>>,
    /// Packages by name and install path.
    by_path: BTreeMap<(&'a str, Option<&'a str>), BTreeSet<Dependent<'a>>>,
    /// Versions by name, without copies inside archives: no other package can use those.
    versions: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Ids of findings by name and version, without notices.
    findings: BTreeMap<(&'a str, &'a str), BTreeSet<String>>,
}

impl<'a> Side<'a> {
    fn new((lockfile, findings): (&'a Lockfile, &'a [Finding])) -> Self {
        let mut side = Self {
            wants: BTreeMap::new(),
            copies: BTreeMap::new(),
            by_path: BTreeMap::new(),
            versions: BTreeMap::new(),
            findings: BTreeMap::new(),
        };
        for root in &lockfile.roots {
            let name = root.manifest.as_deref().unwrap_or(&root.name);
            side.add(lockfile, Dependent::Project(name), &root.edges);
        }

        for package in &lockfile.packages {
            if !package.bundled {
                side.versions
                    .entry(&package.name)
                    .or_default()
                    .insert(&package.version);
            }
            // A member of the workspace is a project, whose version is of no importance.
            if matches!(package.origin, Origin::Path(_)) {
                side.add(lockfile, Dependent::Project(&package.name), &package.edges);
                continue;
            }

            let dependent = dependent(package);
            side.by_path
                .entry((&package.name, package.install_path.as_deref()))
                .or_default()
                .insert(dependent);
            side.add(lockfile, dependent, &package.edges);
        }

        for (dependent, wants) in &side.wants {
            if let Dependent::Package { name, version, .. } = dependent {
                merge(side.copies.entry((name, version)).or_default(), wants);
            }
        }

        for finding in findings.iter().filter(|finding| !finding.is_notice()) {
            side.findings
                .entry((&finding.package.name, &finding.package.version))
                .or_default()
                .extend(ids(finding).map(str::to_owned));
        }

        side
    }

    fn add(
        &mut self,
        lockfile: &'a Lockfile,
        dependent: Dependent<'a>,
        edges: &'a [patchgate_model::Edge],
    ) {
        let wants = self.wants.entry(dependent).or_default();
        for edge in edges {
            let Some(to) = lockfile.package(edge.to) else {
                continue;
            };

            if matches!(to.origin, Origin::Registry(_)) {
                wants.entry(&edge.name).or_default().insert(Target {
                    name: &to.name,
                    version: &to.version,
                    bundled: to.bundled,
                });
            }
        }
    }

    fn has(&self, copy: &Target<'_>) -> bool {
        self.versions
            .get(copy.name)
            .is_some_and(|versions| versions.contains(copy.version))
    }

    fn findings_of(&self, copy: &Target<'_>) -> BTreeSet<String> {
        self.findings
            .get(&(copy.name, copy.version))
            .cloned()
            .unwrap_or_default()
    }

    /// The targets that a dependent of the new side had on this one. `None` when it was not there.
    /// `gone` is [`Side::gone`].
    fn same<'s>(
        &'s self,
        dependent: &Dependent<'a>,
        new: &Side<'a>,
        gone: &'s BTreeMap<&'a str, Wants<'a>>,
    ) -> Option<(&'s Wants<'a>, Identity)> {
        if let Some(wants) = self.wants.get(dependent) {
            return Some((wants, Identity::Same));
        }
        let Dependent::Package {
            name,
            version,
            path,
            ..
        } = dependent
        else {
            return None;
        };

        if let Some(wants) = self.copies.get(&(*name, *version)) {
            return Some((wants, Identity::Same));
        }

        // Another version: its predecessor was installed at the same path. Without paths, only a
        // package that is there once has a predecessor for certain.
        let now = new.versions.get(name).map_or(0, BTreeSet::len);
        if let Some(there) = self.by_path.get(&(*name, *path))
            && let (Some(one), 1) = (there.first(), there.len())
            && (path.is_some() || now == 1)
        {
            return Some((self.wants.get(one)?, Identity::Changed));
        }

        // Else any version that is gone may be its predecessor.
        Some((gone.get(name)?, Identity::Relocated))
    }

    /// By name, the targets of all packages whose version the new side does not have.
    fn gone(&self, new: &Side<'a>) -> BTreeMap<&'a str, Wants<'a>> {
        let mut gone: BTreeMap<&'a str, Wants<'a>> = BTreeMap::new();
        for ((name, version), wants) in &self.copies {
            if !new.copies.contains_key(&(*name, *version)) {
                merge(gone.entry(name).or_default(), wants);
            }
        }

        gone
    }
}

/// The ids under which a finding is known.
fn ids(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(finding.id.as_str()).chain(finding.aliases.iter().map(String::as_str))
}

fn dependent(package: &Package) -> Dependent<'_> {
    Dependent::Package {
        name: &package.name,
        version: &package.version,
        path: package.install_path.as_deref(),
        bundled: package.bundled,
    }
}

fn merge<'a>(all: &mut Wants<'a>, more: &Wants<'a>) {
    for (name, targets) in more {
        all.entry(name).or_default().extend(targets);
    }
}

/// The targets that fell, each with the older one that replaced it. A dependent may ask for several
/// versions by one name (Cargo's renames): as many as before are compared in order, else each is
/// compared with the least that it got before.
fn fallen<'c, 'a>(
    got: &'c BTreeSet<Target<'a>>,
    gets: &'c BTreeSet<Target<'a>>,
    smaller: &impl Fn(&str, &str) -> bool,
) -> Vec<(&'c Target<'a>, &'c Target<'a>)> {
    let in_order = |targets: &'c BTreeSet<Target<'a>>| {
        let mut targets: Vec<&Target<'a>> = targets.iter().collect();
        targets.sort_by(|a, b| {
            if smaller(a.version, b.version) {
                Ordering::Less
            } else if smaller(b.version, a.version) {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        });

        targets
    };
    let (got, gets) = (in_order(got), in_order(gets));
    let least = got.first().copied();
    let pairs: Vec<_> = if got.len() == gets.len() {
        got.into_iter().zip(gets).collect()
    } else {
        gets.into_iter()
            .filter_map(|one| Some((least?, one)))
            .collect()
    };

    pairs
        .into_iter()
        .filter(|(had, has)| had.name == has.name && smaller(has.version, had.version))
        .collect()
}

#[cfg(test)]
mod tests;
