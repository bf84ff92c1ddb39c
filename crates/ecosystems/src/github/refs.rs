//! The tags of a git repository, as releases: the list of references in git's HTTP protocol
//! (<https://git-scm.com/docs/http-protocol#_smart_clients>).
//!
//! A tag of one version is a release. A moving tag or branch (`v4`) is not: a release lists those that
//! point to it or to a later one of their range. There are no requirements and no times.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use patchgate_model::CommitId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::version::{self, Tag};
use crate::{MetadataRequest, ParseError, Release, limits};

/// Most references of one repository that are read. Busy repositories have some ten thousand pull
/// requests with two references each.
const MAX_REFERENCES: usize = 1_000_000;

/// Field of [`Release::document`] with the commit of the tag.
const COMMIT: &str = "commit";

/// Field of [`Release::document`] with the moving references that lead to the release or a later one.
const MOVING: &str = "moving";

/// The characters that are encoded in the name of a repository: all that it cannot contain.
pub(super) const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'/');

/// The request for the references of a repository. Without a header that asks for another version of
/// the protocol, the answer lists them all.
pub(crate) fn metadata_request(repository: &str) -> MetadataRequest {
    let repository = repository.trim_end_matches('/');
    MetadataRequest {
        url: format!("{repository}/info/refs?service=git-upload-pack"),
        accept: None,
    }
}

/// The commit of a release's tag.
pub(super) fn commit(release: &Release) -> Option<&str> {
    release.document.as_ref()?.get(COMMIT)?.as_str()
}

/// The moving references that lead to a release or a later one.
pub(super) fn moving(release: &Release) -> impl Iterator<Item = &str> {
    release
        .document
        .as_ref()
        .and_then(|document| document.get(MOVING)?.as_array())
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
}

/// Reads the releases from a list of references.
pub(crate) fn parse_metadata(body: &[u8]) -> Result<Vec<Release>, ParseError> {
    let references = references(body)?;
    let mut releases: Vec<(Tag<'_>, &str, &str)> = references
        .tags
        .iter()
        .filter_map(|(name, commit)| {
            let tag = version::parse(name).ok()?;
            (!tag.is_moving()).then_some((tag, *name, *commit))
        })
        .collect();
    releases.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    // Some repositories tag each release with and without `v`.
    releases.dedup_by(|later, first| {
        let is_same = later.0.cmp(&first.0) == Ordering::Equal && later.2 == first.2;
        if is_same && later.1.starts_with('v') {
            first.1 = later.1;
        }
        is_same
    });

    let moving = moving_references(&references, &releases);
    Ok(releases
        .iter()
        .enumerate()
        .map(|(index, (tag, name, commit))| {
            let leads = |(range, newest): &&(&str, usize)| {
                *newest >= index && version::parse(range).is_ok_and(|range| contains(&range, tag))
            };
            let moving: Vec<&str> = moving.iter().filter(leads).map(|(name, _)| *name).collect();
            Release {
                version: (*name).to_owned(),
                document: Some(serde_json::json!({ COMMIT: commit, MOVING: moving })),
                ..Release::default()
            }
        })
        .collect())
}

/// The moving references, each with the index of the newest release at its commit. One that points to
/// another commit is left out, because nothing says which release that is.
fn moving_references<'a>(
    references: &References<'a>,
    releases: &[(Tag<'_>, &str, &str)],
) -> Vec<(&'a str, usize)> {
    let mut newest: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (tag, _, commit)) in releases.iter().enumerate() {
        if tag.release().is_none() {
            newest.insert(commit, index);
        }
    }

    // git prefers a tag over a branch of the same name.
    let mut all = references.branches.clone();
    all.extend(&references.tags);
    all.into_iter()
        .filter(|(name, _)| version::parse(name).is_ok_and(|tag| tag.is_moving()))
        .filter_map(|(name, commit)| Some((name, *newest.get(commit)?)))
        .collect()
}

/// Whether a release is in the range of a moving tag: it begins with the same numbers.
fn contains(range: &Tag<'_>, release: &Tag<'_>) -> bool {
    let mut digits = release.digits();
    range.digits().all(|number| digits.next() == Some(number))
}

/// The commits of the references, by the names of tags and branches.
#[derive(Default)]
struct References<'a> {
    tags: BTreeMap<&'a str, &'a str>,
    branches: BTreeMap<&'a str, &'a str>,
}

/// Reads the packets of an answer.
fn references(body: &[u8]) -> Result<References<'_>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(format!(
            "is larger than {} MiB",
            limits::MAX_METADATA_BYTES / (1024 * 1024)
        )));
    }

    let mut packets = Packets(body);
    match packets.next() {
        Some(Ok(Some(line))) if line.trim_ascii_end() == b"# service=git-upload-pack" => {}
        _ => return Err(ParseError::new("is not a list of git references")),
    }
    if !matches!(packets.next(), Some(Ok(None))) {
        return Err(ParseError::new("is not a list of git references"));
    }

    let mut references = References::default();
    let mut ended = false;
    for (count, packet) in packets.enumerate() {
        let Some(line) = packet? else {
            ended = true;
            break;
        };
        if count >= MAX_REFERENCES {
            return Err(ParseError::new(format!(
                "lists more than {MAX_REFERENCES} references"
            )));
        }
        references.add(line)?;
    }
    match ended {
        true => Ok(references),
        false => Err(ParseError::new("is truncated")),
    }
}

impl<'a> References<'a> {
    fn add(&mut self, line: &'a [u8]) -> Result<(), ParseError> {
        // The first line has the capabilities of the server after a zero byte.
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        // Names of other encodings are not versions.
        let Ok(line) = std::str::from_utf8(line) else {
            return Ok(());
        };
        let line = line.trim_end_matches('\n');
        if line == "version 1" {
            return Ok(());
        }

        let parsed = line
            .split_once(' ')
            .filter(|(commit, _)| CommitId::parse(commit).is_some());
        let Some((commit, name)) = parsed else {
            return Err(ParseError::new("has a line that is not a reference"));
        };
        if let Some(name) = name.strip_prefix("refs/tags/") {
            // An annotated tag is an object of its own; `^{}` follows with its commit.
            let name = name.strip_suffix("^{}").unwrap_or(name);
            self.tags.insert(name, commit);
        } else if let Some(name) = name.strip_prefix("refs/heads/") {
            self.branches.insert(name, commit);
        }
        Ok(())
    }
}

/// The packets of git's protocol (<https://git-scm.com/docs/protocol-common#_pkt_line_format>): four
/// hexadecimal digits with the length, themselves included. `None` is the packet of length zero.
struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Option<&'a [u8]>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }

        let length = self.0.get(..4).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            usize::from_str_radix(digits, 16).ok().filter(|_| is_hex)
        });
        let (packet, rest) = match length {
            Some(0) => (Some(None), self.0.get(4..)),
            Some(length) => (self.0.get(4..length).map(Some), self.0.get(length..)),
            None => (None, None),
        };
        let (Some(packet), Some(rest)) = (packet, rest) else {
            self.0 = &[];
            return Some(Err(ParseError::new("is not a list of git references")));
        };
        self.0 = rest;
        Some(Ok(packet))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An answer with these commits and references.
    pub(crate) fn advertisement(references: &[(&str, &str)]) -> Vec<u8> {
        let packet = |line: &str| format!("{:04x}{line}", line.len() + 4);
        let mut body = packet("# service=git-upload-pack\n") + "0000";
        for (index, (commit, name)) in references.iter().enumerate() {
            let capabilities = if index == 0 {
                "\0multi_ack symref=HEAD:refs/heads/main"
            } else {
                ""
            };
            body += &packet(&format!("{commit} {name}{capabilities}\n"));
        }
        (body + "0000").into_bytes()
    }

    pub(crate) fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    #[test]
    fn tags_are_releases_with_their_commits_and_moving_references() {
        let [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(id);
        let body = advertisement(&[
            (&a, "HEAD"),
            (&a, "refs/heads/main"),
            (&b, "refs/heads/v3"),
            (&c, "refs/pull/1/head"),
            (&b, "refs/tags/3.0.0"),
            (&b, "refs/tags/v3.0.0"),
            (&c, "refs/tags/v4"),
            (&d, "refs/tags/v4.1.0"),
            (&c, "refs/tags/v4.1.1"),
            (&e, "refs/tags/v4.2.0"),
            (&a, "refs/tags/v4.2.0^{}"),
            (&e, "refs/tags/v5"),
            (&a, "refs/tags/v5.0.0-beta.1"),
            (&a, "refs/tags/bundle-v1.0.0"),
        ]);
        let releases: Vec<String> = parse_metadata(&body)
            .unwrap()
            .iter()
            .map(|release| {
                let moving: Vec<&str> = moving(release).collect();
                let commit = commit(release).unwrap();
                format!("{} {} {moving:?}", release.version, &commit[..1])
            })
            .collect();
        assert_eq!(
            releases,
            [
                r#"v3.0.0 b ["v3"]"#,
                r#"v4.1.0 d ["v4"]"#,
                r#"v4.1.1 c ["v4"]"#,
                "v4.2.0 a []",
                "v5.0.0-beta.1 a []",
            ]
        );
    }

    #[test]
    fn a_repository_without_references_has_no_releases() {
        let body = advertisement(&[(&"0".repeat(40), "capabilities^{}")]);
        assert!(parse_metadata(&body).unwrap().is_empty());
    }

    #[test]
    fn an_answer_of_another_form_is_refused() {
        let good = advertisement(&[(&id('a'), "refs/tags/v1.0.0")]);
        for body in [
            b"".as_slice(),
            b"<html>not found</html>",
            b"001e# service=git-upload-pack\n",
            b"001e# service=git-upload-pack\n0000",
            b"001e# service=git-upload-pack\n00000003",
            b"001e# service=git-upload-pack\n0000ffff",
            b"001e# service=git-upload-pack\n0000+00a",
            b"001e# service=git-upload-pack\n0000000bnot a0000",
            b"001f# service=git-receive-pack\n00000000",
            &good[..good.len() - 6],
            &good[..good.len() - 4],
        ] {
            assert!(
                parse_metadata(body).is_err(),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        assert_eq!(
            metadata_request("https://git.invalid/a/b/").url,
            "https://git.invalid/a/b/info/refs?service=git-upload-pack"
        );
    }
}
