//! Hash files next to documents (CSAF 2.0, 7.1.18): a document that has one must match it.

use std::path::Path;

use patchgate_vex::provider::stated_hash;
use sha2::{Digest as _, Sha256, Sha512};

/// Extensions of the files with hashes, which are also the names of the algorithms.
pub(super) const ENDS: [&str; 2] = ["sha256", "sha512"];

/// Checks a document against a file with its hash.
pub(super) fn check(bytes: &[u8], stated: &[u8], name: &str) -> Result<(), String> {
    let stated = stated_hash(stated).ok_or_else(|| format!("has an invalid hash in `{name}`"))?;
    let actual = match stated.len() {
        64 => hex::encode(Sha256::digest(bytes)),
        _ => hex::encode(Sha512::digest(bytes)),
    };
    if actual == stated {
        return Ok(());
    }

    Err(format!("does not have the hash that `{name}` states"))
}

/// Checks a document on disk against the hash files next to it.
pub(super) fn check_beside(path: &Path, bytes: &[u8]) -> Result<(), String> {
    for end in ENDS {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{end}"));
        let beside = Path::new(&beside);
        if !beside.exists() {
            continue;
        }
        let name = beside
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let stated = patchgate_inventory::read_named(beside)
            .map_err(|problem| format!("has a hash in `{name}` that {}", problem.reason))?;
        check(bytes, &stated, &name)?;
    }

    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    /// The hashes of `abc` in FIPS 180-4's examples.
    #[test]
    fn both_hashes_are_held() {
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        for hash in [sha256, sha512] {
            assert_eq!(check(b"abc", hash.as_bytes(), "h"), Ok(()));
            assert!(check(b"abd", hash.as_bytes(), "h").is_err());
        }
        assert!(check(b"abc", b"<html>", "h").is_err());
    }
}
