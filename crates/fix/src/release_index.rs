//! Index of the releases of packages and the findings that each would have, filled while one
//! lockfile is planned.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_advisories::{NoSignals, PackageQuery, find};
use patchgate_ecosystems::{Release, Upgradable};
use patchgate_model::{Finding, Inventory, Lockfile, Package, PackageIndex, Problem, ProblemKind};
use patchgate_upgrade::{Planned, Proposal, Releases, Request, plan};

use patchgate_package_managers::{ConfigurationFile, PackageManager};

use crate::context::{Failure, FixContext};
use crate::exclusions::Exclusions;
use crate::lock_state::{LockState, ids};
use crate::registries::Registries;

/// Most rounds of looking up metadata that the planner lacks. Each follows the graph one step up.
const MAX_ROUNDS: usize = 64;

/// Ids of the findings that each release would have.
type Judged = BTreeMap<String, BTreeSet<String>>;

/// The releases of packages and their findings, as far as the planner asked for them.
pub(super) struct ReleaseIndex<'a> {
    context: &'a FixContext<'a>,
    ecosystem: &'static dyn Upgradable,
    manager: &'static dyn PackageManager,
    registries: Registries<'a>,
    known: Releases,
    judged: BTreeMap<String, Judged>,
    /// For each package, the id under which its findings go, by each of their ids.
    canonical: BTreeMap<String, BTreeMap<String, String>>,
    /// Packages whose releases could not be looked up, so that a plan may miss fixes for them.
    pub(super) problems: BTreeSet<Problem>,
}

impl<'a> ReleaseIndex<'a> {
    pub(super) fn new(
        context: &'a FixContext<'a>,
        ecosystem: &'static dyn Upgradable,
        manager: &'static dyn PackageManager,
        configuration: Vec<ConfigurationFile>,
    ) -> Self {
        Self {
            context,
            ecosystem,
            manager,
            registries: Registries::new(context.client, manager, configuration, context.run),
            known: Releases::default(),
            judged: BTreeMap::new(),
            canonical: BTreeMap::new(),
            problems: BTreeSet::new(),
        }
    }

    /// Plans for the copies given, which have the findings given, looking up whatever the planner
    /// asks for.
    pub(super) async fn plan(
        &mut self,
        tree: &LockState,
        findings: &[&Finding],
        vulnerable: &BTreeMap<PackageIndex, BTreeSet<String>>,
        exclusions: &Exclusions,
    ) -> Result<Proposal, Failure> {
        for finding in findings {
            let name = finding.package.name.clone();
            let canonical = self.canonical.entry(name).or_default();
            for id in ids(finding) {
                canonical
                    .entry(id.to_owned())
                    .or_insert_with(|| finding.id.clone());
            }
        }

        let frozen = tree
            .lockfile
            .indexed()
            .filter_map(|(copy, _)| {
                Some((copy, exclusions.frozen.get(&tree.describe(copy))?.clone()))
            })
            .collect();
        for _ in 0..MAX_ROUNDS {
            let judge = |name: &str, version: &str| self.judge(name, version);
            let planned = plan(&Request {
                lockfile: &tree.lockfile,
                ecosystem: self.ecosystem,
                vulnerable,
                releases: &self.known,
                judge: &judge,
                refused: &exclusions.refused,
                frozen: &frozen,
                yanked_installable: self.manager.installs_yanked(),
            });

            match planned {
                Planned::Ready(proposal) => return Ok(proposal),
                Planned::Missing(names) => self.look_up(tree, &names).await?,
            }
        }

        Err(Failure::new(
            "planning needs the metadata of too many packages",
        ))
    }

    /// Bans every release of a package but its newest one that is no pre-release, and that one too
    /// when it was just tried.
    pub(super) fn refuse_all_but_newest(
        &self,
        name: &str,
        tried: &str,
        exclusions: &mut Exclusions,
    ) {
        let Some(Ok(releases)) = self.known.releases(self.ecosystem, name) else {
            return;
        };
        let stable = |release: &&Release| {
            !release.yanked && self.ecosystem.is_prerelease(&release.version) == Ok(false)
        };
        let newest = releases
            .iter()
            .rfind(stable)
            .map(|release| &release.version);
        let refused = exclusions.refused.entry(name.to_owned()).or_default();

        refused.extend(
            releases
                .iter()
                .map(|release| &release.version)
                .filter(|version| Some(*version) != newest || *version == tried)
                .cloned(),
        );
    }

    fn judge(&self, name: &str, version: &str) -> Option<BTreeSet<String>> {
        let judged = self
            .judged
            .get(self.ecosystem.normalize_name(name).as_ref())?;
        let own = |id: &String| self.canonical_id(name, id).unwrap_or(id).clone();

        Some(judged.get(version)?.iter().map(own).collect())
    }

    fn canonical_id(&self, name: &str, id: &str) -> Option<&String> {
        self.canonical.get(name)?.get(id)
    }

    /// Fetches releases and all the advisories of packages.
    async fn look_up(&mut self, tree: &LockState, names: &BTreeSet<String>) -> Result<(), Failure> {
        let names: Vec<String> = names.iter().cloned().collect();
        (self.context.progress)(&match names.as_slice() {
            [name] => format!("releases of {name}"),
            _ => format!("releases of {} packages", names.len()),
        });
        let queries: Vec<PackageQuery> = names
            .iter()
            .map(|name| PackageQuery {
                ecosystem: self.ecosystem.name(),
                distribution: None,
                name: name.as_str().into(),
                version: None,
            })
            .collect();
        let lookup = self.context.source.lookup(&queries).await;
        if let Some(problem) = lookup.problems.into_iter().next() {
            return Err(problem.into());
        }

        let advisories = patchgate_advisories::AdvisoryLookup {
            advisories: lookup.advisories,
            ..patchgate_advisories::AdvisoryLookup::default()
        };
        let answers = self
            .registries
            .releases(self.ecosystem, &tree.lockfile, &names)
            .await?;
        for (name, releases) in answers {
            let judged = match &releases {
                Ok(releases) => self.judge_all(&name, releases, &advisories),
                Err(_) => Judged::new(),
            };
            self.judged
                .insert(self.ecosystem.normalize_name(&name).into_owned(), judged);
            if let Err(unanswered) = &releases
                && !unanswered.is_an_answer
            {
                self.problems.insert(Problem {
                    kind: ProblemKind::Registry,
                    subject: name.clone(),
                    line: None,
                    reason: unanswered.reason.clone(),
                    hint: unanswered.hint.clone(),
                });
            }

            let releases = releases.map_err(|unanswered| unanswered.reason);
            self.known.insert(self.ecosystem, &name, releases);
        }

        Ok(())
    }

    /// The findings that each release would have, by the same matching as a scan.
    fn judge_all(
        &self,
        name: &str,
        releases: &[Release],
        advisories: &patchgate_advisories::AdvisoryLookup,
    ) -> Judged {
        let mut judged: Judged = releases
            .iter()
            .map(|release| (release.version.clone(), BTreeSet::new()))
            .collect();
        let inventory = Inventory {
            lockfiles: vec![Lockfile {
                ecosystem: self.ecosystem.name(),
                packages: releases
                    .iter()
                    .map(|release| {
                        let ecosystem = self.ecosystem.name();
                        Package::new(ecosystem, name.to_owned(), release.version.clone())
                    })
                    .collect(),
                ..Lockfile::default()
            }],
            ..Inventory::default()
        };
        let found = find(&inventory, advisories, &NoSignals);
        for finding in found.findings {
            if finding.is_notice() {
                continue;
            }

            if let Some(ids_of) = judged.get_mut(&finding.package.version) {
                // Any id that a finding of the lockfile goes by names the same vulnerability.
                let id = ids(&finding)
                    .find_map(|id| self.canonical_id(name, id))
                    .unwrap_or(&finding.id);
                ids_of.insert(id.clone());
            }
        }

        judged
    }
}
