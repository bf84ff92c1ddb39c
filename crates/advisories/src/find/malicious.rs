//! Detection of records about malicious releases.

use patchgate_model::Advisory;

/// Id prefix of the malicious packages' database (<https://github.com/ossf/malicious-packages>).
const DATABASE: &str = "MAL-";

/// Embedded malicious code (<https://cwe.mitre.org/data/definitions/506.html>).
const WEAKNESS: &str = "CWE-506";

/// Whether one of the records that affect a version marks the release as malicious: by its id or an
/// alias, by its weakness, or because its id has one of the `declared` prefixes.
///
/// `matching` must contain only records that affect the version. If a package was taken over, only
/// some of its releases are malicious.
#[must_use]
pub fn is_malicious(matching: &[&Advisory], declared: &[String]) -> bool {
    matching.iter().any(|record| {
        let mut ids = std::iter::once(&record.id).chain(&record.aliases);
        ids.any(|id| is_of_database(id))
            || record.cwes.iter().any(|cwe| cwe == WEAKNESS)
            || declared
                .iter()
                .any(|prefix| record.id.starts_with(prefix.as_str()))
    })
}

/// Whether an id belongs to the malicious packages' database.
pub(super) fn is_of_database(id: &str) -> bool {
    id.starts_with(DATABASE)
}

#[cfg(test)]
mod tests {
    use super::is_malicious;
    use crate::parse_record;

    #[test]
    fn the_record_says_it() {
        let declared = ["LWA-".to_owned()];
        for (record, expected) in [
            (r#"{"id": "MAL-2026-1"}"#, true),
            (
                r#"{"id": "GHSA-a", "aliases": ["CVE-1", "MAL-2026-1"]}"#,
                true,
            ),
            (
                r#"{"id": "GHSA-a", "database_specific": {"cwe_ids": ["CWE-506"]}}"#,
                true,
            ),
            (r#"{"id": "LWA-2026-1"}"#, true),
            (r#"{"id": "GHSA-a", "aliases": ["LWA-2026-1"]}"#, false),
            (r#"{"id": "GHSA-MAL-1", "summary": "MAL-1"}"#, false),
            (
                r#"{"id": "GHSA-a", "database_specific": {"cwe_ids": ["CWE-507"]}}"#,
                false,
            ),
        ] {
            let record = parse_record(record.as_bytes()).unwrap();
            assert_eq!(is_malicious(&[&record], &declared), expected, "{record:?}");
        }

        let undeclared = parse_record(br#"{"id": "LWA-2026-1"}"#).unwrap();
        assert!(!is_malicious(&[&undeclared], &[]));
        assert!(!is_malicious(&[], &declared));
    }
}
