//! Changes of versions of Hex packages.

use patchgate_model::Bump;

use super::{Hex, NAME, mix_exs, registry, version};
use crate::upgradable::admits;
use crate::version::comparison::refuse;
use crate::version::{checked, numbered_bump, numbers};
use crate::{
    Copies, Ecosystem as _, EditError, MetadataRequest, ParseError, Release, RequirementEdit,
    RequirementError, Upgradable, VersionError,
};

impl Upgradable for Hex {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        check(version)?;
        let version = version.split('+').next().unwrap_or_default();
        Ok(version.contains('-'))
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        check(from)?;
        check(to)?;
        Ok(numbered_bump(&numbers(from), &numbers(to)))
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        admits(self, requirement, version)
    }

    /// `~> 1.2`, `~> 1.2.3`, `1.2.3`, `>= 1.2.3`, and such bounds with an upper one. `~> 1.2` is kept with
    /// two numbers, and a lower bound is added where the version has more.
    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        self.admitted_versions(requirement)?;
        check(version).map_err(|_| refuse(NAME, version))?;

        let text = requirement.trim();
        let raised = if let Some(stated) = text.strip_prefix("~>").map(str::trim) {
            match (stated.split('.').count(), numbers(version).as_slice()) {
                (2, [major, minor, "0"]) if !version.contains('-') => format!("~> {major}.{minor}"),
                (2, [major, minor, _]) => format!("~> {major}.{minor} and >= {version}"),
                _ => format!("~> {version}"),
            }
        } else if version::parse(text).is_some() {
            version.to_owned()
        } else {
            let bounds = text.split(" and ").map(str::trim);
            let mut parts = vec![format!(">= {version}")];
            parts.extend(
                bounds
                    .filter(|bound| bound.starts_with('<'))
                    .map(str::to_owned),
            );
            parts.join(" and ")
        };

        let cannot = || {
            let reason = format!("cannot be raised to {version} in its own style");
            RequirementError::new(requirement, reason)
        };
        let is_one = !text.contains(" or ") && !text.contains("!=");
        match is_one && self.admits(&raised, version)? {
            true => Ok(raised),
            false => Err(cannot()),
        }
    }

    /// `mix.exs` has no keys.
    fn is_requirement_key(&self, _path: &[&str]) -> bool {
        false
    }

    /// Changes the literal requirement in a `mix.exs`.
    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        change: &RequirementEdit,
    ) -> Result<String, EditError> {
        if !path.ends_with("mix.exs") {
            return Err(EditError::Refused(format!(
                "requirements in `{path}` are not supported"
            )));
        }

        let found = mix_exs::dependencies(manifest);
        let mut ranges = found.into_iter().filter_map(|one| {
            let (requirement, range) = one.requirement?;
            (one.app == change.name && requirement == change.from).then_some(range)
        });

        match (ranges.next(), ranges.next()) {
            (Some(range), None) => {
                let mut edited = manifest.to_owned();
                edited.replace_range(range, &change.to);
                Ok(edited)
            }
            (Some(_), Some(_)) => Err(EditError::Refused(format!(
                "it requires `{}` more than once",
                change.name
            ))),
            (None, _) => Err(EditError::NotFound {
                name: change.name.clone(),
                requirement: change.from.clone(),
            }),
        }
    }

    /// A project has one version of a package.
    fn copies(&self) -> Copies {
        Copies::One
    }

    /// An optional dependency only bounds the version of a package that others need.
    fn installs_optional(&self) -> bool {
        false
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
        for (requirement, version, expected) in [
            ("~> 1.2", "1.5.0", Some("~> 1.5")),
            ("~> 1.2", "1.5.3", Some("~> 1.5 and >= 1.5.3")),
            ("~> 1.2.0", "1.5.3", Some("~> 1.5.3")),
            ("1.2.0", "1.5.3", Some("1.5.3")),
            (">= 1.2.0", "1.5.3", Some(">= 1.5.3")),
            (
                ">= 1.2.0 and < 2.0.0",
                "1.5.3",
                Some(">= 1.5.3 and < 2.0.0"),
            ),
            (">= 1.2.0 and < 1.5.0", "1.5.3", None),
            ("~> 1.2 or ~> 2.0", "1.5.3", None),
            ("x", "1.5.3", None),
        ] {
            let raised = Hex.raise_requirement(requirement, version).ok();
            assert_eq!(raised.as_deref(), expected, "{requirement}");
        }
        assert_eq!(Hex.bump("0.2.0", "0.3.0"), Ok(Bump::Major));
        assert_eq!(Hex.is_prerelease("1.0.0-rc.1+a"), Ok(true));
    }

    #[test]
    fn only_a_literal_is_edited() {
        let change = RequirementEdit {
            name: "plug".to_owned(),
            from: "~> 1.2".to_owned(),
            to: "~> 1.5".to_owned(),
        };
        let edit = |text: &str| Hex.edit_manifest("mix.exs", text, &change);
        let text = "[{:plug, \"~> 1.2\"}, {:other, \"~> 1.2\"}] # {:plug, \"~> 1.2\"}";
        assert_eq!(
            edit(text).unwrap(),
            "[{:plug, \"~> 1.5\"}, {:other, \"~> 1.2\"}] # {:plug, \"~> 1.2\"}"
        );
        assert!(edit("[{:plug, version()}]").is_err());
        assert!(edit("[{:plug, \"~> 1.2\"}, {:plug, \"~> 1.2\"}]").is_err());
        assert!(Hex.edit_manifest("gleam.toml", text, &change).is_err());
    }
}
