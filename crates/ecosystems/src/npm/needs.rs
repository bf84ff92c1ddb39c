//! The requirements of an installed package or of a project, as `package.json` groups them.

use super::json::{Map, Text};

/// The requirements of a package or a project, by kind: names with their requirements.
#[derive(Default)]
pub(super) struct Needs<'a> {
    pub(super) runtime: Map<'a, Option<Text<'a>>>,
    pub(super) optional: Map<'a, Option<Text<'a>>>,
    pub(super) peer: Map<'a, Option<Text<'a>>>,
    pub(super) development: Map<'a, Option<Text<'a>>>,
}

impl Needs<'_> {
    /// Number of names; a name counts once for each kind that lists it.
    pub(super) fn len(&self) -> usize {
        [&self.runtime, &self.optional, &self.peer, &self.development]
            .iter()
            .map(|names| names.0.len())
            .sum()
    }
}
