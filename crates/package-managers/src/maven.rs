//! Where the packages of a `pom.xml` come from. Maven itself is not run: its extensions and plugins
//! are code of the repository.
//!
//! The address is the one that Maven's own settings and installation name
//! ([`patchgate_inventory::maven::default_repository`]); without them one that the project declares.

use std::path::Path;

use patchgate_ecosystems::maven::{DeclaredRepository, Projects};
use patchgate_ecosystems::{Input, Siblings};
use patchgate_http::Environment;
use patchgate_inventory::maven::default_repository;
use patchgate_model::Lockfile;

use crate::manager::{configuration_file_up_to, directories_down_to, join};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Largest project that is read for the repositories that it declares, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Maven's repositories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maven;

impl RegistryLocator for Maven {
    fn name(&self) -> &'static str {
        "Maven"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["maven-pom"]
    }

    /// The project and those in the directories above it, which are mostly its parents.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        let mut above = directories_down_to(lockfile);
        above.pop();
        above
            .into_iter()
            .map(|directory| join(directory, "pom.xml"))
            .chain([lockfile.to_owned()])
            .filter_map(|path| configuration_file_up_to(root, &path, MAX_BYTES))
            .collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&["pom.xml"])
    }

    /// A repository withdraws no releases.
    fn installs_yanked(&self) -> bool {
        false
    }

    fn registry_key(&self, _lockfile: &Lockfile, _package: &str) -> String {
        String::new()
    }

    fn registry<'a>(
        &'a self,
        _key: &'a str,
        configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let declared = declared(configuration)?;
            address(&Environment::of_process(), &declared).map(Some)
        })
    }
}

/// The repositories that the project declares. It is the last of the files.
fn declared(configuration: &[ConfigurationFile]) -> Result<Vec<DeclaredRepository>, RelockError> {
    let Some(own) = configuration.last() else {
        return Ok(Vec::new());
    };
    let siblings: Siblings = configuration
        .iter()
        .map(|file| (file.path.clone(), file.content.clone()))
        .collect();
    let input = Input {
        path: &own.path,
        bytes: &own.content,
        siblings: &siblings,
    };

    Projects::default()
        .repositories(&input)
        .map_err(|error| RelockError::Unusable {
            path: own.path.clone(),
            reason: format!("it {}", error.reason),
        })
}

/// The address of the repository that is asked for releases.
pub(crate) fn address(
    environment: &Environment,
    declared: &[DeclaredRepository],
) -> Result<String, RelockError> {
    default_repository(environment, None, declared).map_err(|unknown| RelockError::Failed {
        command: "mvn".to_owned(),
        reason: unknown.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(rest: &str) -> String {
        format!(
            "<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version>{rest}</project>"
        )
    }

    #[test]
    fn repositories_of_the_project_and_its_parent_are_declared() {
        let root = tempfile::tempdir().unwrap();
        let repository = "<repositories><repository><id>own</id><url>https://${host}/r</url>\
                          </repository></repositories>";
        let parent = format!("<properties><host>own.invalid</host></properties>{repository}");
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("pom.xml"), project("")).unwrap();
        std::fs::write(root.path().join("a/pom.xml"), project(&parent)).unwrap();
        let module = "<project><parent><groupId>g</groupId><artifactId>p</artifactId>\
                      <version>1</version></parent><artifactId>m</artifactId></project>";
        std::fs::write(root.path().join("a/b/pom.xml"), module).unwrap();

        let configuration = Maven.configuration(root.path(), "a/b/pom.xml");
        let paths: Vec<&str> = configuration.iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["pom.xml", "a/pom.xml", "a/b/pom.xml"]);
        let declared = declared(&configuration).unwrap();
        assert_eq!(declared.len(), 1);
        assert_eq!(declared[0].url, "https://own.invalid/r");

        let nothing = Environment::new(Default::default(), []);
        let found = address(&nothing, &declared).unwrap();
        assert_eq!(found, "https://own.invalid/r");
        let error = address(&nothing, &[]).unwrap_err();
        assert!(error.hint().unwrap().contains("mirror"), "{error}");
    }

    #[test]
    fn a_project_that_cannot_be_read_is_an_error() {
        let file = ConfigurationFile {
            path: "pom.xml".to_owned(),
            content: b"<!DOCTYPE a [<!ENTITY b \"c\">]><project>&b;</project>".to_vec(),
        };
        assert!(declared(&[file]).is_err());
    }
}
