//! Advisories from a CSAF document: its affected packages, as records that join those of other
//! databases.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    Advisory, Affected, EcosystemName, Event, EventKind, Range, RangeKind, ReportedSeverity,
    SmolStr,
};
use patchgate_syntax::{Node, ParseError};

use super::super::text;
use super::products::{Products, listed};
use super::{Head, ids, references};
use crate::document::Target;
use crate::identity::PackageIdentity;
use crate::vers::Versions;

/// Most affected packages in all records of one document.
const MAX_ENTRIES: usize = 200_000;

/// A package as records identify it: ecosystem, release of the distribution, name.
type Key = (EcosystemName, Option<String>, String);

/// The versions of one package that a document mentions.
#[derive(Debug, Default)]
struct PackageVersions {
    /// Versions that are listed as affected, one by one.
    listed: BTreeSet<String>,
    ranges: Vec<Range>,
    fixed: BTreeSet<String>,
    /// Whether more versions may be affected than the document states in a supported form.
    unknown: bool,
}

/// The records of a document, one for each vulnerability that affects a package.
///
/// The record of a document about one vulnerability has the id of the document. In a document about
/// several, each record has an id of its own, because records with the same id are taken for the same
/// vulnerability.
pub(super) fn read(
    vulnerabilities: &[Node<'_>],
    products: &Products,
    head: &Head,
) -> Result<Vec<Advisory>, ParseError> {
    let mut entries = 0;
    let mut advisories = Vec::new();
    for (number, vulnerability) in vulnerabilities.iter().enumerate() {
        let affected = affected(vulnerability, products)?;
        if affected.is_empty() {
            continue;
        }

        entries += affected.len();
        if entries > MAX_ENTRIES {
            return Err(ParseError::new(format!(
                "names more than {MAX_ENTRIES} affected packages"
            )));
        }

        let mut ids = ids(vulnerability)?;
        let id = match (vulnerabilities, ids.is_empty()) {
            ([_], _) => head.id.clone(),
            (_, false) => ids.remove(0),
            (_, true) => format!("{}#{}", head.id, number + 1),
        };
        let mut addresses = head.references.clone();
        addresses.extend(references(vulnerability)?);
        advisories.push(Advisory {
            aliases: ids
                .into_iter()
                .filter(|alias| *alias != id)
                .map(Into::into)
                .collect(),
            id: id.into(),
            summary: text(vulnerability, "title")?.unwrap_or_else(|| head.title.clone()),
            details: String::new(),
            modified: head.current,
            published: head.initial,
            withdrawn: None,
            severity: severity(vulnerability)?,
            affected,
            references: addresses,
            cwes: cwes(vulnerability)?,
            severity_word: None,
            informational: None,
            database_specific: None,
        });
    }

    Ok(advisories)
}

fn affected(vulnerability: &Node<'_>, products: &Products) -> Result<Vec<Affected>, ParseError> {
    let Some(status) = vulnerability.get("product_status") else {
        return Ok(Vec::new());
    };
    let mut packages: BTreeMap<Key, PackageVersions> = BTreeMap::new();
    for (group, is_whole) in [
        ("known_affected", true),
        // Only the ends of a range, whose other versions are not listed (3.2.3.9.2 and 3.2.3.9.6).
        ("first_affected", false),
        ("last_affected", false),
    ] {
        for id in listed(status, group)? {
            for target in products.targets(id, status.line)? {
                add(&target, is_whole, &mut packages);
            }
        }
    }

    for group in ["fixed", "first_fixed"] {
        for id in listed(status, group)? {
            for target in products.targets(id, status.line)? {
                for purl in &target.component.purls {
                    let known = key(purl).and_then(|key| packages.get_mut(&key));
                    if let (Some(known), false) = (known, purl.version().is_empty()) {
                        known.fixed.insert(purl.version().to_owned());
                    }
                }
            }
        }
    }

    Ok(packages.into_iter().filter_map(entry).collect())
}

/// Adds the versions of an affected product to those of its package. `is_whole` is whether the list
/// names all affected products; if not, other versions are unknown.
fn add(target: &Target, is_whole: bool, packages: &mut BTreeMap<Key, PackageVersions>) {
    for purl in &target.component.purls {
        let (Some(key), Some(ecosystem)) = (key(purl), purl.ecosystem()) else {
            continue;
        };
        let known = packages.entry(key).or_default();
        known.unknown |= !is_whole;
        if !purl.version().is_empty() {
            known.listed.insert(purl.version().to_owned());
            continue;
        }

        match &target.component.versions {
            Versions::One(version) if ecosystem.compare_versions(version, version).is_ok() => {
                known.listed.insert(version.clone());
            }
            Versions::Range(vers) => match vers.to_osv(ecosystem, purl.kind()) {
                Some((ranges, listed)) => {
                    known.ranges.extend(ranges);
                    known.listed.extend(listed);
                }
                None => known.unknown = true,
            },
            // A version that is affected within a vendor's product says nothing about the package
            // elsewhere.
            _ => known.unknown |= target.within.is_empty(),
        }
    }
}

fn key(purl: &PackageIdentity) -> Option<Key> {
    let package = patchgate_sbom::package(purl.as_str())?;
    Some((package.ecosystem, package.distribution, package.name))
}

/// The record's entry for a package; `None` if nothing is known about it. An entry without versions
/// cannot be matched with a version, and a scan reports it as undetermined.
fn entry((key, known): (Key, PackageVersions)) -> Option<Affected> {
    let (ecosystem, distribution, name) = key;
    let names_versions = !known.listed.is_empty() || !known.ranges.is_empty();
    if !names_versions && !known.unknown {
        return None;
    }

    let mut ranges = known.ranges;
    let mut versions: Vec<SmolStr> = known.listed.into_iter().map(Into::into).collect();
    if known.unknown {
        // The listed versions are not all. An extra range marks the others as unknown.
        ranges.push(unknown());
    }

    if names_versions {
        ranges.extend(known.fixed.into_iter().map(fixed));
    } else {
        ranges.clear();
        versions.clear();
    }

    Some(Affected {
        ecosystem: ecosystem.into(),
        distribution: distribution.map(Into::into),
        name: name.into(),
        ranges,
        versions,
        severity: Vec::new(),
        ecosystem_specific: None,
        database_specific: None,
    })
}

/// A range that cannot be compared, so every version that is not listed is undetermined.
fn unknown() -> Range {
    Range {
        kind: RangeKind::Other,
        repo: None,
        events: Vec::new(),
    }
}

/// An empty range that only says that a version is fixed. A vendor lists versions and does not say
/// whether those between an affected and a fixed one are affected.
fn fixed(version: String) -> Range {
    let event = |kind| Event {
        kind,
        version: version.as_str().into(),
    };
    Range {
        kind: RangeKind::Ecosystem,
        repo: None,
        events: vec![event(EventKind::Introduced), event(EventKind::Fixed)],
    }
}

/// The distinct vectors of all scores (3.2.3.13). CSAF 2.1 adds those of CVSS 4.
fn severity(vulnerability: &Node<'_>) -> Result<Vec<ReportedSeverity>, ParseError> {
    let mut found: Vec<ReportedSeverity> = Vec::new();
    for score in vulnerability.optional_list("scores")? {
        for (key, kind) in [
            ("cvss_v2", "CVSS_V2"),
            ("cvss_v3", "CVSS_V3"),
            ("cvss_v4", "CVSS_V4"),
        ] {
            let Some(cvss) = score.get(key) else { continue };
            let Some(value) = text(cvss, "vectorString")? else {
                continue;
            };
            let stated = ReportedSeverity {
                kind: kind.into(),
                value,
            };
            if !found.contains(&stated) {
                found.push(stated);
            }
        }
    }

    Ok(found)
}

fn cwes(vulnerability: &Node<'_>) -> Result<Vec<SmolStr>, ParseError> {
    match vulnerability.get("cwe") {
        Some(cwe) => Ok(text(cwe, "id")?.into_iter().map(Into::into).collect()),
        None => Ok(Vec::new()),
    }
}
