//! The protocol of module proxies (<https://go.dev/ref/mod#goproxy-protocol>): the list of versions,
//! `.info`, `.mod` and `.zip`.
//!
//! The list of a module has no requirements; each release has them in its own `go.mod`
//! ([`Release::details`]). A module without tags has an empty list, and its only release is the one
//! of `@latest`. Versions are yanked (retracted) by the `go.mod` of the newest release.

use patchgate_model::DependencyKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::directives::Directives;
use super::syntax::{Directive, directives};
use super::version;
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// Largest `go.mod` of a release, in bytes, as in Go's own proxy client.
pub(super) const MAX_GO_MOD_BYTES: usize = 16 * 1024 * 1024;

/// Most versions of one module. The largest published lists have some thousand.
const MAX_VERSIONS: usize = 100_000;

/// First version of Go in which the `go` line of a dependency is a requirement
/// (<https://go.dev/doc/toolchain#config>). Before, it was advice.
const GO_LINE_BINDS_FROM: &str = "1.21";

/// First version of Go whose modules list the requirements of everything that they need
/// (<https://go.dev/ref/mod#graph-pruning>).
pub(super) const PRUNED_FROM: &str = "1.17";

/// The characters that are encoded in a path: all that a module path and a version cannot contain,
/// and `!`, which escapes capital letters.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'/');

/// A module path or version in an address: a capital letter is `!` and the small letter
/// (<https://go.dev/ref/mod#goproxy-protocol>).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
            escaped.push(c.to_ascii_lowercase());
        } else {
            let mut buffer = [0; 4];
            escaped.extend(utf8_percent_encode(c.encode_utf8(&mut buffer), PATH));
        }
    }
    escaped
}

/// The request for the list of a module's versions.
pub(super) fn metadata_request(registry: &str, name: &str) -> MetadataRequest {
    MetadataRequest {
        url: format!(
            "{}/{}/@v/list",
            registry.trim_end_matches('/'),
            escape(name)
        ),
        accept: None,
    }
}

/// Reads a list of versions, or the answer of `@latest`. Lines that are not versions are left out,
/// as in Go: proxies list any tag.
pub(super) fn parse_metadata(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    let text = text(body, limits::MAX_METADATA_BYTES)?;
    if text.trim_start().starts_with('{') {
        let info = info(text)?;
        let mut release = release(&info.version);
        release.published = info.time;
        return Ok(vec![release]);
    }

    let mut releases = Vec::new();
    for line in text.lines() {
        let version = line.split_whitespace().next().unwrap_or_default();
        if !version::is_canonical(version) || is_pseudo(version) || !fits_path(name, version) {
            continue;
        }
        if releases.len() >= MAX_VERSIONS {
            return Err(ParseError::new(format!(
                "lists more than {MAX_VERSIONS} versions"
            )));
        }
        releases.push(release(version));
    }
    if releases.is_empty() && text.contains('<') {
        return Err(ParseError::new("is not a list of versions"));
    }

    releases.sort_by(|a, b| version::compare(&a.version, &b.version));
    releases.dedup_by(|a, b| a.version == b.version);
    Ok(releases)
}

/// The requests besides the list: `@latest`, for a module without tags.
pub(super) fn metadata_pages(body: &[u8]) -> Vec<MetadataRequest> {
    let is_empty = body.trim_ascii().is_empty();
    is_empty
        .then(|| MetadataRequest {
            url: "../@latest".to_owned(),
            accept: None,
        })
        .into_iter()
        .collect()
}

/// A release of the list. Its addresses are relative to that of the list.
pub(super) fn release(version: &str) -> Release {
    let address = |extension: &str| format!("{}.{extension}", escape(version));
    let file = |extension: &str| ReleaseFile {
        name: format!("{version}.{extension}"),
        url: address(extension),
        ..ReleaseFile::default()
    };
    Release {
        version: version.to_owned(),
        files: vec![file("zip"), file("mod"), file("info")],
        details: Some(MetadataRequest {
            url: address("mod"),
            accept: None,
        }),
        ..Release::default()
    }
}

/// The address of one of a release's files, by its extension.
pub(super) fn file<'a>(release: &'a Release, extension: &str) -> Option<&'a str> {
    let name = format!("{}.{extension}", release.version);
    let file = release.files.iter().find(|file| file.name == name)?;
    Some(&file.url)
}

/// Completes a release from its `go.mod`.
///
/// A requirement is a lower bound for a module that is in the build. It brings no module in: that needs
/// an import, which the archive has and the writer looks for.
pub(super) fn parse_details(release: &mut Release, body: &[u8]) -> Result<(), ParseError> {
    let file = go_mod(body)?;
    release.requirements = file
        .requires
        .iter()
        .map(|require| Requirement {
            name: require.path.clone(),
            requirement: require.version.clone(),
            kind: DependencyKind::Runtime,
            only_bounds: true,
            ..Requirement::default()
        })
        .collect();
    release.runtime = binding_go_line(&file).map(str::to_owned);
    release.document = Some(serde_json::json!({ "pruned": is_pruned(&file) }));
    release.details = None;

    Ok(())
}

/// The `go` line of a dependency, if it is a requirement.
pub(super) fn binding_go_line(file: &Directives) -> Option<&str> {
    let go = &file.go.as_ref()?.text;
    version::compare(go, GO_LINE_BINDS_FROM)
        .is_ge()
        .then_some(go)
}

/// Whether the requirements of a module's own requirements do not count in a build.
pub(super) fn is_pruned(file: &Directives) -> bool {
    let go = file.go.as_ref();
    go.is_some_and(|go| version::compare(&go.text, PRUNED_FROM).is_ge())
}

/// Reads the `go.mod` of a dependency.
///
/// # Errors
/// If a part of it cannot be read that decides the versions of a build.
pub(super) fn go_mod(body: &[u8]) -> Result<Directives, ParseError> {
    // A release is complete, so a last line without a line break is not a truncated one.
    let text = format!("{}\n", text(body, MAX_GO_MOD_BYTES)?);
    let mut file = Directives::parse_dependency(&text)?;
    let skipped = std::mem::take(&mut file.skipped).into_entries();
    if let Some(first) = skipped.first() {
        return Err(ParseError::new(first.reason.clone()).at_line(first.line as usize));
    }

    match file.module.is_empty() {
        true => Err(ParseError::new("does not name its module")),
        false => Ok(file),
    }
}

/// The request for the `go.mod` of the newest release, which retracts versions. Go takes the highest
/// release, and a pre-release only when there is no other
/// (<https://go.dev/ref/mod#go-mod-file-retract>).
pub(super) fn yanks_request(releases: &[Release]) -> Option<MetadataRequest> {
    let newest = releases.iter().max_by(|a, b| {
        let is_release = |release: &Release| version::release_of(&release.version).is_none();
        let (a_is_release, b_is_release) = (is_release(a), is_release(b));
        a_is_release
            .cmp(&b_is_release)
            .then_with(|| version::compare(&a.version, &b.version))
    })?;
    Some(MetadataRequest {
        url: file(newest, "mod")?.to_owned(),
        accept: None,
    })
}

/// Marks the retracted releases.
pub(super) fn parse_yanks(releases: &mut [Release], body: &[u8]) -> Result<(), ParseError> {
    let text = format!("{}\n", text(body, MAX_GO_MOD_BYTES)?);
    let mut retracted = Vec::new();
    for directive in directives(&text)? {
        if directive.verb == "retract" {
            retracted.push(interval(&directive)?);
        }
    }

    for release in releases {
        let at = |bound: &str| version::compare(&release.version, bound);
        release.yanked |= retracted
            .iter()
            .any(|(low, high)| at(low).is_ge() && at(high).is_le());
    }
    Ok(())
}

/// The lowest and the highest version of a `retract` line.
fn interval(directive: &Directive<'_>) -> Result<(String, String), ParseError> {
    let words: Vec<&str> = directive.words.iter().map(AsRef::as_ref).collect();
    let (low, high) = match words.as_slice() {
        [only] => (*only, *only),
        ["[", low, ",", high, "]"] => (*low, *high),
        _ => return Err(directive.error("has a `retract` that is not a version or an interval")),
    };
    match version::is_canonical(low) && version::is_canonical(high) {
        true => Ok((low.to_owned(), high.to_owned())),
        false => Err(directive.error("has a `retract` of something that is not a version")),
    }
}

/// The request for a release's `.info`, which states its time.
pub(super) fn published_request(release: &Release) -> Option<MetadataRequest> {
    Some(MetadataRequest {
        url: file(release, "info")?.to_owned(),
        accept: None,
    })
}

/// Sets the time of a release from its `.info`.
pub(super) fn parse_published(release: &mut Release, body: &[u8]) -> Result<(), ParseError> {
    let info = info(text(body, limits::MAX_METADATA_BYTES)?)?;
    if info.version != release.version {
        return Err(ParseError::new(format!(
            "describes another version than `{}`",
            release.version
        )));
    }
    release.published = info.time;
    Ok(())
}

/// The answer of `.info` and `@latest`. Further fields are the origin of the module.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    version: String,
    time: Option<String>,
}

fn info(text: &str) -> Result<Info, ParseError> {
    let info: Info = serde_json::from_str(text)
        .map_err(|error| ParseError::new(format!("is not the `.info` of a version: {error}")))?;
    match version::is_canonical(&info.version) {
        true => Ok(info),
        false => Err(ParseError::new("names something that is not a version")),
    }
}

fn text(body: &[u8], most: usize) -> Result<&str, ParseError> {
    if body.len() > most {
        let most = most / (1024 * 1024);
        return Err(ParseError::new(format!("is larger than {most} MiB")));
    }
    std::str::from_utf8(body).map_err(|_| ParseError::new("is not UTF-8"))
}

/// Whether a version names a commit without a tag
/// (<https://go.dev/ref/mod#pseudo-versions>): it ends with a time and twelve digits of the commit.
pub(super) fn is_pseudo(version: &str) -> bool {
    let version = version.strip_suffix("+incompatible").unwrap_or(version);
    let mut parts = version.rsplitn(3, '-');
    let (Some(commit), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    let time = time.rsplit('.').next().unwrap_or_default();
    commit.len() == 12
        && commit.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && time.len() == 14
        && time.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a version can be one of a module path (<https://go.dev/ref/mod#major-version-suffixes>):
/// from version 2 the major version is part of the path, `/v2` or `.v2` for `gopkg.in`. A module
/// without `go.mod` has all of its versions under one path, `+incompatible`.
pub(super) fn fits_path(path: &str, version: &str) -> bool {
    let bare = version.strip_prefix('v').unwrap_or(version);
    let major = bare.split('.').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.starts_with("gopkg.in/") {
        let stated = last.rsplit_once(".v").map(|(_, major)| major);
        let stated = stated.map(|major| major.strip_suffix("-unstable").unwrap_or(major));
        // Version 0 of a commit without a tag is one of `.v1`.
        let fits = stated == Some(major) || (stated == Some("1") && major == "0");
        return (fits || is_pseudo(version)) && !version.ends_with("+incompatible");
    }

    let suffix = last.strip_prefix('v').filter(|major| {
        path.contains('/')
            && !major.is_empty()
            && !major.starts_with('0')
            && *major != "1"
            && major.bytes().all(|byte| byte.is_ascii_digit())
    });
    let incompatible = version.ends_with("+incompatible");
    match suffix {
        Some(suffix) => major == suffix && !incompatible,
        None => matches!(major, "0" | "1") != incompatible,
    }
}

#[cfg(test)]
mod tests;
