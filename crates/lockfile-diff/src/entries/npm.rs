//! `package-lock.json` and `npm-shrinkwrap.json`, cut at the keys of `packages`.
//!
//! Version 2 has the tree twice: npm 7 and later read `packages`, npm 6 reads `dependencies`. Both
//! are compared, and must agree ([`super::npm_tree`]).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Siblings;
use patchgate_model::Lockfile;
use serde_json::{Map, Value};

use super::flags::{Flags, FlagsOfGraph};
use super::npm_paths::{installed_name, is_normal};
use super::{Differences, State, npm_tree};
use crate::changes::asked_for;
use crate::changes::integrity::is_stronger;

pub(super) type Object = Map<String, Value>;

/// Fields that npm computes from the graph.
pub(super) const FLAGS: [&str; 4] = ["dev", "optional", "devOptional", "peer"];

/// Fields that change nothing about an installation. npm's versions differ in whether they write
/// them.
const INFORMATIVE: [&str; 3] = ["deprecated", "funding", "license"];

/// Those of them that npm adds to old entries, and never prints.
const ADDED: [&str; 2] = ["funding", "license"];

/// Fields of a project's entry that npm copies from its manifest, and that change nothing about an
/// installation: they differ when the lockfile was out of date.
const OF_PROJECT: [&str; 4] = ["engines", "license", "name", "version"];

/// Fields of a project's entry with its requirements.
const REQUIREMENTS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Compares two states of the file.
///
/// # Errors
/// When one of them is not a lockfile of npm, or they are of different versions of the format.
pub(super) fn compare(
    base: State<'_>,
    head: State<'_>,
    differences: &mut Differences,
) -> Result<(), String> {
    let (before, now) = (document(base.bytes)?, document(head.bytes)?);
    if base.lockfile.format != head.lockfile.format
        || before.get("lockfileVersion") != now.get("lockfileVersion")
    {
        return Err(
            "the file changes the version of its format, so that all entries differ".into(),
        );
    }

    outside(&before, &now, differences);
    let graph = FlagsOfGraph::new(head.lockfile);
    if let (Some(before), Some(now)) = (object(&before, "packages"), object(&now, "packages")) {
        Packages {
            before,
            now,
            known: KnownCopies::new(before),
            graph: &graph,
            asked_for: asked_for(head.lockfile)
                .filter_map(|package| package.install_path.as_deref())
                .collect(),
            head: head.lockfile,
            manifests: head.siblings,
        }
        .compare(differences);
    }
    npm_tree::compare(&before, &now, &graph, differences);

    Ok(())
}

fn document(bytes: &[u8]) -> Result<Object, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))
}

pub(super) fn object<'a>(value: &'a Object, key: &str) -> Option<&'a Object> {
    value.get(key)?.as_object()
}

pub(super) fn text<'a>(entry: &'a Object, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

/// Whether a flag of an entry is set.
pub(super) fn is_set(entry: &Object, key: &str) -> bool {
    entry.get(key) == Some(&Value::Bool(true))
}

/// Keys whose values differ, sorted.
pub(super) fn changed<'a>(before: &'a Object, now: &'a Object) -> Vec<&'a str> {
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    let mut keys: Vec<&str> = now
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(*value))
        .map(|(key, _)| key)
        .chain(gone)
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

pub(super) fn list(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}

pub(super) fn flags(entry: &Object) -> Flags {
    Flags {
        dev: is_set(entry, "dev"),
        optional: is_set(entry, "optional"),
        dev_optional: is_set(entry, "devOptional"),
        peer: is_set(entry, "peer"),
    }
}

/// Top-level fields other than the entries.
fn outside(before: &Object, now: &Object, differences: &mut Differences) {
    for key in changed(before, now) {
        match (before.get(key), now.get(key)) {
            (Some(Value::Object(_)), Some(Value::Object(_)))
                if key == "packages" || key == "dependencies" => {}
            _ if key == "name" || key == "version" => {
                differences.unclear(format!("`{key}` of the file differs"));
            }
            _ => differences.certain(format!(
                "`{key}` of the file differs, which no change of a version does"
            )),
        }
    }
}

/// Both states of `packages`.
struct Packages<'a> {
    before: &'a Object,
    now: &'a Object,
    known: KnownCopies<'a>,
    graph: &'a FlagsOfGraph<'a>,
    /// Install paths to which an edge leads.
    asked_for: BTreeSet<&'a str>,
    head: &'a Lockfile,
    manifests: &'a Siblings,
}

impl Packages<'_> {
    fn compare(&self, differences: &mut Differences) {
        for (path, entry) in self.now {
            let Some(entry) = entry.as_object() else {
                differences.certain(format!("`{path}` is not an entry"));
                continue;
            };
            let was = self.before.get(path).and_then(Value::as_object);

            match (installed_name(path), was) {
                (None, Some(was)) => self.project(path, was, entry, differences),
                (None, None) => differences.unclear(format!("`{path}` is a new project")),
                (Some(name), Some(was)) if same_package(name, was, entry) => {
                    self.same_entry(path, was, entry, differences);
                }
                (Some(name), was) => self.new_entry(path, name, was, entry, differences),
            }
        }

        let projects = self
            .before
            .keys()
            .filter(|path| installed_name(path).is_none());
        for path in projects.filter(|path| !self.now.contains_key(*path)) {
            differences.unclear(format!("the entry of the project `{path}` is gone"));
        }
    }

    /// An entry at a path whose name and version do not change.
    fn same_entry(&self, path: &str, was: &Object, entry: &Object, differences: &mut Differences) {
        let (flags_changed, fields): (Vec<&str>, Vec<&str>) = changed(was, entry)
            .into_iter()
            .filter(|key| !ADDED.contains(key) || was.contains_key(*key))
            .partition(|key| FLAGS.contains(key));
        if !fields.is_empty() {
            let text = format!(
                "`{path}` differs in {}, though its version does not change",
                list(&fields)
            );
            let may_be_honest = |key: &&str| {
                INFORMATIVE.contains(key) || (*key == "integrity" && has_stronger_hash(was, entry))
            };
            differences.push(text, !fields.iter().all(may_be_honest));
        }

        if !flags_changed.is_empty() && !self.graph.explain(path, flags(entry)) {
            differences.unclear(format!(
                "`{path}` differs in {}, which does not follow from what depends on it",
                list(&flags_changed)
            ));
        }
    }

    /// An entry that is new at its path, or of another version than before.
    fn new_entry(
        &self,
        path: &str,
        name: &str,
        was: Option<&Object>,
        entry: &Object,
        differences: &mut Differences,
    ) {
        let package = text(entry, "name").unwrap_or(name);
        if was.is_none() && !is_normal(path) {
            differences.certain(format!("`{path}` is not a path that npm writes"));
        } else if was.is_none() && !self.asked_for.contains(path) {
            differences.unclear(format!("nothing depends on `{path}`, which is new"));
        }

        if let Some(was) = was
            && text(was, "name").unwrap_or(name) != package
        {
            differences.certain(format!(
                "`{path}` has another package than before: `{package}`"
            ));
        }

        if package != name && !self.known.aliases.contains(&(name, package)) {
            differences.unclear(format!("`{path}` is a new alias of `{package}`"));
        }

        if is_set(entry, "link") {
            differences.unclear(format!("`{path}` is a new link"));
        }
        if is_set(entry, "inBundle") && !self.has_new_bundle(path) {
            differences.certain(format!(
                "`{path}` is said to be in the archive of a package that does not change"
            ));
        }

        self.relocated(path, package, entry, differences);
        self.runs(path, package, entry, differences);
    }

    /// Programs of a new version that the package did not have before. Its commands replace those of
    /// others in `node_modules/.bin`, where the project's tests call them, and its install script
    /// runs at each installation.
    fn runs(&self, path: &str, package: &str, entry: &Object, differences: &mut Differences) {
        let programs = self.known.programs.get(package);
        let commands = match programs {
            Some(programs) => !programs.commands.contains(&entry.get("bin")),
            None => command_names(package, entry).any(|name| self.known.commands.contains(name)),
        };
        if entry.contains_key("bin") && commands {
            differences.unclear(format!(
                "`{path}` has commands (`bin`) that `{package}` did not have before"
            ));
        }

        let had_script = programs.is_some_and(|programs| programs.has_script);
        if is_set(entry, "hasInstallScript") && !had_script {
            differences.unclear(format!(
                "`{path}` has an install script, which `{package}` did not have before"
            ));
        }
    }

    /// A version that was installed elsewhere before has the same entry there.
    fn relocated(&self, path: &str, package: &str, entry: &Object, differences: &mut Differences) {
        let known = self.known.entries.get(&key(package, entry));
        if known.is_some_and(|known| !known.contains(&essence(entry))) {
            differences.unclear(format!(
                "`{path}` differs from the copies of this version that were there before"
            ));
        }
    }

    /// Whether a package above a path in the tree is new there, and has packages in its archive.
    fn has_new_bundle(&self, path: &str) -> bool {
        let mut path = path;
        while let Some((above, _)) = path.rsplit_once("/node_modules/") {
            let version = |side: &Object| {
                side.get(above)
                    .and_then(|entry| entry.get("version"))
                    .cloned()
            };
            let bundles = object(self.now, above)
                .is_some_and(|entry| entry.contains_key("bundleDependencies"));
            if bundles && version(self.before) != version(self.now) {
                return true;
            }
            path = above;
        }

        false
    }

    /// The entry of a project may change in requirements only, and must equal its manifest.
    fn project(&self, path: &str, was: &Object, entry: &Object, differences: &mut Differences) {
        let label = if path.is_empty() {
            "the root entry"
        } else {
            path
        };
        let manifest = self.manifest(path);
        for key in changed(was, entry) {
            let is_object = entry.get(key).is_none_or(Value::is_object);
            if !REQUIREMENTS.contains(&key) || !is_object {
                differences.push(
                    format!("`{key}` of {label} differs"),
                    !OF_PROJECT.contains(&key),
                );
                continue;
            }

            let none = Object::new();
            let before = object(was, key).unwrap_or(&none);
            let now = object(entry, key).unwrap_or(&none);
            for name in changed(before, now) {
                let text = format!("`{key}.{name}` of {label} differs");
                match &manifest {
                    None => {
                        differences.unclear(format!("{text}, and its manifest does not change"));
                    }
                    Some(manifest) => {
                        let asked = object(manifest, key).and_then(|names| names.get(name));
                        if asked != now.get(name) {
                            differences.certain(format!("{text}, and does not equal the manifest"));
                        }
                    }
                }
            }
        }
    }

    /// The manifest of a project, when the change touches it.
    fn manifest(&self, path: &str) -> Option<Object> {
        let directory = match self.head.path.rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/"),
            None => String::new(),
        };
        let project = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        document(
            self.manifests
                .get(&format!("{directory}{project}package.json"))?,
        )
        .ok()
    }
}

/// The copies of the old state, for look-ups.
struct KnownCopies<'a> {
    /// Directory names with the packages that are installed under them by an alias.
    aliases: BTreeSet<(&'a str, &'a str)>,
    /// Entries without the fields that may differ, by package, version and whether they are bundled.
    entries: BTreeMap<(&'a str, &'a str, bool), BTreeSet<String>>,
    /// What each package runs, by its name.
    programs: BTreeMap<&'a str, Programs<'a>>,
    /// Names of all commands.
    commands: BTreeSet<&'a str>,
}

/// The programs of a package, in all its copies.
#[derive(Default)]
struct Programs<'a> {
    /// Values of `bin`.
    commands: Vec<Option<&'a Value>>,
    has_script: bool,
}

impl<'a> KnownCopies<'a> {
    fn new(packages: &'a Object) -> Self {
        let mut known = Self {
            aliases: BTreeSet::new(),
            entries: BTreeMap::new(),
            programs: BTreeMap::new(),
            commands: BTreeSet::new(),
        };
        for (path, entry) in packages {
            let (Some(name), Some(entry)) = (installed_name(path), entry.as_object()) else {
                continue;
            };
            let package = text(entry, "name").unwrap_or(name);
            known.aliases.insert((name, package));
            known
                .entries
                .entry(key(package, entry))
                .or_default()
                .insert(essence(entry));

            let programs = known.programs.entry(package).or_default();
            programs.commands.push(entry.get("bin"));
            programs.has_script |= is_set(entry, "hasInstallScript");
            known.commands.extend(command_names(package, entry));
        }

        known
    }
}

fn key<'a>(package: &'a str, entry: &'a Object) -> (&'a str, &'a str, bool) {
    let version = text(entry, "version").unwrap_or_default();
    (package, version, is_set(entry, "inBundle"))
}

/// The names of a package's commands. A single one has the package's name without its scope.
fn command_names<'a>(package: &'a str, entry: &'a Object) -> impl Iterator<Item = &'a str> {
    let bin = entry.get("bin");
    let single = bin
        .and_then(Value::as_str)
        .map(|_| match package.rsplit_once('/') {
            Some((_, name)) => name,
            None => package,
        });
    let named = bin.and_then(Value::as_object);
    let named = named.into_iter().flat_map(|names| names.keys());
    single.into_iter().chain(named.map(String::as_str))
}

/// The fields of an entry that are equal in all copies of a version, as text.
fn essence(entry: &Object) -> String {
    let fields: BTreeMap<&str, &Value> = entry
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .filter(|(key, _)| !FLAGS.contains(key) && !INFORMATIVE.contains(key) && *key != "name")
        .collect();
    format!("{fields:?}")
}

/// Whether an entry has a hash of a stronger kind than before.
pub(super) fn has_stronger_hash(was: &Object, entry: &Object) -> bool {
    let hashes = text(was, "integrity").zip(text(entry, "integrity"));
    hashes.is_some_and(|(was, now)| is_stronger(was, now))
}

/// Whether two entries at a path are of one package in one version.
fn same_package(name: &str, was: &Object, entry: &Object) -> bool {
    text(was, "name").unwrap_or(name) == text(entry, "name").unwrap_or(name)
        && was.get("version") == entry.get("version")
}
