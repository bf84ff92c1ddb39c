//! The peers of every copy, as pnpm finds them: which copies a path names in parentheses, and which
//! peers an entry leaves to its dependents.
//!
//! pnpm gives a peer the copy that the nearest dependent above has under that name
//! (<https://pnpm.io/how-peers-are-resolved>). Here the graph says which copy it is; what follows from
//! that is computed for the file before as well. Where that does not give the file's own text, for
//! example because pnpm merged two copies, the text is only changed by its names.

mod solved;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use self::solved::{Site, Solved};
use super::old::Form;

/// Most peers of all copies together that are computed.
const MAX_PEERS: usize = 1_000_000;

/// Most steps in search of cycles among peers.
const MAX_STEPS: usize = 4_000_000;

/// Most levels of peers of peers.
const MAX_DEPTH: usize = 64;

/// A graph of copies.
pub(super) struct Shape {
    pub(super) nodes: Vec<Copied>,
    pub(super) projects: Vec<Project>,
    /// The project at the root of the workspace, whose dependencies satisfy the peers of all others.
    pub(super) root: Option<usize>,
}

/// A copy of a package.
#[derive(Default)]
pub(super) struct Copied {
    /// Its index in the lockfile before.
    pub(super) was: Option<usize>,
    pub(super) name: String,
    /// Its path without peers.
    pub(super) base: String,
    /// The peers in its manifest, and whether each is optional.
    pub(super) declared: BTreeMap<String, bool>,
    pub(super) edges: BTreeMap<String, usize>,
    /// Names of linked directories that it depends on.
    pub(super) links: BTreeSet<String>,
}

/// The dependencies of a project.
#[derive(Default)]
pub(super) struct Project {
    pub(super) edges: BTreeMap<String, usize>,
    pub(super) links: BTreeSet<String>,
}

/// The text of a copy in the file before.
pub(super) struct Text {
    pub(super) path: String,
    /// Its path without peers.
    pub(super) base: String,
    pub(super) transitive: Vec<String>,
}

/// The settings that count.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) form: Form,
    /// Whether pnpm installs peers that nothing provides.
    pub(super) installs_peers: bool,
    /// Longest list of peers in a path; a longer one is replaced by its hash.
    pub(super) longest: usize,
}

/// The copies as they should be written.
pub(super) struct Named {
    pub(super) paths: Vec<String>,
    pub(super) transitive: Vec<Vec<String>>,
}

/// Finds the paths of a new graph.
///
/// # Errors
/// If pnpm alone decides which copy is a peer.
pub(super) fn name(
    old: &Shape,
    new: &Shape,
    texts: &[Text],
    settings: Settings,
) -> Result<Named, String> {
    let (before, after) = (Solved::of(old)?, Solved::of(new)?);
    agree(old, new, &before, &after, settings)?;

    let mut now = vec![None; old.nodes.len()];
    for (number, node) in new.nodes.iter().enumerate() {
        if let Some(now) = node.was.and_then(|was| now.get_mut(was)) {
            *now = Some(number);
        }
    }
    let mut naming = Naming {
        new,
        before: &before,
        after: &after,
        texts,
        by_path: texts
            .iter()
            .enumerate()
            .map(|(index, text)| (text.path.as_str(), index))
            .collect(),
        now,
        is_computed: Vec::new(),
        settings,
        paths: vec![None; new.nodes.len()],
        cyclic_before: before.cyclic()?,
        cyclic: after.cyclic()?,
    };
    for number in 0..old.nodes.len() {
        let computed = naming.computed_before(old, number);
        let is_same = texts.get(number).is_some_and(|text| text.path == computed);
        naming.is_computed.push(is_same);
    }

    let mut named = Named {
        paths: Vec::with_capacity(new.nodes.len()),
        transitive: Vec::with_capacity(new.nodes.len()),
    };
    for number in 0..new.nodes.len() {
        named.paths.push(naming.path(number, 0)?);
        named.transitive.push(naming.transitive(old, number)?);
    }
    are_apart(new, texts, &before, &after, &named.paths)?;

    Ok(named)
}

/// Checks that the new graph has no peer of which the rules say something else, unless the one before
/// had it too.
fn agree(
    old: &Shape,
    new: &Shape,
    before: &Solved,
    after: &Solved,
    settings: Settings,
) -> Result<(), String> {
    let refused =
        |peer: &str| format!("pnpm alone decides which copy of the peer `{peer}` is used");
    if let Some((_, peer)) = after
        .doubts
        .iter()
        .find(|doubt| matches!(doubt.0, Site::Copy(None)) || !before.doubts.contains(doubt))
    {
        return Err(refused(peer));
    }

    for ((project, peer), copies) in &after.installed {
        let known = before.installed.get(&(*project, peer.clone()));
        let was = |copy: &usize| new.nodes.get(*copy).and_then(|node| node.was);
        let is_known = copies.iter().all(|copy| {
            was(copy).is_some_and(|was| known.is_some_and(|known| known.contains(&was)))
        });
        if !is_known {
            return Err(refused(peer));
        }
    }
    for (key, is_optional) in &after.open {
        let had = |shape: &Shape| shape.nodes.iter().any(|node| node.name == key.1);
        let is_known = before.open.contains_key(key) && (had(old) || !had(new));
        let stays_open = !settings.installs_peers || (*is_optional && !had(new));
        if !is_known && !stays_open {
            return Err(refused(&key.1));
        }
    }

    Ok(())
}

/// Checks that pnpm would not merge two copies, of which one has all peers of the other.
fn are_apart(
    new: &Shape,
    texts: &[Text],
    before: &Solved,
    after: &Solved,
    paths: &[String],
) -> Result<(), String> {
    let mut by_base: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, node) in new.nodes.iter().enumerate() {
        by_base.entry(&node.base).or_default().push(number);
    }
    let old_path = |node: usize| texts.get(node).map(|text| text.path.as_str());
    let new_path = |node: usize| paths.get(node).map(String::as_str);
    let is_part_before = |a: usize, b: usize| is_part(&before.bound, old_path, a, b);
    let is_part_after = |a: usize, b: usize| is_part(&after.bound, new_path, a, b);

    for copies in by_base.values().filter(|copies| copies.len() > 1) {
        for (a, b) in copies
            .iter()
            .flat_map(|a| copies.iter().map(move |b| (*a, *b)))
        {
            if a == b || paths.get(a) == paths.get(b) || !is_part_after(a, b) {
                continue;
            }
            let was = |node: usize| new.nodes.get(node).and_then(|node| node.was);
            let stays = was(a)
                .zip(was(b))
                .is_some_and(|(a, b)| is_part_before(a, b));
            if !stays {
                let path = paths.get(a).map_or("", String::as_str);
                return Err(format!(
                    "pnpm alone decides whether `{path}` is merged with another copy"
                ));
            }
        }
    }

    Ok(())
}

/// Whether a copy has some of the peers of another one, and no other peers.
fn is_part<'p>(
    bound: &[BTreeMap<String, usize>],
    path: impl Fn(usize) -> Option<&'p str>,
    a: usize,
    b: usize,
) -> bool {
    let set = |node: usize| -> BTreeSet<&str> {
        let bound = bound.get(node).into_iter().flat_map(BTreeMap::values);
        bound.filter_map(|node| path(*node)).collect()
    };
    let (a, b) = (set(a), set(b));
    a != b && a.is_subset(&b)
}

impl Copied {
    /// The copies that it depends on, apart from its peers.
    fn needed(&self) -> impl Iterator<Item = usize> {
        self.edges
            .iter()
            .filter(|(name, _)| !self.declared.contains_key(*name))
            .map(|(_, to)| *to)
    }

    /// Whether what it depends on gets a peer from it.
    fn provides(&self, peer: &str) -> bool {
        self.name == peer || self.edges.contains_key(peer) || self.links.contains(peer)
    }
}

struct Naming<'a> {
    new: &'a Shape,
    before: &'a Solved,
    after: &'a Solved,
    texts: &'a [Text],
    by_path: BTreeMap<&'a str, usize>,
    /// The new index of each copy of the file before.
    now: Vec<Option<usize>>,
    /// Whether the path of each copy of the file before follows from the rules.
    is_computed: Vec<bool>,
    settings: Settings,
    paths: Vec<Option<String>>,
    /// Copies that need themselves as a peer, before and now. Others name them without their peers.
    cyclic_before: BTreeSet<usize>,
    cyclic: BTreeSet<usize>,
}

impl Naming<'_> {
    /// The path of a copy of the file before, with the paths of its peers as in the file.
    fn computed_before(&self, old: &Shape, number: usize) -> String {
        let (Some(node), Some(bound)) = (old.nodes.get(number), self.before.bound.get(number))
        else {
            return String::new();
        };
        let mut peers = BTreeSet::new();
        for to in bound.values() {
            let text = self.texts.get(*to);
            if self.settings.form != Form::Nine {
                peers.extend(text.map(|text| self.settings.form.peer(&text.base)));
                continue;
            }
            let peer = match self.cyclic_before.contains(to) {
                true => text.map(|text| &text.base),
                false => text.map(|text| &text.path),
            };
            peers.insert(peer.cloned().unwrap_or_default());
        }

        format!("{}{}", node.base, self.suffix(&peers))
    }

    fn suffix(&self, peers: &BTreeSet<String>) -> String {
        if peers.is_empty() {
            return String::new();
        }
        if let Some(suffix) = self.settings.form.suffix(peers) {
            return suffix;
        }
        let joined = peers
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(")(");
        match joined.len() > self.settings.longest {
            true => {
                let mut hash = base16(&Sha256::digest(joined.as_bytes()));
                hash.truncate(32);
                format!("({hash})")
            }
            false => format!("({joined})"),
        }
    }

    /// The new path of a copy.
    fn path(&mut self, number: usize, depth: usize) -> Result<String, String> {
        if let Some(Some(path)) = self.paths.get(number) {
            return Ok(path.clone());
        }
        if depth > MAX_DEPTH {
            return Err("its peers are nested too deeply".to_owned());
        }
        let after = self.after;
        let (Some(node), Some(bound)) = (self.new.nodes.get(number), after.bound.get(number))
        else {
            return Ok(String::new());
        };

        let text = node.was.and_then(|was| Some((was, self.texts.get(was)?)));
        let path = match text {
            Some((was, text)) if self.is_computed.get(was) != Some(&true) => {
                self.renamed(number, was, text, depth)?
            }
            _ => {
                let mut peers = BTreeSet::new();
                for to in bound.values() {
                    if self.settings.form != Form::Nine {
                        let peer = self.new.nodes.get(*to).map(|peer| &*peer.base);
                        peers.extend(peer.map(|base| self.settings.form.peer(base)));
                        continue;
                    }
                    let peer = match self.cyclic.contains(to) {
                        true => self
                            .new
                            .nodes
                            .get(*to)
                            .map(|peer| peer.base.clone())
                            .unwrap_or_default(),
                        false => self.path(*to, depth + 1)?,
                    };
                    peers.insert(peer);
                }
                format!("{}{}", node.base, self.suffix(&peers))
            }
        };
        if let Some(known) = self.paths.get_mut(number) {
            *known = Some(path.clone());
        }
        Ok(path)
    }

    /// The path of a copy with peers as in the file before, by their new names.
    fn renamed(
        &mut self,
        number: usize,
        was: usize,
        text: &Text,
        depth: usize,
    ) -> Result<String, String> {
        let refused = || format!("the peers of `{}` do not follow from the graph", text.path);
        if !self.has_same_peers(number, was) {
            return Err(refused());
        }
        if self.settings.form != Form::Nine {
            let suffix = text.path.get(text.base.len()..).unwrap_or_default();
            let base = self.new.nodes.get(number).map(|node| &*node.base);
            return match self.changes_peers() {
                true => Err(refused()),
                false => Ok(format!("{}{suffix}", base.unwrap_or_default())),
            };
        }

        let mut peers = BTreeSet::new();
        for peer in groups(text.path.get(text.base.len()..).unwrap_or_default()) {
            if let Some(known) = self.by_path.get(peer).copied() {
                let now = self.now.get(known).copied().flatten().ok_or_else(refused)?;
                peers.insert(self.path(now, depth + 1)?);
                continue;
            }
            // Another text, such as a linked directory, says nothing of a copy that changes.
            for part in peer.split(['(', ')']) {
                let is_changed = self.texts.iter().enumerate().any(|(index, text)| {
                    let now = self.now.get(index).copied().flatten();
                    let now = now.and_then(|now| self.new.nodes.get(now));
                    text.base == part && now.is_none_or(|now| now.base != part)
                });
                if is_changed || !peer.contains('@') {
                    return Err(refused());
                }
            }
            peers.insert(peer.to_owned());
        }

        let base = self
            .new
            .nodes
            .get(number)
            .map_or("", |node| node.base.as_str());
        Ok(format!("{base}{}", self.suffix(&peers)))
    }

    /// Whether a copy that changes or leaves may be a peer of another one.
    fn changes_peers(&self) -> bool {
        let declared: BTreeSet<&String> = self
            .new
            .nodes
            .iter()
            .flat_map(|node| node.declared.keys())
            .collect();
        let bound: BTreeSet<usize> = self
            .before
            .bound
            .iter()
            .flat_map(BTreeMap::values)
            .copied()
            .collect();
        self.texts.iter().enumerate().any(|(index, text)| {
            let now = self.now.get(index).copied().flatten();
            let now = now.and_then(|now| self.new.nodes.get(now));
            let is_changed = now.is_none_or(|now| now.base != text.base);
            let is_named = now.is_some_and(|now| declared.contains(&now.name));
            is_changed && (bound.contains(&index) || is_named)
        })
    }

    /// Whether a copy has the peers that it had before, in whatever version.
    fn has_same_peers(&self, number: usize, was: usize) -> bool {
        let before = self.before.bound.get(was).into_iter().flatten();
        let before: Option<BTreeMap<&String, usize>> = before
            .map(|(peer, copy)| Some((peer, self.now.get(*copy).copied().flatten()?)))
            .collect();
        let after = self.after.bound.get(number).into_iter().flatten();
        before.is_some_and(|before| before == after.map(|(peer, copy)| (peer, *copy)).collect())
    }

    /// The peers that the entry of a copy leaves to its dependents.
    fn transitive(&self, old: &Shape, number: usize) -> Result<Vec<String>, String> {
        let Some(node) = self.new.nodes.get(number) else {
            return Ok(Vec::new());
        };
        let computed = transitive(node, self.after, number);
        let Some((was, text)) = node.was.and_then(|was| Some((was, self.texts.get(was)?))) else {
            return Ok(computed);
        };
        let before = old
            .nodes
            .get(was)
            .map(|node| transitive(node, self.before, was));
        if before.as_ref() == Some(&text.transitive) {
            return Ok(computed);
        }
        match before.as_ref() == Some(&computed) {
            true => Ok(text.transitive.clone()),
            false => Err(format!(
                "the peers that `{}` leaves open do not follow from the graph",
                text.path
            )),
        }
    }
}

fn transitive(node: &Copied, solved: &Solved, number: usize) -> Vec<String> {
    let bound = solved
        .bound
        .get(number)
        .into_iter()
        .flat_map(BTreeMap::keys);
    let missing = solved
        .missing
        .get(number)
        .into_iter()
        .flat_map(BTreeMap::keys);
    let names: BTreeSet<&String> = bound
        .chain(missing)
        .filter(|peer| !node.declared.contains_key(*peer))
        .collect();
    names.into_iter().cloned().collect()
}

/// The texts in the outermost parentheses.
fn groups(suffix: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, byte) in suffix.bytes().enumerate() {
        match byte {
            b'(' => {
                if depth == 0 {
                    start = at + 1;
                }
                depth += 1;
            }
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    groups.extend(suffix.get(start..at));
                }
            }
            _ => {}
        }
    }
    groups
}

pub(super) fn base16(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
