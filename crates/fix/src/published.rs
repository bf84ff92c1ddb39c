//! What the registries say about entries of a lockfile that somebody else wrote.
//!
//! The registry of a package is found as its package manager finds it, from the base's lockfile and
//! the base's configuration: the changed lockfile could name a server of its author.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use patchgate_config::FixSettings;
use patchgate_ecosystems::{Release, Upgradable};
use patchgate_http::Client;
use patchgate_lockfile_diff::{State, published_differences};
use patchgate_model::{
    Fetched, Lockfile, Missing, Origin, Package, PackageIndex, RegistryEntry, RegistryObjection,
    error_chain,
};
use patchgate_package_managers::{RunOptions, locator_of};

use crate::policy::Policy;
use crate::registries::{Registries, Unanswered, details};

/// Most entries of one lockfile that are compared with their registries.
const MAX_ENTRIES: usize = 500;

/// A lockfile before a change and after it.
#[derive(Clone, Copy)]
pub struct ChangedLockfile<'a> {
    /// The ecosystem of both.
    pub ecosystem: &'static dyn Upgradable,
    /// Id of the format of both.
    pub format: &'static str,
    /// A directory with the base's configuration of the package manager, at the paths of the
    /// repository.
    pub configuration: &'a Path,
    /// The lockfile of the base, by which registries are found.
    pub base: &'a Lockfile,
    /// The changed lockfile.
    pub head: State<'a>,
}

/// How registries are asked.
#[derive(Debug, Clone, Copy)]
pub struct RegistryQuery<'a> {
    /// The client. It should have no cache that others may write.
    pub client: &'a Client,
    /// How package managers are run, which know the addresses of their registries.
    pub run: RunOptions,
    /// The base's settings, for the age that a release must have.
    pub settings: &'a FixSettings,
    /// The time of the judgement.
    pub now: Timestamp,
}

/// Compares entries of the changed lockfile with the descriptions of their releases.
///
/// # Errors
/// When the registry cannot be found. An entry whose registry does not answer has missing
/// objections.
pub async fn registry_entries(
    change: ChangedLockfile<'_>,
    entries: &[PackageIndex],
    query: RegistryQuery<'_>,
) -> Fetched<Vec<RegistryEntry>> {
    let path = &change.head.lockfile.path;
    if entries.len() > MAX_ENTRIES {
        return Err(Missing::new(format!(
            "`{path}` has more than {MAX_ENTRIES} new entries"
        )));
    }
    let locator = locator_of(change.format)
        .ok_or_else(|| Missing::new(format!("no registry of `{path}` is known")))?;

    let packages = entries
        .iter()
        .filter_map(|index| change.head.lockfile.package(*index));
    let packages: Vec<&Package> = packages.collect();
    let names: BTreeSet<&str> = packages
        .iter()
        .filter(|package| is_of_registry(package))
        .map(|package| package.name.as_str())
        .collect();
    let configuration = locator.configuration(change.configuration, path);
    let registries = Registries::new(query.client, locator, configuration, query.run);
    let mut asked = Asked {
        change,
        query,
        registries,
        releases: BTreeMap::new(),
    };
    asked.ask(&names).await?;

    let mut all = Vec::new();
    for package in packages {
        all.push(RegistryEntry {
            lockfile: path.clone(),
            package: package.name.clone(),
            version: package.version.clone(),
            objections: asked.objections(package).await,
        });
    }
    Ok(all)
}

fn is_of_registry(package: &Package) -> bool {
    matches!(package.origin, Origin::Registry(_))
}

/// The answers of registries so far.
struct Asked<'a> {
    change: ChangedLockfile<'a>,
    query: RegistryQuery<'a>,
    registries: Registries<'a>,
    releases: BTreeMap<String, Result<Vec<Release>, Unanswered>>,
}

impl Asked<'_> {
    /// Asks for the releases of packages.
    async fn ask(&mut self, names: &BTreeSet<&str>) -> Fetched<()> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (ecosystem, base) = (self.change.ecosystem, self.change.base);
        let answers = self.registries.releases(ecosystem, base, &names).await;
        let answers = answers
            .map_err(|error| Missing::new(format!("the registry: {}", error_chain(&error))))?;
        self.releases.extend(answers);
        Ok(())
    }

    /// Everything that speaks against an entry.
    async fn objections(&mut self, package: &Package) -> Fetched<Vec<RegistryObjection>> {
        let unclear = |text: &str| {
            Ok(vec![RegistryObjection {
                certain: false,
                text: text.to_owned(),
            }])
        };
        if !is_of_registry(package) {
            return unclear("is from no registry");
        }

        let listed = match self.releases.get(&package.name) {
            Some(Ok(releases)) => self.listed(package, releases),
            Some(Err(unanswered)) if unanswered.is_an_answer => None,
            Some(Err(unanswered)) => return Err(missing(unanswered)),
            None => return Err(Missing::new("the registry was not asked")),
        };
        let Some(mut release) = listed else {
            return unclear("is not published in its registry");
        };
        if release.details.is_some() {
            release = self.complete(package, release).await?;
        }

        let ecosystem = self.change.ecosystem;
        let mut objections = published_differences(ecosystem, self.change.head, package, &release);
        objections.extend(self.age(package, release).await);
        Ok(objections)
    }

    /// The release of an entry. Registries and lockfiles may write one version in two ways.
    fn listed(&self, package: &Package, releases: &[Release]) -> Option<Release> {
        let is_exact = |release: &&Release| release.version == package.version;
        let is_equal = |release: &&Release| {
            let ecosystem = self.change.ecosystem;
            let order = ecosystem.compare_versions(&release.version, &package.version);
            order.is_ok_and(std::cmp::Ordering::is_eq)
        };
        let exact = releases.iter().find(is_exact);
        exact.or_else(|| releases.iter().find(is_equal)).cloned()
    }

    async fn complete(&self, package: &Package, release: Release) -> Fetched<Release> {
        let wanted = vec![(package.name.clone(), release)];
        let answers = details(self.query.client, self.change.ecosystem, wanted).await;
        match answers.into_iter().next() {
            Some((_, _, Ok(release))) => Ok(release),
            Some((_, _, Err(unanswered))) => Err(missing(&unanswered)),
            None => Err(Missing::new("the registry was not asked")),
        }
    }

    /// Whether a release is younger than the settings of the base ask for.
    async fn age(&mut self, package: &Package, mut release: Release) -> Option<RegistryObjection> {
        let policy = Policy {
            settings: self.query.settings,
            now: self.query.now,
        };
        let (ecosystem, base) = (self.change.ecosystem, self.change.base);
        let (kind, name) = (ecosystem.name(), &package.name);
        if policy.cooldown(kind.as_str(), name) == 0 {
            return None;
        }

        let registries = &mut self.registries;
        if release.published.is_none() {
            let long = registries.long_releases(ecosystem, base, name).await;
            let mut long = long.into_iter().flatten();
            release.published = long
                .find(|one| one.version == release.version)
                .and_then(|one| one.published);
        }
        if release.published.is_none() {
            registries
                .add_published(ecosystem, base, name, &mut release)
                .await;
        }
        let checked = policy.check_age(kind.as_str(), name, &release);
        checked.err().map(|reason| RegistryObjection {
            certain: false,
            text: format!("is too young: {reason}"),
        })
    }
}

fn missing(unanswered: &Unanswered) -> Missing {
    Missing {
        reason: unanswered.reason.clone(),
        hint: unanswered.hint.clone(),
    }
}
