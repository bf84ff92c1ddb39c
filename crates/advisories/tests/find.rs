//! Findings: merged records, locations, dependency chains, and real lockfiles against real records.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use patchgate_advisories::{
    AdvisoryLookup, Existing, Findings, NoSignals, SignalSource, Store, find, parse_record, queries,
};
use patchgate_ecosystems::{Input, Siblings};
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, Epss, FixedVersion, FormatId, Inventory, KevStatus, Level,
    Lockfile, Origin, Package, PackageIndex, Problem, ProblemKind, Root, Scope,
};
use serde_json::{Value, json};

fn edges(to: &[u32]) -> Vec<Edge> {
    to.iter()
        .map(|to| Edge {
            to: PackageIndex(*to),
            name: String::new().into(),
            requirement: None,
            kind: DependencyKind::Runtime,
        })
        .collect()
}

fn package(name: &str, version: &str, line: u32, to: &[u32]) -> Package {
    Package {
        line,
        edges: edges(to),
        ..Package::new(
            EcosystemName::new("crates.io"),
            name.to_owned(),
            version.to_owned(),
        )
    }
}

fn lockfile(path: &str, packages: Vec<Package>, roots: &[(&str, &[u32])]) -> Lockfile {
    Lockfile {
        path: path.to_owned(),
        ecosystem: EcosystemName::new("crates.io"),
        format: FormatId::new("test"),
        packages,
        roots: roots
            .iter()
            .map(|(name, to)| Root {
                name: (*name).to_owned(),
                manifest: None,
                edges: edges(to),
            })
            .collect(),
        ..Lockfile::default()
    }
}

fn inventory(lockfiles: Vec<Lockfile>) -> Inventory {
    Inventory {
        lockfiles,
        ..Inventory::default()
    }
}

/// A record of `name` below 2.0.0, with more fields.
fn record(id: &str, name: &str, more: Value) -> Value {
    let mut record = json!({"id": id, "summary": format!("summary of {id}"), "affected": [{
        "package": {"ecosystem": "crates.io", "name": name},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}]});
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

fn lookup(records: &[Value]) -> AdvisoryLookup {
    let mut lookup = AdvisoryLookup::default();
    for record in records {
        let advisory = parse_record(record.to_string().as_bytes()).unwrap();
        let name = advisory.affected[0].name.clone();
        lookup
            .advisories
            .entry((EcosystemName::new("crates.io"), name))
            .or_default()
            .push(Arc::new(advisory));
    }

    lookup
}

fn ids(found: &Findings) -> Vec<(&str, &str)> {
    found
        .findings
        .iter()
        .map(|one| (one.package.name.as_str(), one.id.as_str()))
        .collect()
}

#[test]
fn one_vulnerability_in_one_version_is_one_finding_over_all_lockfiles() {
    let mut weak = package("a", "1.0.0", 7, &[]);
    weak.scope = Scope::Development;
    let inventory = inventory(vec![
        lockfile(
            "b/Cargo.lock",
            vec![package("a", "1.0.0", 9, &[])],
            &[("b", &[0])],
        ),
        lockfile("a/Cargo.lock", vec![weak], &[("a", &[0])]),
    ]);

    let records = [
        record(
            "GHSA-a",
            "a",
            json!({"aliases": ["CVE-1-1"], "summary": ""}),
        ),
        record("RUSTSEC-1", "a", json!({"aliases": ["CVE-1-1"]})),
        record("CVE-1-2", "a", json!({})),
    ];
    let found = find(&inventory, &lookup(&records), &NoSignals);

    assert_eq!(ids(&found), [("a", "RUSTSEC-1"), ("a", "CVE-1-2")]);

    let first = &found.findings[0];
    assert_eq!(first.aliases, ["CVE-1-1", "GHSA-a"]);
    assert_eq!(first.summary, "summary of RUSTSEC-1");

    let order: Vec<&str> = first.advisories.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(order, ["RUSTSEC-1", "GHSA-a"]);

    let places: Vec<(&str, u32)> = first
        .locations
        .iter()
        .map(|one| (one.file.as_str(), one.line))
        .collect();
    assert_eq!(places, [("a/Cargo.lock", 7), ("b/Cargo.lock", 9)]);
    assert_eq!(first.paths, [["a@1.0.0"]]);
    assert_eq!(first.scope, Scope::Runtime);
    assert_eq!(first.package.purl, "pkg:cargo/a@1.0.0");
    assert_eq!(first.fixed, FixedVersion::At("2.0.0".to_owned()));
    assert_eq!(first.severity.level, Level::Unknown);
    assert_eq!(first.signals.kev, KevStatus::NotConsulted);
    assert!(!first.malicious);
}

/// When records disagree, one that says "affected" is enough, and the fix must satisfy all.
#[test]
fn records_that_disagree_are_one_finding() {
    let range = |events: Value| {
        json!([{"package": {"ecosystem": "crates.io", "name": "a"},
            "ranges": [{"type": "SEMVER", "events": events}]}])
    };
    let records = [
        record("GHSA-a", "a", json!({"aliases": ["RUSTSEC-1"]})),
        record(
            "RUSTSEC-1",
            "a",
            json!({"affected":
            range(json!([{"introduced": "1.5.0"}, {"fixed": "2.5.0"}]))}),
        ),
    ];

    let inventory = inventory(vec![lockfile(
        "l",
        vec![package("a", "1.0.0", 1, &[])],
        &[],
    )]);
    let found = find(&inventory, &lookup(&records), &NoSignals);

    assert_eq!(ids(&found), [("a", "RUSTSEC-1")]);
    assert_eq!(
        found.findings[0].fixed,
        FixedVersion::At("2.5.0".to_owned())
    );
    assert_eq!(found.findings[0].advisories.len(), 2);
}

#[test]
fn the_users_own_packages_are_not_matched_and_not_asked_for() {
    let mut own = package("a", "1.0.0", 1, &[]);
    own.origin = Origin::Path(None);
    let mut git = package("b", "1.0.0", 2, &[]);
    git.origin = Origin::Git {
        url: "https://git.invalid/b".to_owned(),
        commit: None,
    };
    let inventory = inventory(vec![lockfile("l", vec![own, git], &[])]);
    let names: Vec<_> = queries(&inventory)
        .into_iter()
        .map(|query| query.name)
        .collect();

    assert_eq!(names, ["b"]);

    let records = [record("X-1", "a", json!({})), record("X-2", "b", json!({}))];
    assert_eq!(
        ids(&find(&inventory, &lookup(&records), &NoSignals)),
        [("b", "X-2")]
    );
}

/// OSV's server compares NuGet's versions as texts, and does not list `6.0`.
#[test]
fn all_versions_are_requested_when_versions_have_several_forms() {
    let nuget = |version: &str| {
        Package::new(
            EcosystemName::new("NuGet"),
            "A".to_owned(),
            version.to_owned(),
        )
    };
    let packages = vec![nuget("6.0"), nuget("6.0.0"), package("b", "1.0.0", 1, &[])];
    let inventory = inventory(vec![lockfile("l", packages, &[])]);
    let asked: Vec<_> = queries(&inventory)
        .into_iter()
        .map(|query| (query.name, query.version))
        .collect();

    assert_eq!(
        asked,
        [("A".into(), None), ("b".into(), Some("1.0.0".into()))]
    );
}

#[test]
fn chains_lead_from_each_root_and_never_round() {
    // root one -> 0 -> 1 -> target, 1 -> 0 (a circle); root two -> 3 -> target; root three -> target
    let packages = vec![
        package("p0", "1.0.0", 1, &[1]),
        package("p1", "1.0.0", 2, &[0, 2]),
        package("t", "1.0.0", 3, &[0]),
        package("p3", "1.0.0", 4, &[2]),
    ];
    let roots: [(&str, &[u32]); 4] = [("1", &[0]), ("2", &[3]), ("3", &[2]), ("4", &[3])];
    let inventory = inventory(vec![lockfile("l", packages, &roots)]);
    let found = find(
        &inventory,
        &lookup(&[record("X-1", "t", json!({}))]),
        &NoSignals,
    );
    let expected: [&[&str]; 3] = [
        &["t@1.0.0"],
        &["p3@1.0.0", "t@1.0.0"],
        &["p0@1.0.0", "p1@1.0.0", "t@1.0.0"],
    ];

    assert_eq!(found.findings[0].paths, expected);
}

#[test]
fn chains_do_not_lead_through_other_members() {
    let mut member = package("two", "0.1.0", 1, &[1]);
    member.origin = Origin::Path(None);
    let packages = vec![member, package("t", "1.0.0", 2, &[])];
    let roots: [(&str, &[u32]); 2] = [("one", &[0]), ("two", &[1])];
    let inventory = inventory(vec![lockfile("l", packages, &roots)]);
    let found = find(
        &inventory,
        &lookup(&[record("X-1", "t", json!({}))]),
        &NoSignals,
    );

    assert_eq!(found.findings[0].paths, [["t@1.0.0"]]);
}

#[test]
fn chains_are_few_and_the_same_each_time() {
    let mut packages: Vec<Package> = (0..30)
        .map(|n| package(&format!("p{n:02}"), "1.0.0", n + 1, &[30]))
        .collect();
    packages.push(package("t", "1.0.0", 40, &[]));
    let starts: Vec<Vec<u32>> = (0..30).map(|n| vec![n]).collect();
    let roots: Vec<(&str, &[u32])> = starts.iter().rev().map(|to| ("", to.as_slice())).collect();
    let inventory = inventory(vec![lockfile("l", packages, &roots)]);
    let found = find(
        &inventory,
        &lookup(&[record("X-1", "t", json!({}))]),
        &NoSignals,
    );
    let paths = &found.findings[0].paths;

    assert_eq!(paths.len(), 8);
    assert_eq!(
        (paths[0][0].as_str(), paths[7][0].as_str()),
        ("p00@1.0.0", "p07@1.0.0")
    );
}

#[test]
fn what_cannot_be_judged_is_a_problem_at_its_line() {
    let inventory = inventory(vec![lockfile(
        "l",
        vec![package("a", "latest", 5, &[])],
        &[],
    )]);
    let records = [record(
        "X-1",
        "a",
        json!({"affected": [
        {"package": {"ecosystem": "crates.io", "name": "a"}, "ranges": [
            {"type": "SEMVER", "events": [{"introduced": "1.0.0"}]}]}]}),
    )];
    let found = find(&inventory, &lookup(&records), &NoSignals);

    assert!(found.findings.is_empty());

    let problem = &found.problems[0];
    assert_eq!(
        (problem.kind, problem.line),
        (ProblemKind::Version, Some(5))
    );
    assert_eq!(
        problem.reason,
        "it is unknown whether `a` latest is affected: `X-1` cannot be compared: `latest` is not a \
         version of crates.io"
    );
}

/// Without an order, only listed versions can match. The report says so once.
#[test]
fn listed_versions_of_an_ecosystem_without_an_order_are_found() {
    let package = |name: &str, version: &str| {
        Package::new(
            EcosystemName::new("Solaris"),
            name.to_owned(),
            version.to_owned(),
        )
    };
    let packages = vec![
        package("a", "1.0"),
        package("a", "1.00"),
        package("a", "2.0"),
        package("b", "1.0"),
    ];
    let affected = |more: Value| {
        let mut entry = json!({"package": {"ecosystem": "Solaris", "name": "a"}});
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        json!({"affected": [entry]})
    };

    let range = |events: Value| json!([{"type": "ECOSYSTEM", "events": events}]);
    let listed = affected(json!({
        "versions": ["0.9", "1.0"],
        "ranges": range(json!([{"introduced": "0"}, {"fixed": "1.5"}]))}));
    let always = affected(json!({"ranges": range(json!([{"introduced": "0"}]))}));

    let mut lookup = AdvisoryLookup::default();
    for (id, more) in [("X-1", listed), ("X-2", always)] {
        let advisory = parse_record(record(id, "a", more).to_string().as_bytes()).unwrap();
        let records = lookup
            .advisories
            .entry((EcosystemName::new("Solaris"), "a".into()));
        records.or_default().push(Arc::new(advisory));
    }

    let found = find(
        &inventory(vec![lockfile("l", packages, &[])]),
        &lookup,
        &NoSignals,
    );
    let seen: Vec<(&str, &str)> = found
        .findings
        .iter()
        .map(|one| (one.package.version.as_str(), one.id.as_str()))
        .collect();

    assert_eq!(
        seen,
        [
            ("1.0", "X-1"),
            ("1.0", "X-2"),
            ("1.00", "X-2"),
            ("2.0", "X-2")
        ]
    );
    assert_eq!(
        found.findings[0].fixed,
        FixedVersion::None(
            "whether a release fixes it is unknown: a fixed version that the advisory lists cannot \
             be compared with the installed one"
                .to_owned()
        )
    );

    let [problem] = found.problems.as_slice() else {
        panic!("{:?}", found.problems);
    };
    assert_eq!((problem.subject.as_str(), problem.line), ("Solaris", None));
    assert_eq!(
        problem.reason,
        "this version of Patchgate cannot order its versions: only those that an advisory lists \
         one by one were compared"
    );
}

#[test]
fn notices_and_malicious_releases_are_marked() {
    let notice = json!({"affected": [{"package": {"ecosystem": "crates.io", "name": "a"},
        "versions": ["1.0.0"], "database_specific": {"informational": "unmaintained"}}]});
    let inventory = inventory(vec![lockfile(
        "l",
        ["a", "b", "c", "d"]
            .iter()
            .map(|name| package(name, "1.0.0", 1, &[]))
            .collect(),
        &[],
    )]);

    let of_b = json!({"affected": [{"package": {"ecosystem": "crates.io", "name": "b"},
        "versions": ["1.0.0"], "database_specific": {"informational": "unsound"}}]});
    let records = [
        record("RUSTSEC-1", "a", notice),
        // A second record states a vulnerability, which a notice is not.
        record("RUSTSEC-2", "b", of_b),
        record("GHSA-b", "b", json!({"aliases": ["RUSTSEC-2"]})),
        record("LWA-1", "c", json!({"aliases": ["MAL-1"]})),
        record(
            "GHSA-d",
            "d",
            json!({"database_specific": {"cwe_ids": ["CWE-506"]}}),
        ),
    ];
    let found = find(&inventory, &lookup(&records), &NoSignals);

    assert_eq!(
        ids(&found),
        [
            ("a", "RUSTSEC-1"),
            ("b", "RUSTSEC-2"),
            ("c", "LWA-1"),
            ("d", "GHSA-d")
        ]
    );

    let notices: Vec<_> = found
        .findings
        .iter()
        .map(|one| one.informational.as_deref())
        .collect();
    assert_eq!(notices, [Some("unmaintained"), None, None, None]);

    let malicious: Vec<bool> = found.findings.iter().map(|one| one.malicious).collect();
    assert_eq!(malicious, [false, false, true, true]);
}

/// Scores and a catalogue that cannot be read.
struct Feeds;

impl SignalSource for Feeds {
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem> {
        let probability = if cve == "CVE-1-2" { 0.5 } else { 0.1 };
        Ok(Some(Epss {
            cve: cve.to_owned(),
            probability,
            percentile: 0.5,
        }))
    }

    fn kev(&self, _cve: &str) -> Result<KevStatus, Problem> {
        Err(Problem {
            kind: ProblemKind::Feed,
            subject: "kev".to_owned(),
            line: None,
            reason: "damaged".to_owned(),
            hint: None,
        })
    }

    fn has_kev(&self) -> bool {
        true
    }
}

#[test]
fn signals_are_the_highest_of_all_ids_and_unknown_when_unreadable() {
    let inventory = inventory(vec![lockfile(
        "l",
        vec![package("a", "1.0.0", 1, &[])],
        &[],
    )]);
    let aliases = json!({"aliases": ["CVE-1-1", "CVE-1-2", "CVE-1-3"]});
    let found = find(
        &inventory,
        &lookup(&[record("GHSA-a", "a", aliases)]),
        &Feeds,
    );
    let signals = &found.findings[0].signals;

    assert_eq!(signals.epss.as_ref().unwrap().cve, "CVE-1-2");
    assert_eq!(signals.kev, KevStatus::NotConsulted);
    assert_eq!(found.problems.len(), 1);

    // No CVE at all cannot be in the catalogue.
    let found = find(
        &inventory,
        &lookup(&[record("GHSA-a", "a", json!({}))]),
        &Feeds,
    );
    assert_eq!(found.findings[0].signals.kev, KevStatus::NotListed);
}

/// The real records of crates.io and the real feeds, built once for all tests.
static REAL: LazyLock<Option<(PathBuf, tempfile::TempDir)>> = LazyLock::new(|| {
    let shared = patchgate_testkit::shared_dir()?;
    let into = tempfile::tempdir().unwrap();
    let from = [shared.join("advisories/crates.io"), shared.join("feeds")];
    Store::build(&from, into.path(), Existing::Keep, &|_| {}).unwrap();
    Some((shared, into))
});

fn real(lockfile: &str) -> Option<(Inventory, Findings)> {
    let (shared, store) = REAL.as_ref()?;
    let store = Store::open(store.path()).unwrap();
    let bytes = std::fs::read(shared.join("corpus").join(lockfile)).unwrap();
    let siblings = Siblings::new();
    let input = Input {
        path: lockfile,
        bytes: &bytes,
        siblings: &siblings,
    };
    let parsed = patchgate_ecosystems::parse(&input).unwrap();
    let inventory = inventory(vec![parsed]);
    let found = find(&inventory, &store.lookup(&queries(&inventory)), &store);

    Some((inventory, found))
}

/// uv's lockfile of 2023-12-29 against RustSec: facts that the records themselves state.
#[test]
fn a_real_cargo_lockfile_has_the_findings_that_its_records_state() {
    let Some((inventory, found)) = real("astral-sh__uv@2023-12-29/Cargo.lock") else {
        return;
    };

    assert_eq!(found.problems, []);

    let versions: Vec<(&str, &str)> = inventory.lockfiles[0]
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    // RUSTSEC-2024-0336: rustls below 0.20.11, 0.21 below 0.21.11.
    assert!(versions.contains(&("rustls", "0.21.8")));

    let rustls = found
        .findings
        .iter()
        .find(|one| one.id == "RUSTSEC-2024-0336")
        .unwrap();
    assert_eq!(rustls.package.version, "0.21.8");
    assert_eq!(rustls.fixed, FixedVersion::At("0.21.11".to_owned()));
    assert!(rustls.aliases.contains(&"CVE-2024-32650".to_owned()));
    assert!(rustls.signals.epss.is_some());
    assert_eq!(rustls.signals.kev, KevStatus::NotListed);

    for finding in &found.findings {
        assert!(
            !finding.locations.is_empty() && finding.locations[0].line > 1,
            "{}",
            finding.id
        );
        assert!(
            !finding.paths.is_empty() && finding.paths.len() <= 8,
            "{}",
            finding.id
        );

        let last = format!("{}@{}", finding.package.name, finding.package.version);
        assert!(finding.paths.iter().all(|path| path.last() == Some(&last)));
        assert!(versions.contains(&(&*finding.package.name, &*finding.package.version)));
    }

    let mut sorted = ids(&found);
    sorted.dedup();

    assert_eq!(sorted.len(), found.findings.len());
}

/// Counts of an independent evaluation of the same records over the same files.
#[test]
fn real_cargo_lockfiles_have_as_many_findings_as_counted_by_other_means() {
    for (lockfile, expected) in [
        ("astral-sh__uv@2023-12-29/Cargo.lock", 39),
        // There are 63 records; two on `failure` share their aliases.
        ("rustsec__rustsec@2020-12-30/Cargo.lock", 62),
        ("guppy-rs__guppy@2020-12-29/Cargo.lock", 46),
        ("zizmorcore__zizmor@2026-08-22/Cargo.lock", 3),
    ] {
        let Some((_, found)) = real(lockfile) else {
            return;
        };
        assert_eq!(found.findings.len(), expected, "{lockfile}");
        assert_eq!(found.problems, [], "{lockfile}");
    }
}
