//! The separate vulnerabilities of one finding.
//!
//! Databases join records by their aliases, and some records are about several CVEs. A statement
//! about one CVE does not apply to the others, so each needs a statement of its own.

use std::collections::BTreeSet;

use patchgate_model::Finding;

/// The ids, in lower case, by which a statement can refer to one vulnerability of a finding.
pub(super) type Facet = BTreeSet<String>;

/// The vulnerabilities of a finding; never empty.
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

/// The ids of a CVE, from the records that mention it. The id of such a record always counts, because
/// a statement about the record covers all its CVEs. Its aliases count only if the record is about
/// this CVE alone.
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
