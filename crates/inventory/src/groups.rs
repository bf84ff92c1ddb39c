//! Groups of files that are part of a repository and not of its product, by the names of their
//! directories and by `.gitattributes`.
//!
//! A wrong group misleads a reader, and hides a file when a setting leaves the group out. So only
//! names with one usual meaning are listed.

use std::collections::BTreeMap;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use patchgate_model::FileGroup;

/// Largest `.gitattributes` or `.gitmodules`, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Most lines of a `.gitattributes` that are read.
const MAX_LINES: usize = 10_000;

/// Directories of tests and of their data, and of examples.
const DIRECTORIES: &[(&str, FileGroup)] = &[
    ("__fixtures__", FileGroup::Test),
    ("__mocks__", FileGroup::Test),
    ("__snapshots__", FileGroup::Test),
    ("__tests__", FileGroup::Test),
    ("fixture", FileGroup::Test),
    ("fixtures", FileGroup::Test),
    ("test", FileGroup::Test),
    ("test-data", FileGroup::Test),
    ("test-fixtures", FileGroup::Test),
    ("test_data", FileGroup::Test),
    ("test_fixtures", FileGroup::Test),
    ("testdata", FileGroup::Test),
    ("tests", FileGroup::Test),
    ("example", FileGroup::Example),
    ("examples", FileGroup::Example),
    ("sample", FileGroup::Example),
    ("samples", FileGroup::Example),
];

/// Directories that contain others: a vendored project, a template or a test application has a
/// directory of its own in them. A file directly in such a directory is one of the project:
/// `apps/vendor/package.json` may be the application for vendors, and `spec/package.json` that of
/// a specification.
const PARENTS: &[(&str, FileGroup)] = &[
    ("3rdparty", FileGroup::Vendored),
    ("Carthage", FileGroup::Vendored),
    ("Godeps", FileGroup::Vendored),
    ("Pods", FileGroup::Vendored),
    ("bower_components", FileGroup::Vendored),
    ("node_modules", FileGroup::Vendored),
    ("third-party", FileGroup::Vendored),
    ("third_party", FileGroup::Vendored),
    ("thirdparty", FileGroup::Vendored),
    ("vendor", FileGroup::Vendored),
    ("vendored", FileGroup::Vendored),
    ("spec", FileGroup::Test),
    ("template", FileGroup::Example),
    ("templates", FileGroup::Example),
];

/// Lists that a package manager writes into a vendored tree. They state what the project itself
/// installs.
const LISTS_OF_THE_PROJECT: &[&str] = &["vendor/composer/installed.json", "vendor/modules.txt"];

/// Attributes of GitHub's linguist, with their groups
/// (<https://github.com/github-linguist/linguist/blob/main/docs/overrides.md>).
const ATTRIBUTES: [(&str, FileGroup); 2] = [
    ("linguist-vendored", FileGroup::Vendored),
    ("linguist-generated", FileGroup::Generated),
];

/// The rules of one repository.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// The scanned directory, with `/` at its end; empty for the whole repository. The names of
    /// directories above it do not count, because the user chose it.
    start: String,
    /// Directories of submodules, with `/` at their ends.
    submodules: Vec<String>,
    /// The rules of each `.gitattributes`, by its directory with `/` at the end.
    attributes: BTreeMap<String, Vec<(FileGroup, Gitignore)>>,
}

impl Groups {
    /// Reads the rules. `attributes` are the paths of the `.gitattributes` files.
    pub(crate) fn read<'p>(
        root: &Path,
        start: &str,
        attributes: impl IntoIterator<Item = &'p String>,
    ) -> Self {
        let read = |path: &str| {
            let bytes = patchgate_fs::read_inside(root, path, MAX_BYTES).ok()?;
            String::from_utf8(bytes).ok()
        };
        let mut groups = Self {
            start: match start {
                "" => String::new(),
                start => format!("{start}/"),
            },
            submodules: read(".gitmodules")
                .map(|text| submodules(&text))
                .unwrap_or_default(),
            attributes: BTreeMap::new(),
        };
        for path in attributes {
            if let Some(text) = read(path) {
                let directory = path.strip_suffix(".gitattributes").unwrap_or_default();
                groups.attributes.insert(directory.to_owned(), rules(&text));
            }
        }

        groups
    }

    /// The group of a file; `None` for a file of the project.
    pub(crate) fn of(&self, path: &str) -> Option<FileGroup> {
        for (_, group) in ATTRIBUTES {
            if self.attribute(path, group) == Some(true) {
                return Some(group);
            }
        }
        let group = self.by_directory(path)?;
        (self.attribute(path, group) != Some(false)).then_some(group)
    }

    /// Whether `.gitattributes` sets or unsets the attribute of a group. The file that is nearest
    /// to the path decides.
    fn attribute(&self, path: &str, group: FileGroup) -> Option<bool> {
        let ends = path.rmatch_indices('/').map(|(at, _)| at + 1);
        ends.chain([0]).find_map(|end| {
            let (directory, inside) = path.split_at_checked(end)?;
            let (_, rules) = self
                .attributes
                .get(directory)?
                .iter()
                .find(|(of, _)| *of == group)?;
            match rules.matched(inside, false) {
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
                Match::None => None,
            }
        })
    }

    /// The group by the outermost directory that has one.
    fn by_directory(&self, path: &str) -> Option<FileGroup> {
        let inside = path.strip_prefix(&self.start).unwrap_or(path);
        let list = LISTS_OF_THE_PROJECT
            .iter()
            .find_map(|list| inside.strip_suffix(list))
            .filter(|before| before.is_empty() || before.ends_with('/'));
        let is_in = |directory: &String| {
            path.starts_with(directory.as_str()) && !self.start.starts_with(directory.as_str())
        };
        if self.submodules.iter().any(is_in) {
            return Some(FileGroup::Vendored);
        }

        let parts: Vec<&str> = list.unwrap_or(inside).split('/').collect();
        let directories = parts.get(..parts.len().saturating_sub(1))?;
        directories.iter().enumerate().find_map(|(index, name)| {
            let named = |list: &[(&str, FileGroup)]| {
                let found = list.iter().find(|(known, _)| known == name);
                found.map(|(_, group)| *group)
            };
            let has_own_directory = index + 1 < directories.len();
            // A name with a variable of a template engine, as cookiecutter's.
            let is_template = name.contains("{{").then_some(FileGroup::Example);
            named(DIRECTORIES)
                .or_else(|| named(PARENTS).filter(|_| has_own_directory))
                .or(is_template)
        })
    }
}

/// The directories in a `.gitmodules` (<https://git-scm.com/docs/gitmodules>), with `/` at their
/// ends.
fn submodules(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let (key, path) = line.split_once('=')?;
            let path = path.trim().trim_matches('"').trim_end_matches('/');
            (key.trim() == "path" && !path.is_empty()).then(|| format!("{path}/"))
        })
        .collect()
}

/// The rules of a `.gitattributes` (<https://git-scm.com/docs/gitattributes>) for each group.
///
/// A lockfile is written by a program, and many repositories mark theirs as generated to keep it
/// out of diffs (`*.lock linguist-generated`). That says nothing about the part that it has. So an
/// attribute is set only by a pattern for a whole tree, which ends with `*`; any pattern unsets it.
fn rules(text: &str) -> Vec<(FileGroup, Gitignore)> {
    ATTRIBUTES
        .into_iter()
        .filter_map(|(attribute, group)| {
            let mut builder = GitignoreBuilder::new("");
            for line in text.lines().take(MAX_LINES) {
                let Some((pattern, words)) = pattern(line.trim()) else {
                    continue;
                };
                let rule = match state(words, attribute) {
                    Some(true) if pattern.ends_with('*') => pattern.to_owned(),
                    Some(false) => format!("!{pattern}"),
                    _ => continue,
                };
                // A pattern that is no glob matches nothing.
                let _ = builder.add_line(None, &rule);
            }
            Some((group, builder.build().ok()?))
        })
        .collect()
}

/// The pattern of a line, and the attributes behind it. A negative pattern is forbidden.
fn pattern(line: &str) -> Option<(&str, &str)> {
    let (pattern, words) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_once([' ', '\t'])?,
    };
    (!pattern.is_empty() && !pattern.starts_with(['#', '!', '['])).then_some((pattern, words))
}

/// Whether the last mention of an attribute sets it.
fn state(words: &str, attribute: &str) -> Option<bool> {
    words.split_whitespace().rev().find_map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, "true"));
        let is_unset = name.starts_with(['-', '!']);
        let name = name.trim_start_matches(['-', '!']);
        (name == attribute).then(|| !is_unset && value != "false")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(files: &[(&str, &str)], start: &str) -> Groups {
        let root = tempfile::tempdir().unwrap();
        let mut attributes = Vec::new();
        for (path, text) in files {
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
            if path.ends_with(".gitattributes") {
                attributes.push((*path).to_owned());
            }
        }
        Groups::read(root.path(), start, &attributes)
    }

    #[test]
    fn directories_decide_by_name() {
        let groups = groups(&[], "");
        for (path, group) in [
            ("Cargo.lock", None),
            ("test.d/Cargo.lock", None),
            ("testing/package.json", None),
            ("templates/ci.gitlab-ci.yml", None),
            ("apps/vendor/package.json", None),
            ("spec/package.json", None),
            ("vendor/modules.txt", None),
            ("vendor/composer/installed.json", None),
            ("api/vendor/modules.txt", None),
            ("test/Cargo.lock", Some(FileGroup::Test)),
            ("a/testdata/vendor/modules.txt", Some(FileGroup::Test)),
            ("spec/dummy/Gemfile.lock", Some(FileGroup::Test)),
            ("vendor/a.invalid/b/go.mod", Some(FileGroup::Vendored)),
            (
                "vendor/a.invalid/testdata/go.mod",
                Some(FileGroup::Vendored),
            ),
            ("api/third_party/x/Cargo.lock", Some(FileGroup::Vendored)),
            ("examples/a/vendor/x/go.mod", Some(FileGroup::Example)),
            ("templates/app/package.json", Some(FileGroup::Example)),
            (
                "{{cookiecutter.name}}/pyproject.toml",
                Some(FileGroup::Example),
            ),
        ] {
            assert_eq!(groups.of(path), group, "{path}");
        }
    }

    #[test]
    fn a_scanned_directory_is_the_users_choice() {
        let groups = groups(&[(".gitmodules", "path = tests/app\n")], "tests/app");
        assert_eq!(groups.of("tests/app/Cargo.lock"), None);
        assert_eq!(
            groups.of("tests/app/test/Cargo.lock"),
            Some(FileGroup::Test)
        );
    }

    #[test]
    fn submodules_are_vendored() {
        let text = "[submodule \"x\"]\n\tpath = deps/x\n\turl = https://git.invalid/x\n";
        let groups = groups(&[(".gitmodules", text)], "");
        assert_eq!(groups.of("deps/x/Cargo.lock"), Some(FileGroup::Vendored));
        assert_eq!(groups.of("deps/xy/Cargo.lock"), None);
    }

    #[test]
    fn attributes_set_and_unset() {
        let groups = groups(
            &[
                (
                    ".gitattributes",
                    "# comment linguist-vendored\nlib/** linguist-vendored\nlib/own/** -linguist-vendored\ngen/* linguist-generated=true\n\"with space/**\" linguist-generated\ntests/** linguist-vendored=false\nvendor/ours/** linguist-vendored=false\n*.lock linguist-generated\n!x/** linguist-vendored\n",
                ),
                ("lib/a/.gitattributes", "b/** !linguist-vendored\n"),
            ],
            "",
        );
        for (path, group) in [
            ("lib/x/Cargo.lock", Some(FileGroup::Vendored)),
            ("lib/own/Cargo.lock", None),
            ("lib/a/b/Cargo.lock", None),
            ("lib/a/c/Cargo.lock", Some(FileGroup::Vendored)),
            ("gen/Cargo.lock", Some(FileGroup::Generated)),
            ("gen/deep/Cargo.lock", None),
            ("with space/Cargo.lock", Some(FileGroup::Generated)),
            ("vendor/ours/Cargo.lock", None),
            ("vendor/theirs/Cargo.lock", Some(FileGroup::Vendored)),
            ("tests/Cargo.lock", Some(FileGroup::Test)),
            ("Cargo.lock", None),
            ("x/Cargo.lock", None),
        ] {
            assert_eq!(groups.of(path), group, "{path}");
        }
    }
}
