//! Bundler: where the gems of a `Gemfile.lock` come from.
//!
//! The lockfile names the sources itself, and a mirror in Bundler's settings can replace one
//! (<https://bundler.io/man/bundle-config.1.html#MIRRORS-OF-GEM-SOURCES>).
//!
//! Deliberately absent: every run of Bundler. It evaluates the Gemfile, which is code of the
//! repository. Passwords of private sources are not read either.

mod settings;

use std::path::Path;

use patchgate_model::Lockfile;

use crate::manager::{configuration_next_to, is_web_address, stated_address};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};
use settings::Settings;

/// Bundler's settings in a repository.
const CONFIGURATION: &str = ".bundle/config";

/// Bundler of every version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bundler;

impl RegistryLocator for Bundler {
    fn name(&self) -> &'static str {
        "bundler"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["gemfile-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &[CONFIGURATION])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[CONFIGURATION])
    }

    /// A yanked gem is deleted.
    fn installs_yanked(&self) -> bool {
        false
    }

    /// The address of the gem's source. A gem that is not in the lockfile yet has that of all gems,
    /// if there is one.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        stated_address(lockfile, package)
            .unwrap_or_default()
            .to_owned()
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let address = match Settings::read(configuration).mirror(key) {
                Some(mirror) => mirror,
                None => key.to_owned(),
            };
            match is_web_address(&address) {
                true => Ok(Some(address)),
                false => Err(RelockError::Failed {
                    command: "bundler".to_owned(),
                    reason: match key {
                        "" => "the lockfile does not say which source the gem is from".to_owned(),
                        key => format!("the source `{key}` is not a web address"),
                    },
                }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{Origin, Package};

    use super::*;

    fn lockfile(packages: &[(&str, Option<&str>)]) -> Lockfile {
        let package = |(name, address): &(&str, Option<&str>)| Package {
            origin: Origin::Registry(address.map(str::to_owned)),
            ..Package::new(
                patchgate_ecosystems::by_name("RubyGems").unwrap().name(),
                (*name).to_owned(),
                "1".to_owned(),
            )
        };
        Lockfile {
            packages: packages.iter().map(package).collect(),
            ..Lockfile::default()
        }
    }

    #[test]
    fn the_lockfile_names_the_source() {
        let (a, b) = ("https://a.invalid/", "https://b.invalid/");
        let one = lockfile(&[("x", Some(a)), ("y", Some(a)), ("z", None)]);
        assert_eq!(Bundler.registry_key(&one, "x"), a);
        assert_eq!(Bundler.registry_key(&one, "new"), a);

        let two = lockfile(&[("x", Some(a)), ("y", Some(b))]);
        assert_eq!(Bundler.registry_key(&two, "y"), b);
        assert_eq!(Bundler.registry_key(&two, "new"), "");
    }

    #[tokio::test]
    async fn only_a_web_address_is_a_source() {
        let file = |content: &str| ConfigurationFile {
            path: CONFIGURATION.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        let mirrored = [file(
            "---\nBUNDLE_MIRROR__HTTPS://GEMS__INVALID/: \"https://mirror.invalid\"\n",
        )];
        let odd = [file(
            "BUNDLE_MIRROR__HTTPS://GEMS__INVALID/: \"file:///etc\"\n",
        )];
        let address = async |key, files| Bundler.registry(key, files, RunOptions::default()).await;
        assert_eq!(
            address("https://gems.invalid/", &mirrored).await.unwrap(),
            Some("https://mirror.invalid".to_owned())
        );
        assert_eq!(
            address("https://own.invalid/", &mirrored).await.unwrap(),
            Some("https://own.invalid/".to_owned())
        );
        assert!(address("https://gems.invalid/", &odd).await.is_err());
        assert!(address("", &[]).await.is_err());
        assert!(address("vendor/gems", &[]).await.is_err());
    }

    #[test]
    fn settings_are_next_to_the_lockfile() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("app/.bundle")).unwrap();
        std::fs::write(root.path().join("app/.bundle/config"), "---\n").unwrap();
        let paths = |lockfile: &str| -> Vec<String> {
            let files = Bundler.configuration(root.path(), lockfile);
            files.into_iter().map(|file| file.path).collect()
        };
        assert_eq!(paths("app/Gemfile.lock"), ["app/.bundle/config"]);
        assert!(paths("Gemfile.lock").is_empty());
    }
}
