//! Mentions of packages in the text of files: a plugin in a configuration, a program in a script, a
//! module in a string. Something that is mentioned may be used without an import.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem::Finder;
use patchgate_fs::read_inside;
use patchgate_syntax::{Node, json};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::files::MAX_FILE_BYTES;
use crate::index::Place;

/// Most bytes of all files that are searched.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Bytes at the beginning of a file in which a zero byte shows that it is no text, as in git.
const HEAD: usize = 8_000;

/// Sections of a `package.json` that list packages without using them.
const LISTS: [&str; 12] = [
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "optionalDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "dependenciesMeta",
    "overrides",
    "resolutions",
    "pnpm",
    "name",
];

/// Files that name packages without using them: manifests, settings of tools that update or scan
/// dependencies.
const MANIFESTS: [&str; 24] = [
    "Cargo.toml",
    "Cargo.lock",
    "Pipfile",
    "Pipfile.lock",
    "build.gradle",
    "build.gradle.kts",
    "deny.toml",
    "dependabot.yml",
    "dependabot.yaml",
    "environment.yml",
    "environment.yaml",
    "go.mod",
    "go.sum",
    "libs.versions.toml",
    "package-lock.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "poetry.lock",
    "pom.xml",
    "pyproject.toml",
    "renovate.json",
    "setup.cfg",
    "setup.py",
    "yarn.lock",
];

/// Ends of files that people read and nothing runs.
const PROSE: [&str; 6] = [".md", ".rst", ".adoc", ".svg", ".po", ".license"];

/// What the text of the files says about some names.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// The first place of each name that is mentioned.
    pub(crate) places: BTreeMap<String, Place>,
    /// The first file that could not be searched, and why: a fragment.
    pub(crate) unread: Option<(String, String)>,
}

/// Whether a file only lists or describes packages. `inventory` has the files that were read as
/// lockfiles or manifests.
pub(crate) fn only_lists(path: &str, is_inventory: bool) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    if name == "package.json" {
        return false;
    }
    let is_requirements = (lower.contains("requirements") || lower.contains("constraints"))
        && (lower.ends_with(".txt") || lower.ends_with(".in"));
    is_inventory
        || is_requirements
        || MANIFESTS.contains(&name)
        || lower.starts_with(".patchgate.")
        || [
            "license",
            "changelog",
            "changes",
            "notice",
            "authors",
            "news",
            "readme",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
        || PROSE.iter().any(|end| lower.ends_with(end))
}

/// Searches files for names, in parallel. A name counts as a whole word.
pub(crate) fn search(root: &Path, files: &[&str], names: &[String]) -> Mentions {
    let finders: Vec<(&String, Finder<'_>)> = names
        .iter()
        .map(|name| (name, Finder::new(name.as_bytes())))
        .collect();
    let bytes = AtomicU64::new(0);
    let found: Vec<Result<Vec<(&String, u32)>, String>> = files
        .par_iter()
        .map(|path| {
            let text = match read(root, path, &bytes)? {
                Some(text) => text,
                None => return Ok(Vec::new()),
            };
            let mentioned = finders.iter().filter_map(|(name, finder)| {
                let at = mention(&text, finder, name.len())?;
                Some((*name, line_at(&text, at)))
            });
            Ok(mentioned.collect())
        })
        .collect();

    let mut mentions = Mentions::default();
    for (path, found) in files.iter().zip(found) {
        match found {
            Ok(found) => {
                for (name, line) in found {
                    let places = &mut mentions.places;
                    places
                        .entry(name.clone())
                        .or_insert(((*path).to_owned(), line));
                }
            }
            Err(reason) => {
                let unread = ((*path).to_owned(), reason);
                mentions.unread.get_or_insert(unread);
            }
        }
    }

    mentions
}

/// The text of a file; `None` for one that is no text.
fn read(root: &Path, path: &str, bytes: &AtomicU64) -> Result<Option<Vec<u8>>, String> {
    let text = match read_inside(root, path, MAX_FILE_BYTES) {
        Ok(text) => text,
        Err(error) => {
            return match is_binary(root, path) {
                true => Ok(None),
                false => Err(error.to_string()),
            };
        }
    };
    let size = text.len() as u64;
    if bytes.fetch_add(size, Ordering::Relaxed) + size > MAX_BYTES {
        return Err("was not searched: the files have more than 512 MiB".to_owned());
    }
    if has_zero(&text) {
        return Ok(None);
    }
    match path.rsplit('/').next() {
        Some("package.json") => Ok(Some(without_lists(text))),
        _ => Ok(Some(text)),
    }
}

fn has_zero(text: &[u8]) -> bool {
    let head = text.get(..HEAD).unwrap_or(text);
    memchr::memchr(0, head).is_some()
}

/// Whether a file that is too large is no text.
fn is_binary(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    patchgate_fs::check_inside(root, &path).is_ok()
        && std::fs::File::open(&path)
            .and_then(|file| patchgate_fs::first_bytes(file, HEAD as u64))
            .is_ok_and(|head| has_zero(&head))
}

/// The texts of a `package.json` on their lines, without the sections that only list packages. A file
/// that is not JSON stays as it is.
fn without_lists(text: Vec<u8>) -> Vec<u8> {
    let used = std::str::from_utf8(&text).ok().and_then(used_texts);
    match used {
        Some(used) => used.into_bytes(),
        None => text,
    }
}

fn used_texts(text: &str) -> Option<String> {
    let root = json(text).ok().filter(Node::is_map)?;
    let mut lines: BTreeMap<u32, String> = BTreeMap::new();
    let mut say = |line: u32, text: &str| {
        let at = lines.entry(line).or_default();
        at.push_str(text);
        at.push(' ');
    };
    let sections = root.entries().iter();
    let mut open: Vec<&Node<'_>> = sections
        .filter(|(key, _)| !LISTS.contains(&&*key.name))
        .map(|(_, section)| section)
        .collect();
    while let Some(node) = open.pop() {
        if let Some(text) = node.text() {
            say(node.line, text);
        }
        for (key, value) in node.entries() {
            say(key.line, &key.name);
            open.push(value);
        }
        open.extend(node.items());
    }

    let last = lines.keys().next_back().copied().unwrap_or_default();
    let texts = (1..=last).map(|line| lines.remove(&line).unwrap_or_default());
    let texts: Vec<String> = texts.collect();
    Some(texts.join("\n"))
}

/// The first whole word.
pub(crate) fn mention(text: &[u8], finder: &Finder<'_>, length: usize) -> Option<usize> {
    let is_word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    finder.find_iter(text).find(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        !is_word(before) && !is_word(text.get(at + length))
    })
}

fn line_at(text: &[u8], at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', before).count();
    u32::try_from(lines).map_or(u32::MAX, |lines| lines.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_found_outside_of_lists() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let package =
            "{\"dependencies\": {\"next\": \"1\"},\n\"scripts\": {\"start\": \"next start\"}}";
        std::fs::write(root.join("package.json"), package).unwrap();
        std::fs::write(root.join("a.cfg"), "x\npreact-next\nuse = preact\n").unwrap();
        std::fs::write(root.join("image"), b"react\0").unwrap();
        std::fs::write(root.join("large"), vec![b'x'; 2 << 20]).unwrap();

        let names = ["next", "react", "preact"].map(str::to_owned);
        let found = search(root, &["a.cfg", "image", "package.json"], &names);
        let places: Vec<(&str, &str, u32)> = found
            .places
            .iter()
            .map(|(name, (file, line))| (name.as_str(), file.as_str(), *line))
            .collect();
        assert_eq!(
            places,
            [("next", "package.json", 2), ("preact", "a.cfg", 3)]
        );
        assert_eq!(found.unread, None);

        let found = search(root, &["large"], &names);
        let unread = found.unread.unwrap();
        assert_eq!(unread.1, "is larger than 1 MiB");
    }

    #[test]
    fn manifests_and_prose_only_list() {
        for path in [
            "a/Cargo.toml",
            "README.md",
            "requirements/dev.txt",
            "x/requirements-a.txt",
        ] {
            let expected = path != "requirements/dev.txt";
            assert_eq!(only_lists(path, false), expected, "{path}");
        }
        assert!(only_lists("any.json", true));
        assert!(!only_lists("package.json", true));
        assert!(!only_lists("Dockerfile", false));
    }
}
