//! Findings: the packages of an inventory against the records of a lookup.

mod aliases;
mod candidates;
mod chains;
mod explain;
mod malicious;
mod unordered;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{
    Advisory, Finding, Inventory, Level, Location, Origin, Package, PackageIndex, PackageRef,
    Problem, ProblemKind, Scope, Score, Severity, SmolStr,
};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefIterator as _,
    ParallelIterator as _,
};

use self::candidates::CandidateRecords;
use self::unordered::Unordered;
use crate::git::CommitQuery;
use crate::matching::{Affects, Subject, entries, fixed_version};
use crate::{AdvisoryLookup, PackageQuery, SignalSource};

pub use aliases::preferred_id;
pub use explain::{explain, lookup_of};
pub use malicious::is_malicious;

/// What was found, and what could not be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The findings, ordered by ecosystem, package, version and id.
    pub findings: Vec<Finding>,
    /// What could not be judged. Not empty means that the findings may not be all.
    pub problems: Vec<Problem>,
}

/// Package versions that are judged in one go. Few, since names that are alike, and so stand
/// together, are often known together.
const VERSIONS_A_TASK: usize = 50;

/// One package version, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Version<'a> {
    ecosystem: &'static str,
    distribution: Option<&'a str>,
    name: &'a str,
    version: &'a str,
    /// Address and commit that a git source is locked to: one version may be another commit, or of
    /// another repository, elsewhere.
    source: Option<(&'a str, &'a str)>,
}

impl Version<'_> {
    fn commit_query(self) -> Option<CommitQuery> {
        let (url, commit) = self.source?;
        CommitQuery::new(url, commit)
    }
}

/// A copy of a package version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Installed<'a> {
    version: Version<'a>,
    /// Lockfile and place in it.
    place: (usize, PackageIndex),
}

impl Installed<'_> {
    fn is_of_the_same_version(&self, other: &Self) -> bool {
        self.version == other.version
    }
}

/// The questions that an inventory raises, sorted, each once. Packages from a folder of the
/// repository are the user's own and raise none. Where a version may be written otherwise than in
/// the advisories, the question is about all versions.
#[must_use]
pub fn queries(inventory: &Inventory) -> Vec<PackageQuery> {
    let mut copies = copies(inventory);
    copies.dedup_by(|a, b| a.is_of_the_same_version(b));
    let mut queries: Vec<PackageQuery> = copies
        .into_iter()
        .map(|copy| copy.version)
        .filter(|version| by_name(version.ecosystem).is_none_or(Ecosystem::has_advisories))
        .map(|version| PackageQuery {
            ecosystem: version.ecosystem,
            distribution: version.distribution.map(str::to_owned),
            name: version.name.into(),
            version: by_name(version.ecosystem)
                .is_none_or(Ecosystem::writes_registry_versions)
                .then(|| version.version.into()),
        })
        .collect();
    queries.sort();
    queries.dedup();

    queries
}

/// Matches an inventory against what was looked up.
///
/// Records that share an id or an alias are one vulnerability, and one vulnerability in one package
/// version is one finding, in however many lockfiles that version stands. Severity and score are
/// left unknown and empty: `patchgate-risk` fills them from [`Finding::advisories`], and this crate
/// does not know it.
#[must_use]
pub fn find(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
) -> Findings {
    find_in(inventory, lookup, signals, &patchgate_ecosystems::by_name)
}

/// [`find`] over the ecosystems that `by_name` knows.
fn find_in(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
    by_name: &(dyn Fn(&str) -> Option<&'static dyn Ecosystem> + Sync),
) -> Findings {
    let copies = copies(inventory);
    let versions: Vec<&[Installed<'_>]> =
        copies.chunk_by(Installed::is_of_the_same_version).collect();
    let judged: Vec<Judged<'_>> = versions
        .par_iter()
        .with_min_len(VERSIONS_A_TASK)
        .filter_map(|copies| {
            let version = copies.first()?.version;
            let ecosystem = by_name(version.ecosystem);
            Some(Judged::new(inventory, lookup, version, copies, ecosystem))
        })
        .filter(|judged| !judged.groups.is_empty() || !judged.problems.is_empty())
        .collect();
    let targets = judged
        .iter()
        .filter(|judged| !judged.groups.is_empty())
        .flat_map(|judged| judged.copies.iter().map(|copy| copy.place))
        .collect();
    let chains = chains::shortest(inventory, &targets);
    let mut problems = BTreeSet::new();
    let mut findings = Vec::new();
    let by_version: Vec<(Vec<Finding>, Vec<Problem>)> = judged
        .into_par_iter()
        .map(|judged| {
            let unordered = Unordered(judged.version.ecosystem);
            let ecosystem = by_name(judged.version.ecosystem).unwrap_or(&unordered);
            let place = Place::new(inventory, judged.copies, &chains);
            let mut problems = judged.problems;
            let findings = judged.groups.into_iter().map(|group| {
                group.into_finding(
                    ecosystem,
                    judged.version,
                    &place,
                    signals,
                    &lookup.malicious_prefixes,
                    &mut problems,
                )
            });

            (findings.collect(), problems)
        })
        .collect();
    for (of_version, of_problems) in by_version {
        findings.extend(of_version);
        problems.extend(of_problems);
    }

    Findings {
        findings: merged(findings),
        problems: problems.into_iter().collect(),
    }
}

/// What is known about one package version.
struct Judged<'a> {
    version: Version<'a>,
    copies: &'a [Installed<'a>],
    /// The vulnerabilities that affect it.
    groups: Vec<Group>,
    /// Why it is not known whether others do.
    problems: Vec<Problem>,
}

impl<'a> Judged<'a> {
    /// `ordered` is absent for an ecosystem whose versions cannot be ordered.
    fn new(
        inventory: &Inventory,
        lookup: &AdvisoryLookup,
        version: Version<'a>,
        copies: &'a [Installed<'a>],
        ordered: Option<&'static dyn Ecosystem>,
    ) -> Self {
        let mut problems = Vec::new();
        let unordered = Unordered(version.ecosystem);
        if ordered.is_none() {
            problems.push(unordered.problem());
        }

        let ecosystem = ordered.unwrap_or(&unordered);
        let name = ecosystem.normalize_name(version.name);
        let subject = Subject {
            ecosystem,
            distribution: version.distribution,
            name: &name,
        };
        let known = CandidateRecords::of(subject, lookup, version.commit_query());
        let groups = judge(subject, &known, version, &mut |reason| {
            // Of an ecosystem without an order all ranges are untold, which is said once.
            if ordered.is_some() {
                problems.push(untold(inventory, version, copies, reason));
            }
        });

        Self {
            version,
            copies,
            groups,
            problems,
        }
    }
}

/// One finding of those that are about the same vulnerability in the same package version: copies
/// from different commits were judged apart.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut place = 0;
    for finding in findings {
        // Those of one version stand together, whatever its source is.
        let is_other = |known: &Finding| known.package != finding.package;
        if merged.last().is_some_and(is_other) {
            place = merged.len();
        }

        let own = merged.get_mut(place..).unwrap_or_default();
        let Some(known) = own.iter_mut().find(|known| known.id == finding.id) else {
            merged.push(finding);
            continue;
        };

        known.scope = known.scope.min(finding.scope);
        known.malicious |= finding.malicious;
        known.locations.extend(finding.locations);
        known.locations.sort();
        known.locations.dedup();
        known.paths.extend(finding.paths);
        known
            .paths
            .sort_by_cached_key(|path| (path.len(), path.clone()));
        known.paths.dedup();
        known.paths.truncate(chains::MAX_CHAINS);
    }

    merged
}

/// Every copy of a package in an inventory that is not the user's own and that advisories may cover,
/// sorted by version.
fn copies(inventory: &Inventory) -> Vec<Installed<'_>> {
    let mut copies = Vec::new();
    for (file, lockfile) in inventory.lockfiles.iter().enumerate() {
        for (index, package) in lockfile.indexed() {
            if !matches!(package.origin, Origin::Path(_))
                && (is_covered(package) || CommitQuery::of(&package.origin).is_some())
            {
                let version = Version {
                    ecosystem: package.ecosystem,
                    distribution: package.distribution.as_deref(),
                    name: &package.name,
                    version: &package.version,
                    source: match &package.origin {
                        Origin::Git { url, commit } => Some(url.as_str()).zip(commit.as_deref()),
                        _ => None,
                    },
                };
                copies.push(Installed {
                    version,
                    place: (file, index),
                });
            }
        }
    }
    // Lockfiles are all but sorted, which this makes use of and a map would not.
    copies.sort();

    copies
}

/// Whether there are advisories for the package's ecosystem; one that Patchgate does not know may
/// have some.
fn is_covered(package: &Package) -> bool {
    patchgate_ecosystems::by_name(package.ecosystem).is_none_or(Ecosystem::has_advisories)
}

/// The records of one vulnerability of which at least one affects the version.
struct Group {
    /// The records, the ones that affect the version first.
    records: Vec<Arc<Advisory>>,
    /// How many of them affect the version.
    matching: usize,
}

/// Groups the records of a package into vulnerabilities and keeps those that affect the version.
/// `untold` takes the reasons for which a record could not be judged.
fn judge(
    subject: Subject<'_>,
    known: &CandidateRecords<'_>,
    version: Version<'_>,
    untold: &mut dyn FnMut(String),
) -> Vec<Group> {
    let in_force: Vec<&Arc<Advisory>> = known
        .records
        .iter()
        .copied()
        .filter(|record| record.withdrawn.is_none())
        .collect();
    let answers: Vec<Affects> = in_force
        .iter()
        .map(|record| known.affects(subject, record, version.version))
        .collect();
    let (mut any, mut open) = (false, false);

    for answer in &answers {
        any |= *answer == Affects::Yes;
        open |= matches!(answer, Affects::Unknown(_));
    }

    if !any && !open {
        return Vec::new();
    }

    let answer = |member: &usize| answers.get(*member).unwrap_or(&Affects::No);
    let mut groups = Vec::new();
    for members in aliases::join(&in_force) {
        let record = |member: &usize| in_force.get(*member).copied();
        // Where another record of the vulnerability judges the package by its version, one that
        // names commits alone has nothing to add.
        let by_version = |member: &usize| {
            *answer(member) != Affects::Yes
                && !matches!(answer(member), Affects::Unknown(_))
                && record(member).is_some_and(|record| entries(subject, record).next().is_some())
        };
        let is_judged = members.iter().any(by_version);
        for member in &members {
            if let (Affects::Unknown(reason), Some(record)) = (answer(member), record(member)) {
                let names_commits_alone = entries(subject, record).next().is_none();
                if !(is_judged && names_commits_alone) {
                    untold(format!("`{}` {reason}", record.id));
                }
            }
        }

        let is_match = |member: &&usize| *answer(member) == Affects::Yes;
        let matching = members.iter().filter(is_match).count();

        if matching > 0 {
            let (mut first, rest): (Vec<&usize>, Vec<&usize>) = members.iter().partition(is_match);
            first.extend(rest);
            groups.push(Group {
                records: first.into_iter().filter_map(record).cloned().collect(),
                matching,
            });
        }
    }

    groups
}

/// Where a package version stands.
struct Place {
    locations: Vec<Location>,
    paths: Vec<Vec<String>>,
    scope: Scope,
    /// Package URL of the first copy.
    purl: String,
}

impl Place {
    fn new(
        inventory: &Inventory,
        copies: &[Installed<'_>],
        chains: &HashMap<(usize, PackageIndex), Vec<Vec<String>>>,
    ) -> Self {
        let mut locations = BTreeSet::new();
        let mut paths = BTreeSet::new();
        let mut scope = Scope::Development;

        let mut purl = None;
        for Installed { place, .. } in copies {
            let Some(lockfile) = inventory.lockfiles.get(place.0) else {
                continue;
            };
            let Some(package) = lockfile.package(place.1) else {
                continue;
            };

            locations.insert(Location {
                file: lockfile.path.clone(),
                line: package.line,
            });
            scope = scope.min(package.scope);
            purl.get_or_insert_with(|| patchgate_ecosystems::purl(package));
            let known = chains.get(place).into_iter().flatten();
            paths.extend(known.map(|chain| (chain.len(), chain.clone())));
        }

        let paths = paths
            .into_iter()
            .map(|(_, chain)| chain)
            .take(chains::MAX_CHAINS)
            .collect();
        Self {
            locations: locations.into_iter().collect(),
            paths,
            scope,
            purl: purl.unwrap_or_default(),
        }
    }
}

fn package_ref(version: Version<'_>, place: &Place) -> PackageRef {
    PackageRef {
        ecosystem: version.ecosystem,
        distribution: version.distribution.map(str::to_owned),
        name: version.name.to_owned(),
        version: version.version.to_owned(),
        purl: place.purl.clone(),
    }
}

impl Group {
    fn into_finding(
        self,
        ecosystem: &dyn Ecosystem,
        version: Version<'_>,
        place: &Place,
        signals: &dyn SignalSource,
        declared: &[String],
        problems: &mut Vec<Problem>,
    ) -> Finding {
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        for record in &self.records {
            ids.insert(&record.id);
            ids.extend(record.aliases.iter().map(SmolStr::as_str));
        }

        let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let all: Vec<&Advisory> = self.records.iter().map(AsRef::as_ref).collect();
        let matching = all.get(..self.matching).unwrap_or(&all);
        let malicious = malicious::is_malicious(matching, declared);

        // A record of malicious releases that does not affect the version gives no name to the
        // vulnerability that does.
        let is_name = |id: &&str| malicious || !malicious::is_of_database(id);
        let names: Vec<&str> = ids.iter().copied().filter(is_name).collect();
        let id = preferred_id(version.ecosystem, &names)
            .unwrap_or_default()
            .to_owned();
        let aliases = ids
            .iter()
            .filter(|one| **one != id)
            .map(|one| (*one).to_owned())
            .collect();
        let signals = signals.signals(&ids, problems);
        let name = ecosystem.normalize_name(version.name);
        let subject = Subject {
            ecosystem,
            distribution: version.distribution,
            name: &name,
        };
        let fixed = fixed_version(subject, &all, version.version);

        // A record that does state a vulnerability outweighs one that only gives notice.
        let informational = matching
            .iter()
            .map(|record| record.informational.clone())
            .reduce(|a, b| a.and_then(|a| b.map(|_| a)))
            .flatten()
            .map(Into::into);
        let mut advisories = self.records.clone();
        let affects_version =
            |record: &Advisory| matching.iter().any(|other| other.id == record.id);
        advisories.sort_by_cached_key(|record| {
            let rank = aliases::rank(version.ecosystem, &record.id);
            (
                record.id != id,
                !affects_version(record),
                rank,
                record.id.clone(),
            )
        });
        let summary = advisories
            .iter()
            .map(|record| record.summary.as_str())
            .find(|summary| !summary.is_empty())
            .unwrap_or_default()
            .to_owned();

        Finding {
            id,
            aliases,
            summary,
            package: package_ref(version, place),
            locations: place.locations.clone(),
            paths: place.paths.clone(),
            scope: place.scope,
            fixed,
            severity: Severity {
                level: Level::Unknown,
                cvss_score: None,
                cvss_vector: None,
            },
            signals,
            informational,
            malicious,
            score: Score::default(),
            advisories,
        }
    }
}

fn untold(
    inventory: &Inventory,
    version: Version<'_>,
    copies: &[Installed<'_>],
    reason: String,
) -> Problem {
    let first = copies.first().and_then(|copy| {
        let (file, index) = copy.place;
        let lockfile = inventory.lockfiles.get(file)?;
        Some((lockfile.path.clone(), lockfile.package(index)?.line))
    });
    let (subject, line) = match first {
        Some((path, line)) => (path, Some(line)),
        None => (version.name.to_owned(), None),
    };

    Problem {
        kind: ProblemKind::Version,
        subject,
        line,
        reason: format!(
            "whether `{}` {} is affected cannot be told: {reason}",
            version.name, version.version
        ),
        hint: Some("read the advisory and judge it by hand".to_owned()),
    }
}
