//! A Maven repository: the list of an artifact's versions, and the POM of each
//! (<https://maven.apache.org/repositories/metadata.html>,
//! <https://maven.apache.org/repositories/layout.html>).
//!
//! Addresses of a release are relative to that of its `maven-metadata.xml`. Publish times are absent:
//! the metadata has one only for its newest version. A repository withdraws no releases.

use patchgate_model::DependencyKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::release_pom::{Document, MODULE, Need, ReleasePom, Scope};
use super::{coordinates, gradle_module};
use crate::syntax;
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// The condition of what only Gradle's own metadata states, so that Maven does not know of it.
pub(super) const OF_GRADLE: &str = "gradle";

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

/// The path of a POM from the directory of its artifact.
pub(super) fn pom_path(artifact: &str, version: &str) -> String {
    format!(
        "{}/{}",
        utf8_percent_encode(version, PLAIN),
        utf8_percent_encode(&format!("{artifact}-{version}.pom"), PLAIN)
    )
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
/// A version that the POM leaves to its parents, or to a list that it imports, is in further
/// documents. While one of them is not known, the requirement is empty or has the property as
/// written: both admit every version.
pub(super) fn parse_details(
    name: &str,
    release: &mut Release,
    body: &[u8],
) -> Result<(), ParseError> {
    let asked = release.details.take();
    let body = text(body)?;
    let pom = match Document::take(&mut release.document) {
        None => ReleasePom::new(name, body)?,
        Some(known) => known.with(asked.as_ref().map(|one| one.url.as_str()), body),
    };
    if pom.own().contains(gradle_module::MARKER) {
        add_module(release);
    }

    let needs = pom.needs()?;
    let mut all = needs.all;
    all.extend(pom.bounds()?);
    release.requirements = all.iter().map(requirement).collect();
    if let Some(module) = pom.module() {
        let of_gradle = of_gradle(module, &all).map_err(ParseError::new)?;
        release.requirements.extend(of_gradle);
    }

    let module = release
        .files
        .iter()
        .find(|file| file.name.ends_with(".module"));
    let module = module.filter(|_| pom.module().is_none());
    if let Some((path, root)) = needs.missing.zip(root(name, release)) {
        let parts: Vec<String> = path
            .split('/')
            .map(|part| utf8_percent_encode(part, PLAIN).to_string())
            .collect();
        let url = format!("{root}{}", parts.join("/"));
        release.document = Some(pom.into_document(&path, &url));
        release.details = Some(MetadataRequest { url, accept: None });
    } else if let Some(module) = module {
        let url = module.url.clone();
        release.document = Some(pom.into_document(MODULE, &url));
        release.details = Some(MetadataRequest { url, accept: None });
    }

    Ok(())
}

fn requirement(need: &Need) -> Requirement {
    Requirement {
        name: need.name.clone(),
        requirement: need.requirement.clone(),
        kind: match need.scope {
            Scope::Optional => DependencyKind::Optional,
            Scope::Compile | Scope::CompileOnly | Scope::Runtime => DependencyKind::Runtime,
        },
        only_bounds: need.only_bounds,
        ..Requirement::default()
    }
}

/// What only the metadata of Gradle's own states. A platform is in a lockfile of Gradle, and bounds
/// versions there.
fn of_gradle(module: &str, known: &[Need]) -> Result<Vec<Requirement>, String> {
    let platforms = gradle_module::platforms(module);
    let needs = gradle_module::needs(module)?.into_iter();
    let new = needs.filter(|need| known.iter().all(|one| one.name != need.name));
    Ok(new
        .map(|need| {
            let only_bounds = need.only_bounds || platforms.contains(&need.name);
            Requirement {
                only_bounds,
                condition: match only_bounds {
                    true => String::new(),
                    false => OF_GRADLE.to_owned(),
                },
                ..requirement(&need)
            }
        })
        .collect())
}

/// Lists the metadata of Gradle's own among the files of a release.
fn add_module(release: &mut Release) {
    let module = release.files.iter().find_map(|file| {
        Some(ReleaseFile {
            name: format!("{}.module", file.name.strip_suffix(".pom")?),
            url: format!("{}.module", file.url.strip_suffix(".pom")?),
            ..ReleaseFile::default()
        })
    });
    if let Some(module) = module
        && release.files.iter().all(|file| file.name != module.name)
    {
        release.files.push(module);
    }
}

/// The address of the repository that a release is in, with a slash at its end. `None` while the
/// addresses of the release are relative.
pub(super) fn root<'r>(name: &str, release: &'r Release) -> Option<&'r str> {
    let list = request("", name).url;
    let directory = list
        .trim_start_matches('/')
        .strip_suffix("maven-metadata.xml")?;
    let pom = release
        .files
        .iter()
        .find(|file| file.name.ends_with(".pom"))?;
    let (above, _) = pom.url.rsplit_once('/')?;
    let (above, _) = above.rsplit_once('/')?;
    let above = pom.url.get(..=above.len())?;
    above.strip_suffix(directory)
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
    fn a_version_of_a_parent_or_a_list_is_in_further_documents() {
        let mut release = release("lib", "1.0");
        release.resolve("https://r.invalid/m2/g/lib/maven-metadata.xml");
        let own = "<project><!-- do_not_remove: published-with-gradle-metadata --><parent>\
            <groupId>up.above</groupId><artifactId>p</artifactId><version>7+1</version></parent>\
            <artifactId>lib</artifactId><version>1.0</version><properties><a.version>2</a.version>\
            </properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>\
            </dependency><dependency><groupId>g</groupId><artifactId>b</artifactId></dependency>\
            </dependencies></project>";
        parse_details("g:lib", &mut release, own.as_bytes()).unwrap();
        let next = release.details.clone().unwrap();
        assert_eq!(next.url, "https://r.invalid/m2/up/above/p/7+1/p-7+1.pom");

        // The project's own property wins over that of its parent.
        let managed = |name: &str, version: &str, more: &str| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version>{more}</dependency>"
            )
        };
        let pom = |artifact: &str, entries: &str| {
            format!(
                "<project><groupId>up.above</groupId><artifactId>{artifact}</artifactId>\
                 <version>7+1</version><properties><a.version>1</a.version></properties>\
                 <dependencyManagement><dependencies>{entries}</dependencies>\
                 </dependencyManagement></project>"
            )
        };
        let import = "<type>pom</type><scope>import</scope>";
        let parent = managed("a", "${a.version}", "") + &managed("list", "5", import);
        let mut cut_off = release.clone();
        parse_details("g:lib", &mut cut_off, b"<html>").unwrap();
        assert_eq!(cut_off.requirements[1].requirement, "");

        parse_details("g:lib", &mut release, pom("p", &parent).as_bytes()).unwrap();
        let next = release.details.clone().unwrap();
        assert_eq!(next.url, "https://r.invalid/m2/g/list/5/list-5.pom");
        let list = pom("list", &managed("b", "3", "")).replace("up.above", "g");
        parse_details("g:lib", &mut release, list.replace("7+1", "5").as_bytes()).unwrap();

        let next = release.details.clone().unwrap();
        assert_eq!(next.url, "https://r.invalid/m2/g/lib/1.0/lib-1.0.module");
        let module = r#"{"variants": [{"attributes": {"org.gradle.usage": "java-runtime"},
            "dependencies": [{"group": "g", "module": "bom", "version": {"requires": "9"},
            "attributes": {"org.gradle.category": "platform"}}]}]}"#;
        parse_details("g:lib", &mut release, module.as_bytes()).unwrap();

        let found: Vec<(&str, &str, bool)> = release
            .requirements
            .iter()
            .map(|one| (one.name.as_str(), one.requirement.as_str(), one.only_bounds))
            .collect();
        let expected = [
            ("g:a", "2", false),
            ("g:b", "3", false),
            ("g:bom", "9", true),
        ];
        assert_eq!(found, expected);
        assert_eq!((&release.details, &release.document), (&None, &None));
        assert_eq!(release.files[2].url, next.url);
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
