//! Versions of dependencies that do not state their own: from `dependencyManagement`, and from the
//! version lists (BOMs) that are imported there.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_DEPTH;
use super::effective::Model;
use super::raw::Pom;
use super::sources::{FileLocation, Sources};

/// The identity of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) kind: String,
    pub(super) classifier: String,
}

/// The managed version and scope of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Managed {
    /// The version, as written.
    pub(super) written: String,
    /// The version, if all of its properties have a value.
    pub(super) version: Option<String>,
    pub(super) scope: Option<String>,
}

/// Finds the managed versions of the `open` dependencies in a model's own list and in its imports.
pub(super) fn find(
    model: &Model,
    open: BTreeSet<Key>,
    sources: &mut Sources<'_>,
) -> BTreeMap<Key, Managed> {
    let mut search = Search {
        open,
        found: BTreeMap::new(),
    };
    search.look_in(model, MAX_DEPTH, sources);
    search.found
}

struct Search {
    open: BTreeSet<Key>,
    found: BTreeMap<Key, Managed>,
}

impl Search {
    /// Searches the model's own list first, then the imported lists in order; the first entry counts.
    /// Returns false if some list is unknown. Later lists are not searched in that case, because the
    /// unknown one takes precedence over them.
    fn look_in(&mut self, model: &Model, depth: usize, sources: &mut Sources<'_>) -> bool {
        let is_import = |one: &&super::Dependency| {
            one.scope.as_deref() == Some("import") && model.filled(&one.kind) == "pom"
        };
        for dependency in model.managed.iter().filter(|one| !is_import(one)) {
            let key = model.key(dependency);
            let (Some(written), true) = (&dependency.version, self.open.contains(&key)) else {
                continue;
            };

            self.open.remove(&key);
            self.found.insert(
                key,
                Managed {
                    written: written.clone(),
                    version: model.properties.fill(written),
                    scope: dependency.scope.as_deref().map(|scope| model.filled(scope)),
                },
            );
        }

        if self.open.is_empty() {
            return true;
        }
        if !model.is_whole {
            return false;
        }

        let mut imports = model.managed.iter().filter(is_import);
        for import in &mut imports {
            if self.open.is_empty() {
                return true;
            }
            if !self.import(model, import, depth, sources) {
                // The later lists will be needed too. Recording them now lets the caller fetch all
                // of them at once.
                for later in imports {
                    let _ = Self::imported(model, later, depth, sources);
                }
                return false;
            }
        }

        true
    }

    /// The file of an imported version list.
    fn imported(
        model: &Model,
        import: &super::Dependency,
        depth: usize,
        sources: &mut Sources<'_>,
    ) -> Option<(Pom, FileLocation)> {
        if depth == MAX_DEPTH {
            sources.at_line(import.line);
        }

        let version = import.version.as_deref().unwrap_or_default();
        sources.by_coordinates(
            "imported list of versions",
            &model.filled(&import.group),
            &model.filled(&import.artifact),
            &model.filled(version),
        )
    }

    fn import(
        &mut self,
        model: &Model,
        import: &super::Dependency,
        depth: usize,
        sources: &mut Sources<'_>,
    ) -> bool {
        let found = Self::imported(model, import, depth, sources);
        let (Some((pom, location)), Some(depth)) = (found, depth.checked_sub(1)) else {
            return false;
        };
        let list = Model::of(&pom, &location, None, sources);
        self.look_in(&list, depth, sources)
    }
}
