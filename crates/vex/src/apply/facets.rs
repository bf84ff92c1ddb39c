//! The vulnerabilities that one finding may stand for.
//!
//! Databases join records by their aliases, and some of their records are about several CVEs. A
//! statement about one of those says nothing about the others, so each has to be judged.

use std::collections::BTreeSet;

use patchgate_model::Finding;

/// The ids, in lower case, by which a statement can name one vulnerability of a finding.
pub(super) type Facet = BTreeSet<String>;

/// The vulnerabilities of a finding, at least one.
pub(super) fn facets(finding: &Finding) -> Vec<Facet> {
    let all: Facet = std::iter::once(&finding.id)
        .chain(&finding.aliases)
        .map(|id| id.to_ascii_lowercase())
        .collect();
    let cves: Vec<&String> = all.iter().filter(|id| is_cve(id)).collect();
    if cves.len() < 2 {
        return vec![all];
    }

    cves.into_iter().map(|cve| facet(finding, cve)).collect()
}

fn is_cve(id: &str) -> bool {
    id.starts_with("cve-")
}

/// A CVE with the records that are about it. A record's own id stands for all that it is about; its
/// aliases, where it is about this CVE alone, are other names of it.
fn facet(finding: &Finding, cve: &str) -> Facet {
    let mut facet = Facet::from([cve.to_owned()]);
    for record in &finding.advisories {
        let ids: Facet = std::iter::once(&record.id)
            .chain(&record.aliases)
            .map(|id| id.to_ascii_lowercase())
            .collect();
        if !ids.contains(cve) {
            continue;
        }

        facet.insert(record.id.to_ascii_lowercase());
        if ids.iter().filter(|id| is_cve(id)).count() == 1 {
            facet.extend(ids);
        }
    }

    facet
}
