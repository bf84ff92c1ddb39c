//! The answer about each finding.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use memchr::memmem::Finder;
use patchgate_api_surface::Language;
use patchgate_model::{Finding, Inventory, Reachability, ReachabilityEvidence, Scope, SourcePlace};

use crate::files::{Listing, list};
use crate::index::{Index, MAX_PLACES, Place, read, shown};
use crate::mentions::{Mentions, mention, only_lists, search};
use crate::names::{import_names, is_certain, key, prefixes};
use crate::packages::{Dependency, Packages};
use crate::symbols::Symbols;

/// The languages of the sources that are read.
const LANGUAGES: [Language; 7] = [
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Python,
    Language::Rust,
    Language::Go,
    Language::Java,
];

/// The sources of a repository.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The directory of the repository.
    pub root: &'a Path,
    /// The packages that its lockfiles have.
    pub inventory: &'a Inventory,
    /// Called with a short text while the sources are read, from several threads.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Reads the sources of a repository and sets the reachability of every finding. A file that cannot be
/// read makes answers unknown; it is no error. `lowers` is the setting that lets "not imported" lower an
/// outcome, and goes into the evidence.
///
/// ```
/// use patchgate_model::Inventory;
/// use patchgate_reachability::{Sources, assess};
///
/// let sources = Sources {
///     root: std::path::Path::new("src"),
///     inventory: &Inventory::default(),
///     progress: &|_| (),
/// };
/// assess(&sources, &mut [], false);
/// ```
pub fn assess(sources: &Sources<'_>, findings: &mut [&mut Finding], lowers: bool) {
    let is_needed = |language: Language| {
        let ecosystem = language.ecosystem();
        let mut needed = findings.iter().map(|one| one.package.ecosystem.as_str());
        needed.any(|one| one == ecosystem)
    };
    let needed: BTreeSet<Language> = LANGUAGES
        .into_iter()
        .filter(|one| is_needed(*one))
        .collect();
    (sources.progress)("reading sources");
    let listing = match needed.is_empty() {
        true => Listing::default(),
        false => list(sources.root, |language| needed.contains(&language)),
    };
    let indexes = read(sources.root, &listing, sources.progress);
    let packages = Packages::of(sources.inventory);
    let unexplained = indexes
        .iter()
        .filter_map(|(ecosystem, index)| {
            Some((*ecosystem, unexplained(index, &packages, ecosystem)?))
        })
        .collect();
    let repository = Repository {
        indexes,
        packages,
        listing: &listing,
        unexplained,
    };

    // What nothing imports is searched for in the text of all files, in one pass.
    let mut answers: Vec<Answer> = findings
        .iter()
        .map(|finding| repository.answer(finding))
        .collect();
    repository.search(sources, &mut answers);
    for (finding, mut answer) in findings.iter_mut().zip(answers) {
        let is_unused = answer.evidence.reachability == Reachability::NotImported;
        answer.evidence.lowers_outcome = lowers && is_unused;
        finding.reachability = Some(answer.evidence);
    }
}

/// An answer, and what could still change it.
struct Answer {
    evidence: ReachabilityEvidence,
    /// Names that nothing in the repository may mention if the answer is to stay "not imported".
    names: Vec<String>,
}

struct Repository<'a> {
    indexes: BTreeMap<&'static str, Index>,
    packages: Packages<'a>,
    listing: &'a Listing,
    /// For each ecosystem, the first imported module that nothing explains.
    unexplained: BTreeMap<&'static str, (String, Place)>,
}

fn unknown(reason: String, places: Vec<SourcePlace>) -> Answer {
    Answer {
        evidence: ReachabilityEvidence {
            reachability: Reachability::Unknown,
            reason,
            places,
            lowers_outcome: false,
        },
        names: Vec::new(),
    }
}

fn seen(reachability: Reachability, reason: String, mut places: Vec<SourcePlace>) -> Answer {
    places.sort();
    places.dedup();
    places.truncate(MAX_PLACES);
    Answer {
        evidence: ReachabilityEvidence {
            reachability,
            reason,
            places,
            lowers_outcome: false,
        },
        names: Vec::new(),
    }
}

impl Repository<'_> {
    fn answer(&self, finding: &Finding) -> Answer {
        let ecosystem = finding.package.ecosystem.as_str();
        if finding.malicious {
            let reason = "a malicious release can run its code when it is installed";
            return unknown(reason.to_owned(), Vec::new());
        }
        if !LANGUAGES.iter().any(|one| one.ecosystem() == ecosystem) {
            let reason = format!("sources that use packages of {ecosystem} are not read");
            return unknown(reason, Vec::new());
        }
        let index = self.indexes.get(ecosystem).filter(|index| index.files > 0);
        let Some(index) = index else {
            let reason =
                format!("the repository has no sources that import packages of {ecosystem}");
            return unknown(reason, Vec::new());
        };

        let name = finding.package.name.as_str();
        let none = Dependency::default();
        let dependency = self.packages.get(ecosystem, name).unwrap_or(&none);
        let symbols = Symbols::of(finding);
        let mut names = import_names(ecosystem, name, &dependency.aliases);
        if ecosystem == "crates.io" {
            // A record has the name of the library, which may differ from that of the crate.
            let modules = symbols.by_module.keys();
            names.extend(modules.filter_map(|path| path.split("::").next().map(str::to_owned)));
        }
        let uses = Uses {
            index,
            ecosystem,
            name,
            imported: self.imported(index, ecosystem, name, &names),
        };

        if let Some(answer) = uses.called(&symbols) {
            return answer;
        }
        if let Some(answer) = uses.imports(&symbols) {
            return answer;
        }
        match self.unproven(finding, dependency, index, &names) {
            Some(answer) => answer,
            None => Answer {
                names: names.into_iter().chain([name.to_owned()]).collect(),
                ..seen(
                    Reachability::NotImported,
                    format!("none of {} source files imports it", index.files),
                    Vec::new(),
                )
            },
        }
    }

    /// The modules of a package that are imported, with their places.
    fn imported<'i>(
        &self,
        index: &'i Index,
        ecosystem: &str,
        name: &str,
        names: &[String],
    ) -> BTreeMap<&'i str, &'i [Place]> {
        let modules = names
            .iter()
            .flat_map(|name| index.below(&key(ecosystem, name)))
            .collect();
        match ecosystem {
            "Go" => self.of_module(modules, name),
            _ => modules,
        }
    }

    /// The packages of Go that are of this module and not of one with a longer path
    /// (<https://go.dev/ref/mod#resolve-pkg-mod>).
    fn of_module<'i>(
        &self,
        mut packages: BTreeMap<&'i str, &'i [Place]>,
        module: &str,
    ) -> BTreeMap<&'i str, &'i [Place]> {
        let longer: HashSet<&str> = self
            .packages
            .names("Go")
            .filter(|other| {
                let rest = other.strip_prefix(module);
                rest.is_some_and(|rest| rest.starts_with('/'))
            })
            .collect();
        packages.retain(|package, _| {
            !prefixes("Go", package)
                .iter()
                .any(|one| longer.contains(one.as_str()))
        });
        packages
    }

    /// Why it is not certain that the sources do not use a package that none of them imports by name.
    fn unproven(
        &self,
        finding: &Finding,
        dependency: &Dependency,
        index: &Index,
        names: &[String],
    ) -> Option<Answer> {
        let ecosystem = finding.package.ecosystem.as_str();
        let because = |reason: String| Some(unknown(reason, Vec::new()));
        let at = |reason: String, (file, line): &Place, name: &str| {
            let places = shown(&[(file.clone(), *line)], name);
            Some(unknown(reason, places))
        };

        if !dependency.dependents.is_empty() {
            let dependents: Vec<&str> = dependency.dependents.iter().map(String::as_str).collect();
            return because(format!(
                "{} needs it, and sources of dependencies are not read",
                dependents.join(", ")
            ));
        }
        if !dependency.is_direct {
            return because(
                "the project does not need it itself, and sources of dependencies are not read"
                    .to_owned(),
            );
        }
        if dependency.lacks_graph {
            return because("the lockfile does not say which other packages need it".to_owned());
        }
        let is_tool = matches!(
            finding.scope,
            Scope::Development | Scope::Test | Scope::Build
        );
        if is_tool && matches!(ecosystem, "npm" | "PyPI") {
            return because(
                "a development dependency can be a program, which is run without an import"
                    .to_owned(),
            );
        }

        if let Some(reason) = &self.listing.cut {
            return because(format!("not all sources were read: {reason}"));
        }
        if let Some(copies) = self.listing.copies.first() {
            return because(format!("the sources in `{copies}` are not read"));
        }
        if let Some((place, reason)) = index.gaps.first() {
            return at(format!("`{}` {reason}", place.0), place, "");
        }
        if let Some((place, name)) = in_broken(index, names) {
            let reason = format!("`{}` mentions it and cannot be parsed as a whole", place.0);
            return at(reason, place, name);
        }
        if !is_certain(ecosystem, &finding.package.name)
            && let Some((module, place)) = self.unexplained.get(ecosystem)
        {
            let reason = format!(
                "no package is known to have the module `{module}`, so this one may have it"
            );
            return at(reason, place, module);
        }
        None
    }

    /// Searches all files for the packages that no source imports. One that is mentioned, or that may be
    /// mentioned in a file that cannot be searched, is unknown.
    fn search(&self, sources: &Sources<'_>, answers: &mut [Answer]) {
        let names: BTreeSet<String> = answers.iter().flat_map(|one| one.names.clone()).collect();
        if names.is_empty() {
            return;
        }
        (sources.progress)("searching files");
        let inventory = sources.inventory;
        let read: HashSet<&str> = inventory
            .lockfiles
            .iter()
            .map(|lockfile| lockfile.path.as_str())
            .chain(inventory.unlocked.iter().map(|one| one.path.as_str()))
            .chain(inventory.lockfiles.iter().flat_map(|lockfile| {
                let manifests = lockfile.roots.iter();
                manifests.filter_map(|root| root.manifest.as_deref())
            }))
            .collect();
        let files: Vec<&str> = self
            .listing
            .sources
            .iter()
            .map(|file| file.path.as_str())
            .chain(self.listing.others.iter().map(String::as_str))
            .filter(|path| !only_lists(path, read.contains(path)))
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        let mentions = search(sources.root, &files, &names);

        for answer in answers.iter_mut().filter(|one| !one.names.is_empty()) {
            if let Some(evidence) = contradiction(&mentions, &answer.names) {
                answer.evidence = evidence;
            }
        }
    }
}

/// An imported module that is neither of the repository nor of a package by its name.
fn unexplained(index: &Index, packages: &Packages<'_>, ecosystem: &str) -> Option<(String, Place)> {
    let own = packages.own.iter().filter(|(of, _)| *of == ecosystem);
    let known: HashSet<String> = packages
        .names(ecosystem)
        .chain(own.map(|(_, name)| *name))
        .flat_map(|name| import_names(ecosystem, name, &[]))
        .map(|name| key(ecosystem, &name))
        .collect();
    let is_explained = |module: &str| {
        let mut beginnings = prefixes(ecosystem, module).into_iter();
        beginnings.any(|one| known.contains(&one))
    };
    let mut foreign = index.foreign.iter();
    let found = foreign.find(|(module, _)| !is_explained(module));
    found.map(|(module, place)| (module.clone(), place.clone()))
}

/// What the text of files says against "not imported".
fn contradiction(mentions: &Mentions, names: &[String]) -> Option<ReachabilityEvidence> {
    let mentioned = names
        .iter()
        .find_map(|name| mentions.places.get(name).map(|place| (name, place)));
    let (reason, places) = match (mentioned, &mentions.unread) {
        (Some((name, place)), _) => (
            "no source imports it, but a file mentions it".to_owned(),
            shown(std::slice::from_ref(place), name),
        ),
        (None, Some((file, reason))) => (format!("`{file}` {reason}"), Vec::new()),
        (None, None) => return None,
    };
    Some(ReachabilityEvidence {
        reachability: Reachability::Unknown,
        reason,
        places,
        lowers_outcome: false,
    })
}

/// The first source that cannot be parsed as a whole and has one of the names in its text.
fn in_broken<'i>(index: &'i Index, names: &'i [String]) -> Option<(&'i Place, &'i str)> {
    index.broken.iter().find_map(|(place, source)| {
        let name = names.iter().find(|name| {
            // Of a module in parts, the last part is the most telling, and the first is enough.
            let first = name.split(['.', ':']).next().unwrap_or(name);
            mention(source, &Finder::new(first.as_bytes()), first.len()).is_some()
        })?;
        Some((place, name.as_str()))
    })
}

/// What the sources use of one package.
struct Uses<'a> {
    index: &'a Index,
    ecosystem: &'a str,
    name: &'a str,
    imported: BTreeMap<&'a str, &'a [Place]>,
}

impl Uses<'_> {
    /// The separator between a type and a method, and between a module and a name.
    fn separators(&self) -> (&'static str, &'static str) {
        match self.ecosystem {
            "crates.io" => ("::", "::"),
            _ => (".", "."),
        }
    }

    /// Whether a name of an imported module is an affected symbol, or a method of that name on a value
    /// that the module returned.
    fn is_symbol(&self, used: &str, symbol: &str) -> bool {
        let (of_type, _) = self.separators();
        let method = used
            .strip_prefix(patchgate_api_surface::OF_MODULE)
            .and_then(|rest| rest.strip_prefix(of_type));
        match (method, symbol.rsplit_once(of_type)) {
            (Some(method), Some((_, name))) => method == name,
            _ => used == symbol,
        }
    }

    /// Whether an imported module may be the one of a symbol: the same, or for Rust one above it, which
    /// may export its names.
    fn is_module(&self, imported: &str, module: &str) -> bool {
        match self.ecosystem {
            "crates.io" => {
                // The project may have given the crate another name.
                let below = |path| str::split_once(path, "::").map(|(_, below)| below);
                let parts = |path: &str| path.split("::").count();
                below(imported) == below(module) || parts(imported) < parts(module)
            }
            _ => imported == module,
        }
    }

    fn called(&self, symbols: &Symbols) -> Option<Answer> {
        let (_, separator) = self.separators();
        let mut places = Vec::new();
        let mut called = BTreeSet::new();
        for imported in self.imported.keys() {
            for (used, at) in self.index.used(imported) {
                for (module, names) in &symbols.by_module {
                    if !self.is_module(imported, module) {
                        continue;
                    }
                    for symbol in names.iter().filter(|one| self.is_symbol(used, one)) {
                        let full = format!("{module}{separator}{symbol}");
                        places.extend(shown(at, &full));
                        called.insert(full);
                    }
                }
            }
        }
        if called.is_empty() {
            return None;
        }
        let reason = format!(
            "{} of {} affected symbols {} used",
            called.len(),
            symbols.count(),
            if called.len() == 1 { "is" } else { "are" }
        );
        Some(seen(Reachability::SymbolCalled, reason, places))
    }

    fn imports(&self, symbols: &Symbols) -> Option<Answer> {
        let places = |modules: &[&str]| -> Vec<SourcePlace> {
            modules
                .iter()
                .flat_map(|module| shown(self.index.places(module), module))
                .collect()
        };
        let all: Vec<&str> = self.imported.keys().copied().collect();
        if all.is_empty() {
            return None;
        }
        if symbols.by_module.is_empty() {
            let reason = "the records name no symbols".to_owned();
            return Some(seen(Reachability::PackageImported, reason, places(&all)));
        }

        // Records of Go name the affected packages of a module.
        if self.ecosystem == "Go" {
            let is_affected = |module: &&str| symbols.by_module.contains_key(*module);
            let affected: Vec<&str> = all.iter().copied().filter(is_affected).collect();
            if affected.is_empty() {
                let reason = format!(
                    "the affected packages of {} are not imported, but others are, which may use them",
                    self.name
                );
                let mut answer = unknown(reason, places(&all));
                answer.evidence.places.truncate(MAX_PLACES);
                return Some(answer);
            }
            let reason = self.not_called(symbols);
            return Some(seen(
                Reachability::PackageImported,
                reason,
                places(&affected),
            ));
        }
        let reason = self.not_called(symbols);
        Some(seen(Reachability::PackageImported, reason, places(&all)))
    }

    /// The reason for "package imported" where the records name symbols.
    fn not_called(&self, symbols: &Symbols) -> String {
        let (of_type, _) = self.separators();
        let names = symbols.by_module.values().flatten();
        let method = names
            .filter_map(|symbol| symbol.rsplit_once(of_type))
            .find_map(|(_, method)| {
                let place = self.index.method(method).first()?;
                Some((method, place))
            });
        match (symbols.count(), method) {
            (0, _) => "the records name the package as a whole".to_owned(),
            (count, None) => format!("none of {count} affected symbols is used by name"),
            (count, Some((method, (file, line)))) => format!(
                "none of {count} affected symbols is used by name; `{file}:{line}` calls a method \
                 `{method}` of a type that is not known"
            ),
        }
    }
}
