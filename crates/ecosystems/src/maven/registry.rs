//! A Maven repository: the list of an artifact's versions, and the POM of each
//! (<https://maven.apache.org/repositories/metadata.html>,
//! <https://maven.apache.org/repositories/layout.html>).
//!
//! Addresses of a release are relative to that of its `maven-metadata.xml`. Publish times are absent:
//! the metadata has one only for its newest version. A repository withdraws no releases.

use std::collections::HashMap;

use patchgate_model::{DependencyKind, SmolStr};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::coordinates;
use super::pom::{Declared, declared};
use crate::syntax;
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// The characters of an address that are not encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'+');

/// The request for the list of versions.
pub(super) fn request(registry: &str, name: &str) -> MetadataRequest {
    let (group, artifact) = name.split_once(':').unwrap_or(("", name));
    let parts = group.split('.').chain([artifact]);
    let mut url = registry.trim_end_matches('/').to_owned();
    for part in parts.filter(|part| !part.is_empty()) {
        url.push('/');
        url.extend(utf8_percent_encode(part, PLAIN));
    }
    url.push_str("/maven-metadata.xml");

    MetadataRequest { url, accept: None }
}

/// Reads the list of versions. It is an error if the list is of another artifact.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    let text = text(body)?;
    let root = syntax::xml(text)?;
    if root.name != "metadata" {
        return Err(ParseError::new("does not begin with `<metadata>`"));
    }
    let (group, artifact) = name.split_once(':').unwrap_or(("", name));
    for (key, expected) in [("groupId", group), ("artifactId", artifact)] {
        if root.text_of(key).is_some_and(|found| found != expected) {
            return Err(ParseError::new(format!("is not of `{name}`")));
        }
    }
    let versions = root
        .child("versioning")
        .and_then(|versioning| versioning.child("versions"))
        .ok_or_else(|| ParseError::new("has no list of versions"))?;

    let mut releases = Vec::new();
    for version in versions.all("version") {
        // A range or a path is never a release.
        if !coordinates::is_version(&version.text) {
            continue;
        }
        releases.push(release(artifact, &version.text));
        coordinates::within_limit(releases.len())?;
    }

    Ok(releases)
}

fn release(artifact: &str, version: &str) -> Release {
    let file = |extension: &str| {
        let name = format!("{artifact}-{version}.{extension}");
        ReleaseFile {
            url: format!(
                "{}/{}",
                utf8_percent_encode(version, PLAIN),
                utf8_percent_encode(&name, PLAIN)
            ),
            name,
            ..ReleaseFile::default()
        }
    };
    let pom = file("pom");

    Release {
        version: version.to_owned(),
        details: Some(MetadataRequest {
            url: pom.url.clone(),
            accept: None,
        }),
        files: vec![file("jar"), pom],
        ..Release::default()
    }
}

/// Adds the dependencies in a release's POM that are needed to run it.
///
/// The POM's parents are not read. A version that comes from one is unknown, and its requirement is
/// empty, or has the property as written: both admit every version.
pub(super) fn parse_details(
    name: &str,
    release: &mut Release,
    body: &[u8],
) -> Result<(), ParseError> {
    let pom = declared(text(body)?)?;
    let (_, artifact) = name.split_once(':').unwrap_or(("", name));
    if pom.artifact != artifact {
        return Err(ParseError::new(format!("is not the POM of `{name}`")));
    }

    release.requirements = requirements(&pom);
    release.details = None;
    Ok(())
}

fn requirements(pom: &Declared) -> Vec<Requirement> {
    let managed: HashMap<(&SmolStr, &SmolStr), &SmolStr> = pom
        .managed
        .iter()
        .filter_map(|one| Some(((&one.group, &one.artifact), one.version.as_ref()?)))
        .collect();

    pom.dependencies
        .iter()
        .filter(|one| matches!(one.scope.as_deref(), None | Some("compile" | "runtime")))
        .filter(|one| coordinates::is_id(&one.group) && coordinates::is_id(&one.artifact))
        .map(|one| {
            let version = one.version.as_ref();
            let version = version.or_else(|| managed.get(&(&one.group, &one.artifact)).copied());
            Requirement {
                name: format!("{}:{}", one.group, one.artifact),
                requirement: version.map(ToString::to_string).unwrap_or_default(),
                kind: match one.optional.as_deref() {
                    Some("true") => DependencyKind::Optional,
                    _ => DependencyKind::Runtime,
                },
                ..Requirement::default()
            }
        })
        .collect()
}

fn text(body: &[u8]) -> Result<&str, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new("is too large"));
    }
    std::str::from_utf8(body)
        .map(|text| text.trim_start_matches('\u{feff}'))
        .map_err(|_| ParseError::new("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<metadata><groupId>org.acme</groupId><artifactId>lib</artifactId>\
        <versioning><latest>2.0</latest><versions><version>1.0</version><version>../x</version>\
        <version>2.0+b1</version></versions></versioning></metadata>";

    #[test]
    fn the_list_is_next_to_the_releases() {
        assert_eq!(
            request("https://r.invalid/m2/", "org.acme:lib").url,
            "https://r.invalid/m2/org/acme/lib/maven-metadata.xml"
        );

        let releases = parse("org.acme:lib", LIST.as_bytes()).unwrap();
        let details: Vec<&str> = releases
            .iter()
            .map(|one| one.details.as_ref().unwrap().url.as_str())
            .collect();
        assert_eq!(details, ["1.0/lib-1.0.pom", "2.0+b1/lib-2.0+b1.pom"]);
        assert_eq!(releases[0].files[0].url, "1.0/lib-1.0.jar");
    }

    #[test]
    fn an_answer_of_another_kind_is_an_error() {
        for body in [
            "",
            "<html></html>",
            "<metadata><artifactId>other</artifactId></metadata>",
            "<metadata><artifactId>lib</artifactId></metadata>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><metadata>&b;</metadata>",
        ] {
            assert!(parse("org.acme:lib", body.as_bytes()).is_err(), "{body}");
        }
        assert!(parse("org.acme:other", LIST.as_bytes()).is_err());
    }

    #[test]
    fn a_pom_states_what_a_release_needs() {
        let pom = "<project><parent><groupId>g</groupId><artifactId>p</artifactId>\
            <version>7</version></parent><artifactId>lib</artifactId>\
            <properties><v>1.5</v></properties><dependencyManagement><dependencies>\
            <dependency><groupId>g</groupId><artifactId>managed</artifactId><version>${v}</version>\
            </dependency></dependencies></dependencyManagement><dependencies>\
            <dependency><groupId>${project.groupId}</groupId><artifactId>a</artifactId>\
            <version>[1,2)</version></dependency>\
            <dependency><groupId>g</groupId><artifactId>managed</artifactId></dependency>\
            <dependency><groupId>g</groupId><artifactId>unknown</artifactId>\
            <version>${of.parent}</version><optional>true</optional></dependency>\
            <dependency><groupId>g</groupId><artifactId>t</artifactId><version>1</version>\
            <scope>test</scope></dependency></dependencies></project>";
        let mut release = release("lib", "1.0");
        parse_details("g:lib", &mut release, pom.as_bytes()).unwrap();

        let found: Vec<(&str, &str, DependencyKind)> = release
            .requirements
            .iter()
            .map(|one| (one.name.as_str(), one.requirement.as_str(), one.kind))
            .collect();
        assert_eq!(
            found,
            [
                ("g:a", "[1,2)", DependencyKind::Runtime),
                ("g:managed", "1.5", DependencyKind::Runtime),
                ("g:unknown", "${of.parent}", DependencyKind::Optional),
            ]
        );
        assert_eq!(release.details, None);
        assert!(parse_details("g:other", &mut release, pom.as_bytes()).is_err());
    }
}
