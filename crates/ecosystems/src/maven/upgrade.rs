//! Versions and requirements of Maven artifacts, as far as a fix changes them.

use std::cmp::Ordering;

use patchgate_model::Bump;

use super::{Maven, NAME, coordinates, edit, registry, words};
use crate::version::comparison::refuse;
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Upgradable, VersionError,
};

impl Upgradable for Maven {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(words::is_prerelease(version))
    }

    /// Another flavor (`-android` instead of `-jre`) counts as breaking.
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        Ok(words::bump(from, to))
    }

    /// A single version is a soft requirement, which a nearer (Maven) or a newer one (Gradle)
    /// replaces, so it admits every version from itself on
    /// (<https://maven.apache.org/pom.html#dependency-version-requirement-specification>).
    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        let soft = requirement.trim();
        if coordinates::is_version(soft) && !soft.contains("!!") {
            let order = self.compare_versions(soft, version);
            return Ok(order.is_ok_and(|order| order != Ordering::Greater));
        }

        let admitted = self.admitted_versions(requirement)?;
        admitted
            .contains(self, version)
            .map_err(|_| refuse(NAME, requirement))
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        raise(requirement, version).ok_or_else(|| {
            RequirementError::new(
                requirement,
                format!("cannot be raised to {version} in its own style"),
            )
        })
    }

    fn is_requirement_key(&self, path: &[&str]) -> bool {
        // Tables of a version catalog.
        matches!(path.first(), Some(&("versions" | "libraries" | "plugins")))
    }

    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::manifest(path, manifest, change)
    }

    /// Maven takes the nearest version of an artifact, and Gradle the highest.
    fn copies(&self) -> Copies {
        Copies::One
    }

    /// What only Gradle's own metadata states counts for Gradle.
    fn may_apply(&self, condition: &str, _runtime: Option<&str>, always: bool) -> bool {
        condition == registry::OF_GRADLE && !always
    }

    /// Optional dependencies are those of the artifact's own build
    /// (<https://maven.apache.org/guides/introduction/introduction-to-optional-and-excludes-dependencies.html>).
    fn installs_optional(&self) -> bool {
        false
    }

    /// Both tools take the version that a dependency requires, not the newest one
    /// (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html>).
    fn prefers_newest(&self) -> bool {
        false
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }

    fn parse_details(
        &self,
        name: &str,
        release: &mut Release,
        body: &[u8],
    ) -> Result<(), ParseError> {
        registry::parse_details(name, release, body)
    }
}

/// The requirement with a new smallest version: `1.0`, `[1.0]`, `1.0!!` and one range with a lower
/// bound that is included. A range whose upper bound is not above the version has no such form.
fn raise(requirement: &str, version: &str) -> Option<String> {
    if !coordinates::is_version(version) {
        return None;
    }
    let text = requirement.trim();
    if let Some(strict) = text.strip_suffix("!!")
        && coordinates::is_version(strict)
    {
        return Some(format!("{version}!!"));
    }
    if coordinates::is_version(text) {
        return Some(version.to_owned());
    }

    let body = text.strip_prefix('[')?;
    let lower = body.split([',', ']']).next()?;
    let rest = body.get(lower.len()..)?;
    let is_single = rest.matches([']', ')', '[']).count() == 1;
    if !is_single || !coordinates::is_version(lower.trim()) {
        return None;
    }
    let raised = format!("[{version}{rest}");
    Maven.admits(&raised, version).ok()?.then_some(raised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_version_is_soft() {
        for (requirement, version, expected) in [
            ("1.0", "1.0", true),
            ("1.0", "2.5", true),
            ("1.0", "0.9", false),
            ("1.0!!", "1.1", false),
            ("[1.0]", "1.1", false),
            ("[1.0,2.0)", "1.9", true),
            ("[1.0,2.0)", "2.0", false),
            ("${v}", "9", true),
            ("", "9", true),
        ] {
            let admitted = Maven.admits(requirement, version).unwrap();
            assert_eq!(admitted, expected, "{requirement} {version}");
        }
        assert!(Maven.admits("[1.0", "1.0").is_err());
    }

    #[test]
    fn a_requirement_is_raised_in_its_own_style() {
        for (requirement, expected) in [
            ("1.0", Some("1.5")),
            ("[1.0]", Some("[1.5]")),
            ("[1.0,2.0)", Some("[1.5,2.0)")),
            ("[1.0,)", Some("[1.5,)")),
            ("1.0!!", Some("1.5!!")),
            ("[1.0,1.5)", None),
            ("(1.0,2.0)", None),
            ("[1.0,1.2],[1.4,2)", None),
            ("1.+", None),
            ("${v}", None),
        ] {
            let raised = Maven.raise_requirement(requirement, "1.5").ok();
            assert_eq!(raised.as_deref(), expected, "{requirement}");
        }
    }
}
