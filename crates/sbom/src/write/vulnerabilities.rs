//! Vulnerabilities in documents: CycloneDX lists them in a section of their own
//! (<https://cyclonedx.org/docs/1.6/json/#vulnerabilities>), which makes the document a VDR
//! (vulnerability disclosure report); SPDX 2.3 has references from a package to its advisories
//! (<https://spdx.github.io/spdx-spec/v2.3/external-repository-identifiers/#f2-security>).

use std::collections::BTreeMap;

use patchgate_model::{Finding, FixedVersion, Level};
use serde_json::{Value, json};

use super::content::{Component, Content, Requirement, is_address};
use super::spdx::one_line;

/// A finding, for a document that lists vulnerabilities.
#[derive(Debug, Clone)]
pub struct Vulnerability<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Its analysis as CycloneDX writes it
    /// (<https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis>), if it was assessed.
    pub analysis: Option<Value>,
}

/// Most characters of a text of a record.
const MAX_TEXT: usize = 4_000;
/// Most links to advisories of a vulnerability.
const MAX_LINKS: usize = 50;
/// Most digits of a weakness's number.
const MAX_CWE_DIGITS: usize = 6;

/// The section of a CycloneDX document: one entry for each vulnerability and the package version that
/// it affects, ordered by id and package.
pub(super) fn cyclonedx(content: &Content, vulnerabilities: &[Vulnerability<'_>]) -> Vec<Value> {
    let index = Index::new(content);
    let mut ordered: Vec<&Vulnerability<'_>> = vulnerabilities.iter().collect();
    ordered.sort_by_key(|one| key(one.finding));

    let entries = ordered.iter().enumerate();
    entries
        .map(|(number, one)| entry(number + 1, one, &index.references(one.finding)))
        .collect()
}

/// The addresses of the advisories of each component, in the components' order.
pub(super) fn advisories(
    content: &Content,
    vulnerabilities: &[Vulnerability<'_>],
) -> BTreeMap<String, Vec<String>> {
    let index = Index::new(content);
    let mut addresses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in vulnerabilities {
        let Some(address) = advisory(one.finding) else {
            continue;
        };
        for id in index.references(one.finding) {
            addresses
                .entry(id.to_owned())
                .or_default()
                .push(address.clone());
        }
    }

    for list in addresses.values_mut() {
        list.sort();
        list.dedup();
    }
    addresses
}

type Key<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, &'a str);

/// What distinguishes two findings, in the order of a document.
fn key(finding: &Finding) -> Key<'_> {
    let package = &finding.package;
    (
        &finding.id,
        &package.name,
        &package.version,
        finding
            .requirement
            .as_ref()
            .map(|one| one.requirement.as_str()),
        &package.purl,
    )
}

/// The components of a document by the package that they are.
struct Index<'a> {
    components: BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a Component>>,
    requirements: BTreeMap<&'a str, Vec<&'a Requirement>>,
}

impl<'a> Index<'a> {
    fn new(content: &'a Content) -> Self {
        let mut index = Self {
            components: BTreeMap::new(),
            requirements: BTreeMap::new(),
        };
        for one in &content.components {
            let key = (
                one.ecosystem.as_str(),
                one.name.as_str(),
                one.version.as_str(),
            );
            index.components.entry(key).or_default().push(one);
        }
        for one in &content.requirements {
            index.requirements.entry(&one.name).or_default().push(one);
        }

        index
    }

    /// The identifiers of the components that a finding is about.
    fn references(&self, finding: &Finding) -> Vec<&'a str> {
        let package = &finding.package;
        if finding.requirement.is_some() {
            let at = |one: &&&Requirement| {
                let location = one.location.as_ref();
                location.is_none_or(|(path, line)| {
                    let mut locations = finding.locations.iter();
                    locations.any(|known| known.file == *path && known.line == *line)
                })
            };
            let named = self.requirements.get(package.name.as_str());
            let named = named.into_iter().flatten();
            return named.filter(at).map(|one| one.id.as_str()).collect();
        }

        let key = (
            package.ecosystem.as_str(),
            package.name.as_str(),
            package.version.as_str(),
        );
        let equal = self.components.get(&key).into_iter().flatten();
        equal
            .filter(|one| one.distribution == package.distribution)
            .map(|one| one.id.as_str())
            .collect()
    }
}

fn entry(number: usize, vulnerability: &Vulnerability<'_>, affected: &[&str]) -> Value {
    let finding = vulnerability.finding;
    let mut entry = json!({
        "bom-ref": format!("vulnerability-{number}"),
        "id": shown(&finding.id),
        "source": source(finding),
        "ratings": [rating(finding)],
        "recommendation": recommendation(finding),
        "properties": properties(finding),
    });

    let references: Vec<Value> = finding
        .aliases
        .iter()
        .map(|alias| json!({ "id": shown(alias), "source": { "name": database(alias) } }))
        .collect();
    let links: Vec<Value> = addresses(finding)
        .take(MAX_LINKS)
        .map(|address| json!({ "url": address }))
        .collect();
    let affects: Vec<Value> = affected
        .iter()
        .map(|id| json!({ "ref": id, "versions": versions(finding) }))
        .collect();
    for (name, list) in [
        ("references", references),
        ("cwes", weaknesses(finding)),
        ("advisories", links),
        ("affects", affects),
    ] {
        if !list.is_empty() {
            entry[name] = json!(list);
        }
    }

    let record = finding.advisories.first();
    for (name, text) in [
        ("description", shown(&finding.summary)),
        (
            "detail",
            record.map_or_else(String::new, |one| shown(&one.details)),
        ),
    ] {
        if !text.is_empty() {
            entry[name] = json!(text);
        }
    }
    for (name, time) in [
        ("published", record.and_then(|one| one.published)),
        ("updated", record.and_then(|one| one.modified)),
    ] {
        if let Some(time) = time {
            entry[name] = json!(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
    }
    if let Some(analysis) = &vulnerability.analysis {
        entry["analysis"] = analysis.clone();
    }

    entry
}

/// The affected version. Of a requirement only some versions may be.
fn versions(finding: &Finding) -> Value {
    let status = if finding.is_possible() {
        "unknown"
    } else {
        "affected"
    };
    match &finding.requirement {
        Some(matched) => {
            let requirement = Some(shown(&matched.requirement));
            let requirement = requirement.filter(|text| !text.is_empty());
            json!([{ "version": requirement.unwrap_or_else(|| "*".to_owned()), "status": status }])
        }
        None => json!([{ "version": shown(&finding.package.version), "status": status }]),
    }
}

fn source(finding: &Finding) -> Value {
    let mut source = json!({ "name": database(&finding.id) });
    if let Some(address) = advisory(finding) {
        source["url"] = json!(address);
    }
    source
}

/// The database that an id belongs to.
fn database(id: &str) -> &'static str {
    match id.split_once('-').map(|(prefix, _)| prefix) {
        Some("CVE") => "NVD",
        Some("GHSA") => "GitHub Advisory Database",
        _ => "OSV",
    }
}

fn rating(finding: &Finding) -> Value {
    let severity = &finding.severity;
    let mut rating = json!({
        "severity": match severity.level {
            Level::Critical => "critical",
            Level::High => "high",
            Level::Medium => "medium",
            Level::Low => "low",
            Level::None => "none",
            Level::Unknown => "unknown",
            Level::Informational => "info",
        },
    });
    if let Some(score) = severity.cvss_score {
        rating["score"] = json!(score);
    }
    if let Some(vector) = &severity.cvss_vector {
        let vector = shown(vector);
        rating["method"] = json!(match vector.split('/').next() {
            Some("CVSS:4.0") => "CVSSv4",
            Some("CVSS:3.1") => "CVSSv31",
            Some("CVSS:3.0") => "CVSSv3",
            Some(part) if part.starts_with("AV:") => "CVSSv2",
            _ => "other",
        });
        rating["vector"] = json!(vector);
    }

    rating
}

fn weaknesses(finding: &Finding) -> Vec<Value> {
    let weaknesses = finding.advisories.iter().flat_map(|one| &one.cwes);
    let mut numbers: Vec<u32> = weaknesses
        .filter_map(|cwe| cwe.strip_prefix("CWE-"))
        .filter(|number| number.len() <= MAX_CWE_DIGITS)
        .filter_map(|number| number.parse().ok())
        .filter(|number| *number > 0)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(Value::from).collect()
}

fn recommendation(finding: &Finding) -> String {
    let raised = finding
        .requirement
        .as_ref()
        .and_then(|one| one.raised.as_ref());
    let text = match (raised, &finding.fixed) {
        (Some(raised), _) => format!("Raise the requirement to {raised}"),
        (None, FixedVersion::At(version)) => format!("Upgrade to {version} or later"),
        (None, FixedVersion::None(reason)) => format!("No fix: {reason}"),
    };
    shown(&text)
}

/// The signals that CycloneDX has no field for.
fn properties(finding: &Finding) -> Value {
    let property = |name: &str, value: String| json!({ "name": name, "value": value });
    let mut properties = vec![property(
        "patchgate:score",
        format!("{:.1}", finding.score.value),
    )];
    if let Some(epss) = &finding.signals.epss {
        properties.push(property("patchgate:epss", epss.probability.to_string()));
    }
    if let Some(listed) = finding.signals.kev.is_listed() {
        properties.push(property("patchgate:kev", listed.to_string()));
    }
    if finding.malicious {
        properties.push(property("patchgate:malicious", "true".to_owned()));
    }

    json!(properties)
}

/// The address of the finding's advisory: a reference of that kind, else the first one.
fn advisory(finding: &Finding) -> Option<String> {
    let records = finding.advisories.iter();
    let own = records
        .flat_map(|record| &record.references)
        .filter(|reference| &*reference.kind == "ADVISORY")
        .map(|reference| reference.url.clone())
        .find(|url| is_web(url));
    own.or_else(|| addresses(finding).next())
}

/// The addresses of the records, each once.
fn addresses(finding: &Finding) -> impl Iterator<Item = String> {
    let mut seen = std::collections::BTreeSet::new();
    finding
        .advisories
        .iter()
        .flat_map(|record| &record.references)
        .map(|reference| reference.url.clone())
        .filter(move |url| is_web(url) && seen.insert(url.clone()))
}

/// Whether an address is of the web, and one that the schemas accept.
fn is_web(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && is_address(url)
}

/// A text of a record without characters that act or are invisible, and of bounded length.
fn shown(text: &str) -> String {
    let acts = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let text = one_line(text);
    let text: String = text
        .chars()
        .filter(|c| !acts(c))
        .take(MAX_TEXT + 1)
        .collect();
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim()),
        None => text.trim().to_owned(),
    }
}
