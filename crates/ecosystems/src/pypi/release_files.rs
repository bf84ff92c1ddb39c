//! The hashes of a release's files, as lockfiles list them.

use std::collections::BTreeSet;

use super::canonical::canonical;
use super::name::is_name;
use crate::Release;

/// The hashes of all files of a release in the form `sha256:…`, sorted.
///
/// # Errors
/// If a file has no hash of one of the algorithms, or there are no files, as a fragment for a person.
pub(super) fn hashes<'a>(
    name: &str,
    release: &Release,
    algorithms: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, String> {
    let missing =
        |what: &str| format!("the registry has no {what} of `{name}` {}", release.version);
    if release.files.is_empty() {
        return Err(missing("files"));
    }

    let mut all = BTreeSet::new();
    for algorithm in algorithms {
        for file in &release.files {
            let hash = file
                .hashes
                .iter()
                .find(|(of, _)| of == algorithm)
                .map(|(_, hash)| hash.to_ascii_lowercase())
                .filter(|hash| !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit()))
                .ok_or_else(|| missing(&format!("{algorithm} hash of each file")))?;
            all.insert(format!("{algorithm}:{hash}"));
        }
    }

    Ok(all.into_iter().collect())
}

/// Checks that a name and a version from a registry can be written into a lockfile.
///
/// # Errors
/// If one of them is not what it should be, as a fragment for a person.
pub(super) fn check(name: &str, version: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+!-".contains(c);
    match is_name(name) && version.chars().all(is_plain) && canonical(version).is_some() {
        true => Ok(()),
        false => Err(format!(
            "`{}` {} is not a release of {}",
            name.escape_debug(),
            version.escape_debug(),
            super::NAME
        )),
    }
}
