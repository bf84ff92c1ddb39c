//! The report of a fix: what it fixes, what remains and why, every entry that changes, and the
//! diff.
//!
//! Its numbers are counted once, in [`FixSummary`], so that all formats and the pull request have
//! the same ones.

mod entries;
mod evidence;
mod left;
mod markdown;
mod remarks;
mod summary;
mod text;
mod verification;

use patchgate_model::{Bump, FileChange, Plan};
use schemars::JsonSchema;
use serde::Serialize;

use crate::diff::{FileSummary, file_summary, unified_diff};
use crate::scan::{FindingReport, IncompleteReport, ScanReport, SourceReport, Tool};

pub use entries::{EntryChangeName, EntryReport, FixedReport, StepReport};
pub use evidence::{
    ApiUseReport, BeforeAfterReport, HistoryReport, NotesReport, PriorReport, SignalsReport,
    SymbolUseReport, UpdateRecordReport, UpgradeEvidenceReport,
};
pub use left::{UnfixedClassName, UnfixedReport};
pub use text::shown_diff;
pub use verification::{UnverifiedStepReport, VerificationReport};

pub use summary::{EntryCounts, FixSummary, RemainingCounts};

pub(crate) use entries::entries;
pub(crate) use evidence::evidence;
pub(crate) use evidence::signals;
pub(crate) use left::{unfixed, unfixed_list};
pub(crate) use markdown::{
    breaking_section, entries_section, files_list, other_entries_section, upgrades_table,
};
pub(crate) use remarks::{evidence_section, signal_remarks};
pub(crate) use verification::{verification, verification_section};

/// The input of a fix's report.
#[derive(Debug, Clone, Copy)]
pub struct FixInput<'a> {
    /// The upgrades and file changes.
    pub plan: &'a Plan,
    /// The scan that the plan is based on.
    pub scan: &'a ScanReport,
    /// Whether the change was written; otherwise it is only shown.
    pub applied: bool,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// The report of a fix.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FixReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// Whether the change was written; otherwise it is only shown.
    pub applied: bool,
    /// The exit code of the run.
    pub exit_code: u8,
    /// The numbers of the report.
    pub summary: FixSummary,
    /// Malicious releases that were installed before, whether or not the fix removes them.
    pub incidents: Vec<FindingReport>,
    /// The independent parts of the change, most urgent first.
    pub steps: Vec<StepReport>,
    /// Packages that are upgraded for a finding, or because such an upgrade needs it.
    pub upgrades: Vec<UpgradeReport>,
    /// Every entry of a lockfile that comes, goes or gets another version.
    pub entries: Vec<EntryReport>,
    /// What is known about whether the changes will hold, one for each package that gets another
    /// version or comes.
    pub evidence: Vec<UpgradeEvidenceReport>,
    /// Findings that the changes do not fix, with the reasons.
    pub unfixed: Vec<UnfixedReport>,
    /// What the project's own tests say; `null` if they were not run.
    pub verification: Option<VerificationReport>,
    /// Files that the plan changes.
    pub files: Vec<FileSummary>,
    /// The change as a unified diff.
    pub diff: String,
    /// SHA-256 over the version changes, in hexadecimal; the name of the branch is derived from it.
    pub decision_digest: String,
    /// SHA-256 over the changed files' paths and contents, in hexadecimal.
    pub content_digest: String,
    /// Inputs that could not be read or looked up.
    pub incomplete: Vec<IncompleteReport>,
    /// The advisory sources and feeds, with their age.
    pub sources: Vec<SourceReport>,
}

/// A package whose version changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpgradeReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version before the change.
    pub from: String,
    /// Version after the change.
    pub to: String,
    /// Size of the change: `patch`, `minor` or `major`.
    pub bump: String,
    /// Ids of the findings that the change fixes.
    pub fixes: Vec<String>,
    /// Requirements that change with it.
    pub requirement_changes: Vec<String>,
    /// The package whose upgrade requires this change, when the change fixes no finding itself.
    pub because_of: Option<String>,
    /// Number of the step that it belongs to; `null` if it belongs to none.
    pub step: Option<usize>,
}

impl FixReport {
    /// Makes the report of a plan.
    #[must_use]
    pub fn new(input: &FixInput<'_>) -> Self {
        let plan = input.plan;
        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: input.scan.tool.clone(),
            applied: input.applied,
            exit_code: input.exit_code,
            summary: FixSummary::new(plan),
            incidents: input.scan.incidents(),
            steps: entries::steps(plan),
            upgrades: upgrades(plan),
            entries: entries(plan),
            evidence: evidence(plan),
            unfixed: unfixed(plan),
            verification: verification(plan),
            files: plan.changes.iter().map(file_summary).collect(),
            diff: plan.changes.iter().map(unified_diff).collect(),
            decision_digest: plan.decision_digest(),
            content_digest: plan.content_digest(),
            incomplete: input.scan.incomplete.clone(),
            sources: input.scan.sources.clone(),
        }
    }

    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }
}

pub(crate) fn upgrades(plan: &Plan) -> Vec<UpgradeReport> {
    plan.upgrades
        .iter()
        .enumerate()
        .map(|(index, upgrade)| UpgradeReport {
            ecosystem: upgrade.ecosystem.to_string(),
            lockfile: upgrade.lockfile.clone(),
            package: upgrade.package.clone(),
            from: upgrade.from.clone(),
            to: upgrade.to.clone(),
            bump: bump_name(upgrade.bump).to_owned(),
            fixes: upgrade.fixes.clone(),
            requirement_changes: upgrade.requirement_changes.clone(),
            because_of: upgrade.because_of.clone(),
            step: entries::number_of(plan, |step| step.upgrades.contains(&index)),
        })
        .collect()
}

pub(crate) fn bump_name(bump: Bump) -> &'static str {
    match bump {
        Bump::Patch => "patch",
        Bump::Minor => "minor",
        Bump::Major => "major",
    }
}

/// The changed files of a plan.
pub(crate) fn files(changes: &[FileChange]) -> Vec<FileSummary> {
    changes.iter().map(file_summary).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use patchgate_model::{
        EcosystemName, EntryChange, FixedFinding, Step, Unfixed, UnfixedClass, Upgrade,
    };

    use super::*;
    use crate::scan::tests::{assert_harmless, assert_valid, plain, rich};

    pub(crate) fn plan() -> Plan {
        let upgrade = |package: &str, from: &str, to: &str, bump, fixes: &[&str]| Upgrade {
            ecosystem: EcosystemName::new("npm"),
            lockfile: "package-lock.json".into(),
            package: package.into(),
            from: from.into(),
            to: to.into(),
            bump,
            fixes: fixes.iter().map(|&id| id.into()).collect(),
            requirement_changes: Vec::new(),
            because_of: None,
        };
        let entry = |package: &str, from: Option<&str>, to: Option<&str>, bump| EntryChange {
            lockfile: "package-lock.json".into(),
            ecosystem: EcosystemName::new("npm"),
            package: package.into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            bump,
            direct: package == "tap",
        };
        let fixed = FixedFinding {
            ecosystem: EcosystemName::new("npm"),
            package: "qs".into(),
            version: "6.5.2".into(),
            id: "GHSA-aaaa-bbbb-cccc".into(),
        };
        let mut parent = upgrade("express", "4.17.1", "4.17.3", Bump::Patch, &[]);
        parent.because_of = Some("qs".into());
        parent.requirement_changes = vec!["package.json: 4.17.1 -> 4.17.3".into()];

        Plan {
            upgrades: vec![
                parent,
                upgrade(
                    "qs",
                    "6.5.2",
                    "6.5.3",
                    Bump::Patch,
                    &["GHSA-aaaa-bbbb-cccc"],
                ),
            ],
            unfixed: vec![Unfixed {
                ecosystem: EcosystemName::new("npm"),
                lockfile: "package-lock.json".into(),
                package: "evil\u{1b}[2J | <b>".into(),
                version: "1.0.0".into(),
                ids: vec!["GHSA-dddd-eeee-ffff".into()],
                reason: "no release is free of it @octocat\n::error::x".into(),
                class: UnfixedClass::NoRelease,
                fixed_version: None,
                is_new: false,
            }],
            entries: vec![
                entry("express", Some("4.17.1"), Some("4.17.3"), Some(Bump::Patch)),
                entry("qs", Some("6.5.2"), Some("6.5.3"), Some(Bump::Patch)),
                entry("side-channel", None, Some("1.0.4"), None),
                entry("tap", Some("16.0.0"), Some("21.0.0"), Some(Bump::Major)),
            ],
            fixed: vec![fixed.clone()],
            steps: vec![Step {
                upgrades: vec![0, 1],
                entries: vec![0, 1, 2],
                fixes: vec![fixed],
            }],
            changes: vec![
                FileChange {
                    path: "package-lock.json".into(),
                    before: b"{\n  \"qs\": \"6.5.2\",\n  ::error::\x1b[31m\n}\n".to_vec(),
                    after: b"{\n  \"qs\": \"6.5.3\",\n  ::error::\x1b[31m\n}\n".to_vec(),
                },
                FileChange {
                    path: "package.json".into(),
                    before: b"{\r\n\t\"express\": \"4.17.1\"\r\n}".to_vec(),
                    after: b"{\r\n\t\"express\": \"4.17.3\"\r\n}".to_vec(),
                },
            ],
            evidence: Vec::new(),
            verification: None,
        }
    }

    fn report(plan: &Plan, applied: bool) -> FixReport {
        FixReport::new(&FixInput {
            plan,
            scan: &rich(),
            applied,
            exit_code: 3,
        })
    }

    #[test]
    fn text_says_what_moves_and_what_is_left() {
        let text = report(&plan(), false).to_text(plain(80), true);
        assert_harmless(&text.replace('\t', "").replace("\r\n", "\n"));
        assert!(
            text.contains("\r\n-\t\"express\": \"4.17.1\"\r\n"),
            "the diff must apply"
        );
        assert_snapshot!("fix_text", text.replace('\r', "<CR>"));
    }

    #[test]
    fn nothing_to_fix_is_not_said_of_half_a_scan() {
        let empty = report(&Plan::default(), false).to_text(plain(80), true);
        assert!(
            empty.contains("\nNothing to fix in the part that was read; the scan is incomplete\n"),
            "{empty}"
        );
    }

    #[test]
    fn json_is_of_its_schema() {
        let report = report(&plan(), true);
        assert_valid(&crate::schema(crate::SchemaKind::Fix), &report.to_json());

        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["decision_digest"], plan().decision_digest());
        assert_eq!(json["content_digest"], plan().content_digest());
        assert!(
            json["diff"]
                .as_str()
                .unwrap()
                .contains("::error::\u{1b}[31m")
        );
        assert_snapshot!("fix_json", report.to_json());
    }

    #[test]
    fn markdown_is_inert() {
        let text = report(&plan(), true).to_markdown(crate::GITHUB_SUMMARY_LIMIT);
        assert_harmless(&text);
        assert_snapshot!("fix_markdown", text);
    }
}
