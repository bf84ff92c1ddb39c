//! The report of `patchgate pr`: the pull requests and the action taken on each.

use patchgate_model::Plan;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::clean;
use crate::fix::{
    EntryReport, FixSummary, UnfixedReport, UpgradeEvidenceReport, UpgradeReport,
    VerificationReport, entries, entries_section, evidence, unfixed, unfixed_list, upgrades,
    upgrades_table, verification, verification_section,
};
use crate::markdown::{Body, code, link, text};
use crate::scan::{
    FindingReport, IncompleteReport, ScanReport, Tool, incident_lines, incident_section,
};
use crate::terminal::Terminal;

/// The input of a report about pull requests.
#[derive(Debug, Clone, Copy)]
pub struct PrInput<'a> {
    /// The upgrades and file changes.
    pub plan: &'a Plan,
    /// The scan that the plan is based on.
    pub scan: &'a ScanReport,
    /// Every pull request of Patchgate into the base branch, in the order of the actions.
    pub pull_requests: &'a [PullRequestReport],
    /// Pull requests that are not opened yet.
    pub waiting: &'a [WaitingReport],
    /// The branch and the commit of the first plan; `None` for an empty one.
    pub carried: Option<(&'a str, &'a str)>,
    /// Why no pull request is proposed: a fragment. Not used when one is.
    pub none_because: &'a str,
    /// Warnings for a person, one sentence each.
    pub warnings: &'a [String],
    /// The exit code of the run.
    pub exit_code: u8,
}

/// The report of `patchgate pr`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PrReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// The action on the pull request with the plan, or on the first pull request when none has it.
    pub action: PrAction,
    /// The first open pull request with a plan; `null` without one.
    pub pull_request: Option<PullRequestLink>,
    /// The branch of the first plan; `null` when there is nothing to propose.
    pub branch: Option<String>,
    /// The commit of the first plan; `null` when there is nothing to propose.
    pub commit: Option<String>,
    /// Every pull request of Patchgate into the base branch.
    pub pull_requests: Vec<PullRequestReport>,
    /// Pull requests that are not opened yet.
    pub waiting: Vec<WaitingReport>,
    /// The numbers of the fix.
    pub summary: FixSummary,
    /// Malicious releases that are installed on the base branch.
    pub incidents: Vec<FindingReport>,
    /// Packages whose version changes.
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
    /// Inputs that could not be read or looked up.
    pub incomplete: Vec<IncompleteReport>,
    /// Warnings for a person.
    pub warnings: Vec<String>,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Why there is no pull request: a fragment.
    #[serde(skip)]
    none_because: String,
}

/// The action on a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum PrAction {
    /// A new pull request was opened.
    Opened,
    /// Its branch or its text was updated.
    Updated,
    /// It was up to date already.
    Unchanged,
    /// It was closed because it is no longer needed.
    Closed,
    /// It was not touched, for instance because another account pushed to it.
    Left,
    /// No pull request exists, and none was opened.
    None,
}

impl PrAction {
    /// The word in JSON and step outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Closed => "closed",
            Self::Left => "left",
            Self::None => "none",
        }
    }

    /// Whether the pull request has the plan after this action.
    fn carries(self) -> bool {
        matches!(self, Self::Opened | Self::Updated | Self::Unchanged)
    }
}

/// Number and address of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PullRequestLink {
    /// Number on the forge.
    pub number: u64,
    /// Address of its page.
    pub url: String,
}

/// A pull request and the action on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PullRequestReport {
    /// Number on the forge.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// The action on it.
    pub action: PrAction,
    /// Why this action was taken, if that is not obvious: a fragment.
    pub reason: Option<String>,
}

/// A pull request that is not opened yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitingReport {
    /// Its branch.
    pub branch: String,
    /// Its title.
    pub title: String,
    /// What it waits for: a fragment.
    pub reason: String,
}

/// The layout of texts: they are for a log, so they have no color and a fixed width.
const PLAIN: Terminal = Terminal {
    width: 120,
    color: false,
    interactive: false,
};

impl PrReport {
    /// Makes the report of a run.
    #[must_use]
    pub fn new(input: &PrInput<'_>) -> Self {
        let pulls = input.pull_requests;
        let carrier = pulls.iter().find(|pull| pull.action.carries());

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: input.scan.tool.clone(),
            action: carrier
                .or(pulls.first())
                .map_or(PrAction::None, |pull| pull.action),
            pull_request: carrier.map(|pull| PullRequestLink {
                number: pull.number,
                url: pull.url.clone(),
            }),
            branch: input.carried.map(|(branch, _)| branch.to_owned()),
            commit: input.carried.map(|(_, commit)| commit.to_owned()),
            pull_requests: pulls.to_vec(),
            waiting: input.waiting.to_vec(),
            incidents: input.scan.incidents(),
            summary: FixSummary::new(input.plan),
            upgrades: upgrades(input.plan),
            entries: entries(input.plan),
            evidence: evidence(input.plan),
            unfixed: unfixed(input.plan),
            verification: verification(input.plan),
            incomplete: input.scan.incomplete.clone(),
            warnings: input.warnings.to_vec(),
            exit_code: input.exit_code,
            none_because: input.none_because.to_owned(),
        }
    }

    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }

    /// As text, one line for each pull request.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = Vec::new();
        incident_lines(&self.incidents, PLAIN, &mut lines);
        lines.extend(self.pull_requests.iter().map(line));

        lines.extend(self.waiting.iter().map(|waiting| {
            let [branch, title, reason] =
                [&waiting.branch, &waiting.title, &waiting.reason].map(|text| clean(text));
            format!("waiting {branch}: {title}: {reason}")
        }));
        if self.pull_requests.is_empty() && self.waiting.is_empty() {
            lines.push(format!("no pull request: {}", clean(&self.none_because)));
        }
        for problem in &self.incomplete {
            lines.push(format!(
                "incomplete {}: {}",
                clean(&problem.subject),
                clean(&problem.reason)
            ));
            if let Some(hint) = &problem.hint {
                lines.push(format!("  {}", clean(hint)));
            }
        }

        lines.extend(
            self.warnings
                .iter()
                .map(|warning| format!("warning: {}", clean(warning))),
        );
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// As Markdown of at most `limit` bytes, for a job summary.
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        let mut body = Body::new(limit, 0);
        body.push("## Patchgate pull request\n\n");
        incident_section(&self.incidents, &mut body);

        if self.pull_requests.is_empty() && self.waiting.is_empty() {
            body.push(&format!(
                "No pull request: {}.\n\n",
                text(&self.none_because)
            ));
        }

        body.rows(
            "",
            self.pull_requests
                .iter()
                .map(|pull| format!("- {}\n", markdown_line(pull))),
        );
        body.rows(
            "",
            self.waiting.iter().map(|waiting| {
                let title = text(&waiting.title);
                format!("- waiting: {title}, {}\n", text(&waiting.reason))
            }),
        );
        body.rows(
            "",
            self.warnings
                .iter()
                .map(|warning| format!("> {}\n", text(warning))),
        );
        upgrades_table(&self.upgrades, &mut body);
        verification_section(self.verification.as_ref(), &mut body);
        unfixed_list(&self.unfixed, &mut body);
        entries_section(&self.entries, &mut body);
        body.rows(
            "### Incomplete\n\n",
            self.incomplete.iter().map(|problem| {
                format!("- {}: {}\n", code(&problem.subject), text(&problem.reason))
            }),
        );

        body.finish("")
    }
}

fn line(pull: &PullRequestReport) -> String {
    let mut line = format!(
        "{} #{} {}",
        pull.action.as_str(),
        pull.number,
        clean(&pull.url)
    );
    if let Some(reason) = &pull.reason {
        line.push_str(": ");
        line.push_str(&clean(reason));
    }

    line
}

/// [`line`] with the number as a link.
fn markdown_line(pull: &PullRequestReport) -> String {
    let number = link(&format!("pull request {}", pull.number), &pull.url);
    let mut line = format!("{}: {number}", pull.action.as_str());
    if let Some(reason) = &pull.reason {
        line.push_str(", ");
        line.push_str(&text(reason));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::tests::plan;
    use crate::scan::tests::{assert_harmless, rich};

    fn pull(number: u64, action: PrAction, reason: Option<&str>) -> PullRequestReport {
        PullRequestReport {
            number,
            url: format!("https://forge.invalid/acme/shop/pull/{number}"),
            action,
            reason: reason.map(str::to_owned),
        }
    }

    fn report(pulls: &[PullRequestReport]) -> PrReport {
        PrReport::new(&PrInput {
            plan: &plan(),
            scan: &rich(),
            pull_requests: pulls,
            waiting: &[WaitingReport {
                branch: "patchgate/qs-0123".to_owned(),
                title: "Update <qs>\u{1b}[2J".to_owned(),
                reason: "it is night".to_owned(),
            }],
            carried: Some(("patchgate/fix-0123", "c0ffee")),
            none_because: "nothing is left to fix",
            warnings: &["a warning\u{1b}[31m <b>".to_owned()],
            exit_code: 3,
        })
    }

    #[test]
    fn the_pull_request_that_carries_the_plan_is_the_one_that_is_named() {
        let report = report(&[
            pull(3, PrAction::Left, Some("it is not known")),
            pull(5, PrAction::Opened, None),
        ]);
        assert_eq!(report.action, PrAction::Opened);
        assert_eq!(
            report.pull_request.as_ref().map(|link| link.number),
            Some(5)
        );
    }

    #[test]
    fn a_left_or_closed_one_is_told_and_not_named() {
        let left = report(&[pull(3, PrAction::Left, Some("it is not known"))]);
        assert_eq!((left.action, left.pull_request), (PrAction::Left, None));
        assert_eq!(report(&[]).action, PrAction::None);
    }

    #[test]
    fn texts_are_harmless_and_say_everything() {
        let report = report(&[pull(3, PrAction::Left, Some("why\u{1b}[2J <script>"))]);
        let text = report.to_text();

        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.starts_with("INCIDENT: 1 malicious release is installed\n"));
        assert!(text.contains("\nleft #3 https://forge.invalid/acme/shop/pull/3: why"));
        assert!(text.contains("\nwaiting patchgate/qs-0123: Update <qs>"));
        assert!(text.contains("warning: a warning"));

        let markdown = report.to_markdown(crate::GITHUB_SUMMARY_LIMIT);
        assert_harmless(&markdown);

        let link = "- left: [pull request 3](https://forge.invalid/acme/shop/pull/3), why";
        assert!(markdown.contains(link), "{markdown}");
        assert!(report.to_markdown(400).len() <= 400);
    }
}
