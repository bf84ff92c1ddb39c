//! Grouping of records by vulnerability, and the id that names it.

use std::collections::HashMap;
use std::sync::Arc;

use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{Advisory, EcosystemName};

/// Groups records that share an id or an alias, directly or through others. Returns the indexes of
/// the records of each vulnerability; the groups are sorted by their first index.
pub(super) fn join(records: &[&Arc<Advisory>]) -> Vec<Vec<usize>> {
    let mut parents: Vec<usize> = (0..records.len()).collect();
    let mut owners: HashMap<&str, usize> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        for id in std::iter::once(&record.id).chain(&record.aliases) {
            let owner = *owners.entry(id).or_insert(index);
            let (a, b) = (root(&mut parents, owner), root(&mut parents, index));
            // The smaller index becomes the root, so that the result is deterministic.
            if let Some(parent) = parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
        }
    }

    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    for index in 0..records.len() {
        let root = root(&mut parents, index);
        if let Some(group) = groups.get_mut(root) {
            group.push(index);
        }
    }

    groups.retain(|group| !group.is_empty());
    groups
}

/// The root of a tree. Shortens the path to it (path halving).
fn root(parents: &mut [usize], mut index: usize) -> usize {
    while let Some(&parent) = parents.get(index)
        && parent != index
    {
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(own) = parents.get_mut(index) {
            *own = above;
        }
        index = above;
    }

    index
}

/// The preference of an id, smallest first: malicious packages (`MAL-`), the ecosystem's own
/// database, GitHub, the CVE list, any other.
pub(super) fn rank(ecosystem: EcosystemName, id: &str) -> u8 {
    let own = by_name(ecosystem).map_or("GHSA-", Ecosystem::advisory_id_prefix);
    let order = ["MAL-", own, "GHSA-", "CVE-"];
    let rank = order.iter().position(|prefix| id.starts_with(prefix));

    rank.and_then(|rank| u8::try_from(rank).ok())
        .unwrap_or(u8::MAX)
}

/// The id that names a vulnerability: `MAL-` first, then the ecosystem's own database (`RUSTSEC-`,
/// `PYSEC-`, `GO-`), then `GHSA-`, then `CVE-`, then others, alphabetically within each. `None`
/// without ids.
///
/// ```
/// use patchgate_advisories::preferred_id;
/// use patchgate_model::EcosystemName;
///
/// let python = EcosystemName::new("PyPI");
/// assert_eq!(preferred_id(python, &["CVE-1", "GHSA-a", "PYSEC-1"]), Some("PYSEC-1"));
/// ```
#[must_use]
pub fn preferred_id<'a>(ecosystem: EcosystemName, ids: &[&'a str]) -> Option<&'a str> {
    ids.iter()
        .copied()
        .min_by_key(|id| (rank(ecosystem, id), *id))
}

#[cfg(test)]
mod tests {
    use patchgate_model::EcosystemName;

    use std::sync::Arc;

    use patchgate_model::Advisory;

    use super::{join, preferred_id};
    use crate::parse_record;

    fn record(id: &str, aliases: &[&str]) -> Arc<Advisory> {
        let text = serde_json::json!({"id": id, "aliases": aliases}).to_string();
        Arc::new(parse_record(text.as_bytes()).unwrap())
    }

    #[test]
    fn joins_through_shared_aliases() {
        let records = [
            record("GHSA-a", &["CVE-1"]),
            record("GHSA-b", &["CVE-2"]),
            record("RUSTSEC-a", &["CVE-1"]),
            record("CVE-3", &[]),
            record("X-1", &["GHSA-b", "CVE-3"]),
        ];
        let records: Vec<_> = records.iter().collect();

        assert_eq!(join(&records), [vec![0, 2], vec![1, 3, 4]]);
        assert!(join(&[]).is_empty());
    }

    #[test]
    fn prefers_the_ecosystems_own_database() {
        let ids = ["CVE-1", "GHSA-b", "GHSA-a", "PYSEC-1", "RUSTSEC-1", "AAA-1"];
        assert_eq!(
            preferred_id(EcosystemName::new("crates.io"), &ids),
            Some("RUSTSEC-1")
        );
        assert_eq!(
            preferred_id(EcosystemName::new("PyPI"), &ids),
            Some("PYSEC-1")
        );
        assert_eq!(
            preferred_id(EcosystemName::new("npm"), &ids),
            Some("GHSA-a")
        );
        assert_eq!(
            preferred_id(EcosystemName::new("npm"), &["LWA-1", "MAL-1", "GHSA-a"]),
            Some("MAL-1")
        );
        assert_eq!(
            preferred_id(EcosystemName::new("npm"), &["B-1", "A-1"]),
            Some("A-1")
        );
        assert_eq!(preferred_id(EcosystemName::new("npm"), &[]), None);
    }
}
