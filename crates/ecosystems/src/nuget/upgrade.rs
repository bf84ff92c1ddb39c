//! Changes of versions of NuGet packages.

use patchgate_model::Bump;

use super::version::Version;
use super::{NAME, NuGet, edit, raise, registry};
use crate::upgradable::admits;
use crate::version::{checked, numbered_bump};
use crate::{
    Copies, EditError, MetadataRequest, ParseError, Release, RequirementEdit, RequirementError,
    Upgradable, VersionError,
};

impl Upgradable for NuGet {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        check(version)?;
        Ok(numbers(version).1)
    }

    /// By Semantic Versioning, which NuGet recommends
    /// (<https://learn.microsoft.com/nuget/concepts/package-versioning>).
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        check(from)?;
        check(to)?;
        Ok(numbered_bump(&numbers(from).0, &numbers(to).0))
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        admits(self, requirement, version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        raise::raise(requirement, version)
    }

    /// MSBuild files have no keys.
    fn is_requirement_key(&self, _path: &[&str]) -> bool {
        false
    }

    /// Changes the literal versions in a project, or in a file of central versions.
    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        if path.ends_with("proj") || path.ends_with(".props") || path.ends_with(".targets") {
            return edit::edit(manifest, change);
        }
        Err(EditError::Refused(format!(
            "requirements in `{path}` are not supported"
        )))
    }

    /// A project has one version of a package.
    fn copies(&self) -> Copies {
        Copies::One
    }

    /// NuGet takes the lowest version that is admitted
    /// (<https://learn.microsoft.com/nuget/concepts/dependency-resolution#lowest-applicable-version>).
    fn prefers_newest(&self) -> bool {
        false
    }

    /// A lockfile has the dependencies for all frameworks of its project. Those for others that are
    /// planned too are left out when it is written.
    fn locks_every_platform(&self) -> bool {
        true
    }

    /// The service index of the feed, which leads to the package.
    fn metadata_request(&self, registry: &str, _name: &str) -> MetadataRequest {
        registry::request(registry)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }

    fn metadata_pages(&self, name: &str, body: &[u8]) -> Result<Vec<MetadataRequest>, ParseError> {
        registry::pages(name, body)
    }
}

/// The numbers of a version, and whether a pre-release follows them.
fn numbers(version: &str) -> (Vec<&str>, bool) {
    let version = version.split('+').next().unwrap_or_default();
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, true),
        None => (version, false),
    };
    (numbers.split('.').collect(), pre)
}

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
            ("1.2", "1.3.0", Bump::Minor),
            ("1.2.3.4", "1.2.3.5", Bump::Patch),
            ("1.2", "2.0.0-rc.1", Bump::Major),
            ("0.2.0", "0.3.0", Bump::Major),
        ] {
            assert_eq!(NuGet.bump(from, to), Ok(expected), "{from} {to}");
        }
        assert!(NuGet.bump("x", "1.0").is_err());
        assert_eq!(NuGet.is_prerelease("1.0.0-rc.1+b-c"), Ok(true));
        assert_eq!(NuGet.is_prerelease("1.0.0+b-c"), Ok(false));
    }
}
