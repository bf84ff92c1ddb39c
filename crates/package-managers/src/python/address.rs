//! Addresses of indexes that files of a repository name.

use patchgate_model::{Lockfile, Origin};

use crate::RelockError;

/// Whether a text is an address that metadata can be asked from.
pub(super) fn is_web(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The address of an index as a file of the repository names it.
///
/// # Errors
/// When it is not a plain web address. pip, Pipenv and uv put variables of the environment into
/// `${NAME}`, which could send a secret to another host.
pub(super) fn plain(path: &str, text: &str) -> Result<String, RelockError> {
    match is_web(text) && !text.contains('$') {
        true => Ok(text.to_owned()),
        false => Err(RelockError::Unusable {
            path: path.to_owned(),
            reason: "the address of an index is not a plain web address".to_owned(),
        }),
    }
}

/// The index that a lockfile names for a package. Empty if it names none, or does not have the
/// package.
pub(super) fn of_package(lockfile: &Lockfile, package: &str) -> String {
    let mut named = lockfile
        .packages
        .iter()
        .filter(|candidate| candidate.name == package)
        .filter_map(|candidate| match &candidate.origin {
            Origin::Registry(Some(address)) => Some(address.clone()),
            _ => None,
        });
    named.next().unwrap_or_default()
}
