//! Records, feeds and archives for the tests, and queries of a store that was built from them.

use patchgate_model::EcosystemName;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use patchgate_advisories::{AdvisoryLookup, BuildReport, Existing, PackageQuery, Store};
use patchgate_http::{Client, ClientOptions};

pub(crate) fn record(id: &str, ecosystem: &str, name: &str) -> String {
    serde_json::json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-1-1"],
        "affected": [{"package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}],
    })
    .to_string()
}

pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, body) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(body).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

pub(crate) const SCORES: &str = "#model_version:v1,score_date:2026-01-30T12:55:00Z\ncve,epss,percentile\n\
                      CVE-1-1,0.5,0.9\n";

pub(crate) const CATALOGUE: &str = r#"{"catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z",
    "count": 1, "vulnerabilities": [{"cveID": "CVE-1-1", "dateAdded": "2026-01-01",
    "dueDate": "2026-01-22", "knownRansomwareCampaignUse": "Unknown"}]}"#;

pub(crate) fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Builds the store, replacing an existing one.
pub(crate) fn build(from: &[&Path], into: &Path) -> BuildReport {
    let from: Vec<PathBuf> = from.iter().map(|path| (*path).to_owned()).collect();
    Store::build(&from, into, Existing::Replace, &|_| {}).unwrap()
}

pub(crate) fn query(ecosystem: EcosystemName, name: &str) -> PackageQuery {
    PackageQuery {
        ecosystem,
        distribution: None,
        name: name.into(),
        version: None,
    }
}

pub(crate) fn ids(lookup: &AdvisoryLookup) -> Vec<String> {
    lookup
        .advisories
        .values()
        .flatten()
        .map(|record| record.id.to_string())
        .collect()
}

pub(crate) fn names(report: &BuildReport) -> Vec<(String, u64)> {
    report
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.records.unwrap()))
        .collect()
}

pub(crate) fn http() -> Client {
    Client::new(ClientOptions {
        retries: 0,
        ..ClientOptions::default()
    })
    .unwrap()
}
