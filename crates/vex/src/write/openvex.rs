//! OpenVEX 0.2.0.

use serde_json::{Map, Value, json};

use super::{Assessment, WriteOptions, ordered, time, to_text};
use crate::identity::PackageIdentity;

/// The context of the version that is written.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Writes the assessments as OpenVEX, one statement each. The document's id follows from what it
/// says.
///
/// OpenVEX has no document without statements: without assessments, its list is empty all the same,
/// and validators refuse it.
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
    let said = assessment.said();
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
        "status": said.status.word(),
    });
    let optional = [
        ("timestamp", said.timestamp.map(time)),
        (
            "justification",
            said.justification.map(|word| word.word().to_owned()),
        ),
        ("impact_statement", said.impact),
        ("action_statement", said.action),
        ("status_notes", said.notes),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            statement[key] = json!(value);
        }
    }

    statement
}

/// A component by an identifier: a package URL, a CPE name, or another address.
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
    // `@id` is an IRI, which some package URLs that files state are not.
    if kind.is_none() || is_iri(identifier) {
        component.insert("@id".to_owned(), json!(identifier));
    }
    if let Some(kind) = kind {
        component.insert("identifiers".to_owned(), json!({ kind: identifier }));
    }

    component
}

/// Whether a text that begins with a scheme holds only what an IRI may (RFC 3987, 2.2).
fn is_iri(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    })
}
