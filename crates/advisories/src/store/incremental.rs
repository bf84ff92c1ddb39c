//! Incremental updates: the records that changed since the last fetch, by the server's list.
//!
//! A mirror in the layout of the public bucket has `<ecosystem>/modified_id.csv`: lines of a time
//! and an id, newest first (<https://google.github.io/osv.dev/data/>). The whole export is fetched
//! instead of single records
//!
//! - after seven days, which removes records that were deleted without being withdrawn;
//! - if the list has fewer records than the store, for the same reason;
//! - if more than [`MAX_CHANGED`] records would have to be fetched;
//! - if the list is missing, unsorted or wrong: an id is not a file name, or a record cannot be
//!   fetched, has another id, or is older than listed.
//!
//! A record is fetched if the store lacks its id, whatever its time. It is also fetched if its time
//! in the list differs from the record in the store and is after the last fetch, minus two days
//! because exports and lists are not created together. So neither a late record nor one dated in
//! the future hides another.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use patchgate_http::{Client, Error, Request};
use patchgate_model::Advisory;
use tokio::task::JoinSet;

use super::build::BuildError;
use super::changes::write_changes;
use super::checksum;
use super::manifest::{Fetched, Source};
use super::{ID_PREFIX, OpenSource, prefixed};
use crate::osv::parse_record;

/// Limit on the records that are fetched one by one. For more, the whole export is cheaper.
const MAX_CHANGED: usize = 2_000;

/// Number of records that are fetched at the same time.
const AT_ONCE: usize = 16;

/// Limit on the time between two fetches of the whole export.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The period before the last fetch for which the times in a list are compared.
const OVERLAP: SignedDuration = SignedDuration::from_hours(48);

/// Limit on a list in bytes. The list of npm has ten million.
const MAX_LIST_BYTES: u64 = 256 * 1024 * 1024;

/// Limit on a single record in bytes.
const MAX_RECORD_BYTES: u64 = 64 * 1024 * 1024;

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    modified: Timestamp,
    id: &'a str,
}

/// Updates one ecosystem by its list of changes. `None` if the whole export must be fetched instead.
pub(super) async fn bring_up_to_date(
    dir: &Path,
    http: &Client,
    base: &str,
    open: &OpenSource,
    now: Timestamp,
) -> Result<Option<Source>, BuildError> {
    let Some(fetched) = usable(&open.source, now) else {
        return Ok(None);
    };
    let mut request = Request::get(format!("{base}/modified_id.csv")).max_bytes(MAX_LIST_BYTES);
    if let Some(validator) = &fetched.list_validator {
        request = request.header("If-None-Match", validator);
    }

    let answer = match http.send(&request).await {
        Ok(answer) => answer,
        Err(Error::Status { status: 304, .. }) => return Ok(Some(open.source.clone())),
        Err(_) => return Ok(None),
    };
    let is_damaged =
        checksum::promised(&answer).is_some_and(|promised| promised != checksum::of(&answer.body));
    let list_validator = answer.header("etag").map(str::to_owned);
    let (Some(rows), false) = (parse(&answer.body), is_damaged) else {
        return Ok(None);
    };
    let Some(wanted) = wanted(open, &fetched, &rows) else {
        return Ok(None);
    };
    let Some(records) = fetch(http, base, &wanted).await else {
        return Ok(None);
    };
    let newest = rows.first().map_or(fetched.until, |row| row.modified);
    let mut source = if records.is_empty() {
        open.source.clone()
    } else {
        write_changes(dir, open, &records, now).map_err(|source| BuildError::Write {
            path: dir.to_owned(),
            source,
        })?
    };
    source.fetched = Some(Fetched {
        list_validator,
        until: newest.min(now).max(fetched.until),
        ..fetched
    });

    Ok(Some(source))
}

/// The last fetch, if single records may be added to its result.
fn usable(source: &Source, now: Timestamp) -> Option<Fetched> {
    let fetched = source.fetched.clone()?;
    let age = now.duration_since(fetched.whole_at);
    let is_recent = age <= MAX_AGE && age >= SignedDuration::ZERO;
    (source.complete && source.skipped == 0 && is_recent).then_some(fetched)
}

/// The lines of a list; `None` if it is not a list, or not sorted newest first.
fn parse(list: &[u8]) -> Option<Vec<Row<'_>>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for line in std::str::from_utf8(list).ok()?.lines() {
        let (modified, id) = line.split_once(',')?;
        let modified: Timestamp = modified.parse().ok()?;

        // The id becomes part of an address.
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b':');
        if id.is_empty() || id.starts_with('.') || !id.bytes().all(is_plain) {
            return None;
        }
        if rows.last().is_some_and(|before| before.modified < modified) {
            return None;
        }

        rows.push(Row { modified, id });
    }

    (!rows.is_empty()).then_some(rows)
}

/// The rows whose records the store lacks or has with another time. `None` if there are too many, the
/// list lacks records, or the store cannot be read.
fn wanted<'a>(open: &OpenSource, fetched: &Fetched, rows: &[Row<'a>]) -> Option<Vec<Row<'a>>> {
    if (rows.len() as u64) < open.source.records {
        return None;
    }

    let compared_from = fetched.until.checked_sub(OVERLAP).ok()?;
    let held = open.indexes().ok()?;

    let mut wanted = Vec::new();
    for row in rows {
        let is_same = if row.modified > compared_from {
            let known = open.by_id(row.id).ok()?;
            // A record without packages in this ecosystem is stored as an id only.
            known
                .iter()
                .any(|one| one.id == row.id && one.modified == Some(row.modified))
        } else {
            let key = prefixed(ID_PREFIX, row.id);
            held.iter().any(|index| index.may_hold(&key))
        };
        if !is_same {
            wanted.push(Row { ..*row });
        }

        if wanted.len() > MAX_CHANGED {
            return None;
        }
    }

    Some(wanted)
}

/// Fetches records. `None` if one of them cannot be fetched or is not as listed.
async fn fetch(http: &Client, base: &str, wanted: &[Row<'_>]) -> Option<Vec<Advisory>> {
    let mut running = JoinSet::new();
    let mut rows = wanted.iter();

    let mut records = Vec::with_capacity(wanted.len());
    loop {
        while running.len() < AT_ONCE
            && let Some(row) = rows.next()
        {
            let (http, url) = (http.clone(), format!("{base}/{}.json", row.id));
            let (id, modified) = (row.id.to_owned(), row.modified);
            running.spawn(async move {
                let request = Request::get(url).max_bytes(MAX_RECORD_BYTES);
                let answer = http.send(&request).await.ok()?;
                if checksum::promised(&answer).is_some_and(|crc| crc != checksum::of(&answer.body))
                {
                    return None;
                }
                let record = parse_record(&answer.body).ok()?;
                (record.id == id && record.modified? >= modified).then_some(record)
            });
        }

        let Some(one) = running.join_next().await else {
            break;
        };

        records.push(one.ok()??);
    }
    // Answers arrive in any order, but the same content must give the same files.
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_a_list_and_doubts_what_is_none() {
        let list = b"2026-01-02T00:00:00.5Z,MAL-1\n2026-01-01T00:00:00Z,RHSA-2026:1\n";
        let rows = parse(list).unwrap();

        assert_eq!(
            rows.iter().map(|row| row.id).collect::<Vec<_>>(),
            ["MAL-1", "RHSA-2026:1"]
        );
        for bad in [
            "",
            "<html>log in</html>",
            "2026-01-01T00:00:00Z,A\n2026-01-02T00:00:00Z,B\n",
            "2026-01-01T00:00:00Z,../../x\n",
            "2026-01-01T00:00:00Z,a/b\n",
            "2026-01-01T00:00:00Z,\n",
            "yesterday,A\n",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
