//! The dependencies of a release, from its POM and the parents and lists of versions that it builds
//! on (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html>).
//!
//! The documents come one by one, so those that are known are kept between two of them.

use std::collections::BTreeMap;

use patchgate_model::{DependencyKind, Lockfile};
use serde_json::Value;

use super::coordinates;
use super::pom::{self, EXTERNAL, declared};
use crate::{Input, ParseError, Siblings};

/// Path of the release's own POM among the documents.
const OWN: &str = "pom.xml";

/// The key of the address that was asked for last, and of the path of its document.
const ASKED: &str = "asked";
const ASKED_PATH: &str = "path";

/// Path under which the metadata of Gradle's own is among the documents.
pub(super) const MODULE: &str = "module";

/// Most documents of one release, and the largest one, in bytes. The largest published lists of
/// versions have some hundred KiB.
const MAX_DOCUMENTS: usize = 16;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// `group:artifact`.
    pub(super) name: String,
    /// The requirement. Empty, or with a property, if it is not known.
    pub(super) requirement: String,
    pub(super) scope: Scope,
    /// Whether it only bounds the version of a package that is there.
    pub(super) only_bounds: bool,
}

/// Who of those that use a release gets a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Those that compile against it, and those that run it.
    Compile,
    /// Those that compile against it, but not those that run it.
    CompileOnly,
    /// Those that run it.
    Runtime,
    /// None.
    Optional,
}

impl Need {
    /// Whether the version that is required is known.
    pub(super) fn is_known(&self) -> bool {
        !self.requirement.is_empty() && !self.requirement.contains("${")
    }
}

/// The dependencies of a release, and the path of the next document that some version needs, in the
/// layout of a repository.
pub(super) struct Needs {
    pub(super) all: Vec<Need>,
    pub(super) missing: Option<String>,
}

/// A POM with the documents that are known of those that it builds on, by path.
pub(super) struct ReleasePom {
    files: BTreeMap<String, String>,
}

/// A [`ReleasePom`] between two documents.
pub(super) struct Document {
    pom: ReleasePom,
    url: String,
    path: String,
}

impl Document {
    /// Takes what is known out of a release.
    pub(super) fn take(document: &mut Option<Value>) -> Option<Self> {
        let Some(Value::Object(files)) = document.take() else {
            return None;
        };
        let mut files: BTreeMap<String, String> = files
            .into_iter()
            .filter_map(|(path, text)| match text {
                Value::String(text) => Some((path, text)),
                _ => None,
            })
            .collect();

        Some(Self {
            url: files.remove(ASKED)?,
            path: files.remove(ASKED_PATH)?,
            pom: ReleasePom { files },
        })
    }

    /// Adds the document of an address, if that was the one that was asked for. One that is too large
    /// counts as empty, so that it is not asked for again.
    pub(super) fn with(mut self, url: Option<&str>, text: &str) -> ReleasePom {
        if url == Some(&self.url) {
            let path = format!("{EXTERNAL}{}", self.path);
            let text = if text.len() > MAX_BYTES { "" } else { text };
            self.pom.files.insert(path, text.to_owned());
        }
        self.pom
    }
}

impl ReleasePom {
    /// Begins with the release's own POM.
    ///
    /// # Errors
    /// If it is not a POM, or one of another artifact.
    pub(super) fn new(name: &str, text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_BYTES {
            return Err(ParseError::new("is too large for a POM"));
        }
        let (_, artifact) = name.split_once(':').unwrap_or(("", name));
        if declared(text)?.artifact != artifact {
            return Err(ParseError::new(format!("is not the POM of `{name}`")));
        }

        Ok(Self {
            files: BTreeMap::from([(OWN.to_owned(), text.to_owned())]),
        })
    }

    pub(super) fn own(&self) -> &str {
        self.files.get(OWN).map_or("", String::as_str)
    }

    /// The metadata of Gradle's own, once it was fetched.
    pub(super) fn module(&self) -> Option<&str> {
        let path = format!("{EXTERNAL}{MODULE}");
        self.files.get(&path).map(String::as_str)
    }

    /// The bounds of a list of versions, which a project of Gradle can depend on.
    ///
    /// # Errors
    /// If the release's own POM cannot be read.
    pub(super) fn bounds(&self) -> Result<Vec<Need>, ParseError> {
        if !self.own().contains("<packaging>pom</packaging>") {
            return Ok(Vec::new());
        }
        let bounds = declared(self.own())?.managed.into_iter();
        let bounds = bounds.filter(|one| one.scope.as_deref() != Some("import"));
        Ok(bounds
            .map(|one| Need {
                name: format!("{}:{}", one.group, one.artifact),
                requirement: one.version.as_deref().unwrap_or_default().to_owned(),
                scope: Scope::Compile,
                only_bounds: true,
            })
            .filter(Need::is_known)
            .collect())
    }

    /// What is known, to be kept until the document of `url` is there.
    pub(super) fn into_document(mut self, path: &str, url: &str) -> Value {
        self.files.insert(ASKED.to_owned(), url.to_owned());
        self.files.insert(ASKED_PATH.to_owned(), path.to_owned());
        let files = self.files.into_iter();
        Value::Object(files.map(|(path, text)| (path, text.into())).collect())
    }

    /// The dependencies as far as they are known.
    ///
    /// # Errors
    /// If the release's own POM cannot be read.
    pub(super) fn needs(&self) -> Result<Needs, ParseError> {
        let mut all = own_needs(self.own())?;
        if all.iter().all(Need::is_known) {
            return Ok(Needs { all, missing: None });
        }

        let siblings: Siblings = self
            .files
            .iter()
            .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
            .collect();
        let effective = pom::parse(&Input {
            path: OWN,
            bytes: self.own().as_bytes(),
            siblings: &siblings,
        })?;
        fill(&mut all, &effective);

        let is_new = |path: &String| !self.files.contains_key(&format!("{EXTERNAL}{path}"));
        let mut missing = effective.missing.into_iter().map(|file| file.path);
        let is_open = all.iter().any(|need| !need.is_known()) && self.files.len() < MAX_DOCUMENTS;
        Ok(Needs {
            missing: missing.find(is_new).filter(|_| is_open),
            all,
        })
    }
}

/// The dependencies that a POM states itself, with its own properties expanded.
pub(super) fn own_needs(text: &str) -> Result<Vec<Need>, ParseError> {
    let pom = declared(text)?;
    let needs = pom.dependencies.iter().filter_map(|one| {
        let scope = match (one.optional.as_deref(), one.scope.as_deref()) {
            (_, Some("test" | "provided" | "system" | "import")) => return None,
            (Some("true"), _) => Scope::Optional,
            (_, Some("runtime")) => Scope::Runtime,
            (_, None | Some("compile")) => Scope::Compile,
            _ => return None,
        };
        let is_named = coordinates::is_id(&one.group) && coordinates::is_id(&one.artifact);
        is_named.then(|| Need {
            name: format!("{}:{}", one.group, one.artifact),
            requirement: one.version.as_deref().unwrap_or_default().to_owned(),
            scope,
            only_bounds: false,
        })
    });
    Ok(needs.collect())
}

/// Fills in the versions that come from elsewhere, and leaves out what is managed to be for tests.
fn fill(needs: &mut Vec<Need>, effective: &Lockfile) {
    let mut known: BTreeMap<&str, (&str, DependencyKind)> = BTreeMap::new();
    for one in &effective.unresolved {
        known.insert(&one.name, (&one.requirement, one.kind));
    }
    let root = effective.roots.iter().flat_map(|root| &root.edges);
    for edge in root {
        if let Some(package) = effective.package(edge.to) {
            known.insert(&package.name, (&package.version, edge.kind));
        }
    }

    needs.retain_mut(|need| {
        if need.is_known() {
            return true;
        }
        let Some((requirement, kind)) = known.get(need.name.as_str()) else {
            return true;
        };
        need.requirement = (*requirement).to_owned();
        *kind != DependencyKind::Test
    });
}
