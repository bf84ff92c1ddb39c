//! Every change between two states of a lockfile.

pub(crate) mod integrity;
mod origins;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Lockfile, Origin, Package};

use crate::downgrade::{Downgrade, Excuse, falls};
use crate::rewired::rewired;
use crate::source::Source;
use crate::version_change::{VersionChange, bump};

/// The changes of one or several lockfiles. Texts name the package, its versions and the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockfileDiff {
    /// Packages with a new, higher version.
    pub upgrades: Vec<VersionChange>,
    /// Other steps up: a dependent that stays resolves to a higher version that is not a step of
    /// [`LockfileDiff::upgrades`].
    pub raised: Vec<VersionChange>,
    /// Packages with a lower version than before, without any excuse.
    pub downgrades: Vec<String>,
    /// Lower versions that have an [`Excuse`], which a person has to judge.
    pub excused_downgrades: Vec<String>,
    /// Changes whose direction is undetermined: the versions cannot be compared, or the highest one
    /// left.
    pub unordered: Vec<String>,
    /// Packages that were not in the tree.
    pub added: Vec<String>,
    /// Lower versions of known packages that were added next to the ones that stay.
    pub added_versions: Vec<String>,
    /// New versions from a registry on which nothing depends.
    pub unrequired: Vec<String>,
    /// Packages that left the tree.
    pub removed: Vec<String>,
    /// Dependencies of packages that stay which are no longer in the tree.
    pub unmet: Vec<String>,
    /// Versions that stay, but with another hash or without their hash.
    pub integrity_changed: Vec<String>,
    /// Hashes that a person has to judge: new versions without one, in a lockfile that has hashes, or
    /// with a weaker one than before, and versions that stay with a stronger one.
    pub integrity_missing: Vec<String>,
    /// Packages from another server or another git commit than before.
    pub source_changed: Vec<String>,
    /// Packages from another address of the same server, from an address that is not stated, or of
    /// another kind of source than a dependent got before.
    pub source_unclear: Vec<String>,
}

/// Compares two states of a lockfile.
///
/// A version is a downgrade (rather than a version that was added) when
///
/// 1. a dependent gets less than before, by the rules of [`crate::downgrades`];
/// 2. a direct dependency of a project resolves to less than before;
/// 3. a copy at one install path is replaced by an older one, unless that older version was in the
///    tree before and no dependent gets less by it: then a person decides, because npm hoists it
///    when a larger one leaves, and a lockfile does not prove that;
/// 4. the set of versions falls: a version that left has no replacement that is higher, and a new
///    one is lower than all that left.
///
/// A new version that is lower than all others is added, and no downgrade, when all those stay or
/// are upgraded and something asks for each copy of the new one.
#[must_use]
pub fn compare(ecosystem: &dyn Upgradable, base: &Lockfile, head: &Lockfile) -> LockfileDiff {
    Comparison::new(ecosystem, base, head).diff()
}

impl LockfileDiff {
    /// Adds the changes of another lockfile.
    pub fn extend(&mut self, other: Self) {
        self.upgrades.extend(other.upgrades);
        self.raised.extend(other.raised);
        for (all, more) in [
            (&mut self.downgrades, other.downgrades),
            (&mut self.excused_downgrades, other.excused_downgrades),
            (&mut self.unordered, other.unordered),
            (&mut self.added, other.added),
            (&mut self.added_versions, other.added_versions),
            (&mut self.unrequired, other.unrequired),
            (&mut self.removed, other.removed),
            (&mut self.unmet, other.unmet),
            (&mut self.integrity_changed, other.integrity_changed),
            (&mut self.integrity_missing, other.integrity_missing),
            (&mut self.source_changed, other.source_changed),
            (&mut self.source_unclear, other.source_unclear),
        ] {
            all.extend(more);
        }
    }
}

/// Copies of one package, by name.
type Copies<'a> = BTreeMap<String, Vec<&'a Package>>;

struct Comparison<'a> {
    ecosystem: &'a dyn Upgradable,
    base: Copies<'a>,
    head: Copies<'a>,
    base_file: &'a Lockfile,
    head_file: &'a Lockfile,
    /// The packages of the head on which something depends, by their address.
    asked_for: BTreeSet<*const Package>,
    /// The servers of the base's packages.
    servers: BTreeSet<Option<String>>,
    /// Whether the base has hashes.
    hashed: bool,
}

impl<'a> Comparison<'a> {
    fn new(ecosystem: &'a dyn Upgradable, base: &'a Lockfile, head: &'a Lockfile) -> Self {
        let copies = |lockfile: &'a Lockfile| {
            let mut copies: Copies<'a> = BTreeMap::new();
            for package in &lockfile.packages {
                copies
                    .entry(ecosystem.normalize_name(&package.name).into_owned())
                    .or_default()
                    .push(package);
            }
            copies
        };

        Self {
            ecosystem,
            base: copies(base),
            head: copies(head),
            base_file: base,
            head_file: head,
            asked_for: asked_for(head).map(std::ptr::from_ref).collect(),
            servers: base
                .packages
                .iter()
                .map(|package| Source::of(package).server)
                .collect(),
            hashed: base
                .packages
                .iter()
                .any(|package| package.integrity.is_some()),
        }
    }

    fn diff(&self) -> LockfileDiff {
        let mut diff = LockfileDiff::default();
        for (name, head) in &self.head {
            match self.base.get(name) {
                Some(base) => {
                    self.versions(name, base, head, &mut diff);
                    self.integrity(base, head, &mut diff);
                    self.source(name, base, head, &mut diff);
                    self.commits(name, base, head, &mut diff);
                    self.renumbered(name, base, head, &mut diff);
                }
                None => self.new_package(name, head, &mut diff),
            }
        }

        for (name, base) in &self.base {
            if !self.head.contains_key(name) {
                diff.removed
                    .push(self.text(&format!("{name} {}", list(&versions(base)))));
            }
        }

        let falls = falls(self.ecosystem, (self.base_file, &[]), (self.head_file, &[]));
        self.dependents(&falls, &mut diff);
        self.in_place(&falls, &mut diff);
        self.direct(&mut diff);
        self.rewired(&mut diff);
        self.unrequired(&mut diff);

        diff
    }

    fn text(&self, what: &str) -> String {
        format!("{what} ({})", self.head_file.path)
    }

    /// Pairs the versions that left with the new ones.
    fn versions(&self, name: &str, base: &[&Package], head: &[&Package], diff: &mut LockfileDiff) {
        let (before, after) = (versions(base), versions(head));
        let gone: Vec<&str> = before.difference(&after).copied().collect();
        let new: Vec<&str> = after.difference(&before).copied().collect();
        for to in &new {
            match self.closest_below(to, &before, &gone) {
                Ok(Some(from)) if self.order(from, to) == Ok(Ordering::Equal) => diff
                    .unordered
                    .push(self.text(&format!("{name} {to} is another spelling of {from}"))),
                Ok(Some(from)) => diff.upgrades.push(VersionChange {
                    package: name.to_owned(),
                    from: from.to_owned(),
                    to: (*to).to_owned(),
                    bump: bump(self.ecosystem, from, to),
                }),
                Ok(None) if self.all_upgraded(&gone, &new) && self.is_asked_for(head, to) => {
                    diff.added_versions
                        .push(self.text(&format!("{name} {to} next to {}", list(&before))));
                }
                Ok(None) => diff
                    .downgrades
                    .push(self.text(&format!("{name} {} -> {to}", list(&before)))),
                Err(error) => diff.unordered.push(self.text(&format!("{name}: {error}"))),
            }
        }

        match (self.highest(&before), self.highest(&after)) {
            // A dependent of the highest version gets a lower one now, or nothing requires it any
            // more: the lockfile alone does not always say which.
            (Ok(Some(was)), Ok(Some(is))) if self.order(is, was) == Ok(Ordering::Less) => {
                diff.unordered.push(self.text(&format!(
                    "{name} {was} leaves the tree, and {is} is now the highest"
                )));
            }
            (Err(error), _) | (_, Err(error)) if !gone.is_empty() || !new.is_empty() => {
                diff.unordered.push(self.text(&format!("{name}: {error}")));
            }
            _ => {}
        }
    }

    /// Whether each version that left is replaced by a higher new one.
    fn all_upgraded(&self, gone: &[&str], new: &[&str]) -> bool {
        gone.iter().all(|from| {
            new.iter()
                .any(|to| self.order(to, from) == Ok(Ordering::Greater))
        })
    }

    /// Whether something depends on every copy of a version, and all copies are from a registry. A
    /// package manager adds no copy that nothing asks for.
    fn is_asked_for(&self, head: &[&Package], version: &str) -> bool {
        head.iter()
            .filter(|copy| copy.version == version)
            .all(|copy| {
                matches!(copy.origin, Origin::Registry(_))
                    && self.asked_for.contains(&std::ptr::from_ref(*copy))
            })
    }

    /// The version that `to` replaces: the highest below it among those that left, or, when none
    /// left, among all that were there. `None` when all are higher.
    fn closest_below<'v>(
        &self,
        to: &str,
        before: &BTreeSet<&'v str>,
        gone: &[&'v str],
    ) -> Result<Option<&'v str>, String> {
        let below = |candidates: &mut dyn Iterator<Item = &'v str>| {
            let mut best: Option<&'v str> = None;
            for candidate in candidates {
                if self.order(candidate, to)? != Ordering::Greater
                    && match best {
                        Some(best) => self.order(candidate, best)? == Ordering::Greater,
                        None => true,
                    }
                {
                    best = Some(candidate);
                }
            }

            Ok::<_, String>(best)
        };
        if gone.is_empty() {
            return below(&mut before.iter().copied());
        }

        below(&mut gone.iter().copied())
    }

    fn highest<'v>(&self, versions: &BTreeSet<&'v str>) -> Result<Option<&'v str>, String> {
        let mut highest: Option<&'v str> = None;
        for version in versions {
            if match highest {
                Some(best) => self.order(version, best)? == Ordering::Greater,
                None => true,
            } {
                highest = Some(version);
            }
        }

        Ok(highest)
    }

    fn order(&self, a: &str, b: &str) -> Result<Ordering, String> {
        self.ecosystem
            .compare_versions(a, b)
            .map_err(|error| error.to_string())
    }

    /// Dependents that stay and resolve to something else than before.
    fn rewired(&self, diff: &mut LockfileDiff) {
        let rewired = rewired(self.ecosystem, self.base_file, self.head_file);

        for step in rewired.raised {
            if !diff.upgrades.contains(&step) && !diff.raised.contains(&step) {
                diff.raised.push(step);
            }
        }
        for (all, texts) in [
            (&mut diff.source_unclear, rewired.exchanged),
            (&mut diff.unmet, rewired.unmet),
        ] {
            all.extend(texts.iter().map(|text| self.text(text)));
        }
    }

    /// A package manager adds no version that nothing asks for. Copies inside an archive are chosen
    /// by its maker.
    fn unrequired(&self, diff: &mut LockfileDiff) {
        for (name, head) in &self.head {
            let before = self.base.get(name).map(|base| versions(base));
            let unrequired = head.iter().filter(|copy| {
                matches!(copy.origin, Origin::Registry(_))
                    && !copy.bundled
                    && !self.asked_for.contains(&std::ptr::from_ref(**copy))
                    && !before
                        .as_ref()
                        .is_some_and(|before| before.contains(&*copy.version))
            });
            for copy in unrequired {
                let what = format!("nothing depends on {name} {}, which is new", copy.version);
                diff.unrequired.push(self.text(&what));
            }
        }
    }

    /// Dependents that get an older version than before.
    fn dependents(&self, falls: &[Downgrade], diff: &mut LockfileDiff) {
        for fall in falls {
            let text = self.text(&fall.text);
            match fall.excuse {
                None => diff.downgrades.push(text),
                Some(excuse) => diff
                    .excused_downgrades
                    .push(format!("{text}, because {}", reason(excuse))),
            }
        }
    }

    /// A copy at one install path must not be replaced by an older one, even when the same version
    /// still exists elsewhere.
    fn in_place(&self, falls: &[Downgrade], diff: &mut LockfileDiff) {
        let base: BTreeMap<(&str, &str), &Package> = self
            .base_file
            .packages
            .iter()
            .filter_map(|package| {
                Some((
                    (package.install_path.as_deref()?, package.name.as_str()),
                    package,
                ))
            })
            .collect();

        for package in &self.head_file.packages {
            let Some(path) = package.install_path.as_deref() else {
                continue;
            };
            let Some(before) = base.get(&(path, package.name.as_str())) else {
                continue;
            };

            let (from, to) = (before.version.as_str(), package.version.as_str());
            if self.order(to, from) == Ok(Ordering::Less) && self.is_hoisted(package, falls) {
                diff.excused_downgrades.push(self.text(&format!(
                    "{path} {from} -> {to}, because {to} was in the tree before"
                )));
            } else {
                self.must_not_fall(path, from, to, diff);
            }
        }
    }

    /// Whether a copy is one that was in the tree before in this version, and by which no dependent
    /// gets less without an excuse.
    fn is_hoisted(&self, copy: &Package, falls: &[Downgrade]) -> bool {
        let was_there = self.base_file.packages.iter().any(|before| {
            before.name == copy.name
                && before.version == copy.version
                && before.integrity == copy.integrity
                && before.origin == copy.origin
        });

        was_there
            && self.asked_for.contains(&std::ptr::from_ref(copy))
            && !falls.iter().any(|fall| {
                fall.excuse.is_none() && fall.package == copy.name && fall.to == copy.version
            })
    }

    /// Direct dependencies must not resolve to a lower version.
    fn direct(&self, diff: &mut LockfileDiff) {
        let edges = |lockfile: &'a Lockfile| {
            lockfile.roots.iter().flat_map(move |root| {
                root.edges.iter().filter_map(move |edge| {
                    let package = lockfile.package(edge.to)?;
                    let key = (
                        root.name.as_str(),
                        root.manifest.as_deref(),
                        edge.name.as_str(),
                        package.name.as_str(),
                        edge.kind,
                    );
                    Some((key, package))
                })
            })
        };
        let base: BTreeMap<_, _> = edges(self.base_file)
            .map(|((root, manifest, name, package, kind), to)| {
                ((root, manifest, name, package, format!("{kind:?}")), to)
            })
            .collect();

        for ((root, manifest, name, package, kind), to) in edges(self.head_file) {
            let key = (root, manifest, name, package, format!("{kind:?}"));
            if let Some(before) = base.get(&key) {
                self.must_not_fall(
                    &format!("direct dependency {name}"),
                    &before.version,
                    &to.version,
                    diff,
                );
            }
        }
    }

    fn must_not_fall(&self, what: &str, from: &str, to: &str, diff: &mut LockfileDiff) {
        if from == to {
            return;
        }

        let text = self.text(&format!("{what} {from} -> {to}"));
        match self.order(to, from) {
            Ok(Ordering::Less) if !diff.downgrades.contains(&text) => diff.downgrades.push(text),
            Err(error) => diff.unordered.push(format!("{text}: {error}")),
            _ => {}
        }
    }

    fn new_package(&self, name: &str, head: &[&Package], diff: &mut LockfileDiff) {
        diff.added
            .push(self.text(&format!("{name} {}", list(&versions(head)))));
        for package in head {
            let source = Source::of(package);
            if !self.servers.contains(&source.server) {
                diff.source_changed.push(self.text(&format!(
                    "{name} comes from {source}, a server from which no package came before"
                )));
            }
            if !matches!(package.origin, Origin::Registry(_)) {
                diff.source_unclear
                    .push(self.text(&format!("{name} is new and not from a registry: {source}")));
            }
        }
        self.integrity(&[], head, diff);
    }
}

/// Packages to which an edge leads.
pub(crate) fn asked_for(lockfile: &Lockfile) -> impl Iterator<Item = &Package> {
    let of_projects = lockfile.roots.iter().flat_map(|root| &root.edges);
    let of_packages = lockfile.packages.iter().flat_map(|package| &package.edges);
    of_projects
        .chain(of_packages)
        .filter_map(|edge| lockfile.package(edge.to))
}

/// The excuse as a text that completes "because …".
fn reason(excuse: Excuse) -> &'static str {
    match excuse {
        Excuse::FellBack => "the larger version left the tree and the smaller one was in it before",
        Excuse::DependentChanged => "the dependent changed its version",
        Excuse::DependentRelocated => "the dependent changed its version and its location",
        Excuse::Bundled => "both are shipped inside one archive",
    }
}

fn versions<'a>(packages: &[&'a Package]) -> BTreeSet<&'a str> {
    packages
        .iter()
        .map(|package| package.version.as_str())
        .collect()
}

fn list(versions: &BTreeSet<&str>) -> String {
    versions.iter().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
