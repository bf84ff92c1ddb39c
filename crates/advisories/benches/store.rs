//! How long the offline store takes: to build, and to open and answer a thousand questions.
//!
//! The records are made up, by a generator with a fixed seed, in the shape of the public ones: most
//! are malicious packages with one short record, a few packages have many long ones.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use divan::Bencher;
use patchgate_advisories::{
    Existing, NoSignals, PackageQuery, SignalSource as _, Store, find, queries as queries_of,
};
use patchgate_model::{
    DependencyKind, EcosystemName, Inventory, Lockfile, Package, UnlockedManifest, Unresolved,
};
use tempfile::TempDir;

/// Records in the generated export.
const RECORDS: u64 = 20_000;

/// Scores in the generated feed.
const SCORES: u64 = 100_000;

/// A generator of numbers that is the same on every machine (SplitMix64, public domain, by
/// Sebastiano Vigna).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

fn malicious(numbers: &mut Numbers, n: u64) -> serde_json::Value {
    serde_json::json!({
        "schema_version": "1.7.3", "id": format!("MAL-2026-{n}"),
        "modified": "2026-05-27T21:26:43Z", "published": "2026-05-27T21:26:43Z",
        "summary": format!("Malicious code in pkg-{n} (npm)"),
        "details": "The package sends environment variables to a server. ".repeat(8),
        "affected": [{"package": {"ecosystem": "npm", "name": format!("pkg-{n}")},
            "versions": (0..1 + numbers.next(5)).map(|v| format!("1.0.{v}")).collect::<Vec<_>>(),
            "database_specific": {"cwes": [{"cweId": "CWE-506"}]}}],
        "references": [{"type": "WEB", "url": format!("https://advisories.invalid/{n}")}],
    })
}

fn vulnerability(numbers: &mut Numbers, n: u64) -> serde_json::Value {
    let mut events = Vec::new();
    for major in 0..1 + numbers.next(4) {
        events.push(serde_json::json!({"introduced": format!("{major}.0.0")}));
        events.push(serde_json::json!({"fixed": format!("{major}.{}.0", 1 + numbers.next(20))}));
    }

    let references: Vec<_> = (0..3 + numbers.next(8))
        .map(|r| serde_json::json!({"type": "WEB", "url": format!("https://a.invalid/{n}/{r}")}))
        .collect();
    serde_json::json!({
        "schema_version": "1.7.3", "id": format!("GHSA-{n}"),
        "aliases": [format!("CVE-2025-{}", numbers.next(SCORES))],
        "modified": "2025-08-12T21:55:35.778975Z", "published": "2019-02-07T18:16:48Z",
        "summary": "Input is trusted that should not be",
        "details": "What happens, how, and to whom, at some length. ".repeat(30),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        // A tenth of the packages has most of the records.
        "affected": [{"package": {"ecosystem": "npm", "name": format!("pkg-{}", numbers.next(200))},
            "ranges": [{"type": "SEMVER", "events": events}]}],
        "references": references,
        "database_specific": {"cwe_ids": ["CWE-20"], "severity": "HIGH"},
    })
}

fn export(path: &Path) {
    let mut numbers = Numbers(4);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();

    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for n in 0..RECORDS {
        let record = if n % 20 == 0 {
            vulnerability(&mut numbers, n)
        } else {
            malicious(&mut numbers, n)
        };
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{n}.json"), options).unwrap();
        archive.write_all(record.to_string().as_bytes()).unwrap();
    }

    archive.finish().unwrap();
}

fn scores(path: &Path) {
    let mut text =
        String::from("#model_version:v1,score_date:2026-01-30T12:55:00Z\ncve,epss,percentile\n");
    for n in 0..SCORES {
        text.push_str(&format!("CVE-2025-{n},0.0{},0.{}\n", n % 1000, n % 100));
    }
    std::fs::write(path, text).unwrap();
}

/// The inputs of a build.
static INPUT: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    export(&folder.path().join("npm/all.zip"));
    scores(&folder.path().join("epss.csv"));
    folder
});

/// A store with the benchmark's records, built once for all benchmarks.
static STORE: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Store::build(
        &[INPUT.path().to_owned()],
        folder.path(),
        Existing::Keep,
        &|_| {},
    )
    .unwrap();
    folder
});

fn queries() -> Vec<PackageQuery> {
    let mut numbers = Numbers(5);
    (0..1000)
        .map(|n| {
            // As in a real lockfile, most packages have no record.
            let name = if n % 10 == 0 {
                format!("pkg-{}", numbers.next(RECORDS))
            } else {
                format!("clean-{n}")
            };
            PackageQuery {
                ecosystem: EcosystemName::new("npm"),
                distribution: None,
                name: name.into(),
                version: None,
            }
        })
        .collect()
}

#[divan::bench(sample_count = 10)]
fn build_20_000_records(bencher: Bencher<'_, '_>) {
    LazyLock::force(&INPUT);
    let into = tempfile::tempdir().unwrap();
    bencher.bench_local(|| {
        Store::build(
            &[INPUT.path().to_owned()],
            into.path(),
            Existing::Keep,
            &|_| {},
        )
        .unwrap()
    });
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    LazyLock::force(&STORE);
    bencher.bench_local(|| Store::open(STORE.path()).unwrap());
}

#[divan::bench]
fn open_and_look_up_1_000_packages(bencher: Bencher<'_, '_>) {
    LazyLock::force(&STORE);
    let queries = queries();
    bencher.bench_local(|| Store::open(STORE.path()).unwrap().lookup(&queries));
}

const NPM: EcosystemName = EcosystemName::new("npm");

/// 10,000 names, of which a tenth has records, and a version for each.
fn named() -> impl Iterator<Item = (String, String)> {
    let mut numbers = Numbers(6);
    (0..10_000).map(move |n| {
        let name = if n % 10 == 0 {
            format!("pkg-{}", numbers.next(RECORDS))
        } else {
            format!("clean-{n}")
        };
        let version = format!("{}.{}.0", numbers.next(4), numbers.next(20));
        (name, version)
    })
}

/// Opens the store, looks up everything of an inventory and matches it. Returns how many findings
/// there are.
fn judge(inventory: &Inventory) -> usize {
    let store = Store::open(STORE.path()).unwrap();
    let lookup = store.lookup(&queries_of(inventory));
    let found = find(inventory, &lookup, &NoSignals);
    assert!(found.problems.is_empty());
    found.findings.len() + found.possible.len()
}

/// Requirements without a version, in the styles that manifests use.
#[divan::bench]
fn open_and_judge_10_000_requirements(bencher: Bencher<'_, '_>) {
    LazyLock::force(&STORE);
    let unresolved = named()
        .zip(0..)
        .map(|((name, version), n)| Unresolved {
            ecosystem: NPM,
            name,
            requirement: match n % 40 {
                0 => format!(">={version}"),
                10 => format!("~{version}"),
                20 => "*".to_owned(),
                _ => format!("^{version}"),
            },
            kind: DependencyKind::Runtime,
            line: n,
        })
        .collect();
    let inventory = Inventory {
        unlocked: vec![UnlockedManifest {
            path: "package.json".to_owned(),
            ecosystem: NPM,
            unresolved,
        }],
        ..Inventory::default()
    };

    assert!(judge(&inventory) > 100);
    bencher.bench_local(|| judge(&inventory));
}

/// The same packages as a lockfile states them, for comparison.
#[divan::bench]
fn open_and_match_10_000_packages(bencher: Bencher<'_, '_>) {
    LazyLock::force(&STORE);
    let packages = named().map(|(name, version)| Package::new(NPM, name, version));
    let inventory = Inventory {
        lockfiles: vec![Lockfile {
            path: "package-lock.json".to_owned(),
            ecosystem: NPM,
            packages: packages.collect(),
            ..Lockfile::default()
        }],
        ..Inventory::default()
    };

    assert!(judge(&inventory) > 0);
    bencher.bench_local(|| judge(&inventory));
}

#[divan::bench]
fn look_up_1_000_scores(bencher: Bencher<'_, '_>) {
    let store = Store::open(STORE.path()).unwrap();
    bencher.bench_local(|| {
        for n in 0..1000 {
            divan::black_box(store.epss(&format!("CVE-2025-{n}")).unwrap());
        }
    });
}

fn main() {
    divan::main();
}
