//! Evidence from the archives of the releases: the names that the repository uses, and release
//! notes. Archives come from the address that the registry states, are checked by the registry's
//! hash, and are read in memory.

use std::collections::BTreeSet;

use patchgate_api_surface::{Files, Language, compare, modules};
use patchgate_ecosystems::{MetadataRequest, Release, SourceArchive, Upgradable};
use patchgate_evidence::{files, is_changelog, notes};
use patchgate_http::Client;
use patchgate_model::{ApiUse, UpgradeEvidence};
use sha2::{Digest as _, Sha256, Sha512};

use super::sources::{Uses, UsesByPackage};
use crate::registries::ask;

/// Most packages whose archives are downloaded.
pub(super) const MAX_PACKAGES: usize = 60;

/// Whether the sources import a package, or may: the modules of a package of Python can have any
/// name, and only a direct dependency is imported.
pub(super) fn may_be_used(uses: &UsesByPackage, one: &UpgradeEvidence, is_direct: bool) -> bool {
    let ecosystem = one.ecosystem.as_str();
    let is_python = ecosystem == Language::Python.ecosystem();
    let own = |name: &str| {
        uses.keys()
            .any(|(of, package)| *of == ecosystem && package == name)
    };

    match ecosystem {
        _ if is_python => is_direct || own(&one.package.replace(['-', '.'], "_").to_lowercase()),
        _ => own(&one.package) || own(&one.package.replace('-', "_")),
    }
}

/// Adds the names that are used and the release notes. What cannot be downloaded or read stays
/// unknown.
pub(super) async fn add(
    one: &mut UpgradeEvidence,
    ecosystem: &dyn Upgradable,
    releases: &[Release],
    settings: Option<&[u8]>,
    uses: &UsesByPackage,
    client: &Client,
) {
    let Some(from) = one.from.clone() else { return };
    let archive = |version: &str| {
        let release = releases.iter().find(|one| one.version == version)?;
        ecosystem.source_archive(&one.package, release, settings)
    };
    let (Some(before), Some(after)) = (archive(&from), archive(&one.to)) else {
        return;
    };
    let Some(after) = download(client, &after).await else {
        return;
    };
    one.notes = notes(ecosystem, &after, &from, &one.to);

    let language = language_of(one);
    let own: BTreeSet<String> = language
        .map(|language| modules(language, &one.package, &after))
        .unwrap_or_default();
    let used: Vec<&Uses> = own
        .iter()
        .filter_map(|module| uses.get(&(language?.ecosystem(), module.clone())))
        .collect();
    if let (Some(language), false) = (language, used.is_empty())
        && let Some(before) = download(client, &before).await
    {
        one.api = Some(compared(language, &one.package, &used, &before, &after));
    }
}

fn compared(
    language: Language,
    package: &str,
    used: &[&Uses],
    before: &Files,
    after: &Files,
) -> ApiUse {
    let mut symbols = Vec::new();
    let mut files = BTreeSet::new();
    for uses in used {
        symbols.extend(compare(language, package, &uses.names, before, after));
        files.extend(&uses.files);
    }
    symbols.sort();

    ApiUse {
        symbols,
        files: files.len(),
    }
}

/// A language of the package's ecosystem: those of one ecosystem share their modules.
fn language_of(one: &UpgradeEvidence) -> Option<Language> {
    [Language::JavaScript, Language::Python, Language::Rust]
        .into_iter()
        .find(|language| language.ecosystem() == one.ecosystem.as_str())
}

/// The sources and texts of an archive, if it is the one that the registry states.
async fn download(client: &Client, archive: &SourceArchive) -> Option<Files> {
    let wanted = MetadataRequest {
        url: archive.url.clone(),
        accept: None,
    };
    let bytes = ask(client, &wanted).await.ok()?;
    let hash = match archive.algorithm {
        "sha256" => hex::encode(Sha256::digest(&bytes)),
        "sha512" => hex::encode(Sha512::digest(&bytes)),
        _ => return None,
    };
    if hash != archive.hash {
        tracing::warn!(algorithm = archive.algorithm, "an archive has another hash");
        return None;
    }

    let wants = |path: &str| {
        Language::of_path(path).is_some() || path == "package.json" || is_changelog(path)
    };
    match files(&bytes, wants) {
        Ok(files) => Some(files),
        Err(error) => {
            tracing::debug!(reason = error.0, "an archive cannot be read");
            None
        }
    }
}
