//! Changes of versions of Python packages.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Bump;

use super::admitted::Parts;
use super::marker::{Applies, Marker};
use super::python_range::PythonRange;
use super::version::Version;
use super::{NAME, PyPi, edit, index, manifest, raise};
use crate::version::checked;
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Siblings, Upgradable, VersionError, runtime,
};

impl Upgradable for PyPi {
    /// `requires-python` of the `pyproject.toml` beside the lockfile, or Poetry's requirement on
    /// `python`.
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = runtime::manifest_beside(lockfile, "pyproject.toml", files)?;
        let manifest = crate::syntax::toml(text).ok()?;
        let stated = manifest
            .get("project")
            .and_then(|project| project.get("requires-python"));
        let of_poetry = || {
            let poetry = manifest.get("tool")?.get("poetry")?;
            poetry.get("dependencies")?.get("python")
        };
        Some(stated.or_else(of_poetry)?.text()?.to_owned())
    }

    fn runtime_name(&self) -> &'static str {
        "Python"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::admits_oldest(&PyPi, required, supported, 2)
    }

    /// The extras that a manifest asks for.
    fn asked_features(
        &self,
        path: &str,
        manifests: &Siblings,
    ) -> BTreeMap<String, BTreeSet<String>> {
        manifest::asked_extras(path, manifests)
    }

    /// Environment markers
    /// (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>).
    fn may_apply(&self, condition: &str, runtime: Option<&str>, always: bool) -> bool {
        let python = PythonRange::parse(runtime.unwrap_or_default());
        let own = Marker::parse(condition).and_then(|marker| marker.by_extra().remove(""));
        let applies = own
            .zip(python)
            .and_then(|(own, python)| own.applies(&python));
        match applies {
            Some(Applies::Always) => true,
            Some(Applies::When(_)) => !always,
            Some(Applies::Never) | None => false,
        }
    }

    /// Developmental releases count as pre-releases
    /// (<https://packaging.python.org/en/latest/specifications/version-specifiers/#handling-of-pre-releases>).
    /// Legacy versions do not, as in setuptools.
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        check(version)?;
        Ok(Parts::of(version).is_some_and(|parts| !parts.pre.is_empty() || parts.dev.is_some()))
    }

    /// PEP 440 gives numbers no meaning. The first one, and the first that is not zero, count as
    /// breaking, as Poetry's `^` treats them. A legacy
    /// version has no numbers to compare, so every change of one may break.
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        check(from)?;
        check(to)?;
        let (Some(from), Some(to)) = (Parts::of(from), Parts::of(to)) else {
            return Ok(Bump::Major);
        };
        if from.epoch != to.epoch {
            return Ok(Bump::Major);
        }

        let length = from.numbers.len().max(to.numbers.len());
        let number = |parts: &Parts, index: usize| {
            parts
                .numbers
                .get(index)
                .map_or("0", String::as_str)
                .to_owned()
        };
        let leading = (0..length)
            .take_while(|index| number(&from, *index) == "0")
            .count();
        let changed = (0..length).find(|index| number(&from, *index) != number(&to, *index));
        Ok(match changed {
            None => Bump::Patch,
            Some(index) if index <= leading => Bump::Major,
            Some(1) => Bump::Minor,
            Some(_) => Bump::Patch,
        })
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        raise::admits(requirement, version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        raise::raise(requirement, version)
    }

    /// The tables of Poetry. In lists, as in `project.dependencies`, a value is a name with its
    /// requirement, so that no path leads to the versions alone.
    fn is_requirement_key(&self, path: &[&str]) -> bool {
        edit::is_requirement_key(path)
    }

    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        edit: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit(path, manifest, edit)
    }

    /// An environment has one version of a project. A lockfile for several environments can have
    /// more; their writers say whether they keep these apart.
    fn copies(&self) -> Copies {
        Copies::One
    }

    fn source_archive(
        &self,
        _name: &str,
        release: &Release,
        _settings: Option<&[u8]>,
    ) -> Option<crate::SourceArchive> {
        index::archive(release)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        index::request(registry, &self.normalize_name(name))
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        index::parse(name, body)
    }

    fn parse_details(
        &self,
        name: &str,
        release: &mut Release,
        body: &[u8],
    ) -> Result<(), ParseError> {
        index::complete(name, release, body)
    }
}

/// Checks that a text has a position in the order of versions.
fn check(version: &str) -> Result<(), VersionError> {
    checked(NAME, version, Version::parse(version)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bumps_follow_the_first_number_that_counts() {
        for (from, to, expected) in [
            ("1.2.3", "1.2.4", Bump::Patch),
            ("1.2", "1.3", Bump::Minor),
            ("1.2", "2", Bump::Major),
            ("0.2", "0.3", Bump::Major),
            ("0.2.1", "0.2.2", Bump::Patch),
            ("0.0.1", "0.0.2", Bump::Major),
            ("1!1.0", "2!1.0", Bump::Major),
            ("1.0", "1.0.post1", Bump::Patch),
            ("2023.5", "2024.1", Bump::Major),
        ] {
            assert_eq!(PyPi.bump(from, to), Ok(expected), "{from} {to}");
        }
        assert_eq!(PyPi.bump("odd", "1"), Ok(Bump::Major));
        assert!(PyPi.bump("", "1").is_err());
    }

    #[test]
    fn developmental_releases_are_pre_releases() {
        for (version, expected) in [
            ("1.0.dev1", true),
            ("1rc1", true),
            ("1.0.post1", false),
            ("odd-rc1", false),
        ] {
            assert_eq!(PyPi.is_prerelease(version), Ok(expected), "{version}");
        }
    }
}
