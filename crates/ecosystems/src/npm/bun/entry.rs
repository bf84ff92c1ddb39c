//! One entry of `packages` in a `bun.lock`, and the dependency sections that packages and projects
//! have in common.

use std::collections::HashSet;

use patchgate_model::{DependencyKind, Loss, Origin};

use crate::npm::tree::{shortened, split_spec};
use crate::syntax::{Key, Node};
use crate::{ParseError, SkippedEntries};

/// An entry: `[name@version, registry, { dependencies }, integrity]`. Only the first item is present
/// for every kind of package.
pub(super) struct Entry<'n> {
    pub(super) key: &'n str,
    pub(super) line: u32,
    /// The names in the key: those of the packages that it is nested in, and its own.
    pub(super) parts: Vec<&'n str>,
    pub(super) name: &'n str,
    pub(super) version: &'n str,
    pub(super) origin: Origin,
    /// The directory, for a workspace member.
    pub(super) workspace: Option<&'n str>,
    /// Whether the entry is the project itself.
    pub(super) is_root: bool,
    pub(super) bundled: bool,
    pub(super) integrity: Option<&'n str>,
    pub(super) needs: Dependencies<'n>,
}

/// The dependencies of a package or a project.
#[derive(Default)]
pub(super) struct Dependencies<'n>(pub(super) Vec<Dependency<'n>>);

/// One dependency, as its section states it.
pub(super) struct Dependency<'n> {
    pub(super) name: &'n str,
    pub(super) requirement: &'n str,
    pub(super) kind: DependencyKind,
}

impl Entry<'_> {
    pub(super) fn wrong(&self, what: &str) -> ParseError {
        wrong(self.key, self.line, what)
    }

    /// `node_modules/a/node_modules/b` for the key `a/b`.
    pub(super) fn install_path(&self) -> String {
        let mut path = String::with_capacity(self.key.len() + 13 * self.parts.len());
        for part in &self.parts {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str("node_modules/");
            path.push_str(part);
        }

        path
    }

    /// The name under which it is installed, if it is not the package's own.
    pub(super) fn alias(&self) -> Option<&str> {
        self.parts.last().copied().filter(|name| *name != self.name)
    }
}

fn wrong(key: &str, line: u32, what: &str) -> ParseError {
    ParseError::new(format!("has the entry `{}`, which {what}", shortened(key)))
        .at_line(line as usize)
}

/// Reads an entry of `packages` and checks that it is complete.
pub(super) fn entry<'n>(
    key: &'n Key<'_>,
    node: &'n Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Entry<'n>, ParseError> {
    let wrong = |what: &str| wrong(&key.name, key.line, what);
    let items = node.items();
    let spec = items
        .first()
        .and_then(Node::text)
        .ok_or_else(|| wrong("is not a list that begins with its name"))?;
    let (name, reference) = split_spec(spec).ok_or_else(|| wrong("has no version"))?;
    let parts = parts(&key.name).ok_or_else(|| wrong("is not a path of names"))?;
    let about = items.iter().find(|item| item.is_map());
    let texts: Vec<&str> = items.iter().skip(1).filter_map(Node::text).collect();
    let (origin, version) = origin(reference, texts.first().copied());
    if version.is_empty() && matches!(origin, Origin::Registry(_)) {
        return Err(wrong("has no version"));
    }

    let is_registry = matches!(origin, Origin::Registry(_));
    if is_registry && about.is_none() {
        skipped.edge(key.line, wrong("has no map of dependencies").reason);
    }

    // For git the last text is not a hash but bun's tag of the download. A hash starts with its
    // algorithm.
    let integrity = texts.last().copied().filter(|text| {
        ["sha1-", "sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|start| text.starts_with(start))
    });

    Ok(Entry {
        key: &key.name,
        line: key.line,
        parts,
        name,
        version,
        origin,
        workspace: reference.strip_prefix("workspace:"),
        is_root: reference.starts_with("root:"),
        bundled: about
            .and_then(|about| about.get("bundled"))
            .and_then(Node::bool)
            == Some(true),
        integrity,
        needs: match about {
            Some(about) => needs(about, false, skipped),
            None => Dependencies::default(),
        },
    })
}

/// The names in a path: `a/@s/b` is `a` and `@s/b`.
fn parts(path: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut rest = path;

    loop {
        let scope = match rest.starts_with('@') {
            true => rest.find('/')? + 1,
            false => 0,
        };
        let end = rest.get(scope..)?.find('/').map(|at| scope + at);
        let part = rest.get(..end.unwrap_or(rest.len()))?;
        if part.len() == scope {
            return None;
        }

        parts.push(part);
        match end {
            Some(end) => rest = rest.get(end + 1..)?,
            None => return Some(parts),
        }
    }
}

/// The origin of a package, and its version, which is empty unless the package is from a registry.
fn origin<'n>(reference: &'n str, registry: Option<&str>) -> (Origin, &'n str) {
    for protocol in ["workspace:", "file:", "link:", "root:"] {
        if let Some(path) = reference.strip_prefix(protocol) {
            return (Origin::Path(Some(path.to_owned())), "");
        }
    }

    if let Some(Origin::Git { url, commit }) = crate::npm::lockfile::origin::of_address(reference) {
        // bun shortens commits of code hosts. A short one may be ambiguous, so the reference is
        // kept whole.
        let url = match commit {
            Some(_) => url,
            None => reference.to_owned(),
        };
        return (Origin::Git { url, commit }, "");
    }
    if reference.contains(':') {
        return (Origin::Url(reference.to_owned()), "");
    }
    if reference.contains('/') {
        // An archive in the repository.
        return (Origin::Path(Some(reference.to_owned())), "");
    }

    let registry = registry.filter(|address| address.contains("://"));
    (Origin::Registry(registry.map(str::to_owned)), reference)
}

/// Reads the dependencies of a package or a project. A name in several sections counts once: optional
/// first, then runtime, development and peer.
pub(super) fn needs<'n>(
    node: &'n Node<'_>,
    is_project: bool,
    skipped: &mut SkippedEntries,
) -> Dependencies<'n> {
    let sections = [
        ("optionalDependencies", DependencyKind::Optional),
        ("dependencies", DependencyKind::Runtime),
        ("devDependencies", DependencyKind::Development),
        ("peerDependencies", DependencyKind::Peer),
    ];
    let mut needs: Vec<Dependency<'_>> = Vec::new();
    for (section, kind) in sections {
        if kind == DependencyKind::Development && !is_project {
            continue;
        }
        // Names are unique within a section, and most packages have one section, so only names of
        // earlier sections are compared.
        let before: HashSet<&str> = needs.iter().map(|need| need.name).collect();

        let listed = skipped.recover(Loss::Edge, node.line, node.optional_map(section));
        for (name, requirement) in listed.unwrap_or_default() {
            let Some(requirement) = requirement.text().filter(|_| !name.name.is_empty()) else {
                let reason = requirement.unexpected(&name.name, "a text").reason;
                skipped.edge(name.line, reason);
                continue;
            };

            if before.is_empty() || !before.contains(&*name.name) {
                needs.push(Dependency {
                    name: &name.name,
                    requirement,
                    kind,
                });
            }
        }
    }

    Dependencies(needs)
}
