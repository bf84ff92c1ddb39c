//! The metadata of a package in a NuGet feed of version 3 (<https://learn.microsoft.com/nuget/api/overview>).
//!
//! A feed's own address is that of its service index, which names the address of the registrations. A
//! package's registration has the versions in it, or lists documents with a range of versions each
//! (<https://learn.microsoft.com/nuget/api/registration-base-url-resource>).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;
use serde::Deserialize;
use serde_json::Value;

use super::{check_name, check_version};
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// Kinds of registrations, the best first: with all versions, and compressed.
const REGISTRATIONS: [&str; 3] = [
    "RegistrationsBaseUrl/Versioned",
    "RegistrationsBaseUrl/3.6.0",
    "RegistrationsBaseUrl",
];

/// Most documents of one registration.
const MAX_PAGES: usize = 256;

/// The framework of dependencies for all of them.
const ANY: &str = "any";

/// The request for a feed's service index.
pub(super) fn request(feed: &str) -> MetadataRequest {
    MetadataRequest {
        url: feed.to_owned(),
        accept: None,
    }
}

/// A document of a feed. Its keys are those of one of three kinds.
#[derive(Deserialize)]
struct Document {
    /// Of a service index.
    resources: Option<Vec<Resource>>,
    /// Of a registration: its pages. Of a page: its versions.
    items: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    kind: Kinds,
}

/// The kind of a resource: one, or a list of its names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(String),
    Several(Vec<String>),
}

impl Kinds {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(kind) => kind == wanted,
            Self::Several(kinds) => kinds.iter().any(|kind| kind == wanted),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leaf {
    catalog_entry: Entry,
    package_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    version: String,
    listed: Option<bool>,
    published: Option<String>,
    deprecation: Option<Value>,
    #[serde(default)]
    dependency_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    target_framework: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    id: String,
    #[serde(default)]
    range: String,
}

fn read(body: &[u8]) -> Result<Document, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(
            "is larger than metadata of a package can be",
        ));
    }
    let document: Document = serde_json::from_slice(body)
        .map_err(|error| ParseError::new(format!("is not a document of a NuGet feed: {error}")))?;
    match document.resources.is_some() || document.items.is_some() {
        true => Ok(document),
        false => Err(ParseError::new(
            "is not a document of a NuGet feed: it lacks `resources` and `items`",
        )),
    }
}

/// The versions in a document. A service index has none, nor has a page whose versions are in a
/// document of their own.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    let mut releases = Vec::new();
    for item in read(body)?.items.unwrap_or_default() {
        let leaves = match item.get("items").and_then(Value::as_array) {
            Some(leaves) => leaves.clone(),
            None if item.get("catalogEntry").is_some() => vec![item],
            None => Vec::new(),
        };
        for leaf in leaves {
            let leaf: Leaf = serde_json::from_value(leaf).map_err(|error| {
                ParseError::new(format!("has an entry that is not a version: {error}"))
            })?;
            releases.push(release(name, leaf)?);
        }
    }
    Ok(releases)
}

/// The requests that a document leads to: from a service index to the package's registration, and from
/// that to its pages.
pub(super) fn pages(name: &str, body: &[u8]) -> Result<Vec<MetadataRequest>, ParseError> {
    let document = read(body)?;
    let of = |url: String| MetadataRequest { url, accept: None };
    if let Some(resources) = document.resources {
        check_name(name, 1)?;
        let base = REGISTRATIONS
            .iter()
            .find_map(|kind| resources.iter().find(|resource| resource.kind.has(kind)))
            .ok_or_else(|| ParseError::new("names no registrations of packages"))?;
        let base = base.id.trim_end_matches('/');
        return Ok(vec![of(format!(
            "{base}/{}/index.json",
            name.to_lowercase()
        ))]);
    }

    let pages: Vec<MetadataRequest> = document
        .items
        .unwrap_or_default()
        .iter()
        .filter(|item| item.get("items").is_none() && item.get("catalogEntry").is_none())
        .filter_map(|item| Some(of(item.get("@id")?.as_str()?.to_owned())))
        .collect();
    match pages.len() > MAX_PAGES {
        true => Err(ParseError::new(format!("has more than {MAX_PAGES} pages"))),
        false => Ok(pages),
    }
}

fn release(name: &str, leaf: Leaf) -> Result<Release, ParseError> {
    let entry = leaf.catalog_entry;
    if !entry.id.eq_ignore_ascii_case(name) {
        return Err(ParseError::new(format!(
            "describes a package other than `{name}`"
        )));
    }
    // The build after `+` is not part of the version.
    let version = entry.version.split('+').next().unwrap_or_default();
    check_version(version, name, 1)?;

    // An unlisted version has this year instead of its time.
    let published = entry.published.filter(|time| !time.starts_with("1900-"));
    Ok(Release {
        version: version.to_owned(),
        yanked: entry.listed == Some(false) || entry.deprecation.is_some_and(|it| !it.is_null()),
        published,
        requirements: requirements(&entry.dependency_groups)?,
        files: leaf
            .package_content
            .map(|url| ReleaseFile {
                name: url.rsplit('/').next().unwrap_or_default().to_owned(),
                url,
                ..ReleaseFile::default()
            })
            .into_iter()
            .collect(),
        ..Release::default()
    })
}

/// The requirements for all frameworks. Each has its frameworks as condition, because a project takes
/// those of one.
fn requirements(groups: &[Group]) -> Result<Vec<Requirement>, ParseError> {
    let mut frameworks: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for group in groups {
        let framework = group
            .target_framework
            .as_deref()
            .filter(|name| !name.is_empty());
        for dependency in &group.dependencies {
            check_name(&dependency.id, 1)?;
            let key = (dependency.id.as_str(), dependency.range.as_str());
            frameworks
                .entry(key)
                .or_default()
                .insert(framework.unwrap_or(ANY));
        }
    }

    let requirement = |((name, range), frameworks): ((&str, &str), BTreeSet<&str>)| Requirement {
        name: name.to_owned(),
        requirement: range.to_owned(),
        kind: DependencyKind::Runtime,
        condition: frameworks.into_iter().collect::<Vec<_>>().join(", "),
        ..Requirement::default()
    };
    Ok(frameworks.into_iter().map(requirement).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_graph::stated;

    const INDEX: &str = r#"{"version": "3.0.0", "resources": [
        {"@id": "https://feed.invalid/plain/", "@type": "RegistrationsBaseUrl"},
        {"@id": "https://feed.invalid/all/", "@type": ["RegistrationsBaseUrl/3.6.0", "x"]},
        {"@id": "https://feed.invalid/search", "@type": "SearchQueryService"}]}"#;

    #[test]
    fn a_service_index_leads_to_registrations_and_pages() {
        let urls = |body: &str| -> Vec<String> {
            let pages = pages("Acme.Json", body.as_bytes()).unwrap();
            pages.into_iter().map(|page| page.url).collect()
        };
        assert_eq!(
            urls(INDEX),
            ["https://feed.invalid/all/acme.json/index.json"]
        );
        assert_eq!(parse("Acme.Json", INDEX.as_bytes()).unwrap(), []);

        let registration =
            r#"{"items": [{"@id": "https://feed.invalid/page1"}, {"@id": "x", "items": []}]}"#;
        assert_eq!(urls(registration), ["https://feed.invalid/page1"]);
        assert_eq!(parse("Acme.Json", registration.as_bytes()).unwrap(), []);
    }

    #[test]
    fn versions_have_the_requirements_of_all_frameworks() {
        let leaf = |version: &str, rest: &str| {
            format!(
                r#"{{"packageContent": "https://feed.invalid/a.{version}.nupkg", "catalogEntry": {{"id": "acme.json", "version": "{version}", {rest}}}}}"#
            )
        };
        let first = leaf(
            "1.0.0+build",
            r#""published": "2024-01-01T00:00:00Z", "dependencyGroups": [
                {"targetFramework": "net8.0", "dependencies": [{"id": "B", "range": "[1.0.0, )"}]},
                {"targetFramework": ".NETStandard2.0", "dependencies": [{"id": "B", "range": "[1.0.0, )"}, {"id": "C", "range": "[2.0.0]"}]},
                {"targetFramework": "net48"}]"#,
        );
        let second = leaf(
            "1.1.0",
            r#""listed": false, "published": "1900-01-01T00:00:00Z""#,
        );
        let body = format!("{{\"items\": [{{\"items\": [{first}]}}, {second}]}}");
        let releases = parse("Acme.Json", body.as_bytes()).unwrap();
        let [first, second] = releases.as_slice() else {
            panic!("{releases:?}");
        };
        assert_eq!((first.version.as_str(), first.yanked), ("1.0.0", false));
        assert_eq!(
            stated(first),
            [
                ("B", "[1.0.0, )", ".NETStandard2.0, net8.0"),
                ("C", "[2.0.0]", ".NETStandard2.0")
            ]
        );
        assert_eq!((second.yanked, &second.published), (true, &None));
    }

    #[test]
    fn odd_documents_are_errors() {
        let refused = |body: &str| parse("a", body.as_bytes()).unwrap_err().to_string();
        for body in [
            "<html>maintenance</html>",
            "{}",
            r#"{"items": [{"items": [{"catalogEntry": {"id": "b", "version": "1.0"}}]}]}"#,
            r#"{"items": [{"items": [{"catalogEntry": {"id": "a", "version": "x"}}]}]}"#,
            r#"{"items": [{"items": [1]}]}"#,
        ] {
            assert!(!refused(body).is_empty(), "{body}");
        }
        let without = r#"{"resources": []}"#;
        assert!(pages("a", without.as_bytes()).is_err());
        assert!(pages("../a", INDEX.as_bytes()).is_err());
    }
}
