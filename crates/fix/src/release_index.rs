//! Index of the releases of packages and the findings that each would have, filled while one
//! lockfile is planned.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_advisories::{AdvisoryLookup, NoSignals, PackageQuery, find};
use patchgate_ecosystems::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, TargetGraph, TargetNode, Upgradable,
};
use patchgate_model::{
    Finding, Inventory, Lockfile, Origin, Package, PackageVersion, Problem, ProblemKind,
};
use patchgate_upgrade::{
    Judged, Memory, MissingFacts, PlanOptions, Planned, Proposal, Releases, Request, Target,
    plan_on,
};

use patchgate_package_managers::{ConfigurationFile, RegistryLocator};

use crate::asked_features::AskedFeatures;
use crate::context::{Failure, FixContext};
use crate::environments::Environments;
use crate::exclusions::Exclusions;
use crate::lock_state::{LockState, ids};
use crate::registries::{Registries, Unanswered, documents};

/// Most rounds of looking up metadata that the planner lacks. Each follows the graph one step up or
/// down.
const MAX_ROUNDS: usize = 400;

/// Most rounds of fetching documents that others name.
const MAX_DOWNLOAD_ROUNDS: usize = 20;

/// Most bytes of documents for writers that are kept between attempts.
const MAX_FETCHED_BYTES: usize = 256 << 20;

/// The findings that each release of a package would have, by version.
pub(super) type Findings = BTreeMap<String, Judged>;

/// The releases of packages and their findings, as far as the planner asked for them.
pub(super) struct ReleaseIndex<'a> {
    pub(super) context: &'a FixContext<'a>,
    pub(super) ecosystem: &'static dyn Upgradable,
    locator: &'static dyn RegistryLocator,
    pub(super) registries: Registries<'a>,
    pub(super) known: Releases,
    pub(super) environments: Environments,
    /// What the projects ask of releases, once it was read.
    asked: Option<AskedFeatures>,
    /// The releases of packages about which the planner did not ask.
    kept: Releases,
    pub(super) judged: BTreeMap<String, Findings>,
    /// For each package, the id under which its findings go, by each of their ids.
    canonical: BTreeMap<String, BTreeMap<String, String>>,
    /// For each package, the number of releases whose details were fetched last: the next question
    /// about it is likely one about a neighbour.
    pub(super) detail_rounds: BTreeMap<String, usize>,
    /// The requirements on each package that name a release which no list may have.
    pub(super) named: BTreeMap<String, BTreeSet<String>>,
    /// What a release of each package brings in, although its metadata only bounds it.
    pub(super) brought: BTreeMap<String, BTreeSet<String>>,
    /// Documents that writers asked for, by address, and the bytes that may be added.
    fetched: Downloads,
    room: usize,
    /// Packages whose releases could not be looked up, so that a plan may miss fixes for them.
    pub(super) problems: BTreeSet<Problem>,
}

impl<'a> ReleaseIndex<'a> {
    pub(super) fn new(
        context: &'a FixContext<'a>,
        ecosystem: &'static dyn Upgradable,
        locator: &'static dyn RegistryLocator,
        configuration: Vec<ConfigurationFile>,
        environments: Environments,
    ) -> Self {
        Self {
            context,
            ecosystem,
            locator,
            registries: Registries::new(context.client, locator, configuration, context.run),
            known: Releases::default(),
            environments,
            asked: None,
            kept: Releases::default(),
            judged: BTreeMap::new(),
            canonical: BTreeMap::new(),
            detail_rounds: BTreeMap::new(),
            named: BTreeMap::new(),
            brought: BTreeMap::new(),
            fetched: Downloads::new(),
            room: MAX_FETCHED_BYTES,
            problems: BTreeSet::new(),
        }
    }

    /// Plans for the targets given, looking up whatever the planner asks for. `findings` are all of
    /// the lockfile.
    pub(super) async fn plan(
        &mut self,
        tree: &LockState,
        findings: &[Finding],
        targets: &[Target],
        exclusions: &Exclusions,
        options: PlanOptions,
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

        let ecosystem = self.ecosystem;
        let asked = self.asked.take();
        let asked = asked.unwrap_or_else(|| AskedFeatures::of(ecosystem, tree));
        let asked_by_name = asked.by_name();
        let own = tree.judged(findings);
        let frozen = tree
            .lockfile
            .indexed()
            .filter_map(|(copy, package)| {
                let name_of = self.ecosystem.name();
                let policy = &self.context.policy;
                let excluded = exclusions.frozen.get(&tree.describe(copy)).cloned();
                let pinned = || policy.pinned(name_of.as_str(), &package.name);
                Some((copy, excluded.or_else(pinned)?))
            })
            .collect();
        let policy = &self.context.policy;
        let name_of = self.ecosystem.name();
        let max_bump = |name: &str| policy.max_bump(name_of.as_str(), name);
        let runtime = self.environments.runtime.clone();
        let mut memory = Memory::default();
        for _ in 0..MAX_ROUNDS {
            let judge = |name: &str, version: &str| self.judge(name, version);
            let usable = |name: &str, release: &Release| {
                policy.check_age(name_of.as_str(), name, release)?;
                asked.check(ecosystem, name, release)?;
                match &runtime {
                    Some(runtime) => self.runs(&tree.lockfile, name, release, runtime),
                    None => Ok(()),
                }
            };
            let request = Request {
                lockfile: &tree.lockfile,
                ecosystem: self.ecosystem,
                findings: &own,
                targets,
                releases: &self.known,
                judge: &judge,
                usable: &usable,
                max_bump: &max_bump,
                asked: &asked_by_name,
                refused: &exclusions.refused,
                frozen: &frozen,
                yanked_installable: self.locator.installs_yanked(),
                options,
            };

            match plan_on(&request, &mut memory) {
                Planned::Ready(proposal) => {
                    self.asked = Some(asked);
                    return Ok(proposal);
                }
                Planned::Missing(facts) => {
                    let (packages, details) = (facts.packages.len(), facts.details.len());
                    tracing::debug!(packages, details, "the plan lacks facts");
                    self.look_up(tree, &facts).await?;
                }
            }
        }

        Err(Failure::new(
            "planning needs the metadata of too many packages",
        ))
    }

    async fn look_up(&mut self, tree: &LockState, facts: &MissingFacts) -> Result<(), Failure> {
        if !facts.packages.is_empty() {
            self.look_up_packages(tree, &facts.packages).await?;
        }
        self.look_up_details(tree, &facts.details).await;

        self.add_unlisted(tree).await
    }

    /// Whether a release works with the runtime that a project supports, or the locked version does
    /// not either. The error says why not.
    fn runs(
        &self,
        lockfile: &Lockfile,
        name: &str,
        release: &Release,
        supported: &str,
    ) -> Result<(), String> {
        let fits = |release: &Release| {
            let required = release.runtime.as_deref();
            required.is_none_or(|required| self.ecosystem.runs_on(required, supported))
        };
        let is_locked = |version: &str| {
            let mut packages = lockfile.packages.iter();
            packages.any(|package| package.name == name && package.version == version)
        };
        let known = self.known.releases(self.ecosystem, name);
        let releases = known.and_then(Result::ok).unwrap_or_default();
        let mut locked = releases.iter().filter(|one| is_locked(&one.version));
        if fits(release) || locked.any(|one| !fits(one)) {
            return Ok(());
        }

        Err(format!(
            "it needs {} {}, and the project supports {supported}",
            self.ecosystem.runtime_name(),
            release.runtime.as_deref().unwrap_or_default()
        ))
    }

    pub(super) fn report_unanswered(&mut self, name: &str, unanswered: &Unanswered) {
        if unanswered.is_an_answer {
            return;
        }
        self.problems.insert(Problem {
            kind: ProblemKind::Registry,
            subject: name.to_owned(),
            line: None,
            reason: unanswered.reason.clone(),
            hint: unanswered.hint.clone(),
        });
    }

    /// Fetches the documents that a writer needs for the new releases of a graph, by address. The second
    /// value says why a further one is missing, without which the writer may or may not do.
    pub(super) async fn downloads(
        &mut self,
        writer: &dyn LockfileWriter,
        (input, lockfile): (&Input<'_>, &Lockfile),
        graph: &TargetGraph,
    ) -> Result<(Downloads, Option<String>), String> {
        let mut wanted = BTreeSet::new();
        for node in &graph.nodes {
            if let Some(release) = &node.release {
                wanted.extend(writer.downloads_for(lockfile, &node.name, release));
            }
        }

        let (mut known, missing) = self.documents(wanted.into_iter().collect()).await;
        if let Some(reason) = missing {
            return Err(reason);
        }

        let mut missing = None;
        let mut asked = BTreeSet::new();
        for _ in 0..MAX_DOWNLOAD_ROUNDS {
            let mut further = writer.further_downloads(input, lockfile, graph, &known);
            further.retain(|one| !known.contains_key(&one.url) && asked.insert(one.url.clone()));
            if further.is_empty() {
                break;
            }
            let (found, reason) = self.documents(further).await;
            known.extend(found);
            missing = missing.or(reason);
        }

        Ok((known, missing))
    }

    /// Documents by address. Those of earlier attempts are not fetched again.
    async fn documents(&mut self, wanted: Vec<MetadataRequest>) -> (Downloads, Option<String>) {
        let (known, new): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|one| self.fetched.contains_key(&one.url));
        let (new, missing) = documents(self.context.client, new).await;
        let mut all: Downloads = known
            .into_iter()
            .filter_map(|one| Some((one.url.clone(), self.fetched.get(&one.url)?.clone())))
            .collect();
        for (address, body) in new {
            let size = body.len();
            if size <= self.room {
                self.room -= size;
                self.fetched.insert(address.clone(), body.clone());
            }
            all.insert(address, body);
        }

        (all, missing)
    }

    /// A graph with the release of every package of a registry, for writers that need them. A
    /// package whose registry gives no answer stays without one.
    pub(super) async fn with_every_release(
        &mut self,
        tree: &LockState,
        graph: &TargetGraph,
    ) -> Result<TargetGraph, Failure> {
        let mut graph = graph.clone();
        let of_registry = |node: &TargetNode| {
            let package = tree.lockfile.package(node.was?)?;
            (node.release.is_none() && matches!(package.origin, Origin::Registry(_)))
                .then(|| package.clone())
        };
        let names: BTreeSet<String> = graph
            .nodes
            .iter()
            .filter_map(of_registry)
            .map(|package| package.name)
            .filter(|name| self.releases_of(name).is_none())
            .collect();
        if !names.is_empty() {
            (self.context.progress)(&format!("metadata of {} packages", names.len()));
            let names: Vec<String> = names.into_iter().collect();
            let answers = self
                .registries
                .releases(self.ecosystem, &tree.lockfile, &names)
                .await?;
            for (name, releases) in answers {
                let releases = releases.map_err(|unanswered| unanswered.reason);
                self.kept.insert(self.ecosystem, &name, releases);
            }
        }

        for node in &mut graph.nodes {
            let Some(package) = of_registry(node) else {
                continue;
            };
            let known = self.releases_of(&package.name).and_then(Result::ok);
            let mut known = known.into_iter().flatten();
            node.release = known.find(|one| one.version == package.version).cloned();
        }

        Ok(graph)
    }

    /// A release of a package, if it was asked for.
    pub(super) fn release(&self, name: &str, version: &str) -> Option<&Release> {
        let releases = self.releases_of(name)?.ok()?;
        releases.iter().find(|release| release.version == version)
    }

    fn releases_of(&self, name: &str) -> Option<Result<&[Release], &str>> {
        let known = self.known.releases(self.ecosystem, name);
        known.or_else(|| self.kept.releases(self.ecosystem, name))
    }

    /// Excludes a version of a package and all below it.
    pub(super) fn refuse_up_to(&self, name: &str, version: &str, exclusions: &mut Exclusions) {
        let Some(Ok(releases)) = self.known.releases(self.ecosystem, name) else {
            return;
        };
        let is_older = |release: &&Release| {
            let order = self.ecosystem.compare_versions(&release.version, version);
            order.is_ok_and(std::cmp::Ordering::is_le)
        };
        let reason = format!("{version} was tried, and does not fix what its archive contains");
        for release in releases.iter().filter(is_older) {
            let package = PackageVersion::new(name, &*release.version);
            exclusions.refuse(package, reason.clone());
        }
    }

    fn judge(&self, name: &str, version: &str) -> Option<Judged> {
        let judged = self
            .judged
            .get(self.ecosystem.normalize_name(name).as_ref())?;
        let found = judged.get(version)?;
        let own = |ids: &BTreeSet<String>| -> BTreeSet<String> {
            ids.iter()
                .map(|id| self.canonical_id(name, id).unwrap_or(id).clone())
                .collect()
        };

        Some(Judged {
            vulnerabilities: own(&found.vulnerabilities),
            notices: own(&found.notices),
        })
    }

    fn canonical_id(&self, name: &str, id: &str) -> Option<&String> {
        self.canonical.get(name)?.get(id)
    }

    /// Fetches releases and all the advisories of packages.
    async fn look_up_packages(
        &mut self,
        tree: &LockState,
        names: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let names: Vec<String> = names.iter().cloned().collect();
        (self.context.progress)(&match names.as_slice() {
            [name] => format!("releases of {name}"),
            _ => format!("releases of {} packages", names.len()),
        });
        let advisories = self.advisories(&names).await?;
        let answers = self
            .registries
            .releases(self.ecosystem, &tree.lockfile, &names)
            .await?;
        for (name, mut releases) in answers {
            if let Ok(releases) = &mut releases {
                self.add_times(tree, &name, releases).await;
                let unlisted = self.unlisted(tree, &name, releases).await?;
                releases.extend(unlisted);
                for release in releases {
                    self.environments.settle(self.ecosystem, release);
                }
            }
            let judged = match &releases {
                Ok(releases) => self.judge_all(&name, releases, &advisories),
                Err(_) => Findings::new(),
            };
            self.judged
                .insert(self.ecosystem.normalize_name(&name).into_owned(), judged);
            if let Err(unanswered) = &releases {
                self.report_unanswered(&name, unanswered);
            }

            let releases = releases.map_err(|unanswered| unanswered.reason);
            self.known.insert(self.ecosystem, &name, releases);
        }

        Ok(())
    }

    /// Sets the times of publication that the settings ask for, in registries that state them in a
    /// longer form of their answer.
    async fn add_times(&mut self, tree: &LockState, name: &str, releases: &mut [Release]) {
        let ecosystem = self.ecosystem;
        let cooldown = self
            .context
            .policy
            .cooldown(ecosystem.name().as_str(), name);
        if cooldown == 0 || releases.iter().all(|one| one.published.is_some()) {
            return;
        }

        let lockfile = &tree.lockfile;
        let long = self
            .registries
            .long_releases(ecosystem, lockfile, name)
            .await;
        let times: BTreeMap<String, String> = long
            .into_iter()
            .flatten()
            .filter_map(|release| Some((release.version, release.published?)))
            .collect();
        for release in releases {
            if release.published.is_none() {
                release.published = times.get(&release.version).cloned();
            }
        }
    }

    /// All advisories of packages.
    pub(super) async fn advisories(&self, names: &[String]) -> Result<AdvisoryLookup, Failure> {
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

        Ok(AdvisoryLookup {
            advisories: lookup.advisories,
            ..AdvisoryLookup::default()
        })
    }

    /// The findings that each release would have, by the same matching as a scan.
    pub(super) fn judge_all(
        &self,
        name: &str,
        releases: &[Release],
        advisories: &AdvisoryLookup,
    ) -> Findings {
        let mut judged: Findings = releases
            .iter()
            .map(|release| (release.version.clone(), Judged::default()))
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
            if let Some(of_release) = judged.get_mut(&finding.package.version) {
                // Any id that a finding of the lockfile goes by names the same vulnerability.
                let id = ids(&finding)
                    .find_map(|id| self.canonical_id(name, id))
                    .unwrap_or(&finding.id);
                match finding.is_notice() {
                    true => of_release.notices.insert(id.clone()),
                    false => of_release.vulnerabilities.insert(id.clone()),
                };
            }
        }

        judged
    }
}
