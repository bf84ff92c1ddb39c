//! The metadata of a CSAF provider, and its lists of documents (CSAF 2.0, section 7.1).
//!
//! Only reading is here. Downloads, hash checks and the choice of documents belong to the caller.

use jiff::Timestamp;
use patchgate_syntax::{Node, ParseError, json};

use crate::read::{instant, text, time, utf8};

/// Name of the file with the metadata of a provider (7.1.7).
pub const METADATA_FILE: &str = "provider-metadata.json";

/// Most documents in one list.
const MAX_ENTRIES: usize = 1_000_000;

/// The metadata of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Name of the publisher; empty if it is missing.
    pub publisher: String,
    /// Addresses of feeds with public documents (7.1.15).
    pub feeds: Vec<String>,
    /// Addresses of directories with public documents (7.1.11), without a slash at the end.
    pub directories: Vec<String>,
}

/// An entry of a list of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// An address, or a path relative to the list's directory.
    pub location: String,
    /// Time of the last change, if the list states it.
    pub updated: Option<Timestamp>,
    /// Addresses of files with the document's hash.
    pub hashes: Vec<String>,
}

/// The kind of a JSON file in a provider's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A CSAF document with one advisory.
    Document,
    /// The metadata of the provider.
    Metadata,
    /// A list: a feed, a category, or the list of an aggregator.
    List,
}

/// The kind of a JSON file in a provider's directory, by its keys. A file that cannot be read counts
/// as a document, so that reading it as one reports the error.
#[must_use]
pub fn kind(bytes: &[u8]) -> FileKind {
    let Some(root) = utf8(bytes).ok().and_then(|text| json(text).ok()) else {
        return FileKind::Document;
    };
    let has = |key| root.get(key).is_some();

    if has("document") {
        FileKind::Document
    } else if has("metadata_version") {
        FileKind::Metadata
    } else if has("feed") || has("categories") || has("workspace") || has("aggregator") {
        FileKind::List
    } else {
        FileKind::Document
    }
}

/// Reads the metadata of a provider.
///
/// # Errors
/// When the text is not JSON of the form of 7.1.7.
pub fn metadata(bytes: &[u8]) -> Result<Metadata, ParseError> {
    let root = json(utf8(bytes)?)?;
    if root.get("metadata_version").is_none() {
        return Err(ParseError::new("is not the metadata of a CSAF provider"));
    }

    let mut metadata = Metadata::default();
    if let Some(publisher) = root.get("publisher") {
        metadata.publisher = text(publisher, "name")?.unwrap_or_default();
    }
    for distribution in root.optional_list("distributions")? {
        if let Some(directory) = text(distribution, "directory_url")? {
            metadata
                .directories
                .push(directory.trim_end_matches('/').to_owned());
        }

        if let Some(rolie) = distribution.get("rolie") {
            for feed in rolie.optional_list("feeds")? {
                let label = text(feed, "tlp_label")?.unwrap_or_default();
                if is_for_all(&label) {
                    metadata
                        .feeds
                        .push(feed.need_text("url")?.trim().to_owned());
                }
            }
        }
    }

    Ok(metadata)
}

/// Whether a document with this label is public (`WHITE` of TLP 1.0, `CLEAR` of TLP 2.0,
/// <https://www.first.org/tlp/>).
#[must_use]
pub fn is_for_all(label: &str) -> bool {
    matches!(label, "WHITE" | "CLEAR")
}

/// Reads `changes.csv` (7.1.13): one path and one time per line.
///
/// # Errors
/// When a line does not have that form, or a path leads out of the directory.
pub fn changes(bytes: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let lines = lines(bytes)?;
    let entries = lines.map(|(number, line)| {
        let mut fields = line
            .splitn(2, ',')
            .map(|field| field.trim().trim_matches('"'));
        let (Some(path), Some(time)) = (fields.next(), fields.next()) else {
            return Err(
                ParseError::new("has a line without a path and a time").at_line(number as usize)
            );
        };

        Ok(Entry {
            location: within(path, number)?,
            updated: Some(instant(time, "changes.csv", number)?),
            hashes: Vec::new(),
        })
    });

    bounded(entries)
}

/// Reads `index.txt` (7.1.12): one path per line.
///
/// # Errors
/// When a path leads out of the directory.
pub fn index(bytes: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let lines = lines(bytes)?;
    let entries = lines.map(|(number, line)| {
        Ok(Entry {
            location: within(line, number)?,
            updated: None,
            hashes: Vec::new(),
        })
    });

    bounded(entries)
}

/// Reads a ROLIE feed (Resource-Oriented Lightweight Information Exchange, RFC 8322) in CSAF's JSON
/// form (7.1.15).
///
/// # Errors
/// When the text is not such a feed, or an entry has no document.
pub fn feed(bytes: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let root = json(utf8(bytes)?)?;
    let feed = root
        .get("feed")
        .ok_or_else(|| ParseError::new("is not a ROLIE feed"))?;
    bounded(feed.optional_list("entry")?.iter().map(entry))
}

fn entry(node: &Node<'_>) -> Result<Entry, ParseError> {
    let mut location = match node.get("content") {
        Some(content) => text(content, "src")?,
        None => None,
    };
    let mut hashes = Vec::new();
    for link in node.optional_list("link")? {
        let href = link.need_text("href")?.trim().to_owned();
        match link.optional_text("rel")? {
            Some("self") => location = Some(href),
            Some("hash") => hashes.push(href),
            _ => {}
        }
    }

    Ok(Entry {
        location: location.ok_or_else(|| {
            ParseError::new("has an entry without a document").at_line(node.line as usize)
        })?,
        updated: time(node, "updated")?,
        hashes,
    })
}

/// The hash in a file of the form that `sha256sum` writes: its first word, in lower case. `None` if
/// that is not a SHA-256 or a SHA-512 in hexadecimal digits.
#[must_use]
pub fn stated_hash(bytes: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(bytes).ok()?.split_whitespace().next()?;
    let is_hash = matches!(word.len(), 64 | 128) && word.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| word.to_ascii_lowercase())
}

/// The lines that are not empty, with their numbers. An empty file is a valid list.
fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = (u32, &str)>, ParseError> {
    let text = match bytes.trim_ascii() {
        [] => "",
        _ => utf8(bytes)?,
    };
    let lines = text.lines().map(str::trim).zip(1_u32..);
    Ok(lines
        .map(|(line, number)| (number, line))
        .filter(|(_, line)| !line.is_empty()))
}

/// Checks that a path stays below the directory.
fn within(path: &str, line: u32) -> Result<String, ParseError> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_plain = !path.is_empty()
        && !path.contains([':', '\\', '?', '#', '%'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_plain {
        return Ok(path.to_owned());
    }

    let shown: String = path.chars().take(80).collect();
    Err(ParseError::new(format!(
        "names `{shown}`, which is not a path below its directory"
    ))
    .at_line(line as usize))
}

fn bounded(
    entries: impl Iterator<Item = Result<Entry, ParseError>>,
) -> Result<Vec<Entry>, ParseError> {
    let mut list = Vec::new();
    for entry in entries {
        if list.len() == MAX_ENTRIES {
            return Err(ParseError::new(format!(
                "names more than {MAX_ENTRIES} documents"
            )));
        }
        list.push(entry?);
    }

    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_lists_public_feeds_and_directories() {
        let text = r#"{
            "metadata_version": "2.0",
            "canonical_url": "https://v.invalid/provider-metadata.json",
            "publisher": {"name": "Vendor", "category": "vendor", "namespace": "https://v.invalid"},
            "distributions": [
                {"directory_url": "https://v.invalid/csaf/white/"},
                {"rolie": {"feeds": [
                    {"summary": "all", "tlp_label": "WHITE", "url": "https://v.invalid/white.json"},
                    {"summary": "some", "tlp_label": "AMBER", "url": "https://v.invalid/amber.json"},
                    {"summary": "none", "url": "https://v.invalid/none.json"}
                ]}}
            ]
        }"#;

        assert_eq!(
            metadata(text.as_bytes()),
            Ok(Metadata {
                publisher: "Vendor".to_owned(),
                feeds: vec!["https://v.invalid/white.json".to_owned()],
                directories: vec!["https://v.invalid/csaf/white".to_owned()],
            })
        );
        assert_eq!(kind(text.as_bytes()), FileKind::Metadata);
        assert!(metadata(b"{}").is_err());
        assert!(metadata(b"<html>").is_err());
    }

    #[test]
    fn lists_name_documents_below_their_folder() {
        let list = changes(
            b"\"2026/a.json\",\"2026-01-02T00:00:00Z\"\n2025/b.json,2025-01-01T00:00:00+01:00\n\n",
        )
        .unwrap();
        assert_eq!(list[0].location, "2026/a.json");
        assert_eq!(list[1].updated.unwrap().to_string(), "2024-12-31T23:00:00Z");
        assert_eq!(index(b"2026/a.json\r\n./2026/b.json\n").unwrap().len(), 2);
        assert_eq!(index(b"\n").unwrap(), []);

        for path in [
            "../a.json",
            "/a.json",
            "a/../../b.json",
            "https://x.invalid/a.json",
            "a//b.json",
            "a.json?x",
            "%2e%2e/a.json",
        ] {
            assert!(index(path.as_bytes()).is_err(), "{path}");
            let line = format!("{path},2026-01-02T00:00:00Z");
            assert!(changes(line.as_bytes()).is_err(), "{path}");
        }

        assert!(changes(b"a.json\n").is_err());
        assert!(changes(b"a.json,today\n").is_err());
    }

    #[test]
    fn a_feed_names_documents_and_their_hashes() {
        let text = r#"{"feed": {"id": "f", "entry": [{
            "id": "V-1",
            "updated": "2026-01-02T00:00:00Z",
            "link": [
                {"rel": "self", "href": "https://v.invalid/v-1.json"},
                {"rel": "hash", "href": "https://v.invalid/v-1.json.sha512"},
                {"rel": "signature", "href": "https://v.invalid/v-1.json.asc"}
            ],
            "content": {"src": "https://v.invalid/v-1.json", "type": "application/json"}
        }]}}"#;
        let list = feed(text.as_bytes()).unwrap();

        assert_eq!(list[0].location, "https://v.invalid/v-1.json");
        assert_eq!(list[0].hashes, ["https://v.invalid/v-1.json.sha512"]);
        assert_eq!(kind(text.as_bytes()), FileKind::List);
        assert!(feed(b"{\"feed\": {\"entry\": [{}]}}").is_err());
        assert!(feed(b"{}").is_err());
    }

    #[test]
    fn a_hash_is_the_first_word() {
        let hash = "AB".repeat(32);
        let stated = stated_hash(format!("{hash}  a.json\n").as_bytes());
        assert_eq!(stated, Some("ab".repeat(32)));
        for text in ["", "abc a.json", "not found"] {
            assert_eq!(stated_hash(text.as_bytes()), None, "{text}");
        }
    }
}
