//! The simple index in its JSON form
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>), and the core
//! metadata of a release (<https://packaging.python.org/en/latest/specifications/core-metadata/>).
//!
//! The form in HTML is deliberately absent: it has neither sizes nor times of upload, so lockfiles
//! that list them could not be written from it.

use std::collections::BTreeMap;

use patchgate_model::DependencyKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::canonical::canonical;
use super::name::{is_name, normalize};
use super::requirement::Requirement as Specifier;
use crate::{
    MetadataRequest, ParseError, Release, ReleaseFacts, ReleaseFile, Requirement, SourceArchive,
    limits,
};

/// The JSON form, version 1.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json";

/// Maximum number of dependencies that are read of one release.
const MAX_REQUIREMENTS: usize = 10_000;

/// Ends of the names of source archives.
const ARCHIVES: [&str; 6] = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar.Z"];

/// The request for a project's page. The name is in its normal form.
pub(super) fn request(index: &str, name: &str) -> MetadataRequest {
    // A name has no other characters, unless a lockfile is hostile.
    let name: String = name
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .collect();
    MetadataRequest {
        url: format!("{}/{name}/", index.trim_end_matches('/')),
        accept: Some(ACCEPT),
    }
}

#[derive(Deserialize)]
struct Page {
    meta: Meta,
    name: String,
    files: Vec<Value>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

/// One file of a page. Keys that are read one by one may have a value of another type in an odd
/// entry.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Value,
    size: Option<u64>,
    upload_time: Option<String>,
    #[serde(default)]
    provenance: Value,
    #[serde(default)]
    core_metadata: Value,
    #[serde(default)]
    dist_info_metadata: Value,
    #[serde(default)]
    data_dist_info_metadata: Value,
}

impl File {
    /// Whether a reason is stated, which may be empty.
    fn is_yanked(&self) -> bool {
        matches!(self.yanked, Value::Bool(true) | Value::String(_))
    }

    /// Whether the index has the metadata of the file in a document of its own. The key had other
    /// names before PEP 714.
    fn has_metadata(&self) -> bool {
        [
            &self.core_metadata,
            &self.dist_info_metadata,
            &self.data_dist_info_metadata,
        ]
        .into_iter()
        .any(|value| matches!(value, Value::Bool(true) | Value::Object(_)))
    }

    fn is_wheel(&self) -> bool {
        self.filename.ends_with(".whl")
    }

    /// Position among the files whose metadata could be read: wheels that state it, those for every
    /// platform first.
    fn rank(&self) -> (bool, bool, bool) {
        let is_universal = self.filename.ends_with("-none-any.whl");
        (!self.is_wheel(), !self.has_metadata(), !is_universal)
    }

    fn metadata_request(&self) -> MetadataRequest {
        let address = self.url.split('#').next().unwrap_or(&self.url);
        MetadataRequest {
            url: format!("{address}.metadata"),
            accept: None,
        }
    }
}

/// Reads a project's page. Addresses in it may be relative to its own.
///
/// Every release has a request for its details, because a page has no dependencies. For a release
/// without a wheel the request fails on most indexes, or the answer does not settle the
/// dependencies: only running its build would, and that is never done. Its dependencies stay
/// unknown.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    check_size(body)?;
    let page: Page = serde_json::from_slice(body)
        .map_err(|error| ParseError::new(format!("is not a page of a simple index: {error}")))?;
    if page.meta.api_version.split('.').next() != Some("1") {
        return Err(ParseError::new(
            "is a page of a simple index of a version other than 1",
        ));
    }
    if normalize(&page.name) != normalize(name) {
        return Err(ParseError::new(format!(
            "describes a project other than `{name}`"
        )));
    }

    let mut order: Vec<String> = Vec::new();
    let mut by_version: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in page.files {
        let file: File = serde_json::from_value(file).map_err(|error| {
            ParseError::new(format!("has an entry that is not a file: {error}"))
        })?;
        // Other files, such as eggs and installers of Windows, are not installed by any tool.
        let Some(version) = file_version(&file.filename, name) else {
            continue;
        };
        if !by_version.contains_key(&version) {
            order.push(version.clone());
        }
        by_version.entry(version).or_default().push(file);
    }

    Ok(order
        .into_iter()
        .filter_map(|version| {
            let files = by_version.remove(&version)?;
            release(version, files)
        })
        .collect())
}

/// The version in the name of a wheel or a source archive, in its normal spelling; `None` for other
/// files and for those of another project.
fn file_version(file: &str, name: &str) -> Option<String> {
    let same = |stem: &str| is_name(stem) && normalize(stem) == normalize(name);
    if let Some(wheel) = file.strip_suffix(".whl") {
        let parts: Vec<&str> = wheel.split('-').collect();
        let [project, version, ..] = parts.as_slice() else {
            return None;
        };
        let is_complete = (5..=6).contains(&parts.len());
        return (is_complete && same(project))
            .then(|| canonical(&version.replace('_', "-")))
            .flatten();
    }

    // Names and versions of old source archives may contain hyphens.
    let stem = ARCHIVES.iter().find_map(|end| file.strip_suffix(end))?;
    stem.match_indices('-').find_map(|(at, _)| {
        let (project, version) = (stem.get(..at)?, stem.get(at + 1..)?);
        same(project).then(|| canonical(version)).flatten()
    })
}

fn release(version: String, files: Vec<File>) -> Option<Release> {
    let best = files.iter().min_by_key(|file| file.rank())?;
    let runtime = best
        .requires_python
        .as_ref()
        .or_else(|| files.iter().find_map(|file| file.requires_python.as_ref()))
        .filter(|runtime| !runtime.is_empty());

    let facts = ReleaseFacts {
        // A source archive is built, by code of its own, before it is installed.
        install_scripts: Some(!files.iter().any(File::is_wheel)),
        // An address of the attestations (<https://peps.python.org/pep-0740/>).
        provenance: Some(files.iter().all(|file| file.provenance.is_string())),
        size: best.size,
        ..ReleaseFacts::default()
    };

    Some(Release {
        version,
        facts,
        // An installer leaves out yanked files one by one; those that are left can be installed.
        yanked: files.iter().all(File::is_yanked),
        published: files
            .iter()
            .filter_map(|file| file.upload_time.clone())
            .min(),
        runtime: runtime.cloned(),
        details: Some(best.metadata_request()),
        files: files.into_iter().map(release_file).collect(),
        ..Release::default()
    })
}

/// The file of a release with its modules as they are installed: a wheel, one for every platform
/// first, else a source archive with a compression that is read.
pub(super) fn archive(release: &Release) -> Option<SourceArchive> {
    let is_read = |name: &str| {
        [".tar.gz", ".tgz", ".zip"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let rank = |name: &str| match name {
        name if name.ends_with("-none-any.whl") => Some(0),
        name if name.ends_with(".whl") => Some(1),
        name => is_read(name).then_some(2),
    };
    let files = release.files.iter();
    let (_, file) = files
        .filter_map(|file| Some((rank(&file.name)?, file)))
        .min_by_key(|(rank, file)| (*rank, file.name.as_str()))?;
    let (_, hash) = file.hashes.iter().find(|(of, _)| of == "sha256")?;

    Some(SourceArchive {
        url: file.url.clone(),
        algorithm: "sha256",
        hash: hash.to_ascii_lowercase(),
    })
}

fn release_file(file: File) -> ReleaseFile {
    ReleaseFile {
        url: file.url.split('#').next().unwrap_or_default().to_owned(),
        name: file.filename,
        hashes: file.hashes.into_iter().collect(),
        size: file.size,
        published: file.upload_time,
    }
}

/// Completes a release from the metadata of one of its files.
///
/// The metadata of a source archive only counts if it says that its build does not change the
/// dependencies (<https://peps.python.org/pep-0643/>).
pub(super) fn complete(name: &str, release: &mut Release, body: &[u8]) -> Result<(), ParseError> {
    check_size(body)?;
    let text = std::str::from_utf8(body).map_err(|_| ParseError::new("is not UTF-8"))?;
    let metadata = Metadata::parse(text)?;
    if normalize(metadata.name) != normalize(name) {
        return Err(ParseError::new(format!(
            "describes a project other than `{name}`"
        )));
    }
    if canonical(metadata.version).as_deref() != Some(&*release.version) {
        return Err(ParseError::new(format!(
            "describes a release other than {}",
            release.version
        )));
    }

    let is_source = release
        .details
        .as_ref()
        .is_some_and(|details| !details.url.ends_with(".whl.metadata"));
    if is_source && !metadata.is_settled() {
        return Err(ParseError::new(
            "leaves the dependencies to the build of the source archive",
        ));
    }

    let requirements = metadata
        .requirements
        .iter()
        .map(|(line, text)| requirement(*line, text))
        .collect::<Result<_, _>>()?;
    release.requirements = requirements;
    if let Some(runtime) = metadata.runtime {
        release.runtime = Some(runtime.to_owned());
    }
    // What Poetry repeats in its lockfile.
    release.document = Some(json!({"summary": metadata.summary, "extras": metadata.extras}));
    release.details = None;

    Ok(())
}

/// The fields of a metadata file that are read.
#[derive(Default)]
struct Metadata<'a> {
    format: &'a str,
    name: &'a str,
    version: &'a str,
    runtime: Option<&'a str>,
    summary: &'a str,
    extras: Vec<&'a str>,
    /// Requirements with their lines; those that continue on further lines are joined.
    requirements: Vec<(usize, String)>,
    /// Fields that a build may change, in lower case.
    dynamic: Vec<String>,
}

impl<'a> Metadata<'a> {
    /// Reads the header fields. They end at the first empty line.
    fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut metadata = Self::default();
        let mut field = String::new();
        for (line, content) in (1..).zip(text.lines()) {
            if content.trim().is_empty() {
                break;
            }
            if content.starts_with([' ', '\t']) {
                if let ("requires-dist", Some((_, last))) =
                    (field.as_str(), metadata.requirements.last_mut())
                {
                    last.push(' ');
                    last.push_str(content.trim());
                }
                continue;
            }

            let (key, value) = content.split_once(':').ok_or_else(|| {
                ParseError::new("is not the metadata of a Python package").at_line(line)
            })?;
            let value = value.trim();
            field = key.trim().to_ascii_lowercase();
            match field.as_str() {
                "metadata-version" => metadata.format = value,
                "name" => metadata.name = value,
                "version" => metadata.version = value,
                "requires-python" => metadata.runtime = Some(value),
                "summary" => metadata.summary = value,
                "provides-extra" => metadata.extras.push(value),
                "requires-dist" => metadata.requirements.push((line, value.to_owned())),
                "dynamic" => metadata.dynamic.push(value.to_ascii_lowercase()),
                _ => {}
            }
            let count = metadata.requirements.len().max(metadata.extras.len());
            if count > MAX_REQUIREMENTS {
                return Err(ParseError::new(format!(
                    "has more than {MAX_REQUIREMENTS} dependencies"
                )));
            }
        }

        match metadata.format.split('.').next() {
            Some("1" | "2") if !metadata.name.is_empty() => Ok(metadata),
            _ => Err(ParseError::new(
                "is not metadata of a Python package in version 1 or 2",
            )),
        }
    }

    /// Whether a build cannot change the dependencies: from version 2.2 on, unless they are
    /// dynamic.
    fn is_settled(&self) -> bool {
        let minor = self.format.strip_prefix("2.").map(str::parse::<u32>);
        minor.is_some_and(|minor| minor.is_ok_and(|minor| minor >= 2))
            && !self.dynamic.iter().any(|field| field == "requires-dist")
    }
}

fn requirement(line: usize, text: &str) -> Result<Requirement, ParseError> {
    let unreadable =
        || ParseError::new("has a dependency that cannot be read".to_owned()).at_line(line);
    let parsed = Specifier::parse(text).ok_or_else(unreadable)?;
    let is_extra = parsed
        .marker
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');

    Ok(Requirement {
        name: parsed.name.to_owned(),
        requirement: match parsed.url {
            Some(url) => format!("@ {url}"),
            None => parsed.specifier.to_owned(),
        },
        kind: match is_extra.into_iter().any(|word| word == "extra") {
            true => DependencyKind::Optional,
            false => DependencyKind::Runtime,
        },
        condition: parsed.marker.to_owned(),
        features: parsed
            .extras
            .split(',')
            .map(str::trim)
            .filter(|extra| !extra.is_empty())
            .map(str::to_owned)
            .collect(),
        ..Requirement::default()
    })
}

fn check_size(body: &[u8]) -> Result<(), ParseError> {
    match body.len() > limits::MAX_METADATA_BYTES {
        true => Err(ParseError::new(format!(
            "is larger than {} MiB",
            limits::MAX_METADATA_BYTES / (1024 * 1024)
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
