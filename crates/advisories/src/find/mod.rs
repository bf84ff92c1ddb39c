//! Findings: the packages of an inventory against the records of a lookup.

mod aliases;
mod candidates;
mod chains;
mod explain;
mod malicious;
mod requirements;
mod unordered;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{
    Advisory, EcosystemName, Finding, Inventory, Level, Location, Origin, Package, PackageIndex,
    PackageRef, Problem, ProblemKind, Scope, Score, Severity, SmolStr,
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

/// The findings of an inventory, and the problems that leave some undetermined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The findings: those about installed versions, ordered by ecosystem, package, version and id,
    /// then those about requirements of which every admitted version is affected.
    pub findings: Vec<Finding>,
    /// Findings about requirements of which some admitted versions are affected. Whether an affected
    /// version is installed is unknown.
    pub possible: Vec<Finding>,
    /// Packages and records that could not be matched. If there are any, findings may be missing.
    pub problems: Vec<Problem>,
}

/// Package versions per rayon task. Kept small: similar names are adjacent and tend to hit together,
/// so large chunks would be unbalanced.
const VERSIONS_A_TASK: usize = 50;

/// One package version, however many lockfiles contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Version<'a> {
    ecosystem: EcosystemName,
    distribution: Option<&'a str>,
    name: &'a str,
    version: &'a str,
    /// Address and commit of a git source. The same version may be another commit, or from another
    /// repository, in another lockfile.
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
    /// Index of the lockfile and of the package in it.
    location: (usize, PackageIndex),
}

impl Installed<'_> {
    fn is_of_the_same_version(&self, other: &Self) -> bool {
        self.version == other.version
    }
}

/// The queries for an inventory, sorted and without duplicates. Packages from a directory of the
/// repository are the user's own, so there is no query for them. If an ecosystem writes versions in
/// another form than the advisories, the query asks for all versions.
#[must_use]
pub fn queries(inventory: &Inventory) -> Vec<PackageQuery> {
    let mut copies = copies(inventory);
    copies.dedup_by(|a, b| a.is_of_the_same_version(b));
    let mut queries: Vec<PackageQuery> = copies
        .into_iter()
        .map(|copy| copy.version)
        .filter(|version| has_advisories(version.ecosystem))
        .map(|version| PackageQuery {
            ecosystem: version.ecosystem,
            distribution: version.distribution.map(str::to_owned),
            name: version.name.into(),
            version: by_name(version.ecosystem)
                .is_none_or(Ecosystem::writes_registry_versions)
                .then(|| version.version.into()),
        })
        .collect();
    let requirements = requirements::stated(inventory);
    queries.extend(requirements.iter().map(|stated| PackageQuery {
        ecosystem: stated.ecosystem,
        distribution: None,
        name: stated.name.into(),
        version: None,
    }));
    queries.sort();
    queries.dedup();

    queries
}

/// Matches an inventory against the records of a lookup.
///
/// Records that share an id or an alias are one vulnerability. One vulnerability in one package
/// version is one finding, however many lockfiles contain the version. Severity and score are left
/// unknown and empty: `patchgate-risk` computes them from [`Finding::advisories`].
#[must_use]
pub fn find(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
) -> Findings {
    find_in(inventory, lookup, signals, &|name| {
        patchgate_ecosystems::by_name(name)
    })
}

/// [`find`] with another list of ecosystems, for tests.
fn find_in(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
    by_name: &(dyn Fn(&str) -> Option<&'static dyn Ecosystem> + Sync),
) -> Findings {
    let copies = copies(inventory);
    let versions: Vec<&[Installed<'_>]> =
        copies.chunk_by(Installed::is_of_the_same_version).collect();
    let judged: Vec<MatchOutcome<'_>> = versions
        .par_iter()
        .with_min_len(VERSIONS_A_TASK)
        .filter_map(|copies| {
            let version = copies.first()?.version;
            let ecosystem = by_name(version.ecosystem.as_str());
            Some(MatchOutcome::new(
                inventory, lookup, version, copies, ecosystem,
            ))
        })
        .filter(|judged| !judged.groups.is_empty() || !judged.problems.is_empty())
        .collect();
    let targets = judged
        .iter()
        .filter(|judged| !judged.groups.is_empty())
        .flat_map(|judged| judged.copies.iter().map(|copy| copy.location))
        .collect();
    let chains = chains::shortest(inventory, &targets);
    let mut problems = BTreeSet::new();
    let mut findings = Vec::new();
    let by_version: Vec<(Vec<Finding>, Vec<Problem>)> = judged
        .into_par_iter()
        .map(|judged| {
            let unordered = Unordered(judged.version.ecosystem);
            let ecosystem = by_name(judged.version.ecosystem.as_str()).unwrap_or(&unordered);
            let occurrences = Occurrences::new(inventory, judged.copies, &chains);
            let mut problems = judged.problems;
            let findings = judged.groups.into_iter().map(|group| {
                group.into_finding(
                    ecosystem,
                    judged.version,
                    &occurrences,
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

    let mut findings = merged(findings);
    let of_requirements = requirements::judge(inventory, lookup, signals);
    findings.extend(of_requirements.certain);
    problems.extend(of_requirements.problems);

    Findings {
        findings,
        possible: of_requirements.possible,
        problems: problems.into_iter().collect(),
    }
}

/// The outcome of matching one package version.
struct MatchOutcome<'a> {
    version: Version<'a>,
    copies: &'a [Installed<'a>],
    /// The vulnerabilities that affect it.
    groups: Vec<Group>,
    /// Why other vulnerabilities are undetermined.
    problems: Vec<Problem>,
}

impl<'a> MatchOutcome<'a> {
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
        let groups = match_records(subject, &known, version, &mut |reason| {
            // Without an order all ranges are undetermined, which the problem above reports once.
            if ordered.is_some() {
                problems.push(undetermined(inventory, version, copies, reason));
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

/// Merges the findings of one vulnerability in one package version. Copies from different commits
/// were matched separately.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    // Index of the first finding of the present version. Its findings are adjacent, whatever their
    // source.
    let mut first = 0;
    for finding in findings {
        let is_other = |known: &Finding| known.package != finding.package;
        if merged.last().is_some_and(is_other) {
            first = merged.len();
        }

        let own = merged.get_mut(first..).unwrap_or_default();
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

/// The copies of packages in an inventory, sorted by version, without the user's own packages and
/// those that no advisory can cover.
fn copies(inventory: &Inventory) -> Vec<Installed<'_>> {
    let mut copies = Vec::new();
    for (file, lockfile) in inventory.lockfiles.iter().enumerate() {
        for (index, package) in lockfile.indexed() {
            let has_version = has_advisories(package.ecosystem) && !is_moving(package);
            if !matches!(package.origin, Origin::Path(_))
                && (has_version || CommitQuery::of(&package.origin).is_some())
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
                    location: (file, index),
                });
            }
        }
    }
    // Lockfiles are almost sorted, and the sort takes advantage of that; a map would not.
    copies.sort();

    copies
}

/// Whether advisories may exist for an ecosystem. One that Patchgate does not know may have some.
fn has_advisories(ecosystem: EcosystemName) -> bool {
    by_name(ecosystem).is_none_or(Ecosystem::has_advisories)
}

/// Whether the version of a package names no single release, such as the tag `v4`. A commit next to
/// it names one, but only records about commits can be compared with that.
fn is_moving(package: &Package) -> bool {
    by_name(package.ecosystem).is_some_and(|ecosystem| ecosystem.is_moving(&package.version))
}

/// The records of one vulnerability, at least one of which affects the version.
struct Group {
    /// The records; those that affect the version come first.
    records: Vec<Arc<Advisory>>,
    /// Number of records that affect the version.
    matching: usize,
}

/// Groups the records of a package into vulnerabilities and keeps those that affect the version.
/// `undetermined` takes the reason if a record could not be matched.
fn match_records(
    subject: Subject<'_>,
    known: &CandidateRecords<'_>,
    version: Version<'_>,
    undetermined: &mut dyn FnMut(String),
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
        // A record that names only commits adds nothing if another record of the same vulnerability
        // covers the version.
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
                    undetermined(format!("`{}` {reason}", record.id));
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

/// The locations of a package version, and the chains to it.
struct Occurrences {
    locations: Vec<Location>,
    paths: Vec<Vec<String>>,
    scope: Scope,
    /// Package URL of the first copy.
    purl: String,
}

impl Occurrences {
    fn new(
        inventory: &Inventory,
        copies: &[Installed<'_>],
        chains: &HashMap<(usize, PackageIndex), Vec<Vec<String>>>,
    ) -> Self {
        let mut locations = BTreeSet::new();
        let mut paths = BTreeSet::new();
        let mut scope = Scope::Development;

        let mut purl = None;
        for Installed { location, .. } in copies {
            let Some(lockfile) = inventory.lockfiles.get(location.0) else {
                continue;
            };
            let Some(package) = lockfile.package(location.1) else {
                continue;
            };

            locations.insert(Location {
                file: lockfile.path.clone(),
                line: package.line,
            });
            scope = scope.min(package.scope);
            purl.get_or_insert_with(|| patchgate_ecosystems::purl(package));
            let known = chains.get(location).into_iter().flatten();
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

fn package_ref(version: Version<'_>, occurrences: &Occurrences) -> PackageRef {
    PackageRef {
        ecosystem: version.ecosystem,
        distribution: version.distribution.map(str::to_owned),
        name: version.name.to_owned(),
        version: version.version.to_owned(),
        purl: occurrences.purl.clone(),
    }
}

impl Group {
    fn into_finding(
        self,
        ecosystem: &dyn Ecosystem,
        version: Version<'_>,
        occurrences: &Occurrences,
        signals: &dyn SignalSource,
        declared: &[String],
        problems: &mut Vec<Problem>,
    ) -> Finding {
        // The id and the aliases.
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        for record in &self.records {
            ids.insert(&record.id);
            ids.extend(record.aliases.iter().map(SmolStr::as_str));
        }

        let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let all: Vec<&Advisory> = self.records.iter().map(AsRef::as_ref).collect();
        let matching = all.get(..self.matching).unwrap_or(&all);
        let malicious = malicious::is_malicious(matching, declared);

        // A record about malicious releases that does not affect this version must not name the
        // vulnerability. An alias for which there is no record can be looked up nowhere, so it does not
        // either, except for a CVE: a vendor's own number of a document says less than that.
        let is_name = |id: &&str| malicious || !malicious::is_of_database(id);
        let of_records = all.iter().map(|record| record.id.as_str());
        let cves = ids.iter().copied().filter(|id| id.starts_with("CVE-"));
        let names: Vec<&str> = of_records.chain(cves).filter(is_name).collect();
        let others: Vec<&str> = ids.iter().copied().filter(is_name).collect();
        let id = preferred_id(version.ecosystem, &names)
            .or_else(|| preferred_id(version.ecosystem, &others))
            .unwrap_or_default()
            .to_owned();
        let aliases = ids
            .iter()
            .filter(|one| **one != id)
            .map(|one| (*one).to_owned())
            .collect();

        // The facts about the vulnerability.
        let signals = signals.signals(&ids, problems);
        let name = ecosystem.normalize_name(version.name);
        let subject = Subject {
            ecosystem,
            distribution: version.distribution,
            name: &name,
        };
        let fixed = fixed_version(subject, &all, version.version);

        // A record of a vulnerability outweighs a mere notice.
        let informational = matching
            .iter()
            .map(|record| record.informational.clone())
            .reduce(|a, b| a.and_then(|a| b.map(|_| a)))
            .flatten()
            .map(Into::into);

        // The records, the one with the finding's id first, then those that affect the version.
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
            package: package_ref(version, occurrences),
            locations: occurrences.locations.clone(),
            paths: occurrences.paths.clone(),
            scope: occurrences.scope,
            requirement: None,
            fixed,
            severity: Severity {
                level: Level::Unknown,
                cvss_score: None,
                cvss_vector: None,
            },
            signals,
            informational,
            malicious,
            reachability: None,
            score: Score::default(),
            advisories,
        }
    }
}

fn undetermined(
    inventory: &Inventory,
    version: Version<'_>,
    copies: &[Installed<'_>],
    reason: String,
) -> Problem {
    let first = copies.first().and_then(|copy| {
        let (file, index) = copy.location;
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
            "it is unknown whether `{}` {} is affected: {reason}",
            version.name, version.version
        ),
        hint: Some("read the advisory and decide by hand".to_owned()),
    }
}
