//! Changes of versions of Composer packages.

use patchgate_model::Bump;

use super::requirement::split;
use super::version::Version;
use super::{Composer, NAME, edit, raise, registry};
use crate::upgradable::admits;
use crate::version::{checked, numbered_bump};
use crate::{
    Copies, EditError, MetadataRequest, ParseError, Release, RequirementEdit, RequirementError,
    Siblings, Upgradable, VersionError, runtime,
};

impl Upgradable for Composer {
    /// Every stability below `stable` (<https://getcomposer.org/doc/articles/versions.md#stability-constraints>).
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(!parsed(version)?.is_stable())
    }

    /// As Composer's `^` treats versions: below 1.0 the second number is breaking.
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        parsed(from)?;
        parsed(to)?;
        Ok(numbered_bump(&split(from).0, &split(to).0))
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

    fn is_requirement_key(&self, path: &[&str]) -> bool {
        matches!(path, ["require" | "require-dev", _])
    }

    fn edit_manifest(
        &self,
        _path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit(manifest, change)
    }

    /// PHP loads one version of a package.
    fn copies(&self) -> Copies {
        Copies::One
    }

    /// The version in `config.platform`, for which Composer locks, else the requirement on `php`
    /// (<https://getcomposer.org/doc/06-config.md#platform>).
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = runtime::manifest_beside(lockfile, "composer.json", files)?;
        let manifest = crate::syntax::json(text).ok()?;
        let platform = manifest
            .get("config")
            .and_then(|config| config.get("platform")?.get("php")?.text());
        let required = || manifest.get("require")?.get("php")?.text();
        platform.or_else(required).map(str::to_owned)
    }

    fn runtime_name(&self) -> &'static str {
        "PHP"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::admits_oldest(&Composer, required, supported, 2)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }
}

fn parsed(version: &str) -> Result<Version, VersionError> {
    checked(NAME, version, Version::parse(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_must_work_with_the_oldest_php_of_the_project() {
        let supported = |text: &str| {
            let files = Siblings::from([("composer.json".to_owned(), text.as_bytes().to_vec())]);
            Composer.supported_runtime("composer.lock", &files)
        };
        let both = r#"{"require": {"php": ">=7.4"}, "config": {"platform": {"php": "8.1.2"}}}"#;
        assert_eq!(supported(both).as_deref(), Some("8.1.2"));
        assert_eq!(
            supported(r#"{"require": {"php": ">=7.4"}}"#).as_deref(),
            Some(">=7.4")
        );
        assert_eq!(supported("{}"), None);
        assert!(Composer.runs_on("^7.4 || ^8.0", ">=7.4"));
        assert!(!Composer.runs_on(">=8.1", ">=7.4"));
        assert!(Composer.runs_on(">=8.1", "8.1.2"));
        assert!(!Composer.runs_on("^7.0", "8.1.2"));
    }

    #[test]
    fn bumps_follow_the_first_number_that_counts() {
        for (from, to, expected) in [
            ("v1.2.3", "1.2.4", Bump::Patch),
            ("1.2", "v1.3.0", Bump::Minor),
            ("1.2", "2.0.0", Bump::Major),
            ("0.2.0", "0.3.0", Bump::Major),
            ("0.2.0", "0.2.1", Bump::Patch),
        ] {
            assert_eq!(Composer.bump(from, to), Ok(expected), "{from} {to}");
        }
        assert!(Composer.bump("dev-main", "1.0").is_err());
        assert_eq!(Composer.is_prerelease("1.0.0-RC1"), Ok(true));
        assert_eq!(Composer.is_prerelease("v1.0.0"), Ok(false));
    }
}
