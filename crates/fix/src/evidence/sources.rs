//! The names of packages that the sources of the repository use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patchgate_api_surface::{Imports, Language, imports, module_of_package};
use patchgate_fs::read_inside;
use patchgate_reachability::{MAX_FILE_BYTES, list};

/// Most source files that are read.
const MAX_FILES: usize = 20_000;

/// Most bytes of all of them.
const MAX_BYTES: usize = 256 * 1024 * 1024;

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
    // The public names of packages of Go and Java are not read, so there is nothing to compare.
    let is_compared = |language: Language| {
        !matches!(language, Language::Go | Language::Java)
            && ecosystems.contains(language.ecosystem())
    };
    let sources = list(root, is_compared).sources;

    for file in sources.into_iter().take(MAX_FILES) {
        let (path, language) = (file.path, file.language);
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
