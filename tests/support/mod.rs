//! Helpers of the end-to-end tests: no tests are here.

pub(crate) mod ci_step;
pub(crate) mod fixture_registry;
pub(crate) mod forge_sandbox;
pub(crate) mod release_archive;
pub(crate) mod sandbox;
