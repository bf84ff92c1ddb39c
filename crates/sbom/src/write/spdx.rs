//! SPDX 2.3, as values that are serialized as JSON or as `tag: value` lines
//! (<https://spdx.github.io/spdx-spec/v2.3/>).

use std::collections::BTreeMap;

use patchgate_model::DependencyKind;
use percent_encoding::percent_encode_byte;
use serde::Serialize;

use super::content::{Component, Content, Fact, Project, Requirement};
use super::{WriteOptions, serial};
use crate::facts;

/// A document. The fields have the order of the specification's chapters.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'a> {
    pub(super) spdx_version: &'static str,
    pub(super) data_license: &'static str,
    #[serde(rename = "SPDXID")]
    pub(super) id: &'static str,
    pub(super) name: &'a str,
    pub(super) document_namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'static str>,
    pub(super) creation_info: CreationInfo,
    pub(super) packages: Vec<Package<'a>>,
    pub(super) relationships: Vec<Relationship>,
}

#[derive(Debug, Serialize)]
pub(super) struct CreationInfo {
    pub(super) created: String,
    pub(super) creators: [String; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "SPDXID")]
    pub(super) id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) version_info: &'a str,
    pub(super) supplier: &'static str,
    pub(super) download_location: &'a str,
    pub(super) files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) checksums: Vec<Checksum<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source_info: String,
    pub(super) license_concluded: &'static str,
    pub(super) license_declared: &'static str,
    pub(super) copyright_text: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) comment: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_refs: Vec<ExternalRef<'a>>,
    pub(super) primary_package_purpose: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum<'a> {
    pub(super) algorithm: &'static str,
    pub(super) checksum_value: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalRef<'a> {
    pub(super) reference_category: &'static str,
    pub(super) reference_type: &'static str,
    pub(super) reference_locator: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    #[serde(rename = "spdxElementId")]
    pub(super) from: String,
    #[serde(rename = "relationshipType")]
    pub(super) kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    pub(super) to: String,
}

const NONE: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// The identifier of the package that represents the scanned project.
pub(super) const MAIN: &str = "SPDXRef-Main";
/// The comment of an incomplete document; SPDX 2 has no field for that.
pub(super) const INCOMPLETE: &str = "This document is incomplete: some files could not be read, or list only a part of the packages.";

pub(super) fn json(
    content: &Content,
    advisories: &BTreeMap<String, Vec<String>>,
    options: &WriteOptions<'_>,
) -> String {
    // Serialization cannot fail: all keys are texts.
    let mut text =
        serde_json::to_string_pretty(&document(content, advisories, options)).unwrap_or_default();
    text.push('\n');
    text
}

/// `advisories` has the addresses of the advisories of components and requirements, by their ids.
pub(super) fn document<'a>(
    content: &'a Content,
    advisories: &'a BTreeMap<String, Vec<String>>,
    options: &'a WriteOptions<'_>,
) -> Document<'a> {
    let ids = package_ids(content);
    let main = Package {
        comment: comment(&[(facts::DOCUMENT, "true".to_owned())]),
        primary_package_purpose: "APPLICATION",
        ..package(options.document_name(), MAIN.to_owned())
    };
    let mut document =
        Document {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: DOCUMENT,
            name: options.document_name(),
            document_namespace: String::new(),
            comment: content.incomplete.then_some(INCOMPLETE),
            creation_info: CreationInfo {
                created: String::new(),
                creators: [creator(options)],
            },
            packages: std::iter::once(main)
                .chain(content.projects.iter().map(project))
                .chain(content.components.iter().zip(&ids).map(|(component, id)| {
                    package_of(component, advisories.get(&component.id), id)
                }))
                .chain(
                    content
                        .requirements
                        .iter()
                        .map(|one| requirement(one, advisories.get(&one.id))),
                )
                .collect(),
            relationships: relationships(content, &ids),
        };

    // Computed before the time is set, so that the same content always has the same namespace.
    let uuid = serial::content_uuid(&document);
    document.document_namespace = format!("https://spdx.org/spdxdocs/patchgate-{uuid}");
    document.creation_info.created = options.time();

    document
}

fn creator(options: &WriteOptions<'_>) -> String {
    format!("Tool: patchgate-{}", options.tool_version)
}

/// The identifiers of all components. Relationships repeat them, so each is hashed only once.
pub(super) fn package_ids(content: &Content) -> Vec<String> {
    content
        .components
        .iter()
        .map(|component| id("Package", &component.id))
        .collect()
}

/// An SPDX identifier. It may contain only letters, digits, `.` and `-`, so it is made from a hash.
/// Unlike a number, the hash does not change when other packages are added or removed.
pub(super) fn id(kind: &str, id: &str) -> String {
    let hash = serial::hash(&id);
    let digits: String = hash.chars().take(20).collect();
    format!("SPDXRef-{kind}-{digits}")
}

fn package(name: &str, id: String) -> Package<'_> {
    Package {
        name,
        id,
        version_info: "",
        supplier: NONE,
        download_location: NONE,
        files_analyzed: false,
        checksums: Vec::new(),
        source_info: String::new(),
        license_concluded: NONE,
        license_declared: NONE,
        copyright_text: NONE,
        comment: String::new(),
        external_refs: Vec::new(),
        primary_package_purpose: "LIBRARY",
    }
}

fn project(project: &Project) -> Package<'_> {
    Package {
        comment: comment(&project.facts),
        primary_package_purpose: "APPLICATION",
        ..package(&project.name, id("Project", &project.id))
    }
}

fn package_of<'a>(
    component: &'a Component,
    advisories: Option<&'a Vec<String>>,
    id: &str,
) -> Package<'a> {
    let address = component
        .distribution_url
        .as_ref()
        .or(component.repository_url.as_ref());
    let checksums = component.digests.iter().map(|digest| Checksum {
        algorithm: digest.algorithm.spdx(),
        checksum_value: &digest.hex,
    });
    let purl = component.purl.iter().map(|purl| ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    });

    Package {
        version_info: &component.version,
        download_location: address.map_or(NONE, String::as_str),
        checksums: checksums.collect(),
        source_info: source_info(component.locations.iter()),
        comment: comment_with_scope(&component.facts, component.scope),
        external_refs: purl.chain(security(advisories)).collect(),
        ..package(&component.name, id.to_owned())
    }
}

/// References to advisories.
fn security(advisories: Option<&Vec<String>>) -> impl Iterator<Item = ExternalRef<'_>> {
    let advisories = advisories.into_iter().flatten();
    advisories.map(|address| ExternalRef {
        reference_category: "SECURITY",
        reference_type: "advisory",
        reference_locator: address,
    })
}

fn requirement<'a>(
    requirement: &'a Requirement,
    advisories: Option<&'a Vec<String>>,
) -> Package<'a> {
    Package {
        source_info: source_info(requirement.location.iter()),
        comment: comment_with_scope(&requirement.facts, requirement.kind.into()),
        external_refs: security(advisories).collect(),
        ..package(&requirement.name, id("Requirement", &requirement.id))
    }
}

/// The locations of a package, for display.
pub(super) fn source_info<'a>(locations: impl Iterator<Item = &'a (String, u32)>) -> String {
    let locations: Vec<String> = locations
        .map(|(path, line)| format!("{}:{line}", one_line(path)))
        .collect();
    match locations.as_slice() {
        [] => String::new(),
        _ => format!("stated in {}", locations.join(", ")),
    }
}

pub(super) fn comment_with_scope(facts: &[Fact], scope: patchgate_model::Scope) -> String {
    let mut lines = comment(facts);
    if scope != patchgate_model::Scope::Runtime {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&comment(&[(
            facts::SCOPE,
            facts::scope_name(scope).to_owned(),
        )]));
    }

    lines
}

/// Facts as lines of a comment. Characters that could end a line or a `<text>` are percent-encoded.
pub(super) fn comment(facts: &[Fact]) -> String {
    let lines: Vec<String> = facts
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    lines.join("\n")
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.len().saturating_sub(1);
    for (at, letter) in value.char_indices() {
        let edge = letter.is_whitespace() && (at == 0 || at + letter.len_utf8() > last);
        if edge
            || letter.is_control()
            || matches!(letter, '%' | '<' | '>' | '\u{85}' | '\u{2028}' | '\u{2029}')
        {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(percent_encode_byte(byte));
            }
        } else {
            out.push(letter);
        }
    }

    out
}

/// The text with every character that could end a line replaced by a space.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                letter
            }
        })
        .collect()
}

fn relationships(content: &Content, packages: &[String]) -> Vec<Relationship> {
    let mut list = vec![Relationship {
        from: DOCUMENT.to_owned(),
        kind: "DESCRIBES",
        to: MAIN.to_owned(),
    }];
    for project in &content.projects {
        list.push(Relationship {
            from: MAIN.to_owned(),
            kind: "CONTAINS",
            to: id("Project", &project.id),
        });
    }

    for project in &content.projects {
        needs(
            &id("Project", &project.id),
            &project.edges,
            packages,
            &mut list,
        );
    }

    for (component, from) in content.components.iter().zip(packages) {
        needs(from, &component.edges, packages, &mut list);
    }

    list
}

fn needs(
    from: &str,
    edges: &[(usize, DependencyKind)],
    packages: &[String],
    list: &mut Vec<Relationship>,
) {
    for (to, kind) in edges {
        let Some(to) = packages.get(*to).cloned() else {
            continue;
        };
        let (kind, reversed) = match kind {
            DependencyKind::Runtime => ("DEPENDS_ON", false),
            DependencyKind::Optional => ("OPTIONAL_DEPENDENCY_OF", true),
            // "To be used when A has a dependency that is expected to be provided."
            DependencyKind::Peer => ("PROVIDED_DEPENDENCY_OF", true),
            DependencyKind::Build => ("BUILD_DEPENDENCY_OF", true),
            DependencyKind::Test => ("TEST_DEPENDENCY_OF", true),
            DependencyKind::Development => ("DEV_DEPENDENCY_OF", true),
        };

        let (from, to) = if reversed {
            (to, from.to_owned())
        } else {
            (from.to_owned(), to)
        };
        list.push(Relationship { from, kind, to });
    }
}
