//! Candidates: the releases that may replace a copy.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Release;
use patchgate_model::{Bump, DependencyKind, Origin, Package, PackageIndex};

use crate::search::{Blocked, Search, State};

impl<'a> Search<'a> {
    /// The releases that may replace a copy, in ascending order: those with the fewest findings, none
    /// of them new, that also admit the upgrades for which the copy itself has to be upgraded.
    ///
    /// `reachable` filters the releases before the fewest findings are counted.
    pub(crate) fn candidates(
        &self,
        copy: PackageIndex,
        state: &State,
        reachable: &dyn Fn(&Release) -> bool,
    ) -> Result<Vec<&'a Release>, Blocked> {
        let package = self.movable(copy)?;
        let own = self.findings_of(copy);
        let mut judged: Vec<(&Release, usize)> = Vec::new();

        let mut goal_unmet = false;
        for release in self.above(package)? {
            if self.is_refused(package, release) || !reachable(release) {
                continue;
            }
            let Some(ids) = self.judge(&package.name, &release.version) else {
                return Err(Blocked::Missing);
            };
            if !ids.is_subset(own) {
                continue;
            }
            if !self.lets_go(copy, release, state) || !self.peers_hold(package, release) {
                goal_unmet = true;
                continue;
            }

            judged.push((release, ids.len()));
        }

        let must_let_go = state.goals.contains_key(&copy);
        let fewest = judged.iter().map(|(_, left)| *left).min();
        let Some(fewest) = fewest.filter(|fewest| must_let_go || *fewest < own.len()) else {
            return Err(Blocked::Because(match (goal_unmet, must_let_go) {
                (true, true) => format!(
                    "no release of `{}` above {} allows an acceptable version",
                    package.name, package.version
                ),
                (true, false) => format!(
                    "every release of `{}` that fixes them breaks a peer requirement",
                    package.name
                ),
                (false, true) => format!(
                    "there is no release of `{}` above {} without findings",
                    package.name, package.version
                ),
                (false, false) => format!(
                    "no release above {} is known to be without these findings",
                    package.version
                ),
            }));
        };

        judged.retain(|(_, left)| *left == fewest);
        Ok(judged.into_iter().map(|(release, _)| release).collect())
    }

    /// The package of a copy, when it is one whose version a lockfile can change.
    fn movable(&self, copy: PackageIndex) -> Result<&'a Package, Blocked> {
        let Some(package) = self.request.lockfile.package(copy) else {
            return Err(Blocked::Because("it is not in the lockfile".to_owned()));
        };
        if let Some(reason) = self.request.frozen.get(&copy) {
            return Err(Blocked::Because(reason.clone()));
        }

        let name = &package.name;
        Err(Blocked::Because(match &package.origin {
            Origin::Registry(_) if package.bundled => {
                format!("`{name}` is shipped inside its parent's archive")
            }
            Origin::Registry(_) => return Ok(package),
            Origin::Git { .. } => {
                format!("`{name}` comes from a git repository, not from a registry")
            }
            Origin::Path(_) => format!("`{name}` is a directory of this repository"),
            Origin::Url(_) => format!("`{name}` comes from an address outside any registry"),
        }))
    }

    /// Releases above the installed one, in ascending order, without pre-releases, and without yanked
    /// ones where others exist.
    fn above(&self, package: &Package) -> Result<Vec<&'a Release>, Blocked> {
        let ecosystem = self.request.ecosystem;
        let releases = self.releases(&package.name)?;
        let prerelease = ecosystem.is_prerelease(&package.version).unwrap_or(false);
        let above: Vec<&Release> = releases
            .iter()
            .filter(|release| {
                ecosystem.compare_versions(&release.version, &package.version)
                    == Ok(Ordering::Greater)
                    && (prerelease || ecosystem.is_prerelease(&release.version) == Ok(false))
            })
            .collect();

        let installed_yanked = releases
            .iter()
            .any(|release| release.version == package.version && release.yanked);
        let all = self.request.yanked_installable
            && (installed_yanked || above.iter().all(|release| release.yanked));

        Ok(above
            .into_iter()
            .filter(|release| all || !release.yanked)
            .collect())
    }

    fn is_refused(&self, package: &Package, release: &Release) -> bool {
        self.request
            .refused
            .get(&package.name)
            .is_some_and(|versions| versions.contains(&release.version))
    }

    /// Whether a release admits the versions that its copy has to admit, or does not need the package.
    fn lets_go(&self, copy: PackageIndex, release: &Release, state: &State) -> bool {
        let Some(goals) = state.goals.get(&copy) else {
            return true;
        };

        goals.iter().all(|(needed, versions)| {
            let Some(needed) = self.request.lockfile.package(*needed) else {
                return true;
            };
            let requirements = requirements_on(release, needed);

            // An empty list means that any other release may help: a parent is upgraded in this way
            // for a copy in its archive, whose version no metadata has.
            versions.is_empty()
                || requirements.is_empty()
                || versions.iter().any(|version| {
                    requirements
                        .iter()
                        .all(|requirement| self.admits(Some(requirement), &needed.version, version))
                })
        })
    }

    /// Whether a release's peer requirements are met wherever those of the installed one are.
    fn peers_hold(&self, package: &Package, release: &Release) -> bool {
        package
            .edges
            .iter()
            .filter(|edge| edge.kind == DependencyKind::Peer)
            .all(|edge| {
                let Some(peer) = self.request.lockfile.package(edge.to) else {
                    return true;
                };
                let holds = |requirement: &str| {
                    self.admits(Some(requirement), &peer.version, &peer.version)
                };

                !edge.requirement.as_deref().is_none_or(holds)
                    || release
                        .requirements
                        .iter()
                        .filter(|requirement| {
                            requirement.kind == DependencyKind::Peer
                                && requirement.name == edge.name
                        })
                        .all(|requirement| holds(&requirement.requirement))
            })
    }

    /// The ids of a copy's findings.
    pub(crate) fn findings_of(&self, copy: PackageIndex) -> &'a BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.request.vulnerable.get(&copy).unwrap_or(&NONE)
    }

    /// Whether a requirement admits a version.
    ///
    /// An unknown requirement, or one that names no versions, counts as admitting every compatible
    /// version by the ecosystem's convention, because the package manager checks the result anyway.
    pub(crate) fn admits(&self, requirement: Option<&str>, installed: &str, version: &str) -> bool {
        let ecosystem = self.request.ecosystem;
        requirement
            .and_then(|requirement| self.states(requirement, version))
            .unwrap_or_else(|| {
                ecosystem
                    .bump(installed, version)
                    .is_ok_and(|bump| bump != Bump::Major)
            })
    }

    /// Whether a requirement admits a version, by its own text. Cached, because the search repeats the
    /// same questions and each one parses a requirement and a version.
    fn states(&self, requirement: &str, version: &str) -> Option<bool> {
        let known = |admitted: &BTreeMap<String, BTreeMap<String, Option<bool>>>| {
            admitted.get(requirement)?.get(version).copied()
        };
        if let Some(answer) = known(&self.admitted.borrow()) {
            return answer;
        }

        let answer = self.request.ecosystem.admits(requirement, version).ok();
        self.admitted
            .borrow_mut()
            .entry(requirement.to_owned())
            .or_default()
            .insert(version.to_owned(), answer);

        answer
    }
}

/// A release's requirements on a package, without development ones: no dependent of the release
/// installs those.
pub(crate) fn requirements_on<'r>(release: &'r Release, needed: &Package) -> Vec<&'r str> {
    release
        .requirements
        .iter()
        .filter(|requirement| requirement.kind != DependencyKind::Development)
        .filter(|requirement| {
            needed.alias.as_deref() == Some(requirement.name.as_str())
                || requirement.package.as_deref().unwrap_or(&requirement.name) == needed.name
        })
        .map(|requirement| requirement.requirement.as_str())
        .collect()
}
