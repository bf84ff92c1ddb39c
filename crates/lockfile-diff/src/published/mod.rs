//! How an entry of a lockfile differs from the release that its registry describes.
//!
//! The bytes of a new entry are as good as the text of whoever wrote them: a hash, dependencies and
//! programs can be made up. The registry's metadata, asked for at the address that the base's
//! configuration names, is another witness. With an equal hash, the archive is the registry's, so
//! its address is not compared.
//!
//! Deliberately absent: asking the registry, and the age of a release, which the settings judge.

mod npm;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchgate_ecosystems::{Release, Requirement, Upgradable};
use patchgate_model::{DependencyKind, Lockfile, Package, RegistryObjection};

use crate::State;

/// Most objections against one entry that are listed.
const MAX_LISTED: usize = 10;

/// Everything that speaks against an entry of a lockfile, by the registry's description of its
/// release. Empty when they agree.
#[must_use]
pub fn published_differences(
    ecosystem: &dyn Upgradable,
    state: State<'_>,
    package: &Package,
    release: &Release,
) -> Vec<RegistryObjection> {
    let mut objections = BTreeSet::new();
    if package.bundled {
        // What it contains is decided by the archive of its parent.
        objections.insert(unclear("is shipped in the archive of its parent"));
    }
    if release.yanked {
        objections.insert(unclear("is yanked or deprecated"));
    }
    if release.details.is_some() {
        objections.insert(unclear("is described only in part by its registry"));
    }
    if release.version != package.version {
        objections.insert(unclear("is written in another way by its registry"));
    }

    objections.extend(hash(package, release));
    dependencies(ecosystem, state.lockfile, package, release, &mut objections);
    if state.lockfile.format.as_str().starts_with("npm-lock") {
        npm::compare(state.bytes, package, release, &mut objections);
    }

    let mut listed: Vec<RegistryObjection> = objections.into_iter().collect();
    // Certain ones first, so that a cut never hides one.
    listed.sort_by_key(|objection| !objection.certain);
    listed.truncate(MAX_LISTED);
    listed
}

fn certain(text: impl Into<String>) -> RegistryObjection {
    RegistryObjection {
        certain: true,
        text: text.into(),
    }
}

fn unclear(text: impl Into<String>) -> RegistryObjection {
    RegistryObjection {
        certain: false,
        text: text.into(),
    }
}

/// A hash as its algorithm and its digits in lower-case hexadecimal.
type Hash = (String, String);

/// Compares the hashes. A copy in the archive of its parent has none, and whether another one may
/// lack it is a rule of its own.
fn hash(package: &Package, release: &Release) -> Option<RegistryObjection> {
    let stated = package.integrity.as_deref()?;
    if package.bundled {
        return None;
    }

    let published = published_hashes(release);
    let mut has_match = false;
    for text in stated.split_ascii_whitespace() {
        let Some(hash) = parsed(text) else {
            // Yarn's own archive has a hash of its own, which no registry knows.
            return Some(unclear(
                "has a hash of a kind that its registry does not state",
            ));
        };
        let same_kind = published.iter().any(|(kind, _)| *kind == hash.0);
        if same_kind && !published.contains(&hash) {
            return Some(certain("has another hash than its registry states"));
        }
        has_match |= same_kind;
    }

    (!has_match).then(|| unclear("has a hash that its registry does not state"))
}

/// The hashes of every file of a release.
fn published_hashes(release: &Release) -> BTreeSet<Hash> {
    let of_files = release.files.iter().flat_map(|file| &file.hashes);
    let of_files = of_files.map(|(kind, digits)| (kind.clone(), digits.to_ascii_lowercase()));
    let dist = release.document.as_ref().and_then(|it| it.get("dist"));
    let text = |field: &str| dist.and_then(|dist| dist.get(field)?.as_str());

    let integrity = text("integrity").into_iter();
    let integrity = integrity.flat_map(str::split_ascii_whitespace);
    let shasum = text("shasum").map(|digits| ("sha1".to_owned(), digits.to_ascii_lowercase()));
    of_files
        .chain(integrity.filter_map(parsed))
        .chain(shasum)
        .collect()
}

/// A hash as a lockfile writes it: subresource integrity (`sha512-…`), `sha256:…`, or the digits of a
/// SHA-256 or SHA-1 alone.
fn parsed(text: &str) -> Option<Hash> {
    let is_hex =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((kind, digits)) = text.split_once(':') {
        return is_hex(digits).then(|| (kind.to_owned(), digits.to_ascii_lowercase()));
    }
    if let Some((kind, digits)) = text.split_once('-') {
        let bytes = STANDARD.decode(digits.split('?').next()?).ok()?;
        let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return kind.starts_with("sha").then(|| (kind.to_owned(), digits));
    }

    let kind = match text.len() {
        40 => "sha1",
        64 => "sha256",
        _ => return None,
    };
    is_hex(text).then(|| (kind.to_owned(), text.to_ascii_lowercase()))
}

/// Compares the dependencies of an entry with those of the release. A lockfile without dependencies
/// has nothing to compare.
fn dependencies(
    ecosystem: &dyn Upgradable,
    lockfile: &Lockfile,
    package: &Package,
    release: &Release,
    objections: &mut BTreeSet<RegistryObjection>,
) {
    if lockfile.packages.iter().all(|one| one.edges.is_empty()) {
        return;
    }

    let name = |text: &str| ecosystem.normalize_name(text).into_owned();
    let mut found: BTreeSet<String> = BTreeSet::new();
    for edge in &package.edges {
        let Some(target) = lockfile.package(edge.to) else {
            continue;
        };
        found.insert(name(&target.name));
        let of_target: Vec<&Requirement> = release
            .requirements
            .iter()
            .filter(|one| name(one.package_name()) == name(&target.name))
            .collect();
        if of_target.is_empty() {
            objections.insert(certain(format!(
                "depends on {}, which its registry does not state",
                target.name
            )));
            continue;
        }

        let is_written = |one: &&Requirement| {
            let written = edge.requirement.as_deref();
            written.is_none_or(|written| written == one.requirement)
        };
        if !of_target.iter().any(is_written) {
            objections.insert(unclear(format!(
                "asks for {} in another version than its registry states",
                target.name
            )));
        }
        let is_admitted = |one: &&Requirement| {
            let admitted = ecosystem.admits(&one.requirement, &target.version);
            admitted.unwrap_or(false)
        };
        if !of_target.iter().any(is_admitted) {
            objections.insert(unclear(format!(
                "gets {} {}, which its requirement does not admit",
                target.name, target.version
            )));
        }
    }

    let is_needed = |one: &&Requirement| {
        one.kind == DependencyKind::Runtime && !one.optional && one.condition.is_empty()
    };
    for needed in release.requirements.iter().filter(is_needed) {
        if !found.contains(&name(needed.package_name())) {
            objections.insert(unclear(format!(
                "does not depend on {}, as its registry states",
                needed.package_name()
            )));
        }
    }
}

#[cfg(test)]
mod tests;
