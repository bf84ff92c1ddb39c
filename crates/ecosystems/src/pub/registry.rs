//! The metadata of a package in a repository of pub
//! (<https://github.com/dart-lang/pub/blob/master/doc/repository-spec-v2.md>).

use std::collections::BTreeMap;

use patchgate_model::DependencyKind;
use serde::Deserialize;
use serde_json::Value;

use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// The request for a package's releases.
pub(super) fn request(repository: &str, name: &str) -> MetadataRequest {
    MetadataRequest {
        url: format!("{}/api/packages/{name}", repository.trim_end_matches('/')),
        accept: Some("application/vnd.pub.v2+json"),
    }
}

#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    retracted: bool,
    archive_url: Option<String>,
    archive_sha256: Option<String>,
    published: Option<String>,
    pubspec: Pubspec,
}

#[derive(Deserialize)]
struct Pubspec {
    #[serde(default)]
    environment: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    dependencies: Option<BTreeMap<String, Value>>,
}

/// The releases in the answer.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(
            "is larger than metadata of a package can be",
        ));
    }
    let document: Document = serde_json::from_slice(body)
        .map_err(|error| ParseError::new(format!("is not a package of pub: {error}")))?;
    if document.name.is_some_and(|stated| stated != name) {
        return Err(ParseError::new(format!(
            "describes a package other than `{name}`"
        )));
    }
    document.versions.into_iter().map(release).collect()
}

fn release(version: Version) -> Result<Release, ParseError> {
    if super::version::parse(&version.version).is_none() {
        return Err(ParseError::new(format!(
            "has the release {:?}, which is not a version",
            version.version.chars().take(80).collect::<String>()
        )));
    }

    let hash = version.archive_sha256.map(|hash| hash.to_ascii_lowercase());
    let hash = hash.filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));

    let environment = version.pubspec.environment.unwrap_or_default();
    let runtime = environment.get("sdk").and_then(Value::as_str);

    Ok(Release {
        yanked: version.retracted,
        published: version.published,
        requirements: version
            .pubspec
            .dependencies
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, value)| requirement(name, &value))
            .collect(),
        runtime: runtime.map(str::to_owned),
        files: version
            .archive_url
            .map(|url| ReleaseFile {
                name: format!("{}.tar.gz", version.version),
                url,
                hashes: hash
                    .map(|hash| ("sha256".to_owned(), hash))
                    .into_iter()
                    .collect(),
                ..ReleaseFile::default()
            })
            .into_iter()
            .collect(),
        document: Some(serde_json::json!({"environment": environment})),
        version: version.version,
        ..Release::default()
    })
}

/// A dependency. Those on parts of an SDK are not packages.
fn requirement(name: String, value: &Value) -> Option<Requirement> {
    if value.get("sdk").is_some() {
        return None;
    }
    let stated = value.as_str().or_else(|| value.get("version")?.as_str());
    let hosted = value.get("hosted");
    let address = hosted.and_then(|hosted| hosted.as_str().or_else(|| hosted.get("url")?.as_str()));
    Some(Requirement {
        name,
        requirement: stated.unwrap_or("any").to_owned(),
        kind: DependencyKind::Runtime,
        registry: address.map(str::to_owned),
        ..Requirement::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_their_requirements_and_hashes() {
        let hash = "A".repeat(64);
        let body = format!(
            r#"{{"name": "a", "latest": {{}}, "versions": [
              {{"version": "1.0.0", "retracted": true, "archive_url": "https://r.invalid/a.tar.gz", "archive_sha256": "{hash}",
                "published": "2024-01-01T00:00:00Z", "pubspec": {{"name": "a", "environment": {{"sdk": "^3.0.0"}},
                "dependencies": {{"b": "^1.0.0", "c": null, "flutter": {{"sdk": "flutter"}},
                "d": {{"version": "^2.0.0", "hosted": {{"url": "https://o.invalid"}}}}}}}}}},
              {{"version": "1.1.0", "archive_sha256": "short", "archive_url": "x", "pubspec": {{"dependencies": null}}}}]}}"#
        );
        let releases = parse("a", body.as_bytes()).unwrap();
        let [first, second] = releases.as_slice() else {
            panic!("{releases:?}");
        };
        assert_eq!(
            (first.yanked, first.runtime.as_deref()),
            (true, Some("^3.0.0"))
        );
        assert_eq!(
            first.files[0].hashes,
            [("sha256".to_owned(), "a".repeat(64))]
        );
        let requirements: Vec<(&str, &str, Option<&str>)> = first
            .requirements
            .iter()
            .map(|one| (&*one.name, &*one.requirement, one.registry.as_deref()))
            .collect();
        assert_eq!(
            requirements,
            [
                ("b", "^1.0.0", None),
                ("c", "any", None),
                ("d", "^2.0.0", Some("https://o.invalid"))
            ]
        );
        assert_eq!(second.files[0].hashes, []);
    }

    #[test]
    fn odd_documents_are_errors() {
        for body in [
            "<html>",
            "{}",
            r#"{"name": "b", "versions": []}"#,
            r#"{"versions": [{"version": "x", "pubspec": {}}]}"#,
            r#"{"versions": [{"version": "1.0.0"}]}"#,
        ] {
            assert!(parse("a", body.as_bytes()).is_err(), "{body}");
        }
    }
}
