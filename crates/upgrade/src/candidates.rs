//! Which releases of a copy's package come into question.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Release;
use patchgate_model::{Bump, DependencyKind, Origin, Package, PackageIndex};

use crate::search::{Blocked, Search, State};

impl<'a> Search<'a> {
    /// The releases that may replace a copy, in ascending order: those that leave the fewest
    /// findings and bring none, and that let go of what the copy must let go of.
    ///
    /// `reachable` limits them further before the fewest findings are counted.
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
                    "no release of `{}` above {} accepts what it needs",
                    package.name, package.version
                ),
                (true, false) => format!(
                    "every release of `{}` that ends them breaks a peer requirement",
                    package.name
                ),
                (false, true) => format!(
                    "there is no release of `{}` above {} without findings",
                    package.name, package.version
                ),
                (false, false) => format!(
                    "no release above {} is known to be free of them",
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
            Origin::Path(_) => format!("`{name}` is a folder of this repository"),
            Origin::Url(_) => format!("`{name}` comes from an address outside any registry"),
        }))
    }

    /// Releases above the installed one, in ascending order, without pre-releases and yanked
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

    /// Whether a release accepts what its copy must accept, or does not need it.
    fn lets_go(&self, copy: PackageIndex, release: &Release, state: &State) -> bool {
        let Some(goals) = state.goals.get(&copy) else {
            return true;
        };

        goals.iter().all(|(needed, versions)| {
            let Some(needed) = self.request.lockfile.package(*needed) else {
                return true;
            };
            let requirements = requirements_on(release, needed);

            // Without versions that would do, any other release may be the answer: that is how a
            // parent is asked to move for a copy in its archive.
            versions.is_empty()
                || requirements.is_empty()
                || versions.iter().any(|version| {
                    requirements
                        .iter()
                        .all(|requirement| self.admits(Some(requirement), &needed.version, version))
                })
        })
    }

    /// Whether a release's peer requirements hold wherever the installed one's do.
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
    /// A requirement that is not known, or that names no versions, is taken to admit what does not
    /// break by the ecosystem's convention; the package manager has the last word.
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

    /// Whether a requirement says that it admits a version. The same is asked over and over, and
    /// each answer takes a requirement and a version apart.
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

/// A release's requirements on a package, development ones left out: nobody who depends on the
/// release gets those.
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
