//! The sparse index of a Cargo registry
//! (<https://doc.rust-lang.org/cargo/reference/registry-index.html>).

use std::collections::BTreeMap;

use patchgate_model::DependencyKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::version::Version;
use crate::{
    MetadataRequest, ParseError, Release, ReleaseFile, Requirement, SourceArchive, limits,
};

/// The newest supported version of the index format. Newer entries are skipped, as in Cargo.
const NEWEST_ENTRY_VERSION: u32 = 2;

/// The characters that are encoded in a path: all that the name of a published crate cannot
/// contain, so that no name leads to another file.
const CRATE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The request for one package's file in the index.
pub(super) fn metadata_request(registry: &str, name: &str) -> MetadataRequest {
    let base = registry.strip_prefix("sparse+").unwrap_or(registry);
    MetadataRequest {
        url: format!("{}/{}", base.trim_end_matches('/'), index_path(name)),
        accept: Some("text/plain"),
    }
}

/// The request for the settings of the index
/// (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-configuration>).
pub(super) fn settings_request(registry: &str) -> MetadataRequest {
    let base = registry.strip_prefix("sparse+").unwrap_or(registry);
    MetadataRequest {
        url: format!("{}/config.json", base.trim_end_matches('/')),
        accept: None,
    }
}

/// The settings of an index, as far as they say where archives are.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    dl: String,
    #[serde(default)]
    auth_required: bool,
}

/// The archive of a release, at the address that the settings of the index state. A registry that
/// wants a token is not asked.
pub(super) fn archive(name: &str, release: &Release, settings: &[u8]) -> Option<SourceArchive> {
    let settings: Settings = serde_json::from_slice(settings).ok()?;
    let (_, hash) = release.files.first()?.hashes.first()?;
    if settings.auth_required {
        return None;
    }

    let encoded = |text: &str| utf8_percent_encode(text, CRATE_NAME).to_string();
    let directory = |name: &str| {
        let path = index_path(name);
        let end = path.rfind('/').unwrap_or(0);
        path.get(..end).unwrap_or_default().to_owned()
    };
    let version = release.version.as_str();
    let has_markers = settings.dl.contains('{');
    let url = match has_markers {
        true => settings
            .dl
            .replace("{crate}", &encoded(name))
            .replace("{version}", version)
            .replace("{lowerprefix}", &directory(name))
            // The name of most crates is in lower case; the prefix of another one is left out.
            .replace("{prefix}", &directory(name))
            .replace("{sha256-checksum}", hash),
        false => {
            let base = settings.dl.trim_end_matches('/');
            format!("{base}/{}/{version}/download", encoded(name))
        }
    };
    let is_plain = version
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));

    (is_plain && !url.contains('{')).then(|| SourceArchive {
        url,
        algorithm: "sha256",
        hash: hash.to_ascii_lowercase(),
    })
}

/// The path of a package's index file: `1/a`, `2/ab`, `3/a/abc`, and for longer names two
/// directories of two characters each (`se/rd/serde`).
fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    let part = |from: usize, to: usize| -> String {
        let part: String = name.chars().skip(from).take(to - from).collect();
        utf8_percent_encode(&part, CRATE_NAME).to_string()
    };
    let whole = utf8_percent_encode(&name, CRATE_NAME);

    match name.chars().count() {
        0 | 1 => format!("1/{whole}"),
        2 => format!("2/{whole}"),
        3 => format!("3/{}/{whole}", part(0, 1)),
        _ => format!("{}/{}/{whole}", part(0, 2), part(2, 4)),
    }
}

/// One line of an index file.
#[derive(Deserialize)]
struct Entry {
    name: String,
    vers: String,
    deps: Vec<Dependency>,
    cksum: String,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    /// Features in a notation that older versions of Cargo do not know (`dep:a`, `a?/b`).
    features2: Option<BTreeMap<String, Vec<String>>>,
    yanked: Option<bool>,
    links: Option<String>,
    rust_version: Option<String>,
    /// Time of publication, in registries that state it.
    pubtime: Option<String>,
}

/// The format version of an entry. It is read first because the other keys of a newer entry may
/// have any form.
#[derive(Deserialize)]
struct EntryVersion {
    v: Option<u32>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    optional: bool,
    default_features: Option<bool>,
    target: Option<String>,
    registry: Option<String>,
    kind: Option<Kind>,
    package: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Normal,
    Build,
    Dev,
}

/// Reads an index file: one JSON object per line, one line per version.
pub(super) fn parse_metadata(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(format!(
            "is larger than {} MiB",
            limits::MAX_METADATA_BYTES / (1024 * 1024)
        )));
    }

    let text = std::str::from_utf8(body).map_err(|_| ParseError::new("is not UTF-8"))?;
    let mut releases = Vec::new();
    let mut newer = false;

    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }

        let malformed = |error: serde_json::Error| {
            ParseError::new(format!("is not an index file: {error}")).at_line(index + 1)
        };
        let version: EntryVersion = serde_json::from_str(line).map_err(malformed)?;
        if version.v.unwrap_or(1) > NEWEST_ENTRY_VERSION {
            newer = true;
            continue;
        }

        let entry: Entry = serde_json::from_str(line).map_err(malformed)?;
        releases.push(release(name, entry).map_err(|error| error.at_line(index + 1))?);
    }

    match (releases.is_empty(), newer) {
        (false, _) => Ok(releases),
        (true, true) => Err(ParseError::new(format!(
            "contains only entries newer than version {NEWEST_ENTRY_VERSION} of the index format"
        ))),
        (true, false) => Err(ParseError::new("is empty")),
    }
}

/// Checks an entry and converts it to a release.
fn release(name: &str, entry: Entry) -> Result<Release, ParseError> {
    if super::normalize_name(&entry.name) != super::normalize_name(name) {
        return Err(ParseError::new(format!(
            "describes a crate other than `{name}`"
        )));
    }
    if Version::parse(&entry.vers).is_none() {
        return Err(ParseError::new("has an entry with an invalid `vers`"));
    }
    if entry.cksum.len() != 64 || !entry.cksum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ParseError::new(
            "has an entry with a `cksum` that is not a SHA-256 checksum",
        ));
    }

    let mut features = entry.features;
    for (feature, values) in entry.features2.unwrap_or_default() {
        features.entry(feature).or_default().extend(values);
    }

    Ok(Release {
        files: vec![ReleaseFile {
            name: format!("{}-{}.crate", entry.name, entry.vers),
            hashes: vec![("sha256".to_owned(), entry.cksum)],
            ..ReleaseFile::default()
        }],
        version: entry.vers,
        yanked: entry.yanked.unwrap_or(false),
        published: entry.pubtime,
        runtime: entry.rust_version,
        features,
        links: entry.links,
        requirements: entry.deps.into_iter().map(requirement).collect(),
        ..Release::default()
    })
}

fn requirement(dependency: Dependency) -> Requirement {
    let kind = match dependency.kind {
        None | Some(Kind::Normal) if dependency.optional => DependencyKind::Optional,
        None | Some(Kind::Normal) => DependencyKind::Runtime,
        Some(Kind::Build) => DependencyKind::Build,
        Some(Kind::Dev) => DependencyKind::Development,
    };

    Requirement {
        // For a renamed dependency the index has the new name in `name` and the original in
        // `package`.
        package: dependency
            .package
            .filter(|package| *package != dependency.name),
        name: dependency.name,
        requirement: dependency.req,
        kind,
        condition: dependency.target.unwrap_or_default(),
        applies: false,
        only_bounds: false,
        optional: dependency.optional,
        features: dependency.features,
        no_default_features: dependency.default_features == Some(false),
        registry: dependency.registry,
    }
}

#[cfg(test)]
mod tests;
