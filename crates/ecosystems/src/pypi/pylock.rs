//! `pylock.toml` and `pylock.<name>.toml` (PEP 751,
//! <https://packaging.python.org/en/latest/specifications/pylock-toml/>).
//!
//! Edges are optional in this format, and direct dependencies are not marked. Extras and groups are
//! in the markers of packages.

mod write;

use std::collections::BTreeSet;

use patchgate_model::{
    DependencyKind, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Scope, Unresolved,
};

pub(super) use self::write::PylockWriter;
use super::address::{archive_version, git, without_credentials};
use super::graph::{DependencyRequest, Graph};
use super::manifest::{self, Manifest};
use super::name::is_name;
use super::roots;
use crate::later_version::later_version;
use crate::syntax::{Node, toml};
use crate::{Input, ParseError, SkippedEntries};

/// Reads a `pylock.toml`, with the `pyproject.toml` in its directory.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = toml(input.text()?)?;
    let version = file.need_text("lock-version")?;
    let listed = file.optional_list("packages")?;
    let mut graph = Graph::new(input, FormatId::new("pylock-v1"));
    if version.split('.').next() != Some("1") {
        let line = file.get("lock-version").map_or(1, |version| version.line);
        later_version(version, line, !listed.is_empty(), &mut graph.skipped)?;
        graph.lockfile.format = FormatId::new("pylock");
    }

    // Required by the specification. TOML has it before the packages, so a file with packages is not
    // cut; without them it is another file.
    if let Err(error) = file.need_text("created-by") {
        if listed.is_empty() {
            return Err(error);
        }
        graph.skipped.detail(file.line, error.reason);
    }

    let mut entries = Vec::new();
    for (number, entry) in (1..).zip(listed) {
        let is_last = number == listed.len();
        let read = package(entry, is_last, &mut graph.skipped);
        match graph.recover(is_last, entry.line, read)? {
            Some(Ok(package)) => {
                let index = graph.push(package)?;
                entries.push((index, entry));
            }
            Some(Err(unresolved)) => graph.lockfile.unresolved.push(unresolved),
            None => {}
        }
    }

    for (number, (index, entry)) in (1..).zip(&entries) {
        if let Err(error) = connect(&mut graph, *index, entry) {
            graph.skip_edges(number == entries.len(), entry.line, error)?;
        }
    }

    let manifest = manifest::read(input, &input.beside("pyproject.toml"));
    if let Some(manifest) = manifest.filter(|manifest| pins(&graph, manifest)) {
        roots::add(&mut graph, manifest)?;
    }

    graph.finish()
}

/// Whether the file can be the lockfile of a manifest, that is, contains all its runtime
/// dependencies. The file itself does not name its project.
fn pins(graph: &Graph, manifest: &Manifest) -> bool {
    !manifest.direct.is_empty()
        && manifest
            .direct
            .iter()
            .filter(|direct| direct.kind == DependencyKind::Runtime && !direct.has_marker)
            .all(|direct| !graph.copies(&direct.name).is_empty())
}

/// The package of an entry, without edges; the requirement if its version is unknown.
///
/// # Errors
/// If it has no name, or is the last one and has neither a version nor a source: the file ends in it.
fn package(
    entry: &Node<'_>,
    is_last: bool,
    skipped: &mut SkippedEntries,
) -> Result<Result<Package, Unresolved>, ParseError> {
    let name = entry.need_text("name")?;
    if !is_name(name) {
        return Err(
            ParseError::new("has a package with an invalid name").at_line(entry.line as usize)
        );
    }

    let origin = origin(entry)?;
    let from_name = match &origin {
        Origin::Url(url) => archive_version(url, name).map(str::to_owned),
        Origin::Registry(_) => version_of_files(entry, name),
        _ => None,
    };
    let version = match entry.optional_text("version")? {
        Some(version) if !version.is_empty() => version.to_owned(),
        // Optional in the format. The version of a package from an index is in the names of its
        // files, else every version is possible.
        _ => match (&origin, from_name) {
            (Origin::Path(_), _) => String::new(),
            (_, Some(version)) => version,
            (Origin::Registry(_), None) if is_last => {
                return Err(ParseError::new(format!("has no version for `{name}`"))
                    .at_line(entry.line as usize));
            }
            (Origin::Registry(_), None) => return Ok(Err(open(name, String::new(), entry.line))),
            (Origin::Git { url, commit }, None) => {
                let commit = commit.as_deref().unwrap_or_default();
                return Ok(Err(open(name, format!("git+{url}@{commit}"), entry.line)));
            }
            (Origin::Url(url), None) => return Ok(Err(open(name, url.clone(), entry.line))),
        },
    };

    let marker = entry.optional_text("marker")?.unwrap_or_default();
    let (scope, groups) = scope(marker);

    Ok(Ok(Package {
        line: entry.line,
        origin,
        integrity: skipped
            .recover(Loss::Detail, entry.line, hashes(entry))
            .flatten(),
        scope,
        groups,
        ..Package::new(super::NAME, name.to_owned(), version)
    }))
}

/// The version in the name of the first wheel, or of the source archive, that has one.
fn version_of_files(entry: &Node<'_>, name: &str) -> Option<String> {
    let wheels = entry.get("wheels").map(Node::items).unwrap_or_default();
    let files = wheels.iter().chain(entry.get("sdist"));
    files
        .flat_map(|file| ["name", "path", "url"].map(|key| file.get(key).and_then(Node::text)))
        .flatten()
        .find_map(|address| archive_version(address, name))
        .map(str::to_owned)
}

fn open(name: &str, requirement: String, line: u32) -> Unresolved {
    Unresolved {
        ecosystem: crate::pypi::NAME,
        name: name.to_owned(),
        requirement,
        kind: DependencyKind::Runtime,
        line,
    }
}

fn origin(entry: &Node<'_>) -> Result<Origin, ParseError> {
    let clean = |text: &str| without_credentials(text).into_owned();
    let address = |table: &Node<'_>| -> Result<String, ParseError> {
        let url = table.optional_text("url")?.or(table.optional_text("path")?);
        Ok(clean(url.unwrap_or_default()))
    };
    if let Some(vcs) = entry.get("vcs") {
        return Ok(git(&address(vcs)?, vcs.optional_text("commit-id")?));
    }
    if let Some(directory) = entry.get("directory") {
        return Ok(Origin::Path(directory.optional_text("path")?.map(clean)));
    }
    if let Some(archive) = entry.get("archive") {
        return Ok(Origin::Url(address(archive)?));
    }

    Ok(Origin::Registry(entry.optional_text("index")?.map(clean)))
}

/// The hashes of all files of a package, separated by spaces.
fn hashes(entry: &Node<'_>) -> Result<Option<String>, ParseError> {
    let mut hashes = Vec::new();
    let files = ["archive", "sdist"].iter().filter_map(|key| entry.get(key));
    for file in files.chain(entry.optional_list("wheels")?) {
        for (algorithm, hash) in file.optional_map("hashes")? {
            let hash = hash
                .text()
                .ok_or_else(|| hash.unexpected(&algorithm.name, "a text"))?;
            hashes.push(format!("{}:{hash}", algorithm.name));
        }
    }

    Ok((!hashes.is_empty()).then(|| hashes.join(" ")))
}

/// The scope of a package with this marker, and the extras and groups that the marker names. The
/// scope is development if only groups install the package, optional if only extras or groups do,
/// and otherwise runtime.
fn scope(marker: &str) -> (Scope, Vec<String>) {
    let mut groups = BTreeSet::new();
    let mut scope = Scope::Development;
    for alternative in marker.split(" or ") {
        let words: Vec<&str> = alternative.split_whitespace().collect();
        let mut own = Scope::Runtime;
        for window in words.windows(3) {
            let [name, "in", set] = window else { continue };
            let kind = match set.trim_end_matches(')') {
                "dependency_groups" => Scope::Development,
                "extras" => Scope::Optional,
                _ => continue,
            };
            own = own.max(kind);
            groups.insert(name.trim_matches(['(', '\'', '"']).to_owned());
        }

        scope = scope.min(own);
    }

    (scope, groups.into_iter().collect())
}

/// Adds the edges of an entry.
fn connect(graph: &mut Graph, from: PackageIndex, entry: &Node<'_>) -> Result<(), ParseError> {
    for wanted in entry.optional_list("dependencies")? {
        let edges = graph.edges_to(&DependencyRequest {
            name: wanted.need_text("name")?,
            requirement: None,
            version: wanted.optional_text("version")?,
            kind: DependencyKind::Runtime,
        })?;
        graph.connect(from, edges);
    }

    Ok(())
}
