//! Reader of `flake.lock`
//! (<https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake#lock-files>): the inputs of a
//! flake as a graph, each locked to a revision.

use std::cell::Cell;
use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Scope,
    generic_package_url, without_credentials,
};

use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};

/// Deepest chain of `follows`.
const MAX_FOLLOWS: usize = 64;

/// Most steps along `follows` in one file. `follows` of `follows` can branch exponentially.
const MAX_STEPS: usize = 1_000_000;

/// Reads a lockfile, whose roots are the inputs of the flake itself.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let version = document.get("version").and_then(Node::scalar);
    let format = match version {
        Some("5") => FormatId::new("flake-lock-v5"),
        Some("6") => FormatId::new("flake-lock-v6"),
        Some("7") => FormatId::new("flake-lock-v7"),
        Some(other) => {
            salvage::other_version(&mut skipped, document.line, other, "versions 5 to 7 are");
            FormatId::new("flake-lock")
        }
        None => {
            return Err(ParseError::new(
                "is not a Nix lockfile: it has no `version`",
            ));
        }
    };

    let root = document.need_text("root")?;
    let nodes = document.optional_map("nodes")?;
    if nodes.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("contains too many inputs"));
    }

    let mut graph = Graph {
        nodes: nodes.iter().map(|(key, node)| (&*key.name, node)).collect(),
        indices: HashMap::new(),
        root,
        steps: Cell::new(0),
    };
    if !graph.nodes.contains_key(root) {
        return Err(ParseError::new(format!(
            "is truncated: it lacks the node `{root}`"
        )));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        ..Lockfile::default()
    };
    for (key, node) in nodes.iter().filter(|(key, _)| key.name != root) {
        let package = package(&key.name, key.line, node);
        let Some(package) = skipped.recover(Loss::Package, key.line, package) else {
            continue;
        };
        let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
        graph.indices.insert(&key.name, PackageIndex(index));
        lockfile.packages.push(package);
    }

    // Edges need the indices of all nodes. The root node becomes the root of the lockfile.
    let is_known = |key: &str| key == root || graph.indices.contains_key(key);
    let edges: Vec<_> = nodes
        .iter()
        .filter(|(key, _)| is_known(&key.name))
        .map(|(key, node)| (&*key.name, graph.edges(node, &mut skipped)))
        .collect();
    for (key, edges) in edges {
        let index = graph.indices.get(key).map(|index| index.0 as usize);
        match index.and_then(|index| lockfile.packages.get_mut(index)) {
            Some(package) => package.edges = edges,
            None => lockfile.roots.push(Root {
                edges,
                ..Root::default()
            }),
        }
    }

    salvage::finish(lockfile, skipped)
}

fn package(key: &str, line: u32, node: &Node<'_>) -> Result<Package, ParseError> {
    let locked = node
        .get("locked")
        .filter(|locked| locked.is_map())
        .ok_or_else(|| ParseError::new(format!("does not lock `{key}`")).at_line(line as usize))?;
    let kind = locked.need_text("type")?;
    let text = |name: &str| locked.optional_text(name);
    let repository = match (text("owner")?, text("repo")?) {
        (Some(owner), Some(repo)) => Some(format!("{owner}/{repo}")),
        _ => None,
    };
    let commit = text("rev")?.map(str::to_owned);
    let address = text("url")?
        .or(text("path")?)
        .map(|address| without_credentials(address).into_owned());

    // The name of an input is the address of its source.
    let (name, origin) = match (kind, repository, address) {
        ("github" | "gitlab" | "sourcehut", Some(repository), _) => {
            let host = text("host")?.map_or_else(|| default_host(kind), str::to_owned);
            let url = format!("https://{host}/{repository}");
            (
                url.clone(),
                Origin::Git {
                    url,
                    commit: commit.clone(),
                },
            )
        }
        ("git" | "hg", _, Some(url)) => (
            url.clone(),
            Origin::Git {
                url,
                commit: commit.clone(),
            },
        ),
        ("path", _, path) => (key.to_owned(), Origin::Path(path)),
        (_, _, Some(url)) => (url.clone(), Origin::Url(url)),
        _ => {
            return Err(
                ParseError::new(format!("locks `{key}` in an unknown form")).at_line(line as usize)
            );
        }
    };

    let hash = text("narHash")?.map(str::to_owned);
    let version = commit
        .or_else(|| text("ref").ok().flatten().map(str::to_owned))
        .or_else(|| hash.clone());
    let version = version.unwrap_or_default();
    let purl = match &origin {
        Origin::Url(address) => Some(generic_package_url(
            "download_url",
            address,
            address,
            &version,
        )),
        _ => None,
    };

    Ok(Package {
        line,
        origin,
        integrity: hash,
        scope: Scope::Build,
        purl,
        ..Package::new(super::NAME, name, version)
    })
}

/// The host that Nix uses for an input of this type that names none.
fn default_host(kind: &str) -> String {
    match kind {
        "gitlab" => "gitlab.com",
        "sourcehut" => "git.sr.ht",
        _ => "github.com",
    }
    .to_owned()
}

/// Nodes of the lockfile while their edges are resolved.
struct Graph<'a, 'b> {
    nodes: HashMap<&'b str, &'b Node<'a>>,
    indices: HashMap<&'b str, PackageIndex>,
    root: &'b str,
    steps: Cell<usize>,
}

impl Graph<'_, '_> {
    fn edges(&self, node: &Node<'_>, skipped: &mut SkippedEntries) -> Vec<Edge> {
        let mut edges = Vec::new();
        let inputs = skipped.recover(Loss::Edge, node.line, node.optional_map("inputs"));
        for (name, input) in inputs.unwrap_or_default() {
            let target = match input.text() {
                Some(key) => Some(key),
                None => self.followed(input, 0),
            };
            // An edge to a node that could not be read is lost with that node.
            let is_unreadable =
                |target| self.nodes.contains_key(target) && !self.indices.contains_key(target);
            if target == Some(self.root) || target.is_some_and(is_unreadable) {
                continue;
            }

            match target.and_then(|target| self.indices.get(target)) {
                Some(to) => edges.push(Edge {
                    to: *to,
                    name: (&*name.name).into(),
                    requirement: None,
                    kind: DependencyKind::Build,
                }),
                // The node is an input of which only the name is known.
                None => skipped.package(
                    name.line,
                    format!("has the input `{}`, which refers to nothing", name.name),
                ),
            }
        }

        edges
    }

    /// The node that a list of input names leads to, starting at the root.
    fn followed<'n>(&'n self, path: &'n Node<'_>, depth: usize) -> Option<&'n str> {
        if depth > MAX_FOLLOWS || !path.is_list() {
            return None;
        }

        let mut at = self.root;
        for step in path.items() {
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > MAX_STEPS {
                return None;
            }
            let input = self.nodes.get(at)?.get("inputs")?.get(step.text()?)?;
            at = match input.text() {
                Some(key) => key,
                None => self.followed(input, depth + 1)?,
            };
        }

        Some(at)
    }
}
