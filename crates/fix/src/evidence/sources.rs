//! The names of packages that the sources of the repository use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ignore::WalkBuilder;
use patchgate_api_surface::{Imports, Language, imports, module_of_package};
use patchgate_fs::read_inside;

/// Most source files that are read.
const MAX_FILES: usize = 20_000;

/// Most bytes of one source file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Most bytes of all of them.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Directories with the sources of others, which some repositories commit.
const OTHERS: [&str; 4] = ["node_modules", "vendor", "third_party", "site-packages"];

/// What the sources use of one package, or of one module at the top.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    /// The names by module.
    pub(super) names: Imports,
    /// The files that import it.
    pub(super) files: BTreeSet<String>,
}

/// The uses by ecosystem and package. Packages of Python are named by their modules.
pub(super) type UsesByPackage = BTreeMap<(&'static str, String), Uses>;

/// Reads the sources of the given ecosystems. Files that git ignores, links and vendored sources
/// are left out.
pub(super) fn read(root: &Path, ecosystems: &BTreeSet<&str>) -> UsesByPackage {
    let mut uses = UsesByPackage::new();
    let mut room = MAX_BYTES;
    let is_own = |entry: &ignore::DirEntry| {
        let name = entry.file_name().to_str();
        name.is_none_or(|name| !OTHERS.contains(&name))
    };
    let walk = WalkBuilder::new(root)
        .follow_links(false)
        .require_git(false)
        .sort_by_file_path(Path::cmp)
        .filter_entry(is_own)
        .build();
    let sources = walk.filter_map(Result::ok).filter_map(|entry| {
        let path = entry.path().strip_prefix(root).ok()?.to_str()?.to_owned();
        let language = Language::of_path(&path)?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        (is_file && ecosystems.contains(language.ecosystem())).then_some((path, language))
    });

    for (path, language) in sources.take(MAX_FILES) {
        let Ok(bytes) = read_inside(root, &path, MAX_FILE_BYTES) else {
            continue;
        };
        let Some(left) = room.checked_sub(bytes.len()) else {
            break;
        };
        room = left;
        for (module, names) in imports(language, &bytes) {
            let package = module_of_package(language, &module).to_owned();
            let of_package = uses.entry((language.ecosystem(), package)).or_default();
            of_package.names.entry(module).or_default().extend(names);
            of_package.files.insert(path.clone());
        }
    }

    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_sources_are_read_and_others_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for (path, text) in [
            ("src/a.ts", "import { x } from '@s/p/sub';"),
            ("src/b.js", "const { y } = require('@s/p');"),
            ("src/c.py", "from q.sub import z\n"),
            ("node_modules/o/i.js", "require('other').a"),
            ("out/d.js", "require('ignored').a"),
            (".gitignore", "out/\n"),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        let uses = read(root, &BTreeSet::from(["npm"]));
        let packages: Vec<&str> = uses.keys().map(|(_, name)| name.as_str()).collect();
        assert_eq!(packages, ["@s/p"]);
        let of_package = &uses[&("npm", "@s/p".to_owned())];
        assert_eq!(of_package.files.len(), 2);
        assert_eq!(of_package.names.len(), 2);

        let uses = read(root, &BTreeSet::from(["npm", "PyPI"]));
        assert!(uses.contains_key(&("PyPI", "q".to_owned())));
    }
}
