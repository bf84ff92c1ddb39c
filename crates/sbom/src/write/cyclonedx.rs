//! CycloneDX 1.5 to 1.7, as values that are serialized as JSON or XML
//! (<https://cyclonedx.org/docs/1.7/json/>).

use patchgate_model::{DependencyKind, Scope};
use serde::Serialize;
use serde_json::Value;

use super::content::{Component, Content, Fact, Requirement};
use super::{WriteOptions, serial};
use crate::CycloneDxVersion;
use crate::facts;

/// A document. The fields have the order of the XML schema, which is binding there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: String,
    bom_format: &'static str,
    pub(super) spec_version: &'static str,
    pub(super) serial_number: String,
    pub(super) version: u32,
    pub(super) metadata: Metadata<'a>,
    pub(super) components: Vec<Entry<'a>>,
    pub(super) dependencies: Vec<Dependency<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) compositions: Vec<Composition>,
    /// Vulnerabilities of the components; only documents in JSON have any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) vulnerabilities: Vec<Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) timestamp: String,
    pub(super) lifecycles: [Lifecycle; 1],
    pub(super) tools: Tools<'a>,
    pub(super) component: Entry<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Lifecycle {
    pub(super) phase: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Tools<'a> {
    pub(super) components: [Entry<'a>; 1],
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "str::is_empty")]
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_references: Vec<Reference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Hash<'a> {
    pub(super) alg: &'static str,
    pub(super) content: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Reference<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) url: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Property<'a> {
    pub(super) name: &'a str,
    pub(super) value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Evidence<'a> {
    pub(super) occurrences: Vec<Occurrence<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Occurrence<'a> {
    pub(super) location: &'a str,
    /// Line, from 1; only since CycloneDX 1.6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency<'a> {
    #[serde(rename = "ref")]
    pub(super) from: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) depends_on: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Composition {
    pub(super) aggregate: &'static str,
    pub(super) assemblies: [&'static str; 1],
}

/// The identifier of the component that the document describes.
const MAIN: &str = "document";

pub(super) fn json(
    content: &Content,
    vulnerabilities: Vec<Value>,
    options: &WriteOptions<'_>,
    version: CycloneDxVersion,
) -> String {
    let bom = bom(content, vulnerabilities, options, version);
    // Serialization cannot fail: all keys are texts.
    let mut text = serde_json::to_string_pretty(&bom).unwrap_or_default();
    text.push('\n');
    text
}

pub(super) fn bom<'a>(
    content: &'a Content,
    vulnerabilities: Vec<Value>,
    options: &'a WriteOptions<'_>,
    version: CycloneDxVersion,
) -> Bom<'a> {
    let mut bom = Bom {
        schema: format!(
            "http://cyclonedx.org/schema/bom-{}.schema.json",
            version.as_str()
        ),
        bom_format: "CycloneDX",
        spec_version: version.as_str(),
        serial_number: String::new(),
        version: 1,
        metadata: metadata(options),
        components: entries(content, version),
        dependencies: dependencies(content),
        compositions: Vec::new(),
        vulnerabilities,
    };
    if content.incomplete {
        bom.compositions.push(Composition {
            aggregate: "incomplete",
            assemblies: [MAIN],
        });
    }
    // Computed before the time is set, so that the same content always has the same number.
    bom.serial_number = format!("urn:uuid:{}", serial::content_uuid(&bom));

    bom.metadata.timestamp = options.time();
    bom
}

fn metadata<'a>(options: &'a WriteOptions<'_>) -> Metadata<'a> {
    Metadata {
        timestamp: String::new(),
        // A lockfile lists the packages of a build that has not happened yet.
        lifecycles: [Lifecycle { phase: "pre-build" }],
        tools: Tools {
            components: [Entry {
                kind: "application",
                name: "patchgate",
                version: options.tool_version,
                ..Entry::default()
            }],
        },
        component: Entry {
            kind: "application",
            id: MAIN,
            name: options.document_name(),
            ..Entry::default()
        },
    }
}

fn entries(content: &Content, version: CycloneDxVersion) -> Vec<Entry<'_>> {
    let projects = content.projects.iter().map(|project| Entry {
        kind: "application",
        id: &project.id,
        name: &project.name,
        properties: properties(&project.facts),
        ..Entry::default()
    });

    let packages = content
        .components
        .iter()
        .map(|component| package(component, version));
    let requirements = content
        .requirements
        .iter()
        .map(|requirement| unresolved(requirement, version));

    projects.chain(packages).chain(requirements).collect()
}

fn package(component: &Component, version: CycloneDxVersion) -> Entry<'_> {
    let mut entry = Entry {
        kind: "library",
        id: &component.id,
        name: &component.name,
        version: &component.version,
        purl: component.purl.as_deref(),
        hashes: component
            .digests
            .iter()
            .map(|digest| Hash {
                alg: digest.algorithm.cyclonedx(),
                content: &digest.hex,
            })
            .collect(),
        properties: properties(&component.facts),
        ..Entry::default()
    };
    set_scope(&mut entry, component.scope);
    let distribution = component
        .distribution_url
        .iter()
        .map(|url| ("distribution", url));
    let repository = component.repository_url.iter().map(|url| ("vcs", url));
    entry.external_references = distribution
        .chain(repository)
        .map(|(kind, url)| Reference { kind, url })
        .collect();
    set_locations(&mut entry, component.locations.iter(), version);

    entry
}

fn unresolved(requirement: &Requirement, version: CycloneDxVersion) -> Entry<'_> {
    let mut entry = Entry {
        kind: "library",
        id: &requirement.id,
        name: &requirement.name,
        properties: properties(&requirement.facts),
        ..Entry::default()
    };
    set_scope(&mut entry, Scope::from(requirement.kind));
    set_locations(&mut entry, requirement.location.iter(), version);

    entry
}

/// Sets the scope of CycloneDX, and a fact for scopes that it does not distinguish.
fn set_scope(entry: &mut Entry<'_>, scope: Scope) {
    entry.scope = Some(match scope {
        Scope::Runtime | Scope::Peer => "required",
        Scope::Optional => "optional",
        Scope::Build | Scope::Test | Scope::Development => "excluded",
    });
    if matches!(scope, Scope::Peer | Scope::Build | Scope::Test) {
        entry.properties.push(Property {
            name: facts::SCOPE,
            value: facts::scope_name(scope).to_owned(),
        });
    }
}

/// Sets the locations of the component. Before 1.6 an occurrence has no line, so lines are facts.
fn set_locations<'a>(
    entry: &mut Entry<'a>,
    locations: impl Iterator<Item = &'a (String, u32)>,
    version: CycloneDxVersion,
) {
    let with_lines = version >= CycloneDxVersion::V1_6;
    let mut occurrences: Vec<Occurrence<'a>> = Vec::new();
    for (path, line) in locations {
        if with_lines {
            occurrences.push(Occurrence {
                location: path,
                line: Some(*line),
            });
            continue;
        }

        if occurrences.last().is_none_or(|last| last.location != path) {
            occurrences.push(Occurrence {
                location: path,
                line: None,
            });
        }

        entry.properties.push(Property {
            name: facts::LOCATION,
            value: format!("{path}:{line}"),
        });
    }

    entry.evidence = (!occurrences.is_empty()).then_some(Evidence { occurrences });
}

fn properties(facts: &[Fact]) -> Vec<Property<'_>> {
    facts
        .iter()
        .map(|(name, value)| Property {
            name,
            value: value.clone(),
        })
        .collect()
}

fn dependencies(content: &Content) -> Vec<Dependency<'_>> {
    let target = |edges: &[(usize, DependencyKind)]| -> Vec<&str> {
        let mut targets: Vec<&str> = edges
            .iter()
            .filter_map(|(to, _)| content.components.get(*to))
            .map(|component| component.id.as_str())
            .collect();
        targets.dedup();
        targets
    };

    let main = Dependency {
        from: MAIN,
        depends_on: content
            .projects
            .iter()
            .map(|project| project.id.as_str())
            .collect(),
    };

    let projects = content.projects.iter().map(|project| Dependency {
        from: &project.id,
        depends_on: target(&project.edges),
    });
    let components = content.components.iter().map(|component| Dependency {
        from: &component.id,
        depends_on: target(&component.edges),
    });

    std::iter::once(main)
        .chain(projects)
        .chain(components)
        .collect()
}
