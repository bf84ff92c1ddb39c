//! Reader of CycloneDX 1.4 and later with an analysis of its vulnerabilities
//! (<https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis>): the part that JSON and XML
//! share. A vulnerability without an analysis is not a statement.

pub(super) mod json;
pub(super) mod xml;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use patchgate_model::Justification;
use patchgate_syntax::ParseError;
use percent_encoding::percent_decode_str;

use super::{component, distinct, shortened};
use crate::document::{
    Component, Document, Format, StatedJustification, Statement, Status, Target,
};
use crate::vers::Versions;

/// The prefix of every link to another document
/// (<https://cyclonedx.org/capabilities/bomlink/>).
const BOM_LINK: &str = "urn:cdx:";

/// A document after the reader of its syntax.
#[derive(Debug, Default)]
struct Bom {
    /// `urn:uuid:…`; empty if the document has none.
    serial: String,
    version: String,
    author: String,
    timestamp: Option<Timestamp>,
    /// The component that the document describes.
    main: Option<Entry>,
    components: Vec<Entry>,
    vulnerabilities: Vec<Vulnerability>,
}

/// A component, with its identifiers.
#[derive(Debug, Default)]
struct Entry {
    reference: String,
    name: String,
    version: String,
    purl: String,
    cpe: String,
}

/// A vulnerability with its analysis.
#[derive(Debug, Default)]
struct Vulnerability {
    line: u32,
    ids: Vec<String>,
    recommendation: Option<String>,
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
    responses: Vec<String>,
    time: Option<Timestamp>,
    affects: Vec<Affects>,
}

/// A reference from a vulnerability to an affected component.
#[derive(Debug, Default)]
struct Affects {
    reference: String,
    /// Versions or ranges with their status; empty if the vulnerability is in the component as it is.
    versions: Vec<AffectedVersions>,
}

#[derive(Debug, Default)]
struct AffectedVersions {
    version: String,
    range: String,
    /// `affected`, `unaffected` or `unknown`; empty means `affected`.
    status: String,
}

/// Rejects versions other than 1.x. A newer minor version only adds to the ones before it.
fn check_version(version: &str) -> Result<(), ParseError> {
    if version.starts_with("1.") {
        return Ok(());
    }
    let shown: String = version.chars().take(20).collect();
    Err(ParseError::new(format!(
        "is CycloneDX version `{shown}`, which is not supported"
    ))
    .with_hint("write the document as CycloneDX 1.6"))
}

impl Bom {
    fn into_document(self) -> Result<Document, ParseError> {
        let components = self.by_reference();
        let main = self.main.as_ref().map(Entry::identified);

        let mut statements = Vec::new();
        for vulnerability in &self.vulnerabilities {
            // Without an id the vulnerability cannot match a finding.
            if let (Some(state), false) = (&vulnerability.state, vulnerability.ids.is_empty()) {
                let targets = self.targets(vulnerability, &components, main.as_ref());
                statements.push(statement(vulnerability, state, targets, self.timestamp)?);
            }
        }

        Ok(Document {
            format: Format::CycloneDx,
            id: self.serial,
            author: self.author,
            timestamp: self.timestamp,
            preliminary: None,
            label: None,
            statements,
            advisories: Vec::new(),
        })
    }

    /// The components by their references; `None` for a reference that several components share.
    fn by_reference(&self) -> HashMap<&str, Option<Component>> {
        let mut components: HashMap<&str, Option<Component>> = HashMap::new();
        for entry in self
            .components
            .iter()
            .filter(|entry| !entry.reference.is_empty())
        {
            components
                .entry(&entry.reference)
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(entry.identified()));
        }

        components
    }

    fn targets(
        &self,
        vulnerability: &Vulnerability,
        components: &HashMap<&str, Option<Component>>,
        main: Option<&Component>,
    ) -> Vec<Arc<Target>> {
        let mut targets = Vec::new();
        for affects in &vulnerability.affects {
            let Some(found) = self.target(&affects.reference, components, main) else {
                continue;
            };
            targets.extend(narrowed(&found, &affects.versions).map(Arc::new));
        }
        targets
    }

    /// The target of a reference: the component that the document describes, one of its components, a
    /// component of another document, or a package by its package URL.
    fn target(
        &self,
        reference: &str,
        components: &HashMap<&str, Option<Component>>,
        main: Option<&Component>,
    ) -> Option<Target> {
        let within_main = || main.cloned().into_iter().collect::<Vec<_>>();
        let is_main = |reference: &str| {
            self.main
                .as_ref()
                .is_some_and(|main| !reference.is_empty() && main.reference == reference)
        };
        let own = |reference: &str| {
            if is_main(reference) {
                return Some(Target {
                    component: main?.clone(),
                    within: Vec::new(),
                });
            }

            let component = match components.get(reference) {
                Some(known) => known.clone()?,
                None => {
                    let named = component(reference);
                    (!named.purls.is_empty()).then_some(named)?
                }
            };

            Some(Target {
                component,
                within: within_main(),
            })
        };
        let Some(link) = reference.strip_prefix(BOM_LINK) else {
            return own(reference);
        };
        let (bom, element) = link.split_once('#').unwrap_or((link, ""));
        let (serial, version) = bom.split_once('/').unwrap_or((bom, ""));
        let element = percent_decode_str(element).decode_utf8_lossy();
        if self.serial.strip_prefix("urn:uuid:") == Some(serial)
            && (version.is_empty() || self.version.is_empty() || version == self.version)
        {
            return own(&element);
        }

        // A component of another document is a component within the product that it describes.
        let whole = Component {
            names: vec![format!("{BOM_LINK}{bom}"), format!("{BOM_LINK}{serial}")],
            ..Component::default()
        };

        if element.is_empty() {
            return Some(Target {
                component: whole,
                within: Vec::new(),
            });
        }

        let mut within = within_main();
        within.push(whole);

        Some(Target {
            component: component(&element),
            within,
        })
    }
}

/// The target limited to each of the affected versions. The analysis is not about versions with the
/// status `unaffected` or `unknown`.
fn narrowed<'a>(
    target: &'a Target,
    versions: &'a [AffectedVersions],
) -> impl Iterator<Item = Target> + 'a {
    let whole = versions.is_empty().then(|| target.clone());
    let each = versions
        .iter()
        .filter(|entry| matches!(entry.status.as_str(), "" | "affected"))
        .map(|entry| {
            let mut target = target.clone();
            target.component.versions = match (entry.version.is_empty(), entry.range.is_empty()) {
                (false, true) => Versions::One(entry.version.clone()),
                _ => Versions::range(&entry.range),
            };
            target
        });

    whole.into_iter().chain(each)
}

impl Entry {
    /// The identifiers of a component. The name is used only without a package URL.
    fn identified(&self) -> Component {
        let mut found = match self.purl.is_empty() {
            true => Component::default(),
            false => component(&self.purl),
        };
        if !self.cpe.is_empty() {
            found.names.push(self.cpe.clone());
        }
        if found.purls.is_empty() && !self.name.is_empty() {
            if !self.version.is_empty() {
                found.names.push(format!("{}@{}", self.name, self.version));
            }
            found.names.push(self.name.clone());
        }

        found
    }
}

fn statement(
    vulnerability: &Vulnerability,
    state: &str,
    targets: Vec<Arc<Target>>,
    issued: Option<Timestamp>,
) -> Result<Statement, ParseError> {
    let unknown = |name: &str, word: &str| {
        let shown: String = word.chars().take(60).collect();
        ParseError::new(format!(
            "has the {name} `{shown}`, which CycloneDX does not define"
        ))
        .at_line(vulnerability.line as usize)
    };
    let status = status(state).ok_or_else(|| unknown("state", state))?;
    let justification = match (&vulnerability.justification, state) {
        (Some(written), _) => Some(StatedJustification {
            word: word_of(written).ok_or_else(|| unknown("justification", written))?,
            written: written.clone(),
        }),
        // The state itself is the reason: "falsely identified or associated".
        (None, "false_positive") => Some(StatedJustification {
            word: Justification::VulnerableCodeNotPresent,
            written: state.to_owned(),
        }),
        (None, _) => None,
    };

    let mut action: Vec<String> = vulnerability
        .responses
        .iter()
        .map(|response| response.replace('_', " "))
        .collect();
    action.extend(vulnerability.recommendation.clone());
    if status == Status::Affected {
        action.extend(vulnerability.detail.clone());
    }

    Ok(Statement {
        id: None,
        line: vulnerability.line,
        ids: distinct(vulnerability.ids.iter().cloned()),
        targets,
        status,
        justification: justification.filter(|_| status == Status::NotAffected),
        impact: vulnerability
            .detail
            .clone()
            .filter(|_| status == Status::NotAffected),
        action: (status == Status::Affected && !action.is_empty())
            .then(|| shortened(&action.join("; "))),
        timestamp: vulnerability.time.or(issued),
    })
}

fn status(state: &str) -> Option<Status> {
    Some(match state {
        "not_affected" | "false_positive" => Status::NotAffected,
        "resolved" | "resolved_with_pedigree" => Status::Fixed,
        "in_triage" => Status::UnderInvestigation,
        "exploitable" => Status::Affected,
        _ => return None,
    })
}

/// The VEX justification for one of CycloneDX.
fn word_of(justification: &str) -> Option<Justification> {
    Some(match justification {
        "code_not_present" => Justification::VulnerableCodeNotPresent,
        "code_not_reachable" => Justification::VulnerableCodeNotInExecutePath,
        "requires_dependency" => Justification::ComponentNotPresent,
        "requires_configuration" | "requires_environment" => {
            Justification::VulnerableCodeCannotBeControlledByAdversary
        }
        "protected_by_compiler"
        | "protected_at_runtime"
        | "protected_at_perimeter"
        | "protected_by_mitigating_control" => Justification::InlineMitigationsAlreadyExist,
        _ => return None,
    })
}

/// The CycloneDX justification for one of VEX; [`word_of`] is the inverse.
pub(crate) fn justification(word: Justification) -> &'static str {
    match word {
        Justification::ComponentNotPresent => "requires_dependency",
        Justification::VulnerableCodeNotPresent => "code_not_present",
        Justification::VulnerableCodeNotInExecutePath => "code_not_reachable",
        Justification::VulnerableCodeCannotBeControlledByAdversary => "requires_environment",
        Justification::InlineMitigationsAlreadyExist => "protected_by_mitigating_control",
    }
}

/// Whether a text is a justification of CycloneDX.
pub(crate) fn is_justification(written: &str) -> bool {
    word_of(written).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_justification_comes_back() {
        for word in Justification::ALL {
            assert_eq!(word_of(justification(word)), Some(word));
        }
    }
}
