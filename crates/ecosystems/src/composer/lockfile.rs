//! Reader of `composer.lock`
//! (<https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control>).

use patchgate_model::{FormatId, Lockfile, Scope};

use super::manifest;
use super::package::Packages;
use crate::syntax::json;
use crate::{Input, ParseError};

/// Reads a lockfile, together with the `composer.json` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = json(input.text()?)?;
    if !document.get("packages").is_some_and(|list| list.is_list()) {
        return Err(
            ParseError::new("is not a Composer lockfile: it lacks the list `packages`")
                .with_hint("re-create the file with `composer update --lock`"),
        );
    }

    let mut packages = Packages::new(input, FormatId::new("composer-lock"));
    for entry in document.optional_list("packages")? {
        packages.add(entry, Scope::Runtime)?;
    }
    for entry in document.optional_list("packages-dev")? {
        packages.add(entry, Scope::Development)?;
    }

    packages.link()?;
    let root = manifest::root(input, &input.beside("composer.json"), &packages);
    packages.lockfile.roots.extend(root);

    Ok(packages.lockfile)
}
