//! Versions of dependencies that do not state their own: from `dependencyManagement`, and from the
//! version lists (BOMs) that are imported there.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use patchgate_model::SmolStr;

use super::MAX_DEPTH;
use super::effective::Model;
use super::projects::ProjectFile;
use super::properties::Values as _;
use super::raw::Dependency;
use super::sources::{Brings, Sources};

/// The identity of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) group: SmolStr,
    pub(super) artifact: SmolStr,
    pub(super) kind: SmolStr,
    pub(super) classifier: SmolStr,
}

/// The managed version and scope of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Managed {
    /// The version, as written.
    pub(super) written: SmolStr,
    /// The version, if all of its properties have a value.
    pub(super) version: Option<SmolStr>,
    pub(super) scope: Option<SmolStr>,
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
        searched: HashSet::new(),
    };
    search.look_in(model, MAX_DEPTH, sources);
    search.found
}

struct Search {
    open: BTreeSet<Key>,
    found: BTreeMap<Key, Managed>,
    /// Lists that were searched or are being searched: they have nothing more for open dependencies.
    searched: HashSet<SmolStr>,
}

impl Search {
    /// Searches the model's own list first, then the imported lists in order; the first entry counts.
    /// Returns false if some list is unknown. Later lists are not searched in that case, because the
    /// unknown one takes precedence over them.
    fn look_in(&mut self, model: &Model, depth: usize, sources: &mut Sources<'_>) -> bool {
        self.take_from(model);
        if self.open.is_empty() {
            return true;
        }
        if let Some(gap) = &model.gap {
            sources.record(gap, Brings::Versions);
            return false;
        }

        let mut imports = model.imports().into_iter();
        while let Some(import) = imports.next() {
            if self.open.is_empty() {
                return true;
            }
            if !self.import(model, import, depth, sources) {
                // The later lists will be needed too. Recording them now lets the caller fetch all
                // of them at once.
                for later in imports {
                    let _ = imported(model, later, depth, sources);
                }
                return false;
            }
        }

        true
    }

    fn take_from(&mut self, model: &Model) {
        let found = &mut self.found;
        self.open.retain(|key| {
            let Some((entry, written)) = model
                .managed(key)
                .and_then(|entry| Some((entry, entry.version.as_ref()?)))
            else {
                return true;
            };
            let managed = Managed {
                written: written.clone(),
                version: model.fill(written),
                scope: entry.scope.as_ref().map(|scope| model.filled(scope)),
            };
            found.insert(key.clone(), managed);
            false
        });
    }

    fn import(
        &mut self,
        model: &Model,
        import: (u32, &Dependency),
        depth: usize,
        sources: &mut Sources<'_>,
    ) -> bool {
        let found = imported(model, import, depth, sources);
        let (Some(file), Some(depth)) = (found, depth.checked_sub(1)) else {
            return false;
        };
        if !self.searched.insert(file.path.clone()) {
            return true;
        }
        let list = Model::of(&file, None, sources);
        self.look_in(&list, depth, sources)
    }
}

/// The file of an imported version list.
fn imported(
    model: &Model,
    (line, import): (u32, &Dependency),
    depth: usize,
    sources: &mut Sources<'_>,
) -> Option<ProjectFile> {
    if depth == MAX_DEPTH {
        sources.at_line(line);
    }

    let version = import.version.clone().unwrap_or_default();
    let found = sources.list(
        &model.filled(&import.group),
        &model.filled(&import.artifact),
        &model.filled(&version),
    );
    match found {
        Ok(file) => Some(file),
        Err(gap) => {
            sources.record(&gap, Brings::Versions);
            None
        }
    }
}
