//! The rest of the metadata of releases, in registries that describe each one in a document of its own.

use std::collections::BTreeSet;

use patchgate_ecosystems::{FoundRequirement, Release, Requirement};

use crate::context::Failure;
use crate::lock_state::LockState;
use crate::registries::details;
use crate::release_index::ReleaseIndex;

/// Most releases around one whose details are fetched with it.
const MAX_AROUND: usize = 64;

/// Most releases of one package that requirements name and its list does not have.
const MAX_UNLISTED: usize = 64;

impl ReleaseIndex<'_> {
    /// Fetches the rest of the metadata of releases. A release without an answer is never chosen.
    pub(super) async fn look_up_details(
        &mut self,
        tree: &LockState,
        wanted: &BTreeSet<(String, String)>,
    ) {
        if let Some((name, version)) = wanted.first() {
            (self.context.progress)(&match wanted.len() {
                1 => format!("metadata of {name} {version}"),
                count => format!("metadata of {count} releases"),
            });
        }
        let mut releases = Vec::new();
        for (name, version) in wanted {
            let around = self.detail_rounds.entry(name.clone()).or_default();
            *around = (*around * 2 + 1).min(MAX_AROUND);
            let known = self.known.releases(self.ecosystem, name);
            let known = known.and_then(Result::ok).unwrap_or_default();
            let Some(index) = known.iter().position(|one| one.version == *version) else {
                continue;
            };
            let range = index.saturating_sub(*around / 2)..=index + *around / 2;
            let near = known
                .iter()
                .enumerate()
                .filter(|(at, _)| range.contains(at));
            let lacking = near.filter(|(_, release)| release.details.is_some());
            releases.extend(lacking.map(|(_, release)| (name.clone(), release.clone())));
        }

        for (name, version, answer) in details(self.context.client, self.ecosystem, releases).await
        {
            match answer {
                Ok(mut release) => {
                    let ecosystem = self.ecosystem;
                    let policy = &self.context.policy;
                    if policy.cooldown(ecosystem.name().as_str(), &name) > 0 {
                        self.registries
                            .add_published(ecosystem, &tree.lockfile, &name, &mut release)
                            .await;
                    }
                    self.environments.settle(ecosystem, &mut release);
                    self.bring_in(&name, &mut release);
                    self.note_named(&release);
                    self.known.complete(self.ecosystem, &name, release);
                }
                Err(unanswered) => {
                    self.known.remove(self.ecosystem, &name, &version);
                    self.report_unanswered(&name, &unanswered);
                }
            }
        }
    }

    /// Adds requirements of releases that are not in their metadata. True when one of them is new.
    pub(super) async fn learn(
        &mut self,
        tree: &LockState,
        found: &[FoundRequirement],
    ) -> Result<bool, Failure> {
        let mut is_new = false;
        for one in found {
            let Some(release) = self.release(&one.package, &one.version) else {
                continue;
            };
            if release.requirements.contains(&one.requirement) {
                continue;
            }

            is_new = true;
            let mut release = release.clone();
            release.requirements.push(one.requirement.clone());
            self.note_named(&release);
            self.known.complete(self.ecosystem, &one.package, release);
            if !one.requirement.only_bounds {
                let name = one.requirement.name.clone();
                let brought = self.brought.entry(one.package.clone()).or_default();
                brought.insert(name);
                self.bring_in_all(&one.package);
            }
        }

        self.add_unlisted(tree).await?;
        Ok(is_new)
    }

    /// Has all releases of a package bring in what one of them brings in, as far as they require it. What
    /// a release does not need after all, the writer leaves out.
    fn bring_in_all(&mut self, package: &str) {
        let known = self.known.releases(self.ecosystem, package);
        let known = known.and_then(Result::ok).unwrap_or_default();
        let mut changed = known.to_vec();
        changed.retain_mut(|release| self.bring_in(package, release));
        for release in changed {
            self.known.complete(self.ecosystem, package, release);
        }
    }

    /// The same for one release. True when that changes it.
    fn bring_in(&self, package: &str, release: &mut Release) -> bool {
        let names = self.brought.get(package).into_iter().flatten();
        let mut more = Vec::new();
        for name in names {
            let of_name = release.requirements.iter().filter(|one| one.name == *name);
            let bounds: Vec<&Requirement> = of_name.collect();
            if let Some(bound) = bounds.first()
                && bounds.iter().all(|one| one.only_bounds)
            {
                more.push(Requirement {
                    only_bounds: false,
                    ..(*bound).clone()
                });
            }
        }

        let is_new = !more.is_empty();
        release.requirements.extend(more);
        is_new
    }

    /// Notes the releases that the requirements of a release name.
    fn note_named(&mut self, release: &Release) {
        for requirement in &release.requirements {
            let text = &requirement.requirement;
            if self.ecosystem.unlisted_release(text).is_none() {
                continue;
            }
            let name = self.ecosystem.normalize_name(requirement.package_name());
            let named = self.named.entry(name.into_owned()).or_default();
            if named.len() < MAX_UNLISTED {
                named.insert(text.clone());
            }
        }
    }

    /// The releases of a package that requirements name and that are not among those of the list.
    pub(super) async fn unlisted(
        &mut self,
        tree: &LockState,
        name: &str,
        listed: &[Release],
    ) -> Result<Vec<Release>, Failure> {
        let key = self.ecosystem.normalize_name(name);
        let named = self.named.get(key.as_ref()).into_iter().flatten();
        let packages = tree.lockfile.packages.iter();
        let locked = packages.filter(|package| package.name == name);
        let mut unlisted: Vec<Release> = named
            .map(String::as_str)
            .chain(locked.map(|package| package.version.as_str()))
            .filter_map(|version| self.ecosystem.unlisted_release(version))
            .filter(|one| listed.iter().all(|known| known.version != one.version))
            .collect();
        if unlisted.is_empty() {
            return Ok(unlisted);
        }

        let list = self
            .registries
            .list_address(self.ecosystem, &tree.lockfile, name)
            .await?;
        for release in &mut unlisted {
            release.resolve(&list);
        }
        Ok(unlisted)
    }

    /// Adds the unlisted releases of packages whose lists are known.
    pub(super) async fn add_unlisted(&mut self, tree: &LockState) -> Result<(), Failure> {
        let mut added = Vec::new();
        for name in self.named.keys().cloned().collect::<Vec<_>>() {
            let Some(Ok(listed)) = self.known.releases(self.ecosystem, &name) else {
                continue;
            };
            let listed = listed.to_vec();
            let unlisted = self.unlisted(tree, &name, &listed).await?;
            if !unlisted.is_empty() {
                added.push((name, unlisted));
            }
        }
        if added.is_empty() {
            return Ok(());
        }

        let names: Vec<String> = added.iter().map(|(name, _)| name.clone()).collect();
        let advisories = self.advisories(&names).await?;
        for (name, unlisted) in added {
            let judged = self.judge_all(&name, &unlisted, &advisories);
            self.judged.entry(name.clone()).or_default().extend(judged);
            self.known.extend(self.ecosystem, &name, unlisted);
        }

        Ok(())
    }
}
