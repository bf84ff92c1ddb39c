//! Migration of a store of another format, which an update re-creates. Nothing that the store
//! contains may get lost.

use std::fs::File;
use std::path::{Path, PathBuf};

use patchgate_fs::read_up_to;
use serde::Deserialize;

use super::collect::Collected;
use super::input::ecosystem_of_archive;
use super::manifest::{MANIFEST, MAX_MANIFEST_BYTES};
use super::{UpdateError, UpdateOptions};

/// The manifest of another format, as far as it can be understood.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OldManifest {
    pub(super) format: u64,
    #[serde(default)]
    sources: Vec<OldSource>,
}

#[derive(Debug, Deserialize)]
struct OldSource {
    kind: String,
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    origin: String,
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    own: bool,
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    fetched: Option<serde::de::IgnoredAny>,
}

impl OldManifest {
    /// Reads the manifest of format `format` in `dir`. For an unrecognised layout only the format
    /// number is returned.
    pub(super) fn read(dir: &Path, format: u64) -> Self {
        let bytes = File::open(dir.join(MANIFEST))
            .and_then(|file| read_up_to(file, MAX_MANIFEST_BYTES))
            .ok()
            .flatten();
        let known = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        Self {
            format,
            ..known.unwrap_or_default()
        }
    }

    /// The ecosystems whose exports the store has. The update fetches them as well.
    pub(super) fn exports(&self) -> impl Iterator<Item = &str> {
        self.sources
            .iter()
            .filter(|source| source.is_export())
            .map(|source| source.ecosystem.as_str())
    }

    /// Refuses the update if it would not re-create every source of the store.
    pub(super) fn allow(&self, dir: &Path, options: &UpdateOptions) -> Result<(), UpdateError> {
        let is_given = |path: &String| {
            let path = Path::new(path);
            options.own.iter().any(|given| path.starts_with(given))
        };
        let is_named = |source: &OldSource| match source.kind.as_str() {
            "kev" => options.kev.is_some(),
            "epss" => options.epss.is_some(),
            _ if source.is_export() || source.is_only_mentioned() => true,
            _ if source.from.is_empty() => is_given(&source.origin),
            _ => source.from.iter().all(is_given),
        };

        match self.sources.iter().find(|source| !is_named(source)) {
            None => Ok(()),
            Some(source) => Err(UpdateError::NotNamed {
                dir: dir.to_owned(),
                found: self.format,
                lost: source.name(),
                origin: source.origin.clone(),
            }),
        }
    }

    /// Refuses to publish if a source of the store could not be fetched or read again.
    pub(super) fn allow_publishing(
        &self,
        dir: &Path,
        collected: &Collected,
    ) -> Result<(), UpdateError> {
        let is_there = |source: &OldSource| match source.kind.as_str() {
            "kev" => collected.kev.is_some(),
            "epss" => collected.epss.is_some(),
            _ if source.is_only_mentioned() => true,
            _ if source.is_export() => {
                let records = collected.osv.get(&source.ecosystem);
                records.is_some_and(|records| records.complete)
            }
            _ => {
                let mut own = collected.own.iter();
                own.any(|(ecosystem, _)| *ecosystem == source.ecosystem)
            }
        };

        match self.sources.iter().find(|source| !is_there(source)) {
            None => Ok(()),
            Some(source) => Err(UpdateError::NotFetched {
                dir: dir.to_owned(),
                found: self.format,
                lacking: source.name(),
                reason: collected.problems.first().map_or_else(
                    || "no input contains it".to_owned(),
                    |problem| format!("`{}`: {}", problem.subject, problem.reason),
                ),
            }),
        }
    }
}

impl OldSource {
    /// Whether the update fetches it again.
    fn is_export(&self) -> bool {
        let path = PathBuf::from(&self.origin);
        let is_named = ecosystem_of_archive(&path).is_some_and(|named| named == self.ecosystem);
        self.kind == "osv"
            && self.complete
            && !self.own
            && self.from.is_empty()
            && (self.fetched.is_some() || is_named)
    }

    /// Whether its records came with the export of another ecosystem.
    fn is_only_mentioned(&self) -> bool {
        self.kind == "osv" && !self.complete && !self.own && self.from.is_empty()
    }

    fn name(&self) -> String {
        match self.kind.as_str() {
            "osv" if self.own => format!("own:{}", self.ecosystem),
            "osv" => format!("osv:{}", self.ecosystem),
            other => other.to_owned(),
        }
    }
}
