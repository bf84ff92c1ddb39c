//! `Cargo.toml`: the projects of a workspace and their dependencies
//! (<https://doc.rust-lang.org/cargo/reference/workspaces.html>).
//!
//! Manifests only add facts that the lockfile lacks: requirements, kinds and renames. An
//! unreadable manifest is treated as absent, because the lockfile alone still names every package.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use patchgate_model::DependencyKind;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{self, boolean, string, strings, table};
use crate::syntax::join;
use crate::{Input, limits};

/// Maximum number of patterns read from `[workspace] members`, and from `exclude`.
const MAX_PATTERNS: usize = 1_000;

/// The dependency tables and their kinds. Spellings with `_` are deprecated in Cargo.
pub(super) const DEPENDENCY_TABLES: [(&str, DependencyKind); 5] = [
    ("dependencies", DependencyKind::Runtime),
    ("build-dependencies", DependencyKind::Build),
    ("build_dependencies", DependencyKind::Build),
    ("dev-dependencies", DependencyKind::Development),
    ("dev_dependencies", DependencyKind::Development),
];

/// The manifests that belong to one lockfile.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// Projects in the order in which they were found, the one in the lockfile's directory first.
    pub(super) projects: Vec<Project>,
}

/// One project: a manifest with a `[package]`.
#[derive(Debug)]
pub(super) struct Project {
    /// Path of the manifest from the repository root.
    pub(super) manifest: String,
    /// Whether it is a member of the workspace. All features of members are locked, and their
    /// development dependencies.
    pub(super) is_member: bool,
    /// Name of the package.
    pub(super) name: String,
    /// Version of the package, where the manifest or the workspace states one.
    pub(super) version: Option<String>,
    /// Dependencies of all kinds and targets.
    pub(super) dependencies: Vec<Declared>,
    /// `[features]`, each with what it turns on.
    pub(super) features: BTreeMap<String, Vec<String>>,
}

/// One dependency as declared in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The key in the manifest, which is also the crate's name in the project's code.
    pub(super) name: String,
    /// Name of the package in its registry; differs from `name` for a renamed dependency.
    pub(super) package: String,
    /// The requirement as written, where there is one.
    pub(super) requirement: Option<String>,
    /// Which part of the project needs it.
    pub(super) kind: DependencyKind,
    /// Whether a feature has to turn it on.
    pub(super) optional: bool,
    /// The features that are asked for, those of the workspace's entry included.
    pub(super) features: Vec<String>,
    /// Whether the default features are asked for.
    pub(super) default_features: bool,
}

impl Workspace {
    /// Reads the manifest next to the lockfile, then the workspace members, patches and path
    /// dependencies that are reachable from it. `None` if there is no readable manifest next to
    /// the lockfile.
    pub(super) fn read(input: &Input<'_>) -> Option<Self> {
        let root_path = input.beside("Cargo.toml");
        let root_text = text(input.sibling(&root_path)?)?;
        let root = document::parse(root_text).ok()?.table.into_inner();
        let root_directory = directory(&root_path);
        let members = Members::new(root_directory, &root);
        let listed = members.listed(input);
        let shared = Shared {
            dependencies: table(&root, "workspace")
                .and_then(|workspace| table(workspace, "dependencies")),
            version: table(&root, "workspace")
                .and_then(|workspace| table(workspace, "package"))
                .and_then(|package| string(package, "version")),
        };

        // A path dependency can make a project a member that was found before as another's.
        let own = std::iter::once(root_path.clone()).chain(listed);
        let members = members.with_path_dependencies(input, own.clone().collect(), &shared);
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::new();
        for path in own.chain(paths_of_patches(root_directory, &root)) {
            if seen.insert(path.clone()) {
                queue.push_back(path);
            }
        }

        // Path dependencies of each manifest add further manifests to the queue.
        let mut workspace = Self::default();
        while let Some(path) = queue.pop_front() {
            let Some(text) = input.sibling(&path).and_then(text) else {
                continue;
            };
            let Ok(document) = document::parse(text) else {
                continue;
            };
            let manifest = document.table.get_ref();
            for (entry, base) in path_entries(manifest, &shared, directory(&path), root_directory) {
                if let Some(manifest) = join(base, entry).map(|path| manifest_in(&path))
                    && input.siblings.contains_key(&manifest)
                    && seen.insert(manifest.clone())
                {
                    queue.push_back(manifest);
                }
            }

            let is_member = members.contains(&path);
            workspace
                .projects
                .extend(project(manifest, &shared, path, is_member));
        }

        Some(workspace)
    }
}

/// Values of `[workspace]` that members can inherit.
struct Shared<'t, 'a> {
    dependencies: Option<&'t DeTable<'a>>,
    version: Option<&'t str>,
}

/// `members` and `exclude` of a `[workspace]`.
struct Members<'t> {
    root_directory: &'t str,
    /// Whether the manifest has a `[workspace]`. Without one, only its own project is a member.
    has_workspace: bool,
    included: Vec<String>,
    excluded: Vec<String>,
}

impl<'t> Members<'t> {
    fn new(root_directory: &'t str, root: &DeTable<'_>) -> Self {
        let workspace = table(root, "workspace");
        let paths = |key: &str| -> Vec<String> {
            workspace
                .map(|workspace| strings(workspace, key))
                .unwrap_or_default()
                .into_iter()
                .take(MAX_PATTERNS)
                .filter_map(|path| join(root_directory, path))
                .collect()
        };
        Self {
            root_directory,
            has_workspace: workspace.is_some(),
            included: paths("members"),
            excluded: paths("exclude"),
        }
    }

    /// Paths of the manifests that match `members`.
    fn listed(&self, input: &Input<'_>) -> Vec<String> {
        let Some(patterns) = patterns(&self.included) else {
            return Vec::new();
        };
        input
            .siblings
            .keys()
            .filter(|path| is_manifest(path))
            .filter(|path| patterns.is_match(directory(path)) && !self.excludes(path))
            .cloned()
            .collect()
    }

    /// As in Cargo, a member that is listed without a pattern overrides `exclude`.
    fn excludes(&self, manifest: &str) -> bool {
        let directory = directory(manifest);
        let is_under = |base: &String| is_within(directory, base);
        self.excluded.iter().any(is_under) && !self.included.iter().any(is_under)
    }

    /// The members with their path dependencies, which are members themselves when they lie in the
    /// directory of the workspace.
    fn with_path_dependencies(
        &self,
        input: &Input<'_>,
        own: Vec<String>,
        shared: &Shared<'_, '_>,
    ) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        let mut queue = own;
        while let Some(path) = queue.pop() {
            let is_new = members.insert(path.clone());
            if !is_new || !self.has_workspace {
                continue;
            }
            let Some(Ok(document)) = input.sibling(&path).and_then(text).map(document::parse)
            else {
                continue;
            };

            let manifest = document.table.get_ref();
            let entries = path_entries(manifest, shared, directory(&path), self.root_directory);
            queue.extend(entries.into_iter().filter_map(|(entry, base)| {
                let manifest = manifest_in(&join(base, entry)?);
                let is_inside = is_within(directory(&manifest), self.root_directory);
                (is_inside && !self.excludes(&manifest)).then_some(manifest)
            }));
        }

        members
    }
}

/// The patterns of members as one set, in the syntax of the `glob` crate, which Cargo uses.
fn patterns(members: &[String]) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for member in members {
        set.add(
            GlobBuilder::new(member)
                .literal_separator(true)
                .build()
                .ok()?,
        );
    }

    set.build().ok()
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

/// The directory of a path, empty for the repository root.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

pub(super) fn manifest_in(directory: &str) -> String {
    if directory.is_empty() {
        "Cargo.toml".to_owned()
    } else {
        format!("{directory}/Cargo.toml")
    }
}

fn is_within(directory: &str, base: &str) -> bool {
    base.is_empty()
        || directory
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A manifest's text; `None` if it is too large or not UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > limits::MAX_FILE_BYTES {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The project of a manifest; `None` for a manifest without a `[package]`.
fn project(
    manifest: &DeTable<'_>,
    shared: &Shared<'_, '_>,
    path: String,
    is_member: bool,
) -> Option<Project> {
    let package = table(manifest, "package").or_else(|| table(manifest, "project"))?;
    let version = match package.get("version").map(Spanned::get_ref) {
        Some(DeValue::Table(inherited)) if boolean(inherited, "workspace") == Some(true) => {
            shared.version
        }
        Some(value) => value.as_str(),
        None => Some("0.0.0"),
    };

    let dependencies = dependency_tables(manifest)
        .into_iter()
        .flat_map(|(kind, table)| {
            table.iter().filter_map(move |(name, value)| {
                declared(name.get_ref(), value.get_ref(), kind, shared)
            })
        })
        .collect();

    Some(Project {
        manifest: path,
        is_member,
        name: string(package, "name")?.to_owned(),
        version: version.map(str::to_owned),
        dependencies,
        features: features(manifest),
    })
}

/// `[features]` of a manifest.
fn features(manifest: &DeTable<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(features) = table(manifest, "features") else {
        return BTreeMap::new();
    };
    features
        .keys()
        .map(|name| {
            let values = strings(features, name.get_ref());
            (
                name.get_ref().to_string(),
                values.into_iter().map(str::to_owned).collect(),
            )
        })
        .collect()
}

/// Every dependency table, including those in `[target.…]`.
pub(super) fn dependency_tables<'t, 'a>(
    manifest: &'t DeTable<'a>,
) -> Vec<(DependencyKind, &'t DeTable<'a>)> {
    let targets = table(manifest, "target").into_iter().flat_map(|targets| {
        targets
            .values()
            .filter_map(|target| target.get_ref().as_table())
    });
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(|parent| {
            DEPENDENCY_TABLES
                .iter()
                .filter_map(|(key, kind)| Some((*kind, table(parent, key)?)))
        })
        .collect()
}

/// A dependency, with the values that it inherits from the workspace.
fn declared(
    name: &str,
    value: &DeValue<'_>,
    kind: DependencyKind,
    shared: &Shared<'_, '_>,
) -> Option<Declared> {
    let own = value.as_table();
    let inherits = own.is_some_and(|own| boolean(own, "workspace") == Some(true));
    let optional = own.is_some_and(|own| boolean(own, "optional") == Some(true));
    let stated = match inherits {
        true => shared.dependencies?.get(name)?.get_ref(),
        false => value,
    };
    let (package, requirement) = match stated {
        DeValue::String(requirement) => (None, Some(requirement.as_ref())),
        DeValue::Table(table) => (string(table, "package"), string(table, "version")),
        _ => return None,
    };

    // An entry that inherits adds features. It cannot turn off the workspace's default features, only
    // turn them on again.
    let tables = [stated.as_table(), own.filter(|_| inherits)];
    let mut features: Vec<String> = tables
        .iter()
        .flatten()
        .flat_map(|table| strings(table, "features"))
        .map(str::to_owned)
        .collect();
    features.sort();
    features.dedup();
    let defaults = |table: Option<&DeTable<'_>>| {
        table.and_then(|table| {
            boolean(table, "default-features").or_else(|| boolean(table, "default_features"))
        })
    };
    let default_features =
        defaults(stated.as_table()) != Some(false) || (inherits && defaults(own) == Some(true));

    Some(Declared {
        name: name.to_owned(),
        package: package.unwrap_or(name).to_owned(),
        requirement: requirement.map(str::to_owned),
        kind: match kind {
            DependencyKind::Runtime if optional => DependencyKind::Optional,
            kind => kind,
        },
        optional,
        features,
        default_features,
    })
}

/// The paths of a manifest's path dependencies, each with the directory that it is relative to: the
/// workspace's for an inherited dependency.
fn path_entries<'t>(
    manifest: &'t DeTable<'_>,
    shared: &Shared<'t, '_>,
    own_directory: &'t str,
    root_directory: &'t str,
) -> Vec<(&'t str, &'t str)> {
    let path = |value: &'t DeValue<'_>| value.as_table().and_then(|table| string(table, "path"));

    dependency_tables(manifest)
        .into_iter()
        .flat_map(|(_, table)| table.iter())
        .filter_map(|(name, value)| {
            let inherited = value
                .get_ref()
                .as_table()
                .is_some_and(|table| boolean(table, "workspace") == Some(true));
            if inherited {
                let value = shared.dependencies?.get(name.get_ref().as_ref())?;
                Some((path(value.get_ref())?, root_directory))
            } else {
                Some((path(value.get_ref())?, own_directory))
            }
        })
        .collect()
}

/// The manifests of local packages in `[patch]` and `[replace]`.
fn paths_of_patches(root_directory: &str, root: &DeTable<'_>) -> Vec<String> {
    let patches = table(root, "patch")
        .into_iter()
        .flat_map(|patches| patches.values())
        .filter_map(|registry| registry.get_ref().as_table());
    patches
        .chain(table(root, "replace"))
        .flat_map(|table| table.values())
        .filter_map(|value| value.get_ref().as_table())
        .filter_map(|value| join(root_directory, string(value, "path")?))
        .map(|directory| manifest_in(&directory))
        .collect()
}

/// Whether a path of keys in a manifest is that of a requirement's versions: `dependencies.serde`,
/// `workspace.dependencies.serde.version`, `target.'cfg(unix)'.dependencies.libc`. Spellings with `_`
/// (`dev_dependencies`), about which Cargo warns, are not accepted.
pub(super) fn is_requirement_key(path: &[&str]) -> bool {
    let path = match path {
        ["workspace", rest @ ..] | ["target", _, rest @ ..] => rest,
        _ => path,
    };
    matches!(
        path,
        [
            "dependencies" | "dev-dependencies" | "build-dependencies",
            _
        ] | [
            "dependencies" | "dev-dependencies" | "build-dependencies",
            _,
            "version"
        ]
    )
}

/// Projects by package name.
pub(super) fn by_name(workspace: &Workspace) -> BTreeMap<&str, Vec<&Project>> {
    let mut map: BTreeMap<&str, Vec<&Project>> = BTreeMap::new();
    for project in &workspace.projects {
        map.entry(&project.name).or_default().push(project);
    }
    map
}

#[cfg(test)]
mod tests;
