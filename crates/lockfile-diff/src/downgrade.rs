//! Whether somebody gets an older version of something than before.
//!
//! The measure is the edge: one dependent, one name that it asks for, and the version that it gets.
//! A tree as a whole has no versions that could fall: when the only package that needed a larger
//! copy no longer does, the copy goes away, and nobody got less.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Finding, Lockfile, Origin, Package};

use crate::lock_state::ids;
use crate::violation::Violation;

/// Edges that were moved down without a reason.
///
/// An edge is looked at when its dependent is there before and after in the same version, as every
/// project of the repository is: a dependent that moved may ask for something else, and one that
/// went away asks for nothing. In npm's trees the copy at the same place is the same dependent; a
/// copy that npm put elsewhere is measured against the least that any copy of its version got.
///
/// A smaller version than before is a downgrade, except
///
/// 1. when a package, not a project, falls back on a copy that the tree had before, that is no
///    downgrade itself: its requirement admits it (what it does not admit is reported as not met),
///    the larger version is gone from the whole tree because nobody insists on it any more, and
///    the smaller one has no finding that the larger one did not have;
/// 2. when both ends are shipped inside one archive: its maker chose them, and a finding that this
///    brings is told apart from downgrades.
///
/// A dependent that did move is looked at for one thing: the smaller version that it now gets has
/// no finding that the larger one did not have, even when the tree had that finding elsewhere.
pub(super) fn downgrades(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
) -> Vec<Violation> {
    let (old, new) = (Side::new(before), Side::new(after));
    let smaller = |a: &str, b: &str| ecosystem.compare_versions(a, b) == Ok(Ordering::Less);

    let mut found = BTreeMap::new();
    for (dependent, wants) in &new.wants {
        let Some((had, moved)) = old.same(dependent, &new) else {
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
                let fell_back =
                    !dependent.is_project() && old.has(less) && !new.has(larger) && worse.is_none();
                let allowed =
                    worse.is_none() && (moved || fell_back || less.bundled_with(dependent));

                if !allowed {
                    let violation = violation(dependent, larger, less, worse);
                    found.insert(violation.text.clone(), violation);
                }
            }
        }
    }

    found.into_values().collect()
}

fn violation(
    dependent: &Dependent<'_>,
    larger: &Copy<'_>,
    less: &Copy<'_>,
    worse: Option<String>,
) -> Violation {
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

    Violation {
        text: format!(
            "it moves `{} {}` down to {} for {whom}{with}",
            larger.name, larger.version, less.version
        ),
        packages,
    }
}

/// One who depends on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dependent<'a> {
    /// A project of the repository, by its manifest or else its name.
    Project(&'a str),
    /// A locked copy.
    Package {
        name: &'a str,
        version: &'a str,
        /// Where it is installed, in npm's trees.
        path: Option<&'a str>,
        bundled: bool,
    },
}

impl Dependent<'_> {
    fn is_project(&self) -> bool {
        matches!(self, Self::Project(_))
    }
}

/// What an edge leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Copy<'a> {
    name: &'a str,
    version: &'a str,
    bundled: bool,
}

impl Copy<'_> {
    fn bundled_with(&self, dependent: &Dependent<'_>) -> bool {
        self.bundled && matches!(dependent, Dependent::Package { bundled: true, .. })
    }
}

/// What a dependent gets, by the name that it asks for.
type Wants<'a> = BTreeMap<&'a str, BTreeSet<Copy<'a>>>;

/// One lockfile as its edges.
struct Side<'a> {
    wants: BTreeMap<Dependent<'a>, Wants<'a>>,
    /// Dependents by name and version.
    copies: BTreeMap<(&'a str, &'a str), Vec<Dependent<'a>>>,
    /// Versions by name, without copies inside archives, which nobody else can fall back on.
    versions: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Ids of findings by name and version, without notices.
    findings: BTreeMap<(&'a str, &'a str), BTreeSet<String>>,
}

impl<'a> Side<'a> {
    fn new((lockfile, findings): (&'a Lockfile, &'a [Finding])) -> Self {
        let mut side = Self {
            wants: BTreeMap::new(),
            copies: BTreeMap::new(),
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
            // A member is listed as a project too, and only there its version says nothing.
            if matches!(package.origin, Origin::Path(_)) {
                side.add(lockfile, Dependent::Project(&package.name), &package.edges);
                continue;
            }

            let dependent = dependent(package);
            side.copies
                .entry((&package.name, &package.version))
                .or_default()
                .push(dependent);
            side.add(lockfile, dependent, &package.edges);
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
                wants.entry(&edge.name).or_default().insert(Copy {
                    name: &to.name,
                    version: &to.version,
                    bundled: to.bundled,
                });
            }
        }
    }

    fn has(&self, copy: &Copy<'_>) -> bool {
        self.versions
            .get(copy.name)
            .is_some_and(|versions| versions.contains(copy.version))
    }

    fn findings_of(&self, copy: &Copy<'_>) -> BTreeSet<String> {
        self.findings
            .get(&(copy.name, copy.version))
            .cloned()
            .unwrap_or_default()
    }

    /// What a dependent of the new side got on this one, and whether it moved in between. `None`
    /// when it was not there.
    fn same(&self, dependent: &Dependent<'a>, new: &Side<'a>) -> Option<(Wants<'a>, bool)> {
        if let Some(wants) = self.wants.get(dependent) {
            return Some((wants.clone(), false));
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

        if let Some(copies) = self.copies.get(&(*name, *version)) {
            let wants = copies.iter().filter_map(|copy| self.wants.get(copy));
            return Some((wants.fold(Wants::new(), together), false));
        }
        // It moved: the one whose place it took, which without places only a package that is there
        // once can tell.
        let was = self.wants.iter().filter(|(old, _)| {
            matches!(old, Dependent::Package { name: was, path: at, .. } if was == name && at == path)
        });

        let was: Vec<&Wants<'a>> = was.map(|(_, wants)| wants).collect();
        let now = new.versions.get(name).map_or(0, BTreeSet::len);

        match was.as_slice() {
            [one] if path.is_some() || now == 1 => Some(((*one).clone(), true)),
            _ => None,
        }
    }
}

fn dependent(package: &Package) -> Dependent<'_> {
    Dependent::Package {
        name: &package.name,
        version: &package.version,
        path: package.install_path.as_deref(),
        bundled: package.bundled,
    }
}

fn together<'a>(mut all: Wants<'a>, more: &Wants<'a>) -> Wants<'a> {
    for (name, copies) in more {
        all.entry(name).or_default().extend(copies);
    }
    all
}

/// The versions that fell, each with what took its place. A dependent may ask for several versions
/// by one name (Cargo's renames): as many as before are compared in order, else each with the least
/// that it got before.
fn fallen<'c, 'a>(
    got: &'c BTreeSet<Copy<'a>>,
    gets: &'c BTreeSet<Copy<'a>>,
    smaller: &impl Fn(&str, &str) -> bool,
) -> Vec<(&'c Copy<'a>, &'c Copy<'a>)> {
    let in_order = |copies: &'c BTreeSet<Copy<'a>>| {
        let mut copies: Vec<&Copy<'a>> = copies.iter().collect();
        copies.sort_by(|a, b| {
            if smaller(a.version, b.version) {
                Ordering::Less
            } else if smaller(b.version, a.version) {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        });

        copies
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
