//! The projects' own dependencies: their versions and requirements, and the catalogs that they refer to.

use std::collections::BTreeMap;

use super::document::Document;
use super::graph::{Copies, IMPORTER_SECTIONS};
use crate::TargetEdge;
use crate::npm::pnpm::dep_path::{Generation, without_peers};
use crate::npm::pnpm::importers::{self, catalog_entry};
use crate::npm::pnpm::scalar::block;
use crate::syntax::{Key, Node};

impl Copies<'_> {
    /// Writes the versions and requirements of the projects' own dependencies. A dependency has its
    /// override as the requirement.
    pub(super) fn write_importers(
        &self,
        own: &Node<'_>,
        overrides: &BTreeMap<String, String>,
        document: &mut Document,
    ) -> Result<(), String> {
        let mut listed: BTreeMap<(String, &str), &TargetEdge> = BTreeMap::new();
        for (root, edges) in self.lockfile.roots.iter().zip(&self.target.roots) {
            if root.edges.len() != edges.len() {
                return Err("a project would get another number of dependencies".to_owned());
            }
            for (old, edge) in root.edges.iter().zip(edges) {
                if old.name != *edge.name {
                    return Err(format!("a project would depend on `{}`", edge.name));
                }
                let Some(manifest) = &root.manifest else {
                    return Err("the manifest of a project is missing".to_owned());
                };
                listed.insert((manifest.clone(), &edge.name), edge);
            }
        }

        let mut catalogs = Catalogs {
            listed: own.get("catalogs"),
            values: BTreeMap::new(),
        };
        for (directory, importer) in importers::listed(own) {
            let manifest = super::manifest(&self.lockfile.path, directory);
            let specifiers = importer.get("specifiers");
            for section in IMPORTER_SECTIONS {
                let entries = importer.get(section).map(Node::entries);
                for dependency in entries.unwrap_or_default() {
                    let (name, value) = dependency;
                    let Some(edge) = listed.get(&(manifest.clone(), &*name.name)) else {
                        // A linked directory is no edge, and has no version to write.
                        continue;
                    };
                    let overridden = overrides.get(&*name.name).map(String::as_str);
                    // Older versions have the requirements in a section of their own.
                    let (specifier, version) = match value.text() {
                        Some(_) => {
                            let specifier = specifiers.and_then(|all| all.entry(&name.name));
                            (specifier, Some(dependency))
                        }
                        None => (value.entry("specifier"), value.entry("version")),
                    };
                    let (Some(specifier), Some(version)) = (specifier, version) else {
                        return Err(format!(
                            "the entry of `{}` has another form than pnpm's",
                            edge.name
                        ));
                    };
                    let stated = Stated { specifier, version };
                    self.write_dependency(&stated, edge, overridden, &mut catalogs, document)?;
                }
            }
        }

        catalogs.write(document)
    }

    fn write_dependency<'n>(
        &self,
        value: &Stated<'n, '_>,
        edge: &'n TargetEdge,
        overridden: Option<&'n str>,
        catalogs: &mut Catalogs<'n, '_>,
        document: &mut Document,
    ) -> Result<(), String> {
        let Stated { specifier, version } = value;
        let unusual = || format!("`{}` has an unusual requirement", edge.name);
        let reference = self.reference(edge);
        let is_link = version.1.text().is_some_and(|old| old.starts_with("link:"));
        if version.1.text() != Some(&reference) && !is_link {
            let text = block(&reference).ok_or_else(unusual)?;
            document.set_value(version.0.line, &text)?;
        }

        let stated = specifier.1.text().unwrap_or_default();
        let mut requirement = overridden.or(edge.requirement.as_deref());
        if stated.starts_with("catalog:") && overridden.is_none() {
            let entry = catalog_entry(catalogs.listed, stated, &edge.name);
            let entry =
                entry.ok_or_else(|| format!("the catalog of `{}` is missing", edge.name))?;
            let plain = without_peers(&reference, Generation::Nine).to_owned();
            catalogs.add(entry, "version", plain, &edge.name)?;
            if let Some(requirement) = requirement.take() {
                catalogs.add(entry, "specifier", requirement.to_owned(), &edge.name)?;
            }
        }
        if let Some(requirement) = requirement
            && stated != requirement
        {
            let text = block(requirement).ok_or_else(unusual)?;
            document.set_value(specifier.0.line, &text)?;
        }

        Ok(())
    }
}

/// The requirement and the locked version of a dependency, each with the key in its line.
struct Stated<'n, 't> {
    specifier: &'n (Key<'t>, Node<'t>),
    version: &'n (Key<'t>, Node<'t>),
}

/// The entries of catalogs that dependencies refer to, with their new values.
struct Catalogs<'n, 't> {
    listed: Option<&'n Node<'t>>,
    /// By line: the value before, and the new one.
    values: BTreeMap<u32, (&'n str, String)>,
}

impl<'n> Catalogs<'n, '_> {
    fn add(
        &mut self,
        entry: &'n Node<'_>,
        field: &str,
        value: String,
        name: &str,
    ) -> Result<(), String> {
        let (key, old) = entry
            .entry(field)
            .and_then(|(key, old)| Some((key, old.text()?)))
            .ok_or_else(|| format!("the catalog of `{name}` has another form than pnpm's"))?;
        let new = (old, value);
        match self.values.insert(key.line, new.clone()) {
            Some(other) if other != new => Err(format!(
                "the dependencies on `{name}` of one catalog would differ"
            )),
            _ => Ok(()),
        }
    }

    fn write(self, document: &mut Document) -> Result<(), String> {
        for (line, (old, new)) in self.values {
            if old != new {
                let text = block(&new).ok_or_else(|| format!("`{new}` is unusual"))?;
                document.set_value(line, &text)?;
            }
        }

        Ok(())
    }
}
