//! Versions 5 and 6 of the format, whose entries have the registry's data and the dependencies of one
//! copy together, and say for which kinds of dependencies it is needed.
//!
//! The rules are those of the last pnpm of each version: 6.35 (5.3), 7.33 (5.4) and 8.15 (6.0). pnpm
//! keeps `requiresBuild` of an entry that it knows, and decides it for new paths: optional packages
//! always have it, others when they have an install script.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest as _, Md5};
use patchgate_model::{DependencyKind, Lockfile, Origin};

use super::document::{Block, Document};
use super::entry;
use super::graph::{Content, Copies, content_lines, content_of};
use crate::npm::pnpm::dep_path::{Generation, dep_path};
use crate::npm::pnpm::scalar::block;
use crate::syntax::Node;
use crate::{Release, TargetEdge, TargetGraph};

/// The fields at the end of an entry that follow from the graph, in the order of pnpm.
const TAIL: [&str; 5] = [
    "dependencies",
    "optionalDependencies",
    "transitivePeerDependencies",
    "dev",
    "optional",
];

/// Longest message of a deprecation. pnpm 6 breaks longer lines.
const LONGEST_MESSAGE: usize = 900;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A version of the format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// 5.3, of pnpm 6.
    FiveThree,
    /// 5.4, of pnpm 7.
    FiveFour,
    /// 6.0, of pnpm 8.
    Six,
    Nine,
}

impl Form {
    /// The form of a document. `None` for a version whose rules are not known.
    pub(super) fn of(document: &Node<'_>, generation: Generation) -> Option<Self> {
        let version = document.get("lockfileVersion").and_then(Node::scalar)?;
        match (generation, version) {
            (Generation::Five, "5.3") => Some(Self::FiveThree),
            (Generation::Five, "5.4") => Some(Self::FiveFour),
            (Generation::Six, "6.0") => Some(Self::Six),
            (Generation::Nine, _) => Some(Self::Nine),
            _ => None,
        }
    }

    pub(super) fn generation(self) -> Generation {
        match self {
            Self::FiveThree | Self::FiveFour => Generation::Five,
            Self::Six => Generation::Six,
            Self::Nine => Generation::Nine,
        }
    }

    /// The text by which a path names a peer, whose own peers do not count.
    pub(super) fn peer(self, base: &str) -> String {
        let path = dep_path(base, self.generation());
        let name = path.name.unwrap_or_default();
        let name = match self.generation() {
            Generation::Five => name.replace('/', "+"),
            _ => name.to_owned(),
        };
        format!("{name}@{}", path.reference)
    }

    /// The part of a path that lists peers; `None` in version 9, which nests them.
    pub(super) fn suffix(self, peers: &BTreeSet<String>) -> Option<String> {
        let joined = |separator| {
            let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
            peers.join(separator)
        };
        match self {
            Self::Nine => None,
            Self::Six => Some(format!("({})", joined(")("))),
            Self::FiveThree | Self::FiveFour => {
                let joined = joined("+");
                let (longest, hash): (_, fn(&[u8]) -> String) = match self {
                    Self::FiveThree => (32, super::peers::base16),
                    _ => (26, base32),
                };
                Some(match joined.len() > longest {
                    true => format!("_{}", hash(&Md5::digest(joined.as_bytes()))),
                    false => format!("_{joined}"),
                })
            }
        }
    }
}

/// Base 32 of RFC 4648, in lower case and without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        for (to, from) in group.iter_mut().skip(3).zip(chunk) {
            *to = *from;
        }
        let number = u64::from_be_bytes(group);
        let digits = (chunk.len() * 8).div_ceil(5);
        for digit in 0..digits {
            let index = (number >> (35 - 5 * digit)) & 31;
            let character = BASE32.get(usize::try_from(index).unwrap_or_default());
            text.extend(character.copied().map(char::from));
        }
    }
    text
}

/// The dependencies for which a path is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Needed {
    is_development: bool,
    is_production: bool,
    /// By one that is not optional.
    is_required: bool,
}

impl Needed {
    /// The value of `dev`, which is missing when both kinds of dependencies need the path.
    fn dev(self) -> Option<bool> {
        match self.is_production {
            true => (!self.is_development).then_some(false),
            false => Some(true),
        }
    }

    fn lines(self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .dev()
            .map(|dev| format!("    dev: {dev}"))
            .into_iter()
            .collect();
        if !self.is_required {
            lines.push("    optional: true".to_owned());
        }
        lines
    }
}

/// How every path is needed.
fn needed<'p>(
    graph: &TargetGraph,
    path: impl Fn(usize) -> Option<&'p str>,
) -> BTreeMap<&'p str, Needed> {
    let mut all: BTreeMap<&str, Needed> = BTreeMap::new();
    let mut mark = |from: &dyn Fn(&TargetEdge) -> bool,
                    follow: &dyn Fn(&TargetEdge) -> bool,
                    set: &dyn Fn(&mut Needed)| {
        let roots = graph.roots.iter().flatten();
        let mut open: Vec<usize> = roots
            .filter(|edge| from(edge))
            .map(|edge| edge.to)
            .collect();
        let mut seen = vec![false; graph.nodes.len()];
        while let Some(number) = open.pop() {
            let Some(is_seen) = seen.get_mut(number).filter(|is_seen| !**is_seen) else {
                continue;
            };
            *is_seen = true;
            if let Some(path) = path(number) {
                set(all.entry(path).or_default());
            }
            let edges = graph.nodes.get(number).into_iter();
            let edges = edges.flat_map(|node| &node.edges);
            open.extend(edges.filter(|edge| follow(edge)).map(|edge| edge.to));
        }
    };

    let is_development = |edge: &TargetEdge| edge.kind == DependencyKind::Development;
    let is_firm = |edge: &TargetEdge| edge.kind != DependencyKind::Optional;
    mark(&is_development, &|_| true, &|needed| {
        needed.is_development = true;
    });
    mark(&|edge| !is_development(edge), &|_| true, &|needed| {
        needed.is_production = true;
    });
    mark(&is_firm, &is_firm, &|needed| needed.is_required = true);
    all
}

impl Copies<'_> {
    /// Writes the entries of `packages`, each of which is whole.
    pub(super) fn write_whole(
        &self,
        own: &Node<'_>,
        document: &mut Document,
    ) -> Result<(), String> {
        has_no_addresses(self.lockfile)?;
        let known: BTreeMap<String, Vec<String>> =
            document.section(own, "packages")?.1.into_iter().collect();
        let unchanged = TargetGraph::unchanged(self.lockfile);
        let copies = &self.entries.copies;
        let before = needed(&unchanged, |number| Some(&*copies.get(number)?.path.name));
        let after = needed(self.target, |number| {
            self.paths.get(number).map(|path| &**path)
        });

        let mut kept: BTreeSet<&str> = BTreeSet::new();
        let mut contents: BTreeMap<&str, Content> = BTreeMap::new();
        let mut new: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let path = self.paths.get(number).map_or("", String::as_str);
            let content = self.content(number)?;
            // Two copies may become one.
            if contents.get(path).is_some_and(|other| *other != content) {
                return Err(format!("two copies of `{path}` differ"));
            }
            let needed = after.get(path).copied().unwrap_or_default();

            if let Some(release) = &node.release {
                let mut lines = self.release_lines(&node.name, release, needed)?;
                lines.extend(content_lines(path, &content)?);
                lines.extend(needed.lines());
                new.insert(path, lines);
            } else if let Some(copy) = self.copy(number) {
                let old_path = &*copy.path.name;
                let was = before.get(old_path).copied().unwrap_or_default();
                let stated = (
                    copy.entry.get("dev").and_then(Node::bool),
                    copy.entry.get("optional").and_then(Node::bool) == Some(true),
                );
                let follows = stated == (was.dev(), !was.is_required);
                if path == old_path && was == needed && content_of(copy) == content {
                    kept.insert(path);
                } else if !follows {
                    return Err(format!(
                        "the kinds of dependencies that need `{old_path}` do not follow from the graph"
                    ));
                } else {
                    let block = known.get(old_path).map(Vec::as_slice).unwrap_or_default();
                    let mut lines = head(old_path, block)?;
                    if path != old_path {
                        keeps_build(old_path, &lines, was, needed)?;
                    }
                    lines.extend(content_lines(path, &content)?);
                    lines.extend(needed.lines());
                    new.insert(path, lines);
                }
            }
            contents.insert(path, content);
        }

        new.retain(|path, _| !kept.contains(path));
        let mut blocks: Vec<Block> = Vec::with_capacity(new.len());
        for (path, mut lines) in new {
            let key = block(path).ok_or_else(|| format!("`{path}` has an unusual name"))?;
            lines.insert(0, format!("  {key}:"));
            blocks.push((path.to_owned(), lines));
        }
        document.replace_blocks(own, "packages", |key| kept.contains(key), blocks)
    }

    /// The registry's data of a new entry.
    fn release_lines(
        &self,
        name: &str,
        release: &Release,
        needed: Needed,
    ) -> Result<Vec<String>, String> {
        let shown = format!("`{name} {}`", release.version);
        let field = |field: &str| release.document.as_ref()?.get(field);
        let message = field("deprecated").and_then(serde_json::Value::as_str);
        if message.is_some_and(|message| message.len() > LONGEST_MESSAGE) {
            return Err(format!("{shown} has a long message of its deprecation"));
        }
        if self.form != Form::Six {
            let address = field("dist").and_then(|dist| dist.get("tarball")?.as_str());
            if !entry::is_usual(name, &release.version, address.unwrap_or_default()) {
                return Err(format!("the archive of {shown} has an unusual address"));
            }
            // pnpm 6 and 7 also keep what is said of a peer that is a dependency as well.
            let peers = entry::peers(release);
            let meta = field("peerDependenciesMeta").and_then(serde_json::Value::as_object);
            let mut optional = meta.into_iter().flatten().filter(|(_, meta)| {
                meta.get("optional").and_then(serde_json::Value::as_bool) == Some(true)
            });
            if optional.any(|(peer, _)| !peers.contains_key(peer)) {
                return Err(format!("{shown} has a peer that is a dependency"));
            }
        }
        if self.form == Form::FiveThree && field("libc").is_some() {
            return Err(format!("{shown} is for one C library"));
        }

        let has_script =
            field("hasInstallScript").and_then(serde_json::Value::as_bool) == Some(true);
        entry::lines(name, release, false, has_script || !needed.is_required)
    }
}

/// Checks that pnpm left out the addresses of archives, as it does unless a setting says otherwise.
fn has_no_addresses(lockfile: &Lockfile) -> Result<(), String> {
    let has = lockfile.packages.iter().any(|package| {
        let Origin::Registry(Some(address)) = &package.origin else {
            return false;
        };
        entry::is_usual(&package.name, &package.version, address)
    });
    match has {
        true => Err("it has the addresses of archives".to_owned()),
        false => Ok(()),
    }
}

/// The lines of an entry that do not follow from the graph, without its first one.
fn head(path: &str, block: &[String]) -> Result<Vec<String>, String> {
    let field = |line: &String| -> Option<String> {
        let field = line.strip_prefix("    ")?;
        let is_name = !field.starts_with([' ', '-']);
        is_name.then(|| field.split(':').next().unwrap_or_default().to_owned())
    };
    let is_tail = |line: &String| field(line).is_some_and(|field| TAIL.contains(&&*field));
    let lines = block.get(1..).unwrap_or_default();
    let end = lines.iter().position(is_tail).unwrap_or(lines.len());
    let (head, tail) = lines.split_at(end);
    match tail
        .iter()
        .all(|line| field(line).is_none() || is_tail(line))
    {
        true => Ok(head.to_vec()),
        false => Err(format!("the entry `{path}` has another order than pnpm's")),
    }
}

/// Checks that pnpm would decide for the new path of a package as it did for the one before whether
/// it has to be built.
fn keeps_build(path: &str, head: &[String], was: Needed, now: Needed) -> Result<(), String> {
    let requires_build = head.iter().any(|line| line == "    requiresBuild: true");
    let keeps = match (was.is_required, now.is_required) {
        (true, true) => true,
        (_, false) => requires_build,
        (false, true) => !requires_build,
    };
    match keeps {
        true => Ok(()),
        false => Err(format!("it is not known whether `{path}` has to be built")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_have_the_form_of_each_version() {
        let suffix = |form: Form, bases: &[&str]| {
            form.suffix(&bases.iter().map(|base| form.peer(base)).collect())
        };
        let five = ["/react/18.2.0", "/@s/a/1.0.0"];
        for form in [Form::FiveThree, Form::FiveFour] {
            let short = suffix(form, &five);
            assert_eq!(short.as_deref(), Some("_@s+a@1.0.0+react@18.2.0"));
        }
        let long = ["/react/18.2.0", "/react-dom/18.2.0"];
        assert_eq!(
            suffix(Form::FiveThree, &long).as_deref(),
            Some("_react-dom@18.2.0+react@18.2.0")
        );
        assert_eq!(
            suffix(Form::FiveFour, &long).as_deref(),
            Some("_biqbaboplfbrettd7655fr4n2y")
        );
        assert_eq!(
            suffix(Form::Six, &["/react@18.2.0", "/react-dom@18.2.0"]).as_deref(),
            Some("(react-dom@18.2.0)(react@18.2.0)")
        );
    }
}
