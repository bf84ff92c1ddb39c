//! The places in a repository that may decide the version of a package, in the order in which Maven
//! looks at them.

use std::collections::HashSet;

use patchgate_model::SmolStr;

use super::project::Project;
use crate::maven::edit::dependencies;
use crate::maven::pom::effective::Model;
use crate::maven::pom::one_version;
use crate::maven::pom::projects::ProjectFile;
use crate::maven::pom::properties::Values as _;
use crate::maven::pom::sources::{EXTERNAL, Sources};
use crate::maven::xml_spans::{Span, spans};

/// Most imported lists of versions in which places are looked for, and their deepest nesting.
const MAX_LISTS: usize = 50;
const MAX_NESTED: usize = 8;

/// A version that is written in a file of the repository.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: String,
    /// Position of the version's text.
    pub(super) at: (usize, usize),
    /// Index of the scope that gives its properties their values.
    pub(super) scope: usize,
}

/// A project, or an imported list of versions, with its ancestors.
pub(super) struct Scope {
    pub(super) model: Model,
    pub(super) lineage: Vec<ProjectFile>,
}

/// The files of a project as they are by now.
pub(super) struct Finder<'f> {
    pub(super) project: &'f Project<'f>,
    pub(super) scopes: Vec<Scope>,
}

impl<'f> Finder<'f> {
    pub(super) fn new(project: &'f Project<'f>) -> Result<Self, String> {
        let input = project.input();
        let file = project.projects.own(&input).map_err(|error| error.reason)?;
        let mut sources = Sources::new(&input, &project.projects, 1);
        let own = scope(&file, &mut sources);
        let mut scopes = vec![own];
        let mut seen = HashSet::new();
        add_lists(&mut scopes, 0, MAX_NESTED, &mut seen, &mut sources);

        Ok(Self { project, scopes })
    }

    /// Number of the groups of places. Each is one kind of version in one file.
    pub(super) fn groups(&self) -> usize {
        self.files().count()
    }

    /// The scopes with their files, first for versions at the dependencies themselves.
    fn files(&self) -> impl Iterator<Item = (usize, &ProjectFile, bool)> {
        let own = self.scopes.first().into_iter();
        let at_dependencies = own
            .flat_map(|scope| &scope.lineage)
            .map(|file| (0, file, false));
        let scopes = self.scopes.iter().enumerate();
        let managed = scopes.flat_map(|(index, scope)| {
            let files = scope.lineage.iter();
            files.map(move |file| (index, file, true))
        });
        at_dependencies.chain(managed)
    }

    /// The places of one group that have a version of a package.
    pub(super) fn group(
        &self,
        name: &str,
        version: &str,
        group: usize,
    ) -> Result<Vec<Place>, String> {
        match self.files().nth(group) {
            Some(file) => self.places(name, Some(version), file),
            None => Ok(Vec::new()),
        }
    }

    /// The first places in `dependencyManagement` that have any version of a package.
    pub(super) fn managed(&self, name: &str) -> Result<Vec<Place>, String> {
        for file in self.files().filter(|(_, _, is_managed)| *is_managed) {
            let places = self.places(name, None, file)?;
            if !places.is_empty() {
                return Ok(places);
            }
        }
        Ok(Vec::new())
    }

    fn places(
        &self,
        name: &str,
        version: Option<&str>,
        (index, file, is_managed): (usize, &ProjectFile, bool),
    ) -> Result<Vec<Place>, String> {
        let scope = self.scopes.get(index);
        let Some(scope) = scope.filter(|_| !file.path.starts_with(EXTERNAL)) else {
            return Ok(Vec::new());
        };

        let text = self.project.text(&file.path)?;
        let root = spans(text).map_err(|error| format!("`{}` {}", file.path, error.reason))?;
        let mut places = Vec::new();
        for one in versions(&root, text) {
            let is_place = one.is_managed == is_managed
                && one.name(&scope.model) == name
                && version.is_none_or(|version| self.has_value(scope, one.written, version));
            if is_place {
                places.push(Place {
                    path: file.path.to_string(),
                    at: one.at,
                    scope: index,
                });
            }
        }

        Ok(places)
    }

    /// The version at a place, if all of its properties have a value.
    pub(super) fn value(&self, place: &Place) -> Option<String> {
        let text = self.project.text(&place.path).ok()?;
        let written = SmolStr::new(text.get(place.at.0..place.at.1)?);
        let filled = self.scopes.get(place.scope)?.model.fill(&written)?;
        one_version(&filled).map(str::to_owned)
    }

    /// Whether a text is a version, once its properties are expanded. A property may have it in a
    /// profile only.
    fn has_value(&self, scope: &Scope, written: &str, version: &str) -> bool {
        let filled = scope.model.fill(&SmolStr::new(written));
        if filled.as_deref().and_then(one_version) == Some(version) {
            return true;
        }
        let Some(name) = property_name(written) else {
            return false;
        };
        let definitions = self.definitions(scope, name);
        definitions.iter().any(|one| one.value == version)
    }

    /// The definitions of a property in the closest file that has any.
    pub(super) fn definitions(&self, scope: &Scope, name: &str) -> Vec<Definition> {
        for file in &scope.lineage {
            let Ok(text) = self.project.text(&file.path) else {
                continue;
            };
            let Ok(root) = spans(text) else {
                continue;
            };
            let found: Vec<Definition> = owners(&root)
                .filter_map(|owner| owner.child("properties")?.child(name)?.text())
                .filter_map(|at| {
                    Some(Definition {
                        path: file.path.to_string(),
                        at,
                        value: text.get(at.0..at.1)?.to_owned(),
                    })
                })
                .collect();
            if !found.is_empty() {
                return found;
            }
        }

        Vec::new()
    }
}

/// The value of a property where it is written.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) path: String,
    pub(super) at: (usize, usize),
    pub(super) value: String,
}

fn scope(file: &ProjectFile, sources: &mut Sources<'_>) -> Scope {
    Scope {
        model: Model::of(file, None, sources),
        lineage: sources.with_ancestors(file),
    }
}

/// Adds the lists of versions that a scope imports, each before those that it imports itself.
fn add_lists(
    scopes: &mut Vec<Scope>,
    index: usize,
    depth: usize,
    seen: &mut HashSet<SmolStr>,
    sources: &mut Sources<'_>,
) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let lists: Vec<[SmolStr; 3]> = scopes.get(index).map_or(Vec::new(), |scope| {
        let imports = scope.model.imports().into_iter();
        imports
            .map(|(_, one)| {
                let version = one.version.clone().unwrap_or_default();
                [&one.group, &one.artifact, &version].map(|text| scope.model.filled(text))
            })
            .collect()
    });
    for [group, artifact, version] in lists {
        let Ok(file) = sources.list(&group, &artifact, &version) else {
            continue;
        };
        if scopes.len() > MAX_LISTS || !seen.insert(file.path.clone()) {
            continue;
        }
        scopes.push(scope(&file, sources));
        add_lists(scopes, scopes.len() - 1, depth, seen, sources);
    }
}

/// The version of a dependency where it is written.
pub(super) struct Written<'t> {
    group: &'t str,
    artifact: &'t str,
    pub(super) written: &'t str,
    pub(super) at: (usize, usize),
    pub(super) is_managed: bool,
}

impl Written<'_> {
    /// The name of the package, with properties expanded.
    pub(super) fn name(&self, model: &Model) -> String {
        let filled = |text: &str| model.filled(&SmolStr::new(text));
        format!("{}:{}", filled(self.group), filled(self.artifact))
    }
}

/// The versions of dependencies in a file, those of imported lists excepted.
pub(super) fn versions<'t>(root: &Span, text: &'t str) -> Vec<Written<'t>> {
    let mut found = Vec::new();
    for (owner, one) in dependencies(root) {
        let version = one.child("version").and_then(Span::text);
        let Some((at, written)) = version.and_then(|at| Some((at, text.get(at.0..at.1)?))) else {
            continue;
        };
        if one.child_text("scope", text) == "import" {
            continue;
        }
        let management = owner.child("dependencyManagement");
        found.push(Written {
            group: one.child_text("groupId", text),
            artifact: one.child_text("artifactId", text),
            written,
            at,
            is_managed: management.is_some_and(|list| list.outer.0 < at.0 && at.1 < list.outer.1),
        });
    }

    found
}

/// The project and its profiles.
pub(in crate::maven) fn owners(root: &Span) -> impl Iterator<Item = &Span> {
    let profiles = root.all("profiles").flat_map(|list| list.all("profile"));
    std::iter::once(root).chain(profiles)
}

/// The name of the property that a text consists of.
pub(super) fn property_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.contains(['$', '{', '}'])).then_some(name)
}
