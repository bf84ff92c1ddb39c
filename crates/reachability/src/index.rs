//! The references of all sources of an ecosystem, with a few places of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use patchgate_api_surface::{Language, References, references};
use patchgate_fs::read_inside;
use patchgate_model::{Location, SourcePlace};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::files::{Listing, MAX_FILE_BYTES, SourceFile};
use crate::names::{is_standard, prefixes};

/// Most bytes of all sources.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Most bytes of the sources with parts that are not in the grammar, which are kept to be searched.
const MAX_BROKEN_BYTES: usize = 32 * 1024 * 1024;

/// Most places of one name that are kept.
pub(crate) const MAX_PLACES: usize = 5;

/// Files after which progress is reported.
const PROGRESS_STEP: usize = 200;

/// A file and a line, from 1.
pub(crate) type Place = (String, u32);

/// The references of the sources of one ecosystem.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Number of sources.
    pub(crate) files: usize,
    modules: BTreeMap<String, Module>,
    /// Modules by the keys of the import names that they may belong to.
    by_prefix: HashMap<String, Vec<String>>,
    methods: BTreeMap<String, Vec<Place>>,
    /// Reasons why names may be missing: the place and a fragment.
    pub(crate) gaps: Vec<(Place, String)>,
    /// Sources with parts that are not in the grammar, with the first such line.
    pub(crate) broken: Vec<(Place, Vec<u8>)>,
    /// Modules that are neither of the language nor of the repository, with their first place.
    pub(crate) foreign: BTreeMap<String, Place>,
}

#[derive(Debug, Default)]
struct Module {
    places: Vec<Place>,
    used: BTreeMap<String, Vec<Place>>,
}

/// Why a source was not read, or what was read of it.
type ReadSource = Result<(References, Option<Vec<u8>>), String>;

/// Reads the sources, in parallel, into an index for each ecosystem.
pub(crate) fn read(
    root: &Path,
    listing: &Listing,
    progress: &(dyn Fn(&str) + Sync),
) -> BTreeMap<&'static str, Index> {
    let done = AtomicUsize::new(0);
    let bytes = AtomicU64::new(0);
    let total = listing.sources.len();
    let read: Vec<ReadSource> = listing
        .sources
        .par_iter()
        .map(|file| {
            let count = done.fetch_add(1, Ordering::Relaxed);
            if count.is_multiple_of(PROGRESS_STEP) {
                progress(&format!("reading sources: {count} of {total}"));
            }
            read_one(root, file, &bytes)
        })
        .collect();

    let own = OwnModules::new(listing, &read);
    let mut indexes: BTreeMap<&'static str, Index> = BTreeMap::new();
    for (file, read) in listing.sources.iter().zip(read) {
        let index = indexes.entry(file.language.ecosystem()).or_default();
        index.add(file, read, &own);
    }
    for (ecosystem, index) in &mut indexes {
        for module in index.modules.keys() {
            for prefix in prefixes(ecosystem, module) {
                let modules = index.by_prefix.entry(prefix).or_default();
                modules.push(module.clone());
            }
        }
    }

    indexes
}

fn read_one(root: &Path, file: &SourceFile, bytes: &AtomicU64) -> ReadSource {
    let source =
        read_inside(root, &file.path, MAX_FILE_BYTES).map_err(|error| error.to_string())?;
    let size = source.len() as u64;
    if bytes.fetch_add(size, Ordering::Relaxed) + size > MAX_BYTES {
        return Err("was not read: the sources have more than 512 MiB".to_owned());
    }
    if std::str::from_utf8(&source).is_err() {
        return Err("is not UTF-8".to_owned());
    }
    let found = references(file.language, &source).ok_or("cannot be parsed")?;
    let broken = found.first_error.is_some().then_some(source);

    Ok((found, broken))
}

/// The modules that the repository itself has.
struct OwnModules {
    /// Paths of Python's files and directories, without their ends.
    python: HashSet<String>,
    /// Modules of Rust and packages of Java.
    declared: BTreeSet<String>,
}

impl OwnModules {
    fn new(listing: &Listing, read: &[ReadSource]) -> Self {
        let mut python = HashSet::new();
        let files = listing.sources.iter();
        for file in files.filter(|file| file.language == Language::Python) {
            let (path, _) = file.path.rsplit_once('.').unwrap_or_default();
            let ends = path.match_indices('/').map(|(end, _)| end);
            let ends = ends.chain(std::iter::once(path.len()));
            python.extend(ends.filter_map(|end| path.get(..end)).map(str::to_owned));
        }
        let declared = read
            .iter()
            .flatten()
            .flat_map(|(found, _)| found.declared.iter().cloned())
            .collect();

        Self { python, declared }
    }

    /// Whether a module that a file imports is of the repository itself.
    fn has(&self, file: &SourceFile, module: &str) -> bool {
        match file.language {
            // The directories that Python searches are not known: those above the file, and `src` and
            // `lib` in them.
            Language::Python => {
                let top = module.split('.').next().unwrap_or(module);
                let mut directory = file.path.as_str();
                while let Some((above, _)) = directory.rsplit_once('/').or(match directory {
                    "" => None,
                    _ => Some(("", "")),
                }) {
                    directory = above;
                    let below = |part: &str| match directory {
                        "" => format!("{part}{top}"),
                        directory => format!("{directory}/{part}{top}"),
                    };
                    if ["", "src/", "lib/"]
                        .iter()
                        .any(|part| self.python.contains(&below(part)))
                    {
                        return true;
                    }
                }
                false
            }
            Language::Rust => {
                let first = module.split("::").next().unwrap_or(module);
                self.declared.contains(first)
            }
            // An import may name a class of a package as a package.
            Language::Java => {
                let above = module.rsplit_once('.').map_or(module, |(above, _)| above);
                self.declared.contains(module) || self.declared.contains(above)
            }
            _ => false,
        }
    }
}

impl Index {
    fn add(&mut self, file: &SourceFile, read: ReadSource, own: &OwnModules) {
        self.files += 1;
        let (found, broken) = match read {
            Ok(read) => read,
            Err(reason) => {
                self.gaps.push(((file.path.clone(), 1), reason));
                return;
            }
        };

        for gap in found.gaps {
            let place = (file.path.clone(), gap.line);
            self.gaps.push((place, format!("has {}", gap.what)));
        }
        if let (Some(line), Some(source)) = (found.first_error, broken) {
            let place = (file.path.clone(), line);
            let known: usize = self.broken.iter().map(|(_, source)| source.len()).sum();
            match known + source.len() > MAX_BROKEN_BYTES {
                true => self.gaps.push((place, "cannot be parsed".to_owned())),
                false => self.broken.push((place, source)),
            }
        }
        for (method, line) in found.methods {
            keep(self.methods.entry(method).or_default(), file, line);
        }
        for (name, reference) in found.modules {
            if !is_standard(file.language, &name) && !own.has(file, &name) {
                let place = (file.path.clone(), reference.line);
                self.foreign.entry(name.clone()).or_insert(place);
            }
            let module = self.modules.entry(name).or_default();
            keep(&mut module.places, file, reference.line);
            for (name, reference) in reference.names {
                if let Some(line) = reference.used {
                    keep(module.used.entry(name).or_default(), file, line);
                }
            }
        }
    }

    /// The modules below an import name, by its key, with their places.
    pub(crate) fn below<'i>(
        &'i self,
        key: &str,
    ) -> impl Iterator<Item = (&'i str, &'i [Place])> + use<'i> {
        let modules = self.by_prefix.get(key).into_iter().flatten();
        modules.filter_map(|name| {
            let module = self.modules.get(name)?;
            Some((name.as_str(), module.places.as_slice()))
        })
    }

    /// The names of a module that are used, with their places.
    pub(crate) fn used(&self, module: &str) -> impl Iterator<Item = (&str, &[Place])> {
        let used = self.modules.get(module).map(|module| &module.used);
        used.into_iter()
            .flatten()
            .map(|(name, places)| (name.as_str(), places.as_slice()))
    }

    /// The places that import a module.
    pub(crate) fn places(&self, module: &str) -> &[Place] {
        self.modules
            .get(module)
            .map_or(&[], |module| module.places.as_slice())
    }

    /// The places that call a method of this name on a value of an unknown type.
    pub(crate) fn method(&self, name: &str) -> &[Place] {
        self.methods.get(name).map_or(&[], Vec::as_slice)
    }
}

fn keep(places: &mut Vec<Place>, file: &SourceFile, line: u32) {
    if places.len() < MAX_PLACES {
        places.push((file.path.clone(), line));
    }
}

/// The places as a report shows them.
pub(crate) fn shown(places: &[Place], name: &str) -> Vec<SourcePlace> {
    places
        .iter()
        .map(|(file, line)| SourcePlace {
            location: Location {
                file: file.clone(),
                line: *line,
            },
            name: name.to_owned(),
        })
        .collect()
}
