//! Reader of CycloneDX as JSON (<https://cyclonedx.org/docs/1.7/json/>).

use std::rc::Rc;

use patchgate_ecosystems::{ParseError, SkippedEntries};
use patchgate_model::{FormatId, Loss};
use patchgate_syntax::{Node, json};

use super::cyclonedx::{format, incomplete, role, scope};
use super::{Component, Document, Relation, RelationKind, Role, digest};
use crate::digest::Digest;
use crate::facts;

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let root = json(text)?;
    let version = root.get("specVersion").and_then(Node::scalar);
    let mut document = Document {
        // All versions have the components in the same form.
        format: match version {
            Some(version) => format(version, false)?,
            None => FormatId::new("cyclonedx-json"),
        },
        ..Document::default()
    };
    if version.is_none() {
        document.skipped.package(1, "lacks `specVersion`");
    }
    if is_vex(&root) {
        return Ok(document);
    }

    if let Some(main) = root.get("metadata").and_then(|node| node.get("component")) {
        let project = component(main, &mut document.skipped);
        let project = document.skipped.recover(Loss::Edge, main.line, project);
        if let Some(mut project) = project {
            if project.role != Role::System {
                project.role = Role::Project;
            }
            document.described.push(project.id.clone());
            document.components.push(project);
        }
        nested(main, Role::Project, &mut document)?;
    }

    nested(&root, Role::Software, &mut document)?;
    for dependency in root.optional_list("dependencies")? {
        let read = relations(dependency, &mut document);
        document.skipped.recover(Loss::Edge, dependency.line, read);
    }
    for service in root.get("services").map_or(&[][..], Node::items) {
        let id = service.get("bom-ref").and_then(Node::text);
        document.others.extend(id.map(str::to_owned));
    }

    for composition in root.optional_list("compositions")? {
        if let Some(found) = composition
            .get("aggregate")
            .and_then(Node::text)
            .and_then(incomplete)
        {
            document.incomplete.get_or_insert(found);
        }
    }

    Ok(document)
}

/// Whether Patchgate wrote the document for its statements about vulnerabilities. Its components are
/// only the targets of these statements, not an inventory.
fn is_vex(root: &Node<'_>) -> bool {
    let (name, value) = facts::VEX_DOCUMENT;
    root.get("metadata")
        .and_then(|metadata| metadata.get("properties"))
        .map_or(&[][..], Node::items)
        .iter()
        .any(|property| {
            let text = |key| property.get(key).and_then(Node::text);
            text("name") == Some(name) && text("value") == Some(value)
        })
}

/// Adds the components within a component or the document. Components within the project are parts
/// of it, so they are projects too; components within a package are packages.
fn nested(node: &Node<'_>, parent: Role, document: &mut Document) -> Result<(), ParseError> {
    for item in node.optional_list("components")? {
        let read = component(item, &mut document.skipped);
        let Some(mut read) = document.skipped.recover(Loss::Package, item.line, read) else {
            nested(item, Role::Software, document)?;
            continue;
        };
        if parent == Role::Project && read.role == Role::Software {
            read.role = Role::Project;
        }

        let role = read.role;
        document.components.push(read);
        nested(item, role, document)?;
    }

    Ok(())
}

fn text(node: &Node<'_>, name: &str) -> Result<String, ParseError> {
    match node.get(name) {
        None => Ok(String::new()),
        Some(value) if value.is_null() => Ok(String::new()),
        Some(value) => value
            .scalar()
            .map(|text| text.trim().to_owned())
            .ok_or_else(|| value.unexpected(name, "a text")),
    }
}

fn component(node: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Component, ParseError> {
    if !node.is_map() {
        return Err(node.unexpected("components", "a component"));
    }

    let mut read = Component {
        id: text(node, "bom-ref")?,
        line: node.line,
        role: role(&text(node, "type")?),
        name: text(node, "name")?,
        group: text(node, "group")?,
        version: text(node, "version")?,
        purl: Some(text(node, "purl")?).filter(|purl| !purl.is_empty()),
        cpe: Some(text(node, "cpe")?).filter(|cpe| !cpe.is_empty()),
        scope: Some(scope(&text(node, "scope")?)),
        digests: digests(node, skipped),
        ..Component::default()
    };
    // CycloneDX 1.2, and some tools, refer to a component by its package URL.
    if read.id.is_empty() {
        read.id = read.purl.clone().unwrap_or_default();
    }
    for reference in node.get("externalReferences").map_or(&[][..], Node::items) {
        if reference.get("type").and_then(Node::text) == Some("distribution") {
            read.digests.extend(digests(reference, skipped));
            let url = reference.get("url").and_then(Node::text);
            if read.distribution_url.is_none() {
                read.distribution_url = url.map(str::to_owned);
            }
        }
    }

    for property in node.get("properties").map_or(&[][..], Node::items) {
        let value = |key| property.get(key).and_then(Node::scalar);
        if let (Some(name), Some(value)) = (value("name"), value("value")) {
            read.properties.push((name.to_owned(), value.to_owned()));
        }
    }

    Ok(read)
}

fn digests(node: &Node<'_>, skipped: &mut SkippedEntries) -> Vec<Digest> {
    let hashes = node.get("hashes").map_or(&[][..], Node::items);
    hashes
        .iter()
        .filter_map(|hash| {
            let part = |key| hash.get(key).and_then(Node::text).unwrap_or_default();
            digest(skipped, hash.line, part("alg"), part("content"))
        })
        .collect()
}

fn relations(node: &Node<'_>, document: &mut Document) -> Result<(), ParseError> {
    let from: Rc<str> = text(node, "ref")?.into();
    // `provides` is not read: it lists things that the component implements, such as an algorithm.
    for to in node.optional_list("dependsOn")? {
        if let Some(to) = to.scalar() {
            document.relations.push(Relation {
                from: Rc::clone(&from),
                to: to.trim().into(),
                kind: RelationKind::Depends,
            });
        }
    }

    Ok(())
}
