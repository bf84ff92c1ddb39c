//! What was read by the id of a commit or a tree, which never changes.
//!
//! The gate reads everything twice, so that it sees what changed in between. An object with an id cannot
//! change, so it is kept, and the second reading asks only for what can.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::wire;

/// Limit on the bytes of files that are kept.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Limit on the directories that are kept.
const MAX_TREES: usize = 1_000;

/// Objects by their ids. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Fixed(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    trees: BTreeMap<String, Arc<wire::Tree>>,
    files: BTreeMap<(String, String), Vec<u8>>,
    bytes: usize,
}

/// Whether a revision is the whole id of an object. GitHub refuses a branch of such a name.
pub(super) fn is_id(revision: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    matches!(revision.len(), 40 | 64) && revision.bytes().all(is_hex)
}

impl Fixed {
    fn with<T>(&self, action: impl FnOnce(&mut Kept) -> T) -> T {
        // Each action leaves the maps whole, also when another one panicked.
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A directory by its id, or that of a commit.
    pub(super) fn tree(&self, id: &str) -> Option<Arc<wire::Tree>> {
        self.with(|kept| kept.trees.get(id).cloned())
    }

    pub(super) fn keep_tree(&self, id: &str, tree: wire::Tree) -> Arc<wire::Tree> {
        let tree = Arc::new(tree);
        self.with(|kept| {
            if is_id(id) && kept.trees.len() < MAX_TREES {
                kept.trees.insert(id.to_owned(), Arc::clone(&tree));
            }
        });
        tree
    }

    /// A file by the id of a commit and its path.
    pub(super) fn file(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        let key = (commit.to_owned(), path.to_owned());
        self.with(|kept| kept.files.get(&key).cloned())
    }

    pub(super) fn keep_file(&self, commit: &str, path: &str, bytes: &[u8]) {
        self.with(|kept| {
            if is_id(commit) && kept.bytes + bytes.len() <= MAX_BYTES {
                kept.bytes += bytes.len();
                let key = (commit.to_owned(), path.to_owned());
                kept.files.insert(key, bytes.to_vec());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_with_an_id_are_kept() {
        let (id, fixed) = ("a".repeat(40), Fixed::default());
        fixed.keep_file(&id, "x", b"1");
        fixed.keep_file("main", "x", b"2");
        assert_eq!(fixed.clone().file(&id, "x"), Some(b"1".to_vec()));
        assert_eq!(fixed.file("main", "x"), None);
        assert_eq!(fixed.file(&id, "y"), None);

        fixed.keep_file(&id, "large", &vec![0; MAX_BYTES]);
        assert_eq!(fixed.file(&id, "large"), None);
    }
}
