//! The stored form of a record, reduced to one package, in postcard's format
//! (<https://postcard.jamesmunns.com>). Reading it takes less than half as many instructions as JSON.
//!
//! The format contains no names: fields and variants are identified by their order. So any change of
//! [`Advisory`] or of a type in it needs a new [`FORMAT`](super::manifest::FORMAT).

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::nanosecond::optional as nanoseconds;
use patchgate_model::{Advisory, Affected, Reference, ReportedSeverity, SmolStr};
use serde::Serialize;

/// An [`Advisory`] with some of its packages, field by field.
#[derive(Serialize)]
struct Trimmed<'a> {
    id: &'a str,
    aliases: &'a [SmolStr],
    summary: &'a str,
    details: &'a str,
    #[serde(with = "nanoseconds")]
    modified: Option<Timestamp>,
    #[serde(with = "nanoseconds")]
    published: Option<Timestamp>,
    #[serde(with = "nanoseconds")]
    withdrawn: Option<Timestamp>,
    severity: &'a [ReportedSeverity],
    affected: &'a [&'a Affected],
    references: &'a [Reference],
    cwes: &'a [SmolStr],
    severity_word: Option<&'a str>,
    informational: Option<&'a str>,
    database_specific: Option<&'a str>,
}

/// Encodes a record with only the entries `affected`. The records of one package are concatenated.
///
/// The details and the `database_specific` part of malicious packages are left out: they list the
/// reports behind a record, and with 200,000 records they would be the larger part of a store.
pub(super) fn encode(advisory: &Advisory, affected: &[&Affected]) -> postcard::Result<Vec<u8>> {
    let is_malicious = advisory.id.starts_with("MAL-");
    postcard::to_allocvec(&Trimmed {
        id: &advisory.id,
        aliases: &advisory.aliases,
        summary: &advisory.summary,
        details: match is_malicious {
            true => "",
            false => &advisory.details,
        },
        modified: advisory.modified,
        published: advisory.published,
        withdrawn: advisory.withdrawn,
        severity: &advisory.severity,
        affected,
        references: &advisory.references,
        cwes: &advisory.cwes,
        severity_word: advisory.severity_word.as_deref(),
        informational: advisory.informational.as_deref(),
        database_specific: advisory
            .database_specific
            .as_deref()
            .filter(|_| !is_malicious),
    })
}

/// Decodes the records of one package.
pub(super) fn decode(mut bytes: &[u8]) -> postcard::Result<Vec<Advisory>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = postcard::take_from_bytes(bytes)?;
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}

/// Encodes the keys of the packages that a record names.
pub(super) fn encode_keys(keys: &[&str]) -> postcard::Result<Vec<u8>> {
    postcard::to_allocvec(keys)
}

/// Decodes the keys of the packages that a record names.
pub(super) fn decode_keys(bytes: &[u8]) -> postcard::Result<Vec<&str>> {
    postcard::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use patchgate_model::Advisory;

    use super::super::manifest::FORMAT;
    use super::{decode, encode};
    use crate::parse_record;

    /// A record with a value in every field, and every kind of range and event.
    fn record() -> Advisory {
        let text = serde_json::json!({
            "id": "A-1", "aliases": ["B-1"], "summary": "s",
            "details": "d",
            "modified": "2026-01-02T03:04:05.678Z", "published": "2026-01-01T00:00:00Z",
            "withdrawn": "1969-12-31T23:59:59Z",
            "severity": [{"type": "CVSS_V3", "score": "v"}],
            "references": [{"type": "WEB", "url": "u"}],
            "database_specific": {"cwe_ids": ["CWE-1"], "severity": "HIGH"},
            "affected": [{
                "package": {"ecosystem": "npm:x", "name": "Other"},
                "severity": [{"type": "CVSS_V2", "score": "w"}],
                "versions": ["1"],
                "ranges": [
                    {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1"}]},
                    {"type": "ECOSYSTEM", "events": [{"last_affected": "2"}, {"limit": "3"}]},
                    {"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]},
                    {"type": "NEW", "events": [{"introduced": "0"}]}
                ],
                "ecosystem_specific": {"e": 1},
                "database_specific": {"informational": "unsound"}
            }]
        });

        parse_record(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn reads_what_was_written() {
        let record = record();
        let affected: Vec<_> = record.affected.iter().collect();
        let mut bytes = encode(&record, &affected).unwrap();
        bytes.extend(encode(&record, &affected).unwrap());

        assert_eq!(decode(&bytes).unwrap(), [record.clone(), record]);
        for length in 1..bytes.len() {
            let cut = decode(&bytes[..length]);
            assert!(cut.is_err() || cut.unwrap().len() == 1, "{length}");
        }
    }

    /// The bytes do not describe themselves. If this test fails, [`FORMAT`] must change too.
    #[test]
    fn the_format_is_that_of_its_number() {
        let record = record();
        let affected: Vec<_> = record.affected.iter().collect();
        let bytes = encode(&record, &affected).unwrap();
        insta::assert_snapshot!(format!("{FORMAT} {}", bytes.escape_ascii()), @r#"7 \x03A-1\x01\x03B-1\x01s\x01d\x01\x80\x9e\xfd\xcf\xc8\xbc\xe5\x861\x01\x80\x80\xd0\xdf\xbd\x94\xb9\x861\x01\xff\xa7\xd6\xb9\x07\x01\x07CVSS_V3\x01v\x01\x03npm\x01\x01x\x05Other\x04\x00\x00\x02\x00\x010\x01\x011\x01\x00\x02\x02\x012\x03\x013\x02\x01\x01r\x01\x00\x010\x03\x00\x01\x00\x010\x01\x011\x01\x07CVSS_V2\x01w\x01\x07{\"e\":1}\x01\x1b{\"informational\":\"unsound\"}\x01\x03WEB\x01u\x01\x05CWE-1\x01\x04HIGH\x01\x07unsound\x01\'{\"cwe_ids\":[\"CWE-1\"],\"severity\":\"HIGH\"}"#);
    }
}
