//! The compact index: a document with a line for each archive of a gem
//! (the guide "Compact Index API" of RubyGems).
//!
//! A release can have several archives, one for each platform, which can need different gems. What
//! not all of them need has the platforms as its condition. The archives are in
//! [`Release::document`], in the form of [`Archive`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::version::Version;
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// The platform of an archive that runs everywhere.
pub(super) const RUBY: &str = "ruby";

/// Maximum number of archives that are read.
const MAX_ARCHIVES: usize = 100_000;

/// Maximum number of dependencies of an archive.
const MAX_DEPENDENCIES: usize = 10_000;

/// One archive of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Archive {
    /// `ruby`, or a platform such as `x86_64-linux`.
    pub(super) platform: String,
    /// Names and requirements, the parts of which are separated by `, `.
    pub(super) dependencies: Vec<(String, String)>,
    /// Hexadecimal hash of the archive, where the index states it.
    pub(super) sha256: Option<String>,
}

/// The archives of a release, as [`Release::document`] has them.
pub(super) fn archives(release: &Release) -> Option<Vec<Archive>> {
    serde_json::from_value(release.document.clone()?).ok()
}

/// The request for a gem's document.
pub(super) fn request(registry: &str, name: &str) -> MetadataRequest {
    // A name has no other characters, unless a lockfile is hostile.
    let name: String = name.chars().filter(|c| is_plain(*c)).collect();
    MetadataRequest {
        url: format!("{}/info/{name}", registry.trim_end_matches('/')),
        accept: None,
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// A line of the document.
struct Line<'a> {
    version: &'a str,
    archive: Archive,
    ruby: Option<String>,
    published: Option<String>,
}

/// Reads a gem's document. Yanked releases are not in it.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new("is larger than metadata of a gem can be"));
    }
    let text = std::str::from_utf8(body).map_err(|_| ParseError::new("is not UTF-8"))?;

    // What precedes the separator is about the document.
    let lines = (1..).zip(text.lines());
    let mut lines = lines.skip_while(|(_, line)| *line != "---");
    if lines.next().is_none() {
        return Err(ParseError::new("is not a document of the compact index"));
    }

    let mut order: Vec<&str> = Vec::new();
    let mut by_version: BTreeMap<&str, Vec<Line<'_>>> = BTreeMap::new();
    for (count, (number, line)) in lines.enumerate() {
        if count >= MAX_ARCHIVES {
            return Err(ParseError::new(format!(
                "lists more than {MAX_ARCHIVES} archives"
            )));
        }
        if line.is_empty() {
            continue;
        }
        let line = read_line(line).map_err(|error| error.at_line(number))?;
        let of_version = by_version.entry(line.version).or_default();
        if of_version.is_empty() {
            order.push(line.version);
        }
        of_version.push(line);
    }

    Ok(order
        .into_iter()
        .filter_map(|version| Some(release(name, version, by_version.remove(version)?)))
        .collect())
}

/// Reads `1.0-java a:>= 1&< 2,b:>= 0|checksum:…,ruby:>= 2.7`.
fn read_line(line: &str) -> Result<Line<'_>, ParseError> {
    let (entry, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (version, platform) = entry.split_once('-').unwrap_or((entry, RUBY));
    if version.is_empty() || Version::parse(version).is_none() {
        return Err(ParseError::new(
            "has a line that does not begin with a version",
        ));
    }
    if platform.is_empty() || !platform.chars().all(is_plain) {
        return Err(ParseError::new(
            "names a platform that RubyGems does not allow",
        ));
    }

    let (dependencies, facts) = rest.split_once('|').unwrap_or((rest, ""));
    let dependencies = dependencies
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(dependency)
        .collect::<Result<Vec<_>, _>>()?;
    if dependencies.len() > MAX_DEPENDENCIES {
        return Err(ParseError::new(format!(
            "has more than {MAX_DEPENDENCIES} dependencies"
        )));
    }

    let mut read = Line {
        version,
        archive: Archive {
            platform: platform.to_owned(),
            dependencies,
            sha256: None,
        },
        ruby: None,
        published: None,
    };
    for fact in facts.split(',') {
        let Some((key, value)) = fact.split_once(':') else {
            continue;
        };
        match key {
            "checksum" if is_sha256(value) => {
                read.archive.sha256 = Some(value.to_ascii_lowercase());
            }
            "ruby" => read.ruby = Some(value.replace('&', ", ")),
            "created_at" => read.published = Some(value.to_owned()),
            _ => {}
        }
    }

    Ok(read)
}

fn dependency(part: &str) -> Result<(String, String), ParseError> {
    let (name, requirement) = part.split_once(':').unwrap_or((part, ">= 0"));
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(ParseError::new("has a dependency without a name of a gem"));
    }
    let is_requirement =
        |c: char| is_plain(c) || matches!(c, '<' | '>' | '=' | '~' | '!' | ' ' | '&');
    if !requirement.chars().all(is_requirement) {
        return Err(ParseError::new(format!(
            "has a requirement for `{name}` that is not one"
        )));
    }

    Ok((name.to_owned(), requirement.replace('&', ", ")))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn release(name: &str, version: &str, lines: Vec<Line<'_>>) -> Release {
    let of_ruby = lines.iter().find(|line| line.archive.platform == RUBY);
    let main = of_ruby.or(lines.first());
    let runtime = main.and_then(|line| line.ruby.clone());
    let published = lines.iter().filter_map(|line| line.published.clone()).min();

    let requirements = requirements(&lines);
    let archives: Vec<Archive> = lines.into_iter().map(|line| line.archive).collect();
    Release {
        version: version.to_owned(),
        published,
        runtime,
        requirements,
        files: archives
            .iter()
            .map(|archive| file(name, version, archive))
            .collect(),
        document: serde_json::to_value(&archives).ok(),
        ..Release::default()
    }
}

/// The requirements of all archives. One on a gem that only some of them need has these as its
/// condition.
fn requirements(lines: &[Line<'_>]) -> Vec<Requirement> {
    let mut needed_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut order: Vec<(&str, &str)> = Vec::new();
    for line in lines {
        for (name, requirement) in &line.archive.dependencies {
            needed_by
                .entry(name)
                .or_default()
                .insert(&line.archive.platform);
            if !order.contains(&(name, requirement)) {
                order.push((name, requirement));
            }
        }
    }

    order
        .into_iter()
        .map(|(name, requirement)| {
            let platforms = needed_by.get(name).cloned().unwrap_or_default();
            let condition = match platforms.len() == lines.len() {
                true => String::new(),
                false => platforms.into_iter().collect::<Vec<_>>().join(", "),
            };
            Requirement {
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                condition,
                ..Requirement::default()
            }
        })
        .collect()
}

fn file(name: &str, version: &str, archive: &Archive) -> ReleaseFile {
    let name = match archive.platform.as_str() {
        RUBY => format!("{name}-{version}.gem"),
        platform => format!("{name}-{version}-{platform}.gem"),
    };
    let hash = |hash: &String| ("sha256".to_owned(), hash.clone());
    ReleaseFile {
        url: format!("../gems/{name}"),
        name,
        hashes: archive.sha256.iter().map(hash).collect(),
        ..ReleaseFile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_graph::stated;

    const SHA: &str = "0085e875dd7d33d3b0f5595668b804997217edfea1275587ac6e42818fb37ab3";

    #[test]
    fn reads_archives_of_all_platforms_as_one_release() {
        let body = format!(
            "created_at: 2024-01-01T00:00:00Z\n---\n\
             1.0 |checksum:{SHA}\n\
             1.1 mini:~> 2.8,racc:>= 1&< 2|checksum:{SHA},ruby:>= 2.7&< 4,rubygems:>= 3.3,created_at:2024-05-01T10:00:00Z\n\
             1.1-x86_64-linux racc:>= 1&< 2|checksum:{SHA},ruby:>= 2.7&< 3.4.dev\n\
             1.2.rc1 racc\n"
        );
        let releases = parse("gem", body.as_bytes()).unwrap();
        let versions: Vec<&str> = releases.iter().map(|it| it.version.as_str()).collect();
        assert_eq!(versions, ["1.0", "1.1", "1.2.rc1"]);

        let release = &releases[1];
        assert_eq!(release.runtime.as_deref(), Some(">= 2.7, < 4"));
        assert_eq!(release.published.as_deref(), Some("2024-05-01T10:00:00Z"));
        assert_eq!(
            stated(release),
            [("mini", "~> 2.8", "ruby"), ("racc", ">= 1, < 2", "")]
        );
        let files: Vec<_> = release
            .files
            .iter()
            .map(|it| (it.name.as_str(), it.hashes.len()))
            .collect();
        assert_eq!(files, [("gem-1.1.gem", 1), ("gem-1.1-x86_64-linux.gem", 1)]);
        assert_eq!(archives(release).unwrap().len(), 2);

        let mut resolved = releases[0].clone();
        resolved.resolve("https://gems.invalid/private/info/gem");
        assert_eq!(
            resolved.files[0].url,
            "https://gems.invalid/private/gems/gem-1.0.gem"
        );
    }

    #[test]
    fn a_document_without_releases_is_empty() {
        assert_eq!(parse("a", b"---\n").unwrap(), []);
    }

    #[test]
    fn odd_documents_are_errors() {
        let refused = |body: &[u8]| parse("a", body).unwrap_err().to_string();
        let reasons = [
            refused(b"<html>maintenance</html>"),
            refused(b"\xff---\n"),
            refused(b"---\nlatest |checksum:x\n"),
            refused(b"---\n1.0-../.. |\n"),
            refused(b"---\n1.0 a b:1|\n"),
            refused(b"---\n1.0 a:$(x)|\n"),
        ];
        insta::assert_snapshot!(reasons.join("\n"));
        assert_eq!(
            request("https://gems.invalid/", "../a?b").url,
            "https://gems.invalid/info/..ab"
        );
    }
}
