//! The versions that files of MSBuild state, and changes of them. Only literals change: a version that
//! a property states is refused.

use std::collections::BTreeSet;

use super::super::edit;
use super::super::msbuild::{Document, ItemKind, Statement};
use super::super::project_files::EXTENSIONS;
use super::super::raise::raise;
use super::super::range::{VersionRange, normal};
use crate::{Input, RequirementEdit, Siblings};

/// Name of the file with the central versions.
const CENTRAL: &str = "Directory.Packages.props";

/// The files around a project in which it may have references, in the order of search.
const AROUND: [&str; 3] = [CENTRAL, "Directory.Build.props", "Directory.Build.targets"];

/// Whether a file is one of MSBuild.
pub(super) fn is_msbuild(path: &str) -> bool {
    is_project(path) || path.ends_with(".props") || path.ends_with(".targets")
}

/// Whether a file is a project.
pub(super) fn is_project(path: &str) -> bool {
    EXTENSIONS.iter().any(|end| path.ends_with(end))
}

/// A requirement that was raised or added.
#[derive(Debug, Clone)]
pub(super) struct Raised {
    /// The file that states it.
    pub(super) path: String,
    /// Name of the package in lower case.
    pub(super) key: String,
    /// The requirement before. `None` for one that was added.
    pub(super) from: Option<VersionRange>,
    pub(super) to: VersionRange,
    /// The name as it is written, for one that was added.
    pub(super) name: String,
}

/// The files of MSBuild in a repository, with the changes so far.
pub(super) struct Statements {
    files: Siblings,
    changed: BTreeSet<String>,
    pub(super) raised: Vec<Raised>,
}

impl Statements {
    pub(super) fn new(siblings: &Siblings) -> Self {
        Self {
            files: siblings
                .iter()
                .filter(|(path, _)| is_msbuild(path))
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect(),
            changed: BTreeSet::new(),
            raised: Vec::new(),
        }
    }

    /// The files that changed.
    pub(super) fn into_changed(self) -> Siblings {
        let changed = self.changed;
        self.files
            .into_iter()
            .filter(|(path, _)| changed.contains(path))
            .collect()
    }

    pub(super) fn files(&self) -> &Siblings {
        &self.files
    }

    /// The nearest file of a name in the directory of a project or above it.
    pub(super) fn nearest(&self, project: &str, name: &str) -> Option<String> {
        let mut directory = project;
        while let Some((above, _)) = directory.rsplit_once('/') {
            let path = format!("{above}/{name}");
            if self.files.contains_key(&path) {
                return Some(path);
            }
            directory = above;
        }
        self.files.contains_key(name).then(|| name.to_owned())
    }

    /// The file that states the version of a package for a project.
    pub(super) fn place(&self, project: &str, key: &str) -> Option<String> {
        let around = AROUND.iter().filter_map(|name| self.nearest(project, name));
        std::iter::once(project.to_owned())
            .chain(around)
            .find(|path| !self.literals(path, key).is_empty())
    }

    fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?).ok()
    }

    /// The versions of a package in a file, as they are written.
    fn literals(&self, path: &str, key: &str) -> BTreeSet<String> {
        let text = self.text(path).unwrap_or_default();
        edit::versions(text, key).into_iter().collect()
    }

    /// Raises the requirement of a project to a version, where it is written. `from` is the one that
    /// the lockfile has.
    ///
    /// # Errors
    /// If it is not written as one literal.
    pub(super) fn raise(
        &mut self,
        project: &str,
        key: &str,
        version: &str,
        from: Option<VersionRange>,
    ) -> Result<(), String> {
        let path = self.place(project, key).ok_or_else(|| {
            format!(
                "the version of `{key}` is stated neither in `{project}` nor in the files around it"
            )
        })?;
        self.raise_in(&path, key, version, from)
    }

    /// Raises the requirement in a given file.
    ///
    /// # Errors
    /// If it is not written as one literal.
    pub(super) fn raise_in(
        &mut self,
        path: &str,
        key: &str,
        version: &str,
        from: Option<VersionRange>,
    ) -> Result<(), String> {
        if self
            .raised
            .iter()
            .any(|one| one.path == path && one.key == key)
        {
            return Ok(());
        }
        let literals = self.literals(path, key);
        let [literal] = literals.iter().collect::<Vec<_>>()[..] else {
            return Err(format!("`{path}` states several versions of `{key}`"));
        };
        let parsed = VersionRange::parse(literal)
            .ok_or_else(|| format!("`{path}` states the version of `{key}` as `{literal}`"))?;

        let wanted = normal(version);
        let is_raised = parsed.lower == wanted || (parsed.floats() && parsed.admits(version));
        if let Some(from) = from.as_ref().filter(|from| **from != parsed)
            && parsed.lower != wanted
        {
            return Err(format!(
                "`{path}` requires `{key}` as `{literal}`, and the lockfile has `{}`",
                from.normal()
            ));
        }
        let to = match is_raised {
            true => parsed.clone(),
            false => {
                let raised = raise(literal, version)
                    .map_err(|error| format!("`{path}` requires `{key}`: {error}"))?;
                let change = RequirementEdit {
                    name: key.to_owned(),
                    from: literal.clone(),
                    to: raised.clone(),
                };
                let text = self.text(path).unwrap_or_default();
                let edited = edit::edit(text, &change).map_err(|error| error.to_string())?;
                self.set(path, edited);
                VersionRange::parse(&raised).ok_or_else(|| format!("`{raised}` is not a range"))?
            }
        };
        self.raised.push(Raised {
            path: path.to_owned(),
            key: key.to_owned(),
            from: Some(from.unwrap_or(parsed)),
            to,
            name: String::new(),
        });
        Ok(())
    }

    fn set(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text.into_bytes());
        self.changed.insert(path.to_owned());
    }

    /// Whether a property is true for a project.
    fn is_set(&self, project: &str, property: &str) -> bool {
        let around = AROUND.iter().filter_map(|name| self.nearest(project, name));
        let mut paths = around.chain([project.to_owned()]);
        paths.any(|path| {
            let document = self.document(&path).unwrap_or_default();
            document.statements.iter().any(|statement| {
                matches!(statement, Statement::Property { name, value, conditional: false }
                    if name == property && value.trim().eq_ignore_ascii_case("true"))
            })
        })
    }

    fn document(&self, path: &str) -> Option<Document> {
        let input = Input {
            path,
            bytes: self.files.get(path)?,
            siblings: &self.files,
        };
        Document::read(&input).ok()
    }

    /// Whether the versions of a project's packages are in the central list.
    pub(super) fn is_central(&self, project: &str) -> bool {
        self.nearest(project, CENTRAL).is_some()
            && self.is_set(project, "managepackageversionscentrally")
    }

    /// Whether the central list also counts for packages that others require.
    pub(super) fn pins_centrally(&self, project: &str) -> bool {
        self.is_central(project) && self.is_set(project, "centralpackagetransitivepinningenabled")
    }

    /// Names in the central list of a project, in lower case.
    pub(super) fn central_names(&self, project: &str) -> BTreeSet<String> {
        let document = self
            .nearest(project, CENTRAL)
            .and_then(|path| self.document(&path));
        let document = document.unwrap_or_default();
        let names = document
            .items()
            .filter(|item| item.kind == ItemKind::Version);
        names
            .flat_map(|item| item.names.split(';'))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    }

    /// Whether a project has a reference to a package.
    fn references(&self, project: &str, key: &str) -> bool {
        let document = self.document(project).unwrap_or_default();
        let mut references = document
            .items()
            .filter(|item| item.kind == ItemKind::Reference);
        references.any(|item| {
            let mut names = item.names.split(';');
            names.any(|name| name.trim().eq_ignore_ascii_case(key))
        })
    }

    /// States a version of a package that only others require: in the central list where that counts
    /// for them, else as a reference of the project, which wins over them
    /// (<https://learn.microsoft.com/nuget/concepts/dependency-resolution#direct-dependency-wins>).
    ///
    /// # Errors
    /// If there is no position for it.
    pub(super) fn pin(&mut self, project: &str, name: &str, version: &str) -> Result<(), String> {
        let key = name.to_ascii_lowercase();
        if !self.literals(project, &key).is_empty() {
            return self.raise_in(project, &key, version, None);
        }
        if !self.is_central(project) {
            let item = format!("<PackageReference Include=\"{name}\" Version=\"{version}\" />");
            return self.add(project, "PackageReference", &item, name, version);
        }

        let central = self
            .nearest(project, CENTRAL)
            .ok_or_else(|| format!("`{project}` has no central list"))?;
        if self.literals(&central, &key).is_empty() {
            let item = format!("<PackageVersion Include=\"{name}\" Version=\"{version}\" />");
            self.add(&central, "PackageVersion", &item, name, version)?;
        } else {
            self.raise_in(&central, &key, version, None)?;
        }
        if !self.pins_centrally(project) && !self.references(project, &key) {
            let item = format!("<PackageReference Include=\"{name}\" />");
            self.add(project, "PackageReference", &item, name, version)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        path: &str,
        kind: &str,
        item: &str,
        name: &str,
        version: &str,
    ) -> Result<(), String> {
        let text = self
            .text(path)
            .ok_or_else(|| format!("`{path}` is not text"))?;
        let added = edit::insert(text, kind, item)
            .ok_or_else(|| format!("`{path}` has no list for `{name}`"))?;
        let to =
            VersionRange::parse(version).ok_or_else(|| format!("`{version}` is not a version"))?;

        self.set(path, added);
        self.raised.push(Raised {
            path: path.to_owned(),
            key: name.to_ascii_lowercase(),
            from: None,
            to,
            name: name.to_owned(),
        });
        Ok(())
    }
}
