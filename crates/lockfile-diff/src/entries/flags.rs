//! npm's flags `dev`, `optional`, `devOptional` and `peer`, computed from the graph.
//!
//! A flag says that a copy is reached through edges of one kind only. npm clears the flags along
//! the edges from the projects (`calc-dep-flags.js` in `@npmcli/arborist`); this is the same rule.

use std::collections::BTreeMap;

use patchgate_model::{DependencyKind, Edge, Lockfile};

/// The flags of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
    pub(super) peer: bool,
}

/// The flags that the graph gives, by install path.
pub(super) struct FlagsOfGraph<'a> {
    by_path: BTreeMap<&'a str, usize>,
    /// Copies that are reached without edges of a kind.
    without_dev: Vec<bool>,
    without_peer: Vec<bool>,
    /// Without optional edges, and without both kinds. Twice: a peer dependency may be an optional
    /// one, which the graph does not say.
    variants: [(Vec<bool>, Vec<bool>); 2],
}

impl<'a> FlagsOfGraph<'a> {
    pub(super) fn new(lockfile: &'a Lockfile) -> Self {
        use DependencyKind::{Development, Optional, Peer};

        let reached = |skipped: &[DependencyKind]| reached(lockfile, skipped);
        Self {
            by_path: lockfile
                .packages
                .iter()
                .enumerate()
                .filter_map(|(index, package)| Some((package.install_path.as_deref()?, index)))
                .collect(),
            without_dev: reached(&[Development]),
            without_peer: reached(&[Peer]),
            variants: [
                (reached(&[Optional]), reached(&[Development, Optional])),
                (
                    reached(&[Optional, Peer]),
                    reached(&[Development, Optional, Peer]),
                ),
            ],
        }
    }

    /// Whether the graph gives these flags to the copy at a path.
    pub(super) fn explain(&self, path: &str, flags: Flags) -> bool {
        let Some(&index) = self.by_path.get(path) else {
            return false;
        };

        self.variants.iter().any(|(optional, either)| {
            let dev = !self.without_dev[index];
            let optional = !optional[index];
            let expected = Flags {
                dev,
                optional,
                dev_optional: !either[index] && !dev && !optional,
                peer: !self.without_peer[index],
            };
            expected == flags
        })
    }
}

/// For each package, whether a project reaches it without edges of these kinds.
fn reached(lockfile: &Lockfile, skipped: &[DependencyKind]) -> Vec<bool> {
    let mut reached = vec![false; lockfile.packages.len()];
    let mut queue: Vec<&Edge> = lockfile.roots.iter().flat_map(|root| &root.edges).collect();
    while let Some(edge) = queue.pop() {
        let index = edge.to.0 as usize;
        if skipped.contains(&edge.kind) || reached.get(index) != Some(&false) {
            continue;
        }

        reached[index] = true;
        queue.extend(&lockfile.packages[index].edges);
    }

    reached
}
