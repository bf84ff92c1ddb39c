//! Application of ignore entries to findings on a given day.

use jiff::civil::Date;
use patchgate_model::{Finding, Justification};

use crate::Ignore;

/// A finding that an ignore entry covers.
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoredFinding {
    /// The finding that is accepted.
    pub finding: Finding,
    /// Why the finding is accepted.
    pub reason: String,
    /// Last day on which the entry applies.
    pub until: Date,
    /// Why the repository is not affected, if the entry states that.
    pub justification: Option<Justification>,
}

/// A warning about a settings file: the file is valid, but an entry in it is outdated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Name of the file.
    pub file: String,
    /// Line of the entry, from 1.
    pub line: u32,
    /// The warning: a lower-case fragment without a final period.
    pub text: String,
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// The findings after the ignore entries were applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppliedIgnores {
    /// Findings that no entry covers, in their order.
    pub kept: Vec<Finding>,
    /// Findings that an entry covers, in their order.
    pub ignored: Vec<IgnoredFinding>,
    /// Entries that expired, or that match nothing.
    pub notices: Vec<Notice>,
}

/// Separates the findings that an entry covers on the day `today` from the others.
///
/// An entry matches by the id or an alias, without regard to case, and by its package if it names
/// one. An expired entry covers nothing and gets a notice. An entry that matches nothing gets a notice,
/// too: it may be outdated, or its id may have a typing error.
#[must_use]
pub fn apply_ignores(findings: Vec<Finding>, ignores: &[Ignore], today: Date) -> AppliedIgnores {
    let mut applied = AppliedIgnores::default();
    for ignore in ignores {
        let hits = findings.iter().filter(|finding| covers(ignore, finding));
        let text = match (today > ignore.until, hits.count()) {
            (false, 0) => format!("the ignore entry for `{}` matches no finding", ignore.id),
            (false, _) => continue,
            (true, 0) => format!(
                "the ignore entry for `{}` expired on {} and matches no finding: remove it",
                ignore.id, ignore.until
            ),
            (true, hits) => format!(
                "the ignore entry for `{}` expired on {} and no longer covers {hits} {}",
                ignore.id,
                ignore.until,
                if hits == 1 { "finding" } else { "findings" }
            ),
        };

        applied.notices.push(Notice {
            file: ignore.file.clone(),
            line: ignore.line,
            text,
        });
    }

    for finding in findings {
        let entry = ignores
            .iter()
            .find(|ignore| today <= ignore.until && covers(ignore, &finding));
        match entry {
            Some(ignore) => applied.ignored.push(IgnoredFinding {
                finding,
                reason: ignore.reason.clone(),
                until: ignore.until,
                justification: ignore.justification,
            }),
            None => applied.kept.push(finding),
        }
    }

    applied
}

fn covers(ignore: &Ignore, finding: &Finding) -> bool {
    let id = finding.id.eq_ignore_ascii_case(&ignore.id)
        || finding
            .aliases
            .iter()
            .any(|alias| alias.eq_ignore_ascii_case(&ignore.id));
    let ecosystem = ignore.ecosystem.as_ref().is_none_or(|ecosystem| {
        finding
            .package
            .ecosystem
            .as_str()
            .eq_ignore_ascii_case(ecosystem)
    });
    let package = ignore
        .package
        .as_ref()
        .is_none_or(|package| finding.package.name == *package);

    id && ecosystem && package
}

#[cfg(test)]
mod tests {
    use patchgate_model::{
        EcosystemName, FixedVersion, Level, PackageRef, Scope, Score, Severity, Signals,
    };

    use super::*;

    fn finding(id: &str, aliases: &[&str], package: &str) -> Finding {
        Finding {
            id: id.into(),
            aliases: aliases.iter().map(|&alias| alias.into()).collect(),
            summary: String::new(),
            package: PackageRef {
                ecosystem: EcosystemName::new("npm"),
                distribution: None,
                name: package.into(),
                version: "1.0.0".into(),
                purl: format!("pkg:npm/{package}@1.0.0"),
            },
            locations: Vec::new(),
            paths: Vec::new(),
            scope: Scope::Runtime,
            requirement: None,
            fixed: FixedVersion::None("none".into()),
            severity: Severity {
                level: Level::High,
                cvss_score: None,
                cvss_vector: None,
            },
            signals: Signals::default(),
            informational: None,
            malicious: false,
            reachability: None,
            score: Score::default(),
            advisories: Vec::new(),
        }
    }

    fn config(text: &str) -> Vec<Ignore> {
        crate::parse(".patchgate.yml", text).unwrap().ignore
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn apply(entry: &str, today: &str) -> AppliedIgnores {
        let text = format!("ignore:\n  - {{ reason: r, until: 2026-03-01, {entry} }}\n");
        let findings = vec![
            finding("GHSA-a", &["CVE-1"], "qs"),
            finding("GHSA-b", &["CVE-2"], "@a/b"),
        ];
        apply_ignores(findings, &config(&text), day(today))
    }

    fn ignored(applied: &AppliedIgnores) -> Vec<&str> {
        applied
            .ignored
            .iter()
            .map(|i| i.finding.id.as_str())
            .collect()
    }

    #[test]
    fn an_entry_covers_by_id_and_alias_to_the_end_of_its_day() {
        for entry in [
            "id: GHSA-a",
            "id: cve-1",
            "id: GHSA-a, package: qs",
            "id: GHSA-a, package: npm:qs",
        ] {
            let applied = apply(entry, "2026-03-01");
            assert_eq!(ignored(&applied), ["GHSA-a"], "{entry}");
            assert_eq!(applied.kept.len(), 1);
            assert_eq!(applied.notices, []);
        }
    }

    #[test]
    fn an_entry_for_another_package_covers_nothing() {
        for entry in [
            "id: GHSA-a, package: q",
            "id: GHSA-a, package: 'crates.io:qs'",
            "id: GHSA",
        ] {
            let applied = apply(entry, "2026-01-01");
            assert!(applied.ignored.is_empty(), "{entry}");
            assert_eq!(applied.notices.len(), 1);
        }
    }

    #[test]
    fn an_expired_entry_covers_nothing_and_is_named_with_its_line() {
        let applied = apply("id: CVE-2", "2026-03-02");
        assert!(applied.ignored.is_empty());
        assert_eq!(
            applied.notices[0].to_string(),
            ".patchgate.yml:2: the ignore entry for `CVE-2` expired on 2026-03-01 and no longer covers 1 finding"
        );
    }
}
