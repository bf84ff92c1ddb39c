//! `uv.lock`, and the lockfile of a script, `*.py.lock`
//! (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
//!
//! The file lists every member of a workspace with the requirements of its manifest, so direct
//! dependencies are known without manifests. A package may have several versions, for environments
//! that exclude each other.

mod write;

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{
    DependencyKind, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
};

use super::address::{git, path_from, without_credentials};
use super::graph::{DependencyRequest, Graph, Start};
use super::name::is_name;
use super::specifier::admits;
use crate::later_version::later_version;
use crate::syntax::{Node, toml};
use crate::{Input, ParseError};
pub(super) use write::UvLockWriter;
pub(super) use write::files::{Files, Listed};

/// The supported version of the format; its revisions are compatible.
const VERSION: &str = "1";

/// Maximum number of requirements of a project on one package, for different environments, that are
/// compared with a version.
const MAX_ALTERNATIVES: usize = 64;

/// Hint for an incomplete file.
const HINT: &str = "re-create the file with `uv lock`";

/// Reads a `uv.lock` or `*.py.lock`.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = toml(input.text()?)?;
    let listed = file.optional_list("package")?;
    // Versions of uv before 0.3 wrote this key, with sources in another notation.
    if let Some((key, _)) = file.entry("distribution") {
        return Err(
            ParseError::new("has `[[distribution]]`, which uv before 0.3 wrote")
                .at_line(key.line as usize)
                .with_hint(HINT),
        );
    }
    let mut graph = Graph::new(input, FormatId::new("uv-lock-v1"));
    match file
        .entry("version")
        .map(|(key, node)| (key, node.scalar()))
    {
        Some((_, Some(VERSION))) => {}
        Some((key, Some(other))) => {
            later_version(other, key.line, !listed.is_empty(), &mut graph.skipped)?;
            graph.lockfile.format = FormatId::new("uv-lock");
        }
        _ => {
            return Err(ParseError::new(
                "is not a lockfile of uv: it lacks `version`",
            ));
        }
    }

    let mut entries = Vec::new();
    for (number, entry) in (1..).zip(listed) {
        let package = package(entry);
        let may_be_cut = number == listed.len();
        if let Some(package) = graph.recover(may_be_cut, entry.line, package)? {
            entries.push((graph.push(package)?, entry));
        }
    }

    let mut starts = Vec::new();
    for (number, (index, entry)) in (1..).zip(&entries) {
        let mut edges = Vec::new();
        if let Err(error) = add_edges(&mut graph, *index, entry, &mut starts, &mut edges) {
            let may_be_cut = number == entries.len() || error.hint.is_some();
            graph.skip_edges(may_be_cut, entry.line, error)?;
        }
        graph.connect(*index, edges);
    }

    // Only the groups of the repository's own projects start here: those of other packages are not
    // installed.
    let own = own(&graph);
    for index in &own {
        add_root(&mut graph, input, *index);
    }

    starts.retain(|(from, _)| own.contains(from));
    let mut starts: Vec<Start> = starts.into_iter().map(|(_, start)| start).collect();
    if let Some(manifest) = file.get("manifest") {
        check_members(&mut graph, manifest)?;
        starts.extend(script(&mut graph, manifest)?);
    }

    graph.spread_scopes(&starts);
    graph.spread_groups(&starts);

    graph.finish()
}

/// The package of one entry, without edges.
fn package(entry: &Node<'_>) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?;
    if !is_name(name) {
        return Err(
            ParseError::new("has a package with an invalid name").at_line(entry.line as usize)
        );
    }

    let origin = origin(entry)?;
    let version = match (entry.optional_text("version")?, &origin) {
        (Some(version), _) if !version.is_empty() => version,
        // uv writes no version for a project with a dynamic one.
        (None, Origin::Path(_)) => "",
        _ => {
            return Err(ParseError::new(format!("has no version for `{name}`"))
                .at_line(entry.line as usize)
                .with_hint(HINT));
        }
    };

    let files = entry.get("sdist").into_iter();
    let hashes: Vec<&str> = files
        .chain(entry.optional_list("wheels")?)
        .filter_map(|file| file.get("hash").and_then(Node::text))
        .collect();

    Ok(Package {
        line: entry.line,
        origin,
        integrity: (!hashes.is_empty()).then(|| hashes.join(" ")),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

fn origin(entry: &Node<'_>) -> Result<Origin, ParseError> {
    let Some(source) = entry.get("source").filter(|source| source.is_map()) else {
        return Err(ParseError::new("has a package without a source")
            .at_line(entry.line as usize)
            .with_hint(HINT));
    };
    let text = |key| {
        source
            .optional_text(key)
            .map(|text| text.map(without_credentials))
    };
    for key in ["editable", "virtual", "directory"] {
        if let Some(path) = text(key)? {
            return Ok(Origin::Path(Some(path.into_owned())));
        }
    }

    if let Some(address) = text("git")? {
        let (url, commit) = match address.rsplit_once('#') {
            Some((url, commit)) => (url, Some(commit)),
            None => (&*address, None),
        };
        return Ok(git(url.split('?').next().unwrap_or(url), commit));
    }
    if let Some(url) = text("url")?.or(text("path")?) {
        return Ok(Origin::Url(url.into_owned()));
    }

    Ok(Origin::Registry(
        text("registry")?.map(|url| url.into_owned()),
    ))
}

/// The requirements of a project's manifest, by extra or group and by name.
#[derive(Default)]
struct Stated<'n> {
    requirements: HashMap<(String, String), Vec<&'n str>>,
}

impl<'n> Stated<'n> {
    fn read(entry: &'n Node<'_>) -> Result<Self, ParseError> {
        let mut stated = Self::default();
        let Some(metadata) = entry.get("metadata") else {
            return Ok(stated);
        };

        for wanted in metadata.optional_list("requires-dist")? {
            let marker = wanted.optional_text("marker")?.unwrap_or_default();
            stated.add(extra(marker).unwrap_or_default(), wanted)?;
        }

        for (group, wanted) in metadata.optional_map("requires-dev")? {
            for wanted in wanted.items() {
                stated.add(&group.name, wanted)?;
            }
        }

        Ok(stated)
    }

    fn add(&mut self, group: &str, wanted: &'n Node<'_>) -> Result<(), ParseError> {
        let key = (group.to_owned(), wanted.need_text("name")?.to_owned());
        let specifier = wanted.optional_text("specifier")?;
        self.requirements
            .entry(key)
            .or_default()
            .push(specifier.unwrap_or_default());
        Ok(())
    }

    /// The requirement on a package; if there are several, the first that admits the version.
    fn find(&self, group: &str, name: &str, version: Option<&str>) -> Option<&'n str> {
        let key = (group.to_owned(), name.to_owned());
        match self.requirements.get(&key)?.as_slice() {
            [only] => Some(only),
            several => several
                .iter()
                .take(MAX_ALTERNATIVES)
                .find(|wanted| admits(wanted, version.unwrap_or_default()) == Some(true))
                .copied(),
        }
    }
}

/// The extra in a marker: the text after `extra ==`.
fn extra(marker: &str) -> Option<&str> {
    let (_, rest) = marker.split_once("extra == ")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest.get(1..)?.split(quote).next()
}

type Edges = Vec<patchgate_model::Edge>;

/// Adds the edges of an entry to `all`. They are added to `starts` as well, for the case that the
/// entry turns out to be one of the repository's own projects.
///
/// # Errors
/// If a part of the entry cannot be read; with a hint, if the file is cut: uv sorts packages by name,
/// and a dependency comes after the last one.
fn add_edges(
    graph: &mut Graph,
    from: PackageIndex,
    entry: &Node<'_>,
    starts: &mut Vec<(PackageIndex, Start)>,
    all: &mut Edges,
) -> Result<(), ParseError> {
    // Without it the edges have no requirements.
    let stated = Stated::read(entry);
    let stated = graph.skipped.recover(Loss::Detail, entry.line, stated);
    let stated = stated.unwrap_or_default();
    let mut add = |group: &str, kind: DependencyKind, wanted: &Node<'_>| {
        let name = wanted.need_text("name")?;
        let version = wanted.optional_text("version")?;
        let request = DependencyRequest {
            name,
            requirement: stated.find(group, name, version),
            version,
            kind,
        };
        let edges = graph.edges_to(&request)?;
        if edges.is_empty() && graph.is_beyond_the_last(name) {
            return Err(ParseError::new(format!(
                "has a dependency on `{name}`, which is not in the file"
            ))
            .at_line(wanted.line as usize)
            .with_hint(HINT));
        }
        if edges.is_empty() {
            graph.skip_dangling(&request, wanted.line);
        }

        starts.extend(edges.iter().map(|edge| {
            let start = Start {
                to: edge.to,
                scope: kind.into(),
                group: (!group.is_empty()).then(|| group.to_owned()),
            };
            (from, start)
        }));
        all.extend(edges);

        Ok(())
    };

    for wanted in entry.optional_list("dependencies")? {
        add("", DependencyKind::Runtime, wanted)?;
    }
    for (table, kind) in [
        ("optional-dependencies", DependencyKind::Optional),
        ("dev-dependencies", DependencyKind::Development),
    ] {
        for (group, listed) in entry.optional_map(table)? {
            for wanted in listed.items() {
                add(&group.name, kind, wanted)?;
            }
        }
    }

    Ok(())
}

/// The packages from directories: the project, the members of its workspace, and its other path
/// dependencies.
fn own(graph: &Graph) -> BTreeSet<PackageIndex> {
    graph
        .lockfile
        .indexed()
        .filter(|(_, package)| matches!(package.origin, Origin::Path(_)))
        .map(|(index, _)| index)
        .collect()
}

/// Adds the root for one of the repository's own packages.
fn add_root(graph: &mut Graph, input: &Input<'_>, index: PackageIndex) {
    let Some(package) = graph.lockfile.package(index) else {
        return;
    };
    let manifest = match &package.origin {
        Origin::Path(Some(path)) => path_from(input.path, &format!("{path}/pyproject.toml")),
        _ => None,
    };
    let root = Root {
        name: package.name.clone(),
        manifest: manifest.filter(|path| input.sibling(path).is_some()),
        edges: package.edges.clone(),
    };
    graph.add_own_root(index, root);
}

/// Checks that all members that are listed at the start of the file have an entry.
///
/// # Errors
/// If one is missing that comes after the last package: the file is truncated.
fn check_members(graph: &mut Graph, manifest: &Node<'_>) -> Result<(), ParseError> {
    for member in manifest.optional_list("members")? {
        let Some(name) = member.text() else {
            let reason = member.unexpected("members", "a text").reason;
            graph.skipped.package(member.line, reason);
            continue;
        };
        if !graph.copies(name).is_empty() {
            continue;
        }

        let reason = format!("does not contain the workspace member `{name}`");
        if graph.is_beyond_the_last(name) {
            return Err(ParseError::new(reason)
                .at_line(member.line as usize)
                .with_hint(HINT));
        }
        graph.skipped.package(member.line, reason);
    }

    Ok(())
}

/// Adds a root for the requirements in the lockfile's `manifest` table: those of a script, or of the
/// groups of a workspace without a project.
fn script(graph: &mut Graph, manifest: &Node<'_>) -> Result<Vec<Start>, ParseError> {
    // Requirements with their group, which is `None` for those of a script.
    let mut wanted: Vec<(Option<&str>, &Node<'_>)> = manifest
        .optional_list("requirements")?
        .iter()
        .map(|wanted| (None, wanted))
        .collect();
    for (group, listed) in manifest.optional_map("dependency-groups")? {
        wanted.extend(
            listed
                .items()
                .iter()
                .map(|wanted| (Some(&*group.name), wanted)),
        );
    }

    let mut starts = Vec::new();
    let mut root = Root::default();
    for (group, wanted) in wanted {
        let kind = match group {
            None => DependencyKind::Runtime,
            Some(_) => DependencyKind::Development,
        };
        let edges = graph.edges_to(&DependencyRequest {
            name: wanted.need_text("name")?,
            requirement: wanted.optional_text("specifier")?,
            version: None,
            kind,
        })?;
        starts.extend(edges.iter().map(|edge| Start {
            to: edge.to,
            scope: kind.into(),
            group: group.map(str::to_owned),
        }));
        root.edges.extend(edges);
    }

    if !root.edges.is_empty() {
        graph.add_root(root);
    }

    Ok(starts)
}
