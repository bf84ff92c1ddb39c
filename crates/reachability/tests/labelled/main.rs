//! Answers about small repositories that were labelled by hand, among them the known limits of the
//! method. The figures in `docs/reachability.md` are those of the table here.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

mod cases;

use std::collections::BTreeSet;
use std::sync::Arc;

use cases::{Case, all};
use patchgate_model::{
    Advisory, Affected, DependencyKind, EcosystemName, Edge, Finding, FixedVersion, FormatId,
    Inventory, Level, Lockfile, Package, PackageIndex, PackageRef, Reachability,
    ReachabilityEvidence, Root, Severity, Signals,
};
use patchgate_reachability::{Sources, assess};

fn format(ecosystem: &str) -> FormatId {
    FormatId::new(match ecosystem {
        "npm" => "npm-lock-v3",
        "PyPI" => "poetry-lock",
        "crates.io" => "cargo-lock-v4",
        "Go" => "go-mod",
        _ => "gradle-lock",
    })
}

fn edge(to: u32, name: &str) -> Edge {
    Edge {
        to: PackageIndex(to),
        name: name.into(),
        requirement: None,
        kind: DependencyKind::Runtime,
    }
}

/// The lockfile of a case: the package, those that the case also locks as direct dependencies, and a
/// package that needs it if it is transitive.
fn inventory(case: &Case) -> Inventory {
    let ecosystem = EcosystemName::new(case.ecosystem);
    let package = |name: &str| Package::new(ecosystem, name.to_owned(), "1.0.0".to_owned());
    let mut packages = vec![package(case.package)];
    let mut edges = Vec::new();
    match case.needed_by {
        Some(dependent_name) => {
            let mut dependent = package(dependent_name);
            dependent.edges.push(edge(0, case.package));
            packages.push(dependent);
            edges.push(edge(1, dependent_name));
        }
        None => edges.push(edge(0, case.alias.unwrap_or(case.package))),
    }
    for other in case.others {
        edges.push(edge(u32::try_from(packages.len()).unwrap(), other));
        packages.push(package(other));
    }

    Inventory {
        lockfiles: vec![Lockfile {
            path: "lock".to_owned(),
            ecosystem,
            format: format(case.ecosystem),
            packages,
            roots: vec![Root {
                edges,
                ..Root::default()
            }],
            ..Lockfile::default()
        }],
        ..Inventory::default()
    }
}

fn finding(case: &Case) -> Finding {
    let ecosystem = EcosystemName::new(case.ecosystem);
    let affected = Affected {
        ecosystem: case.ecosystem.into(),
        distribution: None,
        name: case.package.into(),
        ranges: Vec::new(),
        versions: Vec::new(),
        severity: Vec::new(),
        ecosystem_specific: Some(case.symbols.to_owned()),
        database_specific: None,
    };
    let advisory = Advisory {
        id: "X-1".into(),
        aliases: Vec::new(),
        summary: String::new(),
        details: String::new(),
        modified: None,
        published: None,
        withdrawn: None,
        severity: Vec::new(),
        affected: vec![affected],
        references: Vec::new(),
        cwes: Vec::new(),
        severity_word: None,
        informational: None,
        database_specific: None,
    };
    Finding {
        id: "X-1".to_owned(),
        aliases: Vec::new(),
        summary: String::new(),
        package: PackageRef {
            ecosystem,
            distribution: None,
            name: case.package.to_owned(),
            version: "1.0.0".to_owned(),
            purl: String::new(),
        },
        locations: Vec::new(),
        paths: Vec::new(),
        scope: case.scope,
        requirement: None,
        fixed: FixedVersion::None(String::new()),
        severity: Severity {
            level: Level::High,
            cvss_score: None,
            cvss_vector: None,
        },
        signals: Signals::default(),
        informational: None,
        malicious: case.malicious,
        reachability: None,
        score: patchgate_model::Score::default(),
        advisories: vec![Arc::new(advisory)],
    }
}

fn answer(case: &Case, lowers: bool) -> ReachabilityEvidence {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in case.files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let inventory = inventory(case);
    let sources = Sources {
        root: directory.path(),
        inventory: &inventory,
        progress: &|_| (),
    };
    let mut finding = finding(case);
    assess(&sources, &mut [&mut finding], lowers);
    finding.reachability.unwrap()
}

#[test]
fn every_case_has_its_answer() {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for case in all() {
        assert!(names.insert(case.name), "{} is there twice", case.name);
        let found = answer(case, false);
        let place = found
            .places
            .first()
            .map(|place| format!("{}:{}", place.location.file, place.location.line));
        let place = place.unwrap_or_default();
        if found.reachability != case.answer || (!case.place.is_empty() && place != case.place) {
            wrong.push(format!("{}: {found:?}", case.name));
        }
        assert!(!found.lowers_outcome);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The figures that are published. `truth` is what a person says; `answer` is what the method says.
#[test]
fn the_figures_are_those_of_the_documentation() {
    let count = |test: &dyn Fn(&Case) -> bool| all().filter(|case| test(case)).count();
    let mut rows = String::new();
    for kind in [
        Reachability::SymbolCalled,
        Reachability::PackageImported,
        Reachability::NotImported,
    ] {
        let answered = count(&|case| case.answer == kind);
        let right = count(&|case| case.answer == kind && case.truth == kind);
        let all = count(&|case| case.truth == kind);
        rows.push_str(&format!(
            "| {} | {right} of {answered} | {right} of {all} |\n",
            kind.phrase()
        ));
    }
    let page = include_str!("../../../../docs/reachability.md");
    assert!(page.contains(&rows), "the page lacks these rows:\n{rows}");
    let cases = format!("{} cases", all().count());
    assert!(page.contains(&cases), "the page lacks `{cases}`");
}

#[test]
fn only_an_unused_package_lowers() {
    for case in all() {
        let found = answer(case, true);
        let is_unused = found.reachability == Reachability::NotImported;
        assert_eq!(found.lowers_outcome, is_unused, "{}", case.name);
    }
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let unused = all().find(|case| case.name == "python: a module of another package");
    let unused = unused.unwrap();
    for (name, bytes) in [
        ("latin.py", b"# \xe9\n".to_vec()),
        ("utf16.py", b"\xff\xfei\0m\0p\0o\0r\0t\0".to_vec()),
        ("large.py", vec![b'#'; 2 << 20]),
        ("large.yml", vec![b'#'; 2 << 20]),
        ("deep.py", "(".repeat(500_000).into_bytes()),
    ] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.py"), "import os\n").unwrap();
        let expected = |found: &ReachabilityEvidence| match name {
            // Its text does not have the name, however it is parsed.
            "deep.py" => found.reachability == Reachability::NotImported,
            name => found.reachability == Reachability::Unknown && found.reason.contains(name),
        };
        std::fs::write(directory.path().join(name), bytes).unwrap();
        let inventory = inventory(unused);
        let sources = Sources {
            root: directory.path(),
            inventory: &inventory,
            progress: &|_| (),
        };
        let mut finding = finding(unused);
        assess(&sources, &mut [&mut finding], false);
        let found = finding.reachability.unwrap();
        assert!(expected(&found), "{name}: {found:?}");
    }
}
