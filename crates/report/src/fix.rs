//! The report of a fix: the upgrades, the findings that remain, and the diff.

use patchgate_model::{Bump, FileChange, Plan};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::{clean, is_unsafe};
use crate::diff::{FileSummary, file_summary, unified_diff};
use crate::markdown::{Body, code, text};
use crate::scan::count;
use crate::scan::{
    Detail, FindingReport, IncompleteReport, ScanReport, SourceReport, Tool, incident_lines,
    incident_section, incomplete_lines,
};
use crate::terminal::{BOLD, CYAN, DIM, GREEN, RED, Terminal, YELLOW};

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
    /// Malicious releases that were installed before, whether or not the fix removes them.
    pub incidents: Vec<FindingReport>,
    /// Packages whose version changes.
    pub upgrades: Vec<UpgradeReport>,
    /// Findings that the changes do not fix, with the reasons.
    pub unfixed: Vec<UnfixedReport>,
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
}

/// The findings of a package version that remain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnfixedReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version that remains installed.
    pub version: String,
    /// Ids of the findings that remain.
    pub ids: Vec<String>,
    /// Why they cannot be fixed.
    pub reason: String,
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
            incidents: input.scan.incidents(),
            upgrades: upgrades(plan),
            unfixed: unfixed(plan),
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

    /// As text for a terminal: the upgrades, the findings that remain with the reasons, and the diff.
    #[must_use]
    pub fn to_text(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        incident_lines(&self.incidents, terminal, &mut lines);
        if !self.upgrades.is_empty() {
            lines.push(terminal.paint(
                BOLD,
                if self.applied {
                    "Changed"
                } else {
                    "Would change"
                },
            ));
            for upgrade in &self.upgrades {
                upgrade_lines(upgrade, terminal, &mut lines);
            }

            lines.push(String::new());
        }

        if !self.unfixed.is_empty() {
            lines.push(terminal.paint(YELLOW, "Not fixed"));
            for unfixed in &self.unfixed {
                let text = format!(
                    "{} {} in {} ({})",
                    clean(&unfixed.package),
                    clean(&unfixed.version),
                    clean(&unfixed.lockfile),
                    clean(&unfixed.ids.join(", "))
                );
                lines.extend(terminal.wrap("", 2, &text));
                lines.extend(terminal.wrap("", 6, &clean(&unfixed.reason)));
            }

            lines.push(String::new());
        }

        incomplete_lines(&self.incomplete, terminal, Detail::Brief, &mut lines);

        let mut out: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if !self.diff.is_empty() {
            out.push_str(&colored_diff(&self.diff, terminal));
            out.push('\n');
        }

        out.push_str(&terminal.paint(BOLD, &self.headline()));
        out.push('\n');

        out
    }

    /// As Markdown of at most `limit` bytes.
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        let mut body = Body::new(limit, 0);
        body.push("## Patchgate fix\n\n");
        incident_section(&self.incidents, &mut body);
        body.push(&format!("{}.\n\n", text(&self.headline())));
        upgrades_table(&self.upgrades, &mut body);
        unfixed_list(&self.unfixed, &mut body);
        files_list(&self.files, &mut body);
        body.rows(
            "### Incomplete\n\n",
            self.incomplete.iter().map(|problem| {
                format!("- {}: {}\n", code(&problem.subject), text(&problem.reason))
            }),
        );

        body.finish("")
    }

    fn headline(&self) -> String {
        let fixed: usize = self
            .upgrades
            .iter()
            .map(|upgrade| upgrade.fixes.len())
            .sum();
        let remaining: usize = self.unfixed.iter().map(|unfixed| unfixed.ids.len()).sum();

        let mut text = match (self.upgrades.is_empty(), remaining) {
            (true, 0) if self.incomplete.is_empty() => "Nothing to fix".to_owned(),
            (true, 0) => {
                "Nothing to fix in the part that was read; the scan is incomplete".to_owned()
            }
            (true, _) => format!(
                "Nothing can be fixed: {}",
                count(remaining, "finding remains", "findings remain")
            ),
            (false, _) => format!(
                "{} {}, {remaining} {}",
                match self.applied {
                    true => count(
                        self.upgrades.len(),
                        "package changed and fixed",
                        "packages changed and fixed",
                    ),
                    false => count(
                        self.upgrades.len(),
                        "package changes and would fix",
                        "packages change and would fix",
                    ),
                },
                count(fixed, "finding", "findings"),
                if remaining == 1 { "remains" } else { "remain" }
            ),
        };
        if !self.applied && !self.upgrades.is_empty() {
            text.push_str("; nothing was written");
        }

        text
    }
}

pub(crate) fn upgrades(plan: &Plan) -> Vec<UpgradeReport> {
    plan.upgrades
        .iter()
        .map(|upgrade| UpgradeReport {
            ecosystem: upgrade.ecosystem.to_string(),
            lockfile: upgrade.lockfile.clone(),
            package: upgrade.package.clone(),
            from: upgrade.from.clone(),
            to: upgrade.to.clone(),
            bump: bump_name(upgrade.bump).to_owned(),
            fixes: upgrade.fixes.clone(),
            requirement_changes: upgrade.requirement_changes.clone(),
            because_of: upgrade.because_of.clone(),
        })
        .collect()
}

pub(crate) fn unfixed(plan: &Plan) -> Vec<UnfixedReport> {
    plan.unfixed
        .iter()
        .map(|unfixed| UnfixedReport {
            ecosystem: unfixed.ecosystem.to_string(),
            lockfile: unfixed.lockfile.clone(),
            package: unfixed.package.clone(),
            version: unfixed.version.clone(),
            ids: unfixed.ids.clone(),
            reason: unfixed.reason.clone(),
        })
        .collect()
}

fn bump_name(bump: Bump) -> &'static str {
    match bump {
        Bump::Patch => "patch",
        Bump::Minor => "minor",
        Bump::Major => "major",
    }
}

fn upgrade_lines(upgrade: &UpgradeReport, terminal: Terminal, lines: &mut Vec<String>) {
    lines.push(format!(
        "  {} {} -> {} ({}) in {}",
        terminal.paint(BOLD, &clean(&upgrade.package)),
        clean(&upgrade.from),
        terminal.paint(GREEN, &clean(&upgrade.to)),
        upgrade.bump,
        clean(&upgrade.lockfile)
    ));
    let mut detail = |text: &str| {
        let wrapped = terminal.wrap("", 6, text);
        lines.extend(wrapped.iter().map(|line| terminal.paint(DIM, line)));
    };
    if !upgrade.fixes.is_empty() {
        detail(&format!("fixes {}", clean(&upgrade.fixes.join(", "))));
    }
    if let Some(because) = &upgrade.because_of {
        detail(&format!("required by the upgrade of {}", clean(because)));
    }

    for change in &upgrade.requirement_changes {
        detail(&format!("requirement {}", clean(change)));
    }
}

/// The diff without the characters that a terminal interprets. Tabs are kept, and so is a carriage
/// return at the end of a line: without it the diff of such a file would not apply.
fn colored_diff(diff: &str, terminal: Terminal) -> String {
    let mut out = String::new();
    for line in diff.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix("\r\n") {
            Some(line) => (line, "\r\n"),
            None => (line.strip_suffix('\n').unwrap_or(line), "\n"),
        };
        let safe: String = line
            .chars()
            .filter(|&c| c == '\t' || !is_unsafe(c))
            .collect();

        // A line of context could be a workflow command. The JSON has the line unchanged.
        let safe = match safe.strip_prefix(' ') {
            Some(context) if context.trim_start().starts_with("::") => {
                safe.replacen("::", ": :", 1)
            }
            _ => safe,
        };
        let style = match safe.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Some(BOLD),
            [b'+', ..] => Some(GREEN),
            [b'-', ..] => Some(RED),
            [b'@', b'@', ..] => Some(CYAN),
            _ => None,
        };
        match style {
            Some(style) => out.push_str(&terminal.paint(style, &safe)),
            None => out.push_str(&safe),
        }

        out.push_str(end);
    }

    out
}

/// Adds the table of upgrades.
pub(crate) fn upgrades_table(upgrades: &[UpgradeReport], body: &mut Body) {
    body.rows(
        "### Upgrades\n\n| Package | From | To | Bump | Fixes | In |\n| --- | --- | --- | --- | --- | --- |\n",
        upgrades.iter().map(|upgrade| {
            let ids: Vec<String> = upgrade.fixes.iter().map(|id| code(id)).collect();
            let mut fixes = ids.join(" ");
            if let Some(because) = &upgrade.because_of {
                if !fixes.is_empty() {
                    fixes.push_str("<br>");
                }
                fixes.push_str(&format!("required by {}", code(because)));
            }

            let mut files = vec![code(&upgrade.lockfile)];
            files.extend(upgrade.requirement_changes.iter().map(|change| code(change)));

            format!(
                "| {} | {} | {} | {} | {fixes} | {} |\n",
                code(&upgrade.package),
                code(&upgrade.from),
                code(&upgrade.to),
                upgrade.bump,
                files.join("<br>")
            )
        }),
    );
}

/// Adds the findings that remain, with the reasons.
pub(crate) fn unfixed_list(unfixed: &[UnfixedReport], body: &mut Body) {
    body.rows(
        "### Not fixed\n\n",
        unfixed.iter().map(|unfixed| {
            let ids: Vec<String> = unfixed.ids.iter().map(|id| code(id)).collect();
            format!(
                "- {} in {} ({}): {}\n",
                code(&format!("{} {}", unfixed.package, unfixed.version)),
                code(&unfixed.lockfile),
                ids.join(", "),
                text(&unfixed.reason)
            )
        }),
    );
}

/// Adds the changed files with the sizes of their changes.
pub(crate) fn files_list(files: &[FileSummary], body: &mut Body) {
    body.rows(
        "### Files\n\n",
        files
            .iter()
            .map(|file| match (file.additions, file.deletions) {
                (Some(added), Some(removed)) => {
                    format!("- {} (+{added} -{removed})\n", code(&file.path))
                }
                _ => format!("- {} (too large to compare)\n", code(&file.path)),
            }),
    );
}

/// The changed files of a plan.
pub(crate) fn files(changes: &[FileChange]) -> Vec<FileSummary> {
    changes.iter().map(file_summary).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use patchgate_model::{EcosystemName, Unfixed, Upgrade};

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
        let text = report(&plan(), false).to_text(plain(80));
        assert_harmless(&text.replace('\t', "").replace("\r\n", "\n"));
        assert!(
            text.contains("\r\n-\t\"express\": \"4.17.1\"\r\n"),
            "the diff must apply"
        );
        assert_snapshot!("fix_text", text.replace('\r', "<CR>"));
    }

    #[test]
    fn nothing_to_fix_is_not_said_of_half_a_scan() {
        let empty = report(&Plan::default(), false).to_text(plain(80));
        assert!(
            empty.ends_with("Nothing to fix in the part that was read; the scan is incomplete\n"),
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
