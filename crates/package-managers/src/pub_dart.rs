//! pub: where the packages of a `pubspec.lock` come from.
//!
//! The lockfile names the repository of each package itself. Deliberately absent: every run of `dart`,
//! which may not be installed, and the tokens of private repositories.

use std::path::Path;

use patchgate_model::Lockfile;

use crate::manager::{is_web_address, stated_address};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// pub of every version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pub;

impl RegistryLocator for Pub {
    fn name(&self) -> &'static str {
        "pub"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pubspec-lock"]
    }

    fn configuration(&self, _root: &Path, _lockfile: &str) -> Vec<ConfigurationFile> {
        Vec::new()
    }

    /// A retracted release that a lockfile has stays installable
    /// (<https://dart.dev/tools/pub/publishing#retract>).
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The address of the package's repository. A package that is not in the lockfile yet has that of
    /// all packages, if there is one.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        stated_address(lockfile, package)
            .unwrap_or_default()
            .to_owned()
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        _configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            match is_web_address(key) {
                true => Ok(Some(key.to_owned())),
                false => Err(RelockError::Failed {
                    command: "pub".to_owned(),
                    reason: "the lockfile does not say which repository the package is from"
                        .to_owned(),
                }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_web_address_is_asked() {
        let asked = async |key: &str| Pub.registry(key, &[], RunOptions::default()).await.ok();
        let address = "https://pub.invalid/prefix";
        assert_eq!(asked(address).await, Some(Some(address.to_owned())));
        for odd in ["", "file:///etc", "pub.invalid", "https://pub.invalid/a b"] {
            assert_eq!(asked(odd).await, None, "{odd}");
        }
    }
}
