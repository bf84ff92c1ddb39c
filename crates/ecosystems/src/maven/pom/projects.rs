//! The projects of one run, read once: files by path, and the ancestors of each parent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use patchgate_model::{Lockfile, SmolStr};

use super::effective::{Ancestors, Model};
use super::layer::Layer;
use super::properties::Values as _;
use super::raw::{DeclaredRepository, Pom};
use super::sources::{EXTERNAL, Sources};
use crate::{Input, ParseError, Siblings};

/// Most bytes of files that are kept as models, which take a few times as much memory. Files beyond
/// that are read again each time. A repository of 1,500 projects has about 10 MiB.
const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A file and its model.
#[derive(Debug, Clone)]
pub(super) struct ProjectFile {
    /// Its path among the siblings.
    pub(super) path: SmolStr,
    pub(super) pom: Arc<Pom>,
    /// The file with the profiles that are active if none is requested.
    pub(super) layer: Arc<Layer>,
}

/// The Maven projects of one repository.
///
/// Modules share their parents and lists of versions. One value of this type reads each of those
/// once, for all modules that are read with it. All must have the same siblings; when files were
/// added to them, [`Projects::files_added`] must be called.
#[derive(Debug, Default)]
pub struct Projects {
    files: Mutex<HashMap<SmolStr, Result<ProjectFile, ParseError>>>,
    /// A parent with everything above it, by the parent's path.
    lineages: Mutex<HashMap<SmolStr, Arc<Ancestors>>>,
    /// Paths of the repository's own projects by the name of the artifact.
    artifacts: OnceLock<HashMap<SmolStr, Vec<SmolStr>>>,
    kept_bytes: AtomicUsize,
}

impl Projects {
    /// Reads the direct dependencies of a project.
    ///
    /// # Errors
    /// If the file is not a `pom.xml` or exceeds a limit.
    pub fn parse(&self, input: &Input<'_>) -> Result<Lockfile, ParseError> {
        super::read(input, self)
    }

    /// The repositories that a project and its ancestors declare, with expanded addresses. An
    /// address with an unknown property is left out. Of several with one identifier, Maven takes
    /// that of the closest descendant.
    ///
    /// The addresses are not trusted: the caller decides whether to contact them.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn repositories(&self, input: &Input<'_>) -> Result<Vec<DeclaredRepository>, ParseError> {
        let file = self.own(input)?;
        let mut sources = Sources::new(input, self, 1);
        let model = Model::of(&file, None, &mut sources);

        Ok(model
            .repositories()
            .into_iter()
            .filter_map(|one| {
                Some(DeclaredRepository {
                    url: model.fill(&SmolStr::new(&one.url))?.to_string(),
                    ..one.clone()
                })
            })
            .collect())
    }

    /// Must be called when files were added to the siblings: missing ones are looked for again.
    pub fn files_added(&mut self) {
        lock(&self.lineages).clear();
    }

    /// Must be called when a file changed: it and everything above others is read again. Its
    /// coordinates must be the same as before.
    pub(super) fn file_changed(&mut self, path: &str) {
        lock(&self.files).remove(path);
        lock(&self.lineages).clear();
    }

    /// The file to read itself, which need not be among the siblings.
    pub(super) fn own(&self, input: &Input<'_>) -> Result<ProjectFile, ParseError> {
        let is_sibling = input
            .sibling(input.path)
            .is_some_and(|bytes| std::ptr::eq(bytes, input.bytes));
        match self.file(input.siblings, input.path).filter(|_| is_sibling) {
            Some(file) => file,
            None => ProjectFile::read(input),
        }
    }

    /// The file at a path among the siblings, if there is one.
    pub(super) fn file(
        &self,
        siblings: &Siblings,
        path: &str,
    ) -> Option<Result<ProjectFile, ParseError>> {
        if let Some(known) = lock(&self.files).get(path) {
            return Some(known.clone());
        }

        let bytes = siblings.get(path)?;
        let file = ProjectFile::read(&Input {
            path,
            bytes,
            siblings,
        });
        // Two threads may read one file at the same time; then one of the results is dropped.
        let kept = self.kept_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        if kept <= MAX_KEPT_BYTES {
            lock(&self.files).insert(SmolStr::new(path), file.clone());
        }

        Some(file)
    }

    /// A parent with everything above it, if it was asked for before.
    pub(super) fn lineage(&self, path: &str) -> Option<Arc<Ancestors>> {
        lock(&self.lineages).get(path).cloned()
    }

    /// Keeps a parent with everything above it.
    pub(super) fn keep_lineage(&self, path: SmolStr, lineage: Arc<Ancestors>) {
        if self.kept_bytes.load(Ordering::Relaxed) <= MAX_KEPT_BYTES {
            lock(&self.lineages).insert(path, lineage);
        }
    }

    /// Paths of the repository's own projects with an artifact's name.
    pub(super) fn of_artifact(&self, siblings: &Siblings, artifact: &str) -> &[SmolStr] {
        let index = self.artifacts.get_or_init(|| {
            let mut index: HashMap<SmolStr, Vec<SmolStr>> = HashMap::new();
            let is_own = |path: &&String| {
                let name = path.rsplit('/').next();
                name == Some("pom.xml") && !path.starts_with(EXTERNAL)
            };
            for path in siblings.keys().filter(is_own) {
                if let Some(Ok(file)) = self.file(siblings, path) {
                    let paths = index.entry(file.pom.artifact.clone()).or_default();
                    paths.push(file.path);
                }
            }
            index
        });
        index.get(artifact).map_or(&[], Vec::as_slice)
    }
}

impl ProjectFile {
    fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        let pom = Arc::new(Pom::read(input)?);
        // A project of the repository reports its skipped entries itself; another one has no report.
        if let (true, Some(entry)) = (input.path.starts_with(EXTERNAL), pom.skipped.first()) {
            return Err(ParseError::new(entry.reason.clone()).at_line(entry.line as usize));
        }
        Ok(Self {
            path: SmolStr::new(input.path),
            layer: Arc::new(Layer::of(Arc::clone(&pom), None)),
            pom,
        })
    }
}

/// A panic of another thread leaves these maps whole: each insertion is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
