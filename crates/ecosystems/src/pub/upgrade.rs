//! Changes of versions of pub's packages.

use patchgate_model::Bump;

use super::requirement::release_of;
use super::{NAME, Pub, edit, registry, version};
use crate::upgradable::admits;
use crate::version::comparison::refuse;
use crate::version::{checked, numbered_bump, numbers};
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Siblings, Upgradable, VersionError, runtime,
};

impl Upgradable for Pub {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        check(version)?;
        Ok(release_of(version).is_some())
    }

    /// By Semantic Versioning; below 1.0 the second number is breaking
    /// (<https://dart.dev/tools/pub/versioning#semantic-versions>).
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        check(from)?;
        check(to)?;
        Ok(numbered_bump(&numbers(from), &numbers(to)))
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        admits(self, requirement, version)
    }

    /// `^1.2.3`, `1.2.3`, and ranges whose upper bound is above the version.
    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        self.admitted_versions(requirement)?;
        version::parse(version).ok_or_else(|| refuse(NAME, version))?;

        let text = requirement.trim();
        let raised = if text.starts_with('^') || matches!(text, "" | "any") {
            format!("^{version}")
        } else if version::parse(text).is_some() {
            version.to_owned()
        } else {
            let bounds = text
                .split_whitespace()
                .filter(|bound| bound.starts_with('<'));
            let mut parts = vec![format!(">={version}")];
            parts.extend(bounds.map(str::to_owned));
            parts.join(" ")
        };

        match self.admits(&raised, version)? {
            true => Ok(raised),
            false => {
                let reason = format!("cannot be raised to {version} in its own style");
                Err(RequirementError::new(requirement, reason))
            }
        }
    }

    fn is_requirement_key(&self, path: &[&str]) -> bool {
        matches!(
            path,
            ["dependencies" | "dev_dependencies", _]
                | ["dependencies" | "dev_dependencies", _, "version"]
        )
    }

    fn edit_manifest(
        &self,
        _path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit(manifest, change)
    }

    /// A project has one version of a package.
    fn copies(&self) -> Copies {
        Copies::One
    }

    fn runtime_name(&self) -> &'static str {
        "Dart"
    }

    /// The `sdk` of the project's `environment`
    /// (<https://dart.dev/tools/pub/pubspec#sdk-constraints>).
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = runtime::manifest_beside(lockfile, "pubspec.yaml", files)?;
        let manifest = crate::syntax::yaml(text).ok()?;
        let stated = manifest.get("environment")?.get("sdk")?.text()?;
        Some(stated.to_owned())
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::admits_oldest(&Pub, required, supported, 3)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }
}

fn check(version: &str) -> Result<(), VersionError> {
    checked(NAME, version, version::parse(version)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_raised_in_their_own_style() {
        for (requirement, expected) in [
            ("^1.0.0", Some("^1.5.0")),
            ("1.0.0", Some("1.5.0")),
            (">=1.0.0 <2.0.0", Some(">=1.5.0 <2.0.0")),
            (">=1.0.0", Some(">=1.5.0")),
            ("any", Some("^1.5.0")),
            (">=1.0.0 <1.5.0", None),
            ("x", None),
        ] {
            let raised = Pub.raise_requirement(requirement, "1.5.0").ok();
            assert_eq!(raised.as_deref(), expected, "{requirement}");
        }
        assert_eq!(Pub.bump("0.2.0", "0.3.0"), Ok(Bump::Major));
        assert_eq!(Pub.bump("1.2.0+1", "1.3.0-a"), Ok(Bump::Minor));
        assert_eq!(Pub.is_prerelease("1.0.0-a"), Ok(true));
        assert!(Pub.bump("x", "1.0.0").is_err());
    }
}
