//! The table of changes of an ecosystem: single records of an update, without rewriting the large
//! tables.
//!
//! An entry of the table is complete: it replaces the entries with the same key in the other tables.
//! The next update writes a new table with the old and the new entries.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use jiff::Timestamp;
use patchgate_model::{Advisory, Affected};

use super::manifest::Source;
use super::write::{Writer, file_part};
use super::{ID_PREFIX, NAME_PREFIX, OpenSource, invalid, prefixed, record};

/// Writes a table of changes with `records` and returns the updated source.
pub(super) fn write_changes(
    into: &Path,
    open: &OpenSource,
    records: &[Advisory],
    now: Timestamp,
) -> io::Result<Source> {
    let mut source = open.source.clone();
    let ecosystem = source.ecosystem.clone().unwrap_or_default();
    let mut packages: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();

    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for advisory in records {
        let mut affected: BTreeMap<String, Vec<Affected>> = BTreeMap::new();
        for entry in advisory
            .affected
            .iter()
            .filter(|one| one.ecosystem == ecosystem)
        {
            let key = crate::package_key(&ecosystem, &entry.name);
            affected.entry(key.into()).or_default().push(entry.clone());
        }

        // Remove the earlier state of the record.
        let mut is_new = true;
        let before = open.names_of(&advisory.id)?;
        for name in before.iter().chain(affected.keys()) {
            if !packages.contains_key(name) {
                packages.insert(name.clone(), open.records(name)?);
            }
            let listed = packages.entry(name.clone()).or_default();
            let count = listed.len();
            listed.retain(|one| one.id != advisory.id);
            is_new &= listed.len() == count;
        }

        // Make the record known by its id and its aliases.
        for id in std::iter::once(&advisory.id).chain(&advisory.aliases) {
            if !ids.contains_key(id.as_str()) {
                ids.insert(id.to_string(), open.names_of(id)?);
            }
            let names = ids.entry(id.to_string()).or_default();
            names.extend(affected.keys().cloned());
        }

        source.records += u64::from(is_new && !affected.is_empty());
        // A date in the future must not make the source look fresh.
        let modified = advisory.modified.filter(|modified| *modified <= now);
        source.as_of = source.as_of.max(modified);

        for (name, affected) in affected {
            let mut own = advisory.clone();
            own.affected = affected;
            packages.entry(name).or_default().push(own);
        }
    }

    // Merge with the changes of earlier updates, and write all of them.
    let mut entries = present_entries(open)?;
    for (name, mut records) in packages {
        records.sort_by(|a, b| a.id.cmp(&b.id));
        entries.insert(prefixed(NAME_PREFIX, &name), encode(&records)?);
    }

    for (id, names) in ids {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let value = record::encode_keys(&names).map_err(invalid)?;
        entries.insert(prefixed(ID_PREFIX, &id), value);
    }

    let mut writer = Writer::new(into)?;
    for (key, value) in &entries {
        writer.push(key, value)?;
    }

    source.changes = Some(writer.finish(into, &format!("osv-{}-changes", file_part(&ecosystem)))?);
    Ok(source)
}

/// The entries of the present table of changes.
fn present_entries(open: &OpenSource) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut entries = BTreeMap::new();
    if let Some(changes) = &open.changes {
        changes.for_each(|key, value| {
            entries.insert(key.to_vec(), value.to_vec());
            Ok(())
        })?;
    }
    Ok(entries)
}

fn encode(records: &[Advisory]) -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    for advisory in records {
        let affected: Vec<&Affected> = advisory.affected.iter().collect();
        value.extend(record::encode(advisory, &affected).map_err(invalid)?);
    }
    Ok(value)
}
