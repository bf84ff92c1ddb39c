//! Changes of versions of gems.

use patchgate_model::Bump;

use super::requirement::numbers;
use super::version::Version;
use super::{NAME, RubyGems, edit, gemfile, raise, registry};
use crate::upgradable::admits;
use crate::version::{checked, numbered_bump};
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Siblings, Upgradable, VersionError, runtime,
};

impl Upgradable for RubyGems {
    /// A version with letters (`Gem::Version#prerelease?`).
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        check(version)?;
        Ok(self.release_of(version).is_some())
    }

    /// By Semantic Versioning, which RubyGems recommends
    /// (the guide "Patterns" of RubyGems, "Semantic versioning").
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        check(from)?;
        check(to)?;
        Ok(numbered_bump(&numbers(from), &numbers(to)))
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

    /// A Gemfile is a program and has no keys.
    fn is_requirement_key(&self, _path: &[&str]) -> bool {
        false
    }

    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit(path, manifest, change)
    }

    /// Ruby loads one version of a gem.
    fn copies(&self) -> Copies {
        Copies::One
    }

    /// The statement `ruby` of the Gemfile.
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let name = lockfile.rsplit('/').next().unwrap_or_default();
        let manifest = match name {
            "gems.locked" => "gems.rb",
            name => name.strip_suffix(".lock")?,
        };
        gemfile::supported_ruby(runtime::manifest_beside(lockfile, manifest, files)?)
    }

    fn runtime_name(&self) -> &'static str {
        "Ruby"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::admits_oldest(&RubyGems, required, supported, 2)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }
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
            ("1.2", "2", Bump::Major),
            ("0.2", "0.3", Bump::Major),
            ("0.2.1", "0.2.2", Bump::Patch),
            ("1.0.rc1", "1.0", Bump::Patch),
            ("7.0.8", "7.0.8.1", Bump::Patch),
        ] {
            assert_eq!(RubyGems.bump(from, to), Ok(expected), "{from} {to}");
        }
        assert!(RubyGems.bump("odd", "1").is_err());
    }

    #[test]
    fn a_release_must_work_with_the_oldest_ruby_of_the_gemfile() {
        let supported = |text: &str| {
            let files = Siblings::from([("app/Gemfile".to_owned(), text.as_bytes().to_vec())]);
            RubyGems.supported_runtime("app/Gemfile.lock", &files)
        };
        assert_eq!(
            supported("ruby '~> 3.1', '< 3.4'\n").as_deref(),
            Some("~> 3.1, < 3.4")
        );
        assert_eq!(supported("ruby file: '.ruby-version'\n"), None);
        assert_eq!(supported("gem 'ruby'\n"), None);
        assert!(RubyGems.runs_on(">= 3.1.2", "~> 3.1"));
        assert!(!RubyGems.runs_on(">= 3.2", "~> 3.1"));
        assert!(!RubyGems.runs_on(">= 2.7, < 3.4.dev", "3.4.1"));
    }

    #[test]
    fn versions_with_letters_are_pre_releases() {
        assert_eq!(RubyGems.is_prerelease("1.0.rc1"), Ok(true));
        assert_eq!(RubyGems.is_prerelease("1.0"), Ok(false));
        assert!(RubyGems.is_prerelease("latest").is_err());
    }
}
