//! NuGet: where the packages of a project come from.
//!
//! The sources are those of the `nuget.config` files of the repository and of the user
//! (<https://learn.microsoft.com/nuget/consume-packages/configuring-nuget-behavior>). NuGet asks all
//! sources of a package. Here exactly one must be left: the only one that is enabled, or the one that a
//! source mapping names.
//!
//! Deliberately absent: every run of `dotnet`, whose MSBuild runs code of the repository. Passwords of
//! sources are not read either, nor variables of the environment in an address, which a repository
//! could use to have a secret sent to a host of its own.

mod config;

use std::path::{Path, PathBuf};

use patchgate_model::Lockfile;

use crate::manager::{configuration_file, is_web_address, join, parent, user_file};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};
use config::{Settings, Source};

/// Spellings of the name of a configuration file, the one that counts first.
const NAMES: [&str; 3] = ["nuget.config", "NuGet.config", "NuGet.Config"];

/// Most files of the user.
const MAX_USER_FILES: usize = 64;

/// NuGet of every version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NuGet;

impl RegistryLocator for NuGet {
    fn name(&self) -> &'static str {
        "NuGet"
    }

    fn formats(&self) -> &'static [&'static str] {
        &[
            "nuget-lock",
            "nuget-packages-config",
            "msbuild-project",
            "msbuild-props",
        ]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        let mut directories = vec![parent(lockfile)];
        while let Some(directory) = directories.last().filter(|last| !last.is_empty()) {
            directories.push(parent(directory));
        }
        let nearest = |directory: &&str| {
            let mut names = NAMES.iter();
            names.find_map(|name| configuration_file(root, &join(directory, name)))
        };
        directories.iter().rev().filter_map(nearest).collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&NAMES)
    }

    /// A version that is not listed can be installed, and so can a deprecated one.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The name of the package, by which a source mapping finds its source.
    fn registry_key(&self, _lockfile: &Lockfile, package: &str) -> String {
        package.to_ascii_lowercase()
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move { address(&user_files(), configuration, key).map(Some) })
    }
}

/// The address of the source of a package. Files of the user count before those of the repository.
fn address(
    user: &[(String, String)],
    configuration: &[ConfigurationFile],
    package: &str,
) -> Result<String, RelockError> {
    let mut settings = Settings::default();
    for (path, text) in user {
        settings
            .add(text)
            .map_err(|reason| unusable(path, reason))?;
    }
    for file in configuration {
        let text = std::str::from_utf8(&file.content)
            .map_err(|_| unusable(&file.path, "it is not UTF-8".to_owned()))?;
        settings
            .add(text)
            .map_err(|reason| unusable(&file.path, reason))?;
    }

    let failed = |reason: String| RelockError::Failed {
        command: "nuget".to_owned(),
        reason,
    };
    let source = match settings.sources_of(package).as_slice() {
        [] => Err(format!(
            "no `nuget.config` of the repository or the user names a source of `{package}`"
        )),
        [one] => check(one),
        several => {
            let names: Vec<&str> = several.iter().map(|source| source.name.as_str()).collect();
            Err(format!(
                "`{package}` may come from several sources ({}), and no source mapping says from which",
                names.join(", ")
            ))
        }
    };
    source.map_err(failed)
}

/// The address of a source that can be asked: a feed of version 3.
fn check(source: &Source) -> Result<String, String> {
    let Source {
        name,
        address,
        is_version_3,
    } = source;
    if address.contains('%') {
        return Err(format!("the address of the source `{name}` has a variable"));
    }
    if !is_web_address(address) {
        return Err(format!("the source `{name}` is not a web address"));
    }
    match is_version_3 {
        true => Ok(address.clone()),
        false => Err(format!("the source `{name}` is not a feed of version 3")),
    }
}

fn unusable(path: &str, reason: String) -> RelockError {
    RelockError::Unusable {
        path: path.to_owned(),
        reason,
    }
}

/// The configuration of the user, with the names of the files, the one that counts least first.
fn user_files() -> Vec<(String, String)> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = variable("HOME").map(|home| home.join(".nuget"));
    let directories = [
        home.as_ref().map(|home| home.join("config")),
        variable("APPDATA").map(|data| data.join("NuGet")),
        home.map(|home| home.join("NuGet")),
    ];

    let mut files = Vec::new();
    for directory in directories.into_iter().flatten() {
        let entries = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                let extension = path.extension().unwrap_or_default();
                extension.eq_ignore_ascii_case("config")
            })
            .collect();
        // The own file of NuGet counts more than those that others added.
        paths.sort_by_key(|path| {
            let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
            (name == "nuget.config", name)
        });
        for path in paths.into_iter().take(MAX_USER_FILES) {
            let text = user_file(&path);
            files.extend(text.map(|text| (path.display().to_string(), text)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> ConfigurationFile {
        ConfigurationFile {
            path: "nuget.config".to_owned(),
            content: content.as_bytes().to_vec(),
        }
    }

    fn asked(user: &str, repository: &[&str], package: &str) -> Result<String, String> {
        let user = [("user".to_owned(), user.to_owned())];
        let files: Vec<ConfigurationFile> = repository.iter().map(|text| file(text)).collect();
        address(&user, &files, package).map_err(|error| error.to_string())
    }

    fn sources(inner: &str) -> String {
        format!("<configuration><packageSources>{inner}</packageSources></configuration>")
    }

    const FEED: &str = "https://feed.invalid/v3/index.json";

    #[test]
    fn the_only_source_is_asked() {
        let user = sources(&format!("<add key='main' value='{FEED}'/>"));
        assert_eq!(asked(&user, &[], "a"), Ok(FEED.to_owned()));

        let own = sources("<clear /><add key='own' value='https://own.invalid/index.json' />");
        assert_eq!(
            asked(&user, &[&own], "a"),
            Ok("https://own.invalid/index.json".to_owned())
        );

        // A file nearer to the project replaces a source of the same name.
        let same =
            sources("<add key='MAIN' value='https://x.invalid/nuget' protocolVersion='3' />");
        assert_eq!(
            asked(&user, &[&same], "a"),
            Ok("https://x.invalid/nuget".to_owned())
        );
    }

    #[test]
    fn sources_can_be_disabled_and_removed() {
        let user = sources(&format!(
            "<add key='main' value='{FEED}'/><add key='other' value='https://o.invalid/index.json'/>"
        ));
        let several = asked(&user, &[], "a").unwrap_err();
        assert!(several.contains("main, other"), "{several}");

        let off = "<configuration><disabledPackageSources><add key='other' value='true'/></disabledPackageSources></configuration>";
        assert_eq!(asked(&user, &[off], "a"), Ok(FEED.to_owned()));
        let on = "<configuration><disabledPackageSources><clear/></disabledPackageSources></configuration>";
        assert!(asked(&user, &[off, on], "a").is_err());
        let gone = sources("<remove key='other'/>");
        assert_eq!(asked(&user, &[&gone], "a"), Ok(FEED.to_owned()));
    }

    #[test]
    fn a_mapping_says_which_source_a_package_has() {
        let text = format!(
            "<configuration><packageSources><add key='main' value='{FEED}'/>\
             <add key='corp' value='https://corp.invalid/index.json'/></packageSources>\
             <packageSourceMapping><packageSource key='main'><package pattern='*'/></packageSource>\
             <packageSource key='corp'><package pattern='Corp.*'/><package pattern='Corp.Public'/></packageSource>\
             <packageSource key='main'><package pattern='corp.public.*'/></packageSource>\
             </packageSourceMapping></configuration>"
        );
        let corp = Ok("https://corp.invalid/index.json".to_owned());
        assert_eq!(asked("<configuration/>", &[&text], "corp.secret"), corp);
        assert_eq!(asked("<configuration/>", &[&text], "corp.public"), corp);
        for package in ["corp.public.a", "newtonsoft.json", "corp"] {
            assert_eq!(
                asked("<configuration/>", &[&text], package),
                Ok(FEED.to_owned())
            );
        }
    }

    #[test]
    fn what_cannot_be_asked_is_an_error() {
        for (inner, reason) in [
            ("", "names a source"),
            ("<add key='a' value='../packages'/>", "not a web address"),
            (
                "<add key='a' value='https://f.invalid/%TOKEN%/index.json'/>",
                "has a variable",
            ),
            (
                "<add key='a' value='https://f.invalid/api/v2'/>",
                "not a feed of version 3",
            ),
            (
                "<add key='a' value='file:///etc/index.json'/>",
                "not a web address",
            ),
        ] {
            let error = asked("<configuration/>", &[&sources(inner)], "a").unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(asked("<configuration/>", &["<configuration>"], "a").is_err());
        let entities = "<!DOCTYPE a [<!ENTITY b 'c'>]><configuration>&b;</configuration>";
        assert!(asked("<configuration/>", &[entities], "a").is_err());
    }

    #[test]
    fn files_above_the_project_count_the_outermost_first() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("src/App")).unwrap();
        for path in ["NuGet.Config", "src/nuget.config", "src/App/other.config"] {
            std::fs::write(root.path().join(path), "<configuration/>").unwrap();
        }
        let found = NuGet.configuration(root.path(), "src/App/packages.lock.json");
        let paths: Vec<String> = found.into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["NuGet.Config", "src/nuget.config"]);
    }
}
