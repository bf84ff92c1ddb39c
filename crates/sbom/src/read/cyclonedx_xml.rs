//! Reader of CycloneDX as XML (<https://cyclonedx.org/docs/1.7/xml/>).

use std::rc::Rc;

use patchgate_ecosystems::{ParseError, SkippedEntries};
use patchgate_syntax::{Element, xml};

use super::cyclonedx::{format, incomplete, role, scope};
use super::{Component, Document, Relation, RelationKind, Role, digest};
use crate::digest::Digest;

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let root = xml(text)?;
    let mut document = Document {
        format: format(&version(text), true)?,
        ..Document::default()
    };
    if let Some(main) = root
        .child("metadata")
        .and_then(|metadata| metadata.child("component"))
    {
        let mut project = component(main, &mut document.skipped);
        if project.role != Role::System {
            project.role = Role::Project;
        }
        document.described.push(project.id.clone());
        document.components.push(project);
        nested(main, Role::Project, &mut document);
    }

    nested(&root, Role::Software, &mut document);
    // In 1.1 the graph was an extension with the same elements.
    for dependencies in root.all("dependencies") {
        for dependency in dependencies.all("dependency") {
            relations(dependency, &mut document);
        }
    }

    let services = root.all("services").flat_map(|list| list.all("service"));
    let ids = services.filter_map(|service| service.attribute("bom-ref"));
    document.others.extend(ids.map(str::to_owned));
    let compositions = root.child("compositions");
    for composition in compositions
        .into_iter()
        .flat_map(|list| list.all("composition"))
    {
        if let Some(found) = composition.text_of("aggregate").and_then(incomplete) {
            document.incomplete.get_or_insert(found);
        }
    }

    Ok(document)
}

/// The version, from the namespace of the first element.
fn version(text: &str) -> String {
    let after = text
        .split_once("cyclonedx.org/schema/bom/")
        .map_or("", |(_, after)| after);
    after
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
        .collect()
}

/// Adds the components within a component or the document, as the reader of JSON does.
fn nested(element: &Element<'_>, parent: Role, document: &mut Document) {
    // All lists, although the schema allows only one: packages of a second one must not be lost.
    let lists = element.all("components");
    for item in lists.flat_map(|list| list.all("component")) {
        let mut read = component(item, &mut document.skipped);
        if parent == Role::Project && read.role == Role::Software {
            read.role = Role::Project;
        }
        let role = read.role;
        document.components.push(read);
        nested(item, role, document);
    }
}

fn component(element: &Element<'_>, skipped: &mut SkippedEntries) -> Component {
    let text = |name| element.text_of(name).unwrap_or_default().to_owned();
    let mut read = Component {
        id: element.attribute("bom-ref").unwrap_or_default().to_owned(),
        line: element.line,
        role: role(element.attribute("type").unwrap_or_default()),
        name: text("name"),
        group: text("group"),
        version: text("version"),
        purl: element.text_of("purl").map(str::to_owned),
        cpe: element.text_of("cpe").map(str::to_owned),
        scope: Some(scope(&text("scope"))),
        digests: digests(element, skipped),
        ..Component::default()
    };
    if read.id.is_empty() {
        read.id = read.purl.clone().unwrap_or_default();
    }

    let references = element.child("externalReferences").into_iter();
    for reference in references.flat_map(|list| list.all("reference")) {
        if reference.attribute("type") == Some("distribution") {
            read.digests.extend(digests(reference, skipped));
            if read.distribution_url.is_none() {
                read.distribution_url = reference.text_of("url").map(str::to_owned);
            }
        }
    }

    let properties = element.child("properties").into_iter();
    for property in properties.flat_map(|list| list.all("property")) {
        if let Some(name) = property.attribute("name") {
            read.properties
                .push((name.to_owned(), property.text.clone()));
        }
    }

    read
}

fn digests(element: &Element<'_>, skipped: &mut SkippedEntries) -> Vec<Digest> {
    let hashes = element.child("hashes").into_iter();
    hashes
        .flat_map(|list| list.all("hash"))
        .filter_map(|hash| {
            let algorithm = hash.attribute("alg").unwrap_or_default();
            digest(skipped, hash.line, algorithm, &hash.text)
        })
        .collect()
}

fn relations(element: &Element<'_>, document: &mut Document) {
    let from: Rc<str> = element.attribute("ref").unwrap_or_default().into();
    for dependency in element.all("dependency") {
        if let Some(to) = dependency.attribute("ref") {
            document.relations.push(Relation {
                from: Rc::clone(&from),
                to: to.into(),
                kind: RelationKind::Depends,
            });
        }
    }
}
