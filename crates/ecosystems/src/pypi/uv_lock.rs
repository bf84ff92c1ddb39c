//! `uv.lock`, and the lockfile beside a script, `*.py.lock`
//! (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
//!
//! The file holds every member of a workspace with what its manifest asks for, so it needs no
//! manifest to tell what is direct. A package may be there in several versions, for environments
//! that exclude each other.

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{DependencyKind, Lockfile, Origin, Package, PackageIndex, Root};

use super::address::{git, path_from, without_credentials};
use super::graph::{Ask, Graph, Start};
use super::name::is_name;
use super::specifier::admits;
use crate::syntax::{Node, toml};
use crate::{Input, ParseError};

/// The one version of the format that is known; its revisions are compatible.
const VERSION: &str = "1";

/// Most requirements of a project on one package, for different environments, that are tried on a
/// copy of it.
const MAX_ALTERNATIVES: usize = 64;

/// What mends a file that holds too little.
const HINT: &str = "write it anew with `uv lock`";

/// Reads a `uv.lock`.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = toml(input.text()?)?;
    match file.get("version").and_then(Node::scalar) {
        Some(VERSION) => {}
        Some(other) => {
            return Err(ParseError::new(format!(
                "is of version {other}, which is not known"
            )));
        }
        None => {
            return Err(ParseError::new(
                "is not a lockfile of uv: it lacks `version`",
            ));
        }
    }

    let mut graph = Graph::new(input, "uv-lock-v1");
    let mut entries = Vec::new();
    for entry in file.optional_list("package")? {
        let place = graph.push(package(entry)?)?;
        entries.push((place, entry));
    }

    let mut starts = Vec::new();
    for (place, entry) in &entries {
        let edges = edges(&mut graph, *place, entry, &mut starts)?;
        graph.connect(*place, edges);
    }

    let own = own(&graph);
    for place in &own {
        add_root(&mut graph, input, *place);
    }

    starts.retain(|(from, _)| own.contains(from));
    let mut starts: Vec<Start> = starts.into_iter().map(|(_, start)| start).collect();
    if let Some(manifest) = file.get("manifest") {
        check_members(&graph, manifest)?;
        starts.extend(script(&mut graph, manifest)?);
    }

    graph.spread_scopes(&starts);
    graph.spread_groups(&starts);

    Ok(graph.lockfile)
}

fn package(entry: &Node<'_>) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?;
    if !is_name(name) {
        return Err(
            ParseError::new("has a package whose name is none").at_line(entry.line as usize)
        );
    }

    let origin = origin(entry)?;
    let version = match (entry.optional_text("version")?, &origin) {
        (Some(version), _) if !version.is_empty() => version,
        // Of a project with a dynamic version, uv writes none.
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

/// The requirements that a project's manifest states, by extra or group and by name.
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

    /// The requirement on a package; of several the one that admits the version.
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

/// The extra that a marker is about: the text after `extra ==`.
fn extra(marker: &str) -> Option<&str> {
    let (_, rest) = marker.split_once("extra == ")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest.get(1..)?.split(quote).next()
}

type Edges = Vec<patchgate_model::Edge>;

/// The edges of an entry, and where they start a group if the entry turns out to be a project.
fn edges(
    graph: &mut Graph,
    from: PackageIndex,
    entry: &Node<'_>,
    starts: &mut Vec<(PackageIndex, Start)>,
) -> Result<Edges, ParseError> {
    let mut all = Vec::new();
    let stated = Stated::read(entry)?;

    let mut add = |group: &str, kind: DependencyKind, wanted: &Node<'_>| {
        let name = wanted.need_text("name")?;
        let version = wanted.optional_text("version")?;
        let edges = graph.edges_to(&Ask {
            name,
            requirement: stated.find(group, name, version),
            version,
            kind,
        })?;
        if edges.is_empty() {
            return Err(ParseError::new(format!(
                "lacks `{name}`, on which another package depends"
            ))
            .at_line(wanted.line as usize)
            .with_hint(HINT));
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

    Ok(all)
}

/// The packages from folders: the project, the members of its workspace, and what it takes from
/// elsewhere in the repository.
fn own(graph: &Graph) -> BTreeSet<PackageIndex> {
    graph
        .lockfile
        .indexed()
        .filter(|(_, package)| matches!(package.origin, Origin::Path(_)))
        .map(|(place, _)| place)
        .collect()
}

fn add_root(graph: &mut Graph, input: &Input<'_>, place: PackageIndex) {
    let Some(package) = graph.lockfile.package(place) else {
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
    graph.add_own_root(place, root);
}

/// Checks that the members that the file begins with are all there: a cut file lacks some.
fn check_members(graph: &Graph, manifest: &Node<'_>) -> Result<(), ParseError> {
    for member in manifest.optional_list("members")? {
        let name = member
            .text()
            .ok_or_else(|| member.unexpected("members", "a text"))?;
        if graph.copies(name).is_empty() {
            return Err(
                ParseError::new(format!("lacks `{name}`, a member of the workspace"))
                    .at_line(member.line as usize)
                    .with_hint(HINT),
            );
        }
    }

    Ok(())
}

/// What the file's own manifest asks for: a script, or groups of a workspace without a project.
fn script(graph: &mut Graph, manifest: &Node<'_>) -> Result<Vec<Start>, ParseError> {
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
        let edges = graph.edges_to(&Ask {
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
