//! The newest release that a requirement admits, as the registry has it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use patchgate_ecosystems::{Release, Upgradable, by_name, fixable_format};
use patchgate_http::Environment;
use patchgate_model::{EcosystemName, Lockfile, error_chain};
use patchgate_package_managers::{RunOptions, locator_of, locator_of_ecosystem};

use crate::registries::Registries;

/// Longest time for one run of a package manager, which says where its registry is.
const MANAGER_TIMEOUT: Duration = Duration::from_secs(60);

/// Requirements of one file.
#[derive(Debug, Clone, Copy)]
pub struct StatedRequirements<'a> {
    /// The root of the repository, with the configuration of the package manager.
    pub root: &'a Path,
    /// Path of the file from the root.
    pub file: &'a str,
    /// Ecosystem of the packages.
    pub ecosystem: EcosystemName,
    /// Package and requirement.
    pub requirements: &'a [(String, String)],
}

/// The newest release that each requirement admits, by package and requirement, or the reason why it
/// is unknown: a fragment. Yanked releases and pre-releases count only where nothing else is admitted.
///
/// The package manager says where its registry is. It runs outside of the repository, with the
/// repository's configuration as data.
pub async fn newest_admitted(
    stated: StatedRequirements<'_>,
    environment: &Environment,
) -> BTreeMap<(String, String), Result<String, String>> {
    let all = |reason: String| {
        let keys = stated.requirements.iter().cloned();
        keys.map(|key| (key, Err(reason.clone()))).collect()
    };
    let located = fixable_format(stated.file)
        .and_then(|(ecosystem, format)| Some((ecosystem, locator_of(format.id)?)))
        .filter(|(ecosystem, _)| ecosystem.name() == stated.ecosystem.as_str());
    let of_ecosystem = || {
        let name = stated.ecosystem.as_str();
        let upgradable = by_name(name)?.upgradable()?;
        Some((upgradable, locator_of_ecosystem(name)?))
    };
    let Some((ecosystem, locator)) = located.or_else(of_ecosystem) else {
        return all(format!("the registry of {} is not asked", stated.ecosystem));
    };
    let client = match environment.client(false) {
        Ok(client) => client,
        Err(error) => return all(error.to_string()),
    };

    let run = RunOptions {
        offline: false,
        timeout: MANAGER_TIMEOUT,
    };
    let configuration = locator.configuration(stated.root, stated.file);
    let mut registries = Registries::new(&client, locator, configuration, run);
    let lockfile = Lockfile {
        path: stated.file.to_owned(),
        ecosystem: stated.ecosystem,
        ..Lockfile::default()
    };
    let mut names: Vec<String> = stated
        .requirements
        .iter()
        .map(|one| one.0.clone())
        .collect();
    names.sort();
    names.dedup();
    let answers = match registries.releases(ecosystem, &lockfile, &names).await {
        Ok(answers) => BTreeMap::from_iter(answers),
        Err(error) => return all(error_chain(&error)),
    };

    let requirements = stated.requirements.iter().map(|(name, requirement)| {
        let newest = match answers.get(name) {
            Some(Ok(releases)) => newest(ecosystem, requirement, releases)
                .ok_or_else(|| "the registry has no release that it admits".to_owned()),
            Some(Err(unanswered)) => Err(unanswered.reason.clone()),
            None => Err("the registry was not asked".to_owned()),
        };
        ((name.clone(), requirement.clone()), newest)
    });
    requirements.collect()
}

/// The newest of the releases that a requirement admits.
fn newest(ecosystem: &dyn Upgradable, requirement: &str, releases: &[Release]) -> Option<String> {
    let admitted = releases.iter().filter(|release| {
        requirement.is_empty() || ecosystem.admits(requirement, &release.version) == Ok(true)
    });
    // The first of equals is kept.
    let newest = admitted.reduce(|best, release| {
        let rank = |one: &Release| {
            let is_prerelease = ecosystem.is_prerelease(&one.version).unwrap_or(true);
            (!one.yanked, !is_prerelease)
        };
        let order = ecosystem.compare_versions(&release.version, &best.version);
        let is_newer = order.is_ok_and(std::cmp::Ordering::is_gt);
        match rank(release).cmp(&rank(best)) {
            std::cmp::Ordering::Greater => release,
            std::cmp::Ordering::Equal if is_newer => release,
            _ => best,
        }
    });
    newest.map(|release| release.version.clone())
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::npm::Npm;

    use super::*;

    #[test]
    fn yanked_releases_and_pre_releases_come_last() {
        let release = |version: &str, yanked| Release {
            version: version.to_owned(),
            yanked,
            ..Release::default()
        };
        let releases = [
            release("1.2.0", false),
            release("1.10.0", false),
            release("1.11.0", true),
            release("2.0.0", false),
            release("3.0.0-rc.1", false),
        ];
        let newest = |requirement: &str| newest(&Npm, requirement, &releases);
        assert_eq!(newest("^1.0.0").as_deref(), Some("1.10.0"));
        assert_eq!(newest("1.11.0").as_deref(), Some("1.11.0"));
        assert_eq!(newest("").as_deref(), Some("2.0.0"));
        assert_eq!(newest(">=3.0.0-rc.0").as_deref(), Some("3.0.0-rc.1"));
        assert_eq!(newest("^4.0.0"), None);
    }
}
