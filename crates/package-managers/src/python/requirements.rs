//! Where the packages of a requirements file come from: its own options
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#global-options>), else pip's
//! index.
//!
//! Several indexes are an error: pip takes each package from the one with the highest version, and
//! lists of hashes have the files of all of them.

use std::collections::BTreeSet;
use std::path::Path;

use patchgate_ecosystems::limits;
use patchgate_model::Lockfile;

use super::address::plain;
use super::pip;
use crate::manager::{configuration_file_up_to, parent};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Most files that one file includes, directly or through others.
const MAX_FILES: usize = 200;

/// Options that say where packages come from. pip accepts each of them shortened, too.
const INDEX: &str = "--index-url";
const MORE: &str = "--extra-index-url";
const NONE: &str = "--no-index";
const INCLUDES: [&str; 2] = ["--requirement", "--constraint"];

/// pip, as far as requirements files need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipRequirements;

impl RegistryLocator for PipRequirements {
    fn name(&self) -> &'static str {
        "pip"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pip-requirements"]
    }

    /// The file itself and those that it includes.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        let mut files = Vec::new();
        let mut seen = BTreeSet::from([lockfile.to_owned()]);
        let mut next = vec![lockfile.to_owned()];
        while let Some(path) = next.pop() {
            let most = limits::MAX_FILE_BYTES as u64;
            let Some(file) = configuration_file_up_to(root, &path, most) else {
                continue;
            };
            for option in options(&file) {
                if let Some(Ok(included)) = option.included(&path)
                    && seen.len() < MAX_FILES
                    && seen.insert(included.clone())
                {
                    next.push(included);
                }
            }
            files.push(file);
        }

        files
    }

    /// pip installs a yanked release that is pinned.
    fn installs_yanked(&self) -> bool {
        true
    }

    fn registry_key(&self, _lockfile: &Lockfile, _package: &str) -> String {
        String::new()
    }

    fn registry<'a>(
        &'a self,
        _key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            match named(configuration)? {
                Some(address) => Ok(Some(address)),
                None => pip::index(options).await.map(Some),
            }
        })
    }
}

/// The index that the options of the files name. The last one counts, where included files come at
/// the line that includes them.
///
/// # Errors
/// When they name several indexes, none at all, or something else than a web address.
fn named(configuration: &[ConfigurationFile]) -> Result<Option<String>, RelockError> {
    let mut index = None;
    let Some(own) = configuration.first() else {
        return Ok(None);
    };
    let mut seen = BTreeSet::from([own.path.as_str()]);
    let mut stack: Vec<(&ConfigurationFile, _)> = vec![(own, options(own).into_iter())];
    while let Some((file, rest)) = stack.last_mut() {
        let file = *file;
        let Some(option) = rest.next() else {
            stack.pop();
            continue;
        };

        let unusable = |reason: &str| RelockError::Unusable {
            path: file.path.clone(),
            reason: reason.to_owned(),
        };
        match option.name {
            INDEX => index = Some(plain(&file.path, &option.value)?),
            MORE => return Err(unusable("its option `--extra-index-url` is not supported")),
            NONE => return Err(unusable("its option `--no-index` allows no index")),
            _ => {
                let included = option
                    .included(&file.path)
                    .transpose()
                    .map_err(|()| unusable("it includes a file that is not in the repository"))?;
                let known = configuration
                    .iter()
                    .find(|file| Some(&file.path) == included.as_ref());
                if let Some(known) = known.filter(|known| seen.insert(&known.path)) {
                    stack.push((known, options(known).into_iter()));
                }
            }
        }
    }

    Ok(index)
}

/// An option of a file.
#[derive(Debug, PartialEq, Eq)]
struct FileOption {
    /// One of the names above, in full.
    name: &'static str,
    value: String,
}

impl FileOption {
    /// The path, from the repository's root, of a file that the option includes. An error if it is
    /// not in the repository.
    fn included(&self, own: &str) -> Option<Result<String, ()>> {
        INCLUDES
            .contains(&self.name)
            .then(|| inside(parent(own), &self.value).ok_or(()))
    }
}

/// The path of a file that is relative to a directory. `None` outside of the repository.
fn inside(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The options of a file that say where packages come from, in order.
fn options(file: &ConfigurationFile) -> Vec<FileOption> {
    let text = String::from_utf8_lossy(&file.content);
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut found = Vec::new();
    for line in text.split(['\n', '\r']).map(str::trim) {
        if !line.starts_with('-') {
            continue;
        }
        let mut words = line
            .split_whitespace()
            .take_while(|word| !word.starts_with('#'))
            .map(|word| word.trim_matches(['"', '\'']));
        while let Some(word) = words.next() {
            let Some((name, attached)) = option(word) else {
                continue;
            };
            let value = match attached {
                _ if name == NONE => "",
                Some(value) => value.trim_matches(['"', '\'']),
                None => words.next().unwrap_or_default(),
            };
            found.push(FileOption {
                name,
                value: value.to_owned(),
            });
        }
    }

    found
}

/// The option that a word names, and its value if it is in the same word.
fn option(word: &str) -> Option<(&'static str, Option<&str>)> {
    let [requirement, constraint] = INCLUDES;
    if !word.starts_with("--") {
        let (short, rest) = word.split_at_checked(2)?;
        let name = match short {
            "-i" => INDEX,
            "-r" => requirement,
            "-c" => constraint,
            _ => return None,
        };
        return Some((name, (!rest.is_empty()).then_some(rest)));
    }

    let (written, value) = match word.split_once('=') {
        Some((written, value)) => (written, Some(value)),
        None => (word, None),
    };
    let name = [INDEX, MORE, NONE, requirement, constraint]
        .into_iter()
        .find(|name| written.len() > 3 && name.starts_with(written))?;
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> ConfigurationFile {
        ConfigurationFile {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_last_index_counts() {
        for (text, expected) in [
            ("a==1\n", None),
            ("-i https://a.invalid/\n", Some("https://a.invalid/")),
            ("-ihttps://a.invalid/\n", Some("https://a.invalid/")),
            (
                "--index-url 'https://a.invalid/' # x\r\n",
                Some("https://a.invalid/"),
            ),
            (
                "--pre --index=https://a.invalid/\n",
                Some("https://a.invalid/"),
            ),
            (
                "--index-url \\\n  https://a.invalid/\n",
                Some("https://a.invalid/"),
            ),
            (
                "-i https://a.invalid/\n-i https://b.invalid/\n",
                Some("https://b.invalid/"),
            ),
            ("# -i https://a.invalid/\n", None),
        ] {
            let index = named(&[file("requirements.txt", text)]).unwrap();
            assert_eq!(index.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn several_indexes_and_variables_are_errors() {
        for text in [
            "--extra-index-url https://a.invalid/\n",
            "--extra-index=https://a.invalid/\n",
            "-i https://a.invalid/ --extra-index-url https://b.invalid/\n",
            "--no-index\n",
            "-i https://${TOKEN}.a.invalid/\n",
            "-i file:///etc\n",
            "-i\n",
            "-r https://a.invalid/r.txt\n",
            "-r ../../r.txt\n",
        ] {
            assert!(named(&[file("a/r.txt", text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn included_files_count_where_they_are_included() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        for (path, text) in [
            (
                "a/r.txt",
                "-i https://a.invalid/\n-r b/base.txt\n-c ../c.txt\n-r gone.txt\n",
            ),
            ("a/b/base.txt", "-r ../r.txt\n-i https://base.invalid/\n"),
            ("c.txt", "x==1\n"),
        ] {
            std::fs::write(root.path().join(path), text).unwrap();
        }

        let files = PipRequirements.configuration(root.path(), "a/r.txt");
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a/r.txt", "c.txt", "a/b/base.txt"]);
        assert_eq!(
            named(&files).unwrap().as_deref(),
            Some("https://base.invalid/")
        );
    }

    #[tokio::test]
    async fn the_options_of_the_file_count_before_pip() {
        let files = [file(
            "requirements.txt",
            "--index-url https://a.invalid/simple\n",
        )];
        let index = PipRequirements
            .registry("", &files, RunOptions::default())
            .await
            .unwrap();
        assert_eq!(index.as_deref(), Some("https://a.invalid/simple"));
    }

    /// Whatever pip names, it is an address.
    #[tokio::test]
    async fn pip_names_its_index() {
        match PipRequirements
            .registry("", &[], RunOptions::default())
            .await
        {
            Ok(index) => assert!(super::super::address::is_web(&index.unwrap())),
            Err(RelockError::NotInstalled { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
