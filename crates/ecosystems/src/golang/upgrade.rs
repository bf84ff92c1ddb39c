//! Changes of versions: requirements are lower bounds, and a build has one version of each module.

use patchgate_model::Bump;

use super::version::{self, Version};
use super::{Go, NAME, edit, registry};
use crate::version::checked;
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Siblings, Upgradable, VersionError, runtime,
};

impl Upgradable for Go {
    /// A commit without a tag (a pseudo-version) counts as a pre-release, as in Go's own order.
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(parse(version)?.is_prerelease())
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        Ok(parse(from)?.bump_to(&parse(to)?))
    }

    /// By minimal version selection a requirement admits the version and every later one of its path
    /// (<https://go.dev/ref/mod#minimal-version-selection>).
    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        let not_a_version =
            |_| RequirementError::new(requirement, format!("cannot admit `{version}`"));
        self.admitted_versions(requirement)?
            .contains(self, version)
            .map_err(not_a_version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        let refused = |reason: &str| Err(RequirementError::new(requirement, reason));
        if Version::parse(version).is_none() {
            return refused("cannot be raised to something that is not a version");
        }

        let bare = version.strip_prefix('v').unwrap_or(version);
        if version::is_canonical(requirement) {
            let is_marked = !requirement.ends_with("+incompatible") || bare.contains('+');
            let mark = if is_marked { "" } else { "+incompatible" };
            return Ok(format!("v{bare}{mark}"));
        }
        // Requirements of the standard library: a `go` line, or the floor of a version file.
        let (prefix, release) = match requirement.strip_prefix(">=") {
            Some(release) => (">=", release),
            None => ("", requirement),
        };
        if release.starts_with(|c: char| c.is_ascii_digit()) && Version::parse(release).is_some() {
            return Ok(format!("{prefix}{bare}"));
        }
        refused("is not a version, and Go replaces it by one at its next run")
    }

    /// Go has no manifest whose keys lead to requirements: `go.mod` is read as a lockfile.
    fn is_requirement_key(&self, _path: &[&str]) -> bool {
        false
    }

    fn edit_manifest(
        &self,
        _path: &str,
        manifest: &str,
        edit: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit_requirement(manifest, edit)
    }

    fn copies(&self) -> Copies {
        Copies::One
    }

    /// The `go` line of the file (<https://go.dev/ref/mod#go-mod-file-go>).
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = std::str::from_utf8(files.get(lockfile)?).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("go")).then(|| words.next().map(str::to_owned))?
        })
    }

    fn runtime_name(&self) -> &'static str {
        "Go"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::is_at_least(supported, required)
    }

    fn prefers_newest(&self) -> bool {
        false
    }

    fn unlisted_release(&self, requirement: &str) -> Option<Release> {
        let is_commit = version::is_canonical(requirement) && parse(requirement).is_ok();
        is_commit.then(|| registry::release(requirement))
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::metadata_request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse_metadata(name, body)
    }

    fn metadata_pages(&self, _name: &str, body: &[u8]) -> Result<Vec<MetadataRequest>, ParseError> {
        Ok(registry::metadata_pages(body))
    }

    fn parse_details(
        &self,
        _name: &str,
        release: &mut Release,
        body: &[u8],
    ) -> Result<(), ParseError> {
        registry::parse_details(release, body)
    }

    fn yanks_request(&self, releases: &[Release]) -> Option<MetadataRequest> {
        registry::yanks_request(releases)
    }

    fn parse_yanks(&self, releases: &mut [Release], body: &[u8]) -> Result<(), ParseError> {
        registry::parse_yanks(releases, body)
    }

    fn published_request(&self, release: &Release) -> Option<MetadataRequest> {
        registry::published_request(release)
    }

    fn parse_published(&self, release: &mut Release, body: &[u8]) -> Result<(), ParseError> {
        registry::parse_published(release, body)
    }
}

fn parse(text: &str) -> Result<Version<'_>, VersionError> {
    checked(NAME, text, Version::parse(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_a_lower_bound_within_its_major_version() {
        for (requirement, version, admitted) in [
            ("v1.2.3", "v1.2.3", true),
            ("v1.2.3", "v1.9.0", true),
            ("v1.2.3", "v1.2.2", false),
            ("v1.2.3", "v2.0.0+incompatible", false),
            ("v0.3.0", "v1.0.0", true),
        ] {
            assert_eq!(
                Go.admits(requirement, version),
                Ok(admitted),
                "{requirement} {version}"
            );
        }
        assert!(Go.admits("v1.2.3", "master").is_err());
    }

    #[test]
    fn a_raised_requirement_keeps_its_notation() {
        for (requirement, version, raised) in [
            ("v1.2.3", "1.2.5", "v1.2.5"),
            ("v1.2.3", "v1.3.0", "v1.3.0"),
            ("v2.0.0+incompatible", "2.1.0", "v2.1.0+incompatible"),
            ("1.16", "1.21.5", "1.21.5"),
            (">=1.16", "1.21.5", ">=1.21.5"),
        ] {
            assert_eq!(
                Go.raise_requirement(requirement, version).as_deref(),
                Ok(raised)
            );
        }
        assert!(Go.raise_requirement("latest", "v1.0.0").is_err());
        assert!(Go.raise_requirement("v1.0.0", "latest").is_err());
    }

    #[test]
    fn the_size_of_a_change_follows_the_numbers() {
        for (from, to, bump) in [
            ("v1.2.3", "v1.2.4", Bump::Patch),
            ("v1.2.3", "v1.3.0", Bump::Minor),
            ("v0.7.0", "v0.17.0", Bump::Major),
            ("v0.7.0", "v0.7.1", Bump::Patch),
            ("v1.9.0", "v2.0.0+incompatible", Bump::Major),
        ] {
            assert_eq!(Go.bump(from, to), Ok(bump), "{from} {to}");
        }
        assert_eq!(
            Go.is_prerelease("v1.2.4-0.20200101000000-abcdefabcdef"),
            Ok(true)
        );
        assert_eq!(Go.is_prerelease("v1.2.4+incompatible"), Ok(false));
    }
}
