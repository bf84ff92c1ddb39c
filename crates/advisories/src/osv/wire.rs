//! The wire form of a record. The parser accepts null, unknown fields and unknown kinds.

use jiff::Timestamp;
use patchgate_model::{
    Advisory, Affected, Event, EventKind, Range, RangeKind, Reference, ReportedSeverity, SmolStr,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::free_form::FreeForm;
use super::title::title;
use crate::git::{self, repository_key};

/// Limit on the text of a `database_specific` or `ecosystem_specific` that is kept, in bytes. Some
/// databases put whole file lists there. The values that Patchgate uses are read before.
const MAX_SPECIFIC_BYTES: usize = 16 * 1024;

/// Most characters of the details that are kept. They are shown by one command, and stored with every
/// package that a record names.
const MAX_DETAILS: usize = 2_000;

/// Why a text is not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The text is not JSON, or a field has another type than in the schema.
    #[error("not an OSV record")]
    Json(#[from] serde_json::Error),
    /// The record has no id.
    #[error("the record has no id")]
    NoId,
    /// The time of the withdrawal is invalid, so it is unknown whether the record is in force.
    #[error("`{id}` was withdrawn at `{withdrawn}`, which is not a time")]
    Withdrawn {
        /// Id of the record.
        id: String,
        /// The invalid time, as the record writes it.
        withdrawn: String,
    },
}

/// Parses one OSV record.
///
/// ```
/// let record = br#"{"id": "X-1", "affected": [{"package": {"ecosystem": "npm", "name": "a"}}]}"#;
/// let advisory = patchgate_advisories::parse_record(record)?;
/// assert_eq!(advisory.affected[0].name, "a");
/// # Ok::<(), patchgate_advisories::RecordError>(())
/// ```
///
/// # Errors
/// When the text is not a record. Unknown fields, unknown kinds and null are accepted.
pub fn parse_record(json: &[u8]) -> Result<Advisory, RecordError> {
    let wire: WireRecord<'_> = serde_json::from_slice(json)?;
    wire.into_advisory()
}

/// Reads null as the default, because some databases write null for empty values.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A record. `credits` and `related` are not used and therefore skipped.
#[derive(Deserialize)]
pub(crate) struct WireRecord<'a> {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) id: SmolStr,
    #[serde(default, deserialize_with = "null_is_default")]
    aliases: Vec<SmolStr>,
    #[serde(default, deserialize_with = "null_is_default")]
    summary: String,
    #[serde(default, deserialize_with = "null_is_default")]
    details: String,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    severity: Vec<WireSeverity>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    affected: Vec<WireAffected<'a>>,
    #[serde(default, deserialize_with = "null_is_default")]
    references: Vec<WireReference>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireAffected<'a> {
    #[serde(default)]
    package: Option<WirePackage>,
    #[serde(default, deserialize_with = "null_is_default")]
    ranges: Vec<WireRange>,
    #[serde(default, deserialize_with = "null_is_default")]
    versions: Vec<SmolStr>,
    #[serde(default, deserialize_with = "null_is_default")]
    severity: Vec<WireSeverity>,
    #[serde(borrow, default)]
    ecosystem_specific: Option<&'a RawValue>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WirePackage {
    #[serde(default, deserialize_with = "null_is_default")]
    ecosystem: SmolStr,
    #[serde(default, deserialize_with = "null_is_default")]
    name: SmolStr,
}

#[derive(Deserialize)]
struct WireRange {
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    kind: SmolStr,
    #[serde(default)]
    repo: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    events: Vec<WireEvent>,
}

/// One event. The schema allows one field per event, but older records put `introduced` and `fixed`
/// into one object, which means two events.
#[derive(Deserialize)]
struct WireEvent {
    #[serde(default)]
    introduced: Option<SmolStr>,
    #[serde(default)]
    fixed: Option<SmolStr>,
    #[serde(default)]
    last_affected: Option<SmolStr>,
    #[serde(default)]
    limit: Option<SmolStr>,
}

#[derive(Deserialize)]
struct WireSeverity {
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    kind: SmolStr,
    #[serde(default, deserialize_with = "null_is_default")]
    score: String,
}

#[derive(Deserialize)]
struct WireReference {
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    kind: SmolStr,
    #[serde(default, deserialize_with = "null_is_default")]
    url: String,
}

/// Details of bounded length.
fn bounded(mut details: String) -> String {
    if let Some((end, _)) = details.char_indices().nth(MAX_DETAILS) {
        details.truncate(end);
        details.push('…');
        details.shrink_to_fit();
    }

    details
}

impl WireRecord<'_> {
    /// Converts the record to an [`Advisory`].
    pub(crate) fn into_advisory(self) -> Result<Advisory, RecordError> {
        if self.id.is_empty() {
            return Err(RecordError::NoId);
        }
        // Some records have the year 1: an unset time of the program that wrote them.
        let time = |text: Option<String>| {
            text.and_then(|text| text.parse::<Timestamp>().ok())
                .filter(|time| *time > Timestamp::UNIX_EPOCH)
        };

        let withdrawn = match self.withdrawn {
            None => None,
            Some(text) => match text.parse::<Timestamp>() {
                Ok(time) => Some(time),
                Err(_) => {
                    return Err(RecordError::Withdrawn {
                        id: self.id.into(),
                        withdrawn: text,
                    });
                }
            },
        };

        let own = FreeForm::read(self.database_specific);
        let mut cwes = own.cwes;
        let mut severity_word = own.severity_word;
        let mut informational = own.informational;

        let mut affected = Vec::with_capacity(self.affected.len());
        for entry in self.affected {
            let own = FreeForm::read(entry.database_specific);
            cwes.extend(own.cwes);
            severity_word = severity_word.or(own.severity_word);
            informational = informational.or(own.informational);
            affected.extend(entry.into_affected());
        }

        cwes.sort();
        cwes.dedup();

        let mut summary = self.summary;
        if summary.trim().is_empty() {
            summary = title(&self.details);
        }

        Ok(Advisory {
            id: self.id,
            aliases: self.aliases,
            summary,
            details: bounded(self.details),
            modified: time(self.modified),
            published: time(self.published),
            withdrawn,
            severity: self
                .severity
                .into_iter()
                .map(WireSeverity::into_reported)
                .collect(),
            affected,
            references: self
                .references
                .into_iter()
                .map(WireReference::into_reference)
                .collect(),
            cwes,
            severity_word,
            informational,
            database_specific: kept(self.database_specific),
        })
    }
}

impl WireAffected<'_> {
    /// Converts an entry. One without a package is about repositories only, and becomes one entry per
    /// repository, with the repository as its name.
    fn into_affected(self) -> Vec<Affected> {
        let ranges: Vec<Range> = self.ranges.into_iter().map(WireRange::into_range).collect();
        let entry = Affected {
            ecosystem: SmolStr::default(),
            distribution: None,
            name: SmolStr::default(),
            ranges: Vec::new(),
            versions: self.versions,
            severity: self
                .severity
                .into_iter()
                .map(WireSeverity::into_reported)
                .collect(),
            ecosystem_specific: kept(self.ecosystem_specific),
            database_specific: kept(self.database_specific),
        };
        let Some(package) = self.package else {
            return by_repository(&entry, ranges);
        };
        let (ecosystem, distribution) = match package.ecosystem.split_once(':') {
            Some((ecosystem, rest)) => (ecosystem.into(), Some(rest.into())),
            None => (package.ecosystem, None),
        };

        vec![Affected {
            ecosystem,
            distribution,
            name: package.name,
            ranges,
            ..entry
        }]
    }
}

fn by_repository(entry: &Affected, ranges: Vec<Range>) -> Vec<Affected> {
    let mut entries: Vec<Affected> = Vec::new();
    for range in ranges {
        let Some(name) = range.repo.as_deref().map(repository_key) else {
            continue;
        };

        match entries.iter_mut().find(|known| known.name == name) {
            Some(known) => known.ranges.push(range),
            None => entries.push(Affected {
                ecosystem: git::ECOSYSTEM.into(),
                name: name.into(),
                ranges: vec![range],
                ..entry.clone()
            }),
        }
    }

    entries
}

/// The text of a free-form field, unless it is empty or too long.
fn kept(raw: Option<&RawValue>) -> Option<String> {
    let text = raw.map(RawValue::get)?;
    let says_nothing = matches!(text, "null" | "{}");
    (!says_nothing && text.len() <= MAX_SPECIFIC_BYTES).then(|| text.to_owned())
}

impl WireRange {
    fn into_range(self) -> Range {
        let kind = match self.kind.as_str() {
            "SEMVER" => RangeKind::Semver,
            "ECOSYSTEM" => RangeKind::Ecosystem,
            "GIT" => RangeKind::Git,
            _ => RangeKind::Other,
        };

        Range {
            kind,
            repo: self.repo,
            events: self
                .events
                .into_iter()
                .flat_map(WireEvent::into_events)
                .collect(),
        }
    }
}

impl WireEvent {
    fn into_events(self) -> impl Iterator<Item = Event> {
        [
            (EventKind::Introduced, self.introduced),
            (EventKind::Fixed, self.fixed),
            (EventKind::LastAffected, self.last_affected),
            (EventKind::Limit, self.limit),
        ]
        .into_iter()
        .filter_map(|(kind, version)| {
            Some(Event {
                kind,
                version: version?,
            })
        })
    }
}

impl WireSeverity {
    fn into_reported(self) -> ReportedSeverity {
        ReportedSeverity {
            kind: self.kind,
            value: self.score,
        }
    }
}

impl WireReference {
    fn into_reference(self) -> Reference {
        Reference {
            kind: self.kind,
            url: self.url,
        }
    }
}
