//! Contents of a repository: the inventory, and the bytes it was read from.

use std::borrow::Cow;

use patchgate_ecosystems::{Format, Input, Siblings, formats_of, manifest_of, maven};
use patchgate_model::{
    Inventory, Lockfile, Loss, Problem, SkippedEntry, Unresolved, without_credentials,
};

use crate::files::unreadable;

/// Contents of a repository.
#[derive(Debug, Default)]
pub struct Contents {
    /// Lockfiles as graphs, and what could not be read.
    pub inventory: Inventory,
    /// Bytes of every lockfile and manifest, by path.
    pub files: Siblings,
    /// Files from outside of the repository that its files build on, below [`maven::EXTERNAL`].
    pub external: Siblings,
}

/// Reads an SBOM, in CycloneDX or SPDX.
///
/// # Errors
/// When the bytes are not an SBOM that can be read.
pub fn parse_sbom(path: &str, bytes: &[u8]) -> Result<patchgate_sbom::Bill, Problem> {
    let mut bill =
        patchgate_sbom::read_bill(path, bytes).map_err(|error| unreadable(path, error))?;
    hide_credentials(&mut bill.lockfile.unresolved);
    Ok(bill)
}

/// Reads a file as every format that its path names.
pub(crate) fn parse_as_all<'a>(
    path: &'a str,
    bytes: &'a [u8],
    siblings: &'a Siblings,
    projects: &'a maven::Projects,
) -> impl Iterator<Item = Result<Lockfile, Problem>> + 'a {
    formats_of(path).map(move |(_, format)| parse_among(format, path, bytes, siblings, projects))
}

/// Reads a lockfile as one format.
///
/// # Errors
/// When the bytes are not of the format.
pub fn parse(
    format: &Format,
    path: &str,
    bytes: &[u8],
    siblings: &Siblings,
) -> Result<Lockfile, Problem> {
    parse_among(format, path, bytes, siblings, &maven::Projects::default())
}

/// Reads a lockfile as one format. Maven projects share what they build on.
pub(crate) fn parse_among(
    format: &Format,
    path: &str,
    bytes: &[u8],
    siblings: &Siblings,
    projects: &maven::Projects,
) -> Result<Lockfile, Problem> {
    let input = Input {
        path,
        bytes,
        siblings,
    };
    let parsed = match format.id {
        maven::POM => projects.parse(&input),
        _ => (format.parse)(&input),
    };
    let mut lockfile = parsed.map_err(|error| unreadable(path, error))?;
    hide_credentials(&mut lockfile.unresolved);
    let unreadable = unreadable_manifests(&lockfile, siblings);
    lockfile.skipped.extend(unreadable);
    Ok(lockfile)
}

/// Most manifests of one lockfile that are reported as unreadable.
const MAX_UNREADABLE: usize = 100;

/// The manifests of a lockfile's projects that cannot be read. All packages are known without them,
/// but not which ones the project itself requires.
fn unreadable_manifests(lockfile: &Lockfile, siblings: &Siblings) -> Vec<SkippedEntry> {
    let manifests = lockfile
        .roots
        .iter()
        .filter_map(|root| root.manifest.as_deref())
        .filter(|path| *path != lockfile.path);
    let unreadable = manifests.filter_map(|path| {
        let (_, manifest) = manifest_of(path)?;
        let input = Input {
            path,
            bytes: siblings.get(path)?,
            siblings,
        };
        let error = (manifest.unresolved)(&input).err()?;
        let at = error
            .line
            .map_or_else(String::new, |line| format!(" line {line}"));
        Some(SkippedEntry {
            line: 1,
            reason: format!(
                "does not state the direct dependencies, and `{path}`{at} {}",
                error.reason
            ),
            loss: Loss::Detail,
        })
    });

    unreadable.take(MAX_UNREADABLE).collect()
}

/// Removes credentials from requirements, which become part of every report. A requirement may be
/// an address with a token.
pub(crate) fn hide_credentials(unresolved: &mut [Unresolved]) {
    for one in unresolved {
        for text in [&mut one.name, &mut one.requirement] {
            if let Cow::Owned(clean) = without_credentials(text) {
                *text = clean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// npm reads such a manifest; which of both values another tool takes is open.
    #[test]
    fn an_unreadable_manifest_of_a_good_lockfile_is_named() {
        let lock = br#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}},
            "node_modules/a": {"version": "1.0.0"}}}"#;
        let read = |manifest: &str| {
            let manifest = ("app/package.json".to_owned(), manifest.as_bytes().to_vec());
            let siblings = Siblings::from([manifest]);
            let path = "app/package-lock.json";
            let projects = maven::Projects::default();
            let mut lockfiles = parse_as_all(path, lock, &siblings, &projects);
            lockfiles.next().unwrap().unwrap()
        };

        let good = read(r#"{"dependencies": {"a": "1"}}"#);
        assert!(good.skipped.is_empty());

        let odd = read("{\"dependencies\": {\"a\": \"1\",\n\"a\": \"2\"}}");
        assert_eq!(odd.packages, good.packages);
        assert_eq!(
            odd.skipped,
            [SkippedEntry {
                line: 1,
                reason: "does not state the direct dependencies, and `app/package.json` line 2 has the key `a` twice".to_owned(),
                loss: Loss::Detail,
            }]
        );
    }
}
