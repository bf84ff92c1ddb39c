//! How early known exploitation comes in three orders of the same vulnerabilities: by the decision, by
//! CVSS alone, and by EPSS alone. Prints a table in Markdown.
//!
//! Data: CISA's Vulnrichment of 2024-10-24, the EPSS scores of 2026-01-30 and CISA's catalogue of
//! 2025-08-25, next to the repository. Nothing is printed where they are absent.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program that reads the shared data and prints a table, next to a crate that is pure"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use patchgate_model::{
    EcosystemName, Epss, Finding, FixedVersion, KevStatus, Level, Location, PackageRef, Scope,
    Score, Severity, Signals,
};
use patchgate_risk::{Profiles, band, score};
use serde_json::Value;

/// The state of the vulnerabilities' vectors. Entries of the catalogue after it were not known then.
const STATE: &str = "2024-10-24";
/// The day of the EPSS scores.
const EPSS_DAY: &str = "2026-01-30";
const EFFORTS: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];

type Order = fn(&Row) -> f64;

struct Row {
    exploited: bool,
    decision: f64,
    cvss: f64,
    epss: f64,
}

fn main() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let (rows, after_epss) = rows(&shared).unwrap_or_default();
    let exploited = rows.iter().filter(|row| row.exploited).count();
    println!("Entries of the catalogue after {EPSS_DAY}: {after_epss}.");
    println!(
        "{} vulnerabilities, {exploited} of them in the catalogue after {STATE}.\n",
        rows.len()
    );
    println!(
        "| order | {} |",
        EFFORTS
            .map(|effort| format!("{:.0} %", effort * 100.0))
            .join(" | ")
    );
    println!("| --- | {} |", EFFORTS.map(|_| "---: ").join("| "));
    let orders: [(&str, Order); 3] = [
        ("decision", |row| row.decision),
        ("EPSS", |row| row.epss),
        ("CVSS", |row| row.cvss),
    ];
    for (name, key) in orders {
        let cells = EFFORTS.map(|effort| {
            let found = covered(&rows, key, effort);
            let (low, high) = wilson(found, exploited);
            let share = 100.0 * found / exploited.max(1) as f64;
            format!("{share:.0} % ({:.0} to {:.0})", low * 100.0, high * 100.0)
        });
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// The exploited ones among the first part of an order. Of equal values, each is as likely to come
/// first, so a group that does not fit counts by the part that does.
fn covered(rows: &[Row], key: fn(&Row) -> f64, effort: f64) -> f64 {
    let mut groups: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let group = groups.entry(-(key(row) * 1e6).round() as i64).or_default();
        group.0 += 1.0;
        group.1 += f64::from(u8::from(row.exploited));
    }
    let mut left = (rows.len() as f64 * effort).floor();
    let mut found = 0.0;
    for (size, exploited) in groups.values() {
        let part = (left / size).min(1.0);
        found += exploited * part;
        left -= size * part;
        if left <= 0.0 {
            break;
        }
    }
    found
}

/// The 95 % interval of a share (Wilson, <https://doi.org/10.1080/01621459.1927.10502953>).
fn wilson(found: f64, all: usize) -> (f64, f64) {
    let n = all.max(1) as f64;
    let (p, z) = (found / n, 1.96_f64);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

fn rows(shared: &Path) -> Option<(Vec<Row>, usize)> {
    let catalogue =
        std::fs::read(shared.join("feeds/known_exploited_vulnerabilities.json")).ok()?;
    let catalogue: Value = serde_json::from_slice(&catalogue).ok()?;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut later: BTreeSet<&str> = BTreeSet::new();
    let mut after_epss = 0;
    for entry in catalogue["vulnerabilities"].as_array()? {
        let (id, day) = (entry["cveID"].as_str()?, entry["dateAdded"].as_str()?);
        let set = if day > STATE { &mut later } else { &mut known };
        set.insert(id);
        after_epss += usize::from(day > EPSS_DAY);
    }

    let scores = gunzip(&shared.join("feeds/epss_scores-2026-01-30.csv.gz"))?;
    let epss: BTreeMap<&str, f64> = scores
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?.parse().ok()?))
        })
        .collect();

    let mut rows = Vec::new();
    for line in gunzip(&shared.join("training/vulnrichment_min.jsonl.gz"))?.lines() {
        let line: Value = serde_json::from_str(line).ok()?;
        let (Some(id), Some(vector)) = (line["cve"].as_str(), line["v"].as_str()) else {
            continue;
        };
        // What was in the catalogue then was no question any more.
        if known.contains(id) {
            continue;
        }
        let finding = finding(id, vector, epss.get(id).copied());
        rows.push(Row {
            exploited: later.contains(id),
            decision: score(&finding, &Profiles::default()).value,
            cvss: finding.severity.cvss_score.unwrap_or_default(),
            epss: epss.get(id).copied().unwrap_or_default(),
        });
    }
    Some((rows, after_epss))
}

fn gunzip(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

fn finding(id: &str, vector: &str, epss: Option<f64>) -> Finding {
    let base = vector
        .parse::<patchgate_cvss::Vector>()
        .map_or(0.0, |vector| vector.scores().base);
    Finding {
        reachability: None,
        id: id.to_owned(),
        aliases: Vec::new(),
        summary: String::new(),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: "a".into(),
            version: "1.0.0".into(),
            purl: "pkg:npm/a@1.0.0".into(),
        },
        locations: vec![Location {
            file: "package-lock.json".into(),
            line: 1,
        }],
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::At("1.0.1".into()),
        severity: Severity {
            level: if base > 0.0 { band(base) } else { Level::None },
            cvss_score: Some(base),
            cvss_vector: Some(vector.to_owned()),
        },
        signals: Signals {
            epss: epss.map(|probability| Epss {
                cve: id.to_owned(),
                probability,
                percentile: probability,
            }),
            kev: KevStatus::NotListed,
        },
        informational: None,
        malicious: false,
        score: Score::default(),
        advisories: Vec::new(),
    }
}
