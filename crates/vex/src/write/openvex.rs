//! Writer of OpenVEX 0.2.0 (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).

use serde_json::{Map, Value, json};

use super::{Assessment, WriteOptions, ordered, time, to_text};
use crate::identity::PackageIdentity;

/// The context of version 0.2.0.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Writes the assessments as OpenVEX, one statement each. The id of the document is computed from its
/// content.
///
/// OpenVEX requires at least one statement. Without assessments the list is empty anyway, and
/// validators reject the document.
///
/// ```
/// let options = patchgate_vex::WriteOptions {
///     author: "Security team",
///     tool_version: "0.1.0",
///     timestamp: "2026-01-30T12:00:00Z".parse()?,
///     products: &["pkg:oci/shop@1.0".to_owned()],
/// };
/// let text = patchgate_vex::openvex(&[], &options);
/// assert!(text.contains("https://openvex.dev/ns/v0.2.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn openvex(assessments: &[Assessment<'_>], options: &WriteOptions<'_>) -> String {
    let statements: Vec<Value> = ordered(assessments)
        .into_iter()
        .map(|assessment| statement(assessment, options.products))
        .collect();
    let id = patchgate_sbom::content_uuid(&(options.author, &statements));

    to_text(&json!({
        "@context": CONTEXT,
        "@id": format!("urn:uuid:{id}"),
        "author": options.author,
        "timestamp": options.time(),
        "version": 1,
        "tooling": format!("patchgate/{}", options.tool_version),
        "statements": statements,
    }))
}

fn statement(assessment: &Assessment<'_>, products: &[String]) -> Value {
    let finding = assessment.finding;
    let stated = assessment.statement();
    let packages = || assessment.purls.iter().map(|purl| identified(purl));
    let about: Vec<Value> = if products.is_empty() {
        packages().map(Value::Object).collect()
    } else {
        let parts: Vec<Value> = packages().map(Value::Object).collect();
        let within = |product: &String| {
            let mut product = identified(product);
            product.insert("subcomponents".to_owned(), json!(parts));
            Value::Object(product)
        };
        products.iter().map(within).collect()
    };

    let mut vulnerability = json!({ "name": finding.id });
    if !finding.aliases.is_empty() {
        vulnerability["aliases"] = json!(finding.aliases);
    }

    let mut statement = json!({
        "vulnerability": vulnerability,
        "products": about,
        "status": stated.status.word(),
    });
    let optional = [
        ("timestamp", stated.timestamp.map(time)),
        (
            "justification",
            stated.justification.map(|word| word.word().to_owned()),
        ),
        ("impact_statement", stated.impact),
        ("action_statement", stated.action),
        ("status_notes", stated.notes),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            statement[key] = json!(value);
        }
    }

    statement
}

/// A component with an identifier: a package URL, a CPE name, or another address.
fn identified(identifier: &str) -> Map<String, Value> {
    let kind = if PackageIdentity::parse(identifier).is_some() {
        Some("purl")
    } else if identifier.starts_with("cpe:2.3:") {
        Some("cpe23")
    } else if identifier.starts_with("cpe:/") {
        Some("cpe22")
    } else {
        None
    };

    let mut component = Map::new();
    // `@id` must be an IRI. Some package URLs that files state are not.
    if kind.is_none() || is_iri(identifier) {
        component.insert("@id".to_owned(), json!(identifier));
    }
    if let Some(kind) = kind {
        component.insert("identifiers".to_owned(), json!({ kind: identifier }));
    }

    component
}

/// Whether a text that begins with a scheme has only characters that an IRI may have (RFC 3987,
/// 2.2).
fn is_iri(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    })
}
