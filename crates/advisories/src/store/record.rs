//! How a record stands in the store: what its package needs and nothing else, under short names.

use jiff::Timestamp;
use patchgate_model::{
    Advisory, Affected, Event, EventKind, Range, RangeKind, Reference, ReportedSeverity,
};
use serde::{Deserialize, Serialize};

/// A record trimmed to one package. The package's name is left out where it is the entry's key.
#[derive(Serialize, Deserialize)]
struct Stored {
    i: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    a: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    s: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    v: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    f: Vec<StoredAffected>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    r: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredAffected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    r: Vec<StoredRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    v: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    s: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredRange {
    k: RangeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<String>,
    e: Vec<(EventKind, String)>,
}

/// Writes a record with only `affected` of its packages, all of which have the key `key`.
///
/// Of malicious packages the database's own part is left out: it lists the reports that a record was
/// made from, and of 200,000 records it would be the larger part of a store.
pub(super) fn encode(
    advisory: &Advisory,
    affected: &[&Affected],
    key: &str,
) -> serde_json::Result<Vec<u8>> {
    let pairs = |list: &[ReportedSeverity]| {
        list.iter()
            .map(|one| (one.kind.clone(), one.value.clone()))
            .collect::<Vec<_>>()
    };
    let stored = Stored {
        i: advisory.id.clone(),
        a: advisory.aliases.clone(),
        s: advisory.summary.clone(),
        m: advisory.modified,
        p: advisory.published,
        w: advisory.withdrawn,
        v: pairs(&advisory.severity),
        f: affected
            .iter()
            .map(|entry| StoredAffected {
                d: entry.distribution.clone(),
                n: (entry.name != key).then(|| entry.name.clone()),
                r: entry.ranges.iter().map(StoredRange::from_range).collect(),
                v: entry.versions.clone(),
                s: pairs(&entry.severity),
                e: entry.ecosystem_specific.clone(),
                b: entry.database_specific.clone(),
            })
            .collect(),
        r: advisory
            .references
            .iter()
            .map(|one| (one.kind.clone(), one.url.clone()))
            .collect(),
        c: advisory.cwes.clone(),
        x: advisory.severity_word.clone(),
        o: advisory.informational.clone(),
        d: advisory
            .database_specific
            .clone()
            .filter(|_| !advisory.id.starts_with("MAL-")),
    };
    serde_json::to_vec(&stored)
}

/// Reads the records of one entry.
pub(super) fn decode(
    bytes: &[u8],
    ecosystem: &str,
    key: &str,
) -> serde_json::Result<Vec<Advisory>> {
    let stored: Vec<Stored> = serde_json::from_slice(bytes)?;
    Ok(stored
        .into_iter()
        .map(|stored| stored.into_advisory(ecosystem, key))
        .collect())
}

impl Stored {
    fn into_advisory(self, ecosystem: &str, key: &str) -> Advisory {
        Advisory {
            id: self.i,
            aliases: self.a,
            summary: self.s,
            modified: self.m,
            published: self.p,
            withdrawn: self.w,
            severity: severities(self.v),
            affected: self
                .f
                .into_iter()
                .map(|entry| entry.into_affected(ecosystem, key))
                .collect(),
            references: self
                .r
                .into_iter()
                .map(|(kind, url)| Reference { kind, url })
                .collect(),
            cwes: self.c,
            severity_word: self.x,
            informational: self.o,
            database_specific: self.d,
        }
    }
}

impl StoredAffected {
    fn into_affected(self, ecosystem: &str, key: &str) -> Affected {
        Affected {
            ecosystem: ecosystem.to_owned(),
            distribution: self.d,
            name: self.n.unwrap_or_else(|| key.to_owned()),
            ranges: self.r.into_iter().map(StoredRange::into_range).collect(),
            versions: self.v,
            severity: severities(self.s),
            ecosystem_specific: self.e,
            database_specific: self.b,
        }
    }
}

impl StoredRange {
    fn from_range(range: &Range) -> Self {
        let e = range
            .events
            .iter()
            .map(|event| (event.kind, event.version.clone()))
            .collect();
        Self {
            k: range.kind,
            o: range.repo.clone(),
            e,
        }
    }

    fn into_range(self) -> Range {
        let events = self
            .e
            .into_iter()
            .map(|(kind, version)| Event { kind, version })
            .collect();
        Range {
            kind: self.k,
            repo: self.o,
            events,
        }
    }
}

fn severities(pairs: Vec<(String, String)>) -> Vec<ReportedSeverity> {
    pairs
        .into_iter()
        .map(|(kind, value)| ReportedSeverity { kind, value })
        .collect()
}
