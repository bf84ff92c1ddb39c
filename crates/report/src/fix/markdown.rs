//! The report of a fix as Markdown, and the parts that pull requests share with it.

use super::remarks::evidence_section;
use super::text::sentences;
use super::verification::verification_section;
use super::{EntryChangeName, EntryReport, FixReport, StepReport, UpgradeReport, unfixed_list};
use crate::diff::FileSummary;
use crate::markdown::{Body, code, text};
use crate::scan::{count, incident_section};

impl FixReport {
    /// As Markdown of at most `limit` bytes.
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        let mut body = Body::new(limit, 0);
        body.push("## Patchgate fix\n\n");
        incident_section(&self.incidents, &mut body);
        let headline = self
            .summary
            .headline(self.applied, self.incomplete.is_empty());
        body.push(&format!("{}.\n\n", text(&headline)));
        let sentences = sentences(&self.summary).into_iter();
        body.rows(
            "",
            sentences.map(|sentence| format!("- {}\n", text(&sentence))),
        );

        steps_list(&self.steps, &mut body);
        upgrades_table(&self.upgrades, &mut body);
        evidence_section(&self.evidence, &mut body);
        verification_section(self.verification.as_ref(), &mut body);
        unfixed_list(&self.unfixed, &mut body);
        entries_section(&self.entries, &mut body);
        files_list(&self.files, &mut body);
        body.rows(
            "### Incomplete\n\n",
            self.incomplete.iter().map(|problem| {
                format!("- {}: {}\n", code(&problem.subject), text(&problem.reason))
            }),
        );

        body.finish("")
    }
}

/// Adds the steps, if there are several.
fn steps_list(steps: &[StepReport], body: &mut Body) {
    if steps.len() < 2 {
        return;
    }
    body.rows(
        "### Steps\n\n",
        steps.iter().map(|step| {
            format!(
                "{}. fixes {}; {}\n",
                step.number,
                count(step.fixes.len(), "finding", "findings"),
                step.entries.sentence()
            )
        }),
    );
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

/// Adds every changed entry: those that may break first, the others collapsed.
pub(crate) fn entries_section(entries: &[EntryReport], body: &mut Body) {
    breaking_section(entries, body);
    other_entries_section(entries, body);
}

/// Adds the changed entries that may break.
pub(crate) fn breaking_section(entries: &[EntryReport], body: &mut Body) {
    let breaking = entries.iter().filter(|entry| entry.breaking);
    body.rows("### Moves that may break\n\n", breaking.map(row));
}

/// Adds the other changed entries, collapsed.
pub(crate) fn other_entries_section(entries: &[EntryReport], body: &mut Body) {
    let others: Vec<&EntryReport> = entries.iter().filter(|entry| !entry.breaking).collect();
    if others.is_empty() {
        return;
    }
    let title = count(others.len(), "other changed entry", "other changed entries");
    let head = format!("<details><summary>{title} of the lockfiles</summary>\n\n");
    if body.rows(&head, others.into_iter().map(row)) > 0 {
        body.close("</details>\n\n");
    }
}

fn row(entry: &EntryReport) -> String {
    let versions = match (&entry.from, &entry.to) {
        (Some(from), Some(to)) => format!("{} → {}", code(from), code(to)),
        (from, to) => from.iter().chain(to).map(|version| code(version)).collect(),
    };
    let change = match entry.change {
        EntryChangeName::Comes => "comes",
        EntryChangeName::Goes => "goes",
        EntryChangeName::Moves => "moves",
    };
    let direct = if entry.direct { ", direct" } else { "" };
    format!(
        "- {} {change} {versions} ({}{direct})\n",
        code(&entry.package),
        code(&entry.lockfile)
    )
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
