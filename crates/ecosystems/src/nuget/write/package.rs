//! A release as a lockfile needs it, from its archive: the hash, and the dependencies in its `.nuspec`
//! (<https://learn.microsoft.com/nuget/reference/nuspec>).
//!
//! The dependencies are not taken from the feed's metadata. Some feeds leave out the groups without
//! dependencies, and these decide which group is the nearest.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::super::range::{VersionRange, normal};
use super::super::{check_name, check_version};
use super::content_hash::content_hash;
use super::framework::Framework;
use crate::syntax::{Element, xml};
use crate::{Release, limits};

/// Largest `.nuspec`, in bytes.
const MAX_NUSPEC_BYTES: u64 = 4 * 1024 * 1024;

/// Most files of an archive.
const MAX_FILES: usize = 0xffff;

/// A release that a lockfile gets.
#[derive(Debug)]
pub(super) struct Package {
    /// Name as the package itself writes it.
    pub(super) name: String,
    /// Version in the normal form.
    pub(super) version: String,
    pub(super) hash: String,
    groups: Vec<Group>,
    /// Whether it has files or dependencies for single platforms.
    pub(super) has_runtimes: bool,
}

#[derive(Debug)]
struct Group {
    framework: String,
    dependencies: Vec<(String, String)>,
}

impl Package {
    /// Reads the archive of a release.
    ///
    /// # Errors
    /// If it is not the archive of that release.
    pub(super) fn read(name: &str, release: &Release, archive: &[u8]) -> Result<Self, String> {
        let wrong = |reason: &str| format!("the archive of `{name} {}` {reason}", release.version);
        let hash =
            content_hash(archive).map_err(|reason| wrong(&format!("is refused: {reason}")))?;
        let mut zip = ZipArchive::new(Cursor::new(archive))
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if zip.len() > MAX_FILES {
            return Err(wrong("has too many files"));
        }

        let mut nuspec = None;
        let mut has_runtimes = false;
        for index in 0..zip.len() {
            let file = zip
                .by_index(index)
                .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
            let path = file
                .name()
                .map_err(|error| wrong(&format!("cannot be read: {error}")))?
                .to_ascii_lowercase();
            has_runtimes |= path.starts_with("runtimes/") || path == "runtime.json";
            if path.ends_with(".nuspec") && !path.contains('/') {
                let mut content = Vec::new();
                file.take(MAX_NUSPEC_BYTES + 1)
                    .read_to_end(&mut content)
                    .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
                if content.len() as u64 > MAX_NUSPEC_BYTES || nuspec.replace(content).is_some() {
                    return Err(wrong("has no single `.nuspec` of usual size"));
                }
            }
        }
        let nuspec = nuspec.ok_or_else(|| wrong("has no `.nuspec`"))?;
        let package = Self::of_nuspec(&nuspec, hash, has_runtimes)
            .map_err(|reason| wrong(&format!("has a `.nuspec` that {reason}")))?;

        let is_same = package.name.eq_ignore_ascii_case(name)
            && normal(&release.version).is_some_and(|version| version == package.version);
        match is_same {
            true => Ok(package),
            false => Err(wrong(&format!(
                "is one of `{} {}`",
                package.name, package.version
            ))),
        }
    }

    fn of_nuspec(nuspec: &[u8], hash: String, has_runtimes: bool) -> Result<Self, String> {
        let text = std::str::from_utf8(nuspec).map_err(|_| "is not UTF-8")?;
        let text = text.trim_start_matches('\u{feff}');
        let document = xml(text).map_err(|error| error.to_string())?;
        let metadata = document.child("metadata").ok_or("lacks `metadata`")?;
        let name = metadata.text_of("id").unwrap_or_default().trim().to_owned();
        let version = metadata.text_of("version").unwrap_or_default().trim();
        check_name(&name, 1).map_err(|error| error.reason)?;
        check_version(version, &name, 1).map_err(|error| error.reason)?;

        let mut groups = Vec::new();
        if let Some(listed) = metadata.child("dependencies") {
            let flat = dependencies(listed)?;
            for group in listed.all("group") {
                let framework = group.attribute("targetFramework").unwrap_or_default();
                groups.push(Group {
                    framework: framework.to_owned(),
                    dependencies: dependencies(group)?,
                });
            }
            if groups.is_empty() && !flat.is_empty() {
                groups.push(Group {
                    framework: String::new(),
                    dependencies: flat,
                });
            }
        }
        Ok(Self {
            version: normal(version).unwrap_or_default(),
            name,
            hash,
            groups,
            has_runtimes,
        })
    }

    /// The dependencies for every framework: its name, that of the dependency, and the range.
    pub(super) fn all_dependencies(&self) -> BTreeSet<(String, String, String)> {
        let mut all = BTreeSet::new();
        for group in &self.groups {
            for (name, range) in &group.dependencies {
                all.insert((group.framework.clone(), name.clone(), range.clone()));
            }
        }
        all
    }

    /// The dependencies for a framework, sorted as in a lockfile.
    ///
    /// # Errors
    /// If it is not certain which they are.
    pub(super) fn dependencies(
        &self,
        framework: &Framework,
    ) -> Result<Vec<(String, String)>, String> {
        let names: Vec<&str> = self
            .groups
            .iter()
            .map(|group| group.framework.as_str())
            .collect();
        let wrong = |reason: String| {
            format!(
                "the dependencies of `{} {}` are unclear: {reason}",
                self.name, self.version
            )
        };

        let nearest = framework.nearest(&names).map_err(wrong)?;
        let group = nearest.and_then(|index| self.groups.get(index));
        let mut dependencies = group
            .map(|group| group.dependencies.clone())
            .unwrap_or_default();

        dependencies.sort();
        Ok(dependencies)
    }
}

/// The dependencies of a list, each with its requirement in the short form.
fn dependencies(list: &Element<'_>) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for dependency in list.all("dependency") {
        let name = dependency.attribute("id").unwrap_or_default();
        check_name(name, 1).map_err(|error| error.reason)?;
        let requirement = dependency.attribute("version").unwrap_or_default();
        let range = VersionRange::parse(requirement)
            .ok_or_else(|| format!("requires `{name}` without a range of versions"))?;
        found.push((name.to_owned(), range.short()));
        if found.len() > limits::MAX_PACKAGES {
            return Err("has too many dependencies".to_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(nuspec: &str) -> Result<Package, String> {
        Package::of_nuspec(nuspec.as_bytes(), String::new(), false)
    }

    #[test]
    fn dependencies_are_those_of_the_nearest_group() {
        let package = read(
            "\u{feff}<?xml version=\"1.0\"?><package xmlns=\"x\"><metadata><id>Acme.Json</id><version>1.2.0.0</version>\
             <dependencies><group targetFramework=\"net8.0\" /><group targetFramework=\".NETStandard2.0\">\
             <dependency id=\"b\" version=\"[1.0, )\" exclude=\"Build\" /><dependency id=\"A\" version=\"2\" /></group>\
             </dependencies></metadata></package>",
        )
        .unwrap();
        let of = |framework: &str| {
            package
                .dependencies(&Framework::parse(framework).unwrap())
                .unwrap()
        };
        assert_eq!(package.version, "1.2.0");
        assert_eq!(of("net9.0"), []);
        let expected = [("A", "2.0.0"), ("b", "1.0.0")];
        assert_eq!(
            of("net6.0"),
            expected.map(|(name, range)| (name.to_owned(), range.to_owned()))
        );
        assert!(
            package
                .dependencies(&Framework::parse("net40").unwrap())
                .is_err()
        );
    }

    #[test]
    fn odd_nuspecs_are_errors() {
        let of = |rest: &str| format!("<package><metadata>{rest}</metadata></package>");
        for nuspec in [
            "<package/>".to_owned(),
            of("<id>../a</id><version>1.0</version>"),
            of("<id>a</id><version>x</version>"),
            of(
                "<id>a</id><version>1.0</version><dependencies><dependency id=\"b\"/></dependencies>",
            ),
            of(
                "<id>a</id><version>1.0</version><dependencies><dependency id=\"/\" version=\"1\"/></dependencies>",
            ),
            "<!DOCTYPE a [<!ENTITY b \"c\">]><package>&b;</package>".to_owned(),
        ] {
            assert!(read(&nuspec).is_err(), "{nuspec}");
        }
    }
}
