//! Changes of versions: releases are the tags of an action's repository.

use patchgate_model::Bump;

use super::version::{self, Tag};
use super::{GitHubActions, refs, requirement};
use crate::{
    Copies, EditError, MetadataRequest, ParseError, Release, RequirementEdit, RequirementError,
    Upgradable, VersionError,
};

impl Upgradable for GitHubActions {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(version::parse(version)?.release().is_some())
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        Ok(bump(&version::parse(from)?, &version::parse(to)?))
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        admits(requirement, version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        raise(requirement, version)
    }

    /// A workflow is no manifest: its references are changed by its writer.
    fn is_requirement_key(&self, _path: &[&str]) -> bool {
        false
    }

    fn edit_manifest(
        &self,
        _path: &str,
        _manifest: &str,
        _edit: &RequirementEdit,
    ) -> Result<String, EditError> {
        Err(EditError::Refused(
            "a reference is changed together with its comment".to_owned(),
        ))
    }

    /// Every step has a reference of its own.
    fn copies(&self) -> Copies {
        Copies::Any
    }

    /// `registry` is the base address of the forge's git server.
    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        let registry = registry.trim_end_matches('/');
        let name = percent_encoding::utf8_percent_encode(name, refs::NAME);
        refs::metadata_request(&format!("{registry}/{name}"))
    }

    fn parse_metadata(&self, _name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        refs::parse_metadata(body)
    }
}

/// The size of a change, by the leftmost nonzero number.
pub(crate) fn bump(from: &Tag<'_>, to: &Tag<'_>) -> Bump {
    let padded = |tag: &Tag<'_>| -> Vec<String> {
        let mut numbers: Vec<String> = tag.digits().map(str::to_owned).collect();
        numbers.resize(4, "0".to_owned());
        numbers
    };
    let (from, to) = (padded(from), padded(to));
    let Some(changed) = from.iter().zip(&to).position(|(from, to)| from != to) else {
        return Bump::Patch;
    };
    let breaking = from.iter().position(|number| number != "0").unwrap_or(2);
    match changed {
        _ if changed <= breaking => Bump::Major,
        1 => Bump::Minor,
        _ => Bump::Patch,
    }
}

/// Whether a reference can point to a release.
pub(crate) fn admits(reference: &str, version: &str) -> Result<bool, RequirementError> {
    requirement::admitted(reference)?
        .contains(&GitHubActions, version)
        .map_err(|_| RequirementError::new(reference, format!("cannot admit `{version}`")))
}

/// The reference of the same style whose first release is a version.
pub(crate) fn raise(reference: &str, version: &str) -> Result<String, RequirementError> {
    let refused = |reason: &str| RequirementError::new(reference, reason);
    let (Ok(tag), Ok(new)) = (version::parse(reference), version::parse(version)) else {
        return Err(refused("is not a tag with a version"));
    };

    let prefix = match reference.starts_with(['v', 'V']) {
        true => "v",
        false => "",
    };
    if !tag.is_moving() {
        return Ok(format!(
            "{prefix}{}",
            version.trim_start_matches(['v', 'V'])
        ));
    }
    let kept = tag.digits().count();
    let numbers: Vec<&str> = new.digits().collect();
    let is_first = new.release().is_none() && numbers.iter().skip(kept).all(|one| *one == "0");
    match numbers.get(..kept).filter(|_| is_first) {
        Some(numbers) => Ok(format!("{prefix}{}", numbers.join("."))),
        None => Err(refused(
            "is a moving tag, which begins with another release",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_tag_admits_its_range() {
        assert_eq!(GitHubActions.admits("v4", "v4.2.0"), Ok(true));
        assert_eq!(GitHubActions.admits("v4.1.0", "v4.1.1"), Ok(false));
        assert!(GitHubActions.admits("v4", "main").is_err());
    }

    #[test]
    fn a_raised_reference_keeps_its_style() {
        for (reference, version, raised) in [
            ("v4", "v5.0.0", Some("v5")),
            ("4.1", "v5.2.0", Some("5.2")),
            ("v4", "v5.0.1", None),
            ("v4.1.0", "5.0.1", Some("v5.0.1")),
            ("main", "v5.0.0", None),
        ] {
            let result = GitHubActions.raise_requirement(reference, version);
            assert_eq!(result.ok().as_deref(), raised, "{reference} {version}");
        }
    }

    #[test]
    fn the_size_of_a_change_follows_the_numbers() {
        for (from, to, bump) in [
            ("v4", "v5", Bump::Major),
            ("v4.1.0", "v4.2.0", Bump::Minor),
            ("v4.1.0", "v4.1.3", Bump::Patch),
            ("v0.1.0", "v0.2.0", Bump::Major),
        ] {
            assert_eq!(GitHubActions.bump(from, to), Ok(bump), "{from} {to}");
        }
        assert_eq!(GitHubActions.is_prerelease("v4.0.0-beta.1"), Ok(true));
        assert!(GitHubActions.is_prerelease("main").is_err());
    }

    #[test]
    fn an_action_is_asked_for_at_the_forge() {
        assert_eq!(
            GitHubActions
                .metadata_request("https://forge.invalid/", "actions/cache")
                .url,
            "https://forge.invalid/actions/cache/info/refs?service=git-upload-pack"
        );
        assert_eq!(
            GitHubActions
                .metadata_request("https://forge.invalid", "a?/b#")
                .url,
            "https://forge.invalid/a%3F/b%23/info/refs?service=git-upload-pack"
        );
    }
}
