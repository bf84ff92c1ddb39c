//! The requirements of an installed package or of a project, as `package.json` groups them.

use super::json::{Map, Text};

/// What a copy or a project asks for, by kind.
#[derive(Default)]
pub(super) struct Needs<'a> {
    pub(super) runtime: Map<'a, Option<Text<'a>>>,
    pub(super) optional: Map<'a, Option<Text<'a>>>,
    pub(super) peer: Map<'a, Option<Text<'a>>>,
    pub(super) development: Map<'a, Option<Text<'a>>>,
}

impl Needs<'_> {
    /// How many names there are, counted again for each kind in which they stand.
    pub(super) fn len(&self) -> usize {
        [&self.runtime, &self.optional, &self.peer, &self.development]
            .iter()
            .map(|names| names.0.len())
            .sum()
    }
}
