//! Reader of SPDX 3 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
//!
//! Documents must have the form that the specification prescribes for exchange: the published
//! context, and a flat list of elements. Other forms of JSON-LD are not supported, because they need
//! a complete JSON-LD processor.

use std::rc::Rc;

use patchgate_ecosystems::{ParseError, SkippedEntries};
use patchgate_model::{DependencyKind, FormatId, Loss};
use patchgate_syntax::{Node, json};

use super::spdx::{role, set_address, stated};
use super::{Component, Document, Relation, RelationKind, Role, digest};

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let root = json(text)?;
    let mut document = Document {
        format: FormatId::new("spdx-3-json"),
        ..Document::default()
    };
    let graph = root.optional_list("@graph")?;

    // A document with a single element has it at the top level.
    let elements = if root.get("@graph").is_some() {
        graph
    } else {
        std::slice::from_ref(&root)
    };
    for element in elements {
        if !element.is_map() {
            return Err(element.unexpected("@graph", "an element"));
        }

        match kind(element)? {
            "software_Package" | "Package" | "ai_AIPackage" => {
                let read = component(element, &mut document.skipped);
                let read = document.skipped.recover(Loss::Package, element.line, read);
                document.components.extend(read);
            }
            "dataset_DatasetPackage" => {
                let read = component(element, &mut document.skipped);
                let read = document.skipped.recover(Loss::Detail, element.line, read);
                document.components.extend(read.map(|read| Component {
                    role: Role::Other,
                    ..read
                }));
            }
            "Relationship" | "LifecycleScopedRelationship" => relate(&mut document, element),
            "software_Sbom" | "Sbom" | "Bom" => {
                document
                    .described
                    .extend(texts(element, "rootElement").map(str::to_owned));
            }
            // The same class by a name that is not the one of the published context. Ignoring it
            // would lose a package.
            kind if kind.ends_with("Package") => {
                let shown: String = kind.chars().take(100).collect();
                let reason = format!("has an element of type `{shown}`, which is not supported");
                return Err(ParseError::new(reason).at_line(element.line as usize));
            }
            _ => {
                let id = element.get("spdxId").and_then(Node::text);
                document.others.extend(id.map(str::to_owned));
            }
        }
    }

    Ok(document)
}

/// The class of an element. In the form for exchange, each element has exactly one.
fn kind<'n>(node: &'n Node<'_>) -> Result<&'n str, ParseError> {
    match node.get("type").or_else(|| node.get("@type")) {
        None => Err(ParseError::new("has an element without `type`").at_line(node.line as usize)),
        Some(kind) => kind.text().ok_or_else(|| kind.unexpected("type", "a text")),
    }
}

/// The text under a key, or under the same key with the prefix of the software profile.
fn text<'n>(node: &'n Node<'_>, name: &str) -> Result<&'n str, ParseError> {
    let long = format!("software_{name}");
    match node.get(name).or_else(|| node.get(&long)) {
        None => Ok(""),
        Some(value) if value.is_null() => Ok(""),
        Some(value) => value
            .scalar()
            .map(stated)
            .ok_or_else(|| value.unexpected(name, "a text")),
    }
}

/// The texts under a key whose value is a text or a list of texts.
fn texts<'n>(node: &'n Node<'_>, name: &str) -> impl Iterator<Item = &'n str> {
    let value = node.get(name);
    let single = value.and_then(Node::text);
    let several = value
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(Node::text);
    single.into_iter().chain(several)
}

fn component(node: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Component, ParseError> {
    let id = match text(node, "spdxId")? {
        "" => text(node, "@id")?,
        id => id,
    };
    let mut read = Component {
        id: id.to_owned(),
        line: node.line,
        role: role(text(node, "primaryPurpose")?),
        name: text(node, "name")?.to_owned(),
        version: text(node, "packageVersion")?.to_owned(),
        purl: Some(text(node, "packageUrl")?.to_owned()).filter(|purl| !purl.is_empty()),
        ..Component::default()
    };
    set_address(&mut read, text(node, "downloadLocation")?);

    for identifier in node.optional_list("externalIdentifier")? {
        let part = |name| {
            identifier
                .get(name)
                .and_then(Node::text)
                .unwrap_or_default()
        };
        let value = Some(part("identifier").to_owned()).filter(|value| !value.is_empty());

        match part("externalIdentifierType") {
            "packageUrl" | "purl" if read.purl.is_none() => read.purl = value,
            "cpe23" | "cpe22" if read.cpe.is_none() => read.cpe = value,
            _ => {}
        }
    }

    for hash in node.get("verifiedUsing").map_or(&[][..], Node::items) {
        let part = |name| hash.get(name).and_then(Node::text).unwrap_or_default();
        let digest = digest(skipped, hash.line, part("algorithm"), part("hashValue"));
        read.digests.extend(digest);
    }

    read.take_comment(text(node, "comment")?);
    Ok(read)
}

fn relate(document: &mut Document, node: &Node<'_>) {
    use DependencyKind::{Build, Development, Optional, Peer, Runtime, Test};

    let part = |name| node.get(name).and_then(Node::text).unwrap_or_default();
    let kind = match part("relationshipType") {
        "contains" => RelationKind::Contains,
        "describes" => {
            document
                .described
                .extend(texts(node, "to").map(str::to_owned));
            return;
        }
        "dependsOn" | "hasStaticLink" | "hasDynamicLink" | "hasPrerequisite" => {
            RelationKind::Needs(match part("scope") {
                "build" => Build,
                "test" => Test,
                "development" | "design" => Development,
                _ => Runtime,
            })
        }
        "hasOptionalDependency" | "hasOptionalComponent" => RelationKind::Needs(Optional),
        "hasProvidedDependency" => RelationKind::Needs(Peer),
        "usesTool" => RelationKind::Needs(Build),
        _ => return,
    };

    let from: Rc<str> = part("from").into();
    for to in texts(node, "to") {
        document.relations.push(Relation {
            from: Rc::clone(&from),
            to: to.into(),
            kind,
        });
    }

    if part("completeness") == "incomplete" {
        let reason = "declares itself incomplete (`completeness`)";
        document.incomplete.get_or_insert_with(|| reason.to_owned());
    }
}
