//! Changes of versions of git repositories: releases are their tags.

use patchgate_model::Bump;

use super::{Git, parse_tag};
use crate::github::{refs, upgrade};
use crate::{
    Copies, EditError, MetadataRequest, ParseError, Release, RequirementEdit, RequirementError,
    Upgradable, VersionError,
};

impl Upgradable for Git {
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(parse_tag(version)?.release().is_some())
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        Ok(upgrade::bump(&parse_tag(from)?, &parse_tag(to)?))
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        upgrade::admits(requirement, version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        upgrade::raise(requirement, version)
    }

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
            "a revision is changed together with its comment".to_owned(),
        ))
    }

    /// Every entry has a revision of its own.
    fn copies(&self) -> Copies {
        Copies::Any
    }

    /// The repository has its own address, which is its name; `registry` is not used.
    fn metadata_request(&self, _registry: &str, name: &str) -> MetadataRequest {
        refs::metadata_request(name)
    }

    fn parse_metadata(&self, _name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        refs::parse_metadata(body)
    }
}
