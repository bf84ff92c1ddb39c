//! Evidence about whether the changes of a plan will hold.
//!
//! What the registries have already said while the fix was planned costs nothing and is always
//! there ([`known`]). The rest reads the history of the repository and asks the registries for
//! more, and is gathered on request ([`gather`]). Whatever cannot be read stays unknown; it never
//! fails a fix.

mod archives;
mod past_states;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Release, Upgradable, fixable_format};
use patchgate_evidence::{UpdateCounts, history, signals, updates};
use patchgate_http::{Client, Environment};
use patchgate_lockfile_diff::changed_entries;
use patchgate_model::{Bump, Lockfile, Plan, UpgradeEvidence};
use patchgate_package_managers::RunOptions;
use patchgate_scan::ScanRequest;

use crate::lock_state::LockState;
use crate::registries::Registries;
use crate::release_index::ReleaseIndex;
use crate::run::{FixOptions, FixOutcome};
use crate::types::FormatSupport;
use sources::UsesByPackage;

/// The evidence of the changed entries of one lockfile, from what is known already.
pub(crate) fn known(
    releases: &ReleaseIndex<'_>,
    start: &LockState,
    end: &LockState,
) -> Vec<UpgradeEvidence> {
    let ecosystem = releases.ecosystem;
    let mut seen = BTreeSet::new();
    let mut evidence = Vec::new();
    for entry in changed_entries(ecosystem, &start.lockfile, &end.lockfile) {
        let Some(after) = entry.after.and_then(|index| end.lockfile.package(index)) else {
            continue;
        };
        let before = entry.before.and_then(|index| start.lockfile.package(index));
        let from = before.map(|package| package.version.clone());
        // Copies that move alike are one.
        if !seen.insert((after.name.clone(), from.clone(), after.version.clone())) {
            continue;
        }

        let mut one = UpgradeEvidence {
            ecosystem: ecosystem.name(),
            lockfile: end.lockfile.path.clone(),
            package: after.name.clone(),
            distance: distance(ecosystem, from.as_deref(), &after.version),
            from,
            to: after.version.clone(),
            ..UpgradeEvidence::default()
        };
        add_signals(&mut one, |version| releases.release(&after.name, version));
        evidence.push(one);
    }

    evidence
}

/// The size of a step, where it can be measured.
fn distance(ecosystem: &dyn Upgradable, from: Option<&str>, to: &str) -> Option<Bump> {
    ecosystem.bump(from?, to).ok()
}

fn add_signals<'r>(evidence: &mut UpgradeEvidence, release: impl Fn(&str) -> Option<&'r Release>) {
    if let Some(after) = release(&evidence.to) {
        let before = evidence.from.as_deref().and_then(release);
        evidence.signals = Some(signals(before, after));
    }
}

/// Puts evidence into the order that a plan promises.
pub(crate) fn sort(plan: &mut Plan) {
    plan.evidence.sort_by(|a, b| {
        (&a.lockfile, &a.package, &a.from, &a.to).cmp(&(&b.lockfile, &b.package, &b.from, &b.to))
    });
}

/// Adds the evidence that needs the history of the repository or more answers of registries.
pub(crate) async fn gather(
    fixed: &mut FixOutcome,
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) {
    let Ok(client) = environment.client(request.source.offline) else {
        return;
    };
    let run = RunOptions {
        offline: request.source.offline,
        timeout: options.manager_timeout,
    };
    let root = request.inputs.root();
    let direct: BTreeSet<(String, String)> = fixed
        .plan
        .entries
        .iter()
        .filter(|entry| entry.direct)
        .map(|entry| (entry.lockfile.clone(), entry.package.clone()))
        .collect();
    let upgrades = fixed.plan.upgrades.iter();
    let upgraded: BTreeSet<(String, String)> = upgrades
        .map(|upgrade| (upgrade.package.clone(), upgrade.to.clone()))
        .collect();
    let ecosystems = fixed.plan.evidence.iter().map(|one| one.ecosystem.as_str());
    let ecosystems: BTreeSet<&str> = ecosystems.collect();
    (request.progress)("names that the sources use");
    let uses = sources::read(root, &ecosystems);
    let mut by_lockfile: BTreeMap<String, Vec<&mut UpgradeEvidence>> = BTreeMap::new();
    for one in &mut fixed.plan.evidence {
        by_lockfile
            .entry(one.lockfile.clone())
            .or_default()
            .push(one);
    }

    for (path, mut evidence) in by_lockfile {
        let lockfiles = &fixed.scan.contents.inventory.lockfiles;
        let Some(lockfile) = lockfiles.iter().find(|one| one.path == path) else {
            continue;
        };
        let Some(support) = fixable_format(&path).and_then(|(ecosystem, format)| {
            FormatSupport::new(ecosystem, format, options.engine).ok()
        }) else {
            continue;
        };

        (request.progress)(&format!("{path}: history of updates"));
        let now = environment.now().as_second();
        add_history(&mut evidence, support, request, &path, now).await;

        (request.progress)(&format!("{path}: releases of {} packages", evidence.len()));
        let configuration = support.locator.configuration(root, &path);
        let mut registries = Registries::new(&client, support.locator, configuration, run);
        let answers = Answers {
            uses: &uses,
            is_direct: &|name| direct.contains(&(path.clone(), name.to_owned())),
            is_upgraded: &|one| upgraded.contains(&(one.package.clone(), one.to.clone())),
            client: &client,
        };
        add_releases(&mut evidence, support, lockfile, &mut registries, &answers).await;
    }
}

/// What decides whose archives are downloaded, and how.
struct Answers<'a> {
    uses: &'a UsesByPackage,
    is_direct: &'a dyn Fn(&str) -> bool,
    /// Whether a package is upgraded for a finding, or because such an upgrade needs it.
    is_upgraded: &'a dyn Fn(&UpgradeEvidence) -> bool,
    client: &'a Client,
}

/// Adds the history of the updates of one lockfile.
async fn add_history(
    evidence: &mut [&mut UpgradeEvidence],
    support: FormatSupport,
    request: &ScanRequest<'_>,
    path: &str,
    now: i64,
) {
    let states = past_states::read(request.inputs.root(), path, support.format).await;
    // One state has no update.
    if states.len() < 2 {
        return;
    }

    let ecosystem = support.ecosystem;
    let by_package = updates(ecosystem, &states, now);
    let mut all = UpdateCounts::default();
    for counts in by_package.values() {
        all.kept = all.kept.saturating_add(counts.kept);
        all.reverted = all.reverted.saturating_add(counts.reverted);
    }
    for one in evidence.iter_mut().filter(|one| one.from.is_some()) {
        let own = by_package.get(&one.package).copied().unwrap_or_default();
        let is_breaking = one.distance.is_none_or(|bump| bump == Bump::Major);
        one.history = Some(history(one.ecosystem, is_breaking, own, all));
    }
}

/// Adds what the registries say about releases that were not asked for while the fix was planned,
/// and what the archives of packages say that the sources import.
async fn add_releases(
    evidence: &mut [&mut UpgradeEvidence],
    support: FormatSupport,
    lockfile: &Lockfile,
    registries: &mut Registries<'_>,
    answers: &Answers<'_>,
) {
    let is_downloaded = |one: &UpgradeEvidence| {
        let is_direct = (answers.is_direct)(&one.package);
        one.from.is_some() && archives::may_be_used(answers.uses, one, is_direct)
    };
    let names: BTreeSet<String> = evidence
        .iter()
        .filter(|one| one.signals.is_none() || (answers.is_upgraded)(one) || is_downloaded(one))
        .map(|one| one.package.clone())
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let asked = registries.releases(support.ecosystem, lockfile, &names);
    let Ok(found) = asked.await else {
        return;
    };

    let found: BTreeMap<String, Vec<Release>> = found
        .into_iter()
        .filter_map(|(name, releases)| Some((name, releases.ok()?)))
        .collect();
    let mut left = archives::MAX_PACKAGES;
    for one in evidence.iter_mut() {
        let Some(releases) = found.get(&one.package) else {
            continue;
        };
        if left == 0 || !(answers.is_upgraded)(one) && !is_downloaded(one) {
            add_signals(one, |version| find(releases, version));
            continue;
        }

        left -= 1;
        let ecosystem = support.ecosystem;
        let long = registries.long_releases(ecosystem, lockfile, &one.package);
        let mut releases = long.await.unwrap_or_else(|| releases.clone());
        let versions = [one.from.clone(), Some(one.to.clone())];
        for release in &mut releases {
            if versions.contains(&Some(release.version.clone())) {
                let published =
                    registries.add_published(ecosystem, lockfile, &one.package, release);
                published.await;
            }
        }
        add_signals(one, |version| find(&releases, version));
        if is_downloaded(one) {
            let settings = registries.archive_settings(ecosystem, lockfile, &one.package);
            let settings = settings.await;
            let (uses, client) = (answers.uses, answers.client);
            archives::add(one, ecosystem, &releases, settings.as_deref(), uses, client).await;
        }
    }
}

fn find<'r>(releases: &'r [Release], version: &str) -> Option<&'r Release> {
    releases.iter().find(|release| release.version == version)
}
