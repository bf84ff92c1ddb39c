//! Writer of CycloneDX 1.6 with an analysis of each vulnerability
//! (<https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Assessment, OutputStatement, WriteError, WriteOptions, ordered, time, to_text};
use crate::document::Status;
use crate::identity::PackageIdentity;
use crate::read::cyclonedx::{is_justification, justification};

/// Writes the assessments as CycloneDX 1.6, one vulnerability each. The serial number is computed from
/// the content of the document.
///
/// # Errors
/// When there is more than one product: a CycloneDX document describes a single one.
pub fn cyclonedx(
    assessments: &[Assessment<'_>],
    options: &WriteOptions<'_>,
) -> Result<String, WriteError> {
    let main = match options.products {
        [] => None,
        [product] => Some(product.as_str()),
        _ => {
            return Err(WriteError(
                "a CycloneDX document describes one product, but several are named".to_owned(),
            ));
        }
    };

    // Every vulnerable package once, although several vulnerabilities may affect it.
    let mut components: BTreeMap<&str, Value> = BTreeMap::new();
    let mut vulnerabilities = Vec::new();
    for assessment in ordered(assessments) {
        let package = &assessment.finding.package;
        for purl in assessment
            .purls
            .iter()
            .filter(|purl| Some(purl.as_str()) != main)
        {
            components.insert(
                purl,
                json!({
                    "type": "library",
                    "bom-ref": purl,
                    "name": package.name,
                    "version": package.version,
                    "purl": purl,
                }),
            );
        }

        vulnerabilities.push(vulnerability(assessment));
    }

    let components: Vec<Value> = components.into_values().collect();
    let (mark, value) = patchgate_sbom::VEX_DOCUMENT;

    let mut metadata = json!({
        "timestamp": options.time(),
        "tools": { "components": [{
            "type": "application",
            "name": "patchgate",
            "version": options.tool_version,
        }]},
        "authors": [{ "name": options.author }],
        "properties": [{ "name": mark, "value": value }],
    });
    if let Some(product) = main {
        metadata["component"] = component(product);
    }

    let id = patchgate_sbom::content_uuid(&(options.author, main, &components, &vulnerabilities));
    Ok(to_text(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{id}"),
        "version": 1,
        "metadata": metadata,
        "components": components,
        "vulnerabilities": vulnerabilities,
    })))
}

/// The analysis of a finding, for a document that lists packages and vulnerabilities
/// (<https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis>).
#[must_use]
pub fn cyclonedx_analysis(assessment: &Assessment<'_>) -> Value {
    analysis(&assessment.statement())
}

/// The component that the document describes.
fn component(product: &str) -> Value {
    let mut component = json!({ "type": "application", "bom-ref": product, "name": product });
    match PackageIdentity::parse(product) {
        Some(purl) => {
            component["name"] = json!(purl.name());
            component["purl"] = json!(product);
            if !purl.version().is_empty() {
                component["version"] = json!(purl.version());
            }
        }
        None if product.starts_with("cpe:") => component["cpe"] = json!(product),
        None => {}
    }

    component
}

fn vulnerability(assessment: &Assessment<'_>) -> Value {
    let finding = assessment.finding;
    let stated = assessment.statement();
    let affects: Vec<Value> = assessment
        .purls
        .iter()
        .map(|purl| json!({ "ref": purl }))
        .collect();

    let mut vulnerability = json!({
        "id": finding.id,
        "source": { "name": source(&finding.id) },
        "analysis": analysis(&stated),
        "affects": affects,
    });
    if !finding.aliases.is_empty() {
        let references: Vec<Value> = finding
            .aliases
            .iter()
            .map(|alias| json!({ "id": alias, "source": { "name": source(alias) } }))
            .collect();
        vulnerability["references"] = json!(references);
    }

    if let Some(notes) = stated.notes {
        vulnerability["properties"] = json!([{ "name": "patchgate:notes", "value": notes }]);
    }

    vulnerability
}

fn analysis(stated: &OutputStatement) -> Value {
    let mut analysis = json!({
        "state": match stated.status {
            Status::NotAffected => "not_affected",
            Status::Fixed => "resolved",
            Status::UnderInvestigation => "in_triage",
            Status::Affected => "exploitable",
        },
    });

    let own = stated
        .written
        .clone()
        .filter(|written| is_justification(written));
    let word = own.or_else(|| {
        stated
            .justification
            .map(|word| justification(word).to_owned())
    });
    if let (Some(word), Status::NotAffected) = (word, stated.status) {
        analysis["justification"] = json!(word);
    }
    if let Some(detail) = stated.impact.as_ref().or(stated.action.as_ref()) {
        analysis["detail"] = json!(detail);
    }
    if let Some(made) = stated.timestamp {
        analysis["lastUpdated"] = json!(time(made));
    }

    analysis
}

/// The database that an id belongs to.
fn source(id: &str) -> &'static str {
    match id.split_once('-').map(|(prefix, _)| prefix) {
        Some("CVE") => "NVD",
        Some("GHSA") => "GitHub Advisory Database",
        _ => "OSV",
    }
}
