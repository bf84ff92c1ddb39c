//! Reader of `packages.config` (<https://learn.microsoft.com/nuget/reference/packages-config>):
//! every package of a project in one flat list.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Package, PackageIndex, Root, Unresolved,
};

use super::text::text;
use super::{check_name, check_version, project_files, scopes};
use crate::syntax::{Element, xml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a file, together with the project file next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = text(input)?;
    let document = xml(&text)?;
    if document.name != "packages" {
        return Err(ParseError::new(format!(
            "begins with `<{}>` where `<packages>` is expected",
            document.name
        ))
        .at_line(document.line as usize));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("nuget-packages-config"),
        ..Lockfile::default()
    };

    let mut skipped = SkippedEntries::default();
    let mut indices: HashMap<(String, String), usize> = HashMap::new();
    let mut edges: Vec<Edge> = Vec::new();
    for element in document.all("package") {
        if element.attribute("version").is_none_or(str::is_empty) {
            let open = without_version(element);
            let open = skipped.recover(Loss::Package, element.line, open);
            lockfile.unresolved.extend(open);
            continue;
        }

        let package = package(element);
        let Some((package, kind)) = skipped.recover(Loss::Package, element.line, package) else {
            continue;
        };
        let key = (package.name.to_ascii_lowercase(), package.version.clone());
        let index = indices.entry(key).or_insert(lockfile.packages.len());
        if let Some(edge) = edges.get_mut(*index) {
            // The same package for another target framework.
            if kind == DependencyKind::Runtime {
                edge.kind = kind;
            }
            if let Some(known) = lockfile.packages.get_mut(*index) {
                known.groups.extend(package.groups);
            }
            continue;
        }

        edges.push(Edge {
            to: PackageIndex(u32::try_from(*index).unwrap_or(u32::MAX)),
            name: package.name.as_str().into(),
            requirement: element.attribute("allowedVersions").map(Into::into),
            kind,
        });
        lockfile.packages.push(package);
        if lockfile.packages.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "lists more than {} packages",
                limits::MAX_PACKAGES
            )));
        }
    }

    // A package that is listed for several frameworks has the groups of all of them.
    for package in &mut lockfile.packages {
        package.groups.sort_unstable();
        package.groups.dedup();
    }

    // The list is flat, so every package counts as a direct dependency.
    let project = project_files::beside(input).into_iter().next();
    lockfile.roots.push(Root {
        name: project
            .as_ref()
            .map(|project| project.name.clone())
            .unwrap_or_default(),
        manifest: project.map(|project| project.path),
        edges,
    });
    scopes::set(&mut lockfile);

    salvage::finish(lockfile, skipped)
}

/// A package without a version, which occurs in Chocolatey's files of this name.
fn without_version(element: &Element<'_>) -> Result<Unresolved, ParseError> {
    let name = need(element, "id")?;
    check_name(name, element.line)?;
    Ok(Unresolved {
        ecosystem: crate::nuget::NAME,
        name: name.to_owned(),
        requirement: String::new(),
        kind: DependencyKind::Runtime,
        line: element.line,
    })
}

/// The value of a required attribute.
fn need<'e>(element: &'e Element<'_>, name: &str) -> Result<&'e str, ParseError> {
    element
        .attribute(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            ParseError::new(format!("has a package without `{name}`"))
                .at_line(element.line as usize)
        })
}

fn package(element: &Element<'_>) -> Result<(Package, DependencyKind), ParseError> {
    let (name, version) = (need(element, "id")?, need(element, "version")?);
    check_name(name, element.line)?;
    check_version(version, name, element.line)?;
    let development = element
        .attribute("developmentDependency")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let package = Package {
        line: element.line,
        groups: element
            .attribute("targetFramework")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    };

    let kind = if development {
        DependencyKind::Development
    } else {
        DependencyKind::Runtime
    };
    Ok((package, kind))
}
