//! Reader of `composer.lock`
//! (<https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control>).

use patchgate_model::{FormatId, Lockfile, Loss, Scope};

use super::manifest;
use super::package::Packages;
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys};

/// Reads a lockfile, together with the `composer.json` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let is_list = |key| document.get(key).is_some_and(Node::is_list);
    if !is_list("packages") && !is_list("packages-dev") {
        return Err(
            ParseError::new("is not a Composer lockfile: it lacks the list `packages`")
                .with_hint("re-create the file with `composer update --lock`"),
        );
    }

    let mut packages = Packages::new(input, FormatId::new("composer-lock"));
    packages.skipped = skipped;
    for (key, scope) in [
        ("packages", Scope::Runtime),
        ("packages-dev", Scope::Development),
    ] {
        if key == "packages" && !is_list(key) {
            packages.skipped.package(1, "lacks the list `packages`");
        }
        let entries = document.optional_list(key);
        let entries = packages.skipped.recover(Loss::Package, 1, entries);
        for entry in entries.unwrap_or_default() {
            packages.add(entry, scope)?;
        }
    }

    packages.link()?;
    let root = manifest::root(input, &input.beside("composer.json"), &packages);
    packages.lockfile.roots.extend(root);

    packages.finish()
}
