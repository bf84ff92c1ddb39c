//! `yarn.lock`: yarn's own line format of version 1, and the YAML of its later versions.

mod berry;
mod classic;
mod locator;
mod resolutions;
mod syntax;
mod write;

use patchgate_model::Lockfile;

use crate::{Input, ParseError};

pub(super) use write::{YarnWriter, registry as archive};

/// Hint for an incomplete file.
const REGENERATE: &str = "run `yarn install` to re-create the file";

/// Reads a `yarn.lock` of any version.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    // Only the later versions have this key, and a line of version 1 cannot begin with it.
    if text.starts_with("__metadata:") || text.contains("\n__metadata:") {
        berry::parse(input, text)
    } else {
        classic::parse(input, text)
    }
}

#[cfg(test)]
mod tests;
