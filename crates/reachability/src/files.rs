//! The files of a repository, walked within bounds.

use std::path::Path;

use ignore::WalkBuilder;
use patchgate_api_surface::Language;

/// Most bytes of one file that is read.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Most source files that are read.
const MAX_SOURCES: usize = 50_000;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 500_000;

/// Deepest directory that is entered.
const MAX_DEPTH: usize = 64;

/// Directories without sources of the project: installed packages, caches and the data of tools.
const INSTALLED: [&str; 12] = [
    ".git",
    ".hg",
    ".svn",
    ".gradle",
    ".pnpm-store",
    ".terraform",
    ".tox",
    ".venv",
    ".yarn",
    "__pycache__",
    "node_modules",
    "site-packages",
];

/// Directories with copies of the sources of others, which are part of the product.
const COPIES: [&str; 2] = ["vendor", "third_party"];

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path from the root, with `/` between its parts.
    pub path: String,
    /// Its language.
    pub language: Language,
}

/// The files of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The sources of the wanted languages, by path.
    pub sources: Vec<SourceFile>,
    /// The other regular files, by path.
    pub others: Vec<String>,
    /// Directories with copies of other projects' sources, which are not entered.
    pub copies: Vec<String>,
    /// Why the list is not whole: a fragment for a person.
    pub cut: Option<String>,
}

/// Lists the files below a directory. Links are not followed. Files that `.gitignore` names and
/// directories of installed packages are left out.
#[must_use]
pub fn list(root: &Path, is_wanted: impl Fn(Language) -> bool) -> Listing {
    let mut listing = Listing::default();
    let is_own = |entry: &ignore::DirEntry| {
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        let name = entry.file_name().to_str();
        entry.depth() == 0 || !is_directory || name.is_none_or(|name| !INSTALLED.contains(&name))
    };
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        .sort_by_file_path(Path::cmp)
        .filter_entry(is_own)
        .build();

    let mut copies: Option<String> = None;
    for (count, entry) in walk.enumerate() {
        if count >= MAX_ENTRIES {
            listing.cut = Some(format!(
                "the repository has more than {MAX_ENTRIES} entries"
            ));
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            // A .gitignore that cannot be understood hides nothing, so nothing is missed.
            Err(error) if error.is_partial() => continue,
            Err(_) => {
                listing.cut = Some("a directory cannot be read".to_owned());
                continue;
            }
        };
        let path = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
        let Some(path) = path else {
            listing.cut = Some("a path is not UTF-8".to_owned());
            continue;
        };
        let path = path.replace(std::path::MAIN_SEPARATOR, "/");

        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            if entry.depth() >= MAX_DEPTH {
                listing.cut = Some(format!("directories are nested deeper than {MAX_DEPTH}"));
            }
            let name = entry.file_name().to_str().unwrap_or_default();
            let is_below = copies.as_ref().is_some_and(|top| is_in(&path, top));
            if COPIES.contains(&name) && !is_below {
                listing.copies.push(path.clone());
                copies = Some(path);
            }
            continue;
        }
        let is_copy = copies.as_ref().is_some_and(|top| is_in(&path, top));
        if is_copy || !kind.is_some_and(|kind| kind.is_file()) {
            continue;
        }
        match Language::of_path(&path).filter(|language| is_wanted(*language)) {
            Some(_) if listing.sources.len() >= MAX_SOURCES => {
                listing.cut = Some(format!("there are more than {MAX_SOURCES} source files"));
            }
            Some(language) => listing.sources.push(SourceFile { path, language }),
            None => listing.others.push(path),
        }
    }

    listing
}

/// Whether a path is in a directory.
fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_are_listed_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.py"), "import a").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in [
            "src/a.py",
            ".github/b.py",
            "node_modules/c.py",
            "out/d.py",
            "vendor/e/f.py",
            "data/conf.yml",
            "g.js",
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        std::fs::write(root.join(".gitignore"), "out/\n").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.py"), root.join("l.py")).unwrap();

        let listing = list(root, |language| language == Language::Python);
        let sources: Vec<&str> = listing.sources.iter().map(|one| &*one.path).collect();
        assert_eq!(sources, [".github/b.py", "src/a.py"]);
        assert_eq!(listing.others, [".gitignore", "data/conf.yml", "g.js"]);
        assert_eq!(listing.copies, ["vendor"]);
        assert_eq!(listing.cut, None);
    }
}
