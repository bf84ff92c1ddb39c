//! Hashes of packages: changed, missing, or weaker than before.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Origin, Package};

use super::{Comparison, LockfileDiff, versions};

/// Algorithms that npm accepts and registries use, weakest first.
const ALGORITHMS: [&str; 4] = ["sha1", "sha256", "sha384", "sha512"];

impl Comparison<'_> {
    pub(super) fn integrity(&self, base: &[&Package], head: &[&Package], diff: &mut LockfileDiff) {
        let known: BTreeMap<&str, BTreeSet<&str>> = base
            .iter()
            .filter_map(|package| Some((package.version.as_str(), package.integrity.as_deref()?)))
            .fold(BTreeMap::new(), |mut known, (version, hash)| {
                known.entry(version).or_default().insert(hash);
                known
            });

        let was_there: BTreeSet<&str> = versions(base);
        let mut seen = BTreeSet::new();

        for package in head {
            let version = package.version.as_str();
            if !seen.insert((version, package.integrity.as_deref())) {
                continue;
            }

            let name = &package.name;
            match (&package.integrity, known.get(version)) {
                (Some(now), Some(before)) if before.iter().all(|was| is_stronger(was, now)) => {
                    let what = format!("the hash of {name} {version} changes to a stronger kind");
                    diff.integrity_missing.push(self.text(&what));
                }
                (Some(now), Some(before)) if !before.contains(now.as_str()) => {
                    diff.integrity_changed
                        .push(self.text(&format!("the hash of {name} {version} changes")));
                }
                // A copy inside its parent's archive has no hash of its own.
                (None, Some(_)) if !package.bundled => diff
                    .integrity_changed
                    .push(self.text(&format!("the hash of {name} {version} is gone"))),
                (None, None) if !was_there.contains(version) => {
                    self.unhashed(package, diff);
                }
                (Some(now), None) if strength(now) < self.weakest_hash(base) => {
                    let what = format!("the hash of {name} {version} is weaker than before");
                    diff.integrity_missing.push(self.text(&what));
                }
                _ => {}
            }
        }
    }

    /// The strength of the weakest hash of a package before, or of the whole file for a package that
    /// has none.
    fn weakest_hash(&self, base: &[&Package]) -> Option<usize> {
        let of_package = base
            .iter()
            .filter_map(|package| package.integrity.as_deref());
        let of_file = || {
            let packages = self.base_file.packages.iter();
            packages.filter_map(|package| strength(package.integrity.as_deref()?))
        };
        match of_package.map(strength).min() {
            Some(strength) => strength,
            None => of_file().min(),
        }
    }

    /// A new version without a hash, in a file that has hashes for registry packages.
    fn unhashed(&self, package: &Package, diff: &mut LockfileDiff) {
        if self.hashed && matches!(package.origin, Origin::Registry(_)) && !package.bundled {
            diff.integrity_missing
                .push(self.text(&format!("{} {} has no hash", package.name, package.version)));
        }
    }
}

/// Whether a hash is of a stronger kind than another. npm replaces SHA-1 by SHA-512 where it asks the
/// registry again, and a lockfile does not prove that both are of one archive.
pub(crate) fn is_stronger(before: &str, now: &str) -> bool {
    strength(before).is_some_and(|before| strength(now) > Some(before))
}

/// The strongest algorithm of a hash in the form of
/// [Subresource Integrity](https://www.w3.org/TR/SRI/), as a number that grows with its strength.
///
/// `None` for any other text. npm ignores a hash that it cannot read, so it then installs whatever
/// it receives. Cargo's checksums have no algorithm, so they are `None` as well.
fn strength(hash: &str) -> Option<usize> {
    hash.split_whitespace()
        .filter_map(|one| {
            let (algorithm, digest) = one.split_once('-')?;
            let known = ALGORITHMS.iter().position(|known| *known == algorithm)?;
            (!digest.is_empty() && !digest.starts_with('?')).then_some(known)
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::strength;

    #[test]
    fn only_hashes_that_npm_reads_have_a_strength() {
        for (hash, expected) in [
            ("sha1-qs=", Some(0)),
            ("sha512-qs==", Some(3)),
            ("sha1-a sha512-b", Some(3)),
            ("", None),
            ("x", None),
            ("sha512", None),
            ("sha512-", None),
            ("sha512-?a", None),
            ("SHA512-a", None),
            ("md5-a", None),
            ("00ff", None),
        ] {
            assert_eq!(strength(hash), expected, "{hash}");
        }
    }
}
