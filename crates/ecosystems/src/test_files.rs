//! Repositories of a few files for tests.

use patchgate_model::Lockfile;

use crate::{Input, ParseError, Siblings};

/// Files by path.
pub(crate) fn siblings<T: AsRef<str>>(files: &[(&str, T)]) -> Siblings {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_ref().as_bytes().to_vec()))
        .collect()
}

/// Reads the first of the files, which together are a repository.
pub(crate) fn read<T: AsRef<str>>(files: &[(&str, T)]) -> Result<Lockfile, ParseError> {
    let (path, text) = &files[0];

    crate::parse(&Input {
        path,
        bytes: text.as_ref().as_bytes(),
        siblings: &siblings(files),
    })
}
