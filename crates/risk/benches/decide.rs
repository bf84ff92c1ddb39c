//! The decision about a thousand findings. Goal: 5 ms.

use std::sync::Arc;

use patchgate_model::{
    Advisory, EcosystemName, Epss, Finding, FixedVersion, KevStatus, Level, Location, PackageRef,
    ReportedSeverity, Scope, Score, Severity, Signals,
};
use patchgate_risk::{Profile, Rater, SlaTable, SystemExposure};

fn main() {
    divan::main();
}

const VECTORS: [&str; 4] = [
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
    "AV:N/AC:L/Au:N/C:C/I:C/A:C",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
];

fn finding(index: u32) -> Finding {
    let vector = VECTORS[index as usize % VECTORS.len()];
    let advisory = Advisory {
        id: format!("GHSA-{index}").into(),
        aliases: Vec::new(),
        summary: String::new(),
        details: String::new(),
        modified: None,
        published: Some(jiff::Timestamp::UNIX_EPOCH),
        withdrawn: None,
        severity: vec![ReportedSeverity {
            kind: "CVSS_V3".into(),
            value: vector.into(),
        }],
        affected: Vec::new(),
        references: Vec::new(),
        cwes: Vec::new(),
        severity_word: None,
        informational: None,
        database_specific: None,
    };
    Finding {
        id: format!("GHSA-{index}"),
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
            file: format!("services/{}/package-lock.json", index % 20),
            line: index,
        }],
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::At("1.0.1".into()),
        severity: Severity {
            level: Level::Unknown,
            cvss_score: None,
            cvss_vector: None,
        },
        signals: Signals {
            epss: Some(Epss {
                cve: format!("CVE-2026-{index}"),
                probability: f64::from(index % 100) / 100.0,
                percentile: 0.5,
            }),
            kev: KevStatus::NotListed,
        },
        informational: None,
        malicious: false,
        reachability: None,
        score: Score::default(),
        advisories: vec![Arc::new(advisory)],
    }
}

#[divan::bench]
fn thousand_findings(bencher: divan::Bencher<'_, '_>) {
    let profiles: Vec<Profile> = (0..10)
        .map(|service| Profile {
            glob: format!("services/{service}/**"),
            exposure: Some(SystemExposure::Open),
            tier: Some(2),
            ..Profile::default()
        })
        .collect();
    let today = jiff::civil::date(2026, 11, 30);
    let rater = Rater::new(&profiles, Some(SlaTable::CisaBod2604), today);
    let findings: Vec<Finding> = (0..1_000).map(finding).collect();

    bencher
        .with_inputs(|| findings.clone())
        .bench_refs(|findings| findings.iter_mut().for_each(|one| rater.rate(one)));
}
