//! A single POM without its parents, with its own properties expanded.

use std::collections::HashMap;

use patchgate_model::SmolStr;

use super::properties::Values;
use super::raw::{Dependency, Pom};
use crate::{Input, ParseError, Siblings};

/// The declarations of one POM.
pub(in crate::maven) struct Declared {
    pub(in crate::maven) artifact: SmolStr,
    pub(in crate::maven) dependencies: Vec<Dependency>,
    pub(in crate::maven) managed: Vec<Dependency>,
    /// The name and the version of its parent.
    pub(in crate::maven) parent: Option<(String, String)>,
    /// Whether it imports a list of versions.
    pub(in crate::maven) imports: bool,
}

struct Own<'a> {
    properties: &'a HashMap<SmolStr, SmolStr>,
    elements: HashMap<&'static str, SmolStr>,
}

impl Values for Own<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        let short = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."))
            .unwrap_or(name);
        let element = self.elements.get(short);
        element
            .or_else(|| self.properties.get(name))
            .map(SmolStr::as_str)
    }
}

/// Reads one POM. Properties that it does not set itself stay as written.
pub(in crate::maven) fn declared(text: &str) -> Result<Declared, ParseError> {
    let pom = Pom::read(&Input {
        path: "pom.xml",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })?;
    let parent = pom.parent.as_ref();
    let group = pom.group.clone().or(parent.map(|one| one.group.clone()));
    let version = pom.version.clone();
    let version = version.or(parent.map(|one| one.version.clone()));
    let elements = [
        ("artifactId", Some(pom.artifact.clone())),
        ("groupId", group),
        ("version", version),
        ("parent.groupId", parent.map(|one| one.group.clone())),
        ("parent.version", parent.map(|one| one.version.clone())),
    ];
    let own = Own {
        properties: &pom.body.properties,
        elements: elements
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
    };

    let fill = |one: &Dependency| Dependency {
        group: own.filled(&one.group),
        artifact: own.filled(&one.artifact),
        version: one.version.as_ref().map(|text| own.filled(text)),
        ..one.clone()
    };
    Ok(Declared {
        artifact: own.filled(&pom.artifact),
        dependencies: pom.body.dependencies.iter().map(fill).collect(),
        managed: pom.body.managed.iter().map(fill).collect(),
        parent: parent.map(|one| {
            let name = format!("{}:{}", one.group, one.artifact);
            (name, one.version.to_string())
        }),
        imports: pom
            .body
            .managed
            .iter()
            .any(|one| one.scope.as_deref() == Some("import")),
    })
}
