//! SPDX 3.0.1 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).

use patchgate_model::DependencyKind;
use serde::Serialize;

use super::content::{Component, Content};
use super::spdx::{INCOMPLETE, comment, comment_with_scope, id, package_ids, source_info};
use super::{WriteOptions, serial};
use crate::facts;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: Vec<Element<'a>>,
}

/// An element of any type. Fields that its type does not have stay empty and are not written.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Element<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    blank_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spdx_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_info: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    created_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    created_using: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verified_using: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_identifier: Vec<Identifier<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profile_conformance: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    root_element: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    element: Vec<String>,
    #[serde(rename = "software_sbomType", skip_serializing_if = "Vec::is_empty")]
    sbom_type: Vec<&'static str>,
    #[serde(
        rename = "software_primaryPurpose",
        skip_serializing_if = "Option::is_none"
    )]
    primary_purpose: Option<&'static str>,
    #[serde(
        rename = "software_packageVersion",
        skip_serializing_if = "str::is_empty"
    )]
    package_version: &'a str,
    #[serde(
        rename = "software_packageUrl",
        skip_serializing_if = "Option::is_none"
    )]
    package_url: Option<&'a str>,
    #[serde(
        rename = "software_downloadLocation",
        skip_serializing_if = "Option::is_none"
    )]
    download_location: Option<&'a str>,
    #[serde(
        rename = "software_sourceInfo",
        skip_serializing_if = "String::is_empty"
    )]
    source_info: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completeness: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hash<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    algorithm: &'static str,
    hash_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identifier<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    external_identifier_type: &'static str,
    identifier: &'a str,
}

const CREATION: &str = "_:creationinfo";

pub(super) fn json(content: &Content, options: &WriteOptions<'_>) -> String {
    // The namespace is computed from the document with an empty one and without a time.
    let ids = package_ids(content);
    let draft = document(content, options, &ids, "", String::new());
    let namespace = format!(
        "https://spdx.org/spdxdocs/patchgate-{}",
        serial::content_uuid(&draft)
    );
    let document = document(content, options, &ids, &namespace, options.time());

    // Serialization cannot fail: all keys are texts.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');

    text
}

fn document<'a>(
    content: &'a Content,
    options: &'a WriteOptions<'_>,
    ids: &[String],
    namespace: &str,
    created: String,
) -> Document<'a> {
    let mut builder = Builder {
        namespace,
        ids,
        graph: Vec::new(),
    };
    builder.head(content, options, created);
    builder.packages(content, options);
    builder.relationships(content);

    Document {
        context: "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        graph: builder.graph,
    }
}

struct Builder<'a, 'n> {
    namespace: &'n str,
    /// Identifiers of the components, in the same order.
    ids: &'n [String],
    graph: Vec<Element<'a>>,
}

impl<'a> Builder<'a, '_> {
    fn iri(&self, id: &str) -> String {
        format!("{}#{id}", self.namespace)
    }

    fn element(&self, kind: &'static str, id: &str) -> Element<'a> {
        Element {
            kind,
            spdx_id: Some(self.iri(id)),
            creation_info: Some(CREATION),
            ..Element::default()
        }
    }

    /// Adds the elements about the document: its creation, the tool, and the SBOM with its elements.
    fn head(&mut self, content: &Content, options: &'a WriteOptions<'_>, created: String) {
        let ids = std::iter::once(super::spdx::MAIN.to_owned())
            .chain(
                content
                    .projects
                    .iter()
                    .map(|project| id("Project", &project.id)),
            )
            .chain(
                content
                    .components
                    .iter()
                    .map(|component| id("Package", &component.id)),
            )
            .chain(
                content
                    .requirements
                    .iter()
                    .map(|wanted| id("Requirement", &wanted.id)),
            );
        let elements: Vec<String> = ids.map(|id| self.iri(&id)).collect();

        let head = [
            Element {
                kind: "CreationInfo",
                blank_id: Some(CREATION),
                spec_version: Some("3.0.1"),
                created: Some(created),
                created_by: vec![self.iri("SPDXRef-Agent")],
                created_using: vec![self.iri("SPDXRef-Tool")],
                ..Element::default()
            },
            Element {
                name: "patchgate",
                ..self.element("SoftwareAgent", "SPDXRef-Agent")
            },
            Element {
                name: "patchgate",
                comment: format!("version {}", options.tool_version),
                ..self.element("Tool", "SPDXRef-Tool")
            },
            Element {
                name: options.document_name(),
                comment: if content.incomplete {
                    INCOMPLETE.to_owned()
                } else {
                    String::new()
                },
                profile_conformance: vec!["core", "software"],
                root_element: vec![self.iri("SPDXRef-Sbom")],
                ..self.element("SpdxDocument", "SPDXRef-DOCUMENT")
            },
            Element {
                name: options.document_name(),
                profile_conformance: vec!["core", "software"],
                root_element: vec![self.iri(super::spdx::MAIN)],
                element: elements,
                sbom_type: vec!["source"],
                ..self.element("software_Sbom", "SPDXRef-Sbom")
            },
        ];
        self.graph.extend(head);
    }

    fn packages(&mut self, content: &'a Content, options: &'a WriteOptions<'_>) {
        let application = |name, comment, element| Element {
            name,
            comment,
            primary_purpose: Some("application"),
            ..element
        };
        let main = self.element("software_Package", super::spdx::MAIN);
        let marked = comment(&[(facts::DOCUMENT, "true".to_owned())]);
        self.graph
            .push(application(options.document_name(), marked, main));

        for project in &content.projects {
            let element = self.element("software_Package", &id("Project", &project.id));
            self.graph
                .push(application(&project.name, comment(&project.facts), element));
        }

        for (component, id) in content.components.iter().zip(self.ids) {
            let package = self.package(component, id);
            self.graph.push(package);
        }

        for wanted in &content.requirements {
            self.graph.push(Element {
                name: &wanted.name,
                comment: comment_with_scope(&wanted.facts, wanted.kind.into()),
                primary_purpose: Some("library"),
                source_info: source_info(wanted.location.iter()),
                ..self.element("software_Package", &id("Requirement", &wanted.id))
            });
        }
    }

    fn package(&self, component: &'a Component, id: &str) -> Element<'a> {
        let address = component
            .distribution_url
            .as_ref()
            .or(component.repository_url.as_ref());
        let hashes = component.digests.iter().map(|digest| Hash {
            kind: "Hash",
            algorithm: digest.algorithm.spdx3(),
            hash_value: &digest.hex,
        });
        let purl = component.purl.as_deref();

        Element {
            name: &component.name,
            comment: comment_with_scope(&component.facts, component.scope),
            verified_using: hashes.collect(),
            external_identifier: purl
                .iter()
                .map(|purl| Identifier {
                    kind: "ExternalIdentifier",
                    external_identifier_type: "packageUrl",
                    identifier: purl,
                })
                .collect(),
            primary_purpose: Some("library"),
            package_version: &component.version,
            package_url: purl,
            download_location: address.map(String::as_str),
            source_info: source_info(component.locations.iter()),
            ..self.element("software_Package", id)
        }
    }

    fn relationships(&mut self, content: &'a Content) {
        let projects: Vec<String> = content
            .projects
            .iter()
            .map(|project| self.iri(&id("Project", &project.id)))
            .collect();
        if !projects.is_empty() {
            let mut contains = Element {
                from: Some(self.iri(super::spdx::MAIN)),
                relationship_type: Some("contains"),
                to: projects,
                ..self.element("Relationship", "SPDXRef-Relationship-Main")
            };
            contains.completeness = content.incomplete.then_some("incomplete");
            self.graph.push(contains);
        }

        for project in &content.projects {
            self.needs(&id("Project", &project.id), &project.edges);
        }
        for (component, id) in content.components.iter().zip(self.ids) {
            self.needs(id, &component.edges);
        }
    }

    /// One relationship for each kind of dependency.
    fn needs(&mut self, from: &str, edges: &[(usize, DependencyKind)]) {
        let kinds = [
            (DependencyKind::Runtime, "dependsOn", Some("runtime")),
            (DependencyKind::Peer, "hasProvidedDependency", None),
            (DependencyKind::Optional, "hasOptionalDependency", None),
            (DependencyKind::Build, "dependsOn", Some("build")),
            (DependencyKind::Test, "dependsOn", Some("test")),
            (
                DependencyKind::Development,
                "dependsOn",
                Some("development"),
            ),
        ];

        for (kind, name, scope) in kinds {
            let to: Vec<String> = edges
                .iter()
                .filter(|(_, edge)| *edge == kind)
                .filter_map(|(to, _)| self.ids.get(*to))
                .map(|to| self.iri(to))
                .collect();
            if to.is_empty() {
                continue;
            }

            let relationship = format!("{}-{name}-{}", from, scope.unwrap_or("any"));
            let class = if scope.is_some() {
                "LifecycleScopedRelationship"
            } else {
                "Relationship"
            };
            let element = Element {
                from: Some(self.iri(from)),
                relationship_type: Some(name),
                scope,
                to,
                ..self.element(class, &relationship)
            };
            self.graph.push(element);
        }
    }
}
