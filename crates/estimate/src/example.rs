//! Examples for a training: records of which the vector is known.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use patchgate_model::Advisory;
use serde::Deserialize;

use crate::metrics::values;
use crate::source_of;
use crate::text::AdvisoryText;

/// A record to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Id of the record.
    pub id: String,
    /// Ids of the same vulnerability, with the record's own.
    pub ids: Vec<String>,
    /// The database, as [`source_of`] names it.
    pub source: String,
    /// The day of publication, if the record has one.
    pub date: Option<Date>,
    /// Title in one line; may be empty.
    pub title: String,
    /// Description; may be empty.
    pub details: String,
    /// Weakness ids.
    pub cwes: Vec<String>,
    /// Ecosystem of the first affected package; may be empty.
    pub ecosystem: String,
    /// Name of the first affected package; may be empty.
    pub package: String,
    /// Whether it is an entry of the list of all CVEs, of which few are about packages.
    pub of_cve_list: bool,
    /// Vector of CVSS v3, if the record states one.
    pub vector: Option<String>,
}

/// Why a line is not a record of CISA's Vulnrichment data.
#[derive(Debug, thiserror::Error)]
#[error("not a record of the Vulnrichment data")]
pub struct LineError(#[from] serde_json::Error);

/// A line of the reduced Vulnrichment data: one object with `cve`, `pub`, `assigner`, `title`, `desc`,
/// `cwes` and `v`.
#[derive(Deserialize)]
struct Line {
    cve: String,
    #[serde(default)]
    r#pub: Option<String>,
    #[serde(default)]
    assigner: Option<String>,
    #[serde(default)]
    title: Option<String>,
    desc: String,
    #[serde(default)]
    cwes: Option<String>,
    v: Option<String>,
}

/// GitHub's name among the organisations that assign CVE ids. Its records have the texts of the
/// GitHub Advisory Database, so they count as of that source.
const GITHUB: &str = "GitHub_M";

impl Example {
    /// Reads a line of the reduced Vulnrichment data
    /// (<https://github.com/cisagov/vulnrichment>): a JSON object with `cve`, `desc` and `v`.
    ///
    /// # Errors
    /// When the line is not such an object.
    pub fn of_line(line: &[u8]) -> Result<Self, LineError> {
        let line: Line = serde_json::from_slice(line)?;
        let day = |text: String| text.get(..10).and_then(|day| day.parse().ok());
        let cwes = line.cwes.unwrap_or_default();
        let is_github = line.assigner.is_some_and(|assigner| assigner == GITHUB);

        Ok(Self {
            ids: vec![line.cve.clone()],
            source: if is_github { "GHSA" } else { "CVE" }.to_owned(),
            id: line.cve,
            date: line.r#pub.and_then(day),
            title: line.title.unwrap_or_default(),
            details: line.desc,
            cwes: cwe_ids(&cwes),
            ecosystem: String::new(),
            package: String::new(),
            of_cve_list: true,
            vector: line.v.filter(|vector| values(vector).is_some()),
        })
    }

    /// The example that a record of an advisory database is. `None` for a record that was withdrawn,
    /// that is about a malicious package, or that states no vulnerability.
    #[must_use]
    pub fn of_record(record: &Advisory) -> Option<Self> {
        let is_notice = matches!(
            record.informational.as_deref(),
            Some("unmaintained" | "notice")
        );
        // CWE-506, "Embedded Malicious Code".
        let is_malicious =
            record.id.starts_with("MAL-") || record.cwes.iter().any(|cwe| cwe == "CWE-506");
        if record.withdrawn.is_some() || is_malicious || is_notice {
            return None;
        }

        let day = |time: Timestamp| Offset::UTC.to_datetime(time).date();
        let mut severities = record
            .severity
            .iter()
            .chain(record.affected.iter().flat_map(|one| &one.severity));
        let first = record.affected.first();
        let mut ids = vec![record.id.to_string()];
        ids.extend(record.aliases.iter().map(ToString::to_string));

        Some(Self {
            id: record.id.to_string(),
            ids,
            source: source_of(&record.id).to_owned(),
            date: record.published.map(day),
            title: record.summary.clone(),
            details: record.details.clone(),
            cwes: record.cwes.iter().map(ToString::to_string).collect(),
            ecosystem: first.map_or_else(String::new, |one| one.ecosystem.to_string()),
            package: first.map_or_else(String::new, |one| one.name.to_string()),
            of_cve_list: false,
            vector: severities
                .find(|stated| values(&stated.value).is_some())
                .map(|stated| stated.value.trim().to_owned()),
        })
    }

    pub(crate) fn features(&self, with_cwes: bool) -> Vec<u32> {
        let cwes: Vec<&str> = self.cwes.iter().map(String::as_str).collect();
        let text = AdvisoryText {
            title: &self.title,
            details: &self.details,
            cwes: &cwes,
            ecosystem: &self.ecosystem,
            package: &self.package,
        };
        text.features(with_cwes)
    }
}

/// The weakness ids in a text such as `CWE-79;CWE-80`.
fn cwe_ids(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|part| part.starts_with("CWE-"))
        .map(str::to_owned)
        .collect()
}

/// Completes the examples from each other: records of the same CVE share their earliest date, and a
/// record without a vector gets that of another one. The date is shared so that no vulnerability is both trained on and tested with.
pub(crate) fn join(examples: &mut [Example]) {
    #[derive(Default)]
    struct Shared {
        date: Option<Date>,
        vector: Option<String>,
    }

    let key = |example: &Example| {
        let cves = example.ids.iter().filter(|id| id.starts_with("CVE-"));
        cves.min().unwrap_or(&example.id).clone()
    };
    let mut shared: HashMap<String, Shared> = HashMap::new();
    for example in &*examples {
        let known = shared.entry(key(example)).or_default();
        known.date = match (known.date, example.date) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if known.vector.is_none() {
            known.vector.clone_from(&example.vector);
        }
    }

    for example in examples {
        if let Some(known) = shared.get(&key(example)) {
            example.date = known.date;
            if example.vector.is_none() {
                example.vector.clone_from(&known.vector);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"cve":"CVE-2024-1","pub":"2024-04-30T00:00:00","assigner":"GitHub_M",
        "title":null,"desc":"A flaw.","cwes":"CWE-79,CWE-80",
        "v":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"}"#;

    #[test]
    fn a_line_is_an_example() {
        let example = Example::of_line(LINE.as_bytes()).unwrap();
        assert_eq!(example.source, "GHSA");
        assert_eq!(example.date, Some(jiff::civil::date(2024, 4, 30)));
        assert_eq!(example.cwes, ["CWE-79", "CWE-80"]);
        assert!(example.vector.is_some());
    }

    #[test]
    fn a_renamed_column_is_an_error_and_a_bad_vector_is_none() {
        for renamed in ["cve", "desc"] {
            let line = LINE.replace(&format!("\"{renamed}\""), "\"other\"");
            assert!(Example::of_line(line.as_bytes()).is_err(), "{renamed}");
        }
        let line = LINE.replace("AV:N", "AV:Q");
        assert_eq!(Example::of_line(line.as_bytes()).unwrap().vector, None);
    }

    #[test]
    fn records_of_one_vulnerability_share_date_and_vector() {
        let first = Example::of_line(LINE.as_bytes()).unwrap();
        let mut second = first.clone();
        second.id = "GO-2024-1".into();
        second.ids = vec!["GO-2024-1".into(), "CVE-2024-1".into()];
        second.date = None;
        second.vector = None;
        let mut examples = [first.clone(), second];
        join(&mut examples);
        assert_eq!(examples[1].date, first.date);
        assert_eq!(examples[1].vector, first.vector);
    }
}
